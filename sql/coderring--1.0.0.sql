/* coderring--1.0.0.sql: every object of the extension, each with its comment */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION coderring" to load this file. \quit

-- Schema generators create schemas before extensions.  One of our name that
-- holds nothing is taken over with owner and grants reset, that is, made anew.
DO $$
BEGIN
	IF '@extschema@' OPERATOR(pg_catalog.=) 'coderring' THEN
		RAISE EXCEPTION 'the functions of extension "coderring" cannot go to a schema "coderring"'
			USING ERRCODE = 'invalid_schema_name',
				  DETAIL = 'That schema is made by the extension, for its tables and views.',
				  HINT = 'Name another schema: CREATE EXTENSION coderring SCHEMA ...';
	END IF;
	IF EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) 'coderring') THEN
		DROP SCHEMA coderring RESTRICT;
	END IF;
EXCEPTION WHEN dependent_objects_still_exist THEN
	RAISE EXCEPTION 'schema "coderring" exists and is not empty'
		USING ERRCODE = 'duplicate_schema',
			  DETAIL = 'The extension keeps its tables in a schema of this name.',
			  HINT = 'Move what the schema holds elsewhere or rename the schema, then run CREATE EXTENSION again.';
END
$$;

CREATE SCHEMA coderring;
COMMENT ON SCHEMA coderring IS 'tables and views of the extension coderring';
GRANT USAGE ON SCHEMA coderring TO PUBLIC;

--
-- Tables.  Only the extension's C code writes to them, past the executor.
--
CREATE SEQUENCE coderring.ring_id_seq AS integer;
COMMENT ON SEQUENCE coderring.ring_id_seq IS 'ids of rings';

CREATE TABLE coderring.ring (
	id integer NOT NULL PRIMARY KEY,
	name text COLLATE "C" NOT NULL UNIQUE,
	incarnation uuid NOT NULL UNIQUE,
	key bytea NOT NULL,
	owner oid NOT NULL,
	owner_name name COLLATE "C" NOT NULL,
	first_cycle bigint NOT NULL,
	base_length integer NOT NULL,
	max_length integer,
	alphabet text COLLATE "C" NOT NULL,
	-- for rows that are inserted by SQL; the functions of the extension say more
	CHECK (pg_catalog.octet_length(name) BETWEEN 1 AND 63),
	CHECK (pg_catalog.octet_length(key) OPERATOR(pg_catalog.=) 32),
	CHECK (first_cycle OPERATOR(pg_catalog.>=) 0),
	CHECK (base_length BETWEEN 1 AND 12),
	CHECK (max_length OPERATOR(pg_catalog.>) 0),
	CHECK (pg_catalog.octet_length(alphabet) BETWEEN 2 AND 64)
);
COMMENT ON TABLE coderring.ring IS 'definitions of rings; the view coderring.rings shows them';
COMMENT ON COLUMN coderring.ring.id IS 'objid of the ring''s locks in pg_locks';
COMMENT ON COLUMN coderring.ring.incarnation IS 'made by create and by reset; what the series of the ring belong to';
COMMENT ON COLUMN coderring.ring.key IS 'secret key of the order of the codes, 32 bytes';
COMMENT ON COLUMN coderring.ring.owner IS 'role that may change the ring';
COMMENT ON COLUMN coderring.ring.owner_name IS 'name of that role, by which a restored dump finds it';
REVOKE ALL ON coderring.ring FROM PUBLIC;

CREATE TABLE coderring.ring_grant (
	ring_id integer NOT NULL,
	role oid NOT NULL,
	role_name name COLLATE "C" NOT NULL,
	PRIMARY KEY (ring_id, role)
);
COMMENT ON TABLE coderring.ring_grant IS 'roles that may take codes of a ring; see coderring_grant';
COMMENT ON COLUMN coderring.ring_grant.role IS 'the role, 0 for all roles (public)';
COMMENT ON COLUMN coderring.ring_grant.role_name IS 'name of the role, by which a restored dump finds it';
REVOKE ALL ON coderring.ring_grant FROM PUBLIC;

