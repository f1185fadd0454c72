--
-- create, drop, rename and reset are transactional, like DDL.
--
\pset format unaligned
\pset tuples_only on
-- The next code of a ring in brackets, or the error
CREATE FUNCTION pg_temp.next(ring text, extra text DEFAULT '') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN '[' || coderring_get_code(ring, extra) || ']';
EXCEPTION WHEN undefined_object THEN
	RETURN SQLERRM;
END $$;
--
-- create
--
BEGIN;
SELECT coderring_create('c', 2), coderring_reset('c', test_seed => 'lifecycle');
SELECT pg_temp.next('c'), pg_temp.next('c', 'E');
ROLLBACK;
SELECT pg_temp.next('c'), (SELECT count(*) FROM coderring.rings);
-- Made again, it is a ring of its own, at its beginning.
BEGIN;
SELECT coderring_create('c', 2), coderring_reset('c', test_seed => 'lifecycle');
SELECT pg_temp.next('c'), pg_temp.next('c', 'E');
COMMIT;
SELECT pg_temp.next('c'), pg_temp.next('c', 'E');
-- In savepoints
BEGIN;
SAVEPOINT s;
SELECT coderring_create('s', 1), length(pg_temp.next('s'));
ROLLBACK TO s;
SELECT pg_temp.next('s');
SELECT coderring_create('s', 2), length(pg_temp.next('s'));
SAVEPOINT s;
SELECT coderring_drop('s'), coderring_create('s', 3), length(pg_temp.next('s'));
ROLLBACK TO s;
SELECT length(pg_temp.next('s'));
SAVEPOINT t;
SELECT coderring_drop('s');
RELEASE t;
SELECT pg_temp.next('s');
ROLLBACK TO s;
SELECT length(pg_temp.next('s'));
COMMIT;
SELECT length(pg_temp.next('s')), (SELECT cycle_offset FROM coderring.series WHERE ring = 's');
-- Rows that a failed create leaves behind do not stay for ever, and never
-- come in the way: later calls of create and drop sweep them.
BEGIN;
SELECT count(coderring_create('orphan' || i, 1)) FROM generate_series(1, 20) i;
SELECT count(coderring_get_code('orphan' || i, e::text)) FROM generate_series(1, 20) i, generate_series(1, 5) e;
ROLLBACK;
SELECT count(*) > 50 FROM coderring.series_state s WHERE NOT EXISTS (SELECT FROM coderring.ring r WHERE r.incarnation = s.incarnation);
SELECT count(*) FROM coderring.series WHERE ring LIKE 'orphan%';
DO $$
BEGIN
	FOR i IN 1..10 LOOP
		PERFORM coderring_create('sweep'), coderring_drop('sweep');
	END LOOP;
