--
-- coderring_recover
--
\pset format unaligned
\pset tuples_only on
CREATE TEMP VIEW place AS SELECT ring, extra, cycle, cycle_offset, remaining, percent, code_length, codes_until_longer FROM coderring.series ORDER BY 1, 2;
CREATE ROLE regress_coderring_owner;
CREATE ROLE regress_coderring_user;
-- Nothing to recover
SELECT count(coderring_drop(name)) >= 0 FROM coderring.rings;
SELECT coderring_recover();
-- A large ring goes to its next cycle, a small one so many codes on
SELECT coderring_create('large'), coderring_create('small', 1), coderring_create('middle', 3);
CREATE TEMP TABLE taken AS
	SELECT 'large' AS ring, coderring_get_codes('large', 10) AS code
	UNION ALL SELECT 'large', coderring_get_codes('large', 5, 'E-')
	UNION ALL SELECT 'small', coderring_get_codes('small', 40)
	UNION ALL SELECT 'middle', coderring_get_codes('middle', 32768, 'E-');
SELECT coderring_recover();
TABLE place;
SELECT name, new_series_cycle, first_cycle FROM coderring.ring ORDER BY 1;
-- What was passed over counts as handed out
SELECT bool_and(coderring_issued(ring, code)) FROM taken;
SELECT cycle, issued FROM coderring_decode('small', 'XV');
SELECT issued, cycle_offset IS NOT NULL FROM coderring_decode('large', 'VVVV');
-- Codes go on there, and so do those of an extra that is new
INSERT INTO taken SELECT 'large', coderring_get_codes('large', 3) UNION ALL SELECT 'large', coderring_get_codes('large', 3, 'N-')
	UNION ALL SELECT 'small', coderring_get_codes('small', 100) UNION ALL SELECT 'middle', coderring_get_codes('middle', 10, 'N-');
SELECT count(*), count(DISTINCT (ring, code)), bool_and(coderring_issued(ring, code)) FROM taken;
SELECT ring, extra, cycle, cycle_offset FROM place WHERE extra = 'N-';
-- What the new extra has passed counts as handed out, and before it was used it did not
SELECT coderring_issued('large', 'N-VVVV'), coderring_issued('large', 'M-VVVV');
-- Once more, and without effect on new extras; cycles and codes
SELECT coderring_recover('large', new_extras => false);
SELECT coderring_recover('large', 3, 0);
SELECT coderring_recover('large', 0, 5);
SELECT * FROM place WHERE ring = 'large';
SELECT new_series_cycle FROM coderring.ring WHERE name = 'large';
-- Nothing moves
SELECT coderring_recover('large', 0, 0), coderring_recover(NULL, 0, 0);
SELECT * FROM place WHERE ring = 'large';
SELECT new_series_cycle FROM coderring.ring WHERE name = 'large';
-- NULL is the default
SELECT coderring_recover('large', NULL, NULL, NULL);
SELECT extra, cycle, cycle_offset FROM place WHERE ring = 'large';
-- A ring without series: called twice it is twice as far
SELECT coderring_create('empty', 1);
SELECT coderring_recover('empty', 2, 0);
SELECT coderring_recover('empty', 2, 0);
SELECT coderring_recover('empty', 0, 33);
SELECT coderring_get_code('empty') LIKE '5_';
TABLE place;
-- Two extras whose codes begin alike: 'a' has lost what 'b' says, and hands out none of that, whichever series it comes to
SELECT coderring_create(r, 2), coderring_reset(r, test_seed => 'alike') FROM unnest('{a,b}'::text[]) r;
SELECT r, count(c), max(length(coderring_get_code(r))) FROM unnest('{a,b}'::text[]) r, coderring_get_codes(r, 1024, 'W') c GROUP BY 1 ORDER BY 1;
SELECT coderring_advance(r, '', 28, 512) FROM unnest('{a,b}'::text[]) r;
CREATE TEMP TABLE lost AS SELECT coderring_get_codes('b', 1024, 'W') AS code;
SELECT min(left(code, 2)), max(left(code, 2)) FROM lost;
SELECT coderring_recover('a', 0, 5000);
SELECT extra, cycle, cycle_offset, left(coderring_get_code('a', extra), -2) AS prefix FROM coderring.series WHERE ring = 'a' ORDER BY 1;
SELECT count(*) FROM (SELECT coderring_get_codes('a', 5000) AS code UNION ALL SELECT coderring_get_codes('a', 5000, 'W')) c JOIN lost USING (code);
SELECT coderring_drop(r) FROM unnest('{a,b}'::text[]) r;
-- A first call that fails leaves nothing behind: not where the series would have begun,
SELECT coderring_create('fails', 8, alphabet => 'AB');
BEGIN;
SELECT coderring_recover('fails', 0, 100000);
SAVEPOINT s;
LOCK TABLE coderring.series_state IN SHARE ROW EXCLUSIVE MODE;
SELECT coderring_get_code('fails', 'n-');
ROLLBACK;
SELECT length(coderring_get_code('fails', 'n-'));
-- nor as a reading of codes that are another's
SELECT count(coderring_get_code('fails', 'B')) FROM generate_series(1, 256);
SELECT coderring_recover('fails', 0, 300);
SELECT length(coderring_get_code('fails', 'B'));
CREATE TEMP VIEW readings AS SELECT extra, cycle, issued, count(*) FROM generate_series(0, 255) n,
	coderring_decode('fails', 'BB' || translate(n::bit(8)::text, '01', 'AB')) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