-- The two tables below are never replicated logically: their rows are written
-- in place, which is not decoded, so that deletions must not be either.
CREATE TABLE coderring.series_state (
	incarnation uuid NOT NULL,
	reserved_to bigint NOT NULL,
	unblocked bigint NOT NULL,
	extra text COLLATE "C" NOT NULL,
	PRIMARY KEY (incarnation, extra),
	CHECK (reserved_to OPERATOR(pg_catalog.>=) 0 AND unblocked OPERATOR(pg_catalog.>=) 0),
	CHECK (pg_catalog.octet_length(extra) OPERATOR(pg_catalog.<=) 63)
);
ALTER TABLE coderring.series_state ALTER COLUMN extra SET STORAGE PLAIN;
ALTER TABLE coderring.series_state REPLICA IDENTITY NOTHING;
COMMENT ON TABLE coderring.series_state IS 'how far each series has come; written in place, outside of transactions';
COMMENT ON COLUMN coderring.series_state.reserved_to IS 'first position that is not reserved';
COMMENT ON COLUMN coderring.series_state.unblocked IS 'codes reserved in the cycle of reserved_to';
REVOKE ALL ON coderring.series_state FROM PUBLIC;

CREATE TABLE coderring.skipped_cycles (
	incarnation uuid NOT NULL,
	last_cycle bigint NOT NULL,
	first_cycle bigint NOT NULL,
	extra text COLLATE "C" NOT NULL,
	PRIMARY KEY (incarnation, extra, last_cycle),
	CHECK (first_cycle OPERATOR(pg_catalog.>=) 0 AND first_cycle OPERATOR(pg_catalog.<=) last_cycle),
	CHECK (pg_catalog.octet_length(extra) OPERATOR(pg_catalog.<=) 63)
);
ALTER TABLE coderring.skipped_cycles ALTER COLUMN extra SET STORAGE PLAIN;
ALTER TABLE coderring.skipped_cycles REPLICA IDENTITY NOTHING;
COMMENT ON TABLE coderring.skipped_cycles IS 'cycles that a series never enters, because their prefix belongs to another series of the ring';
REVOKE ALL ON coderring.skipped_cycles FROM PUBLIC;

