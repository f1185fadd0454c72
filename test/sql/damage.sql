--
-- Tables that somebody has altered, and a library whose extension is gone: a clear
-- error, and all is as before once the tables are.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS coderring;
CREATE EXTENSION coderring;
RESET client_min_messages;
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
-- altered(CHANGE, QUERY): what the query says where the change has been made; the change is undone
CREATE FUNCTION pg_temp.altered(change text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text := 'no error';
	detail text;
	hint text;
BEGIN
	BEGIN
		EXECUTE change;
		BEGIN
			EXECUTE query;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
			result := concat_ws(E'\n    ', SQLSTATE || ': ' || SQLERRM, NULLIF(detail, ''), NULLIF(hint, ''));
		END;
		RAISE EXCEPTION USING ERRCODE = 'XX999';
	EXCEPTION WHEN SQLSTATE 'XX999' THEN
		RETURN result;
	END;
END $$;
SELECT coderring_create('r', 2), coderring_create('words', 2, blocklist => 'english'), coderring_create('mine', 2);
CREATE TEMP TABLE codes AS SELECT coderring_get_code('r') AS code FROM generate_series(1, 5);

-- Columns
SELECT pg_temp.altered('ALTER TABLE coderring.ring ADD another int', query) FROM unnest(ARRAY[
	$$SELECT coderring_get_code('r')$$,
	$$SELECT coderring_create('new')$$,
	$$SELECT * FROM coderring.rings$$]) query;
SELECT pg_temp.altered('ALTER TABLE coderring.series_state ADD another int', query) FROM unnest(ARRAY[
	$$SELECT coderring_get_code('r', 'E')$$,
	$$SELECT coderring_advance('r', 'E')$$]) query;
SELECT pg_temp.altered('ALTER TABLE coderring.blocklist ADD another int', query) FROM unnest(ARRAY[
	$$SELECT coderring_create('new', blocklist => 'english')$$,
	$$SELECT coderring_define_blocklist('new', '{word}')$$]) query;

SELECT pg_temp.altered('ALTER TABLE coderring.ring_grant ADD another int', $$SELECT coderring_grant('r', 'public')$$);
SELECT pg_temp.altered('ALTER TABLE coderring.series_state ALTER reserved_to TYPE numeric', $$SELECT coderring_get_code('r', 'E')$$);
SELECT pg_temp.altered('ALTER TABLE coderring.ring ALTER name TYPE varchar', $$SELECT coderring_get_code('words')$$);
SELECT pg_temp.altered('ALTER TABLE coderring.blocklist ALTER words TYPE text', $$SELECT coderring_create('new', blocklist => 'english')$$);
SELECT pg_temp.altered('ALTER TABLE coderring.ring_grant ALTER role_name TYPE text', $$SELECT coderring_grant('r', 'public')$$);
SELECT pg_temp.altered('ALTER TABLE coderring.series_state ALTER extra TYPE text COLLATE "POSIX"', $$SELECT coderring_get_code('r', 'E')$$);
SELECT pg_temp.altered('ALTER TABLE coderring.ring DROP first_cycle CASCADE', $$SELECT coderring_get_code('words')$$);
SELECT pg_temp.altered('ALTER TABLE coderring.skipped_positions ADD another int', $$SELECT coderring_get_code('r', '', true)$$);

-- One that is dropped again stays in the catalog, and does no harm.
ALTER TABLE coderring.ring ADD another int;
ALTER TABLE coderring.ring DROP another;
ALTER TABLE coderring.series_state ADD another text;
ALTER TABLE coderring.series_state DROP another;
ALTER TABLE coderring.skipped_positions ADD another int;
ALTER TABLE coderring.skipped_positions DROP another;
ALTER TABLE coderring.blocklist ADD another int DEFAULT 7;
ALTER TABLE coderring.blocklist DROP another;
ALTER TABLE coderring.ring_grant ADD another int NOT NULL DEFAULT 7;
ALTER TABLE coderring.ring_grant DROP another;
SELECT coderring_create('dropped', 1), coderring_grant('dropped', 'public'), coderring_define_blocklist('list', '{word}');
SELECT coderring_get_code('dropped') <> '', coderring_get_code('dropped', '', true) <> '', coderring_get_code('dropped', 'E') <> '';
SELECT coderring_set_blocklist('dropped', 'list'), coderring_rename('dropped', 'dropped 2');
SELECT blocklist, grantees FROM coderring.rings WHERE name = 'dropped 2';
SELECT extra, cycle, cycle_offset, reserved_to FROM coderring.series WHERE ring = 'dropped 2' ORDER BY extra;
SELECT coderring_issued('dropped 2', c) FROM coderring_get_codes('dropped 2', 3) c;
SELECT coderring_reset('dropped 2'), coderring_drop('dropped 2'), coderring_define_blocklist('list', NULL);

-- Triggers: what a restore with --disable-triggers leaves, and what mends it
SELECT pg_temp.altered('ALTER TABLE coderring.ring DISABLE TRIGGER ALL', $$SELECT coderring_get_code('words')$$);
ALTER TABLE coderring.ring DISABLE TRIGGER ALL;
ALTER TABLE coderring.ring ENABLE TRIGGER ALL;
SELECT coderring_get_code('words');
SELECT coderring_issued('r', code) FROM codes;
ALTER TABLE coderring.ring ENABLE ALWAYS TRIGGER admit_row, ENABLE ALWAYS TRIGGER definitions_changed, ENABLE ALWAYS TRIGGER refuse_truncate;
SELECT coderring_get_code('words') <> '';
ALTER TABLE coderring.series_state DISABLE TRIGGER USER;
ALTER TABLE coderring.series_state ENABLE TRIGGER USER;
SELECT coderring_get_code('words', 'E');
ALTER TABLE coderring.series_state ENABLE ALWAYS TRIGGER admit_row, ENABLE ALWAYS TRIGGER refuse_change, ENABLE ALWAYS TRIGGER refuse_truncate;
SELECT coderring_get_code('words', 'E') <> '';
-- Every trigger of every table, dropped, or only ENABLEd
DO $$
DECLARE
	guard record;
	change text;
	refused int := 0;
BEGIN
	FOR guard IN SELECT tgrelid::regclass AS tab, tgname FROM pg_trigger
		WHERE NOT tgisinternal AND tgrelid::regclass::text LIKE 'coderring.%' LOOP
		FOREACH change IN ARRAY ARRAY['DROP TRIGGER %2$I ON %1$s', 'ALTER TABLE %1$s ENABLE TRIGGER %2$I', 'ALTER TABLE %1$s DISABLE TRIGGER %2$I'] LOOP
			BEGIN
				EXECUTE format(change, guard.tab, guard.tgname);
				PERFORM coderring_get_code('words', refused::text), coderring_get_code('words', 'x' || refused::text, true);
				RAISE WARNING '%', format(change, guard.tab, guard.tgname);
				RAISE division_by_zero;
			EXCEPTION WHEN object_not_in_prerequisite_state THEN
				refused := refused + 1;
			WHEN division_by_zero THEN
				NULL;
			END;
		END LOOP;
	END LOOP;
	RAISE NOTICE '% refused', refused;
END $$;
SELECT coderring_get_code('words', 'E') <> '';
SELECT pg_temp.altered('DROP TRIGGER refuse_change ON coderring.series_state', $$SELECT coderring_get_code('words', 'F')$$);

-- A copy in the place of a table
SELECT pg_temp.altered('CREATE TABLE coderring.copy (LIKE coderring.series_state INCLUDING ALL);
	ALTER TABLE coderring.series_state RENAME TO old; ALTER TABLE coderring.copy RENAME TO series_state', $$SELECT coderring_get_code('r')$$);

-- Another access method (that of a table can be changed from 15 on): heap by another name
CREATE ACCESS METHOD regress_coderring TYPE TABLE HANDLER heap_tableam_handler;
SELECT pg_temp.altered($$UPDATE pg_class SET relam = (SELECT oid FROM pg_am WHERE amname = 'regress_coderring') WHERE oid = 'coderring.series_state'::regclass$$,
	$$SELECT coderring_get_code('r', 'E')$$);
DROP ACCESS METHOD regress_coderring;

-- Constraints. Without an index the table is read.
SELECT pg_temp.altered('ALTER TABLE coderring.ring DROP CONSTRAINT ring_name_key', query) FROM unnest(ARRAY[
	$$SELECT coderring_get_code('words')$$,
	$$SELECT coderring_create('new')$$,
	$$SELECT coderring_rename('mine', 'new')$$]) query;
SELECT pg_temp.altered($$
	ALTER TABLE coderring.series_state DROP CONSTRAINT series_state_not_null;
	INSERT INTO coderring.series_state SELECT incarnation, 0, 0, NULL, 0, 1, 0, 0, now(), now(), 'E' FROM coderring.ring WHERE name = 'r'$$,
	$$SELECT coderring_get_code('r', 'E')$$);

-- Indexes, which rows of new series are entered in
CREATE INDEX whole ON coderring.series_state (reserved_to);
SELECT coderring_get_code('r', 'E') <> '';
DROP INDEX coderring.whole;
CREATE INDEX part ON coderring.series_state (extra) WHERE extra > 'D';
SELECT coderring_get_code('r', 'F') <> '', coderring_get_code('r', 'C') <> '';
SET enable_seqscan = off;
SELECT extra FROM coderring.series_state WHERE extra > 'D' ORDER BY extra;
RESET enable_seqscan;
DROP INDEX coderring.part;
CREATE INDEX computed ON coderring.series_state (lower(extra));
SELECT coderring_get_code('r', 'G') <> '';
SET enable_seqscan = off;
SELECT extra FROM coderring.series_state WHERE lower(extra) = 'g';
RESET enable_seqscan;
DROP INDEX coderring.computed;
-- not if a repacker would take the table for one that it can rewrite,
ALTER TABLE coderring.series_state ADD PRIMARY KEY (incarnation, extra);
SELECT coderring_get_code('r', 'H');
ALTER TABLE coderring.series_state DROP CONSTRAINT series_state_pkey;
SELECT coderring_get_code('r', 'H');
ALTER TABLE coderring.series_state ALTER incarnation DROP NOT NULL, ALTER extra DROP NOT NULL;
SELECT coderring_get_code('r', 'H') <> '';
-- nor if it hangs on the transaction whether they stay there
SELECT pg_temp.altered('CREATE INDEX whole ON coderring.series_state (reserved_to)', $$SELECT coderring_get_code('r', 'I')$$);

-- and one that was left behind unfinished, which nothing is entered in.
\set VERBOSITY terse
SELECT coderring_get_code('mine') <> '', coderring_get_code('mine', 'E') <> '';
CREATE UNIQUE INDEX CONCURRENTLY unfinished ON coderring.series_state (reserved_to);
\set VERBOSITY default
SELECT indisready FROM pg_index WHERE indexrelid = 'coderring.unfinished'::regclass;
SELECT coderring_get_code('mine', 'F') <> '';
DROP INDEX coderring.unfinished;

-- One that a DROP INDEX CONCURRENTLY has left, which was cancelled, lacks rows: they are
-- found without it, and
UPDATE pg_index SET indisvalid = false, indisready = false WHERE indexrelid = 'coderring.series_state_key'::regclass;
SELECT coderring_get_code('mine', 'L') <> '';
SELECT extra, cycle_offset FROM coderring.series WHERE ring = 'mine' ORDER BY 1;
REINDEX INDEX coderring.series_state_key;
SELECT extra, cycle_offset FROM coderring.series WHERE ring = 'mine' ORDER BY 1;
-- in whatever order they are in the table.
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'coderring.skipped_positions_key'::regclass;
SELECT coderring_create('unordered', 1);
INSERT INTO coderring.skipped_positions SELECT incarnation, last_position, first_position, ''
	FROM coderring.ring, (VALUES (10, 19), (0, 2)) skipped (first_position, last_position) WHERE name = 'unordered';
SELECT string_agg(cycle_offset::text, ' ') FROM coderring_get_codes('unordered', 9) code, LATERAL coderring_decode('unordered', code);
CREATE INDEX descending ON coderring.skipped_positions (incarnation, extra, last_position DESC);
SELECT coderring_reset('unordered');
INSERT INTO coderring.skipped_positions SELECT incarnation, last_position, first_position, ''
	FROM coderring.ring, (VALUES (0, 2), (10, 19)) skipped (first_position, last_position) WHERE name = 'unordered';
SELECT string_agg(cycle_offset::text, ' ') FROM coderring_get_codes('unordered', 9) code, LATERAL coderring_decode('unordered', code);
DROP INDEX coderring.descending;
REINDEX INDEX coderring.skipped_positions_key;
SELECT coderring_drop('unordered');

-- A row whose entry an index refuses is not there, and there is one when it is made later.
CREATE INDEX computed ON coderring.series_state ((1 / (length(extra) - 3)));
SELECT coderring_get_code('mine', 'XYZ');
SELECT count(*) FROM coderring.series_state WHERE extra = 'XYZ';
DROP INDEX coderring.computed;
SELECT coderring_get_code('mine', 'XYZ') <> '';
SELECT count(*) FROM coderring.series_state WHERE extra = 'XYZ';

-- A role without a name
\set VERBOSITY terse
INSERT INTO coderring.ring SELECT (r).* FROM (
	SELECT json_populate_record(ring, '{"id": "00000000-0000-4000-8000-000000012345", "name": "nobody", "owner_name": null}') r FROM coderring.ring WHERE name = 'r') made;
\set VERBOSITY default

-- A definition that is damaged, past the trigger: no function can drop the ring, so SQL may delete it, and no other.
SELECT coderring_create('broken', 2), coderring_grant('broken', 'public');
BEGIN;
ALTER TABLE coderring.ring DISABLE TRIGGER admit_row;
UPDATE coderring.ring SET alphabet = 'AA' WHERE name = 'broken';
ALTER TABLE coderring.ring ENABLE ALWAYS TRIGGER admit_row;
COMMIT;
SELECT coderring_get_code('broken');
SELECT coderring_drop('broken');
DELETE FROM coderring.ring;
DELETE FROM coderring.ring WHERE name = 'broken';
SELECT count(*) FROM coderring.ring WHERE name = 'broken';

-- Names that no ring can have
SELECT coderring_get_code(repeat('n', 64));
SELECT coderring_get_code(repeat('é', 32));
SELECT coderring_issued(repeat('n', 64), 'VVVV');
SELECT coderring_normalize(repeat('é', 32), 'VVVV');

-- The codes go on, none twice and none left out but those of failed statements.
INSERT INTO codes SELECT coderring_get_code('r') FROM generate_series(6, 1024);
SELECT count(DISTINCT code), min(length(code)), max(length(code)) FROM codes;
SELECT coderring_get_code('r', 'E') IS NOT NULL, coderring_get_code('r', 'F') IS NOT NULL, coderring_get_code('words') IS NOT NULL;

-- Without the extension its functions say so.
CREATE FUNCTION pg_temp.get_code(text, text, boolean) RETURNS text AS '$libdir/coderring', 'coderring_get_code' LANGUAGE c;
SELECT pg_temp.get_code('words', '', false) IS NOT NULL;
DROP EXTENSION coderring;
SELECT pg_temp.get_code('words', '', false);
SELECT pg_temp.get_code('other', '', false);
CREATE EXTENSION coderring;
