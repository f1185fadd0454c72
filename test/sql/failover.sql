--
-- What a series passes over on a new timeline: rows as a promoted standby has
-- them, of timelines that are not this server's
--
\pset format unaligned
\pset tuples_only on
LOAD 'coderring';
SHOW coderring.failover_gap;
CREATE FUNCTION pg_temp.restored(name text, extra text, timeline bigint, pace bigint, ago interval,
		reserved_to bigint DEFAULT 100, span bigint DEFAULT 32) RETURNS void LANGUAGE sql AS $$
	INSERT INTO coderring.series_state
		(incarnation, reserved_to, counted_to, unblocked, filter, timeline, pace, measured_from, measured_at, reserved_at, extra)
	SELECT incarnation, reserved_to, reserved_to - span, reserved_to - span, 0, restored.timeline, restored.pace, 0, '2026-01-01', '2026-01-01'::timestamptz - ago, extra
	FROM coderring.ring r WHERE r.name = restored.name
$$;
-- A standby gets them by WAL: no trigger sees them.
CREATE FUNCTION pg_temp.series(name text, extra text, timeline bigint, pace bigint, ago interval,
		reserved_to bigint DEFAULT 100, span bigint DEFAULT 32) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	ALTER TABLE coderring.series_state DISABLE TRIGGER admit_row;
	PERFORM pg_temp.restored(name, extra, timeline, pace, ago, reserved_to, span);
	ALTER TABLE coderring.series_state ENABLE ALWAYS TRIGGER admit_row;
END $$;
CREATE TEMP VIEW place AS SELECT s.ring, s.extra, s.cycle, s.cycle_offset - 1 AS first, t.skipped
	FROM coderring.series s LEFT JOIN coderring.stats t USING (ring, extra) ORDER BY 1, 2;
SELECT coderring_create('fo'), coderring_create('fo_small', 1), coderring_create('fo_lim', 1, max_length => 2);
-- This server's timeline, and others of its history
CREATE TEMP TABLE here AS SELECT timeline FROM coderring.ring WHERE name = 'fo';
CREATE FUNCTION pg_temp.t(n int) RETURNS bigint LANGUAGE sql AS $$ SELECT (timeline >> 32 << 32) | ((timeline + n) & 4294967295) FROM pg_temp.here $$;
-- In use: twice 20 times what it hands out in half a second, one reservation at least, the next cycle at most
SELECT pg_temp.series('fo', 'busy-', pg_temp.t(-1), 1000, '59 s');
SELECT pg_temp.series('fo', 'slow-', pg_temp.t(-1), 1, '0 s');
SELECT pg_temp.series('fo', 'fast-', pg_temp.t(-1), 9223372036854775807, '1 s');
SELECT pg_temp.series('fo', 'wide-', pg_temp.t(-1), 1, '1 s', 5000, 4000);
SELECT pg_temp.series('fo', 'late-', pg_temp.t(-1), 1000000, '1 s', 1048000);
-- Not in use: one reservation, of a sixty-fourth of a cycle at most
SELECT pg_temp.series('fo', 'idle-', pg_temp.t(-1), 1000, '61 s');
SELECT pg_temp.series('fo', 'idle-wide-', pg_temp.t(-1), 1000, '61 s', 400000, 40000);
-- Of a timeline that nothing is known of but this very row
SELECT pg_temp.series('fo', 'alone-', pg_temp.t(-3), 1000, '1 year');
-- Of one that is known to have gone on, by what a row that has left it has noted
SELECT pg_temp.series('fo', 'known-', pg_temp.t(-2), 1000, '2 years');
BEGIN;
ALTER TABLE coderring.series_state DISABLE TRIGGER admit_row;
INSERT INTO coderring.series_state
	(incarnation, reserved_to, counted_to, unblocked, filter, timeline, pace, measured_from, measured_at, reserved_at, extra)
	VALUES ('00000000-0000-0000-0000-000000000000', 0, 0, 0, 0, pg_temp.t(-2), 0, 0, '2024-06-01', '2024-06-01', pg_temp.t(-2));
