--
-- Every error: its SQLSTATE, message, detail and hint; and none of them
-- changes anything.
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
CREATE ROLE regress_coderring_owner;
CREATE ROLE regress_coderring_user;
GRANT EXECUTE ON FUNCTION coderring_create, coderring_define_blocklist, coderring_import TO PUBLIC;
-- One ring like any other, one at its end, one at the end of all cycles
SET ROLE regress_coderring_owner;
SELECT coderring_create('ring', 2), coderring_reset('ring', test_seed => 'errors');
RESET ROLE;
CREATE TEMP TABLE expected AS SELECT coderring_get_codes('ring', 1000) AS code;
SELECT coderring_reset('ring', test_seed => 'errors');
SELECT coderring_get_code('ring', 'E') FROM generate_series(1, 3);
SELECT coderring_create('full', 1, max_length => 2), coderring_advance('full', '', 32);
SELECT count(*) FROM (SELECT coderring_get_codes('full', 32)) c;
SELECT coderring_create('last', 12), coderring_advance('last', '', 6, 1152921504606846975), length(coderring_get_code('last'));
CREATE TEMP VIEW state AS SELECT 'ring' AS kind, r::text AS row FROM coderring.ring r
	UNION ALL SELECT 'series', s::text FROM coderring.series_state s WHERE incarnation IN (SELECT incarnation FROM coderring.ring)
	UNION ALL SELECT 'view', s::text FROM coderring.series s
	UNION ALL SELECT 'skipped', s::text FROM coderring.skipped_positions s;
