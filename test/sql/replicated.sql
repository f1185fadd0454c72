--
-- Rings that come by logical replication (here: as programs that apply changes
-- by SQL write them; 009_logical has real subscriptions)
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS coderring;
CREATE EXTENSION coderring;
RESET client_min_messages;
\pset format unaligned
\pset tuples_only on

-- The other server's rows
CREATE ROLE regress_coderring_seller;
SELECT coderring_define_blocklist('bad', '{BAD}');
SELECT coderring_create('theirs', 3, 'bad'), coderring_grant('theirs', 'regress_coderring_seller'), coderring_change_owner('theirs', 'regress_coderring_seller');
SELECT coderring_create('both', 2, first_cycle => 7);
SELECT count(coderring_get_code('theirs')) FROM generate_series(1, 9);
CREATE TABLE their_rings AS SELECT * FROM coderring.ring;
CREATE TABLE their_grants AS SELECT * FROM coderring.ring_grant;
CREATE TABLE their_lists AS SELECT * FROM coderring.blocklist;
CREATE TABLE their_codes AS SELECT coderring_get_code('theirs') AS code FROM generate_series(1, 20);
UPDATE their_rings SET owner = 0;
UPDATE their_grants SET role = 12345;
SELECT coderring_drop('theirs'), coderring_drop('both'), coderring_define_blocklist('bad', NULL);

-- This server's own, one of a name that is there as well
SELECT coderring_create('both', 4), coderring_create('own');

SET session_replication_role = replica;
INSERT INTO coderring.ring SELECT * FROM their_rings WHERE name = 'theirs';
SET client_min_messages = log;
INSERT INTO coderring.ring SELECT * FROM their_rings;
RESET client_min_messages;
INSERT INTO coderring.ring_grant SELECT * FROM their_grants;
INSERT INTO coderring.ring_grant SELECT * FROM their_grants;
INSERT INTO coderring.blocklist SELECT * FROM their_lists;
SET client_min_messages = log;
INSERT INTO coderring.blocklist SELECT * FROM their_lists;
RESET client_min_messages;
RESET session_replication_role;
SELECT name, owner = current_user, base_length, blocklist, first_cycle, grantees FROM coderring.rings ORDER BY name;
SELECT name, replicated, owner = owner_name::regrole FROM coderring.ring ORDER BY name;
SELECT role = role_name::regrole FROM coderring.ring_grant;
SELECT name, builtin, owner = owner_name::regrole FROM coderring.blocklist WHERE NOT builtin;

-- It hands out nothing, by no way, to nobody
SELECT coderring_get_code('theirs');
\set VERBOSITY sqlstate
SELECT coderring_get_code('theirs', 'E');
SELECT coderring_get_code('theirs', '', true);
SELECT coderring_get_codes('theirs', 5);
SELECT * FROM coderring_get_codes('theirs', 5);
SELECT * FROM coderring_get_codes('theirs', 0);
SELECT coderring_advance('theirs');
SET ROLE regress_coderring_seller;
SELECT coderring_get_code('theirs');
RESET ROLE;
\set VERBOSITY default
SELECT coderring_start_rings();
SELECT count(*) FROM coderring.series_state;
SELECT count(*) FROM coderring.series;
-- The rest works.
SELECT count(*) FILTER (WHERE issued IS NULL), count(*) FILTER (WHERE issued) FROM their_codes, coderring_decode('theirs', code);
SELECT coderring_normalize('theirs', lower(code)) = code FROM their_codes LIMIT 1;
SELECT length(coderring_get_code('both')), length(coderring_get_code('own'));

-- New rings, whatever has come
SELECT coderring_create('new', 3), length(coderring_get_code('new'));
SELECT coderring_create('both', 4, if_not_exists => true);
SELECT coderring_create('theirs', 3, 'bad', if_not_exists => true);

