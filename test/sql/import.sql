--
-- coderring_import: the rings of the Elixir library CoderRing, from its tables.
--
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION pg_temp.fails(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE query;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n    ', SQLSTATE || ': ' || message, NULLIF(detail, ''), NULLIF(hint, ''));
END $$;
CREATE ROLE regress_coderring_app;
CREATE ROLE regress_coderring_other;
GRANT EXECUTE ON FUNCTION coderring_create, coderring_define_blocklist, coderring_import TO PUBLIC;
--
-- The library, as far as its tables go: they are as its migration makes them,
-- and seed, take and reset do to them what it does.
--
CREATE SCHEMA library;
SET search_path = library, public;
CREATE TABLE code_memos (
	name varchar(255) PRIMARY KEY,
	uniquizer_num integer NOT NULL DEFAULT 0,
	extra varchar(255) NOT NULL DEFAULT '',
	last_max_pos integer
);
CREATE TABLE codes (
	id bigserial PRIMARY KEY,
	position integer NOT NULL,
	name varchar(255) NOT NULL CONSTRAINT codes_name_fkey REFERENCES code_memos (name),
	value varchar(255) NOT NULL
);
CREATE INDEX ON codes (name, position);	-- not the library's: to be quick here
CREATE TABLE taken (name text, extra text, code text COLLATE "C");
CREATE FUNCTION numeral(number int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	digits CONSTANT text := 'XW23456789ABCDEFGHYJKLMNZPQRSTUV';
	rest int := number - 1;
	result text := '';
BEGIN
	WHILE rest >= 0 LOOP
		result := substr(digits, rest % 32 + 1, 1) || result;
		EXIT WHEN rest < 32;
		rest := rest / 32;
	END LOOP;
	RETURN result;
END $$;
SELECT string_agg(numeral(n), ' ') FROM unnest(ARRAY[0, 1, 2, 3, 19, 25, 32, 33, 64, 65, 1024, 1025]) n;
CREATE FUNCTION seed(ring text, base_length int, blocked text[] DEFAULT '{}') RETURNS bigint LANGUAGE sql AS $$
	WITH RECURSIVE words AS (
		SELECT '' AS word
		UNION ALL
		SELECT word || letter FROM words, unnest(string_to_array('V S E 2 9 3 A H 7 Q 6 R 4 B T 5 C L X G J Z F P D W U K Y M 8 N', ' ')) letter
			WHERE length(word) < base_length
	), memo AS (
		INSERT INTO code_memos (name, last_max_pos)
			SELECT ring, count(*) FROM words WHERE length(word) = base_length AND word <> ALL (blocked) RETURNING last_max_pos
	), inserted AS (
		INSERT INTO codes (name, position, value)
			SELECT ring, row_number() OVER () - 1, word FROM words WHERE length(word) = base_length AND word <> ALL (blocked)
	)
	SELECT last_max_pos FROM memo
$$;
CREATE FUNCTION take(ring text, wanted text DEFAULT '', bump boolean DEFAULT false) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	memo code_memos;
	drawn codes;
	highest codes;
BEGIN
	SELECT * INTO STRICT memo FROM code_memos m WHERE m.name = ring;
	IF wanted <> memo.extra OR bump THEN
		memo.uniquizer_num := CASE WHEN wanted <> memo.extra THEN 0 ELSE memo.uniquizer_num + 1 END;
		memo.last_max_pos := (SELECT count(*) FROM codes c WHERE c.name = ring);
	END IF;
	IF memo.last_max_pos = 0 THEN
		memo.uniquizer_num := memo.uniquizer_num + 1;
		memo.last_max_pos := (SELECT count(*) FROM codes c WHERE c.name = ring);
	END IF;
	memo.last_max_pos := memo.last_max_pos - 1;
	SELECT * INTO STRICT highest FROM codes c WHERE c.name = ring AND c.position = memo.last_max_pos;
	SELECT * INTO STRICT drawn FROM codes c
		WHERE c.name = ring AND c.position = (SELECT floor(random() * (highest.position + 1))::int);
	UPDATE codes c SET value = highest.value WHERE c.id = drawn.id;
	UPDATE codes c SET value = drawn.value WHERE c.id = highest.id;
	UPDATE code_memos m SET extra = wanted, uniquizer_num = memo.uniquizer_num, last_max_pos = memo.last_max_pos
		WHERE m.name = ring;
	INSERT INTO taken VALUES (ring, wanted, wanted || numeral(memo.uniquizer_num) || drawn.value);
	RETURN wanted || numeral(memo.uniquizer_num) || drawn.value;
END $$;
-- doodad has come into its third cycle; year into its second with its second
-- extra; bumped has been bumped; half is filtered; full is at the end of its
-- first cycle; new has never been asked.
SELECT seed('doodad', 1), seed('year', 2), seed('bumped', 1), seed('half', 1, string_to_array('V S E 2 9 3 A H 7 Q 6 R 4 B T 5', ' ')),
	seed('full', 1), seed('new', 1);
SELECT count(take('doodad')) FROM generate_series(1, 80);
SELECT count(take('year', '25')) FROM generate_series(1, 100);
SELECT count(take('year', '26')) FROM generate_series(1, 1100);
SELECT count(take('bumped', '', i % 4 = 0)) FROM generate_series(1, 20) i;
SELECT count(take('half', '')) FROM generate_series(1, 33) i;
SELECT count(take('full', '')) FROM generate_series(1, 32) i;
SELECT * FROM code_memos ORDER BY name;
SELECT name, count(*), count(DISTINCT code), min(length(code)), max(length(code)) FROM taken GROUP BY 1 ORDER BY 1;
--
-- By default each ring begins past its memo.
--
SELECT coderring_import();
SELECT name, owner = current_user, base_length, alphabet, max_length, first_cycle FROM coderring.rings ORDER BY 1;
-- Nothing of the library's is changed.
SELECT count(*), count(DISTINCT (name, position)), count(DISTINCT (name, value)) FROM codes;
-- No code comes that the library has handed out, nor one that it could have
-- up to the cycle that it was in, with any extra that it knew.
CREATE TABLE possible AS
	SELECT name, e.extra || numeral(number) || value AS code
		FROM codes JOIN code_memos m USING (name)
		CROSS JOIN LATERAL (SELECT extra UNION SELECT t.extra FROM taken t WHERE t.name = m.name) e
		CROSS JOIN generate_series(0, uniquizer_num) number;
SELECT count(*) FROM taken t WHERE NOT EXISTS (SELECT FROM possible p WHERE p.name = t.name AND p.code = t.code);
CREATE TEMP TABLE received (n int GENERATED ALWAYS AS IDENTITY, name text, extra text, code text COLLATE "C");
INSERT INTO received (name, extra, code)
	SELECT name, extra, coderring_get_codes(name, CASE base_length WHEN 1 THEN 320 ELSE 3000 END, extra)
		FROM coderring.rings, unnest(ARRAY['', '25', '26', '27']) extra WHERE name = 'year' OR extra = '';
SELECT name, count(*), count(DISTINCT code) FROM received GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM received JOIN possible USING (name, code);
-- They begin with the uniquizer that the library would have come to next.
SELECT name, extra, (SELECT left(r.code, -base_length) FROM received r WHERE r.name = g.name AND r.extra = g.extra ORDER BY n LIMIT 1)
	FROM (SELECT DISTINCT name, extra FROM received) g JOIN coderring.rings USING (name) ORDER BY 1, 2;
SELECT name, extra, (SELECT left(take(name, extra), -base_length) FROM generate_series(1, last_max_pos + 1) i OFFSET last_max_pos)
	FROM code_memos JOIN coderring.rings USING (name) ORDER BY 1;
-- Once imported, they are there already: all or nothing.
SELECT count(coderring_drop(name)) FROM coderring.rings WHERE name < 'half';
\set SHOW_CONTEXT errors
SELECT coderring_import();
\set SHOW_CONTEXT never
SELECT name FROM coderring.rings ORDER BY 1;
SELECT count(coderring_drop(name)) FROM coderring.rings;
-- Transactional
BEGIN;
SELECT coderring_import();
ROLLBACK;
SELECT count(*) FROM coderring.rings;
--
-- A first_cycle of one's own, for all rings
--
SELECT coderring_import(first_cycle => 5);
SELECT name, first_cycle, coderring_get_code(name) LIKE '4_' FROM coderring.rings WHERE base_length = 1 ORDER BY 1;
SELECT left(coderring_get_code('year', '24'), 3);
SELECT count(coderring_drop(name)) FROM coderring.rings;
-- One that is not past a memo; with what the hint says, codes are new all the
-- same, and the cycles before count as entered.
SELECT count(take('year', 'X')) FROM generate_series(1, 1);
SELECT coderring_import('codes', 'code_memos', 0);
SELECT coderring_advance('year', 'X', 1), left(coderring_get_code('year', 'X'), 2);
SELECT left(coderring_get_code('year', '', true), -2), left(coderring_get_code('year', '', true), -2);
SELECT count(coderring_drop(name)) FROM coderring.rings;
-- What the application has kept tells how far each extra has come. This query
-- is in docs/moving-from-coder-ring.md.
WITH kept AS (
	SELECT left(code, 2) AS extra, substr(code, 3, length(code) - 2 - 2) AS uniquizer
	FROM taken WHERE name = 'year' AND extra <> 'X'
), used AS (
	SELECT DISTINCT extra, uniquizer FROM kept
)
SELECT extra, max(CASE uniquizer WHEN '' THEN 0 ELSE 1 + (
		SELECT sum((strpos('XW23456789ABCDEFGHYJKLMNZPQRSTUV', substr(uniquizer, i, 1)) - 1) * (32 ^ (length(uniquizer) - i))::bigint)
		FROM generate_series(1, length(uniquizer)) i) END) AS uniquizer_num
FROM used GROUP BY extra ORDER BY extra;
-- Its result as the page says to use it: the ring keeps clear of all that the
-- library's series have passed, and a new extra begins without a uniquizer.
SET client_min_messages = error;
SELECT coderring_import(first_cycle => 0);
RESET client_min_messages;
SELECT coderring_advance('year', extra, number + 1) FROM (VALUES ('25', 0), ('26', 2), ('X', 0)) used (extra, number);
TRUNCATE received;
INSERT INTO received (name, extra, code)
	SELECT 'year', extra, coderring_get_codes('year', 5000, extra)
		FROM unnest(ARRAY['', '2', '25', '26', '26X', '26XX', '27', 'X']) extra;
SELECT extra, (SELECT left(code, -2) FROM received r WHERE r.extra = e.extra ORDER BY n LIMIT 1), count(DISTINCT code)
	FROM received e GROUP BY 1 ORDER BY extra COLLATE "C";
SELECT count(DISTINCT code) FROM received;
SELECT count(*) FROM received r JOIN taken t USING (name, code);
SELECT count(coderring_drop(name)) FROM coderring.rings;
-- Where extras are of one length, the shorter remedy: import with the defaults,
-- here past the memo of extra X, which knows cycle 0, and advance what had come
-- further. Without that codes would come again.
SET client_min_messages = error;
SELECT coderring_import();
RESET client_min_messages;
SELECT first_cycle FROM coderring.rings WHERE name = 'year';
SELECT count(*) > 0 FROM coderring_get_codes('year', 2000, '26') code JOIN taken t USING (code) WHERE t.name = 'year';
SELECT coderring_reset('year', 1), coderring_advance('year', '26', 3);
TRUNCATE received;
INSERT INTO received (name, extra, code)
	SELECT 'year', extra, coderring_get_codes('year', 5000, extra) FROM unnest(ARRAY['24', '25', '26', '27']) extra;
SELECT count(DISTINCT code) FROM received;
SELECT count(*) FROM received r JOIN taken t USING (name, code);
SELECT count(coderring_drop(name)) FROM coderring.rings;
-- Or every code longer than all before: by 5 - 2 - 0 characters of uniquizer,
-- and one more
SELECT max(length(code)) FROM taken WHERE name = 'year';
SELECT coderring_import(first_cycle => 32769);
SELECT min(length(code)) FROM coderring_get_codes('year', 100) code;
SELECT count(coderring_drop(name)) FROM coderring.rings;
-- The query's numbers are those of numeral().
SELECT bool_and(number = (CASE uniquizer WHEN '' THEN 0 ELSE 1 + (
		SELECT sum((strpos('XW23456789ABCDEFGHYJKLMNZPQRSTUV', substr(uniquizer, i, 1)) - 1) * (32 ^ (length(uniquizer) - i))::bigint)
		FROM generate_series(1, length(uniquizer)) i) END))
	FROM generate_series(0, 3000) number, numeral(number) uniquizer;
--
-- Names of tables, as a user writes them
--
CREATE FUNCTION pg_temp.imported(codes text, memos text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	result := coderring_import(codes, memos);
	result := result || ' ' || (SELECT string_agg(name, ', ' ORDER BY name) FROM coderring.rings);
	PERFORM coderring_drop(name) FROM coderring.rings;
	RETURN result;
END $$;
SET client_min_messages = warning;
SELECT pg_temp.imported('CODES', ' Library . Code_Memos ');
SET search_path = public;
SELECT pg_temp.imported('library.codes', '"library"."code_memos"');
SELECT pg_temp.fails('SELECT coderring_import()');
SELECT pg_temp.fails($$SELECT coderring_import('library.codes')$$);
CREATE SCHEMA "Le.ga""cy";
CREATE TABLE "Le.ga""cy"."Co des" (id uuid, value char(4), name text, "position" bigint);
CREATE TABLE "Le.ga""cy"."select" (last_max_pos smallint, extra text, name char(20), uniquizer_num bigint);
INSERT INTO "Le.ga""cy"."Co des" (name, value) VALUES ('It''s "one"', 'VV');
INSERT INTO "Le.ga""cy"."select" (name, extra, uniquizer_num) VALUES ('It''s "one"', NULL, 4294967296);
SELECT pg_temp.imported('"Le.ga""cy"."Co des"', '"Le.ga""cy"."select"');
SET search_path = "Le.ga""cy", public;
SELECT pg_temp.imported('"Co des"', '"select"');
SELECT pg_temp.fails($$SELECT coderring_import('Co des', 'select')$$);
SELECT pg_temp.fails($$SELECT coderring_import('"co des"', 'library.code_memos')$$);
CREATE TEMP TABLE codes (LIKE library.codes);
CREATE TEMP TABLE code_memos (LIKE library.code_memos);
SELECT coderring_import();
INSERT INTO codes (id, name, position, value) VALUES (1, 'temporary', 0, '8');
SELECT pg_temp.imported('codes', 'code_memos');
SELECT pg_temp.imported('pg_temp.codes', 'library.code_memos');
DROP TABLE codes, code_memos;
-- A partition, and a table that inherits: each has rows of its own. A table
-- that was inherited from can be read once it no longer is.
SET search_path = library, public;
CREATE TABLE parts (name varchar(255), position int, value varchar(255)) PARTITION BY LIST (name);
CREATE TABLE part PARTITION OF parts DEFAULT;
INSERT INTO parts SELECT name, position, value FROM codes;
SELECT pg_temp.imported('part', 'code_memos');
CREATE TABLE heir () INHERITS (code_memos);
INSERT INTO heir SELECT * FROM ONLY code_memos;
SELECT pg_temp.imported('part', 'heir');
DROP TABLE parts, heir;
SELECT pg_temp.imported('codes', 'code_memos');
RESET client_min_messages;
--
-- Columns that were dropped, and some that came with a default and are not in
-- the rows from before
--
CREATE TABLE changed_codes (gone int, position int, lost text, name text);
INSERT INTO changed_codes VALUES (1, 0, 'lost', 'before'), (NULL, 0, NULL, 'nulls');
ALTER TABLE changed_codes DROP gone, DROP lost, ADD value varchar(255) NOT NULL DEFAULT 'VVV', ADD more int;
INSERT INTO changed_codes VALUES (0, 'after', 'VV');
CREATE TABLE changed_memos (name text, uniquizer_num text, gone text);
INSERT INTO changed_memos VALUES ('before', '7', 'gone'), ('nulls', '7', NULL);
ALTER TABLE changed_memos DROP gone, DROP uniquizer_num, ADD last_max_pos smallint, ADD uniquizer_num bigint DEFAULT 41, ADD extra text DEFAULT 'EX';
UPDATE changed_memos SET uniquizer_num = NULL, extra = NULL WHERE name = 'nulls';
INSERT INTO changed_memos (name, uniquizer_num, extra) VALUES ('after', 5, '');
SELECT attname, atthasmissing FROM pg_attribute WHERE attrelid = 'changed_memos'::regclass AND attnum > 0 ORDER BY attnum;
SELECT coderring_import('changed_codes', 'changed_memos');
SELECT name, base_length, first_cycle FROM coderring.rings ORDER BY 1;
SELECT count(coderring_drop(name)) FROM coderring.rings;
-- Columns that come first, computed and stored
CREATE TABLE computed_memos (
	uniquizer_num bigint GENERATED ALWAYS AS (last_max_pos + 1) STORED,
	last_max_pos int,
	extra text,
	name text
);
INSERT INTO computed_memos (name, last_max_pos) VALUES ('before', 10), ('nulls', NULL);
SELECT coderring_import('changed_codes', 'computed_memos');
SELECT name, base_length, first_cycle FROM coderring.rings ORDER BY 1;
SELECT count(coderring_drop(name)) FROM coderring.rings;
-- Values that are compressed, and values out of line
CREATE TABLE wide_codes (position int, name char(3000), value char(3000));
INSERT INTO wide_codes VALUES (0, repeat('n', 63), 'VSE2'), (1, repeat('n', 63), 'VSE9');
CREATE TABLE wide_memos (name text, uniquizer_num int, extra text, last_max_pos int, room text) WITH (toast_tuple_target = 128);
ALTER TABLE wide_memos ALTER name SET STORAGE EXTERNAL, ALTER extra SET STORAGE EXTERNAL, ALTER room SET STORAGE PLAIN;
INSERT INTO wide_memos SELECT repeat('n', 63), 2, repeat('extra', 20), NULL, repeat('.', 2100);
SELECT max(pg_column_size(name)) < 300, max(pg_column_size(value)) < 300 FROM wide_codes;
SELECT pg_relation_size(reltoastrelid) > 0 FROM pg_class WHERE oid = 'wide_memos'::regclass;
SELECT coderring_import('wide_codes', 'wide_memos');
SELECT length(name), base_length, first_cycle FROM coderring.rings ORDER BY 1;
SELECT count(coderring_drop(name)) FROM coderring.rings;
DROP TABLE changed_codes, changed_memos, computed_memos, wide_codes, wide_memos;
-- What the transaction has done before is seen, and what it has undone is not.
BEGIN;
DELETE FROM codes WHERE name <> 'full';
DELETE FROM code_memos WHERE name <> 'full';
UPDATE code_memos SET uniquizer_num = 8;
SAVEPOINT s;
UPDATE code_memos SET uniquizer_num = 9;
INSERT INTO code_memos (name) VALUES ('undone');
ROLLBACK TO s;
SELECT coderring_import();
SELECT name, first_cycle FROM coderring.rings ORDER BY 1;
ROLLBACK;
--
-- Memos and codes that do not belong together
--
BEGIN;
ALTER TABLE codes DROP CONSTRAINT codes_name_fkey;
DELETE FROM code_memos WHERE name IN ('half', 'year');
INSERT INTO code_memos (name) VALUES ('never filled');
ALTER TABLE code_memos ALTER uniquizer_num DROP NOT NULL, ALTER extra DROP NOT NULL;
UPDATE code_memos SET uniquizer_num = NULL, extra = NULL WHERE name = 'doodad';
SELECT coderring_import();
SELECT name, first_cycle FROM coderring.rings ORDER BY 1;
ROLLBACK;
--
-- Errors: nothing is created.
--
CREATE TABLE no_memos (LIKE code_memos INCLUDING ALL);
CREATE TABLE no_codes (LIKE codes);
SELECT coderring_import('no_codes', 'no_memos'), coderring_import('no_codes', 'no_memos', 3);
CREATE TABLE few_memos (LIKE code_memos INCLUDING ALL);
INSERT INTO few_memos VALUES ('good', 0, '', 31), ('half', 0, '', 3);
CREATE TABLE few_codes (LIKE codes INCLUDING ALL);
INSERT INTO few_codes (position, name, value) VALUES (0, 'good', 'VS'), (0, 'half', 'C'), (1, 'half', 'L'), (2, 'half', 'X');
CREATE FUNCTION pg_temp.fails_with(change text, query text DEFAULT 'SELECT coderring_import()') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	BEGIN
		EXECUTE change;
		result := pg_temp.fails(query);
		IF EXISTS (SELECT FROM coderring.rings) THEN
			result := result || ' (and there are rings)';
		END IF;
		RAISE EXCEPTION 'undo';
	EXCEPTION WHEN raise_exception THEN
		RETURN result;
	END;
END $$;
CREATE TEMP TABLE failures (n int GENERATED ALWAYS AS IDENTITY, change text, query text DEFAULT 'SELECT coderring_import()');
-- Arguments
INSERT INTO failures (change, query) VALUES
	('', 'SELECT coderring_import(NULL)'),
	('', $$SELECT coderring_import('codes', NULL)$$),
	('', $$SELECT coderring_import('')$$),
	('', $$SELECT coderring_import('codes', '.')$$),
	('', $$SELECT coderring_import('"codes')$$),
	('', $$SELECT coderring_import('codes; DROP TABLE codes')$$),
	('', $$SELECT coderring_import('nothing')$$),
	('', $$SELECT coderring_import('codes', 'no.thing')$$),
	('', $$SELECT coderring_import('no.such.codes')$$),
	('', $$SELECT coderring_import('a.b.c.d')$$),
	('', $$SELECT coderring_import('codes', 'codes')$$),
	('', $$SELECT coderring_import('code_memos', 'codes')$$),
	('', $$SELECT coderring_import('codes_id_seq')$$),
	('', $$SELECT coderring_import('codes_pkey')$$),
	('', $$SELECT coderring_import('pg_catalog.pg_class')$$),
	('', $$SELECT coderring_import('no_codes', 'no_memos', -1)$$),
	('', 'SELECT coderring_import(first_cycle => -9223372036854775808)'),
	('', 'SELECT coderring_import(first_cycle => 9223372036854775807)');
-- Columns
INSERT INTO failures (change) VALUES
	('ALTER TABLE codes DROP value'),
	('ALTER TABLE code_memos DROP uniquizer_num'),
	('ALTER TABLE code_memos RENAME extra TO caller_extra'),
	('ALTER TABLE codes ALTER value TYPE bytea USING value::bytea'),
	('ALTER TABLE codes ALTER value TYPE varchar(255)[] USING ARRAY[value]'),
	('ALTER TABLE codes ALTER position TYPE numeric'),
	('ALTER TABLE codes ALTER position TYPE text'),
	('ALTER TABLE code_memos ALTER uniquizer_num DROP DEFAULT, ALTER uniquizer_num TYPE boolean USING false'),
	('ALTER TABLE code_memos ALTER extra TYPE json USING to_json(extra), ALTER extra DROP DEFAULT'),
	('ALTER TABLE code_memos ALTER last_max_pos TYPE real'),
	('ALTER TABLE codes DROP CONSTRAINT codes_name_fkey; ALTER TABLE codes ALTER name TYPE name'),
	('CREATE DOMAIN word AS text; ALTER TABLE codes ALTER value TYPE word');
-- Rows
INSERT INTO failures (change, query)
	SELECT change, $q$SELECT coderring_import('few_codes', 'few_memos')$q$ FROM unnest(ARRAY[
	$$ALTER TABLE few_codes ALTER value DROP NOT NULL; UPDATE few_codes SET value = NULL WHERE name = 'half' AND position = 1$$,
	$$UPDATE few_codes SET value = '' WHERE name = 'half' AND position = 1$$,
	$$UPDATE few_codes SET value = 'VV' WHERE name = 'half' AND position = 1$$,
	$$UPDATE few_codes SET value = 'v' WHERE name = 'half' AND position = 1$$,
	$$UPDATE few_codes SET value = 'I' WHERE name = 'half' AND position = 1$$,
	$$UPDATE few_codes SET value = 'V ' WHERE name = 'half' AND position = 1$$,
	$$UPDATE few_codes SET value = 'Ä' WHERE name = 'half' AND position = 1$$,
	$$UPDATE few_codes SET value = repeat('日本', 100) WHERE name = 'half' AND position = 1$$,
	$$UPDATE few_codes SET value = repeat('V', 13) WHERE name = 'half'$$,
	$$ALTER TABLE few_codes ALTER value TYPE text; UPDATE few_codes SET value = repeat('V', 1000000) WHERE name = 'half'$$,
	$$ALTER TABLE few_codes ALTER name DROP NOT NULL; UPDATE few_codes SET name = NULL WHERE name = 'half' AND position = 1$$,
	$$INSERT INTO few_memos VALUES (''); UPDATE few_codes SET name = '' WHERE name = 'half'$$,
	$$INSERT INTO few_memos VALUES (repeat('n', 64)); UPDATE few_codes SET name = repeat('n', 64) WHERE name = 'half'$$,
	$$UPDATE few_memos SET uniquizer_num = -1 WHERE name = 'half'$$,
	$$UPDATE few_memos SET uniquizer_num = -2147483648 WHERE name = 'half'$$,
	$$ALTER TABLE few_memos ALTER uniquizer_num TYPE bigint; UPDATE few_memos SET uniquizer_num = 9223372036854775807 WHERE name = 'half'$$,
	$$ALTER TABLE few_memos ALTER uniquizer_num TYPE bigint; UPDATE few_memos SET uniquizer_num = 9223372036854775806 WHERE name = 'half'$$,
	$$ALTER TABLE few_memos DROP CONSTRAINT few_memos_pkey;
		INSERT INTO few_memos SELECT * FROM few_memos WHERE name = 'half'$$,
	'SELECT coderring_create(''half'')']) change;
-- Kinds of relations, policies
INSERT INTO failures (change, query) VALUES
	('CREATE VIEW v AS SELECT * FROM codes', $$SELECT coderring_import('v')$$),
	('CREATE MATERIALIZED VIEW m AS SELECT * FROM code_memos WITH NO DATA', $$SELECT coderring_import('codes', 'm')$$),
	('CREATE TABLE parts (LIKE codes) PARTITION BY LIST (name); CREATE TABLE part PARTITION OF parts DEFAULT;
		INSERT INTO parts SELECT * FROM codes', $$SELECT coderring_import('parts')$$),
	('CREATE FOREIGN DATA WRAPPER regress_coderring; CREATE SERVER regress_coderring FOREIGN DATA WRAPPER regress_coderring;
		CREATE FOREIGN TABLE f (name text, value text, position int) SERVER regress_coderring', $$SELECT coderring_import('f')$$),
	('CREATE TABLE heir () INHERITS (codes)', 'SELECT coderring_import()'),
	('CREATE TABLE heir (more int) INHERITS (code_memos); INSERT INTO heir VALUES (''half'', 99)', 'SELECT coderring_import()'),
	('CREATE ROLE regress_coderring_policy; GRANT USAGE ON SCHEMA library TO regress_coderring_policy;
		GRANT SELECT ON codes, code_memos TO regress_coderring_policy;
		ALTER TABLE code_memos ENABLE ROW LEVEL SECURITY; SET LOCAL ROLE regress_coderring_policy',
		'SELECT coderring_import()');
SELECT n || ') ' || concat_ws(E'\n', NULLIF(change, ''), query) || E'\n' || pg_temp.fails_with(change, query) FROM failures ORDER BY n;
SELECT count(*) FROM coderring.rings;
CREATE MATERIALIZED VIEW m AS SELECT * FROM codes;
BEGIN;
SELECT coderring_import('m');
ROLLBACK;
DROP MATERIALIZED VIEW m;
-- Where nothing can be written
BEGIN READ ONLY;
SELECT pg_temp.fails('SELECT coderring_import()');
ROLLBACK;
CREATE FUNCTION pg_temp.hidden() RETURNS text LANGUAGE plpgsql PARALLEL SAFE AS $$
BEGIN
	RETURN coderring_import('library.codes', 'library.code_memos');
END $$;
CREATE FUNCTION pg_temp.in_parallel() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE 'SELECT pg_temp.hidden()' INTO result;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ': ' || SQLERRM;
END $$;
DO $$
BEGIN
	PERFORM set_config(name, 'on', false) FROM pg_settings
		WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
END $$;
SELECT pg_temp.in_parallel();
DO $$
BEGIN
	PERFORM set_config(name, 'off', false) FROM pg_settings
		WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
END $$;
--
-- Privileges: those of the caller on the tables, and the rings are the caller's.
--
CREATE FUNCTION pg_temp.as_app() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	SET LOCAL ROLE regress_coderring_app;
	result := pg_temp.fails('SELECT coderring_import(''library.codes'', ''library.code_memos'')');
	RESET ROLE;
	RETURN result;
END $$;
SELECT pg_temp.as_app();
GRANT USAGE ON SCHEMA library TO regress_coderring_app;
SELECT pg_temp.as_app();
GRANT SELECT ON codes TO regress_coderring_app;
SELECT pg_temp.as_app();
GRANT SELECT (name, extra) ON code_memos TO regress_coderring_app;
SELECT pg_temp.as_app();
GRANT SELECT (uniquizer_num, last_max_pos) ON code_memos TO regress_coderring_app;
SET client_min_messages = warning;
SELECT pg_temp.as_app();
RESET client_min_messages;
SELECT owner, count(*) FROM coderring.rings GROUP BY 1;
SELECT count(coderring_drop(name)) FROM coderring.rings;
REVOKE SELECT ON codes FROM regress_coderring_app;
GRANT SELECT (id, position) ON codes TO regress_coderring_app;
SELECT pg_temp.as_app();
--
-- A schema in front of pg_catalog, full of what somebody hopes will be called
--
CREATE SCHEMA hostile;
SET search_path = hostile, public;
CREATE FUNCTION hijack(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE FUNCTION equal(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE FUNCTION equal(varchar, varchar) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE FUNCTION equal(int, int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
DO $$
DECLARE
	operator text;
	type text;
BEGIN
	FOREACH operator IN ARRAY ARRAY['=', '<>', '<', '>', '<=', '>='] LOOP
		FOREACH type IN ARRAY ARRAY['text', 'varchar', 'int'] LOOP
			EXECUTE format('CREATE OPERATOR hostile.%s (FUNCTION = hostile.equal, LEFTARG = %s, RIGHTARG = %s)', operator, type, type);
		END LOOP;
	END LOOP;
END $$;
CREATE FUNCTION length(varchar) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE FUNCTION length(text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE FUNCTION max(int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE FUNCTION name(library.codes) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE FUNCTION text(varchar) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE TYPE word AS (w text);
CREATE FUNCTION to_text(word) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE FUNCTION to_int(word) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE CAST (word AS text) WITH FUNCTION to_text(word) AS IMPLICIT;
CREATE CAST (word AS varchar) WITH FUNCTION to_text(word) AS IMPLICIT;
CREATE CAST (word AS int) WITH FUNCTION to_int(word) AS IMPLICIT;
CREATE FUNCTION value(hostile.word) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE TABLE codes (id int, position int, name varchar(255), value word);
INSERT INTO codes VALUES (1, 0, 'ring', ROW('V'));
CREATE TABLE code_memos (name varchar(255), uniquizer_num word, extra varchar(255), last_max_pos int);
INSERT INTO code_memos VALUES ('ring', ROW('1'), '', 1);
CREATE TABLE nameless (id int, position int, value varchar(255));
INSERT INTO nameless VALUES (1, 0, 'V');
CREATE FUNCTION name(nameless) RETURNS varchar LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE VIEW tempting AS SELECT id, position, name, hijack(value)::varchar AS value FROM library.codes;
SET search_path = hostile, pg_catalog, public;
SELECT hostile.length('V'::varchar);
SELECT 1 FROM library.codes WHERE name = 'half'::varchar;
SET client_min_messages = warning;
SELECT coderring_import('library.codes', 'library.code_memos');
RESET client_min_messages;
SELECT pg_catalog.count(coderring_drop(name)) FROM coderring.rings;
SELECT coderring_import();
SELECT coderring_import('codes', 'library.code_memos');
SELECT coderring_import('library.codes');
SELECT coderring_import('nameless', 'library.code_memos');
SELECT coderring_import('tempting', 'library.code_memos');
-- A policy would run a function too.
CREATE TABLE mine (LIKE library.codes);
INSERT INTO mine VALUES (1, 0, 'ring', 'V');
CREATE POLICY p ON mine USING (hijack(value) = '');
ALTER TABLE mine ENABLE ROW LEVEL SECURITY;
SELECT coderring_import('mine', 'library.no_memos');
ALTER TABLE mine FORCE ROW LEVEL SECURITY;
ALTER TABLE mine OWNER TO regress_coderring_other;
GRANT USAGE ON SCHEMA hostile, library TO regress_coderring_other;
GRANT SELECT ON library.no_memos TO regress_coderring_other;
SET ROLE regress_coderring_other;
SELECT coderring_import('mine', 'library.no_memos');
RESET ROLE;
SET search_path = public;
SELECT count(coderring_drop(name)) FROM coderring.rings;
-- To plan a query is enough to run functions of the table's owner, which stand
-- with constant arguments where the planner looks. Nobody's must be called.
CREATE SCHEMA snare;
GRANT USAGE, CREATE ON SCHEMA snare TO regress_coderring_other;
SET search_path = snare, public;
CREATE TABLE calls (caller text, place text);
GRANT INSERT ON calls TO PUBLIC;
SET ROLE regress_coderring_other;
CREATE FUNCTION volatile_note(text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN INSERT INTO snare.calls VALUES (current_user, $1); END $$;
CREATE FUNCTION evil(text) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM snare.volatile_note($1); RETURN 1; END $$;
CREATE TABLE codes (position int, name text, value text);
CREATE TABLE code_memos (name text, uniquizer_num int, extra text, last_max_pos int);
INSERT INTO codes VALUES (0, 'snare', 'V'), (1, 'snare', 'S');
INSERT INTO code_memos VALUES ('snare', 3, '', 1);
DO $$
DECLARE
	tablename text;
BEGIN
	FOREACH tablename IN ARRAY ARRAY['codes', 'code_memos'] LOOP
		EXECUTE format($q$CREATE INDEX ON %I ((evil('expression')))$q$, tablename);
		EXECUTE format($q$CREATE INDEX ON %I (name) WHERE evil('predicate') = 1$q$, tablename);
		EXECUTE format($q$CREATE STATISTICS %I ON (evil('statistics')), name FROM %I$q$, tablename || '_stat', tablename);
		EXECUTE format($q$ALTER TABLE %I ADD CHECK (evil('check') = 1)$q$, tablename);
		EXECUTE format($q$ALTER TABLE %I ADD computed int GENERATED ALWAYS AS (evil('computed')) STORED$q$, tablename);
		EXECUTE format($q$ALTER TABLE %I ADD filled int DEFAULT evil('default')$q$, tablename);
		EXECUTE format($q$CREATE POLICY p ON %I USING (evil('policy') = 1)$q$, tablename);
		EXECUTE format($q$ALTER TABLE %I ENABLE ROW LEVEL SECURITY$q$, tablename);
	END LOOP;
END $$;
RESET ROLE;
SELECT DISTINCT caller FROM calls;
TRUNCATE calls;
SELECT coderring_import();
SELECT * FROM calls;
SELECT name, first_cycle FROM coderring.rings;
-- It would have worked.
SELECT uniquizer_num, name FROM code_memos;
SELECT DISTINCT caller = current_user FROM calls;
SELECT count(coderring_drop(name)) FROM coderring.rings;
SET search_path = public;
SET client_min_messages = warning;
DROP SCHEMA library, hostile, snare, "Le.ga""cy" CASCADE;
REVOKE EXECUTE ON FUNCTION coderring_create, coderring_define_blocklist, coderring_import FROM PUBLIC;
DROP ROLE regress_coderring_app, regress_coderring_other;