TABLE readings;
BEGIN;
LOCK TABLE coderring.series_state IN SHARE ROW EXCLUSIVE MODE;
SELECT coderring_get_code('fails');
ROLLBACK;
TABLE readings;
SELECT length(coderring_get_code('fails'));
TABLE readings;
DROP VIEW readings;
SELECT coderring_drop('fails');
-- nor is it believed by who looks whether there are enough codes,
SELECT coderring_create('fails', 8, alphabet => 'AB', max_length => 9);
SELECT coderring_recover('fails', 0, 300);
BEGIN;
LOCK TABLE coderring.series_state IN SHARE ROW EXCLUSIVE MODE;
SELECT coderring_get_code('fails');
ROLLBACK;
SELECT count(*) FROM coderring_get_codes('fails', 300);
SELECT count(*) FROM coderring_get_codes('fails', 256);
SELECT coderring_drop('fails');
-- nor does it hide a row that comes after it,
SELECT coderring_create('fails', 8, alphabet => 'AB');
BEGIN;
LOCK TABLE coderring.series_state IN SHARE ROW EXCLUSIVE MODE;
SELECT coderring_get_code('fails');
ROLLBACK;
INSERT INTO coderring.series_state (incarnation, reserved_to, counted_to, unblocked, filter, timeline, pace, measured_from, measured_at, reserved_at, extra)
	SELECT incarnation, 256, 0, 0, 0, 0, 1, 0, now(), now(), '' FROM coderring.ring WHERE name = 'fails';
SELECT coderring_issued('fails', 'AAAABBBB'), cycle, cycle_offset FROM coderring.series WHERE ring = 'fails';
SELECT coderring_drop('fails');
-- nor what a restore had brought that was rolled back
SELECT coderring_create('fails', 8, alphabet => 'AB');
CREATE TEMP TABLE others AS SELECT coderring_get_codes('fails', 256, 'BA') AS code;
BEGIN;
INSERT INTO coderring.series_state (incarnation, reserved_to, counted_to, unblocked, filter, timeline, pace, measured_from, measured_at, reserved_at, extra)
	SELECT incarnation, 1000, 1000, 232, 0, 0, 1, 0, now(), now(), '' FROM coderring.ring WHERE name = 'fails';