-- Changes of either side leave the mark, or set it, as it was here.
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE coderring.ring SET name = 'renamed', replicated = false, owner = 12345, first_cycle = 0 WHERE name = 'theirs';
UPDATE coderring.ring SET max_length = 9, replicated = true, owner = 12345 WHERE name = 'own';
COMMIT;
SELECT name, replicated, owner = owner_name::regrole FROM coderring.ring WHERE name IN ('renamed', 'own') ORDER BY 1;
-- Nor does it set back where new series begin here, nor further in a ring of this server's own.
BEGIN;
UPDATE coderring.ring SET new_series_cycle = 3, timeline = 1 WHERE name IN ('own', 'renamed');
SET LOCAL session_replication_role = replica;
UPDATE coderring.ring SET new_series_cycle = 2, timeline = 77 WHERE name IN ('own', 'renamed');
SELECT name, new_series_cycle, timeline FROM coderring.ring WHERE name IN ('own', 'renamed') ORDER BY 1;
UPDATE coderring.ring SET new_series_cycle = 4 WHERE name IN ('own', 'renamed');
SELECT name, new_series_cycle, timeline FROM coderring.ring WHERE name IN ('own', 'renamed') ORDER BY 1;
ROLLBACK;
SELECT coderring_rename('renamed', 'theirs'), coderring_set_blocklist('theirs', NULL), coderring_set_blocklist('theirs', 'bad'), coderring_grant('theirs', 'public'),
	coderring_revoke('theirs', 'public'), coderring_change_owner('theirs', current_user);
SELECT replicated FROM coderring.ring WHERE name = 'theirs';

-- A name that is another ring's is left out, and the session goes on.
BEGIN;
SET LOCAL session_replication_role = replica;
SET LOCAL client_min_messages = log;
UPDATE coderring.ring SET name = 'own' WHERE name = 'theirs';
COMMIT;
SELECT name FROM coderring.rings ORDER BY 1;

-- A list that rings use is changed, not deleted; one that is built in neither.
SELECT name, replicated FROM coderring.blocklist WHERE NOT builtin;
BEGIN;
SET LOCAL session_replication_role = replica;
SET LOCAL client_min_messages = log;
UPDATE coderring.blocklist SET words = '{BAD,WORSE}', owner = 12345 WHERE name = 'bad';
DELETE FROM coderring.blocklist WHERE name = 'bad';
DELETE FROM coderring.blocklist WHERE builtin;
UPDATE coderring.blocklist SET words = '{}' WHERE builtin;
COMMIT;
SELECT name, builtin, owner = CASE WHEN builtin THEN 0 ELSE owner_name::regrole::oid END, words = '{}' FROM coderring.blocklist ORDER BY name;
SELECT words FROM coderring.blocklist WHERE name = 'bad';
SELECT coderring_set_blocklist('theirs', NULL);
BEGIN;
SET LOCAL session_replication_role = replica;
DELETE FROM coderring.blocklist WHERE name = 'bad';
COMMIT;
SELECT count(*) FROM coderring.blocklist WHERE NOT builtin;