ALTER TABLE coderring.series_state ENABLE ALWAYS TRIGGER admit_row;
COMMIT;
SELECT pg_temp.series('fo_small', '', pg_temp.t(-1), 10, '1 s');
SELECT pg_temp.series('fo_small', 'idle-', pg_temp.t(-1), 10, '61 s');
SELECT pg_temp.series('fo_small', 'fast-', pg_temp.t(-1), 1000000, '1 s');
SELECT pg_temp.series('fo_lim', '', pg_temp.t(-1), 10, '1 s', 10, 1);
SELECT pg_temp.series('fo_lim', 'A', pg_temp.t(-1), 10, '1 s', 10, 1);
-- Once for each timeline since
SELECT pg_temp.series('fo', 'busy4-', pg_temp.t(-4), 1000, '0 s'), pg_temp.series('fo', 'idle5-', pg_temp.t(-5), 1000, '61 s'), pg_temp.series('fo', 'busy5-', pg_temp.t(-5), 1000, '0 s');
-- A row that a clock which was ahead has left says nothing of others
SELECT pg_temp.series('fo', 'ahead-', pg_temp.t(-7), 1, '-100 years'), pg_temp.series('fo', 'behind-', pg_temp.t(-7), 1000, '0 s');
-- What a restore brings passes over nothing, on whichever timeline of whichever server it was dumped
SELECT pg_temp.restored('fo', 'other-', 1, 1000, '0 s'), pg_temp.restored('fo', 'other2-', 9, 1000, '0 s'), pg_temp.restored('fo', 'other3-', pg_temp.t(-1), 1000, '0 s');
SELECT extra, s.timeline = pg_temp.t(0) FROM coderring.series_state s WHERE extra LIKE 'other%' ORDER BY 1;
-- What is left is counted behind it
SELECT count(*) FROM coderring_get_codes('fo_lim', 1000);
SELECT count(coderring_get_code(ring, extra)) FROM coderring.series WHERE ring IN ('fo', 'fo_small');
TABLE place;
-- What was passed over counts as handed out; nothing is recorded as never handed out
SELECT cycle, count(*) FROM regexp_split_to_table('XW23456789ABC', '') u, regexp_split_to_table(coderring_alphabet('default'), '') c,
	LATERAL coderring_decode('fo_small', u || c) WHERE issued GROUP BY cycle ORDER BY cycle;
SELECT count(*) FROM coderring.skipped_positions JOIN coderring.ring USING (incarnation) WHERE name LIKE 'fo%';
-- The rows tell of this timeline now, and others of the end of those that they have left
SELECT count(DISTINCT s.timeline), min(s.timeline) = pg_temp.t(0) FROM coderring.series_state s JOIN coderring.ring USING (incarnation) WHERE name = 'fo' AND extra NOT LIKE 'other%';
SELECT n, timeline = pg_temp.t(n), reserved_at::date FROM generate_series(-7, 0) n JOIN coderring.series_state ON extra = pg_temp.t(n)::text
	WHERE incarnation = '00000000-0000-0000-0000-000000000000' ORDER BY 1;
-- whatever becomes of their rings, and of what is swept
SELECT count(coderring_create('fo_' || g)), count(coderring_drop('fo_' || g)) FROM generate_series(1, 64) g;
SELECT count(*) FROM coderring.series_state WHERE incarnation = '00000000-0000-0000-0000-000000000000';
-- The time that there was no server is not one in which they were slow: pace is as it was at the end
SELECT extra, pace BETWEEN 1 AND 120 AS slow, pace BETWEEN 980 AND 1200 AS in_use FROM coderring.series_state JOIN coderring.ring USING (incarnation) WHERE name = 'fo' AND extra IN ('busy-', 'busy4-', 'behind-') ORDER BY 1;
-- Nothing happens a second time
CREATE TEMP TABLE once AS SELECT ring, extra, cycle, cycle_offset FROM coderring.series WHERE ring LIKE 'fo%';
SELECT count(coderring_get_code(ring, extra)) FROM once WHERE ring IN ('fo', 'fo_small');
SELECT count(*) FROM coderring.series s JOIN once o USING (ring, extra) WHERE s.cycle * s.codes_per_cycle + s.cycle_offset - (o.cycle * s.codes_per_cycle + o.cycle_offset) > 1;
-- max_length: it may stand at its end by that
SELECT coderring_get_code('fo_lim', 'A');
SELECT cycle, cycle_offset, remaining, codes_until_longer FROM coderring.series WHERE ring = 'fo_lim' AND extra = 'A';
SELECT count(*) FROM coderring_get_codes('fo_lim', 614);
-- A bump goes to the next cycle, and beyond it as far as the gap: if it is lost, it is asked for again
SELECT pg_temp.series('fo', 'bump-', pg_temp.t(-1), 1000, '1 s'), pg_temp.series('fo', 'bump-far-', pg_temp.t(-1), 1000000, '1 s', 1048000),
	pg_temp.series('fo_small', 'bump-', pg_temp.t(-1), 10, '1 s');
