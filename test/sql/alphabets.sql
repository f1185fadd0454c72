--
-- Rings with an alphabet of their own, test_seed and max_length
--
\pset format unaligned
\pset tuples_only on
-- Two characters: uniquizers are written in the alphabet's own order, so
-- cycle 1 is b, 2 is a, 3 is ab.
SELECT coderring_create('two', 3, alphabet => 'ba'), coderring_reset('two', test_seed => 'alphabets');
SELECT string_agg(DISTINCT left(c, -3), ','), string_agg(right(c, 3), ' ')
	FROM coderring_get_codes('two', 8 * 10) WITH ORDINALITY AS t (c, n) GROUP BY (n - 1) / 8 ORDER BY (n - 1) / 8;
-- Every size, from 2 to 64: two cycles are the set of base codes each.
CREATE TEMP TABLE sizes AS
	SELECT size, length, (SELECT string_agg(chr(33 + (i * 37 + size) % 94), '' ORDER BY i) FROM generate_series(1, size) i) AS alphabet
	FROM generate_series(2, 64) size, generate_series(1, 2) length;
SELECT count(coderring_create('s' || size || ' ' || length, length, alphabet => alphabet)) FROM sizes;
SELECT count(*) AS good, count(*) FILTER (WHERE NOT (
		total = 2 * size ^ length AND codes = total AND set0 = size ^ length AND set1 = size ^ length AND
		foreign_codes = 0 AND uniquizers = ',' || left(alphabet, 1))) AS bad
	FROM (SELECT size, length, alphabet, count(*) AS total, count(DISTINCT c) AS codes,
			count(DISTINCT right(c, length)) FILTER (WHERE n <= size ^ length) AS set0,
			count(DISTINCT right(c, length)) FILTER (WHERE n > size ^ length) AS set1,
			count(*) FILTER (WHERE translate(c, alphabet, '') <> '') AS foreign_codes,
			string_agg(DISTINCT left(c, -length), ',') AS uniquizers
		FROM sizes, coderring_get_codes('s' || size || ' ' || length, 2 * (size ^ length)::int) WITH ORDINALITY AS t (c, n)
		GROUP BY 1, 2, 3) s;
SELECT count(coderring_drop(name)) FROM coderring.rings;
-- The default alphabet given by hand writes uniquizers as the default does;
-- in any other order it writes them in its own.
SELECT coderring_create('same', 1, alphabet => 'VSE293AH7Q6R4BT5CLXGJZFPDWUKYM8N');
SELECT string_agg(DISTINCT left(c, -1), ',') FROM (SELECT coderring_get_codes('same', 96) AS c) c;
SELECT coderring_create('other', 1, alphabet => 'SVE293AH7Q6R4BT5CLXGJZFPDWUKYM8N');
SELECT string_agg(DISTINCT left(c, -1), ',') FROM (SELECT coderring_get_codes('other', 96) AS c) c;
-- The largest rings there are: 2^60 base codes
SELECT coderring_create('large 64', 10, alphabet => alphabet) FROM sizes WHERE size = 64 LIMIT 1;
SELECT coderring_create('large 32', 12);
SELECT count(DISTINCT c), max(length(c)) FROM coderring_get_codes('large 64', 50000) c;
SELECT count(DISTINCT c), max(length(c)) FROM coderring_get_codes('large 32', 50000) c;
SELECT ring, codes_per_cycle, codes_until_longer FROM coderring.series WHERE ring LIKE 'large%' ORDER BY 1;
--
-- test_seed: the same codes again
--
SELECT coderring_create('t', 2);
SELECT coderring_reset('t', test_seed => 'first');
CREATE TEMP TABLE runs (run int, n bigint, code text);
INSERT INTO runs SELECT 1, n, c FROM coderring_get_codes('t', 1500) WITH ORDINALITY AS t (c, n);
SELECT coderring_reset('t', test_seed => 'second');
INSERT INTO runs SELECT 2, n, c FROM coderring_get_codes('t', 1500) WITH ORDINALITY AS t (c, n);
SELECT coderring_reset('t', test_seed => 'first');
INSERT INTO runs SELECT 3, n, coderring_get_code('t') FROM generate_series(1, 1500) n;
SELECT coderring_reset('t');
INSERT INTO runs SELECT 4, n, c FROM coderring_get_codes('t', 1500) WITH ORDINALITY AS t (c, n);
SELECT a.run, b.run, count(*) FILTER (WHERE a.code = b.code) = 1500 AS same,
		count(*) FILTER (WHERE a.code = b.code) < 15 AS other
	FROM runs a JOIN runs b USING (n) WHERE a.run < b.run GROUP BY 1, 2 ORDER BY 1, 2;