LOCK TABLE coderring.series_state IN SHARE ROW EXCLUSIVE MODE;
SELECT coderring_get_code('fails');
ROLLBACK;
SELECT count(*) FROM coderring_get_codes('fails', 2000) code JOIN others USING (code);
SELECT coderring_drop('fails');
-- The moves stay when the transaction rolls back, and the definition does not
BEGIN;
SELECT coderring_recover('empty', 1, 0);
SELECT coderring_get_code('empty', 'A') ~ '^A6.$';
ROLLBACK;
SELECT extra, cycle, cycle_offset FROM place WHERE ring = 'empty';
SELECT new_series_cycle FROM coderring.ring WHERE name = 'empty';
-- A reset forgets it
SELECT coderring_reset('empty');
SELECT new_series_cycle, length(coderring_get_code('empty')) FROM coderring.ring WHERE name = 'empty';
-- Another series' cycles: none is entered that is another's, and decode tells whose a code is
SELECT coderring_create('both', 1);
CREATE TEMP TABLE both_taken AS SELECT coderring_get_code('both', 'X') AS code UNION ALL SELECT coderring_get_code('both');
SELECT coderring_recover('both', 0, 50, false);
SELECT extra, cycle, cycle_offset FROM place WHERE ring = 'both';
SELECT extra, first_position, last_position FROM coderring.skipped_positions ORDER BY 1, 2;
INSERT INTO both_taken SELECT coderring_get_codes('both', 1000, e) FROM unnest('{"",X}'::text[]) e;
SELECT count(*), count(DISTINCT code), bool_and(coderring_issued('both', code)) FROM both_taken;
-- Nor is a cycle claimed that another has entered, wherever a series is moved over it: by its start as a new extra,
SELECT coderring_create(r, CASE r WHEN 'way1' THEN 3 ELSE 1 END), coderring_reset(r, test_seed => 'way') FROM unnest('{way1,way2,way3,way4}'::text[]) r;
CREATE TEMP TABLE way_taken (ring text, extra text, code text);
SELECT coderring_advance('way1', '', 1);
INSERT INTO way_taken SELECT 'way1', '', coderring_get_codes('way1', 3);
SELECT coderring_recover('way1');
INSERT INTO way_taken SELECT 'way1', 'X', coderring_get_codes('way1', 3, 'X');
-- by coderring_recover,
INSERT INTO way_taken SELECT 'way2', 'W', coderring_get_code('way2', 'W');
SELECT coderring_advance('way2', '', 33);
INSERT INTO way_taken SELECT 'way2', '', coderring_get_codes('way2', 20);
SELECT coderring_recover('way2', 3, 0, false);
INSERT INTO way_taken SELECT 'way2', e, coderring_get_codes('way2', 1000, e) FROM unnest('{"",W}'::text[]) e;
-- by coderring_advance of one that has a row, and of one that has none, over cycles of several others, of which one has bumped
INSERT INTO way_taken SELECT 'way3', '', coderring_get_code('way3');
SELECT coderring_advance('way3', '', 34);
INSERT INTO way_taken SELECT 'way3', '', coderring_get_codes('way3', 100);
INSERT INTO way_taken SELECT 'way3', 'WB', coderring_get_code('way3', 'WB', i > 1) FROM generate_series(1, 3) i;
INSERT INTO way_taken SELECT 'way3', 'A-W', coderring_get_code('way3', 'A-W');
SELECT coderring_advance('way3', 'W', 1500), coderring_advance('way3', 'A-', 40);
INSERT INTO way_taken SELECT 'way3', e, coderring_get_codes('way3', 10, e) FROM unnest('{W,A-,WB,""}'::text[]) e;
SELECT s.extra, first_position / 32 AS from, last_position / 32 AS to, (last_position + 1) % 32 = 0 AS whole
	FROM coderring.skipped_positions s JOIN coderring.ring USING (incarnation) WHERE name = 'way3' ORDER BY s.extra COLLATE "C", 2;
