--
-- Rows of a ring that come and go by SQL, as a restore, a superuser or
-- logical replication makes them
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS coderring;
CREATE EXTENSION coderring;
RESET client_min_messages;
\pset format unaligned
\pset tuples_only on

-- A dropped ring that comes back in the running server goes on from its row:
-- what memory knew of it before is not used again.
SELECT coderring_create('back', 3);
SELECT count(coderring_get_code('back')) FROM generate_series(1, 39);
CREATE TEMP TABLE ring_kept AS SELECT * FROM coderring.ring WHERE name = 'back';
CREATE TEMP TABLE state_kept AS SELECT * FROM coderring.series_state WHERE incarnation IN (SELECT incarnation FROM ring_kept);
SELECT coderring_drop('back');
INSERT INTO coderring.series_state SELECT * FROM state_kept;
INSERT INTO coderring.ring SELECT * FROM ring_kept;
SELECT cycle_offset = (SELECT reserved_to FROM state_kept) FROM coderring.series;
SELECT count(coderring_get_code('back')) FROM generate_series(1, 5);
SELECT cycle_offset - (SELECT reserved_to FROM state_kept) FROM coderring.series;

-- A row that is there already is left out, and the series is where the further of both says.
INSERT INTO coderring.series_state SELECT * FROM state_kept;
SELECT count(*), min(cycle_offset) - (SELECT reserved_to FROM state_kept) FROM coderring.series;
UPDATE state_kept SET reserved_to = reserved_to + 1000, counted_to = counted_to + 1000, unblocked = unblocked + 1000;
INSERT INTO coderring.series_state SELECT * FROM state_kept;
SELECT count(*), min(cycle_offset) - (SELECT reserved_to FROM state_kept) FROM coderring.series;
SELECT count(coderring_get_code('back')) FROM generate_series(1, 5);
SELECT cycle_offset - (SELECT reserved_to FROM state_kept) FROM coderring.series;
INSERT INTO coderring.skipped_positions SELECT incarnation, 900000, 800000, '' FROM ring_kept;
INSERT INTO coderring.skipped_positions SELECT incarnation, 900000, 800000, '' FROM ring_kept;
SELECT count(*) FROM coderring.skipped_positions;

-- One that a call left empty before it failed gives way to what a restore brings,
-- and is there again when that is rolled back.
INSERT INTO coderring.skipped_positions SELECT incarnation, 700000, 700001, '' FROM ring_kept;
BEGIN;
INSERT INTO coderring.skipped_positions SELECT incarnation, 700000, 650000, '' FROM ring_kept;
SELECT last_position, first_position FROM coderring.skipped_positions ORDER BY 1;
ROLLBACK;
SELECT last_position, first_position FROM coderring.skipped_positions ORDER BY 1;
INSERT INTO coderring.skipped_positions SELECT incarnation, 700000, 600000, '' FROM ring_kept;
INSERT INTO coderring.skipped_positions SELECT incarnation, 700000, 500000, '' FROM ring_kept;
SELECT last_position, first_position FROM coderring.skipped_positions ORDER BY 1;

-- Rows that are here already ask for nothing, where nothing is written either; what
-- the table's constraints refuse is not written in place.
BEGIN;
LOCK TABLE coderring.skipped_positions IN SHARE ROW EXCLUSIVE MODE;
INSERT INTO coderring.skipped_positions SELECT incarnation, 700000, 600000, '' FROM ring_kept;
COMMIT;
INSERT INTO coderring.skipped_positions SELECT incarnation, 750000, 750001, '' FROM ring_kept;
\set VERBOSITY terse
INSERT INTO coderring.skipped_positions SELECT incarnation, 750000, -5, '' FROM ring_kept;
UPDATE state_kept SET incarnation = '00000000-0000-4000-8000-000000000002';
INSERT INTO coderring.series_state SELECT * FROM state_kept;
UPDATE state_kept SET reserved_to = reserved_to + 1, counted_to = -5;
INSERT INTO coderring.series_state SELECT * FROM state_kept;
\set VERBOSITY default
SELECT count(*) FILTER (WHERE counted_to < 0), count(*) FROM coderring.series_state;
BEGIN;
ALTER TABLE coderring.series_state DISABLE TRIGGER refuse_change;
DELETE FROM coderring.series_state WHERE incarnation = '00000000-0000-4000-8000-000000000002';
ALTER TABLE coderring.series_state ENABLE ALWAYS TRIGGER refuse_change;
COMMIT;