SELECT count(coderring_get_code('fo', e, true)) FROM unnest('{bump-,bump-far-}'::text[]) e;
SELECT count(coderring_get_code('fo_small', 'bump-', true));
SELECT ring, extra, cycle, first FROM place WHERE extra LIKE 'bump-%';
-- An advance does not go round it; coderring_recover takes its place if it goes as far
SELECT pg_temp.series('fo', 'advance-', pg_temp.t(-1), 1000, '1 s');
SELECT coderring_advance('fo', 'advance-', 0, 200), length(coderring_get_code('fo', 'advance-'));
SELECT coderring_create('fo_rec'), coderring_create('fo_less');
SELECT pg_temp.series('fo_less', 'a-', pg_temp.t(-1), 1000, '1 s');
SELECT coderring_recover('fo_less', 0, 50, false), length(coderring_get_code('fo_less', 'a-'));
SELECT pg_temp.series('fo_rec', 'b-', pg_temp.t(-1), 1000, '1 s');
SELECT coderring_recover('fo_rec', new_extras => false), length(coderring_get_code('fo_rec', 'b-'));
SELECT ring, extra, cycle, first FROM place WHERE extra IN ('advance-', 'a-', 'b-');
-- Other series' cycles are entered by nobody else
SELECT coderring_create('fo_both', 1);
SELECT pg_temp.series('fo_both', '', pg_temp.t(-1), 2, '1 s', 20, 1), pg_temp.series('fo_both', 'X', pg_temp.t(-1), 2, '1 s', 20, 1);
CREATE TEMP TABLE both_taken AS SELECT e AS extra, coderring_get_codes('fo_both', 500, e) AS code FROM unnest('{X,""}'::text[]) e;
SELECT count(*), count(DISTINCT code), bool_and(coderring_issued('fo_both', code)) FROM both_taken;
SELECT count(*) FROM both_taken b, LATERAL coderring_decode('fo_both', code) d WHERE d.extra <> b.extra;
-- Words: counts stay exact
SELECT coderring_define_blocklist('regress_fo', '{AB,BA,ABA}');
SELECT coderring_create('fo_words', 3, blocklist => 'regress_fo'), coderring_reset('fo_words', test_seed => 'failover');
SELECT length(coderring_get_code('fo_words', e)) FROM unnest('{s-,t-}'::text[]) e;
CREATE TEMP TABLE kept AS SELECT extra, filter FROM coderring.series_state JOIN coderring.ring USING (incarnation) WHERE name = 'fo_words';
SELECT coderring_reset('fo_words', test_seed => 'failover');
BEGIN;
ALTER TABLE coderring.series_state DISABLE TRIGGER admit_row;
INSERT INTO coderring.series_state (incarnation, reserved_to, counted_to, unblocked, filter, timeline, pace, measured_from, measured_at, reserved_at, extra)
	SELECT r.incarnation, 100, 100, 100, k.filter, pg_temp.t(-1), CASE k.extra WHEN 's-' THEN 500 ELSE 815 END, 0, '2026-01-01', '2026-01-01', k.extra FROM coderring.ring r, kept k WHERE r.name = 'fo_words';
ALTER TABLE coderring.series_state ENABLE ALWAYS TRIGGER admit_row;
COMMIT;
SELECT length(coderring_get_code('fo_words', e)) FROM unnest('{s-,t-}'::text[]) e;
SELECT extra, cycle, first FROM place WHERE ring = 'fo_words';
SELECT extra, remaining = (SELECT count(*) FROM (SELECT coderring_get_codes('fo_words', remaining::int, extra)) c) FROM coderring.series WHERE ring = 'fo_words';
SELECT extra, cycle, cycle_offset, remaining FROM coderring.series WHERE ring = 'fo_words';
-- Cycles that are blocked, or others', are none of those that it may have handed out: these are none of the lost codes
SELECT coderring_define_blocklist('regress_fo', '{^2,^3,^4,^5,^6,^7,^8,^9}'), coderring_create('fo_way', 2, blocklist => 'regress_fo'), coderring_create('fo_other', 1);
CREATE PROCEDURE pg_temp.twice(name text, others text[], place bigint, pace bigint, lost int, INOUT count bigint DEFAULT NULL,
	seed text DEFAULT 'lost', ago interval DEFAULT '1 s') LANGUAGE plpgsql AS $$
