--
-- Check characters through SQL: what codes of rings have, and what becomes of
-- codes with an error; coderring_is_valid and coderring_alphabet
--
\pset format unaligned
\pset tuples_only on
\pset null (null)
--
-- Alphabets by name
--
SELECT name, length(alphabet), alphabet FROM unnest(ARRAY['default', 'alphanumeric', 'base58', 'base64url', 'crockford', 'digits', 'hex', 'lower',
	'nolookalikes', 'rfc4648', 'safe', 'upper']) name, coderring_alphabet(name) alphabet;
SELECT coderring_alphabet(NULL);
SELECT coderring_alphabet('Default');
\echo :LAST_ERROR_SQLSTATE
SELECT coderring_alphabet('');
SELECT proname, provolatile, proparallel, proisstrict FROM pg_proc WHERE proname IN ('coderring_alphabet', 'coderring_is_valid') ORDER BY 1;
-- The default is the default.
SELECT coderring_create('d'), coderring_create('named', alphabet => coderring_alphabet('default'));
SELECT count(DISTINCT alphabet) FROM coderring.rings;
SELECT coderring_drop('d'), coderring_drop('named');
--
-- One wrong character, and two neighbours that have changed places: for every
-- one of those alphabets and some others, codes with extras and uniquizers
--
CREATE TEMP TABLE kinds AS
	SELECT row_number() OVER () AS kind, alphabet, length(alphabet) AS radix
		FROM (SELECT coderring_alphabet(unnest(ARRAY['default', 'alphanumeric', 'base58', 'base64url', 'crockford', 'digits', 'hex', 'lower',
				'nolookalikes', 'rfc4648', 'safe', 'upper']))
			UNION ALL SELECT left('x!7Kq+R2:m/Zc', n) FROM generate_series(3, 13) n) a (alphabet);
SELECT count(coderring_create(kind || ' ' || base_length, base_length, NULL, alphabet, true))
	FROM kinds, generate_series(1, 6) base_length;
CREATE TEMP TABLE codes AS
	SELECT kind || ' ' || base_length AS ring, alphabet, radix, extra, code
		FROM kinds, generate_series(1, 6) base_length, unnest(ARRAY['', '26-', 'ä/日', substr(alphabet, 2, 1)]) extra,
			LATERAL (SELECT coderring_get_code(kind || ' ' || base_length, extra, n > 2) AS code FROM generate_series(1, 5) n) c;
SELECT count(*), count(*) FILTER (WHERE coderring_is_valid(alphabet, code)) AS valid, count(*) FILTER (WHERE coderring_issued(ring, code)) AS issued,
		count(*) FILTER (WHERE coderring_normalize(ring, code) = code) AS normalized, count(*) FILTER (WHERE length(code) - length(extra) > split_part(ring, ' ', 2)::int + 1) AS uniquizers
	FROM codes;
CREATE TEMP TABLE errors AS
	SELECT ring, alphabet, extra, code, overlay(code PLACING letter FROM place) AS wrong, 'letter' AS kind
		FROM codes, generate_series(1, length(code)) place, regexp_split_to_table(alphabet, '') letter
		WHERE substr(code, place, 1) <> letter AND strpos(alphabet, substr(code, place, 1)) > 0
			AND (radix < 40 OR hashtext(ring || place || letter) % 4 = 0)
	UNION ALL
	SELECT ring, alphabet, extra, code, overlay(code PLACING substr(code, place + 1, 1) || substr(code, place, 1) FROM place), 'swap'
		FROM codes, generate_series(1, length(code) - 1) place
		WHERE substr(code, place, 1) <> substr(code, place + 1, 1)
			AND strpos(alphabet, substr(code, place, 1)) > 0 AND strpos(alphabet, substr(code, place + 1, 1)) > 0;