-- What a series passes over in the transaction that has restored it stays.
SELECT coderring_create('passed', 1);
SELECT count(coderring_get_code('passed')) FROM generate_series(1, 30);
BEGIN;
INSERT INTO coderring.skipped_positions SELECT incarnation, 63, 32, '' FROM coderring.ring WHERE name = 'passed';
SELECT count(coderring_get_code('passed')) FROM generate_series(1, 4);
ROLLBACK;
SELECT cycle, cycle_offset FROM coderring.series WHERE ring = 'passed';
SELECT last_position, first_position FROM coderring.skipped_positions JOIN coderring.ring USING (incarnation) WHERE name = 'passed';
SELECT coderring_drop('passed');

-- State that is restored before its ring is no orphan, whoever creates and
-- drops rings meanwhile.
TRUNCATE state_kept;
INSERT INTO state_kept SELECT * FROM coderring.series_state WHERE incarnation IN (SELECT incarnation FROM ring_kept);
SELECT coderring_drop('back');
INSERT INTO coderring.series_state SELECT * FROM state_kept;
DO $$
BEGIN
	FOR i IN 1..50 LOOP
		PERFORM coderring_create('other', 1), coderring_get_code('other'), coderring_drop('other');
	END LOOP;
END $$;
SELECT count(*) FROM coderring.series_state;
INSERT INTO coderring.ring SELECT * FROM ring_kept;
SELECT cycle_offset = (SELECT reserved_to FROM state_kept) FROM coderring.series;

-- A row that is inserted, used and rolled back has been used for good.
SELECT coderring_create('used', 3);
BEGIN;
INSERT INTO coderring.series_state SELECT incarnation, 0, 0, 0, 0, 1, 0, 0, now(), now(), 'T' FROM coderring.ring WHERE name = 'used';
SELECT length(coderring_get_code('used', 'T'));
ROLLBACK;
SELECT reserved_to, cycle_offset FROM coderring.series WHERE ring = 'used';
SELECT coderring_drop('used');

-- Where a row is lost in spite of the triggers, what memory has reserved is
-- reserved anew before it is handed out.
SELECT coderring_create('lost', 4);
SELECT count(coderring_get_codes) FROM coderring_get_codes('lost', 20000);
BEGIN;
ALTER TABLE coderring.series_state DISABLE TRIGGER refuse_change;
DELETE FROM coderring.series_state WHERE incarnation = (SELECT incarnation FROM coderring.ring WHERE name = 'lost');
ALTER TABLE coderring.series_state ENABLE ALWAYS TRIGGER refuse_change;
COMMIT;
SELECT count(DISTINCT coderring_get_codes) FROM coderring_get_codes('lost', 6000);
SELECT cycle_offset, reserved_to >= cycle_offset FROM coderring.series WHERE ring = 'lost';
SELECT coderring_drop('lost');

-- Within the command that deletes it a ring is gone.
BEGIN;
ALTER TABLE coderring.ring DISABLE TRIGGER admit_row;
DELETE FROM coderring.ring WHERE name = 'back' RETURNING coderring_get_code('back');
ROLLBACK;
SELECT name FROM coderring.rings;

-- Rows of a series go with their ring, by SQL too; those of a new incarnation stay.
SELECT coderring_grant('back', 'public');
UPDATE coderring.ring SET max_length = 9 WHERE name = 'back';
SELECT count(*) FROM coderring.series_state;
UPDATE coderring.ring SET incarnation = '00000000-0000-4000-8000-000000000001', key = sha256('other') WHERE name = 'back';
SELECT count(*) FROM coderring.series_state;
SELECT length(coderring_get_code('back'));
BEGIN;
ALTER TABLE coderring.ring DISABLE TRIGGER admit_row;
DELETE FROM coderring.ring;
ALTER TABLE coderring.ring ENABLE ALWAYS TRIGGER admit_row;
COMMIT;
SELECT count(*) FROM coderring.series_state;
SELECT count(*) FROM coderring.ring_grant;
SELECT coderring_get_code('back');

-- Dropped twice in one transaction, and memory is none the worse (by SQL it
-- would not come back in it; what has come by replication may)
SELECT coderring_create('twice', 3), length(coderring_get_code('twice'));
BEGIN;
TRUNCATE ring_kept;
INSERT INTO ring_kept SELECT * FROM coderring.ring;
SELECT coderring_drop('twice');
SET LOCAL session_replication_role = replica;
INSERT INTO coderring.ring SELECT * FROM ring_kept;
RESET session_replication_role;
SELECT replicated FROM coderring.ring;
SELECT coderring_drop('twice');
COMMIT;
SELECT coderring_create('next', 3), length(coderring_get_code('next'));