END $$;
SELECT count(*) FROM coderring.series_state s WHERE NOT EXISTS (SELECT FROM coderring.ring r WHERE r.incarnation = s.incarnation);
--
-- drop
--
SELECT coderring_drop('s');
SELECT pg_temp.next('s');
-- Rolled back: it goes on without a gap, in this session and in the block
-- that it had.
SELECT coderring_create('d', 2);
CREATE TEMP TABLE received (code text COLLATE "C");
INSERT INTO received SELECT coderring_get_codes('d', 5);
BEGIN;
SELECT coderring_drop('d');
SELECT pg_temp.next('d');
ROLLBACK;
INSERT INTO received SELECT coderring_get_codes('d', 20);
BEGIN;
SAVEPOINT s;
SELECT coderring_drop('d');
ROLLBACK TO s;
SELECT string_agg(c, ',') AS codes FROM coderring_get_codes('d', 3) c \gset
SELECT coderring_drop('d');
SELECT coderring_create('d', 2), length(pg_temp.next('d')), length(pg_temp.next('d', 'E'));
ROLLBACK;
INSERT INTO received SELECT unnest(string_to_array(:'codes', ','));
SELECT extra, cycle_offset FROM coderring.series WHERE ring = 'd';
INSERT INTO received SELECT coderring_get_codes('d', 1024 - 28);
SELECT count(*), count(DISTINCT code) FROM received;
-- Dropped and made again under the same name in one transaction: another
-- ring, whose codes are not those of the old one
BEGIN;
SELECT coderring_drop('d'), coderring_create('d', 3), coderring_reset('d', test_seed => 'lifecycle');
SELECT pg_temp.next('d'), pg_temp.next('d', 'E');
COMMIT;
SELECT pg_temp.next('d'), pg_temp.next('d', 'E');
SELECT extra, cycle, cycle_offset, codes_per_cycle FROM coderring.series WHERE ring = 'd' ORDER BY 1;
-- Nothing is left of a dropped ring.
SELECT coderring_drop('d'), coderring_drop('c');
SELECT count(*) FROM coderring.series_state;
SELECT coderring_drop('d', true);
SELECT coderring_drop('d', if_exists => true);
SELECT coderring_drop('d');
--
-- rename
--
SELECT coderring_create('old', 2), coderring_reset('old', test_seed => 'rename');
SELECT pg_temp.next('old'), pg_temp.next('old', 'E');
SELECT coderring_rename('old', 'new');
SELECT pg_temp.next('old'), pg_temp.next('new'), pg_temp.next('new', 'E');
BEGIN;
SELECT coderring_rename('new', 'newer');
SELECT pg_temp.next('new'), pg_temp.next('newer'), pg_temp.next('newer', 'E');
ROLLBACK;
SELECT pg_temp.next('newer'), pg_temp.next('new'), pg_temp.next('new', 'E');
BEGIN;
SAVEPOINT s;
SELECT coderring_rename('new', 'a');
ROLLBACK TO s;
SELECT coderring_rename('new', 'b'), pg_temp.next('b'), pg_temp.next('a'), pg_temp.next('new');
COMMIT;
SELECT pg_temp.next('b'), pg_temp.next('a'), pg_temp.next('new');
-- Two names exchanged: each ring keeps its codes.
SELECT coderring_create('other', 3), coderring_reset('other', test_seed => 'rename');
BEGIN;
SELECT coderring_rename('b', 'tmp'), coderring_rename('other', 'b'), coderring_rename('tmp', 'other');
COMMIT;
SELECT pg_temp.next('b'), pg_temp.next('other');
SELECT coderring_rename('b', 'other');
SELECT coderring_rename('b', 'b');
SELECT coderring_rename('nothing', 'something');
SELECT pg_temp.next('b'), pg_temp.next('other');
SELECT name, base_length FROM coderring.rings ORDER BY 1;
SELECT count(coderring_drop(name)) FROM coderring.rings;
--
-- reset
--
SELECT coderring_create('r', 2), coderring_reset('r', test_seed => 'reset');
CREATE TEMP TABLE first_codes AS SELECT coderring_get_codes('r', 10) AS code;
SELECT coderring_get_code('r', 'E');
SELECT coderring_reset('r', test_seed => 'reset');
SELECT count(*) FROM coderring.series;
SELECT count(*) FROM first_codes JOIN coderring_get_codes('r', 10) code USING (code);
-- Without a seed it is another order.
SELECT coderring_reset('r');
SELECT count(*) < 5 FROM (SELECT code, row_number() OVER () AS n FROM first_codes) f
	JOIN coderring_get_codes('r', 10) WITH ORDINALITY AS g (code, n) USING (code, n);