-- A reading without a dash, or with another extra, is another code, which may
-- be right.
SELECT kind, count(*) > 10000 AS many, count(*) FILTER (WHERE coderring_is_valid(alphabet, wrong)) AS valid,
		count(*) FILTER (WHERE coderring_issued(ring, wrong)) AS issued,
		count((coderring_decode(ring, wrong)).base) AS decoded,
		count(coderring_normalize(ring, wrong)) FILTER (WHERE left(wrong, length(extra)) = extra AND extra <> '26-' AND alphabet !~ '[-_.]') AS normalized
	FROM errors GROUP BY 1 ORDER BY 1;
-- Nor is one right with characters that are not in the alphabet.
SELECT count(*), count(*) FILTER (WHERE coderring_issued(ring, wrong)) AS issued, count((coderring_decode(ring, wrong)).base) AS decoded
	FROM codes, generate_series(length(extra) + 1, length(code)) place, unnest(ARRAY[' ', '?', 'ä', '日']) letter, overlay(code PLACING letter FROM place) wrong;
SELECT count(*) FILTER (WHERE coderring_is_valid(alphabet, left(code, -1) || letter)) FROM codes, unnest(ARRAY[' ', '?', 'ä', '日']) letter;
SELECT count(coderring_drop(name)) FROM coderring.rings;
--
-- Two characters are too few for swaps.
--
SELECT coderring_create('two', 3, NULL, 'AB', true), coderring_reset('two', test_seed => 'check');
SELECT coderring_create('two', 3, NULL, 'AB', true, if_not_exists => true);
SELECT coderring_create('three', 3, NULL, 'ABC', true), coderring_create('none', 3, NULL, 'AB', NULL);
SELECT check_character, count(*) FROM coderring.rings GROUP BY 1 ORDER BY 1;
SELECT string_agg(c, ' ') FROM coderring_get_codes('two', 16) c;
SELECT count(*), count(*) FILTER (WHERE coderring_is_valid('AB', c)) AS valid, count(*) FILTER (WHERE coderring_is_valid('AB', wrong)) AS wrong
	FROM coderring_get_codes('two', 500) c, generate_series(1, length(c)) place, overlay(c PLACING translate(substr(c, place, 1), 'AB', 'BA') FROM place) wrong;
