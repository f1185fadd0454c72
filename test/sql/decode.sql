--
-- coderring_decode and coderring_issued: of all texts there are, those that
-- were handed out are issued and no others; and what a code is made of
--
\pset format unaligned
\pset tuples_only on
CREATE TEMP TABLE handed (ring text, n bigint GENERATED ALWAYS AS IDENTITY, extra text COLLATE "C", code text COLLATE "C");
CREATE TEMP TABLE domain (ring text, code text COLLATE "C");
-- Every text of so many characters of an alphabet
CREATE FUNCTION pg_temp.texts(length int, alphabet text) RETURNS SETOF text LANGUAGE sql AS $$
	WITH RECURSIVE texts AS (
		SELECT ''::text COLLATE "C" AS code, 0 AS n
		UNION ALL
		SELECT code || letter, n + 1
			FROM texts, regexp_split_to_table(alphabet, '') AS letter WHERE n < length
	)
	SELECT code FROM texts WHERE n = length
$$;
-- Steps like 'extra:3' for three codes, or 'extra:bump' for one
CREATE FUNCTION pg_temp.draw(ring text, VARIADIC steps text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..cardinality(steps) LOOP
		INSERT INTO handed (ring, extra, code)
			SELECT ring, split_part(steps[i], ':', 1), code
			FROM coderring_get_codes(ring, CASE WHEN steps[i] LIKE '%:bump' THEN 0 ELSE split_part(steps[i], ':', 2)::int END,
				split_part(steps[i], ':', 1)) code
			UNION ALL
			SELECT ring, split_part(steps[i], ':', 1), coderring_get_code(ring, split_part(steps[i], ':', 1), true)
			WHERE steps[i] LIKE '%:bump';
	END LOOP;
END $$;
-- Both directions: "denied" were handed out and are not issued, "invented" the
-- other way round. Codes that are not in the domain would be "beyond".
CREATE FUNCTION pg_temp.compare(ring text)
RETURNS TABLE (texts bigint, handed bigint, issued bigint, denied bigint, invented bigint, beyond bigint) LANGUAGE sql AS $$
	SELECT count(d.code), count(h.code), count(*) FILTER (WHERE i), count(h.code) FILTER (WHERE i IS NOT true),
			count(*) FILTER (WHERE i AND h.code IS NULL), count(*) FILTER (WHERE d.code IS NULL)
		FROM (SELECT * FROM domain x WHERE x.ring = compare.ring) d
			FULL JOIN (SELECT * FROM handed x WHERE x.ring = compare.ring) h USING (code),
			coderring_issued(compare.ring, code) i
$$;
SELECT coderring_define_blocklist('regress words', '{^X2$,^9E$,VSE,AHA,24A,ABBA,BAD,CAB}');
--
-- 32 codes a cycle, every text of up to three characters of the alphabet, and
-- of up to two behind extras that it cannot write. X, W, 2, XW, 22 are
-- extras that uniquizers run into.
--
SELECT coderring_create('32', 1, 'regress words');
INSERT INTO domain
	SELECT '32', prefix || t FROM (VALUES (1, ''), (2, ''), (3, ''), (1, '24-'), (2, '24-'), (1, 'é '), (2, 'é ')) p (length, prefix),
		pg_temp.texts(length, coderring_alphabet('default')) t;
SELECT * FROM pg_temp.compare('32');
SELECT pg_temp.draw('32', ':10', 'X:5', '24-:1');
SELECT * FROM pg_temp.compare('32');
-- To the last code of a cycle, and past it: X is another's.
SELECT pg_temp.draw('32', ':22');
SELECT * FROM pg_temp.compare('32');
SELECT pg_temp.draw('32', ':1');
SELECT * FROM pg_temp.compare('32');
SELECT pg_temp.draw('32', 'W:3', 'X:40', 'é :30');
SELECT * FROM pg_temp.compare('32');
-- The rest that a bump leaves is never handed out.
SELECT pg_temp.draw('32', ':bump', '24-:bump', '24-:6', '24-:bump');
SELECT * FROM pg_temp.compare('32');
-- Many series that take each other's prefixes, in turn, with bumps
DO $$
BEGIN
	FOR i IN 1..12 LOOP
		PERFORM pg_temp.draw('32', extra || ':' || 1 + (i * n::int * 7) % 50)
			FROM unnest(ARRAY['', 'X', 'W', '2', 'XW', '22', '24-', 'é ']) WITH ORDINALITY AS e (extra, n)
			WHERE i <= 6 OR extra <> '24-' AND extra <> 'é ' AND length(extra) < 2 AND i % (n::int + 1) > 0;
		CONTINUE WHEN i % 5 > 0;
		PERFORM pg_temp.draw('32', ':bump', 'W:bump', '2:bump');
	END LOOP;
END $$;
SELECT * FROM pg_temp.compare('32');
-- Nothing of it is undone by ROLLBACK, nor by that of a savepoint.
BEGIN;
SELECT array_agg(code) AS codes FROM coderring_get_codes('32', 9, '24-') code \gset
SAVEPOINT s;
SELECT array_agg(code) AS more FROM coderring_get_codes('32', 9, 'W') code \gset
ROLLBACK TO s;
SELECT count(*) FROM unnest(:'more'::text[]) code WHERE coderring_issued('32', code);
ROLLBACK;
INSERT INTO handed (ring, extra, code) SELECT '32', '24-', unnest(:'codes'::text[]);
INSERT INTO handed (ring, extra, code) SELECT '32', 'W', unnest(:'more'::text[]);
SELECT * FROM pg_temp.compare('32');
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY;
SELECT * FROM pg_temp.compare('32');
COMMIT;
--
-- 1,024 codes a cycle, 4 letters, with a check character: texts of all lengths
-- up to two characters of uniquizer. Nearly every extra is a prefix of others.
--
SELECT coderring_create('1024', 5, 'regress words', 'ABCD', true);
INSERT INTO domain SELECT '1024', t FROM generate_series(6, 8) length, pg_temp.texts(length, 'ABCD') t;
INSERT INTO domain SELECT '1024', 'E' || t FROM generate_series(6, 7) length, pg_temp.texts(length, 'ABCD') t;
SELECT pg_temp.draw('1024', ':500', 'B:700', 'E:1', 'BA:20', 'B:bump');
SELECT * FROM pg_temp.compare('1024');
SELECT pg_temp.draw('1024', ':1800', 'A:900', 'A:bump', 'E:1500', 'B:2500', ':bump');
SELECT * FROM pg_temp.compare('1024');
--
-- 32,768 codes a cycle of 8 letters
--
SELECT coderring_create('32768', 5, alphabet => 'ABCDEFGH');
INSERT INTO domain SELECT '32768', t FROM generate_series(5, 6) length, pg_temp.texts(length, 'ABCDEFGH') t;
SELECT pg_temp.draw('32768', ':30000', 'B:1000');
SELECT count(*), count(*) FILTER (WHERE coderring_issued('32768', code) <> EXISTS (SELECT FROM handed h WHERE h.ring = d.ring AND h.code = d.code))
	FROM domain d WHERE ring = '32768' AND length(code) = 5;
SELECT pg_temp.draw('32768', ':50000', 'B:bump');
SELECT * FROM pg_temp.compare('32768');
--
-- Thousands of cycles, first without a gap, then with one in each
--
SELECT coderring_create('bumps', 1, alphabet => 'AB');
INSERT INTO domain SELECT 'bumps', t FROM generate_series(1, 13) length, pg_temp.texts(length, 'AB') t;
SELECT pg_temp.draw('bumps', ':5000');
SELECT * FROM pg_temp.compare('bumps');
DO $$
BEGIN
	FOR i IN 1..1500 LOOP
		PERFORM pg_temp.draw('bumps', ':bump');
	END LOOP;
END $$;
SELECT * FROM pg_temp.compare('bumps');
--
-- Other words: no code that is out may be denied, whatever the filter says by
-- now, and back again. Base codes that were passed over count as handed out
-- from then on.
--
SELECT coderring_create('words', 2, 'regress words'), coderring_reset('words', test_seed => 'decode');
INSERT INTO domain SELECT 'words', t FROM generate_series(2, 3) length, pg_temp.texts(length, coderring_alphabet('default')) t;
SELECT pg_temp.draw('words', ':900', 'X:100');
SELECT * FROM pg_temp.compare('words');
SELECT coderring_set_blocklist('words', NULL);
SELECT pg_temp.draw('words', ':300', 'X:100');
SELECT denied, invented > 0 AS more FROM pg_temp.compare('words');
SELECT coderring_set_blocklist('words', 'regress words');
SELECT pg_temp.draw('words', ':1000', 'X:100');
SELECT denied FROM pg_temp.compare('words');
SELECT coderring_reset('words', test_seed => 'decode');
DELETE FROM handed WHERE ring = 'words';
SELECT pg_temp.draw('words', ':500');
SELECT * FROM pg_temp.compare('words');
SELECT coderring_define_blocklist('regress words', '{^X2$,^9E$,VSE}');
SELECT pg_temp.draw('words', ':1300');
SELECT coderring_define_blocklist('regress words', '{^X2$,^9E$,VSE,AHA,24A,ABBA,BAD,CAB}');
SELECT pg_temp.draw('words', ':100');
SELECT denied FROM pg_temp.compare('words');
-- No codes are taken under words that may be rolled back.
BEGIN;
SELECT coderring_set_blocklist('words', NULL);
SELECT coderring_get_code('words');
ROLLBACK;
SELECT denied FROM pg_temp.compare('words');
-- What never had a filter and gets one
SELECT coderring_set_blocklist('32768', 'regress words');
SELECT pg_temp.draw('32768', ':100', 'B:100');
SELECT count(*), count(*) FILTER (WHERE NOT coderring_issued(ring, code)) AS denied FROM handed WHERE ring = '32768';
--
-- coderring_advance is how a copy is told what was handed out elsewhere: what
-- it passes over counts as handed out. A cycle that is another's does not.
--
SELECT coderring_create('copy', 1);
CREATE TEMP VIEW copy AS
	SELECT d.extra, d.cycle, count(*) FILTER (WHERE d.issued) AS issued, max(d.cycle_offset) AS last,
			count(*) FILTER (WHERE d.issued IS DISTINCT FROM coderring_issued('copy', code)) AS different
		FROM domain, coderring_decode('copy', code) d
		WHERE ring = '32' AND code ~ '^.{1,2}$' GROUP BY 1, 2 HAVING count(*) FILTER (WHERE d.issued) > 0 ORDER BY 1, 2;
SELECT coderring_advance('copy', '', 0, 7);
SELECT * FROM copy;
SELECT length(coderring_get_code('copy')), coderring_advance('copy', '', 0, 12);
SELECT * FROM copy;
SELECT coderring_advance('copy', '', 1);
SELECT * FROM copy;
SELECT length(coderring_get_code('copy', '3')), coderring_advance('copy', '', 4, 2);
SELECT * FROM copy;
-- A bump, to compare, from the cycle that follows the other's
SELECT length(coderring_get_code('copy', '', true));
SELECT * FROM copy;
--
-- What a code is made of: what it was asked with, and its place in the order
--
SELECT coderring_create('order', 1), coderring_create('thousands', 3, check_character => true);
SELECT pg_temp.draw('order', ':10', 'X:30', ':70', '24-:40', 'XX:5', ':1200', 'X:70', 'W:1', 'é :33', ':bump', 'X:bump', ':20', 'X:40', '24-:33');
SELECT pg_temp.draw('thousands', ':1', 'X:3000', '24-:7', 'X:bump', ':40000', 'W:500', '24-:bump', 'X:2');
-- The text of a cycle's uniquizer
CREATE FUNCTION pg_temp.numeral(cycle bigint, digits text) RETURNS text LANGUAGE sql AS $$
	WITH RECURSIVE n AS (
		SELECT cycle - 1 AS rest, ''::text AS text WHERE cycle > 0
		UNION ALL
		SELECT CASE WHEN rest >= length(digits) THEN rest / length(digits) ELSE -1 END,
			substr(digits, (rest % length(digits))::int + 1, 1) || text FROM n WHERE rest >= 0
	)
	SELECT coalesce((SELECT text FROM n WHERE rest < 0), '')
$$;
CREATE TEMP VIEW decoded AS
	SELECT h.ring, n, h.extra AS asked, code, d.*, r.base_length, r.check_character, 32 ^ r.base_length AS codes
		FROM handed h JOIN coderring.rings r ON r.name = h.ring, coderring_decode(h.ring, code) d
		WHERE h.ring IN ('order', 'thousands');
SELECT ring, count(*), count(*) FILTER (WHERE issued) AS issued, count(*) FILTER (WHERE extra = asked) AS extra,
		count(*) FILTER (WHERE code LIKE extra || uniquizer || base || CASE WHEN check_character THEN '_' ELSE '' END) AS whole,
		count(*) FILTER (WHERE length(base) = base_length) AS base,
		count(*) FILTER (WHERE uniquizer = pg_temp.numeral(cycle, 'XW23456789ABCDEFGHYJKLMNZPQRSTUV')) AS uniquizer
	FROM decoded GROUP BY 1 ORDER BY 1;
-- In each cycle offsets count from 0, in the order in which codes came.
SELECT ring, count(DISTINCT (extra, cycle)) AS cycles, count(*) FILTER (WHERE cycle_offset = place - 1) AS in_order
	FROM (SELECT *, row_number() OVER (PARTITION BY ring, extra, cycle ORDER BY n) AS place FROM decoded) d GROUP BY 1 ORDER BY 1;
-- With a filter there are gaps, but the order is the same.
SELECT count(*), count(*) FILTER (WHERE cycle_offset <= before) AS bad, count(*) FILTER (WHERE cycle_offset > before + 1) > 0 AS gaps,
		count(*) FILTER (WHERE extra <> asked)
	FROM (SELECT d.*, h.extra AS asked, lag(d.cycle_offset) OVER (PARTITION BY h.extra, d.cycle ORDER BY n) AS before
			FROM handed h, coderring_decode('32', code) d WHERE ring = '32') d
	WHERE before IS NOT NULL;
-- Each offset is one code's, and is told when that is handed out, not before.
SELECT extra, cycle, count(*), count(DISTINCT cycle_offset), min(cycle_offset), max(cycle_offset), bool_or(issued), bool_and(issued),
		count(*) FILTER (WHERE issued = (cycle_offset IS NULL)) AS told_wrongly
	FROM domain, coderring_decode('order', code) d
	WHERE ring = '32' AND (extra IN ('', 'X') AND cycle < 3 OR extra = '' AND cycle IN (39, 42) OR extra = '24-' AND cycle = 5) GROUP BY 1, 2 ORDER BY 1, 2;
-- Of two rings with one key, one knows what comes next in the other.
SELECT coderring_create('next', 1), coderring_create('twin', 1), coderring_reset('next', test_seed => 'twins'), coderring_reset('twin', test_seed => 'twins');
SELECT pg_temp.draw('next', 'W:7');
SELECT code AS next FROM coderring_get_codes('twin', 8, 'W') WITH ORDINALITY c (code, n) WHERE n = 8 \gset
SELECT count(*), count(cycle_offset) FROM domain, coderring_decode('next', code) d WHERE ring = '32' AND extra = 'W' AND cycle = 0;
SELECT coderring_issued('next', :'next'), (coderring_decode('next', :'next')).cycle_offset, coderring_get_code('next', 'W') = :'next',
	coderring_issued('next', :'next'), (coderring_decode('next', :'next')).cycle_offset;
-- Cycles before the ring's first: elsewhere, perhaps; by this ring never
SELECT coderring_create('late', 1, first_cycle => 33), coderring_reset('late', 33, 'decode');
SELECT extra, uniquizer, base, cycle, issued FROM coderring_decode('late', 'V2');
SELECT pg_temp.draw('late', ':70', 'X:33');
SELECT extra, uniquizer, base, cycle, issued FROM unnest('{2,V2,W2,WX2,XWX2,XX2}'::text[]) code, coderring_decode('late', code);
INSERT INTO domain SELECT 'late', code FROM domain WHERE ring = '32';
INSERT INTO domain SELECT 'late', 'X' || t FROM pg_temp.texts(3, coderring_alphabet('default')) t;
SELECT * FROM pg_temp.compare('late');
\pset null (null)
--
-- No codes: an answer, never an error
--
SELECT left(replace(code, E'\n', ' '), 20), d.* FROM unnest(ARRAY['', '!', ' ', '2 ', 'v', '24-v', '24-VI', 'ЖЖЖ', '日本', 'é', 'éV', repeat('X', 10000), repeat('é', 5000),
		repeat('x', 64) || 'V', repeat('X', 126) || 'V', E'V\n', '_', '%']) code, coderring_decode('order', code) d;
SELECT count(*) FILTER (WHERE coderring_issued('order', code) IS DISTINCT FROM false)
	FROM unnest(ARRAY['', '!', ' ', '2 ', 'v', '24-v', '24-VI', 'ЖЖЖ', '日本', 'é', 'éV', repeat('X', 10000), repeat('é', 5000), repeat('x', 64) || 'V', E'V\n']) code;
-- Uniquizers of cycles that no ring can come to
SELECT coderring_create('bits', 1, alphabet => '01');
SELECT length(code), length(extra), length(uniquizer), base, cycle, issued
	FROM generate_series(60, 64) n, concat(repeat('1', n), '0') code, coderring_decode('bits', code);
-- The check character of another code, and none
SELECT count(*), count(*) FILTER (WHERE d.base IS NULL AND d.cycle IS NULL AND d.extra IS NULL AND NOT d.issued)
	FROM (SELECT code FROM handed WHERE ring = 'thousands' AND extra = '24-') h, coderring_alphabet('default') a, regexp_split_to_table(a, '') letter,
		coderring_decode('thousands', left(code, -1) || letter) d WHERE letter <> right(code, 1);
SELECT d.* FROM coderring_decode('thousands', '') d;
SELECT d.* FROM coderring_decode('thousands', 'VVV') d;
-- NULL
SELECT coderring_decode('order', NULL), coderring_issued('order', NULL), coderring_normalize('order', NULL);
SELECT coderring_decode(NULL, 'V');
SELECT coderring_issued(NULL, NULL);
-- No ring, no right
SELECT coderring_decode('none', 'V');
\echo :LAST_ERROR_SQLSTATE
SELECT coderring_issued('none', NULL);
\set VERBOSITY sqlstate
SELECT coderring_decode(NULL, NULL);
SELECT coderring_issued(NULL, 'V');
SELECT coderring_normalize(NULL, 'V');
SELECT coderring_normalize('none', 'V');
CREATE ROLE regress_coderring_reader;
SET ROLE regress_coderring_reader;
SELECT coderring_decode('order', 'V');
SELECT coderring_issued('order', NULL);
SELECT coderring_normalize('order', 'V');
RESET ROLE;
SELECT coderring_grant('order', 'regress_coderring_reader');
SET ROLE regress_coderring_reader;
SELECT count(*) FROM (SELECT coderring_decode('order', 'V'), coderring_issued('order', 'V'), coderring_normalize('order', 'V')) x;
RESET ROLE;
DROP ROLE regress_coderring_reader;
\set VERBOSITY default
-- STABLE: evaluated once for an index
CREATE TEMP TABLE booking AS SELECT code AS reference, n FROM handed WHERE ring = 'thousands';
CREATE UNIQUE INDEX ON booking (reference);
CREATE INDEX ON booking (n);
ANALYZE booking;
EXPLAIN (COSTS OFF) SELECT n FROM booking WHERE reference = coderring_normalize('thousands', 'x');
EXPLAIN (COSTS OFF) SELECT reference FROM booking WHERE n = (coderring_decode('thousands', 'x')).cycle;
SELECT provolatile, proparallel, proisstrict, count(*) FROM pg_proc
	WHERE proname IN ('coderring_decode', 'coderring_issued', 'coderring_normalize') GROUP BY 1, 2, 3;
-- A reset forgets all codes, and its ROLLBACK none.
BEGIN;
SELECT coderring_reset('order');
SELECT count(*) FILTER (WHERE coderring_issued('order', code)) FROM handed WHERE ring = 'order';
SELECT count(*) FROM coderring_get_codes('order', 5) code WHERE coderring_issued('order', code);
ROLLBACK;
SELECT count(*) FILTER (WHERE NOT coderring_issued('order', code)) FROM handed WHERE ring = 'order';
SELECT coderring_rename('order', 'other');
SELECT count(*) FILTER (WHERE NOT coderring_issued('other', code)) FROM handed WHERE ring = 'order';
SELECT coderring_reset('other');
SELECT count(*) FILTER (WHERE coderring_issued('other', code)) FROM handed WHERE ring = 'order';
SELECT count(coderring_drop(name)) FROM coderring.rings;
SELECT coderring_define_blocklist('regress words', NULL);
