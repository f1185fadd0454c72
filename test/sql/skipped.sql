--
-- Positions that are recorded as skipped: wherever in a cycle they are, they are not
-- handed out, and issued does not take them for codes that were.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS coderring;
CREATE EXTENSION coderring;
RESET client_min_messages;
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
-- The order of a ring of 32, by one that has the same key
SELECT coderring_create('order', 1), coderring_reset('order', test_seed => 's');
CREATE TEMP TABLE whole AS SELECT code, n - 1 AS position FROM coderring_get_codes('order', 96) WITH ORDINALITY AS c (code, n);
CREATE TEMP VIEW at AS
	SELECT ring, string_agg(CASE WHEN coderring_issued(ring, code) THEN position::text END, ' ' ORDER BY position) AS issued
	FROM whole, (SELECT name AS ring FROM coderring.rings) rings GROUP BY ring;
CREATE FUNCTION pg_temp.positions(ring text, count int) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(position::text, ' ' ORDER BY n)
	FROM coderring_get_codes(ring, count) WITH ORDINALITY AS c (code, n) LEFT JOIN whole USING (code)
$$;

-- What is recorded before the series gets there, as by a restore: at its place, in the
-- midst of a cycle, across the end of one, side by side.
SELECT coderring_create('s', 1), coderring_reset('s', test_seed => 's');
INSERT INTO coderring.skipped_positions (incarnation, first_position, last_position, extra)
	SELECT incarnation, first_position, last_position, ''
	FROM coderring.ring, (VALUES (0, 2), (10, 19), (30, 33), (40, 40), (41, 50)) AS skipped (first_position, last_position)
	WHERE name = 's';
SELECT pg_temp.positions('s', 1);
SELECT pg_temp.positions('s', 6);
SELECT pg_temp.positions('s', 20);
SELECT pg_temp.positions('s', 20);
SELECT pg_temp.positions('s', 10);
SELECT issued FROM at WHERE ring = 's';
-- The same in a session that remembers nothing of it, the last one first.
\c -
SELECT coderring_create('order2', 1), coderring_reset('order2', test_seed => 's');
CREATE TEMP TABLE whole AS SELECT code, n - 1 AS position FROM coderring_get_codes('order2', 96) WITH ORDINALITY AS c (code, n);
SELECT string_agg(position::text, ' ' ORDER BY position) FROM
	(SELECT position FROM whole WHERE coderring_issued('s', code) ORDER BY position DESC OFFSET 0) x;

-- Far ahead, in a ring that reserves more than it needs at once
SELECT coderring_create('order3', 3), coderring_reset('order3', test_seed => 'far'),
	coderring_create('far', 3), coderring_reset('far', test_seed => 'far');
CREATE TEMP TABLE far AS SELECT code, n - 1 AS position FROM coderring_get_codes('order3', 9000) WITH ORDINALITY AS c (code, n);
INSERT INTO coderring.skipped_positions (incarnation, first_position, last_position, extra)
	SELECT incarnation, first_position, last_position, ''
	FROM coderring.ring, (VALUES (600, 600), (1000, 1099), (1100, 1499), (2000, 2000), (2002, 2002), (4000, 7999)) AS skipped (first_position, last_position)
	WHERE name = 'far';
CREATE TEMP TABLE got AS SELECT n, coderring_get_code('far') AS code FROM generate_series(1, 4000) n;
INSERT INTO got SELECT 4000 + n, code FROM coderring_get_codes('far', 400) WITH ORDINALITY AS c (code, n);
SELECT count(*), count(DISTINCT code), count(*) FILTER (WHERE position <= before) AS not_in_order, min(position), max(position)
	FROM (SELECT got.code, position, lag(position) OVER (ORDER BY n) AS before FROM got LEFT JOIN far USING (code)) x;
SELECT string_agg(gap, ' ' ORDER BY position) FROM (
	SELECT position, concat_ws('-', before + 1, NULLIF(position - 1, before + 1)) AS gap
	FROM (SELECT position, lag(position) OVER (ORDER BY n) AS before FROM got JOIN far USING (code)) x
	WHERE position > before + 1) gaps;
-- once the series has left the cycle
SELECT coderring_get_code('far', bump => true) <> '';
SELECT count(*) FILTER (WHERE coderring_issued('far', code)) AS issued, count(*) FILTER (WHERE got.code IS NOT NULL) AS got,
	count(*) FILTER (WHERE coderring_issued('far', code) <> (got.code IS NOT NULL)) AS wrong
	FROM far LEFT JOIN got USING (code);

-- What advance passes over counts as issued, what bump leaves over does not.
SELECT coderring_create('a', 1), coderring_reset('a', test_seed => 's');
SELECT coderring_advance('a', to_cycle => 0, to_offset => 12);
SELECT string_agg(position::text, ' ' ORDER BY position) FROM coderring_get_codes('a', 5) code JOIN whole USING (code);
SELECT coderring_get_code('a', bump => true) = (SELECT code FROM whole WHERE position = 32);
SELECT coderring_advance('a', to_cycle => 2);
SELECT string_agg(position::text, ' ' ORDER BY position) FROM coderring_get_codes('a', 3) code JOIN whole USING (code);
SELECT first_position, last_position FROM coderring.skipped_positions JOIN coderring.ring USING (incarnation) WHERE name = 'a' ORDER BY 1;
SELECT string_agg(position::text, ' ' ORDER BY position) FROM whole WHERE coderring_issued('a', code);