DECLARE
	old text[];
	codes bigint := 32 ^ (SELECT base_length FROM coderring.rings r WHERE r.name = twice.name);
BEGIN
	FOR time IN 1..2 LOOP
		PERFORM coderring_reset(name, test_seed => seed);
		PERFORM coderring_get_code(name, e) FROM unnest(others) e;
		PERFORM pg_temp.series(name, '', pg_temp.t(1 - time), pace, ago, place, 1);
		COMMIT;
		IF time = 1 THEN
			old := ARRAY(SELECT coderring_get_codes(name, lost));
		END IF;
	END LOOP;
	count := count(*) FROM coderring_get_codes(name, 2 * lost) c WHERE c = ANY (old);
END $$;
CALL pg_temp.twice('fo_way', '{}', 2 * 1024 + 996, 28, 476);
CALL pg_temp.twice('fo_other', '{X,W,2,3,4,5,6,7,8,9}', 20, 20, 300);
-- One reservation, of 16 positions, that happens to have more codes than most do: in the first cycle half of them are blocked
SELECT coderring_define_blocklist('fo_half', array(SELECT c || '$' FROM unnest(string_to_array('0123456789ABCDEF', NULL)) c));
SELECT coderring_create('fo_half', 2, 'fo_half', '0123456789ABCDEFGHJKMNPQRSTVWXYZ');
CREATE PROCEDURE pg_temp.twice_often(INOUT often bigint) LANGUAGE plpgsql AS $$
DECLARE
	full_codes int;
	twice bigint;
BEGIN
	FOR seed IN 1..often LOOP
		PERFORM coderring_reset('fo_half', test_seed => seed::text);
		COMMIT;
		full_codes := count(*) FROM coderring_get_codes('fo_half', 100) c, coderring_decode('fo_half', c) d
			WHERE d.cycle_offset BETWEEN 100 AND 115;
		CALL pg_temp.twice('fo_half', '{}', 100, 1, full_codes, twice, seed::text, '1 year');
		often := often - (twice = 0)::int;
	END LOOP;
