--
-- Definitions are written as SQL would: tools that follow a table by triggers
-- see every change (a repacker does, and would lose what it does not see)
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS coderring;
CREATE EXTENSION coderring;
RESET client_min_messages;
\pset format unaligned
\pset tuples_only on

CREATE TABLE seen (n serial, what text, before text, after text);
CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.seen (what, before, after) VALUES (TG_TABLE_NAME || ' ' || TG_OP,
		CASE WHEN TG_OP <> 'INSERT' THEN (to_jsonb(OLD) - '{id,ring_id,key,incarnation,owner,role,alphabet,first_cycle,base_length,timeline,no_extra}'::text[])::text END,
		CASE WHEN TG_OP <> 'DELETE' THEN (to_jsonb(NEW) - '{id,ring_id,key,incarnation,owner,role,alphabet,first_cycle,base_length,timeline,no_extra}'::text[])::text END);
	RETURN NULL;
END $$;
GRANT INSERT ON seen TO PUBLIC;
GRANT USAGE ON SEQUENCE seen_n_seq TO PUBLIC;
CREATE TRIGGER see AFTER INSERT OR UPDATE OR DELETE ON coderring.ring FOR EACH ROW EXECUTE FUNCTION see();
CREATE TRIGGER see AFTER INSERT OR UPDATE OR DELETE ON coderring.ring_grant FOR EACH ROW EXECUTE FUNCTION see();
CREATE TRIGGER see AFTER INSERT OR UPDATE OR DELETE ON coderring.blocklist FOR EACH ROW EXECUTE FUNCTION see();

-- By a role without any privilege on the tables, and under row-level security
CREATE ROLE regress_coderring_maker;
CREATE ROLE regress_coderring_other;
GRANT regress_coderring_other TO regress_coderring_maker;
GRANT EXECUTE ON FUNCTION coderring_create, coderring_define_blocklist TO regress_coderring_maker;
ALTER TABLE coderring.ring ENABLE ROW LEVEL SECURITY;
ALTER TABLE coderring.ring_grant ENABLE ROW LEVEL SECURITY;
ALTER TABLE coderring.blocklist ENABLE ROW LEVEL SECURITY;
SET ROLE regress_coderring_maker;
SELECT coderring_define_blocklist('bad', '{BAD}');
SELECT coderring_define_blocklist('bad', '{BAD,WORSE}');
SELECT coderring_create('made', 3);
SELECT coderring_rename('made', 'named');
SELECT coderring_set_blocklist('named', 'bad');
SELECT coderring_reset('named');
SELECT coderring_grant('named', 'regress_coderring_other');
SELECT coderring_grant('named', 'public');
SELECT coderring_revoke('named', 'public');
SELECT coderring_change_owner('named', 'regress_coderring_other');
SELECT coderring_drop('named');
SELECT coderring_define_blocklist('bad', NULL);
RESET ROLE;
SELECT what, replace(before, 'regress_coderring_', ''), replace(after, 'regress_coderring_', '') FROM seen ORDER BY n;
ALTER TABLE coderring.ring DISABLE ROW LEVEL SECURITY;
ALTER TABLE coderring.ring_grant DISABLE ROW LEVEL SECURITY;
ALTER TABLE coderring.blocklist DISABLE ROW LEVEL SECURITY;

-- Also where it depends on the columns, or where the trigger is a constraint
TRUNCATE seen;
DROP TRIGGER see ON coderring.ring;
CREATE TRIGGER see AFTER UPDATE OF name ON coderring.ring FOR EACH ROW EXECUTE FUNCTION see();
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON coderring.ring DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION see();
BEGIN;
SELECT coderring_create('made', 3);
SELECT coderring_set_blocklist('made', 'english');
SELECT count(*) FROM seen;
SELECT coderring_rename('made', 'named');
SELECT what FROM seen;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT what FROM seen ORDER BY n;
COMMIT;

-- Many in one statement, one of them in vain
TRUNCATE seen;
SELECT count(coderring_create('many' || i, 2)) FROM generate_series(1, 200) i;
SELECT count(coderring_drop('many' || i)) FROM generate_series(1, 200) i;
SELECT count(coderring_create('many' || i % 150, 2)) FROM generate_series(1, 200) i;
SELECT what, count(*) FROM seen GROUP BY 1;
SELECT name FROM coderring.rings;

-- A trigger that calls functions of the extension itself
CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF length(NEW.name) < 8 THEN
		PERFORM coderring_create(NEW.name || '+', 2), coderring_get_code(NEW.name || '+'), coderring_get_code(NEW.name);
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER again AFTER INSERT ON coderring.ring FOR EACH ROW EXECUTE FUNCTION again();
SELECT coderring_create('more', 3);
SELECT ring, cycle_offset FROM coderring.series ORDER BY 1;
DROP TRIGGER again ON coderring.ring;