-- in the last of all cycles, too
SELECT coderring_advance('way4', 'W', 1000000), coderring_recover('way4', 0, 9223372036854775807, false);
INSERT INTO way_taken SELECT 'way4', '', coderring_get_codes('way4', 3);
SELECT coderring_recover('way4', 0, 9223372036854775807, false);
SELECT s.extra, first_position / 32 AS from, last_position / 32 AS to FROM coderring.skipped_positions s JOIN coderring.ring USING (incarnation) WHERE name = 'way4' ORDER BY 1, 2;
SELECT ring, w.extra, d.extra, count(*) FROM way_taken w, LATERAL coderring_decode(ring, code) d WHERE d.extra IS DISTINCT FROM w.extra OR NOT d.issued GROUP BY 1, 2, 3;
SELECT count(*), count(DISTINCT (ring, code)) FROM way_taken;
-- Moved to where another is, nothing of that cycle remains
SELECT coderring_create('stop', 1), length(coderring_get_code('stop', 'X')), coderring_advance('stop', '', 1);
SELECT extra, cycle, cycle_offset, remaining, percent FROM place WHERE ring = 'stop';
SELECT coderring_get_codes('stop', 1) LIKE 'W_';
SELECT count(coderring_drop(r)) FROM unnest('{way1,way2,way3,way4,stop}'::text[]) r;
-- With max_length a series stands at its end
SELECT coderring_create('lim', 1, max_length => 2);
SELECT count(coderring_get_code('lim', e)) FROM unnest('{"",A}'::text[]) e;
SELECT coderring_recover('lim');
SELECT * FROM place WHERE ring = 'lim';
SELECT coderring_recover('lim');
SELECT * FROM place WHERE ring = 'lim';
\set VERBOSITY sqlstate
SELECT coderring_get_code('lim');
SELECT coderring_get_code('lim', 'A');
SELECT coderring_get_code('lim', 'B');
SELECT coderring_get_codes('lim', 2);
\set VERBOSITY default
SELECT coderring_create('lim2', 1, max_length => 2), length(coderring_get_code('lim2')), coderring_recover('lim2', 2, 0, false);
SELECT cycle, cycle_offset, remaining, code_length FROM place WHERE ring = 'lim2';
SELECT coderring_recover('lim2', 31, 0, false), length(coderring_get_code('lim2', 'A'));
SELECT extra, cycle, cycle_offset, remaining, code_length FROM place WHERE ring = 'lim2';
SELECT coderring_get_code('lim2');
-- Near the end of all cycles
SELECT coderring_create('last', 12), coderring_advance('last', '', 6, 1152921504606846970), length(coderring_get_code('last'));
SELECT coderring_recover('last', 0, 2, false);
SELECT extra, cycle, cycle_offset, remaining FROM place WHERE ring = 'last';
SELECT coderring_recover('last', 2147483647, 9223372036854775807);
SELECT extra, cycle, cycle_offset, remaining FROM place WHERE ring = 'last';
SELECT coderring_get_code('last');
SELECT coderring_get_code('last', 'E');
SELECT coderring_recover('last');
-- Words: counts stay exact; an extra that they block now stops nothing
SELECT coderring_define_blocklist('regress_rec', '{SEX,ASS,^BB$}');
SELECT coderring_create('words', 2, blocklist => 'regress_rec'), coderring_reset('words', test_seed => 'recover');
SELECT count(coderring_get_code('words', e)) FROM unnest('{"",GUN,E-}'::text[]) e;
SELECT coderring_recover('words', 0, 1000, false);
SELECT extra, cycle, cycle_offset, remaining, remaining = (SELECT count(*) FROM (SELECT coderring_get_codes('words', remaining::int, extra)) c) FROM place WHERE ring = 'words';
SELECT extra, cycle, cycle_offset, remaining FROM place WHERE ring = 'words';
SELECT coderring_define_blocklist('regress_rec', '{ASS}' || array_agg('N' || c)) FROM regexp_split_to_table(coderring_alphabet('default'), '') c;
SELECT coderring_recover('words', 0, 1500, false);
SELECT extra, cycle, cycle_offset FROM place WHERE ring = 'words';
SELECT coderring_get_code('words', 'GUN');
-- Cycles that are blocked are none of those that were handed out elsewhere
SELECT coderring_define_blocklist('regress_rec', '{ANUX,ANUW}'), coderring_create('passed', 3, blocklist => 'regress_rec'), coderring_reset('passed', test_seed => 'passed'), coderring_advance('passed', 'ANU', 0, 32000);
SELECT coderring_recover('passed', 0, 2000, false);
SELECT extra, cycle, cycle_offset FROM place WHERE ring = 'passed';
SELECT coderring_get_code('passed', 'ANU') LIKE 'ANU2___';
-- So many codes on, and not positions: none of those that were lost comes again, whatever is blocked and whose cycles are others'
CREATE FUNCTION pg_temp.twice(ring text, before text[], lost int, cycles int, codes bigint, extra text DEFAULT '', base int DEFAULT 1) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	old text[];
BEGIN
	FOR time IN 1..2 LOOP
		PERFORM coderring_reset(ring, test_seed => 'lost');
		PERFORM coderring_get_codes(ring, base, e) FROM unnest(before) e;
		IF time = 1 THEN
			old := ARRAY(SELECT coderring_get_codes(ring, lost, extra));
		END IF;
	END LOOP;
	PERFORM coderring_recover(ring, cycles, codes);
	RETURN count(*) FROM coderring_get_codes(ring, 300, extra) c WHERE c = ANY (old);
