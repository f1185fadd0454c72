--
-- Every extra has a series of its own, and no code is equal across them.
--
\pset format unaligned
\pset tuples_only on
-- A series goes on where it was, whatever came between.
SELECT coderring_create('e', 2), coderring_reset('e', test_seed => 'extra');
SELECT coderring_get_code('e', '24') FROM generate_series(1, 3);
SELECT coderring_get_code('e', '25') FROM generate_series(1, 3);
SELECT coderring_get_code('e', '24') FROM generate_series(1, 3);
SELECT coderring_get_code('e') FROM generate_series(1, 3);
SELECT coderring_get_code('e', NULL) FROM generate_series(1, 3);
SELECT ring, extra, cycle, cycle_offset FROM coderring.series ORDER BY 1, 2;
-- Series run in orders of their own.
SELECT count(*) FILTER (WHERE right(a, 2) = right(b, 2)) < 8 AS differ
	FROM ROWS FROM (coderring_get_codes('e', 500, '26'), coderring_get_codes('e', 500, '27')) AS t (a, b);
-- All of a cycle, in pieces, with others between
SELECT coderring_create('pieces', 1);
CREATE TEMP TABLE codes AS
	SELECT i % 5 AS extra, coderring_get_code('pieces', (i % 5)::text) AS code FROM generate_series(0, 159) i;
SELECT extra, count(DISTINCT right(code, 1)), bool_and(code LIKE extra || '_') FROM codes GROUP BY 1 ORDER BY 1;
DROP TABLE codes;
--
-- extra and uniquizer run together: ('X', '') and ('', 'X') both begin with
-- X. A cycle whose prefix another series has entered is skipped for ever.
--
CREATE TEMP VIEW skipped AS
	SELECT s.extra, s.first_position, s.last_position FROM coderring.skipped_positions s
		JOIN coderring.ring r USING (incarnation) WHERE r.name = 'x' ORDER BY 1, 2;
CREATE TEMP TABLE codes (extra text, code text COLLATE "C");
CREATE FUNCTION pg_temp.take(extra text, cycles int) RETURNS TABLE (prefix text, codes bigint) LANGUAGE sql AS $$
	WITH taken AS (
		INSERT INTO codes SELECT extra, coderring_get_codes('x', cycles * 32, extra) RETURNING code
	)
	SELECT left(code, -1), count(*) FROM taken GROUP BY 1 ORDER BY 1
$$;
-- First none, then X: that one cannot have its cycle 0.
SELECT coderring_create('x', 1);
SELECT * FROM pg_temp.take('', 2);
SELECT * FROM pg_temp.take('X', 1);
SELECT * FROM skipped;
SELECT count(*), count(DISTINCT code) FROM codes;
-- First X, then none: it jumps over cycle 1.
SELECT coderring_reset('x');
TRUNCATE codes;
SELECT * FROM pg_temp.take('X', 1);
SELECT * FROM pg_temp.take('', 1);
SELECT * FROM skipped;
SELECT * FROM pg_temp.take('', 1);
SELECT * FROM skipped;
SELECT cycle, uniquizer FROM coderring.series WHERE ring = 'x' ORDER BY extra COLLATE "C";
SELECT count(*), count(DISTINCT code) FROM codes;
-- A part of a cycle is enough to own it, and so is bump.
SELECT coderring_reset('x');
TRUNCATE codes;
INSERT INTO codes SELECT 'W', coderring_get_code('x', 'W');
INSERT INTO codes SELECT '2', coderring_get_code('x', '2');
INSERT INTO codes SELECT '', coderring_get_code('x', '', true) FROM generate_series(1, 4);
SELECT code LIKE '4_', length(code) FROM codes ORDER BY ctid DESC LIMIT 1;
SELECT * FROM skipped;
-- What was skipped is not entered later by anyone else's leave: still W's.
SELECT * FROM pg_temp.take('W', 1);
SELECT * FROM pg_temp.take('2', 1);
SELECT count(*), count(DISTINCT code) FROM codes;
-- Cycles that advance jumps over belong to the series too.
SELECT coderring_reset('x');
TRUNCATE codes;
SELECT coderring_advance('x', '', 3);
SELECT * FROM pg_temp.take('W', 1);
SELECT * FROM pg_temp.take('2', 1);
SELECT * FROM pg_temp.take('', 1);
SELECT * FROM skipped;
SELECT count(*), count(DISTINCT code) FROM codes;
-- To advance into the middle of a cycle is to enter it: the one that is
-- taken is passed over.
SELECT coderring_reset('x');
TRUNCATE codes;
SELECT count(coderring_get_code('x', 'X'));
SELECT coderring_advance('x', '', 1, 7), left(coderring_get_code('x'), -1);
SELECT cycle, cycle_offset FROM coderring.series WHERE ring = 'x' AND extra = '';
SELECT * FROM skipped;
-- Many extras at once that are all each other's uniquizers, in turn and by
-- various amounts, over many cycles
SELECT coderring_reset('x');
TRUNCATE codes;
INSERT INTO codes
	SELECT extra, coderring_get_codes('x', 32 * (1 + (i * n::int) % 5), extra)
	FROM generate_series(1, 40) i,
		unnest(ARRAY['', 'X', 'XX', 'W', 'WX', 'XW', '2', '22', '222', 'V', 'VW', 'X2', 'XXX', 'W2', 'WXX', '24']) WITH ORDINALITY AS e (extra, n);