-- Rolled back: the series go on without a gap.
TRUNCATE received;
SELECT coderring_reset('r');
INSERT INTO received SELECT coderring_get_codes('r', 9);
INSERT INTO received SELECT coderring_get_codes('r', 9, 'E');
BEGIN;
SELECT coderring_reset('r', 3);
SELECT length(coderring_get_code('r')), length(coderring_get_code('r', 'E')), (SELECT first_cycle FROM coderring.rings);
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT coderring_reset('r'), length(coderring_get_code('r'));
SAVEPOINT t;
SELECT coderring_reset('r'), length(coderring_get_code('r'));
ROLLBACK TO s;
SELECT string_agg(c, ',') AS codes FROM coderring_get_codes('r', 3) c \gset
SELECT coderring_reset('r'), coderring_reset('r'), coderring_rename('r', 'q'), length(coderring_get_code('q'));
ROLLBACK;
INSERT INTO received SELECT unnest(string_to_array(:'codes', ','));
SELECT extra, cycle, cycle_offset FROM coderring.series ORDER BY 1;
INSERT INTO received SELECT coderring_get_codes('r', 1024 - 12);
INSERT INTO received SELECT coderring_get_codes('r', 1024 - 9, 'E');
SELECT left(code, -2), count(*), count(DISTINCT code) FROM received GROUP BY 1 ORDER BY 1;
-- In a transaction that commits, several times
BEGIN;
SELECT coderring_reset('r', test_seed => 'one'), coderring_get_code('r');
SELECT coderring_reset('r', test_seed => 'two'), coderring_get_code('r');
SAVEPOINT s;
SELECT coderring_reset('r', test_seed => 'one'), coderring_get_code('r');
RELEASE s;
COMMIT;
SELECT coderring_get_code('r');
SELECT extra, cycle, cycle_offset FROM coderring.series ORDER BY 1;
SELECT count(*) FROM coderring.series_state;
SELECT coderring_reset('nothing');
SELECT coderring_drop('r');
--
-- if_not_exists
--
SELECT coderring_create('i', if_not_exists => true);
SELECT coderring_create('i', if_not_exists => true);
SELECT coderring_create('i', 4, NULL, NULL, false, NULL, 0, true);
SELECT coderring_create('i', 3, if_not_exists => true);
SELECT coderring_create('i', alphabet => '01', if_not_exists => true);
SELECT coderring_create('i', max_length => 9, if_not_exists => true);
SELECT coderring_create('i', first_cycle => 7, if_not_exists => true);
SELECT coderring_create('i', 2, 'english', '01', true, 8, 5, true);
SELECT coderring_create('j', 2, NULL, '01', false, 8, 5);
SELECT coderring_create('j', if_not_exists => true);
SELECT coderring_create('j', 2, NULL, '01', false, 8, 5, true);
SELECT coderring_create('j', 2, NULL, '10', false, 8, 5, true);
-- Options that no ring can have are an error also then.
SELECT coderring_create('j', 13, if_not_exists => true);
SELECT coderring_create('j');
SELECT coderring_create('j', if_not_exists => NULL);
SELECT name, base_length, alphabet, max_length, first_cycle FROM coderring.rings ORDER BY name;
SELECT count(coderring_drop(name)) FROM coderring.rings;
-- A hundred rings in a transaction, each with codes, half of them dropped,
-- some savepoints undone
BEGIN;
DO $$
BEGIN
	FOR i IN 1..100 LOOP
		PERFORM coderring_create('h' || i, 1), coderring_get_code('h' || i);
		IF i % 2 = 0 THEN PERFORM coderring_drop('h' || i); END IF;
		BEGIN
			PERFORM coderring_reset('h1'), coderring_get_code('h1'), coderring_create('x'), coderring_get_code('x');
			RAISE division_by_zero;
		EXCEPTION WHEN division_by_zero THEN NULL;
		END;
	END LOOP;
END $$;
SELECT count(*), sum(cycle_offset) FROM coderring.series;
COMMIT;
SELECT count(*), sum(cycle_offset) FROM coderring.series;
SELECT count(coderring_get_code(name)) FROM coderring.rings;
SELECT count(*), sum(cycle_offset) FROM coderring.series;
BEGIN;
SELECT count(coderring_drop(name)) FROM coderring.rings;
ROLLBACK;
SELECT count(coderring_get_code(name)) FROM coderring.rings;
SELECT count(*), sum(cycle_offset) FROM coderring.series;
SELECT count(coderring_drop(name)) FROM coderring.rings;
SELECT count(*) FROM coderring.series_state;