END $$;
CALL pg_temp.twice_often(30);
-- What is left is counted as it will be handed out, also where it begins in a cycle that is another's
SELECT coderring_create('fo_left', 2, alphabet => 'ABCDEFGH', max_length => 4);
SELECT count(*) FROM coderring_get_codes('fo_left', 70);
UPDATE coderring.ring SET timeline = pg_temp.t(-1) WHERE name = 'fo_left';
SELECT count(*) FROM coderring_get_codes('fo_left', 575, 'A');
SELECT issued FROM coderring.stats WHERE ring = 'fo_left' AND extra = 'A' AND issued > 0;
SELECT count(*) FROM coderring_get_codes('fo_left', 511, 'A');
-- or one that another may have entered before the failover
SELECT coderring_reset('fo_left'), pg_temp.series('fo_left', '', pg_temp.t(-1), 1, '1 s', 60);
UPDATE coderring.ring SET timeline = pg_temp.t(-1) WHERE name = 'fo_left';
SELECT count(*) FROM coderring_get_codes('fo_left', 575, 'A');
SELECT count(*) FROM coderring_get_codes('fo_left', 511, 'A');
-- An advance may be repeated until a code is out: the gap is behind it, whether or not that cycle is blocked
SELECT coderring_reset('fo_way', test_seed => 'lost'), pg_temp.series('fo_way', '', pg_temp.t(-1), 28, '1 s', 2 * 1024 + 900), pg_temp.series('fo_way', 'a-', pg_temp.t(-1), 28, '1 s', 2 * 1024 + 900);
SELECT coderring_advance('fo_way', e, cycle, 5) FROM unnest('{a-,""}'::text[]) e, unnest('{3,3}'::int[]) cycle;
SELECT extra, cycle, cycle_offset FROM coderring.series WHERE ring = 'fo_way' ORDER BY 1;
SELECT coderring_advance('fo_way', '', 2, 950);
SELECT length(coderring_get_code('fo_way', e)) FROM unnest('{a-,""}'::text[]) e;
SELECT extra, cycle, first FROM place WHERE ring = 'fo_way';
SELECT coderring_advance('fo_way', 'a-', 3, 0);
SELECT coderring_advance('fo_way', '', 3, 5);
-- A series that is new on another timeline than its ring begins a little way in, and a bump has no effect on it
UPDATE coderring.ring SET timeline = pg_temp.t(-1) WHERE name LIKE 'fo%';
SELECT count(coderring_get_code(r, 'new-', b)) FROM unnest('{fo,fo_small,fo_words}'::text[]) r, unnest('{true,false}'::bool[]) b;
SELECT ring, extra, cycle, first FROM place WHERE extra = 'new-';
-- the further, the more timelines there were since: where it began on the last one may have been lost
UPDATE coderring.ring SET timeline = pg_temp.t(-2) WHERE name LIKE 'fo%';
SELECT count(coderring_get_code(r, 'newer still-')) FROM unnest('{fo,fo_small,fo_words}'::text[]) r;
SELECT ring, extra, cycle, first FROM place WHERE extra = 'newer still-';
UPDATE coderring.ring SET timeline = pg_temp.t(-1) WHERE name LIKE 'fo%';
-- An advance does not go round it either, and is no reservation of that timeline
UPDATE coderring.ring SET timeline = pg_temp.t(-6) WHERE name = 'fo';
SELECT coderring_advance('fo', 'moved-', 0, 200), pg_temp.series('fo', 'with-', pg_temp.t(-6), 1000, '1 s');
SELECT length(coderring_get_code('fo', e)) FROM unnest('{with-,moved-,moved-}'::text[]) e;
SELECT extra, cycle, first FROM place WHERE ring = 'fo' AND extra IN ('moved-', 'with-');
-- nor takes anything of it, however large it is
SELECT pg_temp.series('fo', 'wide-idle-', pg_temp.t(-1), 1000, '61 s', 400000, 40000);
SELECT coderring_advance('fo', 'wide-idle-', 0, 400001), coderring_advance('fo', 'new-moved-', 0, 1);
SELECT length(coderring_get_code('fo', e)) FROM unnest('{wide-idle-,wide-idle-,new-moved-,new-moved-}'::text[]) e;
SELECT extra, cycle, first FROM place WHERE ring = 'fo' AND extra IN ('wide-idle-', 'new-moved-');
-- coderring_recover moves at least as far, after several timelines too
SELECT coderring_create('fo_thrice', 1), pg_temp.series('fo_thrice', 'a-', pg_temp.t(-3), 100000, '0 s', 10, 1), pg_temp.series('fo_thrice', 'b-', pg_temp.t(-3), 1000, '0 s', 10, 1);
SELECT coderring_recover('fo_thrice', 0, 1, false);
SELECT length(coderring_get_code('fo_thrice', e)) FROM unnest('{a-,b-}'::text[]) e;
SELECT extra, cycle * 32 + first FROM place WHERE ring = 'fo_thrice';
SELECT coderring_reset('fo'), length(coderring_get_code('fo', 'new-'));
SELECT ring, extra, cycle, first FROM place WHERE ring = 'fo';
UPDATE coderring.ring SET timeline = pg_temp.t(-1) WHERE name = 'fo';
SELECT coderring_recover('fo', 0, 1, true), length(coderring_get_code('fo', 'newer-'));
SELECT ring, extra, cycle, first FROM place WHERE ring = 'fo';
-- What only an INSERT could have stored
\set VERBOSITY sqlstate
SELECT pg_temp.series('fo', 'bad-', pg_temp.t(-1), -1, '1 s');
\set VERBOSITY default
SELECT pg_temp.series('fo', 'odd-', -9223372036854775808, 0, '1 s');
SELECT length(coderring_get_code('fo', 'odd-'));
SELECT count(coderring_drop(name)) FROM coderring.rings WHERE name LIKE 'fo%';
SELECT coderring_define_blocklist('regress_fo', NULL);
-- For the tests that count rows
ALTER TABLE coderring.series_state DISABLE TRIGGER refuse_change;
DELETE FROM coderring.series_state WHERE incarnation = '00000000-0000-0000-0000-000000000000' AND extra = timeline::text;
ALTER TABLE coderring.series_state ENABLE ALWAYS TRIGGER refuse_change;
