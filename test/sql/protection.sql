--
-- What SQL may do to the tables, and what it may not
--
\pset format unaligned
\pset tuples_only on
SELECT coderring_create('p', 2), coderring_reset('p', test_seed => 'protection');
CREATE TEMP TABLE expected AS SELECT code, n FROM coderring_get_codes('p', 1024) WITH ORDINALITY AS t (code, n);
SELECT coderring_reset('p', test_seed => 'protection');
CREATE TEMP TABLE received (n bigint GENERATED ALWAYS AS IDENTITY, code text);
CREATE FUNCTION pg_temp.take(count int DEFAULT 20) RETURNS void LANGUAGE sql AS $$
	INSERT INTO received (code) SELECT coderring_get_codes('p', count)
$$;
SELECT pg_temp.take();
SELECT length(coderring_get_code('p', 'X')), length(coderring_get_code('p', '', true)), coderring_reset('p', test_seed => 'protection');
TRUNCATE received RESTART IDENTITY;
SELECT pg_temp.take();
SELECT length(coderring_get_code('p', 'E'));
-- The rows of series are written past the executor, so nothing else may.
UPDATE coderring.series_state SET reserved_to = 0;
UPDATE coderring.series_state SET extra = extra;
DELETE FROM coderring.series_state;
TRUNCATE coderring.series_state;
INSERT INTO coderring.series_state (incarnation, reserved_to, counted_to, unblocked, filter, timeline, pace, measured_from, measured_at, reserved_at, extra)
	SELECT incarnation, 0, 0, 0, filter, timeline, 0, 0, now(), now(), extra FROM coderring.series_state
	ON CONFLICT (incarnation, extra) DO UPDATE SET reserved_to = 0;
INSERT INTO coderring.skipped_positions SELECT incarnation, 8 * 1024 - 1, 7 * 1024, 'E' FROM coderring.ring;
UPDATE coderring.skipped_positions SET last_position = 0;
DELETE FROM coderring.skipped_positions;
TRUNCATE coderring.skipped_positions;
TRUNCATE coderring.series_state CASCADE;
TRUNCATE coderring.ring, coderring.series_state, coderring.skipped_positions CASCADE;
-- nor definitions: a test suite that empties all tables would take them along
DELETE FROM coderring.ring;
TRUNCATE coderring.ring CASCADE;
DELETE FROM coderring.blocklist WHERE builtin;
TRUNCATE coderring.blocklist CASCADE;
SELECT coderring_grant(name, 'public') FROM coderring.rings LIMIT 1;
DELETE FROM coderring.ring_grant;
TRUNCATE coderring.ring_grant CASCADE;
DO $$
DECLARE
	tab text;
BEGIN
	FOR tab IN SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'coderring' ORDER BY 1 LOOP
		BEGIN
			EXECUTE format('TRUNCATE %s CASCADE', tab);
			RAISE NOTICE '%: emptied', tab;
		EXCEPTION WHEN OTHERS THEN
			RAISE NOTICE '%: % %', tab, SQLSTATE, SQLERRM;
		END;
	END LOOP;
END $$;
-- Also not as a replica
SET session_replication_role = replica;
UPDATE coderring.series_state SET reserved_to = 0;
DELETE FROM coderring.series_state;
TRUNCATE coderring.series_state CASCADE;
UPDATE coderring.skipped_positions SET last_position = 0;
DELETE FROM coderring.skipped_positions;
TRUNCATE coderring.skipped_positions CASCADE;
RESET session_replication_role;
SELECT pg_temp.take();
-- drop and reset may, of course.
SELECT coderring_create('other', 1), length(coderring_get_code('other')), coderring_reset('other'),
	length(coderring_get_code('other')), coderring_drop('other');