-- One that raises an error, and one that keeps the row from being written:
-- nothing has happened.
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$;
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
\set VERBOSITY terse
DO $$
DECLARE
	function text;
	time text;
	query text;
	rings text := (SELECT string_agg(r::text, ' ' ORDER BY name) FROM coderring.ring r);
BEGIN
	PERFORM coderring_grant('more', 'public'), coderring_define_blocklist('bad', '{BAD}');
	FOREACH function IN ARRAY '{fail,keep}'::text[] LOOP
		FOREACH time IN ARRAY '{BEFORE,AFTER}'::text[] LOOP
			CONTINUE WHEN function = 'keep' AND time = 'AFTER';
			EXECUTE format('CREATE TRIGGER foreign_one %s INSERT OR UPDATE OR DELETE ON coderring.ring FOR EACH ROW EXECUTE FUNCTION %I()', time, function);
			EXECUTE format('CREATE TRIGGER foreign_one %s INSERT OR UPDATE OR DELETE ON coderring.ring_grant FOR EACH ROW EXECUTE FUNCTION %I()', time, function);
			EXECUTE format('CREATE TRIGGER foreign_one %s INSERT OR UPDATE OR DELETE ON coderring.blocklist FOR EACH ROW EXECUTE FUNCTION %I()', time, function);
			FOREACH query IN ARRAY ARRAY[
				$q$coderring_create('new')$q$, $q$coderring_rename('more', 'less')$q$, $q$coderring_reset('more')$q$,
				$q$coderring_set_blocklist('more', 'english')$q$, $q$coderring_change_owner('more', 'regress_coderring_other')$q$,
				$q$coderring_grant('more', 'regress_coderring_other')$q$, $q$coderring_revoke('more', 'public')$q$,
				$q$coderring_drop('more')$q$, $q$coderring_define_blocklist('worse', '{BAD}')$q$,
				$q$coderring_define_blocklist('bad', '{BAD,WORSE}')$q$, $q$coderring_define_blocklist('bad', NULL)$q$]
			LOOP
				BEGIN
					EXECUTE 'SELECT ' || query;
					RAISE WARNING '%: no error', query;
				EXCEPTION WHEN OTHERS THEN
					IF query IN ('coderring_create(''new'')', 'coderring_revoke(''more'', ''public'')', 'coderring_define_blocklist(''bad'', NULL)') THEN
						RAISE NOTICE '% %: % %', time, query, SQLSTATE, SQLERRM;
					END IF;
				END;
			END LOOP;
			DROP TRIGGER foreign_one ON coderring.ring;
			DROP TRIGGER foreign_one ON coderring.ring_grant;
			DROP TRIGGER foreign_one ON coderring.blocklist;
		END LOOP;
	END LOOP;
	ASSERT rings = (SELECT string_agg(r::text, ' ' ORDER BY name) FROM coderring.ring r), 'other rings';
	ASSERT (SELECT grantees = '{public}' FROM coderring.rings WHERE name = 'more'), 'other grants';
	ASSERT (SELECT words = '{BAD}' FROM coderring.blocklist WHERE NOT builtin), 'other words';
END $$;
\set VERBOSITY default
SELECT ring, cycle_offset FROM coderring.series WHERE ring = 'more';
SELECT length(coderring_get_code('more'));

-- One that changes the row that is being written, by SQL or by a function
CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF pg_trigger_depth() = 1 THEN
		EXECUTE replace(TG_ARGV[0], '%R', OLD.name);
	END IF;
	RETURN coalesce(NEW, OLD);
END $$;
DO $$
DECLARE
	change text;
	query text;
BEGIN
	FOREACH change IN ARRAY ARRAY[$q$UPDATE coderring.ring SET max_length = 9 WHERE name = '%R'$q$, $q$DELETE FROM coderring.ring WHERE name = '%R'$q$,
		$q$SELECT coderring_rename('%R', 'other')$q$, $q$SELECT coderring_drop('%R')$q$]
	LOOP
		EXECUTE format('CREATE TRIGGER a_change BEFORE UPDATE OR DELETE ON coderring.ring FOR EACH ROW EXECUTE FUNCTION change(%L)', change);
		FOREACH query IN ARRAY ARRAY[$q$coderring_rename('more', 'less')$q$, $q$coderring_drop('more')$q$]
		LOOP
			BEGIN
				EXECUTE 'SELECT ' || query;
				RAISE WARNING '%: no error', query;
			EXCEPTION WHEN OTHERS THEN
				RAISE NOTICE '% % %', query, SQLSTATE, SQLERRM;
			END;
		END LOOP;
		DROP TRIGGER a_change ON coderring.ring;
	END LOOP;
