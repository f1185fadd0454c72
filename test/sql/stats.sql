--
-- coderring.stats: what each series has done since the server started
--
\pset format unaligned
SELECT column_name, data_type FROM information_schema.columns
	WHERE table_schema = 'coderring' AND table_name = 'stats' ORDER BY ordinal_position;
SELECT clock_timestamp() AS begin \gset
-- A series is there when it has been used, not before.
SELECT coderring_create('s', 2), coderring_issued('s', 'VV'), coderring_normalize('s', 'VV');
SELECT * FROM coderring.stats;
\pset tuples_only on
SELECT length(coderring_get_code('s'));
SELECT ring, extra, issued, skipped, refills, refill_waits, refill_time > 0, since BETWEEN :'begin' AND clock_timestamp() FROM coderring.stats;
SELECT since FROM coderring.stats \gset
-- By ones and in bulk, with blocks of 16
SELECT count(coderring_get_code('s')) FROM generate_series(1, 15);
SELECT issued, skipped, refills FROM coderring.stats;
SELECT refill_time FROM coderring.stats \gset
SELECT count(*) FROM coderring_get_codes('s', 1);
SELECT issued, skipped, refills FROM coderring.stats;
SELECT count(*) FROM coderring_get_codes('s', 1000);
SELECT issued, skipped, refills, refill_time > :refill_time, refill_waits FROM coderring.stats;
-- The end of a cycle, and on
SELECT count(*) FROM coderring_get_codes('s', 7 + 16);
SELECT issued, skipped, refills FROM coderring.stats;
-- Codes that a transaction does not keep are out all the same.
BEGIN;
SELECT count(*) FROM coderring_get_codes('s', 10);
ROLLBACK;
SELECT issued, skipped, refills FROM coderring.stats;
-- A bump leaves the rest of a cycle: what is left of the block, and beyond.
SELECT length(coderring_get_code('s', '', true));
SELECT issued, skipped, refills FROM coderring.stats;
SELECT length(coderring_get_code('s', '', true)), length(coderring_get_code('s', '', true));
SELECT issued, skipped, refills FROM coderring.stats;
SELECT length(coderring_get_code('s', '24-', true)), length(coderring_get_code('s', '24-'));
-- To advance is not to hand out.
SELECT coderring_advance('s', '24-', 0, 500), length(coderring_get_code('s', '24-'));
SELECT extra, issued, refills FROM coderring.stats ORDER BY 1;
SELECT count(*) FROM coderring.stats WHERE since = :'since' AND refill_waits = 0;
-- A cycle that is another's is skipped whole.
SELECT length(coderring_get_code('s', 'X'));
SELECT extra, issued, skipped FROM coderring.stats ORDER BY 1;
SELECT coderring_advance('s', 'X', 5, 3), coderring_create('a', 2), length(coderring_get_code('a', 'X')), length(coderring_get_code('a')), coderring_advance('a', '', 1, 7);
SELECT ring, extra, issued, skipped FROM coderring.stats WHERE ring = 'a' ORDER BY 2;
SELECT coderring_drop('a');
--
-- With a filter: every position passed was issued or skipped.
--
SELECT coderring_define_blocklist('regress words', '{AB,DAD,CAB,BAD,AAA,BDB,ACC,DCC}');
SELECT coderring_create('f', 2, 'regress words', 'ABCD'), coderring_reset('f', test_seed => 'stats');
CREATE FUNCTION pg_temp.draw(steps int) RETURNS TABLE (codes bigint, series bigint, wrong bigint) LANGUAGE plpgsql AS $$
DECLARE
	right_ones int;
	all_ones int;
