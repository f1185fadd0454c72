// The check character of coderring's codes, in a browser or in any JavaScript, for
// every alphabet. No dependencies.
//
//   import { isValid, checkCharacter } from './check-character.mjs';
//
//   isValid('digits', '18371333')            // true, as coderring_is_valid says
//   checkCharacter('digits', '1837133')      // '3'
//
// An alphabet is given by its name or by its characters in the ring's order, as in SQL.
// It is against mistakes, not against guessing: everybody can compute it. Whether a
// code was handed out, only the database knows.
//
// How it works, and why, stands at the head of src/core/check.c.

const digits = '0123456789';
const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const lower = 'abcdefghijklmnopqrstuvwxyz';

export const alphabets = {
  default: 'VSE293AH7Q6R4BT5CLXGJZFPDWUKYM8N',
  alphanumeric: digits + upper + lower,
  base58: '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz',
  base64url: upper + lower + digits + '-_',
  crockford: digits + 'ABCDEFGHJKMNPQRSTVWXYZ',
  digits,
  hex: digits + 'ABCDEF',
  lower,
  nolookalikes: '346789ABCDEFGHJKLMNPQRTUVWXYabcdefghijkmnpqrtwxyz',
  rfc4648: upper + '234567',
  safe: '23456789BCDFGHJKLMNPQRSTVWXZ',
  upper,
};

// By degree, a polynomial over GF(2) of which x generates the multiplicative group.
const polynomials = [0, 0, 0x07, 0x0b, 0x13, 0x25, 0x43];

// J. Verhoeff's permutation of the decimal digits.
const verhoeff = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];

// A group of n elements, with 0 for its identity, and an anti-symmetric permutation:
// the additive group of GF(2^k) x Z_m, and multiplication by (x, 2)
function ring(n) {
  let odd = n;
  let degree = 0;

  for (; odd % 2 === 0; odd /= 2) degree++;
  return {
    combine: (a, b) =>
      (Math.floor(a / odd) ^ Math.floor(b / odd)) * odd + ((a % odd) + (b % odd)) % odd,
    phi(a) {
      let shifted = Math.floor(a / odd) * 2;

      if (shifted >> degree !== 0) shifted ^= polynomials[degree];
      return shifted * odd + (((a % odd) * 2) % odd);
    },
  };
}

// the dihedral group of n / 2 rotations, an odd number
function dihedral(n) {
  const turns = n / 2;

  return {
    combine(a, b) {
      const turn = (a >= turns ? a + n - b : a + b) % turns;

      return a >= turns !== b >= turns ? turns + turn : turn;
    },
    phi: (a) => (a >= turns ? turns + ((a + 1) % turns) : (turns - a) % turns),
  };
}

// and for ten digits Verhoeff's: the dihedral group with its factors exchanged
function group(n) {
  if (n === 10) return { combine: (a, b) => dihedral(10).combine(b, a), phi: (a) => verhoeff[a] };
  return n % 4 === 2 ? dihedral(n) : ring(n);
}

// The characters of an alphabet that is given by its name or by them.
function charactersOf(alphabet) {
  const characters = Object.hasOwn(alphabets, alphabet) ? alphabets[alphabet] : alphabet;

  if (!/^[!-~]{2,64}$/.test(characters) || new Set(characters).size !== characters.length)
    throw new RangeError('an alphabet has 2 to 64 distinct printable ASCII characters');
  if (characters === alphabet && Object.hasOwn(alphabets, alphabet.toLowerCase()))
    throw new RangeError(`the name of this alphabet is "${alphabet.toLowerCase()}"`);
  return characters;
}

// What a text amounts to whose last character stands `distance` places before the
// check character.  Characters outside of the alphabet count by their code points.
function sum(characters, text, distance) {
  const n = characters.length;
  const { combine, phi } = group(n);
  const powers = [Array.from({ length: n }, (_, value) => value)];
  const all = Array.from(text);
  let state = 0;

  // the powers of phi until they repeat
  for (;;) {
    const next = powers[powers.length - 1].map(phi);

    if (next.every((value, i) => value === i)) break;
    powers.push(next);
  }
  all.forEach((character, i) => {
    const place = all.length - 1 - i + distance;
    const inside = characters.indexOf(character);
    const value = inside >= 0 ? inside : character.codePointAt(0) % n;

    state = combine(state, powers[place % powers.length][value]);
  });
  return { state, combine };
}

// The character that completes a text, which may have an extra and a uniquizer.
export function checkCharacter(alphabet, text) {
  const characters = charactersOf(alphabet);
  const { state, combine } = sum(characters, text, 1);

  return Array.from(characters).find((_, value) => combine(state, value) === 0);
}

// Is the last character of a code the check character of the others?
export function isValid(alphabet, code) {
  const characters = charactersOf(alphabet);
  const all = Array.from(code);

  return all.length >= 2 && characters.includes(all[all.length - 1]) &&
    sum(characters, code, 0).state === 0;
}
