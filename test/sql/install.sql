--
-- CREATE EXTENSION and DROP EXTENSION: what is installed, where, and what of
-- an existing schema is taken over.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS coderring;
RESET client_min_messages;
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
-- Something in the schema: an error that leaves everything as it was.
CREATE SCHEMA coderring;
CREATE TABLE coderring.mine AS SELECT 1 AS value;
CREATE EXTENSION coderring;
SELECT * FROM coderring.mine;
DROP TABLE coderring.mine;
CREATE TYPE coderring.color AS ENUM ('red');
CREATE EXTENSION coderring;
DROP TYPE coderring.color;
-- An empty one is taken over, with owner and grants reset.
CREATE ROLE regress_coderring_other;
ALTER SCHEMA coderring OWNER TO regress_coderring_other;
GRANT ALL ON SCHEMA coderring TO PUBLIC;
COMMENT ON SCHEMA coderring IS 'made by a schema generator';
CREATE EXTENSION coderring;
SELECT nspowner::regrole = current_user::regrole AS mine, obj_description(oid, 'pg_namespace') AS comment
	FROM pg_namespace WHERE nspname = 'coderring';
SELECT g.privilege_type, g.grantee::regrole
	FROM pg_namespace n, aclexplode(n.nspacl) g
	WHERE nspname = 'coderring' AND g.grantee <> n.nspowner ORDER BY 1, 2;
DROP ROLE regress_coderring_other;
-- What there is, but for the tables' types, which are listed from 17 on.
\pset tuples_only off
SELECT pg_describe_object(classid, objid, 0) AS object
	FROM pg_depend
	WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' AND
		classid <> 'pg_type'::regclass AND
		refobjid = (SELECT oid FROM pg_extension WHERE extname = 'coderring')
	ORDER BY pg_describe_object(classid, objid, 0) COLLATE "C";
-- Every object is commented.
SELECT pg_describe_object(classid, objid, 0) AS without_comment
	FROM pg_depend
	WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' AND
		classid <> 'pg_type'::regclass AND
		refobjid = (SELECT oid FROM pg_extension WHERE extname = 'coderring') AND
		obj_description(objid, classid::regclass::name) IS NULL;
-- How the functions are marked: nothing that hands out codes may run in
-- parallel or be called once instead of each time.
SELECT p.oid::regprocedure AS function, provolatile AS v, proparallel AS p, proisstrict AS s, prosecdef AS d
	FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
	WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND
		d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'coderring')
	ORDER BY p.oid::regprocedure::text COLLATE "C";
-- What a dump carries.
SELECT unnest(extconfig)::regclass AS table, unnest(extcondition) AS condition
	FROM pg_extension WHERE extname = 'coderring';
-- Nobody but superusers can read keys or write tables.
SELECT c.relname, g.grantee::regrole, g.privilege_type
	FROM pg_class c, aclexplode(c.relacl) g
	WHERE relnamespace = 'coderring'::regnamespace AND g.grantee <> c.relowner
	ORDER BY 1, 2, 3;
\pset tuples_only on
-- The functions go where the user wants them, the tables never.
SELECT coderring_create('kept'), coderring_get_code('kept') <> '';
DROP EXTENSION coderring;
\set VERBOSITY sqlstate
SELECT coderring_get_code('kept');
\set VERBOSITY default
SELECT count(*) FROM pg_namespace WHERE nspname = 'coderring';
CREATE SCHEMA regress_tools;
CREATE EXTENSION coderring SCHEMA regress_tools;
SELECT regress_tools.coderring_get_code('kept');
SELECT regress_tools.coderring_create('kept'), length(regress_tools.coderring_get_code('kept'));
SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'coderring%';
SELECT count(*) FROM coderring.rings;
DROP SCHEMA regress_tools;
DROP EXTENSION coderring;
DROP SCHEMA regress_tools;
-- Dropped and made anew again and again in one session: nothing of an
-- extension that is gone is used, although the names are the same.
CREATE EXTENSION coderring;
SELECT coderring_create('again', 1), count(DISTINCT c) FROM (SELECT coderring_create('other')) o,
	LATERAL (SELECT coderring_get_code('other') AS c) x;
SELECT count(*) FROM (SELECT coderring_get_codes('again', 20)) c;
DROP EXTENSION coderring;
CREATE EXTENSION coderring;
SELECT coderring_get_code('again');
SELECT coderring_create('again', 1);
SELECT count(DISTINCT c), max(length(c)) FROM (SELECT coderring_get_codes('again', 32) AS c) c;
-- The same in transactions that do not commit.
BEGIN;
DROP EXTENSION coderring;
CREATE EXTENSION coderring;
SELECT coderring_create('again', 2), length(coderring_get_code('again'));
ROLLBACK;
SELECT length(coderring_get_code('again'));
BEGIN;
DROP EXTENSION coderring;
ROLLBACK;
SELECT cycle, cycle_offset FROM coderring.series;
SELECT length(coderring_get_code('again'));
SELECT coderring_drop('again');
-- pg_depend keeps a table of the extension from being dropped.
DROP TABLE coderring.series_state;
DROP SCHEMA coderring CASCADE;
-- The tables' schema is not for the functions.
DROP EXTENSION coderring;
CREATE SCHEMA coderring;
CREATE EXTENSION coderring SCHEMA coderring;
DROP SCHEMA coderring;
CREATE EXTENSION coderring SCHEMA coderring;
CREATE EXTENSION coderring;