BEGIN
	codes := 0; series := 0; wrong := 0;
	FOR i IN 1..steps LOOP
		PERFORM coderring_get_code('f', e, i % 50 = 0) FROM unnest(ARRAY['', 'A', 'DA', 'é']) e;
		SELECT count(*), count(*) FILTER (WHERE (s.issued + s.skipped = p.cycle * 16 + p.cycle_offset OR (p.remaining = 0 AND s.issued + s.skipped < p.cycle * 16 + 16)) AND s.issued = i AND s.refills = i)
			INTO all_ones, right_ones FROM coderring.stats s JOIN coderring.series p USING (ring, extra) WHERE ring = 'f';
		codes := codes + 4;
		series := series + all_ones;
		wrong := wrong + all_ones - right_ones;
	END LOOP;
	RETURN NEXT;
END $$;
SELECT * FROM pg_temp.draw(400);
SELECT count(*) FILTER (WHERE skipped > 0) FROM coderring.stats WHERE ring = 'f';
--
-- rename keeps them, drop and reset do not, nor does a rollback change them.
--
SELECT coderring_rename('s', 't');
SELECT ring, extra, issued FROM coderring.stats WHERE ring <> 'f' ORDER BY 2;
BEGIN;
SELECT coderring_reset('t'), length(coderring_get_code('t'));
SELECT ring, extra, issued, skipped, refills FROM coderring.stats WHERE ring <> 'f' ORDER BY 2;
ROLLBACK;
SELECT ring, extra, issued FROM coderring.stats WHERE ring <> 'f' ORDER BY 2;
SELECT length(coderring_get_code('t', '24-'));
SELECT ring, extra, issued FROM coderring.stats WHERE ring <> 'f' ORDER BY 2;
SELECT coderring_reset('t');
SELECT count(*) FROM coderring.stats WHERE ring <> 'f';
SELECT length(coderring_get_code('t', '24-'));
SELECT ring, extra, issued, skipped, refills, refill_waits, since > :'since' FROM coderring.stats WHERE ring <> 'f';
SELECT coderring_drop('t');
SELECT count(*) FROM coderring.stats WHERE ring <> 'f';
SELECT coderring_create('t');
SELECT count(*) FROM coderring.stats WHERE ring <> 'f';
--
-- Who sees them: those who may use the ring, and pg_monitor
--
CREATE ROLE regress_coderring_owner;
CREATE ROLE regress_coderring_guest;
CREATE ROLE regress_coderring_other;
CREATE ROLE regress_coderring_watch IN ROLE pg_monitor;
GRANT EXECUTE ON FUNCTION coderring_create, coderring_define_blocklist, coderring_import TO PUBLIC;
SET ROLE regress_coderring_owner;
SELECT coderring_create('own', 2), length(coderring_get_code('own'));
SELECT coderring_grant('own', 'regress_coderring_guest');
RESET ROLE;
CREATE FUNCTION pg_temp.seen() RETURNS text LANGUAGE sql AS $$ SELECT string_agg(DISTINCT ring, ' ' ORDER BY ring) FROM coderring.stats $$;
SET ROLE regress_coderring_owner;
SELECT pg_temp.seen();
SET ROLE regress_coderring_guest;
SELECT pg_temp.seen();
SET ROLE regress_coderring_other;
SELECT pg_temp.seen();
SET ROLE regress_coderring_watch;
SELECT pg_temp.seen();
RESET ROLE;
SELECT pg_temp.seen();
SELECT coderring_revoke('own', 'regress_coderring_guest');
SET ROLE regress_coderring_guest;
SELECT pg_temp.seen();
RESET ROLE;
BEGIN READ ONLY;
SELECT pg_temp.seen();
COMMIT;
SELECT count(coderring_drop(name)) FROM coderring.rings;
SELECT count(*) FROM coderring.stats;
SELECT coderring_define_blocklist('regress words', NULL);
REVOKE EXECUTE ON FUNCTION coderring_create, coderring_define_blocklist, coderring_import FROM PUBLIC;
DROP ROLE regress_coderring_owner, regress_coderring_guest, regress_coderring_other, regress_coderring_watch;
