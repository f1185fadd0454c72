--
-- The first of the tests, by its name: shared memory that others have made is never given back.
-- Shared memory: many rings, many series, little memory. Nothing but speed
-- may depend on it.
--
\pset format unaligned
\pset tuples_only on
SELECT coderring_create('m', 2);
CREATE TEMP TABLE received (extra int, code text COLLATE "C");
-- The least memory there can be. The setting is the server's, and a session
-- takes it over between two statements: so ask in statement after statement.
SELECT current_setting('coderring.max_shared_memory') AS usual \gset
CREATE FUNCTION pg_temp.wait_for(value text) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM generate_series(1, CASE current_setting('coderring.max_shared_memory') WHEN value THEN 0 ELSE 20000 END)
$$;
ALTER SYSTEM SET coderring.max_shared_memory = '1MB';
SELECT pg_reload_conf();
\set ECHO none
\o /dev/null
SELECT format('SELECT pg_temp.wait_for(%L)', '1MB') FROM generate_series(1, 2000) \gexec
\o
\set ECHO all
SHOW coderring.max_shared_memory;
-- 20,000 series, most of them without a place (but where this server has had
-- more memory before): round after round, each goes on where it was, so what it
-- had left was written back. Those that have a place are in coderring.stats.
INSERT INTO received SELECT i, coderring_get_code('m', i || '-') FROM generate_series(1, 20000) i;
INSERT INTO received SELECT i, coderring_get_code('m', i || '-') FROM generate_series(1, 20000) i;
INSERT INTO received SELECT i, coderring_get_codes('m', 3, i || '-') FROM generate_series(20000, 1, -1) i;
SELECT count(*), count(DISTINCT code) FROM received;
SELECT count(*), min(cycle_offset), max(cycle_offset), count(*) FILTER (WHERE reserved_to = 5) >= 20000 - (SELECT count(*) FROM coderring.stats) AS written_back
	FROM coderring.series;
-- Some of them to their end: a cycle each, without a gap
INSERT INTO received SELECT i, coderring_get_codes('m', 1024 - 5, i || '-') FROM generate_series(1, 20000, 997) i;
SELECT DISTINCT count(*), count(DISTINCT code), min(length(code) - length(extra::text)), max(length(code) - length(extra::text))
	FROM received WHERE extra % 997 = 1 GROUP BY extra;
-- bump, advance, ROLLBACK, reset and its ROLLBACK, while memory is short
SELECT count(coderring_get_code('m', i || '-', true)) FROM generate_series(1, 3000) i;
SELECT count(coderring_advance('m', i || '-')) FROM generate_series(1001, 3000) i;
SELECT cycle, cycle_offset, count(*) FROM coderring.series GROUP BY 1, 2 ORDER BY 1, 2;
BEGIN;
SELECT coderring_reset('m');
SELECT count(DISTINCT coderring_get_code('m', i || '-')) FROM generate_series(1, 5000) i;
SELECT count(*), max(cycle_offset) FROM coderring.series;
ROLLBACK;
SELECT cycle, cycle_offset, count(*) FROM coderring.series GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(DISTINCT coderring_get_code('m', i || '-')) FROM generate_series(1, 20000) i;
SELECT cycle, cycle_offset, count(*) FROM coderring.series GROUP BY 1, 2 ORDER BY 1, 2;
-- Others find room too: rings made now, with large blocks
SELECT coderring_create('n', 3);
SELECT count(DISTINCT c) FROM coderring_get_codes('n', 32768) c;
SELECT coderring_start_rings();
ALTER SYSTEM RESET coderring.max_shared_memory;
SELECT pg_reload_conf();
\set ECHO none
\o /dev/null
SELECT format('SELECT pg_temp.wait_for(%L)', :'usual') FROM generate_series(1, 2000) \gexec
\o
\set ECHO all
SELECT current_setting('coderring.max_shared_memory') = :'usual';
-- The same 20,000 series, and some more, with room for all of them; a session
-- remembers fewer.
SELECT coderring_reset('m');
TRUNCATE received;
INSERT INTO received SELECT i, coderring_get_code('m', i || '-') FROM generate_series(1, 20000) i;
INSERT INTO received SELECT i, coderring_get_code('m', i || '-') FROM generate_series(1, 20500) i;
INSERT INTO received SELECT i, coderring_get_code('m', i || '-') FROM generate_series(1, 20500) i;
SELECT count(*), count(DISTINCT code) FROM received;
SELECT cycle, cycle_offset, reserved_to, count(*) FROM coderring.series WHERE ring = 'm' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT coderring_reset('m');
SELECT count(coderring_drop(name)) FROM coderring.rings;
-- Rings made and dropped in turn, in one transaction and in many
DO $$
BEGIN
	FOR i IN 1..1000 LOOP
		PERFORM coderring_create('turn', 1), coderring_get_code('turn'), coderring_get_code('turn', 'E');
		PERFORM coderring_drop('turn');
	END LOOP;
END $$;
DO $$
BEGIN
	FOR i IN 1..1000 LOOP
		PERFORM coderring_create('turn', 1), coderring_get_code('turn'), coderring_get_code('turn', 'E');
		COMMIT;
		PERFORM coderring_drop('turn');
		COMMIT;
		IF i % 10 = 0 THEN
			PERFORM coderring_create('turn', 1), coderring_get_code('turn');
			ROLLBACK;
		END IF;
	END LOOP;
END $$;
SELECT count(*) FROM coderring.rings;
SELECT count(*) FROM coderring.series;
SELECT count(*) < 100 FROM coderring.series_state;
