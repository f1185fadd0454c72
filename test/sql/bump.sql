--
-- bump, first_cycle and coderring_advance: cycles that are left early.
--
\pset format unaligned
\pset tuples_only on
CREATE VIEW pg_temp.now AS
	SELECT ring, extra, cycle, uniquizer, cycle_offset, remaining FROM coderring.series ORDER BY 1, 2;
SELECT coderring_create('b', 2), coderring_reset('b', test_seed => 'bump');
-- Without effect on a series that is not in use.
SELECT coderring_get_code('b', bump => true);
SELECT coderring_get_code('b', 'E', true);
SELECT * FROM pg_temp.now;
-- The next cycle at once, of that series alone.
SELECT coderring_get_code('b', '', true);
SELECT coderring_get_code('b');
SELECT * FROM pg_temp.now;
-- One cycle on for each.
SELECT coderring_get_code('b', bump => true) FROM generate_series(1, 3);
-- NULL is false, and an extra of NULL is none.
SELECT coderring_get_code('b', NULL, NULL);
SELECT * FROM pg_temp.now;
-- Also when a cycle is used up to the last code: the next one has not begun.
SELECT count(*) FROM (SELECT coderring_get_codes('b', 1023, 'E')) c;
SELECT * FROM pg_temp.now;
SELECT length(coderring_get_code('b', 'E', true));
SELECT * FROM pg_temp.now;
-- Not undone by ROLLBACK.
BEGIN;
SELECT coderring_get_code('b', bump => true);
ROLLBACK;
SELECT coderring_get_code('b');
-- Codes of a cycle that was left do not come again: all of many are distinct.
SELECT count(DISTINCT c), count(*) FROM (SELECT coderring_get_code('b', '', i % 37 = 0) AS c FROM generate_series(1, 2000) i) c;
-- bump at every place in a block, the last one included
SELECT coderring_create('places', 2);
SELECT count(DISTINCT c) AS codes, sum(CASE WHEN lag IS DISTINCT FROM u THEN 1 ELSE 0 END) AS changes
	FROM (SELECT c, left(c, -2) AS u, lag(left(c, -2)) OVER (ORDER BY n) AS lag
		FROM (SELECT n, coderring_get_code('places', '', n IN
				(SELECT i * (i + 1) / 2 FROM generate_series(1, 40) i)) AS c
			FROM generate_series(0, 820) n) x) y;
--
-- coderring_advance
--
SELECT coderring_create('a', 2), coderring_reset('a', test_seed => 'advance');
CREATE TEMP TABLE cycle0 AS SELECT n, c FROM coderring_get_codes('a', 1024) WITH ORDINALITY AS t (c, n);
CREATE TEMP TABLE cycle1 AS SELECT n, c FROM coderring_get_codes('a', 1024) WITH ORDINALITY AS t (c, n);
CREATE FUNCTION pg_temp.place(code text) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce((SELECT 'cycle 0, offset ' || n - 1 FROM cycle0 WHERE c = code),
		(SELECT 'cycle 1, offset ' || n - 1 FROM cycle1 WHERE c = code), code)
