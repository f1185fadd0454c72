--
-- Codes are not given back by ROLLBACK: none comes twice, and none is left
-- out, whatever happens to the transactions that take them.
--
\pset format unaligned
\pset tuples_only on
CREATE TEMP TABLE received (code text COLLATE "C");
-- What became of a cycle of 1024: codes received, distinct ones
CREATE FUNCTION pg_temp.finish(ring text, extra text DEFAULT '') RETURNS TABLE (offset_before bigint, codes bigint, "distinct" bigint) LANGUAGE plpgsql AS $$
DECLARE
	done bigint := (SELECT cycle_offset FROM coderring.series s WHERE s.ring = finish.ring AND s.extra = finish.extra);
BEGIN
	INSERT INTO received SELECT coderring_get_codes(ring, 1024 - done::int, extra);
	RETURN QUERY SELECT done, count(*), count(DISTINCT code) FROM received;
	TRUNCATE received;
END $$;
-- psql variables remember codes that the table forgets by ROLLBACK.
SELECT coderring_create('r', 2);
BEGIN;
SELECT coderring_get_code('r') AS c1, coderring_get_code('r') AS c2 \gset
ROLLBACK;
SELECT coderring_get_code('r') AS c3 \gset
BEGIN;
SELECT coderring_get_code('r') AS c4 \gset
SAVEPOINT s;
SELECT coderring_get_code('r') AS c5 \gset
ROLLBACK TO s;
SELECT coderring_get_code('r') AS c6 \gset
SAVEPOINT s2;
SELECT coderring_get_code('r') AS c7 \gset
RELEASE s2;
SELECT coderring_get_code('r') AS c8 \gset
COMMIT;
BEGIN;
SELECT string_agg(c, ',') AS c9 FROM coderring_get_codes('r', 25) c \gset
SELECT 1 / 0;
ROLLBACK;
INSERT INTO received VALUES (:'c1'), (:'c2'), (:'c3'), (:'c4'), (:'c5'), (:'c6'), (:'c7'), (:'c8');
INSERT INTO received SELECT unnest(string_to_array(:'c9', ','));
SELECT * FROM pg_temp.finish('r');
-- The very first codes of a series, in a transaction that fails
BEGIN;
SELECT coderring_get_code('r', 'E') AS c1 \gset
ROLLBACK;
SELECT coderring_get_code('r', 'E') AS c2 \gset
INSERT INTO received VALUES (:'c1'), (:'c2');
SELECT * FROM pg_temp.finish('r', 'E');
-- The same in a savepoint of a transaction that commits, and of one that
-- does not; the row is there at once for all to come.
BEGIN;
SAVEPOINT s;
SELECT coderring_get_code('r', 'F') AS c1 \gset
ROLLBACK TO s;
SELECT coderring_get_code('r', 'F') AS c2 \gset
COMMIT;
BEGIN;
SAVEPOINT s;
SELECT coderring_get_code('r', 'F') AS c3 \gset
SELECT coderring_get_code('r', 'G') AS g1 \gset
RELEASE s;
ROLLBACK;
INSERT INTO received VALUES (:'c1'), (:'c2'), (:'c3');
SELECT * FROM pg_temp.finish('r', 'F');
INSERT INTO received VALUES (:'g1');
SELECT * FROM pg_temp.finish('r', 'G');
-- One row a series, whatever the transactions did
SELECT extra, count(*) FROM coderring.series_state GROUP BY 1 ORDER BY 1;
-- PL/pgSQL: exception blocks, nested, round and round through several cycles
SELECT coderring_create('p', 2);
CREATE TABLE pg_temp.kept (code text COLLATE "C", fate text);
CREATE FUNCTION pg_temp.loop(ring text, extra text, times int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	taken text[] := '{}';
	one text;
BEGIN
	FOR i IN 1..times LOOP
		BEGIN
			one := coderring_get_code(ring, extra);
			taken := taken || one;
			INSERT INTO kept VALUES (one, 'gone');
			BEGIN
				one := coderring_get_code(ring, extra);
				taken := taken || one;
				IF i % 3 = 0 THEN RAISE division_by_zero; END IF;
			EXCEPTION WHEN division_by_zero THEN
				taken := taken || coderring_get_code(ring, extra);
			END;
			IF i % 2 = 0 THEN RAISE data_exception; END IF;
		EXCEPTION WHEN data_exception THEN
			taken := taken || coderring_get_code(ring, extra);
		END;
	END LOOP;
	INSERT INTO received SELECT unnest(taken);
END $$;
SELECT pg_temp.loop('p', '', 1000);
SELECT count(*), count(DISTINCT code) FROM received;
-- Whole cycles: 1024 codes each, but for the last, which is still open
SELECT left(code, -2), count(DISTINCT right(code, 2)) FROM received GROUP BY 1 ORDER BY length(left(code, -2)), 1;
TRUNCATE received;
SELECT pg_temp.loop('p', 'E', 5);
SELECT * FROM pg_temp.finish('p', 'E');
-- An error of the ring itself takes nothing.
SELECT coderring_create('m', 1, max_length => 1);
DO $$
BEGIN
	FOR i IN 1..40 LOOP
		BEGIN
			INSERT INTO received VALUES (coderring_get_code('m'));
		EXCEPTION WHEN sequence_generator_limit_exceeded THEN NULL;
		END;
		BEGIN
			INSERT INTO received VALUES (coderring_get_code('m', '', i > 1));
		EXCEPTION WHEN sequence_generator_limit_exceeded THEN NULL;
		END;
	END LOOP;
END $$;
SELECT count(*), count(DISTINCT code) FROM received;
TRUNCATE received;
-- Chained transactions
BEGIN;
SELECT coderring_get_code('r', 'P') AS c1 \gset
COMMIT AND CHAIN;
SELECT coderring_get_code('r', 'P') AS c2 \gset
ROLLBACK AND CHAIN;
SELECT coderring_get_code('r', 'P') AS c3 \gset
ROLLBACK;
INSERT INTO received VALUES (:'c1'), (:'c2'), (:'c3');
SELECT * FROM pg_temp.finish('r', 'P');
-- Isolation levels do not matter.
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT coderring_get_code('r', 'I') AS c1, coderring_get_code('r', 'I') AS c2 \gset
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT coderring_get_code('r', 'I') AS c3 \gset
SELECT cycle_offset FROM coderring.series WHERE ring = 'r' AND extra = 'I';
SELECT coderring_get_code('r', 'I') AS c4 \gset
SELECT cycle_offset FROM coderring.series WHERE ring = 'r' AND extra = 'I';
COMMIT;
INSERT INTO received VALUES (:'c1'), (:'c2'), (:'c3'), (:'c4');
SELECT * FROM pg_temp.finish('r', 'I');
SELECT count(coderring_drop(name)) FROM coderring.rings;