SELECT extra, reserved_to FROM coderring.series_state ORDER BY 1;
-- Maintenance between calls, and in a transaction with them
VACUUM coderring.series_state, coderring.ring, coderring.skipped_positions;
SELECT pg_temp.take();
VACUUM FULL coderring.series_state;
SELECT pg_temp.take();
VACUUM FULL coderring.ring;
SELECT pg_temp.take();
VACUUM (FREEZE, ANALYZE) coderring.series_state;
SELECT pg_temp.take();
REINDEX TABLE coderring.series_state;
SELECT pg_temp.take();
REINDEX TABLE CONCURRENTLY coderring.series_state;
SELECT pg_temp.take();
REINDEX TABLE coderring.ring;
SELECT pg_temp.take();
CLUSTER coderring.series_state USING series_state_key;
SELECT pg_temp.take();
ANALYZE coderring.series_state;
SELECT pg_temp.take();
-- Not in the transaction that rewrites the table: it could be rolled back,
-- and with it what was reserved. (What had been reserved before may be taken:
-- here nothing, since 224 codes are 14 whole blocks of 16.)
SELECT pg_temp.take(4), count(*) FROM received;
BEGIN;
CLUSTER coderring.series_state USING series_state_key;
SAVEPOINT s;
SELECT coderring_get_codes('p', 40);
ROLLBACK TO s;
SELECT coderring_get_code('p', 'new');
ROLLBACK;
SELECT pg_temp.take(60);
-- Nor in one that makes an index of it anew, in which a new row would be entered.
SELECT pg_temp.take(4), count(*) FROM received;
BEGIN;
REINDEX TABLE coderring.series_state;
SAVEPOINT s;
SELECT coderring_get_codes('p', 40);
ROLLBACK TO s;
SELECT coderring_get_code('p', 'new');
ROLLBACK;
SELECT pg_temp.take(60);
-- Nor in one that has dropped an index: a rollback brings it back, without an
-- entry of the new row.
SELECT pg_temp.take(4), count(*) FROM received;
BEGIN;
DROP INDEX coderring.series_state_key CASCADE;
SAVEPOINT s;
SELECT coderring_get_codes('p', 40);
ROLLBACK TO s;
SELECT coderring_get_code('p', 'new');
ROLLBACK;
SELECT pg_temp.take(60);
-- Row locks
BEGIN;
SELECT extra FROM coderring.series_state ORDER BY extra FOR UPDATE;
SELECT pg_temp.take();
SELECT count(*) FROM (SELECT FROM coderring.ring FOR UPDATE) r;
SELECT pg_temp.take();
COMMIT;
SELECT pg_temp.take();
BEGIN;
SELECT extra FROM coderring.series_state ORDER BY extra FOR SHARE;
SELECT string_agg(c, ',') AS codes FROM coderring_get_codes('p', 40) c \gset
ROLLBACK;
INSERT INTO received (code) SELECT unnest(string_to_array(:'codes', ','));
-- Another index, dropped again
CREATE INDEX regress_coderring_index ON coderring.series_state (extra);
SELECT pg_temp.take(), length(coderring_get_code('p', 'F'));
SET enable_seqscan = off;
SELECT extra FROM coderring.series_state WHERE extra = 'F';
RESET enable_seqscan;
DROP INDEX coderring.regress_coderring_index;
SELECT pg_temp.take();
SELECT pg_temp.take(1024 - (SELECT count(*)::int FROM received));
SELECT count(*), count(DISTINCT code), count(*) FILTER (WHERE r.code = e.code) AS in_order
	FROM received r JOIN expected e USING (n, code);
