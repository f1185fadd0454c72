--
-- The views coderring.rings and coderring.series: columns, arithmetic, and
-- who sees what
--
\pset format unaligned
SELECT table_name, column_name, data_type FROM information_schema.columns
	WHERE table_schema = 'coderring' AND table_name IN ('rings', 'series') ORDER BY table_name, ordinal_position;
CREATE ROLE regress_coderring_ann;
CREATE ROLE regress_coderring_bob;
CREATE ROLE regress_coderring_member;
CREATE ROLE regress_coderring_monitor;
GRANT EXECUTE ON FUNCTION coderring_create, coderring_define_blocklist, coderring_import TO PUBLIC;
GRANT regress_coderring_ann TO regress_coderring_member;
GRANT pg_monitor TO regress_coderring_monitor;
SET ROLE regress_coderring_ann;
SELECT coderring_create('ann', 2, alphabet => '0123456789', max_length => 6, first_cycle => 1);
SET ROLE regress_coderring_bob;
SELECT coderring_create('bob');
RESET ROLE;
SELECT * FROM coderring.rings ORDER BY name;
-- A series appears with its first code.
SELECT * FROM coderring.series;
\pset tuples_only on
CREATE TEMP VIEW numbers AS SELECT extra, cycle, uniquizer, cycle_offset, codes_per_cycle, remaining, percent,
	code_length, codes_until_longer FROM coderring.series WHERE ring = 'ann' ORDER BY extra COLLATE "C";
SELECT length(coderring_get_code('ann')), length(coderring_get_code('ann', 'é-'));
SELECT * FROM numbers;
SELECT coderring_advance('ann', '', 1, 33);
SELECT * FROM numbers;
SELECT coderring_advance('ann', '', 1, 99);
SELECT * FROM numbers;
-- The end of a cycle is its end, not the beginning of the next one.
SELECT length(coderring_get_code('ann'));
SELECT * FROM numbers;
SELECT coderring_advance('ann', '', 9, 99), length(coderring_get_code('ann'));
SELECT * FROM numbers;
SELECT length(coderring_get_code('ann'));
SELECT * FROM numbers;
SELECT coderring_advance('ann', '', 10);
SELECT * FROM numbers;
-- Standing before a cycle that has not begun
SELECT coderring_advance('ann', '', 11);
SELECT * FROM numbers;
-- codes_until_longer tells when a code is longer, to the code.
SELECT coderring_create('l', 1, alphabet => '01'), coderring_get_code('l') <> '';
DO $$
DECLARE
	until bigint;
	length int;
	total bigint := 1;
	bad int := 0;
BEGIN
	FOR change IN 1..9 LOOP
		SELECT codes_until_longer, code_length INTO until, length FROM coderring.series WHERE ring = 'l';
		IF (SELECT bool_or(length(c) <> length) FROM coderring_get_codes('l', until::int) c) OR
			length(coderring_get_code('l')) <> length + 1
		THEN
			bad := bad + 1;
		END IF;
		total := total + until + 1;
	END LOOP;
	RAISE NOTICE '% codes, % wrong', total, bad;
END $$;
SELECT cycle, uniquizer, cycle_offset, code_length, codes_until_longer FROM coderring.series WHERE ring = 'l';
-- remaining and percent, all through a cycle
SELECT coderring_create('p', 1, alphabet => 'ABC');
CREATE FUNCTION pg_temp.take() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM coderring_get_code('p');
	RETURN (cycle_offset, remaining, percent) FROM coderring.series WHERE ring = 'p';
END $$;
SELECT pg_temp.take() FROM generate_series(1, 4);
-- Large numbers
SELECT coderring_create('big', 12), coderring_advance('big', '', 3, 576460752303423488), coderring_get_code('big') <> '';
SELECT cycle, uniquizer, cycle_offset, remaining, percent, codes_until_longer FROM coderring.series WHERE ring = 'big';
-- reserved_to is beyond what was handed out, by at most 1/64 of a cycle.
SELECT count(*) AS good FROM coderring.series
	WHERE reserved_to BETWEEN cycle * codes_per_cycle + cycle_offset AND cycle * codes_per_cycle + cycle_offset + greatest(codes_per_cycle / 64, 1);
