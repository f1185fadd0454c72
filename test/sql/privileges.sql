-- Who may take codes of a ring, and who may change it.
\set VERBOSITY default
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS coderring;
CREATE ROLE regress_coderring_boss;
CREATE ROLE regress_coderring_app;
CREATE ROLE regress_coderring_team;
CREATE ROLE regress_coderring_member IN ROLE regress_coderring_team;
CREATE ROLE regress_coderring_heir;

-- What makes names, lists and rows in the database is not everybody's
SET ROLE regress_coderring_boss;
SELECT coderring_create('private');
SELECT coderring_create('private', if_not_exists => true);
SELECT coderring_define_blocklist('private', '{ABC}');
SELECT coderring_import();
RESET ROLE;
SELECT p.proname FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	JOIN pg_extension e ON e.oid = d.refobjid
	WHERE extname = 'coderring' AND pronamespace <> 'coderring'::regnamespace
		AND NOT has_function_privilege('regress_coderring_boss', p.oid, 'EXECUTE') ORDER BY 1;
GRANT EXECUTE ON FUNCTION coderring_create, coderring_define_blocklist TO regress_coderring_boss;
SET ROLE regress_coderring_boss;
SELECT coderring_create('private');
SELECT coderring_reset('private', test_seed => 'privileges');
RESET ROLE;

-- Only the owner's ring, and not even to be seen by others
SET ROLE regress_coderring_app;
SELECT coderring_get_code('private');
SELECT count(*) FROM coderring.rings WHERE name = 'private';
SELECT coderring_grant('private', 'regress_coderring_app');
SELECT coderring_change_owner('private', 'regress_coderring_app');
RESET ROLE;
GRANT EXECUTE ON FUNCTION coderring_create TO regress_coderring_app;
SET ROLE regress_coderring_app;
SELECT coderring_create('private', if_not_exists => true);
RESET ROLE;
REVOKE EXECUTE ON FUNCTION coderring_create FROM regress_coderring_app;

-- A grant is for codes alone
SET ROLE regress_coderring_boss;
SELECT coderring_grant('private', 'regress_coderring_app');
SELECT coderring_grant('private', 'regress_coderring_app');
SELECT coderring_grant('private', 'regress_coderring_team');
SELECT owner, grantees FROM coderring.rings WHERE name = 'private';
SET ROLE regress_coderring_app;
SELECT coderring_get_code('private');
SELECT ring, cycle_offset FROM coderring.series WHERE ring = 'private';
SELECT coderring_drop('private');
SELECT coderring_reset('private');
SELECT coderring_rename('private', 'mine');
SELECT coderring_revoke('private', 'regress_coderring_team');

-- Through a role, also one that is left while the session goes on
SET ROLE regress_coderring_member;
SELECT coderring_get_code('private');
BEGIN;
SELECT coderring_get_code('private');
RESET ROLE;
REVOKE regress_coderring_team FROM regress_coderring_member;
SET ROLE regress_coderring_member;
SELECT coderring_get_code('private');
ROLLBACK;
SET ROLE regress_coderring_member;
SELECT coderring_get_code('private');

-- Taken back, and the taking back rolled back
SET ROLE regress_coderring_boss;
BEGIN;
SELECT coderring_revoke('private', 'regress_coderring_app');
SET LOCAL ROLE regress_coderring_app;
SELECT coderring_get_code('private');
ROLLBACK;
SET ROLE regress_coderring_app;
SELECT coderring_get_code('private');
SET ROLE regress_coderring_boss;
SELECT coderring_revoke('private', 'regress_coderring_app');
SELECT coderring_revoke('private', 'regress_coderring_app');
SET ROLE regress_coderring_app;
SELECT coderring_get_code('private');

-- Everyone
SET ROLE regress_coderring_boss;
SELECT coderring_grant('private', 'public');
SELECT grantees FROM coderring.rings WHERE name = 'private';
SET ROLE regress_coderring_app;
SELECT coderring_get_code('private');
SET ROLE regress_coderring_boss;
SELECT coderring_revoke('private', 'public');

-- Another owner: by somebody who could act as that one (16 has another word for it)
\set VERBOSITY sqlstate
SELECT coderring_change_owner('private', 'regress_coderring_heir');
\set VERBOSITY default
RESET ROLE;
GRANT regress_coderring_heir TO regress_coderring_boss;
SET ROLE regress_coderring_boss;
SELECT coderring_change_owner('private', 'regress_coderring_heir');
SELECT owner, grantees FROM coderring.rings WHERE name = 'private';
RESET ROLE;
REVOKE regress_coderring_heir FROM regress_coderring_boss;
SET ROLE regress_coderring_boss;
SELECT coderring_get_code('private');
RESET ROLE;

-- What does not exist
SELECT coderring_grant('private', 'regress_coderring_nobody');
SELECT coderring_revoke('private', 'regress_coderring_nobody');
SELECT coderring_change_owner('private', 'regress_coderring_nobody');
SELECT coderring_change_owner('private', 'public');
SELECT coderring_grant('missing', 'public');
SELECT coderring_grant(NULL, 'public');
SELECT coderring_grant('private', NULL);

-- Roles that are dropped: their grants are good for nobody, the ring for superusers
SELECT coderring_grant('private', 'regress_coderring_app');
DROP ROLE regress_coderring_app;
DROP ROLE regress_coderring_heir;
SELECT owner, grantees FROM coderring.rings WHERE name = 'private';
SELECT coderring_get_code('private');
SELECT coderring_change_owner('private', 'regress_coderring_boss');
SET ROLE regress_coderring_boss;
SELECT coderring_get_code('private');
RESET ROLE;

-- Keys are nobody's business
SET ROLE regress_coderring_boss;
SELECT key FROM coderring.ring;
SELECT * FROM coderring.ring_grant;
SELECT * FROM coderring.series_state;
INSERT INTO coderring.ring_grant VALUES (gen_random_uuid(), 0, 'public');
RESET ROLE;

-- Grants go with the ring
SELECT coderring_drop('private');
SELECT count(*) FROM coderring.ring_grant;

-- Whoever runs CREATE EXTENSION need not be superuser, and may dump
DROP EXTENSION coderring;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_coderring_boss', current_database()); END $$;
CREATE SCHEMA regress_coderring AUTHORIZATION regress_coderring_boss;
SET ROLE regress_coderring_boss;
CREATE EXTENSION coderring SCHEMA regress_coderring;
SELECT regress_coderring.coderring_create('trusted');
GRANT EXECUTE ON FUNCTION regress_coderring.coderring_create TO regress_coderring_member;
SELECT has_function_privilege('regress_coderring_member', p.oid, 'EXECUTE') FROM pg_proc p WHERE proname = 'coderring_create';
SELECT length(key) FROM coderring.ring;
UPDATE coderring.ring SET owner_name = 'postgres';
DELETE FROM coderring.ring;
RESET ROLE;
DROP EXTENSION coderring;
DROP SCHEMA regress_coderring;
DO $$ BEGIN EXECUTE format('REVOKE CREATE ON DATABASE %I FROM regress_coderring_boss', current_database()); END $$;
DROP ROLE regress_coderring_boss, regress_coderring_team, regress_coderring_member;
CREATE EXTENSION coderring;