END $$;
SELECT coderring_define_blocklist('regress_begin', '{^2,^3,^4,^5,^6,^7,^8,^9}'), coderring_define_blocklist('regress_end', '{A$,B$,C$,D$,E$,F$,G$}'),
	coderring_define_blocklist('regress_poor', '{AXA,AXB,AXC,AXD,AXE,AXF,AXG,AXH,AXJ,AXK,AXL,AXM,AXN,AXP,AXQ,AXR,AXS,AXT,AXU,AXV,AXW}');
SELECT coderring_create('lost', 2), coderring_create('lost_small', 1), coderring_create('lost_large', blocklist => 'english'), coderring_create('lost_english', 3, blocklist => 'english'), coderring_create('lost_check', 2, blocklist => 'english', check_character => true),
	coderring_create('lost_begin', 3, blocklist => 'regress_begin'), coderring_create('lost_begin1', 1, blocklist => 'regress_begin'),
	coderring_create('lost_end', 4, alphabet => 'ABCDEFGH', blocklist => 'regress_end', max_length => 5), coderring_create('lost_poor', 2, blocklist => 'regress_poor');
SET client_min_messages = warning;
SELECT pg_temp.twice('lost_english', '{""}', 99999, 1, 100000), pg_temp.twice('lost_check', '{""}', 30000, 0, 30000),
	pg_temp.twice('lost_begin', '{""}', 90000, 1, 100000), pg_temp.twice('lost_begin1', '{""}', 9000, 0, 9000), pg_temp.twice('lost_end', '{""}', 200, 0, 200),
	pg_temp.twice('lost', '{"",X,W,2,3,4,5,6,7,8,9}', 1500, 0, 1500), pg_temp.twice('lost', '{"",X,W,2,3}', 1500, 2, 0), pg_temp.twice('lost', '{"",X,W,2,3}', 2300, 0, 2300),
	pg_temp.twice('lost_small', '{"",X,W,2,3,4,5,6,7,8,9}', 20000, 0, 20000), pg_temp.twice('lost_large', '{""}', 100000, 0, 100000);
SELECT cycle, cycle_offset BETWEEN 101000 AND 115000 FROM place WHERE ring = 'lost_large';
-- nor of an extra that was new
SELECT pg_temp.twice('lost_english', '{}', 90000, 0, 90000, 'AS'), pg_temp.twice('lost_begin', '{}', 90000, 0, 90000), pg_temp.twice('lost_poor', '{}', 3000, 0, 3000, 'A'),
	pg_temp.twice('lost', '{X,W,2,3,4}', 1500, 0, 1500), pg_temp.twice('lost', '{""}', 1500, 0, 1500, 'X', 40000), pg_temp.twice('lost_check', '{}', 30000, 0, 30000, 'E-');
