-- Everyday work of every kind that coderring's tests do, without coderring: what
-- valgrind says of it is the server's own.
CREATE TABLE work (id bigserial PRIMARY KEY, name text COLLATE "C" UNIQUE, key uuid DEFAULT gen_random_uuid(), words text[], bytes bytea, number numeric);
INSERT INTO work (name, words, bytes, number)
	SELECT 'row ' || i, ARRAY[i::text, repeat('x', i)], sha256(i::text::bytea), i / 7.0 FROM generate_series(1, 2000) i;
UPDATE work SET number = number + 1 WHERE id % 3 = 0;
DELETE FROM work WHERE id % 5 = 0;
CREATE INDEX ON work (key);
VACUUM FULL ANALYZE work;
VACUUM (FREEZE) work;
CHECKPOINT;
CREATE FUNCTION fails(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE query;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ': ' || SQLERRM;
END $$;
SELECT fails('SELECT 1/0'), fails('SELECT nothing'), fails('INSERT INTO work (name) VALUES (''row 1'')');
BEGIN;
SAVEPOINT s;
SELECT count(*), sum(number), max(name) FROM work a JOIN work b USING (key, number, name);
ROLLBACK TO s;
CREATE ROLE regress_valgrind;
GRANT SELECT ON work TO regress_valgrind;
SET ROLE regress_valgrind;
SELECT string_agg(name, ',' ORDER BY name DESC), count(DISTINCT words) FROM work;
RESET ROLE;
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT nextval('work_id_seq'), pg_advisory_xact_lock(1), count(*) FROM work WHERE words[1] > '5';
COMMIT;
PREPARE get(int) AS SELECT name FROM work WHERE id = $1;
EXECUTE get(1); EXECUTE get(2); EXECUTE get(3); EXECUTE get(4); EXECUTE get(6); EXECUTE get(7);
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
SELECT count(*) FROM work WHERE name LIKE '%7%';
SELECT count(*) FROM work, (VALUES ('^row 1'), ('2$'), ('[3-5]'), ('(6|7)+'), ('^row 1'), ('[3-5]')) pattern (p) WHERE name ~ p AND words[2] !~ 'y';
ALTER TABLE work ADD more int DEFAULT 5;
ALTER SYSTEM SET work_mem = '5MB';
SELECT pg_reload_conf(), pg_switch_wal();
ALTER SYSTEM RESET work_mem;
CREATE DATABASE other TEMPLATE template0;
DROP DATABASE other;
DROP TABLE work;
DROP FUNCTION fails;