-- One of this server's own is neither changed nor deleted, and used or not keeps its owner,
SELECT coderring_define_blocklist('ours', '{ACME}');
BEGIN;
SET LOCAL session_replication_role = replica;
SET LOCAL client_min_messages = log;
INSERT INTO coderring.blocklist SELECT 'ours', false, owner, owner_name, '{ZORRO}', false FROM their_lists WHERE name = 'bad';
UPDATE coderring.blocklist SET words = '{AA,AB,BA,BB}', owner_name = 'regress_coderring_seller', replicated = true WHERE name = 'ours';
DELETE FROM coderring.blocklist WHERE name = 'ours';
COMMIT;
SELECT owner = current_user::regrole, owner_name = current_user, words, replicated FROM coderring.blocklist WHERE name = 'ours';
-- one that has come follows the other server, whatever its row says there,
BEGIN;
SET LOCAL session_replication_role = replica;
INSERT INTO coderring.blocklist SELECT * FROM their_lists WHERE name = 'bad';
UPDATE coderring.blocklist SET words = '{BAD,WORSE}', replicated = false WHERE name = 'bad';
COMMIT;
SELECT words, replicated FROM coderring.blocklist WHERE name = 'bad';
-- but for what would leave too few codes of a ring that hands them out here, with all its lists,
SELECT coderring_define_blocklist('aa', '{AA,AB}'), coderring_create('bits', 2, 'bad, aa', 'AB'), coderring_create('their_bits', 2, 'bad, aa', 'AB');
UPDATE coderring.ring SET replicated = true WHERE name = 'their_bits';
BEGIN;
SET LOCAL session_replication_role = replica;
SET LOCAL client_min_messages = log;
UPDATE coderring.blocklist SET words = '{BA,BB}' WHERE name = 'bad';
UPDATE coderring.blocklist SET words = '{B}' WHERE name = 'bad';
UPDATE coderring.blocklist SET name = 'worse' WHERE name = 'bad';
UPDATE coderring.blocklist SET words = '{BB}' WHERE name = 'bad';
COMMIT;
SELECT name, words, replicated FROM coderring.blocklist WHERE NOT builtin ORDER BY name;
SELECT coderring_get_code('bits');
SELECT coderring_set_blocklist('bits', NULL);
BEGIN;
SET LOCAL session_replication_role = replica;
SET LOCAL client_min_messages = log;
UPDATE coderring.blocklist SET words = '{BA,BB}' WHERE name = 'bad';
-- or the ring's lists, if they are others there
UPDATE coderring.ring SET blocklist = 'bad,aa' WHERE name LIKE '%bits';
UPDATE coderring.ring SET blocklist = 'none' WHERE name LIKE '%bits';
UPDATE coderring.ring SET new_series_cycle = 9223372036854775807 WHERE name = 'bits';
COMMIT;
SELECT name, blocklist FROM coderring.rings WHERE name LIKE '%bits' ORDER BY 1;
-- and until somebody here defines it.
SELECT coderring_define_blocklist('bad', '{WORST}');
BEGIN;
SET LOCAL session_replication_role = replica;
SET LOCAL client_min_messages = log;
UPDATE coderring.blocklist SET words = '{BAD}' WHERE name = 'bad';
COMMIT;
SELECT words, replicated FROM coderring.blocklist WHERE name = 'bad';
SELECT coderring_drop('bits'), coderring_drop('their_bits');
-- In a restored dump the mark is what it was.
CREATE TEMP TABLE listed AS SELECT * FROM coderring.blocklist WHERE name = 'ours';
SELECT coderring_define_blocklist('ours', NULL);
INSERT INTO coderring.blocklist SELECT name, builtin, owner, owner_name, words, true FROM listed;
SELECT replicated FROM coderring.blocklist WHERE name = 'ours';
SELECT count(coderring_define_blocklist(name, NULL)) FROM coderring.blocklist WHERE NOT builtin;

-- The functions write this server's own rows, in such a session too.
BEGIN;
SET LOCAL session_replication_role = replica;
SELECT coderring_create('mine', 3), length(coderring_get_code('mine')), coderring_reset('mine'), length(coderring_get_code('mine'));
SELECT coderring_grant('mine', 'regress_coderring_seller'), coderring_grant('mine', 'regress_coderring_seller');
SELECT coderring_define_blocklist('mine', '{BAD}'), coderring_set_blocklist('mine', 'mine'), coderring_define_blocklist('mine', '{BAD,WORSE}');
SELECT name, replicated FROM coderring.ring WHERE name = 'mine';
SELECT coderring_drop('mine'), coderring_define_blocklist('mine', NULL);
COMMIT;
SELECT count(*) FROM coderring.blocklist WHERE NOT builtin;