RESET client_min_messages;
-- and not further for nothing: with max_length it ends where its codes do
SELECT coderring_reset('lost_end', test_seed => 'lost'), length(coderring_get_code('lost_end'));
SELECT remaining + 8 * (SELECT count(*) FROM generate_series(1, 4096) WHERE generate_series % 8 = 0) AS left FROM coderring.series WHERE ring = 'lost_end';
SELECT coderring_recover('lost_end', 0, 4606, false), length(coderring_get_code('lost_end'));
SELECT coderring_get_code('lost_end') IS NULL;
-- So far that nobody could go there one by one
SELECT coderring_recover('lost_begin', 0, 4611686018427387904, false), coderring_recover('lost_small', 2147483647, 4611686018427387904, false), coderring_recover('lost_check', 2147483647, 0, false);
SELECT extra, ring, cycle FROM place WHERE ring IN ('lost_begin', 'lost_small', 'lost_check') AND cycle > 100000;
SELECT count(coderring_drop(name)) FROM coderring.rings WHERE name LIKE 'lost%';
SELECT coderring_define_blocklist(l, NULL) FROM unnest('{regress_begin,regress_end,regress_poor}'::text[]) l;
-- Errors change nothing
CREATE TEMP TABLE before AS SELECT * FROM coderring.series_state;
SELECT coderring_recover('nothing');
SELECT coderring_recover('large', -1);
SELECT coderring_recover('large', 1, -1);
SELECT coderring_recover(codes => (-9223372036854775808)::bigint);
SET ROLE regress_coderring_user;
\set VERBOSITY terse
SELECT coderring_recover('large');
\set VERBOSITY default
SELECT coderring_recover();
RESET ROLE;
SELECT coderring_grant('large', 'regress_coderring_user');
SET ROLE regress_coderring_user;
\set VERBOSITY terse
SELECT coderring_recover('large'), coderring_get_code('large') IS NULL;
\set VERBOSITY default
RESET ROLE;
BEGIN READ ONLY;
SELECT coderring_recover();
ROLLBACK;
BEGIN;
SELECT coderring_define_blocklist('regress_rec', '{GUN,ASS,TT}');
SELECT coderring_recover('words');
ROLLBACK;
SELECT count(*) FROM (SELECT * FROM before EXCEPT SELECT * FROM coderring.series_state) d;
-- An owner recovers his rings, and no others
SELECT coderring_create('mine', 1), coderring_change_owner('mine', 'regress_coderring_owner');
SET ROLE regress_coderring_owner;
SELECT coderring_get_code('mine') IS NULL, coderring_recover(new_extras => false), coderring_recover('mine', new_extras => false);
RESET ROLE;
SELECT extra, cycle, cycle_offset FROM place WHERE ring = 'mine';
SELECT count(*) FROM (SELECT * FROM before EXCEPT SELECT * FROM coderring.series_state) d;
-- More rings and series than locks would fit, in one transaction
SET client_min_messages = error;
BEGIN;
SELECT count(coderring_create('many' || i, 2)) FROM generate_series(1, 300) i;
COMMIT;
SELECT count(coderring_get_code('many1', i::text)) FROM generate_series(1, 20000) i;
BEGIN;
SELECT coderring_recover() > 300;
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
COMMIT;
SELECT count(*), min(cycle * 1024 + cycle_offset), max(cycle * 1024 + cycle_offset) FROM coderring.series WHERE ring = 'many1';
-- What is renamed by the very same command is not found by its new name, nor for ever looked for
SELECT count(coderring_drop(name)) FROM coderring.rings WHERE name LIKE 'many_%' AND name <> 'many1';
WITH renamed AS (UPDATE coderring.ring SET name = 'renamed' WHERE name = 'many1' RETURNING 1)
SELECT coderring_recover(new_extras => false) FROM (SELECT count(*) FROM renamed) r;
SELECT count(coderring_drop(name)) FROM coderring.rings;
SELECT coderring_define_blocklist('regress_rec', NULL);
DROP ROLE regress_coderring_owner;
DROP ROLE regress_coderring_user;