$$;
SELECT coderring_reset('a', test_seed => 'advance');
-- An unused series to some offset; to each place around the end of a block
SELECT coderring_advance('a', to_cycle => 0, to_offset => 3);
SELECT * FROM pg_temp.now WHERE ring = 'a';
SELECT pg_temp.place(coderring_get_code('a'));
SELECT coderring_advance('a', to_cycle => 0, to_offset => reserved_to - 1) FROM coderring.series WHERE ring = 'a';
SELECT pg_temp.place(coderring_get_code('a'));
SELECT * FROM pg_temp.now WHERE ring = 'a';
SELECT pg_temp.place(coderring_get_code('a'));
SELECT coderring_advance('a', to_cycle => 0, to_offset => 50), pg_temp.place(coderring_get_code('a'));
SELECT coderring_advance('a', to_cycle => 0, to_offset => reserved_to) FROM coderring.series WHERE ring = 'a';
SELECT * FROM pg_temp.now WHERE ring = 'a';
SELECT pg_temp.place(coderring_get_code('a'));
SELECT coderring_advance('a', to_cycle => 0, to_offset => 200), pg_temp.place(coderring_get_code('a'));
SELECT coderring_advance('a', to_cycle => 0, to_offset => 300), coderring_advance('a', to_cycle => 0, to_offset => 301);
SELECT coderring_advance('a', to_cycle => 0, to_offset => 301), pg_temp.place(coderring_get_code('a'));
-- Where it stands already: no change, and nothing is lost.
SELECT coderring_advance('a', to_cycle => 0, to_offset => 302), pg_temp.place(coderring_get_code('a'));
-- Back: refused, and nothing has changed.
SELECT coderring_advance('a', to_cycle => 0, to_offset => 302);
SELECT coderring_advance('a', to_cycle => -1);
SELECT pg_temp.place(coderring_get_code('a'));
-- Offsets that are none
SELECT coderring_advance('a', to_cycle => 0, to_offset => 1024);
SELECT coderring_advance('a', to_cycle => 5, to_offset => -1);
SELECT pg_temp.place(coderring_get_code('a'));
-- The last code of a cycle, then the end of it
SELECT coderring_advance('a', to_cycle => 0, to_offset => 1023), pg_temp.place(coderring_get_code('a'));
SELECT * FROM pg_temp.now WHERE ring = 'a';
-- At its end the next cycle is the one that has not begun.
SELECT coderring_advance('a'), pg_temp.place(coderring_get_code('a'));
SELECT coderring_advance('a', to_cycle => 1, to_offset => 1022), pg_temp.place(coderring_get_code('a'));
-- The next cycle, when the block ends with this one
SELECT coderring_advance('a'), coderring_get_code('a');
-- NULL offset is 0; a given cycle far away
SELECT coderring_advance('a', '', 33, NULL), coderring_get_code('a');
-- Not undone by ROLLBACK.
BEGIN;
SELECT coderring_advance('a', to_cycle => 40);
ROLLBACK;
SELECT coderring_get_code('a');
-- Other extras are not moved; an unused one goes to the cycle after its first.
SELECT coderring_advance('a', 'new'), coderring_get_code('a', 'new');
SELECT * FROM pg_temp.now WHERE ring = 'a';
-- The largest cycle there is, and no further
SELECT coderring_advance('a', 'big', 9223372036854775807 / 1024 - 1), coderring_get_code('a', 'big');
SELECT coderring_advance('a', 'big');
SELECT coderring_advance('a', 'big', 9223372036854775807 / 1024);
SELECT coderring_advance('a', 'big', 9223372036854775807);
SELECT coderring_get_code('a', 'big', true);
SELECT count(DISTINCT c) FROM (SELECT coderring_get_codes('a', 1023, 'big') AS c) c;
SELECT coderring_get_code('a', 'big');
SELECT * FROM coderring.series WHERE ring = 'a' AND extra = 'big' \gx
--
-- first_cycle: where every series begins, whatever its extra
--
SELECT coderring_create('f', 1, first_cycle => 33);
SELECT left(coderring_get_code('f'), -1), left(coderring_get_code('f', 'E'), -1);
SELECT left(coderring_get_code('f', '', true), -1);
SELECT coderring_reset('f', first_cycle => 2);
SELECT left(coderring_get_code('f'), -1), left(coderring_get_code('f', 'E', true), -1);
SELECT name, first_cycle FROM coderring.rings WHERE name = 'f';
SELECT coderring_advance('f', 'Q'), left(coderring_get_code('f', 'Q'), -1);
SELECT coderring_advance('f', 'U', 1);
SELECT coderring_advance('f', 'U', 2), left(coderring_get_code('f', 'U'), -1);
SELECT coderring_reset('f'), left(coderring_get_code('f'), -1) = '';
SELECT count(coderring_drop(name)) FROM coderring.rings;