SELECT coderring_is_valid('AB', 'ABB'), coderring_is_valid('AB', 'BAB');
--
-- Ten digits: the same as J. Verhoeff's check digit, whose tables these are
--
CREATE FUNCTION pg_temp.verhoeff(number text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	d text[] := '{0123456789,1234067895,2340178956,3401289567,4012395678,5987604321,6598710432,7659821043,8765932104,9876543210}';
	p text[] := '{0123456789,1576283094,5803796142,8916043527,9453126870,4286573901,2793806415,7046913258}';
	c int := 0;
BEGIN
	FOR i IN 0..length(number) - 1 LOOP
		c := substr(d[c + 1], substr(p[i % 8 + 1], substr(number, length(number) - i, 1)::int + 1, 1)::int + 1, 1);
	END LOOP;
	RETURN c = 0;
END $$;
SELECT number, coderring_is_valid(coderring_alphabet('digits'), number), pg_temp.verhoeff(number)
	FROM unnest(ARRAY['2363', '123451', '1234567890120', '2364', '2633', '123415', '0', '00', '04']) number;
SELECT count(*), count(*) FILTER (WHERE valid) AS valid, count(*) FILTER (WHERE valid <> pg_temp.verhoeff(number)) AS different
	FROM (SELECT lpad(n::text, 2 + n % 5, '0') FROM generate_series(1, 20000) n WHERE n < 10 ^ (2 + n % 5)
		UNION ALL SELECT n::text || n * 7 || (n * 13) % 997 FROM generate_series(1, 2000) n) t (number), coderring_is_valid('0123456789', number) valid;
SELECT coderring_create('digits', 5, alphabet => coderring_alphabet('digits'), check_character => true);
SELECT count(*), count(*) FILTER (WHERE pg_temp.verhoeff(c)) FROM (SELECT coderring_get_codes('digits', 500, e) FROM unnest('{"",7,2026}'::text[]) e) c (c);
-- Pinned, since they are printed: the check characters of other sizes
SELECT string_agg(radix || '=' || letter, ' ' ORDER BY radix) FROM generate_series(2, 64) radix, left(coderring_alphabet('base64url'), radix) alphabet,
	regexp_split_to_table(alphabet, '') letter WHERE coderring_is_valid(alphabet, 'AAB' || substr(alphabet, radix, 1) || 'BA' || letter);
--
-- coderring_is_valid: for constraints and indexes, with clear errors
--
CREATE TEMP TABLE coupon (code text CHECK (coderring_is_valid('VSE293AH7Q6R4BT5CLXGJZFPDWUKYM8N', code)));
CREATE INDEX ON coupon (coderring_is_valid('VSE293AH7Q6R4BT5CLXGJZFPDWUKYM8N', code));
SELECT coderring_create('coupon', 4, check_character => true), coderring_reset('coupon', test_seed => 'check');
INSERT INTO coupon SELECT coderring_get_codes('coupon', 1000, 'SUMMER-');
SELECT count(*) FROM coupon;
INSERT INTO coupon SELECT replace(min(code), 'U', 'V') FROM coupon;
SELECT coderring_is_valid('AB', NULL), coderring_is_valid(NULL, 'AB'), coderring_is_valid('AB', ''), coderring_is_valid('AB', 'A'), coderring_is_valid('AB', 'é'),
	coderring_is_valid('AB', 'éA'), coderring_is_valid('AB', 'éB'), coderring_is_valid('AB', 'ab');
SELECT coderring_is_valid('AB', repeat('AB', 2000000)), coderring_is_valid('ABC', repeat('AB', 2000000) || 'C') <> coderring_is_valid('ABC', repeat('AB', 2000000) || 'A');
SELECT coderring_is_valid('', 'AB');
\echo :LAST_ERROR_SQLSTATE
SELECT coderring_is_valid('A', 'AB');
SELECT coderring_is_valid('A B', 'AB');
SELECT coderring_is_valid('ABA', 'AB');
SELECT coderring_is_valid('ÄB', '');
SELECT coderring_is_valid(repeat('A', 1000), 'AB');
-- A parallel plan, in which workers build their own tables
CREATE TABLE regress_coderring_printed AS SELECT code FROM coupon, generate_series(1, 20);
BEGIN;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2;
ANALYZE regress_coderring_printed;
EXPLAIN (COSTS OFF) SELECT count(*) FROM regress_coderring_printed WHERE coderring_is_valid(coderring_alphabet('default'), code);
SELECT count(*) FROM regress_coderring_printed WHERE coderring_is_valid(coderring_alphabet('default'), code);
ROLLBACK;
DROP TABLE regress_coderring_printed;
--
-- The other options
--
SELECT coderring_create('short', 2, check_character => true, max_length => 2);
SELECT coderring_create('short', 2, check_character => true, max_length => 3, first_cycle => 1);
SELECT coderring_create('short', 2, check_character => true, max_length => 3);
SELECT count(DISTINCT c), min(length(c)), max(length(c)) FROM coderring_get_codes('short', 1024) c;
SELECT coderring_get_code('short');
SELECT coderring_get_code('short', 'E');
SELECT code_length, codes_per_cycle, remaining, codes_until_longer FROM coderring.series WHERE ring = 'short';
SELECT coderring_create('short', 2, max_length => 3, if_not_exists => true);
SELECT coderring_create('short', 2, check_character => true, if_not_exists => true);
SELECT coderring_create('none', 3, alphabet => 'AB', check_character => true, if_not_exists => true);
-- The base codes of a cycle are all of them, whatever their check characters.
SELECT coderring_create('all', 2, check_character => true);
SELECT count(DISTINCT left(c, -1)), min(left(c, 1)), max(length(c)) FROM coderring_get_codes('all', 1024, 'é') c;
SELECT count(coderring_drop(name)) FROM coderring.rings;