-- A reset on the other side gives a ring that is theirs another key, and what was
-- the timeline there is none of this server's; by SQL neither.
BEGIN;
UPDATE coderring.ring SET incarnation = gen_random_uuid(), key = sha256('another'), timeline = 78 WHERE name = 'own';
SELECT timeline IN (77, 78) FROM coderring.ring WHERE name = 'own';
SET LOCAL session_replication_role = replica;
UPDATE coderring.ring SET incarnation = gen_random_uuid(), key = sha256('other'), timeline = 77 WHERE name = 'theirs';
SELECT replicated, key = sha256('other'), timeline = (SELECT timeline FROM coderring.ring WHERE name = 'own') FROM coderring.ring WHERE name = 'theirs';
ROLLBACK;

-- A reset here makes it this server's, and one there does not take it away,
SELECT coderring_reset('theirs'), length(coderring_get_code('theirs'));
SELECT replicated FROM coderring.ring WHERE name = 'theirs';
BEGIN;
SET LOCAL session_replication_role = replica;
SET LOCAL client_min_messages = log;
UPDATE coderring.ring SET incarnation = gen_random_uuid(), key = sha256('other') WHERE name = 'theirs';
UPDATE coderring.ring SET first_cycle = 5 WHERE name = 'theirs';
COMMIT;
SELECT count(*), min(cycle) FROM coderring.series WHERE ring = 'theirs';
SELECT length(coderring_get_code('theirs'));
-- nor does it get another owner, max_length, or other grants, also one that was taken over:
SELECT coderring_grant('theirs', 'regress_coderring_seller');
UPDATE coderring.ring SET replicated = true WHERE name = 'own';
SELECT coderring_recover('own', 0, 0);
BEGIN;
SET LOCAL session_replication_role = replica;
SET LOCAL client_min_messages = log;
UPDATE coderring.ring SET owner_name = 'regress_coderring_seller', max_length = 60 WHERE name = 'own';
UPDATE coderring.ring SET owner_name = 'regress_coderring_seller', max_length = 60 WHERE name = 'theirs';
INSERT INTO coderring.ring_grant SELECT id, 0, 'public' FROM coderring.ring WHERE name IN ('own', 'theirs') ORDER BY name;
INSERT INTO coderring.ring_grant SELECT id, 0, 'regress_coderring_seller' FROM coderring.ring WHERE name = 'theirs';
UPDATE coderring.ring_grant SET role_name = 'public';
UPDATE coderring.ring_grant SET ring_id = gen_random_uuid();
-- A ring that is not here may come later,
INSERT INTO coderring.ring_grant VALUES ('00000000-0000-4000-8000-000000000002', 0, 'public');
UPDATE coderring.ring_grant SET ring_id = (SELECT id FROM coderring.ring WHERE name = 'theirs') WHERE role = 0;
-- and then it has them.
INSERT INTO coderring.ring SELECT (r).* FROM (SELECT jsonb_populate_record(t, '{"id": "00000000-0000-4000-8000-000000000002", "incarnation": "00000000-0000-4000-8000-000000000002",
	"name": "late"}') r FROM their_rings t WHERE name = 'theirs') r;
SELECT grantees FROM coderring.rings WHERE name = 'late';
DELETE FROM coderring.ring WHERE name = 'late';
COMMIT;
SELECT name, owner = current_user, max_length, grantees FROM coderring.rings WHERE name IN ('own', 'theirs') ORDER BY 1;
-- A drop leaves it as well, with its grants.
BEGIN;
SET LOCAL session_replication_role = replica;
SET LOCAL client_min_messages = log;
DELETE FROM coderring.ring WHERE name = 'theirs';
DELETE FROM coderring.ring_grant;
COMMIT;
SELECT grantees, length(coderring_get_code('theirs')) FROM coderring.rings WHERE name = 'theirs';
BEGIN;
SET LOCAL session_replication_role = replica;
DELETE FROM coderring.ring_grant;
SELECT grantees FROM coderring.rings WHERE name = 'theirs';
ROLLBACK;
-- One that is theirs is dropped, with what belongs to it.
SELECT coderring_create('was_theirs', 3), coderring_grant('was_theirs', 'public'), length(coderring_get_code('was_theirs'));
UPDATE coderring.ring SET replicated = true WHERE name = 'was_theirs';
SELECT count(*) FROM coderring.series_state;
BEGIN;
SET LOCAL session_replication_role = replica;
DELETE FROM coderring.ring WHERE name = 'was_theirs';
COMMIT;
SELECT count(*) FROM coderring.series_state;
SELECT name FROM coderring.rings ORDER BY 1;
-- Taken over without a reset
UPDATE coderring.ring SET replicated = true WHERE name = 'own';
SELECT coderring_recover('own', 0, 0);
BEGIN;
SET LOCAL session_replication_role = replica;
DELETE FROM coderring.ring WHERE name = 'own';
UPDATE coderring.ring SET incarnation = gen_random_uuid(), key = sha256('other') WHERE name = 'own';
COMMIT;
SELECT length(coderring_get_code('own'));

-- So does an origin.
SELECT coderring_drop('own'), coderring_drop('theirs');
SELECT pg_replication_origin_create('regress_coderring') > 0;
SELECT pg_replication_origin_session_setup('regress_coderring');
INSERT INTO coderring.ring SELECT * FROM their_rings;
SELECT coderring_create('own', 3), length(coderring_get_code('own'));
-- What would stop its worker is left out; as a mere replica, which has no worker, it is refused.
INSERT INTO coderring.skipped_positions SELECT incarnation, 900000, 800000, '' FROM coderring.ring WHERE name = 'own';
SET client_min_messages = log;
DELETE FROM coderring.series_state;
BEGIN;
UPDATE coderring.series_state SET reserved_to = 0;
UPDATE coderring.series_state SET reserved_to = 0;
COMMIT;
DELETE FROM coderring.skipped_positions;
UPDATE coderring.skipped_positions SET last_position = 0;
RESET client_min_messages;
TRUNCATE coderring.series_state CASCADE;
SELECT (SELECT count(*) FROM coderring.series_state WHERE reserved_to > 0), (SELECT count(*) FROM coderring.skipped_positions);
SELECT pg_replication_origin_session_reset();
SELECT pg_replication_origin_drop('regress_coderring');
SELECT name, replicated FROM coderring.ring ORDER BY 1;

-- In a restored dump the mark is what it was.
SELECT coderring_drop('theirs');
INSERT INTO coderring.ring SELECT (r).* FROM (SELECT jsonb_populate_record(t, '{"name": "restored", "replicated": true}') r FROM their_rings t WHERE name = 'theirs') r;
SELECT replicated FROM coderring.ring WHERE name = 'restored';
SELECT coderring_drop('restored');
INSERT INTO coderring.ring SELECT * FROM their_rings WHERE name = 'theirs';
SELECT replicated FROM coderring.ring WHERE name = 'theirs';
SELECT coderring_set_blocklist('theirs', NULL);
SELECT length(coderring_get_code('theirs'));
SELECT coderring_drop('theirs');

-- What does not fit is an error, as before.
\set VERBOSITY terse
BEGIN;
SET LOCAL session_replication_role = replica;
SAVEPOINT s;
INSERT INTO coderring.ring SELECT (r).* FROM (SELECT jsonb_populate_record(t, '{"name": null}') r FROM their_rings t) r;
ROLLBACK TO s;
INSERT INTO coderring.ring_grant VALUES (NULL, 0, 'public');
ROLLBACK TO s;
INSERT INTO coderring.ring_grant VALUES (gen_random_uuid(), 0, 'regress_coderring_nobody');
INSERT INTO coderring.ring SELECT (r).* FROM (SELECT jsonb_populate_record(t, '{"owner_name": "regress_coderring_nobody"}') r FROM their_rings t) r;
SELECT name, owner, replicated FROM coderring.ring WHERE owner = 0;
ROLLBACK;
\set VERBOSITY default

SELECT count(coderring_drop(name)) FROM coderring.rings;
DROP EXTENSION coderring;
CREATE EXTENSION coderring;
DROP TABLE their_rings, their_grants, their_lists, their_codes;
DROP ROLE regress_coderring_seller;