--
-- A cycle that the words block more and more, while codes of it are reserved: what is
-- left of them is passed over, and the series goes on in a cycle that has codes.
--
CREATE FUNCTION pg_temp.words(head text, but text) RETURNS text[] LANGUAGE sql AS $$
	SELECT array_agg(head || c) FROM unnest(string_to_array('VSE293AH7Q6R4BT5CLXGJZFPDWUKYM8N', NULL)) c WHERE strpos(but, c) = 0
$$;
SELECT coderring_define_blocklist('first', '{VVVVVV}'), coderring_define_blocklist('second', '{VVVVVVV}'),
	coderring_define_blocklist('few', pg_temp.words('zz', 'V') || pg_temp.words('zzV', 'VH7XGJ')),
	coderring_define_blocklist('none', pg_temp.words('zz', ''));
SELECT coderring_create('w', 2, 'first'), coderring_reset('w', test_seed => 'w');
CREATE TEMP TABLE out AS SELECT coderring_get_code('w', 'zz') AS code;
SELECT coderring_set_blocklist('w', 'second');
INSERT INTO out SELECT coderring_get_code('w', 'zz') FROM generate_series(1, 3);
SELECT cycle, reserved_to > cycle_offset AS has_reserved FROM coderring.series WHERE ring = 'w';
SELECT coderring_set_blocklist('w', 'few');
INSERT INTO out SELECT coderring_get_code('w', 'zz') FROM generate_series(1, 100);
SELECT cycle, uniquizer, codes_per_cycle FROM coderring.series WHERE ring = 'w';
SELECT left(code, 3), length(code), count(DISTINCT code) FROM out GROUP BY 1, 2 HAVING length(code) > 4;
SELECT count(*), count(DISTINCT code), count(*) FILTER (WHERE coderring_issued('w', code)) FROM out;
-- where no cycle has any, there is an error, and nothing is lost by it.
SELECT coderring_set_blocklist('w', 'none');
\set VERBOSITY terse
SELECT coderring_get_code('w', 'zz');
\set VERBOSITY default
SELECT coderring_set_blocklist('w', NULL);
INSERT INTO out SELECT coderring_get_code('w', 'zz') FROM generate_series(1, 500);
SELECT count(*), count(DISTINCT code), count(*) FILTER (WHERE coderring_issued('w', code)) FROM out;
--
-- Words that leave one code in fifty: a refill finds few codes in what it reserves.
--
SELECT coderring_define_blocklist('most', ARRAY(SELECT a || b || c FROM (VALUES ('V', 1), ('X', 2), ('M', 3), ('N', 5)) w (a, i),
	(VALUES ('V', 1), ('X', 2), ('M', 3), ('N', 5)) x (b, j), (VALUES ('V', 1), ('X', 2), ('M', 3), ('N', 5)) y (c, k)
	WHERE (i * 7 + j * 3 + k * 11) % 17 < 5));
SELECT coderring_create('rare', 12, 'most', 'VXMN'), coderring_reset('rare', test_seed => 'rare');
CREATE TEMP TABLE rare AS SELECT coderring_get_codes('rare', 12000) AS code;
SELECT count(*), count(DISTINCT code), count(*) FILTER (WHERE code ~ (
	SELECT string_agg(word, '|') FROM coderring.blocklist, unnest(words) word WHERE name = 'most')) AS blocked FROM rare;
SELECT 16777216 / codes_per_cycle AS of_so_many, codes_per_cycle - remaining AS taken, cycle_offset / 12000 AS positions_each
	FROM coderring.series WHERE ring = 'rare';
SELECT count(*) FILTER (WHERE coderring_issued('rare', code)) FROM rare;

SELECT count(coderring_drop(name)) FROM coderring.rings;
SELECT count(coderring_define_blocklist(name, NULL)) FROM unnest('{first,second,few,none,most}'::text[]) name;
-- A cycle that another series has not entered is passed over by nobody.
SELECT coderring_define_blocklist('regress_m', '{^BB}'), coderring_create('m', 1, alphabet => 'ABC', blocklist => 'regress_m');
SELECT count(coderring_get_code('m', 'B')) FROM generate_series(1, 8);
SELECT coderring_set_blocklist('m', NULL);
SELECT count(coderring_get_code('m')) FROM generate_series(1, 17);
SELECT extra, first_position, last_position FROM coderring.skipped_positions JOIN coderring.ring USING (incarnation) WHERE name = 'm' ORDER BY 1, 2;
SELECT coderring_drop('m'), coderring_define_blocklist('regress_m', NULL);
