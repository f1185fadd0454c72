--
-- Rows of a ring that come and go by SQL, as a restore, a superuser or
-- logical replication makes them
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS coderring;
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

-- Rows of a series go with their ring, by SQL too; those of a new incarnation stay.
SELECT coderring_grant('back', 'public');
UPDATE coderring.ring SET max_length = 9 WHERE name = 'back';
SELECT count(*) FROM coderring.series_state;
UPDATE coderring.ring SET incarnation = '00000000-0000-4000-8000-000000000001' WHERE name = 'back';
SELECT count(*) FROM coderring.series_state;
SELECT length(coderring_get_code('back'));
DELETE FROM coderring.ring;
SELECT count(*) FROM coderring.series_state;
SELECT count(*) FROM coderring.ring_grant;
SELECT coderring_get_code('back');

-- The trigger that finds roles serves its own tables only.
CREATE TABLE pg_temp.other (a int PRIMARY KEY, owner text, owner_name text);
CREATE TRIGGER find_role BEFORE INSERT ON pg_temp.other FOR EACH ROW EXECUTE FUNCTION coderring.find_role();
INSERT INTO other VALUES (1, 'a', 'b');
SELECT coderring.find_role();