SELECT count(coderring_drop(name)) FROM coderring.rings WHERE name NOT IN ('ann', 'bob');
SELECT coderring_get_code('bob') <> '';
--
-- Who sees what
--
CREATE FUNCTION pg_temp.look() RETURNS TABLE (rings text, series text) LANGUAGE sql AS $$
	SELECT (SELECT string_agg(name, ' ' ORDER BY name) FROM coderring.rings),
		(SELECT string_agg(DISTINCT ring, ' ') FROM coderring.series)
$$;
SELECT * FROM pg_temp.look();
SET ROLE regress_coderring_ann;
SELECT * FROM pg_temp.look();
SET ROLE regress_coderring_bob;
SELECT * FROM pg_temp.look();
SET ROLE regress_coderring_member;
SELECT * FROM pg_temp.look();
SET ROLE regress_coderring_monitor;
SELECT * FROM pg_temp.look();
-- pg_monitor looks, but does not touch.
SELECT coderring_get_code('ann');
SELECT coderring_drop('bob');
SET ROLE regress_coderring_member;
SELECT length(coderring_get_code('ann'));
SELECT coderring_get_code('bob');
SELECT coderring_rename('ann', 'anne'), length(coderring_get_code('anne')), coderring_rename('anne', 'ann');
RESET ROLE;
-- Membership is looked at in each call, also of a series in use, and within
-- a transaction.
SET ROLE regress_coderring_bob;
SELECT length(coderring_get_code('bob'));
SET ROLE regress_coderring_ann;
SELECT coderring_get_code('bob');
RESET ROLE;
GRANT regress_coderring_bob TO regress_coderring_ann;
SET ROLE regress_coderring_ann;
SELECT length(coderring_get_code('bob'));
RESET ROLE;
BEGIN;
REVOKE regress_coderring_bob FROM regress_coderring_ann;
SET LOCAL ROLE regress_coderring_ann;
SELECT coderring_get_code('bob');
ROLLBACK;
SET ROLE regress_coderring_ann;
SELECT length(coderring_get_code('bob'));
RESET ROLE;
ALTER ROLE regress_coderring_ann NOINHERIT;
REVOKE regress_coderring_bob FROM regress_coderring_ann;
SET ROLE regress_coderring_ann;
SELECT coderring_get_code('bob');
SELECT * FROM pg_temp.look();
RESET ROLE;
-- A SECURITY DEFINER function is how others get codes without more rights.
CREATE FUNCTION pg_temp.code_of_ann() RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
	AS $$ SELECT coderring_get_code('ann') $$;
ALTER FUNCTION pg_temp.code_of_ann() OWNER TO regress_coderring_ann;
SET ROLE regress_coderring_bob;
SELECT length(pg_temp.code_of_ann());
SELECT coderring_get_code('ann');
RESET ROLE;
-- An owner that is gone: superusers only.
DROP ROLE regress_coderring_bob;
SELECT name, owner ~ '^unknown' FROM coderring.rings ORDER BY 1;
SELECT length(coderring_get_code('bob'));
SET ROLE regress_coderring_ann;
SELECT coderring_get_code('bob');
SELECT * FROM pg_temp.look();
SET ROLE regress_coderring_monitor;
SELECT * FROM pg_temp.look();
RESET ROLE;
SELECT count(coderring_drop(name)) FROM coderring.rings;
DROP FUNCTION pg_temp.code_of_ann();
REVOKE EXECUTE ON FUNCTION coderring_create, coderring_define_blocklist, coderring_import FROM PUBLIC;
DROP ROLE regress_coderring_ann, regress_coderring_member, regress_coderring_monitor;