-- What no function of the extension would have written
\set VERBOSITY terse
INSERT INTO coderring.series_state SELECT incarnation, 5, 5, 5, 0, 1, 0, 0, now(), now(), repeat('A', 64) FROM coderring.ring;
INSERT INTO coderring.series_state SELECT incarnation, -48, 0, 0, 0, 1, 0, 0, now(), now(), 'A' FROM coderring.ring;
UPDATE coderring.ring SET first_cycle = -1, incarnation = gen_random_uuid(), key = sha256('other');
\set VERBOSITY default
ALTER TABLE coderring.series_state DROP CONSTRAINT series_state_check, DROP CONSTRAINT series_state_extra_check;
BEGIN;
INSERT INTO coderring.series_state SELECT incarnation, 5, 5, 5, 0, 1, 0, 0, now(), now(), repeat('A', 2000) FROM coderring.ring;
SAVEPOINT s;
SELECT coderring_start_rings();
ROLLBACK TO s;
SELECT count(*) FROM coderring.series;
ROLLBACK;
BEGIN;
INSERT INTO coderring.series_state SELECT incarnation, -48, 0, 0, 0, 1, 0, 0, now(), now(), 'A' FROM coderring.ring;
SELECT coderring_get_code('next', 'A');
ROLLBACK;
DROP EXTENSION coderring;
CREATE EXTENSION coderring;
SELECT coderring_create('next');

-- A role that was dropped and made again is granted once.
CREATE ROLE regress_coderring_again;
SELECT coderring_grant('next', 'regress_coderring_again');
DROP ROLE regress_coderring_again;
CREATE ROLE regress_coderring_again;
SELECT coderring_grant('next', 'regress_coderring_again');
ALTER ROLE regress_coderring_again RENAME TO regress_coderring_once_more;
SELECT coderring_grant('next', 'regress_coderring_once_more');
SELECT role_name FROM coderring.ring_grant;
SELECT coderring_revoke('next', 'regress_coderring_once_more');
SELECT role_name FROM coderring.ring_grant;
DROP ROLE regress_coderring_once_more;

-- A role that was renamed keeps what it was granted, whoever has its name now.
CREATE VIEW grants AS SELECT array_agg(role::regrole || ' as ' || role_name ORDER BY role_name) FROM coderring.ring_grant;
CREATE ROLE regress_coderring_a;
CREATE ROLE regress_coderring_b;
CREATE ROLE regress_coderring_c;
SELECT coderring_grant('next', 'regress_coderring_a'), coderring_grant('next', 'regress_coderring_b'), coderring_grant('next', 'regress_coderring_c');
ALTER ROLE regress_coderring_a RENAME TO regress_coderring_a_old;
CREATE ROLE regress_coderring_a;
SELECT coderring_revoke('next', 'regress_coderring_a');
TABLE grants;
SELECT coderring_grant('next', 'regress_coderring_a');
TABLE grants;
-- Names that went round, to a role that has none of them as well
ALTER ROLE regress_coderring_a RENAME TO regress_coderring_x;
ALTER ROLE regress_coderring_c RENAME TO regress_coderring_a;
ALTER ROLE regress_coderring_b RENAME TO regress_coderring_c;
ALTER ROLE regress_coderring_x RENAME TO regress_coderring_b;
CREATE ROLE regress_coderring_x;
TABLE grants;
SELECT coderring_grant('next', 'regress_coderring_x');
TABLE grants;
SELECT coderring_grant('next', 'regress_coderring_a');
TABLE grants;
DROP VIEW grants;
DROP ROLE regress_coderring_a, regress_coderring_a_old, regress_coderring_b, regress_coderring_c, regress_coderring_x;
SELECT coderring_drop('next');

-- The trigger before rows serves its own tables only.
CREATE TABLE pg_temp.other (a int PRIMARY KEY, owner text, owner_name text);
CREATE TRIGGER admit_row BEFORE INSERT ON pg_temp.other FOR EACH ROW EXECUTE FUNCTION coderring.admit_row();
INSERT INTO other VALUES (1, 'a', 'b');
SELECT coderring.admit_row();
