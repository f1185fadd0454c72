# docs/check-character.mjs, run by node, says of every code what the extension says:
# alphabets of every size, with extras of all kinds of characters, right codes and
# wrong ones; and its alphabets are those of coderring_alphabet.
#
# make check installs node where it is missing.  Elsewhere, without it, the tests that
# need it are skipped by name.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Coderring;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $module = "$FindBin::RealBin/../../docs/check-character.mjs";
my $node = new_node('main', '', extra => [ '--encoding=UTF8', '--locale=C' ]);
my $dir = PostgreSQL::Test::Utils::tempdir();
$ENV{PGCLIENTENCODING} = 'UTF8';
my $there = system('node --version >/dev/null 2>&1') == 0;

# node_prints(PROGRAM, INPUT): what a program prints that has everything of the module
sub node_prints
{
	my ($program, $input) = @_;
	my ($out, $err) = ('', '');

	unlink("$dir/program.mjs");
	append_to_file("$dir/program.mjs", <<"JS" . $program);
import { readFileSync } from 'node:fs';
import { alphabets, isValid, checkCharacter } from '$module';
const lines = readFileSync(0, 'utf8').split('\\n').filter((line) => line !== '').map((line) => JSON.parse(line));
JS
	IPC::Run::run([ 'node', "$dir/program.mjs" ], '<', \$input, '>', \$out, '2>', \$err);
	diag($err) if $err ne '';
	chomp $out;
	return $out;
}

# Alphabets of every size, of characters that every file of text can hold, and by
# name; codes of rings with check characters, and texts that are of none.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE kinds AS
	SELECT 'n' || size AS ring, (SELECT string_agg(chr(33 + (i * 37 + size) % 94), '' ORDER BY i) FROM generate_series(1, size) i) AS alphabet
		FROM generate_series(2, 64) size
	UNION ALL
	SELECT name, name FROM unnest('{default,alphanumeric,base58,base64url,crockford,digits,hex,lower,nolookalikes,rfc4648,safe,upper}'::text[]) name;
SELECT coderring_create(ring, 3, alphabet => alphabet, check_character => true) FROM kinds;
CREATE TABLE codes AS
	SELECT row_number() OVER () AS n, alphabet, code FROM (
		SELECT alphabet, coderring_get_codes(ring, 12, extra) FROM kinds, unnest('{"",26-,é/,日本,👩‍🚀-,"as long as it may be, so that the powers come again: "}'::text[]) extra
		UNION ALL
		SELECT alphabet, coderring_get_code(ring, 'X-', true) FROM kinds, generate_series(1, 3)
		UNION ALL
		SELECT alphabet, code FROM kinds, unnest('{"",A,é,éA,00,日本,👩👩}'::text[]) code) c (alphabet, code);
-- The same with another character at one place, and with two that have changed places
INSERT INTO codes
	SELECT 100000 + row_number() OVER (), alphabet, wrong FROM codes, LATERAL (VALUES
		(overlay(code PLACING chr(33 + n::int % 94) FROM 1 + n::int % greatest(length(code), 1))),
		(left(code, -2) || right(code, 1) || left(right(code, 2), 1))) w (wrong);
SQL
my $input = $node->safe_psql('postgres', 'SELECT json_build_object($$alphabet$$, alphabet, $$code$$, code) FROM codes ORDER BY n');
my $said = $node->safe_psql('postgres', 'SELECT string_agg(CASE WHEN coderring_is_valid(alphabet, code) THEN $$1$$ ELSE $$0$$ END, $$$$ ORDER BY n) FROM codes');
cmp_ok($said =~ tr/1//, '>', 5000, 'so many codes that are right');
cmp_ok($said =~ tr/0//, '>', 5000, 'and wrong ones');
is($node->safe_psql('postgres', 'SELECT count(DISTINCT length(alphabet)) FROM coderring.rings'), 63, 'of alphabets of every size');

SKIP:
{
	skip 'no node', 4 unless $there;

	is(node_prints('console.log(lines.map(({ alphabet, code }) => isValid(alphabet, code) ? 1 : 0).join(""));', $input), $said,
		'isValid says of every code what coderring_is_valid says');
	is(node_prints(<<'JS', $input), 'as the code has it', 'checkCharacter completes all that are right, and no other');
const wrong = lines.filter(({ alphabet, code }) => Array.from(code).length > 1 &&
  (checkCharacter(alphabet, Array.from(code).slice(0, -1).join('')) === Array.from(code).pop()) !== isValid(alphabet, code));
console.log(wrong.length === 0 ? 'as the code has it' : JSON.stringify(wrong.slice(0, 9)));
JS
	is(node_prints('console.log(Object.keys(alphabets).sort().map((name) => name + " " + alphabets[name]).join("\n"));', ''),
		$node->safe_psql('postgres', q{
			SELECT string_agg(alphabet || ' ' || coderring_alphabet(alphabet), E'\n' ORDER BY alphabet COLLATE "C") FROM kinds WHERE alphabet = ring}),
		'its alphabets are those of coderring_alphabet');
	is(node_prints(<<'JS', ''), '10', 'what is no alphabet is an error');
let errors = 0;
for (const alphabet of ['', 'A', 'AA', 'A B', 'ABä', 'toString', 'HEX', upperTwice(), null, undefined]) {
  try {
    isValid(alphabet, 'AA');
    console.log(alphabet);
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) errors++;
  }
}
function upperTwice() { return alphabets.upper + alphabets.upper; }
console.log(errors);
JS
}

$node->stop;
done_testing();