SELECT pg_catalog.pg_extension_config_dump('coderring.ring', '');
SELECT pg_catalog.pg_extension_config_dump('coderring.ring_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('coderring.ring_grant', '');
SELECT pg_catalog.pg_extension_config_dump('coderring.series_state',
	'WHERE incarnation IN (SELECT incarnation FROM coderring.ring)');
SELECT pg_catalog.pg_extension_config_dump('coderring.skipped_cycles',
	'WHERE incarnation IN (SELECT incarnation FROM coderring.ring)');

-- A dump fails as a whole on one table that it cannot read, and a restore that
-- cannot write them goes on without the rings.  So whoever has run CREATE
-- EXTENSION, and will dump and restore the database, may do both.
DO $$
DECLARE
	owner name := (SELECT pg_catalog.pg_get_userbyid(extowner) FROM pg_catalog.pg_extension
				   WHERE extname OPERATOR(pg_catalog.=) 'coderring');
BEGIN
	EXECUTE pg_catalog.format('GRANT SELECT, INSERT ON coderring.ring, coderring.ring_grant,
		coderring.series_state, coderring.skipped_cycles TO %I', owner);
	EXECUTE pg_catalog.format('GRANT SELECT, UPDATE ON SEQUENCE coderring.ring_id_seq TO %I', owner);
END
$$;

--
-- Triggers that keep the tables true
--
CREATE FUNCTION coderring.find_role() RETURNS trigger
	AS 'MODULE_PATHNAME', 'coderring_find_role' LANGUAGE C;
COMMENT ON FUNCTION coderring.find_role() IS 'finds the OID of an owner or grantee by name when a dump is restored';
REVOKE ALL ON FUNCTION coderring.find_role() FROM PUBLIC;

CREATE FUNCTION coderring.definitions_changed() RETURNS trigger
	AS 'MODULE_PATHNAME', 'coderring_definitions_changed' LANGUAGE C;
COMMENT ON FUNCTION coderring.definitions_changed() IS 'makes every session read the definitions again';
REVOKE ALL ON FUNCTION coderring.definitions_changed() FROM PUBLIC;

CREATE FUNCTION coderring.refuse_change() RETURNS trigger
	AS 'MODULE_PATHNAME', 'coderring_refuse_change' LANGUAGE C;
COMMENT ON FUNCTION coderring.refuse_change() IS 'refuses changes of a series'' state by SQL';
REVOKE ALL ON FUNCTION coderring.refuse_change() FROM PUBLIC;

CREATE TRIGGER find_role BEFORE INSERT ON coderring.ring
	FOR EACH ROW EXECUTE FUNCTION coderring.find_role();
CREATE TRIGGER definitions_changed AFTER INSERT OR UPDATE OR DELETE ON coderring.ring
	FOR EACH ROW EXECUTE FUNCTION coderring.definitions_changed();
CREATE TRIGGER definitions_truncated AFTER TRUNCATE ON coderring.ring
	FOR EACH STATEMENT EXECUTE FUNCTION coderring.definitions_changed();
ALTER TABLE coderring.ring ENABLE ALWAYS TRIGGER find_role;
ALTER TABLE coderring.ring ENABLE ALWAYS TRIGGER definitions_changed;
ALTER TABLE coderring.ring ENABLE ALWAYS TRIGGER definitions_truncated;

CREATE TRIGGER find_role BEFORE INSERT ON coderring.ring_grant
	FOR EACH ROW EXECUTE FUNCTION coderring.find_role();
CREATE TRIGGER definitions_changed AFTER INSERT OR UPDATE OR DELETE ON coderring.ring_grant
	FOR EACH ROW EXECUTE FUNCTION coderring.definitions_changed();
CREATE TRIGGER definitions_truncated AFTER TRUNCATE ON coderring.ring_grant
	FOR EACH STATEMENT EXECUTE FUNCTION coderring.definitions_changed();
ALTER TABLE coderring.ring_grant ENABLE ALWAYS TRIGGER find_role;
ALTER TABLE coderring.ring_grant ENABLE ALWAYS TRIGGER definitions_changed;
ALTER TABLE coderring.ring_grant ENABLE ALWAYS TRIGGER definitions_truncated;

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON coderring.series_state
	FOR EACH ROW EXECUTE FUNCTION coderring.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON coderring.series_state
	FOR EACH STATEMENT EXECUTE FUNCTION coderring.refuse_change();
ALTER TABLE coderring.series_state ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE coderring.series_state ENABLE ALWAYS TRIGGER refuse_truncate;

CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON coderring.skipped_cycles
	FOR EACH ROW EXECUTE FUNCTION coderring.refuse_change();
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON coderring.skipped_cycles
	FOR EACH STATEMENT EXECUTE FUNCTION coderring.refuse_change();
ALTER TABLE coderring.skipped_cycles ENABLE ALWAYS TRIGGER refuse_change;
ALTER TABLE coderring.skipped_cycles ENABLE ALWAYS TRIGGER refuse_truncate;

--
-- Functions
--
CREATE FUNCTION coderring_create(name text, base_length integer DEFAULT 4, alphabet text DEFAULT NULL,
		max_length integer DEFAULT NULL, first_cycle bigint DEFAULT 0, if_not_exists boolean DEFAULT false)
	RETURNS void AS 'MODULE_PATHNAME', 'coderring_create' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION coderring_create(text, integer, text, integer, bigint, boolean) IS
	'create a ring: base_length characters (1 to 12) of an alphabet (2 to 64 characters) a code';

CREATE FUNCTION coderring_drop(name text, if_exists boolean DEFAULT false)
	RETURNS void AS 'MODULE_PATHNAME', 'coderring_drop' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION coderring_drop(text, boolean) IS 'drop a ring';

CREATE FUNCTION coderring_rename(name text, new_name text)
	RETURNS void AS 'MODULE_PATHNAME', 'coderring_rename' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION coderring_rename(text, text) IS 'rename a ring; its codes go on';

CREATE FUNCTION coderring_reset(name text, first_cycle bigint DEFAULT 0, test_seed text DEFAULT NULL)
	RETURNS void AS 'MODULE_PATHNAME', 'coderring_reset' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION coderring_reset(text, bigint, text) IS
	'forget all series of a ring and give it a new key; its codes come again unless first_cycle is beyond them';

CREATE FUNCTION coderring_get_code(name text, extra text DEFAULT '', bump boolean DEFAULT false)
	RETURNS text AS 'MODULE_PATHNAME', 'coderring_get_code' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION coderring_get_code(text, text, boolean) IS 'a new code of a ring; bump begins the next cycle first';

CREATE FUNCTION coderring_get_codes(name text, count integer, extra text DEFAULT '')
	RETURNS SETOF text AS 'MODULE_PATHNAME', 'coderring_get_codes' LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1000;
COMMENT ON FUNCTION coderring_get_codes(text, integer, text) IS 'so many new codes of a ring';

CREATE FUNCTION coderring_advance(name text, extra text DEFAULT '', to_cycle bigint DEFAULT NULL, to_offset bigint DEFAULT 0)
	RETURNS void AS 'MODULE_PATHNAME', 'coderring_advance' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION coderring_advance(text, text, bigint, bigint) IS
	'move a series forward, by default to its next cycle; not undone by ROLLBACK';

CREATE FUNCTION coderring_start_rings()
	RETURNS integer AS 'MODULE_PATHNAME', 'coderring_start_rings' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION coderring_start_rings() IS 'load every ring into shared memory; the number of rings';

CREATE FUNCTION coderring_grant(name text, role name)
	RETURNS void AS 'MODULE_PATHNAME', 'coderring_grant' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION coderring_grant(text, name) IS 'let a role, or public, take codes of a ring';

CREATE FUNCTION coderring_revoke(name text, role name)
	RETURNS void AS 'MODULE_PATHNAME', 'coderring_revoke' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION coderring_revoke(text, name) IS 'take back what coderring_grant gave';

CREATE FUNCTION coderring_change_owner(name text, new_owner name)
	RETURNS void AS 'MODULE_PATHNAME', 'coderring_change_owner' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION coderring_change_owner(text, name) IS 'give a ring to another role';

CREATE FUNCTION coderring.list_rings(OUT name text, OUT owner name, OUT base_length integer, OUT alphabet text,
		OUT max_length integer, OUT first_cycle bigint, OUT grantees name[])
	RETURNS SETOF record AS 'MODULE_PATHNAME', 'coderring_list_rings' LANGUAGE C VOLATILE PARALLEL UNSAFE STRICT ROWS 10;
COMMENT ON FUNCTION coderring.list_rings() IS 'rows of the view coderring.rings';

CREATE FUNCTION coderring.list_series(OUT ring text, OUT extra text, OUT cycle bigint, OUT uniquizer text,
		OUT cycle_offset bigint, OUT reserved_to bigint, OUT codes_per_cycle bigint, OUT remaining bigint,
		OUT percent numeric, OUT code_length integer, OUT codes_until_longer bigint)
	RETURNS SETOF record AS 'MODULE_PATHNAME', 'coderring_list_series' LANGUAGE C VOLATILE PARALLEL UNSAFE STRICT ROWS 100;
COMMENT ON FUNCTION coderring.list_series() IS 'rows of the view coderring.series';

--
-- Views
--
CREATE VIEW coderring.rings AS SELECT * FROM coderring.list_rings();
COMMENT ON VIEW coderring.rings IS 'a row for each ring that the user may use';
GRANT SELECT ON coderring.rings TO PUBLIC;

CREATE VIEW coderring.series AS SELECT * FROM coderring.list_series();
COMMENT ON VIEW coderring.series IS 'how far each series of those rings has come';
GRANT SELECT ON coderring.series TO PUBLIC;