--
-- A superuser may change definitions; every session sees it at once.
--
SELECT coderring_create('d', 1), length(coderring_get_code('d'));
UPDATE coderring.ring SET max_length = 1 WHERE name = 'd';
SELECT count(*) FROM (SELECT coderring_get_codes('d', 31)) c;
SELECT coderring_get_code('d');
BEGIN;
UPDATE coderring.ring SET max_length = 2 WHERE name = 'd';
SELECT length(coderring_get_code('d'));
ROLLBACK;
SELECT coderring_get_code('d', '', true);
UPDATE coderring.ring SET max_length = NULL, name = 'e' WHERE name = 'd';
SELECT coderring_get_code('d');
SELECT length(coderring_get_code('e'));
SELECT coderring_drop('e');
SELECT coderring_get_code('e');
SET session_replication_role = replica;
UPDATE coderring.ring SET name = 'q' WHERE name = 'p';
RESET session_replication_role;
SELECT coderring_get_code('p');
SELECT left(coderring_get_code('q'), -2);
-- A definition that no function would write
BEGIN;
UPDATE coderring.ring SET alphabet = 'AA', key = sha256('AA'), incarnation = gen_random_uuid() WHERE name = 'q';
SELECT coderring_get_code('q');
ROLLBACK;
BEGIN;
UPDATE coderring.ring SET alphabet = 'A B', key = sha256('A B'), incarnation = gen_random_uuid() WHERE name = 'q';
SELECT coderring_get_code('q');
ROLLBACK;
SELECT left(coderring_get_code('q'), -2);
-- The key is what orders the codes.
BEGIN;
UPDATE coderring.ring SET key = decode(repeat('00', 32), 'hex'), incarnation = gen_random_uuid() WHERE name = 'q';
SELECT coderring_get_code('q') = (SELECT code FROM expected WHERE n = 1);
ROLLBACK;
-- What its codes are stays with its incarnation,
UPDATE coderring.ring SET key = sha256('other') WHERE name = 'q';
\set VERBOSITY terse
UPDATE coderring.ring SET id = gen_random_uuid() WHERE name = 'q';
UPDATE coderring.ring SET alphabet = reverse(alphabet) WHERE name = 'q';
UPDATE coderring.ring SET base_length = 3 WHERE name = 'q';
UPDATE coderring.ring SET check_character = true WHERE name = 'q';
UPDATE coderring.ring SET first_cycle = 3 WHERE name = 'q';
-- and another one wants another key: that is a reset.
UPDATE coderring.ring SET incarnation = gen_random_uuid() WHERE name = 'q';
UPDATE coderring.ring SET incarnation = gen_random_uuid(), first_cycle = 3, max_length = 9 WHERE name = 'q';
UPDATE coderring.ring SET incarnation = gen_random_uuid(), key = sha256('other'), id = gen_random_uuid() WHERE name = 'q';
-- Where new series begin goes forward only.
BEGIN;
UPDATE coderring.ring SET new_series_cycle = 2 WHERE name = 'q';
UPDATE coderring.ring SET new_series_cycle = 1 WHERE name = 'q';
ROLLBACK;
BEGIN;
UPDATE coderring.ring SET new_series_cycle = 2 WHERE name = 'q';
UPDATE coderring.ring SET new_series_cycle = 0, key = sha256('other'), incarnation = gen_random_uuid() WHERE name = 'q';
ROLLBACK;
-- The rest may be changed, and all written as it is.
BEGIN;
UPDATE coderring.ring SET id = id, key = key, alphabet = alphabet, incarnation = incarnation, max_length = 5, owner_name = owner_name, timeline = timeline + 1,
	blocklist = NULL, replicated = true WHERE name = 'q';
ROLLBACK;
INSERT INTO coderring.ring SELECT * FROM coderring.ring WHERE name = 'q'
	ON CONFLICT (id) DO UPDATE SET key = EXCLUDED.key, incarnation = EXCLUDED.incarnation, first_cycle = EXCLUDED.first_cycle;
