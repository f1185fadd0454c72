--
-- coderring_get_codes and coderring_start_rings
--
\pset format unaligned
\pset tuples_only on
SELECT coderring_create('g', 2), coderring_reset('g', test_seed => 'codes');
SELECT coderring_get_codes('g', 3);
SELECT * FROM coderring_get_codes('g', 3);
SELECT * FROM coderring_get_codes('g', 2, 'E') WITH ORDINALITY;
SELECT coderring_get_codes('g', 2, NULL);
SELECT extra, cycle_offset FROM coderring.series WHERE ring = 'g' ORDER BY 1;
-- They are the codes that get_code would have returned, in the same order.
CREATE TEMP TABLE bulk AS SELECT coderring_get_codes('g', 500) AS code;
SELECT coderring_reset('g', test_seed => 'codes');
CREATE TEMP TABLE single AS SELECT coderring_get_code('g') AS code FROM generate_series(1, 508);
SELECT count(*) FROM (SELECT code, row_number() OVER () + 8 AS n FROM bulk) b
	JOIN (SELECT code, row_number() OVER () AS n FROM single) s USING (code, n);
-- None
SELECT coderring_get_codes('g', 0);
SELECT count(*) FROM coderring_get_codes('g', 0);
SELECT count(*) FROM coderring_get_codes('g', 0, 'unused');
SELECT extra, cycle_offset FROM coderring.series WHERE ring = 'g' ORDER BY 1;
-- As many as there are rows; in any integer; not more than an integer holds
SELECT count(*), count(DISTINCT code) FROM coderring_get_codes('g', (SELECT count(*) FROM single), 'rows') code;
SELECT count(*), count(DISTINCT code) FROM (SELECT coderring_get_codes('g', (SELECT count(*) FROM single), 'rows') AS code) c;
SELECT count(*) FROM (VALUES (3::smallint)) v (n), coderring_get_codes('g', n, 'small');
SELECT count(*) FROM (SELECT coderring_get_codes('g', 2147483647::bigint, 'small') LIMIT 2) c;
SELECT coderring_get_codes('g', 2147483648, 'small');
SELECT * FROM coderring_get_codes('g', 9223372036854775807, 'small');
SELECT * FROM coderring_get_codes('g', 4294967297, 'small') LIMIT 1;
SELECT coderring_get_codes('g', (-9223372036854775808)::bigint, 'small');
SELECT cycle_offset FROM coderring.series WHERE ring = 'g' AND extra IN ('rows', 'small') ORDER BY extra;
-- LIMIT takes what it shows, in a list of results.
SELECT coderring_get_codes('g', 1000000) LIMIT 2;
SELECT cycle_offset FROM coderring.series WHERE ring = 'g' AND extra = '';
SELECT count(*) FROM (SELECT coderring_get_codes('g', 5) FROM generate_series(1, 100) LIMIT 7) c;
SELECT cycle_offset FROM coderring.series WHERE ring = 'g' AND extra = '';
-- A cursor takes what is fetched.
BEGIN;
DECLARE codes CURSOR FOR SELECT coderring_get_codes('g', 2147483647);
FETCH 2 FROM codes;
SELECT coderring_get_code('g');
FETCH 1 FROM codes;
CLOSE codes;
COMMIT;
SELECT cycle_offset FROM coderring.series WHERE ring = 'g' AND extra = '';
-- Two at once, one ring or two, side by side
SELECT coderring_get_codes('g', 2), coderring_get_codes('g', 3);
SELECT count(*), count(DISTINCT c) FROM (SELECT coderring_get_codes('g', 700, e) AS c FROM unnest(ARRAY['', 'E', 'F']) e, generate_series(1, 3)) c;
-- A correlated call, in a WHERE, in an INSERT with a default
SELECT e, string_agg(c, ' ') FROM unnest(ARRAY['p', 'q']) e, LATERAL coderring_get_codes('g', 2, e) c GROUP BY e ORDER BY e;
CREATE TEMP TABLE things (code text DEFAULT coderring_get_code('g', 't') PRIMARY KEY, n int);
INSERT INTO things (n) SELECT generate_series(1, 2000);
INSERT INTO things (n) VALUES (1), (2) RETURNING length(code);
UPDATE things SET code = DEFAULT WHERE n < 100;
SELECT count(*) FROM things;
-- Many: distinct, and through cycles
SELECT count(*), count(DISTINCT c) FROM coderring_get_codes('g', 300000, 'many') c;
SELECT cycle, cycle_offset FROM coderring.series WHERE ring = 'g' AND extra = 'many';
-- An unknown ring is an error for no codes too; so are NULL and less than none.
SELECT coderring_get_codes('nothing', 0);
SELECT coderring_get_codes('g', NULL);
SELECT coderring_get_codes('g', -1);
SELECT coderring_get_codes(NULL, 1);
SELECT * FROM coderring_get_codes('g', -2147483648);
-- Prepared, with a plan for any name
PREPARE take (text, int, text) AS SELECT coderring_get_codes($1, $2, $3);
SET plan_cache_mode = force_generic_plan;
EXECUTE take ('g', 2, 'prepared');
EXECUTE take ('g', 1, 'prepared');
SELECT coderring_reset('g', test_seed => 'codes');
EXECUTE take ('g', 2, 'prepared');
EXECUTE take ('g', 0, 'prepared');
SELECT coderring_drop('g');
EXECUTE take ('g', 2, 'prepared');
SELECT coderring_create('g', 1);
SELECT coderring_reset('g', test_seed => 'codes');
EXECUTE take ('g', 2, 'prepared');
RESET plan_cache_mode;
-- An error while codes are fetched: those fetched before stay taken.
SELECT coderring_reset('g');
SELECT count(1 / (n - 11)) FROM (SELECT n, coderring_get_code('g') FROM generate_series(1, 32) n OFFSET 0) c;
SELECT cycle_offset FROM coderring.series WHERE ring = 'g';
--
-- start_rings: the number of rings, and no effect on codes
--
SELECT coderring_create('h', 1), coderring_reset('h', test_seed => 'start');
SELECT count(coderring_get_code('h', i::text)) FROM generate_series(1, 50) i;
CREATE TEMP TABLE before AS SELECT * FROM coderring.series;
SELECT coderring_start_rings();
SELECT coderring_start_rings();
SELECT count(*) FROM (SELECT * FROM before EXCEPT SELECT * FROM coderring.series) d;
SELECT count(coderring_drop(name)) FROM coderring.rings;
SELECT coderring_start_rings();