-- The same seed in another ring of the same form, and for another extra
SELECT coderring_create('t2', 2);
SELECT coderring_reset('t2', test_seed => 'first');
SELECT count(*) = 1500 FROM runs JOIN coderring_get_codes('t2', 1500) WITH ORDINALITY AS t (code, n) USING (code, n) WHERE run = 1;
-- Pinned: these codes come out of any version and on any machine.
SELECT coderring_create('pin' || i, i), coderring_reset('pin' || i, test_seed => 'pinned') FROM generate_series(1, 6) i;
SELECT i, string_agg(coderring_get_code('pin' || i, e), ' ') FROM generate_series(1, 6) i, unnest(ARRAY['', '', '', '26', '26']) e GROUP BY i ORDER BY i;
SELECT coderring_reset('t', test_seed => ''), coderring_get_code('t');
SELECT coderring_reset('t', test_seed => 'ä'), coderring_get_code('t');
-- A reset with a seed and a first_cycle
SELECT coderring_reset('t', 2, 'first'), coderring_get_code('t');
--
-- max_length
--
SELECT coderring_create('m', 1, max_length => 2);
SELECT count(DISTINCT c), max(length(c)) FROM (SELECT coderring_get_codes('m', 33 * 32) AS c) c;
SELECT coderring_get_code('m');
SELECT coderring_get_codes('m', 1);
SELECT coderring_get_code('m', bump => true);
SELECT coderring_get_code('m');
SELECT cycle, cycle_offset, reserved_to, codes_until_longer FROM coderring.series WHERE ring = 'm';
-- Another extra takes characters, not bytes.
SELECT length(coderring_get_code('m', 'ä'));
SELECT coderring_get_code('m', 'ää');
SELECT coderring_get_code('m', 'ä', true);
SELECT length(coderring_get_code('m', 'ä'));
SELECT extra, cycle, cycle_offset FROM coderring.series WHERE ring = 'm' ORDER BY 1;
-- get_codes that meets the limit half way: an error, and what was not
-- returned is lost with it, as in any failing statement.
SELECT count(*) FROM (SELECT coderring_get_codes('m', 40, 'E')) c;
SELECT coderring_advance('m', 'F', 1, 5);
SELECT count(*) FROM coderring.series WHERE ring = 'm' AND extra = 'F';
-- It is there from the start.
SELECT coderring_reset('m', first_cycle => 33);
SELECT coderring_reset('m', first_cycle => 32);
SELECT length(coderring_get_code('m'));
SELECT count(coderring_drop(name)) FROM coderring.rings;
--
-- An alphabet by its name, wherever one is taken
--
CREATE FUNCTION pg_temp.names() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT unnest('{default,alphanumeric,base58,base64url,crockford,digits,hex,lower,nolookalikes,rfc4648,safe,upper}'::text[])
$$;
SELECT count(coderring_create(name, 2, alphabet => name, check_character => true)) FROM pg_temp.names() name;
SELECT name, alphabet = coderring_alphabet(name) AS same,
		(SELECT count(*) FILTER (WHERE NOT coderring_is_valid(name, code)) || ' of ' || count(*) || ' wrong' FROM coderring_get_codes(name, 3 * length(alphabet)) code) AS named
	FROM coderring.rings ORDER BY 1;