SELECT coderring_get_code('ring') = code FROM expected LIMIT 1;
CREATE TEMP TABLE state_before AS SELECT * FROM state;
CREATE TEMP TABLE failures (n int GENERATED ALWAYS AS IDENTITY, query text);
INSERT INTO failures (query) VALUES
	-- Names
	($$SELECT coderring_get_code('nothing')$$),
	($$SELECT coderring_get_code('it''s')$$),
	($$SELECT coderring_get_code('')$$),
	($$SELECT coderring_get_code('RING')$$),
	($$SELECT coderring_get_code('ring ')$$),
	($$SELECT coderring_get_code('nothing', 'E', true)$$),
	($$SELECT coderring_get_codes('nothing', 3)$$),
	($$SELECT coderring_advance('nothing')$$),
	($$SELECT coderring_drop('nothing')$$),
	($$SELECT coderring_reset('nothing')$$),
	($$SELECT coderring_rename('nothing', 'other')$$),
	($$SELECT coderring_rename('ring', 'full')$$),
	($$SELECT coderring_rename('ring', 'ring')$$),
	($$SELECT coderring_rename('ring', '')$$),
	($$SELECT coderring_create('ring')$$),
	($$SELECT coderring_create('')$$),
	($$SELECT coderring_create(repeat('n', 64))$$),
	($$SELECT coderring_create(repeat('ä', 32))$$),
	($$SELECT coderring_rename('ring', repeat('日', 22))$$),
	($$SELECT coderring_get_code(repeat('n', 64))$$),
	-- NULL
	($$SELECT coderring_create(NULL)$$),
	($$SELECT coderring_drop(NULL)$$),
	($$SELECT coderring_rename(NULL, 'other')$$),
	($$SELECT coderring_rename('ring', NULL)$$),
	($$SELECT coderring_reset(NULL)$$),
	($$SELECT coderring_get_code(NULL)$$),
	($$SELECT coderring_get_codes(NULL, 0)$$),
	($$SELECT coderring_get_codes('ring', NULL)$$),
	($$SELECT coderring_advance(NULL)$$),
	-- Lengths
	($$SELECT coderring_create('new', 0)$$),
	($$SELECT coderring_create('new', -1)$$),
	($$SELECT coderring_create('new', 13)$$),
	($$SELECT coderring_create('new', 2147483647)$$),
	($$SELECT coderring_create('new', 12, alphabet => alphabet || '_') FROM coderring.rings WHERE name = 'ring'$$),
	($$SELECT coderring_create('new', 11, alphabet => (SELECT string_agg(chr(i), '') FROM generate_series(48, 111) i))$$),
	-- Alphabets
	($$SELECT coderring_create('new', 1, alphabet => '')$$),
	($$SELECT coderring_create('new', 1, alphabet => 'A')$$),
	($$SELECT coderring_create('new', 1, alphabet => (SELECT string_agg(chr(i), '') FROM generate_series(33, 97) i))$$),
	($$SELECT coderring_create('new', 1, alphabet => 'ABCA')$$),
	($$SELECT coderring_create('new', 1, alphabet => 'AB C')$$),
	($$SELECT coderring_create('new', 1, alphabet => E'AB\tC')$$),
	($$SELECT coderring_create('new', 1, alphabet => E'AB\x7f')$$),
	($$SELECT coderring_create('new', 1, alphabet => 'ABCäD')$$),
	($$SELECT coderring_create('new', 1, alphabet => 'ää')$$),
	($$SELECT coderring_create('new', 1, alphabet => repeat('日', 40))$$),
	-- max_length and first_cycle
	($$SELECT coderring_create('new', 4, max_length => 3)$$),
	($$SELECT coderring_create('new', 4, max_length => 0)$$),
	($$SELECT coderring_create('new', 4, max_length => -1)$$),
	($$SELECT coderring_create('new', 4, max_length => 5, first_cycle => 33)$$),
	($$SELECT coderring_create('new', 4, first_cycle => -1)$$),
	($$SELECT coderring_create('new', 12, first_cycle => 7)$$),
	($$SELECT coderring_create('new', 4, first_cycle => 9223372036854775807)$$),
	($$SELECT coderring_reset('ring', -1)$$),
	($$SELECT coderring_reset('full', 33)$$),
	($$SELECT coderring_reset('last', 7)$$),
	-- Extras
	($$SELECT coderring_get_code('ring', repeat('e', 64))$$),
	($$SELECT coderring_get_code('ring', repeat('ä', 32))$$),
	($$SELECT coderring_get_codes('ring', 1, repeat('e', 1000))$$),
	($$SELECT coderring_advance('ring', repeat('e', 64))$$),
	-- Counts, places
	($$SELECT coderring_get_codes('ring', -1)$$),
	($$SELECT coderring_advance('ring', '', -1)$$),
	($$SELECT coderring_advance('ring', '', 0, 0)$$),
	($$SELECT coderring_advance('ring', 'E', 0, 2)$$),
	($$SELECT coderring_advance('ring', '', 1, 1024)$$),
	($$SELECT coderring_advance('ring', '', 1, -1)$$),
	-- At the end
	($$SELECT coderring_get_code('full')$$),
	($$SELECT coderring_get_code('full', bump => true)$$),
	($$SELECT coderring_get_codes('full', 5)$$),
	($$SELECT coderring_get_code('full', 'EE')$$),
	($$SELECT coderring_advance('full', '', 33)$$),
	($$SELECT coderring_advance('full')$$),
	($$SELECT coderring_get_code('last')$$),
	($$SELECT coderring_get_code('last', bump => true)$$),
	($$SELECT coderring_advance('last')$$),
	($$SELECT coderring_advance('last', '', 7)$$),
	($$SELECT coderring_advance('last', '', 9223372036854775807)$$),
	-- A failure behind the first codes of a new series is no one's
	($$SELECT coderring_create('new', 2), coderring_get_code('new'), 1 / 0$$),
	($$SELECT coderring_drop('ring'), 1 / 0$$),
	($$SELECT coderring_reset('ring'), coderring_get_code('ring'), coderring_get_code('ring', 'new'), 1 / 0$$),
	($$SELECT coderring_rename('ring', 'other'), 1 / 0$$);
SELECT n || ') ' || query || E'\n' || pg_temp.fails(query) FROM failures ORDER BY n;
-- Nothing has changed.
SELECT * FROM state EXCEPT SELECT * FROM state_before ORDER BY 1, 2;
SELECT * FROM state_before EXCEPT SELECT * FROM state ORDER BY 1, 2;
--
-- Where nothing can be written
--
CREATE FUNCTION pg_temp.all_of_them() RETURNS SETOF text LANGUAGE sql AS $$
	SELECT query || E'\n' || pg_temp.fails(query) FROM unnest(ARRAY[
		$q$SELECT coderring_get_code('ring')$q$,
		$q$SELECT coderring_get_code('ring', 'E', true)$q$,
		$q$SELECT coderring_get_code('ring', 'new')$q$,
		$q$SELECT coderring_get_codes('ring', 1)$q$,
		$q$SELECT coderring_get_codes('ring', 0)$q$,
		$q$SELECT coderring_advance('ring')$q$,
		$q$SELECT coderring_create('new')$q$,
		$q$SELECT coderring_create('ring', if_not_exists => true)$q$,
		$q$SELECT coderring_drop('ring')$q$,
		$q$SELECT coderring_drop('nothing', true)$q$,
		$q$SELECT coderring_rename('ring', 'other')$q$,
		$q$SELECT coderring_reset('ring')$q$,
		$q$SELECT coderring_start_rings()$q$]) query