-- What is gone in a transaction does not come back in it: it would begin at 0.
BEGIN;
CREATE TEMP TABLE copied AS SELECT * FROM coderring.ring WHERE name = 'q';
SAVEPOINT s;
SELECT coderring_drop('q');
SAVEPOINT t;
INSERT INTO coderring.ring SELECT * FROM copied;
ROLLBACK TO t;
\set VERBOSITY default
INSERT INTO coderring.ring SELECT * FROM copied;
\set VERBOSITY terse
ROLLBACK TO s;
SAVEPOINT s;
SELECT coderring_drop('q');
RELEASE s;
SAVEPOINT s;
INSERT INTO coderring.ring SELECT * FROM copied;
ROLLBACK TO s;
UPDATE copied SET incarnation = gen_random_uuid();
INSERT INTO coderring.ring SELECT * FROM copied;
ROLLBACK;
BEGIN;
CREATE TEMP TABLE copied AS SELECT * FROM coderring.ring WHERE name = 'q';
UPDATE coderring.ring SET incarnation = gen_random_uuid(), key = sha256('other') WHERE name = 'q';
UPDATE coderring.ring SET incarnation = copied.incarnation, key = copied.key FROM copied WHERE ring.name = 'q';
ROLLBACK;
-- (Deleted and inserted, and the deletion rolled back, it is in the way as ever.)
BEGIN;
CREATE TEMP TABLE copied AS SELECT * FROM coderring.ring WHERE name = 'q';
SAVEPOINT s;
SELECT coderring_drop('q');
ROLLBACK TO s;
INSERT INTO coderring.ring SELECT * FROM copied;
ROLLBACK;
\set VERBOSITY default
SELECT left(coderring_get_code('q'), -2);
-- The triggers are triggers and nothing else.
SELECT coderring.refuse_change();
-- A row that a restored dump would insert: the owner is found by name.
INSERT INTO coderring.ring (id, name, incarnation, key, owner, owner_name, first_cycle, base_length, alphabet, check_character, timeline)
	SELECT gen_random_uuid(), 'restored', gen_random_uuid(), key, 1, owner_name, 0, 2, alphabet, false, timeline FROM coderring.ring;
SELECT owner = current_user::regrole FROM coderring.ring WHERE name = 'restored';
SELECT coderring_get_code('restored') = (SELECT code FROM expected WHERE n = 1);
INSERT INTO coderring.ring (id, name, incarnation, key, owner, owner_name, first_cycle, base_length, alphabet, check_character)
	SELECT gen_random_uuid(), 'orphan', gen_random_uuid(), key, 1, 'regress_coderring_gone', 0, 2, alphabet, false FROM coderring.ring LIMIT 1;
SELECT owner FROM coderring.ring WHERE name = 'orphan';
SELECT length(coderring_get_code('orphan'));
-- A restored series goes on from what the dump says, never before.
INSERT INTO coderring.series_state SELECT incarnation, 500, 500, 500, 0, 1, 0, 0, now(), now(), 'S' FROM coderring.ring WHERE name = 'restored';
SELECT cycle_offset FROM coderring.series WHERE ring = 'restored' AND extra = 'S';
SELECT left(coderring_get_code('restored', 'S'), 1);
SELECT cycle_offset FROM coderring.series WHERE ring = 'restored' AND extra = 'S';
-- No table of ours becomes one that a crash would empty,
ALTER TABLE coderring.series_state SET UNLOGGED;
ALTER TABLE coderring.skipped_positions SET UNLOGGED;
ALTER TABLE coderring.ring SET UNLOGGED;
ALTER TABLE coderring.ring_grant SET UNLOGGED;
ALTER TABLE coderring.blocklist SET UNLOGGED;
-- and if somebody takes the guard away there are no codes from it.
BEGIN;
ALTER TABLE coderring.ring DROP CONSTRAINT ring_incarnation_no_extra_fkey;
ALTER TABLE coderring.series_state SET UNLOGGED;
SELECT coderring_get_code('restored', 'new');
ROLLBACK;
BEGIN;
ALTER TABLE coderring.guard SET UNLOGGED;
ALTER TABLE coderring.ring SET UNLOGGED;
SELECT coderring_get_code('restored', 'new');
ROLLBACK;
SELECT length(coderring_get_code('restored', 'new'));
-- DROP EXTENSION is possible in spite of the triggers.
BEGIN;
DROP EXTENSION coderring;
ROLLBACK;
SELECT count(coderring_drop(name)) FROM coderring.rings;