SELECT count(*), count(DISTINCT code) FROM codes;
-- Every prefix belongs to one series, whole.
SELECT count(*) FROM (SELECT left(code, -1) FROM codes GROUP BY 1
	HAVING count(DISTINCT extra) > 1 OR count(*) <> 32) p;
SELECT count(*) FROM skipped;
-- Every code's cycle is one that its series did not skip, and none that it
-- passed is missing without being recorded.
WITH RECURSIVE numerals AS (
	SELECT '' COLLATE "C" AS uniquizer, 0::bigint AS cycle
	UNION ALL
	SELECT text, n + 1 FROM (
		SELECT n::bigint, CASE WHEN n < 32 THEN '' ELSE substr(digits, n / 32 % 32 + 1, 1) END ||
			substr(digits, n % 32 + 1, 1) AS text
		FROM (SELECT 'XW23456789ABCDEFGHYJKLMNZPQRSTUV' AS digits) d, generate_series(0, 1023) n) x
), entered AS (
	SELECT DISTINCT extra, cycle FROM codes JOIN numerals ON left(code, -1) = extra || uniquizer
), passed AS (
	SELECT extra, generate_series(0, cycle) AS cycle FROM coderring.series WHERE ring = 'x'
)
SELECT (SELECT count(*) FROM entered JOIN skipped USING (extra)
		WHERE first_position < (cycle + 1) * 32 AND last_position >= cycle * 32) AS both,
	(SELECT count(*) FROM passed p WHERE NOT EXISTS (SELECT FROM entered e WHERE e.extra = p.extra AND e.cycle = p.cycle)
		AND NOT EXISTS (SELECT FROM skipped s WHERE s.extra = p.extra
			AND first_position <= p.cycle * 32 AND last_position >= p.cycle * 32 + 31)) AS neither,
	(SELECT count(*) FROM skipped WHERE first_position % 32 <> 0 OR last_position % 32 <> 31) AS parts;
-- With bumps too: every position that a series has passed was handed out, or
-- is recorded as skipped, whether with its whole cycle or as the rest of one.
INSERT INTO codes
	SELECT extra, coderring_get_code('x', extra, true)
	FROM generate_series(1, 3), (SELECT DISTINCT extra FROM codes) e;
SELECT count(*), count(DISTINCT code) FROM codes;
WITH handed_out AS (
	SELECT extra, count(*) AS codes FROM codes GROUP BY 1
), passed_over AS (
	SELECT extra, sum(last_position - first_position + 1) AS positions FROM skipped GROUP BY 1
)
SELECT count(*) AS series, count(*) FILTER (WHERE cycle * 32 + cycle_offset = codes + coalesce(positions, 0)) AS complete,
	(SELECT count(*) > 0 FROM skipped WHERE first_position % 32 <> 0) AS parts
	FROM coderring.series JOIN handed_out USING (extra) LEFT JOIN passed_over USING (extra) WHERE ring = 'x';
-- An alphabet of two: extras made of its letters
SELECT coderring_create('bits', 1, alphabet => '01');
TRUNCATE codes;
INSERT INTO codes
	SELECT extra, coderring_get_codes('bits', 2 * n::int, extra) FROM generate_series(1, 20),
		unnest(ARRAY['', '0', '1', '10', '11', '100', '01', '111', '1010']) WITH ORDINALITY AS e (extra, n);
SELECT count(*), count(DISTINCT code) FROM codes;
-- reset forgets what was skipped.
SELECT coderring_reset('x');
SELECT count(*) FROM skipped;
SELECT * FROM pg_temp.take('XX', 1);
-- A skip outlives ROLLBACK like the rest of a series.
BEGIN;
SELECT coderring_get_code('x', 'X') LIKE 'X_', coderring_get_code('x', '') LIKE '_', coderring_get_code('x', '', true) LIKE 'W_';
ROLLBACK;
SELECT * FROM skipped;
SELECT left(coderring_get_code('x'), -1);
-- Extras of several bytes a character, of blanks, of quotes
SELECT coderring_create('bytes', 1);
SELECT e, left(coderring_get_code('bytes', e), -1) = e, length(coderring_get_code('bytes', e)) - length(e)
	FROM unnest(ARRAY['ä', '日本', '🌀-', ' ', E'\t', '''', '"\', repeat('x', 63), repeat('é', 31)]) e;
SELECT extra, code_length FROM coderring.series WHERE ring = 'bytes' ORDER BY extra COLLATE "C";
SELECT count(DISTINCT c) FROM (SELECT coderring_get_codes('bytes', 100, 'ä') AS c) c;
-- Case and trailing blanks make other extras.
SELECT coderring_get_code('bytes', 'a') <> coderring_get_code('bytes', 'A'),
	length(coderring_get_code('bytes', 'a ')), (SELECT count(*) FROM coderring.series WHERE ring = 'bytes');
SELECT count(coderring_drop(name)) FROM coderring.rings;