END $$;
-- Another row is none of that.
SELECT coderring_create('beside', 2);
CREATE TRIGGER a_change BEFORE UPDATE ON coderring.ring FOR EACH ROW EXECUTE FUNCTION change($q$SELECT coderring_set_blocklist('beside', 'english')$q$);
BEGIN;
SELECT coderring_rename('more', 'less');
SELECT name, blocklist FROM coderring.rings ORDER BY 1;
ROLLBACK;
DROP TRIGGER a_change ON coderring.ring;
SELECT coderring_drop('beside');
-- Keys that refer to it follow, and nothing stays open.
CREATE TABLE of_ring (ring text COLLATE "C" REFERENCES coderring.ring (name) ON UPDATE CASCADE ON DELETE CASCADE);
INSERT INTO of_ring VALUES ('more');
BEGIN;
SELECT coderring_rename('more', 'less');
SELECT * FROM of_ring;
SELECT coderring_drop('less');
SELECT * FROM of_ring;
ROLLBACK;
DROP TABLE of_ring;

-- Constraints hold, also those of others.
\set VERBOSITY terse
ALTER TABLE coderring.ring ADD CONSTRAINT no_spaces CHECK (name !~ ' ');
SELECT coderring_create('with space');
SELECT coderring_rename('more', 'or less');
ALTER TABLE coderring.ring DROP CONSTRAINT no_spaces;
CREATE UNIQUE INDEX only_one ON coderring.ring ((true)) WHERE name LIKE 'my%';
SELECT coderring_create('my ring', 2);
SELECT coderring_create('my other ring', 2);
SELECT coderring_rename('named', 'my name');
DROP INDEX coderring.only_one;

-- As with SQL, what is published needs a replica identity.
ALTER TABLE coderring.ring REPLICA IDENTITY NOTHING;
SET client_min_messages = error;	-- wal_level
CREATE PUBLICATION regress_coderring FOR TABLE coderring.ring;
RESET client_min_messages;
SELECT coderring_create('published', 2);
SELECT coderring_drop('published');
SELECT coderring_rename('published', 'republished');
ALTER TABLE coderring.ring REPLICA IDENTITY DEFAULT;
SELECT coderring_rename('published', 'republished');
DROP PUBLICATION regress_coderring;
\set VERBOSITY default

-- Not a row that this very command has written.
WITH changed AS (UPDATE coderring.ring SET max_length = 9 WHERE name = 'named' RETURNING name)
	SELECT coderring_rename(name, 'renamed') FROM changed;
SELECT coderring_define_blocklist('words', ARRAY['word']);
WITH changed AS (UPDATE coderring.blocklist SET words = ARRAY['other'] WHERE name = 'words' RETURNING name)
	SELECT coderring_define_blocklist(name, NULL) FROM changed;
SELECT name, max_length FROM coderring.rings WHERE name LIKE '%named';
SELECT coderring_define_blocklist('words', NULL);

-- Two rings whose ids begin alike share locks, and that is all.
SELECT coderring_create('alike1', 3), coderring_create('alike2', 3);
ALTER TABLE coderring.ring DISABLE TRIGGER admit_row;
UPDATE coderring.ring SET id = ('89abcdef' || substr(id::text, 9))::uuid WHERE name LIKE 'alike_';
ALTER TABLE coderring.ring ENABLE ALWAYS TRIGGER admit_row;
BEGIN;
SELECT coderring_rename('alike1', 'alike3'), length(coderring_get_code('alike2')), length(coderring_get_code('alike2', 'E'));
SELECT coderring_drop('alike3'), length(coderring_get_code('alike2')), coderring_start_rings() > 0;
SELECT count(*) FROM pg_locks WHERE objsubid = 17234 AND objid = x'89abcdef'::bigint;
SELECT coderring_create('alike1', 3), coderring_reset('alike2'), length(coderring_get_code('alike2')), length(coderring_get_code('alike1'));
COMMIT;
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid BETWEEN 17234 AND 17237 AND pid = pg_backend_pid();
SELECT ring, cycle_offset FROM coderring.series WHERE ring LIKE 'alike%' ORDER BY 1;

SELECT count(coderring_drop(name)) FROM coderring.rings;
DROP EXTENSION coderring;
CREATE EXTENSION coderring;
DROP FUNCTION see, again, fail, keep, change;
DROP TABLE seen;
DROP ROLE regress_coderring_maker, regress_coderring_other;