-- A code with one wrong character, by the name
SELECT count(*) FILTER (WHERE coderring_is_valid('hex', overlay(code PLACING 'A' FROM 1))) FROM coderring_get_codes('hex', 100) code WHERE left(code, 1) <> 'A';
-- if_not_exists takes the name for what it stands for.
SELECT coderring_create('hex', 2, alphabet => '0123456789ABCDEF', check_character => true, if_not_exists => true);
SELECT coderring_create('hex', 2, alphabet => 'safe', check_character => true, if_not_exists => true);
SELECT count(coderring_drop(name)) FROM coderring.rings;
-- The same characters in another order are those characters, and what only
-- begins as a name does is none.
SELECT coderring_create('c' || c, 1, alphabet => c) FROM unnest('{xeh,hexa,lowe,afes}'::text[]) c;
SELECT name, alphabet FROM coderring.rings ORDER BY 1;
SELECT count(coderring_drop(name)) FROM coderring.rings;
-- Names in other case, and what was meant for one
SELECT coderring_create('c', 1, alphabet => 'HEX');
SELECT coderring_is_valid('Base58', '23');
SELECT coderring_create('c', 1, alphabet => 'letters');
SELECT coderring_is_valid('base 58', '23');
SELECT coderring_create('c', 1, alphabet => '++');
SELECT coderring_create('c', 1, alphabet => 'a~ ');
--
-- What other programs take codes for
--
-- The alphabet safe, over whole cycles, without and with uniquizers and check
-- characters: no number with an exponent, no month with digits, no word that
-- stands for something.
CREATE FUNCTION pg_temp.taken_for(code text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN code ~* '^[0-9]+E[0-9]+$' THEN 'exponent'
		WHEN code ~* '^([0-9]*)(JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|SEPT|OCT|NOV|DEC)([0-9]*)$' THEN 'month'
		WHEN code ~* '^(NULL|NA|NAN|INF|TRUE|FALSE|NONE|NIL|YES|NO|ON|OFF)$' THEN 'word' END
$$;
SELECT coderring_create('safe 2', 2, alphabet => 'safe'), coderring_create('safe 4', 4, alphabet => 'safe'),
	coderring_create('safe 3', 3, alphabet => 'safe', check_character => true), coderring_create('default', 4);
SELECT ring, count(*), max(length(code)) AS longest, count(*) FILTER (WHERE code ~ '[AEIOUY01]') AS others, count(pg_temp.taken_for(code)) AS taken
	FROM (VALUES ('safe 2', 28 ^ 2 * (1 + 28 + 3)), ('safe 4', 28 ^ 4), ('safe 3', 28 ^ 3 * 3)) r (ring, codes), coderring_get_codes(ring, codes::int) code
	GROUP BY 1 ORDER BY 1;
-- The same count sees what the default alphabet has: 1 code in 1,024, and behind
-- 26 1 in 683.
SELECT kind, count(*), 1048576 / count(*) FROM coderring_get_codes('default', 1048576) code, pg_temp.taken_for(code) kind WHERE kind IS NOT NULL GROUP BY 1 ORDER BY 1;
SELECT kind, count(*), round(1048576.0 / count(*)) FROM coderring_get_codes('default', 1048576, '26') code, pg_temp.taken_for(code) kind WHERE kind IS NOT NULL GROUP BY 1 ORDER BY 1;
SELECT count(coderring_drop(name)) FROM coderring.rings;
--
-- Digits only: codes are numbers, and as distinct as those.  Cycles 0 to 12 and
-- the first of three digits, in other orders and with a check character as well
--
CREATE TEMP TABLE numbers AS SELECT * FROM (VALUES ('0123456789', 3, false), ('9876543210', 2, false), ('0123456789', 2, true), ('01', 3, false), ('50', 4, false),
	('13579', 2, false)) n (alphabet, base_length, checked);
SELECT count(coderring_create('n ' || alphabet || ' ' || checked, base_length, alphabet => alphabet, check_character => checked)) FROM numbers;
CREATE TEMP TABLE handed AS
	SELECT alphabet, base_length, checked, code, (n - 1) / length(alphabet) ^ base_length::int AS cycle
		FROM numbers, coderring_get_codes('n ' || alphabet || ' ' || checked, (13 * length(alphabet) ^ base_length)::int) WITH ORDINALITY AS t (code, n);
SELECT alphabet, base_length, checked, count(*), count(*) - count(DISTINCT code) AS twice, count(*) - count(DISTINCT code::bigint) AS twice_as_bigint,
		string_agg(DISTINCT left(code, -base_length - checked::int), ' ' ORDER BY left(code, -base_length - checked::int)) AS uniquizers
	FROM handed GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
-- Two cycles or more whose uniquizers are longer, and the codes of an extra
SELECT coderring_advance('n 0123456789 false', '', 98), coderring_advance('n 0123456789 false', '26', 9);
SELECT count(*), count(DISTINCT code::bigint), string_agg(DISTINCT left(code, -3), ' ' ORDER BY left(code, -3))
	FROM (SELECT code FROM coderring_get_codes('n 0123456789 false', 4000) code UNION ALL SELECT code FROM coderring_get_codes('n 0123456789 false', 2000, '26') code
		UNION ALL SELECT code FROM handed WHERE alphabet = '0123456789' AND NOT checked) c;
-- What was cast is found again, and what no cycle is written as is no code:
-- not even of a series that has come past what 0 was once.
SELECT count(*), count(*) FILTER (WHERE coderring_issued(ring, code)) AS issued, count(*) FILTER (WHERE coderring_normalize(ring, code) = code) AS normalized,
		count(*) FILTER (WHERE d.cycle = floor(h.cycle) AND d.uniquizer = CASE h.alphabet WHEN '0123456789' THEN nullif(floor(h.cycle), 0)::text ELSE d.uniquizer END
			OR d.uniquizer = '' AND floor(h.cycle) = 0) AS decoded
	FROM handed h, concat('n ', alphabet, ' ', checked::text) ring, coderring_decode(ring, code) d;
SELECT code, coderring_decode('n 0123456789 false', code), coderring_issued('n 0123456789 false', code), coderring_normalize('n 0123456789 false', code)
	FROM unnest('{0600,00600,01600}'::text[]) code;
-- Cycles whose numbers have a word in them are passed over, those and no more.
SELECT coderring_define_blocklist('regress words', '{123}');
SELECT coderring_create('blocked', 2, 'regress words', 'digits');
SELECT coderring_advance('blocked', '', 122), coderring_get_code('blocked', bump => true) ~ '^122..$', coderring_get_code('blocked', bump => true) ~ '^124..$';
SELECT coderring_advance('blocked', '', 1229), coderring_get_code('blocked') ~ '^1229..$', coderring_get_code('blocked', bump => true) ~ '^1240..$';
SELECT coderring_advance('blocked', '', 12299), coderring_get_code('blocked') ~ '^12299..$', coderring_get_code('blocked', bump => true) ~ '^12400..$';
-- Extra and uniquizer run into each other as in other rings.
SELECT coderring_create('extra', 1, alphabet => 'digits');
SELECT count(*), count(DISTINCT code), count(DISTINCT code::bigint)
	FROM unnest('{"",1,10,9,99}'::text[]) WITH ORDINALITY AS e (extra, n), LATERAL (SELECT coderring_get_codes('extra', 1500, extra) AS code) c;
SELECT string_agg(extra || ':' || cycle, ' ' ORDER BY extra) FROM coderring.series WHERE ring = 'extra';
SELECT count(coderring_drop(name)) FROM coderring.rings;
SELECT coderring_define_blocklist('regress words', NULL);