$$;
BEGIN READ ONLY;
SELECT pg_temp.all_of_them();
-- What is left to see
SELECT ring, extra, cycle_offset FROM coderring.series WHERE ring = 'ring' ORDER BY 2;
SELECT name FROM coderring.rings ORDER BY 1;
COMMIT;
-- In parallel mode: who hides an unsafe function in one marked as safe
CREATE FUNCTION pg_temp.hidden(query text) RETURNS text LANGUAGE plpgsql PARALLEL SAFE AS $$
DECLARE
	result text;
BEGIN
	EXECUTE query INTO result;
	RETURN result;
END $$;
-- the name of this setting until 15, and from 16 on
DO $$
BEGIN
	PERFORM set_config(name, 'on', false) FROM pg_settings
		WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
END $$;
CREATE FUNCTION pg_temp.in_parallel(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE 'SELECT pg_temp.hidden($1)' INTO result USING query;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ': ' || SQLERRM;
END $$;
SELECT pg_temp.in_parallel(query) FROM unnest(ARRAY[
	$$SELECT coderring_get_code('ring')$$,
	$$SELECT coderring_get_code('ring', 'E', true)$$,
	$$SELECT coderring_get_codes('ring', 1)$$,
	$$SELECT coderring_advance('ring')$$,
	$$SELECT coderring_create('new')$$,
	$$SELECT coderring_drop('ring')$$,
	$$SELECT coderring_rename('ring', 'other')$$,
	$$SELECT coderring_reset('ring')$$,
	$$SELECT coderring_start_rings()$$]) query;
DO $$
BEGIN
	PERFORM set_config(name, 'off', false) FROM pg_settings
		WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
END $$;
--
-- Privileges
--
SET ROLE regress_coderring_user;
SELECT pg_temp.fails(query) FROM unnest(ARRAY[
	$$SELECT coderring_get_code('ring')$$,
	$$SELECT coderring_get_code('ring', 'new', true)$$,
	$$SELECT coderring_get_codes('ring', 0)$$,
	$$SELECT coderring_advance('ring')$$,
	$$SELECT coderring_drop('ring')$$,
	$$SELECT coderring_drop('ring', true)$$,
	$$SELECT coderring_rename('ring', 'other')$$,
	$$SELECT coderring_reset('ring')$$]) query;
SELECT coderring_start_rings();
SELECT pg_temp.fails($$SELECT * FROM coderring.ring$$);
SELECT pg_temp.fails($$SELECT * FROM coderring.series_state$$);
SELECT pg_temp.fails($$SELECT * FROM coderring.skipped_positions$$);
SELECT pg_temp.fails($$INSERT INTO coderring.series_state VALUES (gen_random_uuid(), 0, 0, 0, 0, 1, 0, 0, now(), now(), '')$$);
SELECT pg_temp.fails($$CREATE TABLE coderring.mine ()$$);
RESET ROLE;
SELECT * FROM state EXCEPT SELECT * FROM state_before ORDER BY 1, 2;
SELECT * FROM state_before EXCEPT SELECT * FROM state ORDER BY 1, 2;
-- And the codes go on as if nothing had been.
SELECT count(*) FROM (SELECT code, row_number() OVER () AS n FROM expected OFFSET 1) e
	JOIN coderring_get_codes('ring', 999) WITH ORDINALITY AS c (code, i) ON e.code = c.code AND e.n = c.i + 1;
SELECT coderring_get_code('ring', 'E');
SELECT count(coderring_drop(name)) FROM coderring.rings;
REVOKE EXECUTE ON FUNCTION coderring_create, coderring_define_blocklist, coderring_import FROM PUBLIC;
DROP ROLE regress_coderring_owner, regress_coderring_user;
