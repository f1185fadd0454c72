--
-- The test file of the Elixir library CoderRing 0.2.3, read as SQL: each of its
-- tests under its own name, with its figures where they hold.
--
\pset format unaligned
\pset tuples_only on
-- setup_all: MySimpleCoderRing.populate_rings_if_empty(), on any start of the
-- application
SELECT coderring_create('doodad', 1, if_not_exists => true), coderring_create('widget', blocklist => 'english', if_not_exists => true);
SELECT coderring_create('doodad', 1, if_not_exists => true), coderring_create('widget', blocklist => 'english', if_not_exists => true);
SELECT name, base_length, blocklist FROM coderring.rings ORDER BY name;
--
-- test "basic + reset + ring wrap"
--
-- What was handed out before the reset is forgotten.
SELECT count(coderring_get_code('doodad')) FROM generate_series(1, 40);
SELECT coderring_reset('doodad');
CREATE TEMP TABLE round1 AS SELECT coderring_get_code('doodad') AS code FROM generate_series(1, 32);
SELECT count(*), count(DISTINCT code), min(length(code)), max(length(code)) FROM round1;
CREATE TEMP TABLE round2 AS SELECT coderring_get_code('doodad') AS code FROM generate_series(1, 32);
SELECT count(*), count(DISTINCT code), bool_and(code ~ '^X.$') FROM round2;
-- the same 32, sorted
SELECT (SELECT array_agg(code ORDER BY code COLLATE "C") FROM round1)
	= (SELECT array_agg(right(code, 1) ORDER BY code COLLATE "C") FROM round2) AS same;
-- Beyond the test: they are the whole alphabet.
SELECT string_agg(code, '' ORDER BY code COLLATE "C") FROM round1;
--
-- test "bump: true"
--
-- (There each test runs in a transaction that is rolled back, memo and all.)
SELECT coderring_reset('doodad');
SELECT octet_length(coderring_get_code('doodad')) AS c1, octet_length(coderring_get_code('doodad')) AS c2,
	octet_length(coderring_get_code('doodad', bump => true)) AS c3;
--
-- test "MyCoderRingProc with caller_extra"
--
-- There is no process to be started: start_rings is the nearest to it.
SELECT coderring_reset('doodad');
SELECT coderring_start_rings();
SELECT count(coderring_get_code('doodad')) FROM generate_series(1, 16);
SELECT count(*), bool_and(starts_with(code, 'hi') AND length(code) = 3), count(DISTINCT code)
	FROM (SELECT coderring_get_code('doodad', extra => 'hi') AS code FROM generate_series(1, 32)) hi;
SELECT length(coderring_get_code('doodad', extra => 'hi'));
-- Beyond the test: without the extra the ring goes on where it was. There it
-- begins again, and 16 of the next 32 codes would have come before.
SELECT count(*), count(DISTINCT code), bool_and(length(code) = 1)
	FROM (SELECT coderring_get_code('doodad') AS code FROM generate_series(1, 16)) rest;
SELECT length(coderring_get_code('doodad'));
--
-- describe "Explitive filter", test "record count"
--
-- There a code is left out if the whole of it is a word of the list, which 19
-- are: 1,048,576 - 19 = 1,048,557 records. Here the list is another, and codes
-- are left out too if a word is a part of them (ASS in 8ASS), or if they look
-- like one (4 as A, 3 as E, 5 as S ...). Those are 6,093, and 1,048,576 - 6,093
-- = 1,042,483 remain. The counterpart of a record is a code of a cycle.
CREATE TEMP TABLE widget AS SELECT coderring_get_codes('widget', 1042483) COLLATE "C" AS code;
SELECT count(*), 1048576 - count(*) AS skipped, count(DISTINCT code), bool_and(length(code) = 4) FROM widget;
SELECT cycle, codes_per_cycle, remaining FROM coderring.series WHERE ring = 'widget';
-- The cycle is at its end: the next code is of the next one.
SELECT coderring_get_code('widget') ~ '^X....$';
--
-- describe "Explitive filter", test "Skipped codes"
--
-- Vacuous there as here: the alphabet has no I, so SHIT is none of the 32^4
-- codes, filter or not. What looks like it is, and is left out.
SELECT count(*) FROM widget WHERE code = 'SHIT';
SELECT coderring_alphabet('default') ~ 'I', count(*) FROM widget WHERE code IN ('SHLT', '5HLT', 'SHL7', '5HL7');
SELECT count(*), min(code) FROM widget WHERE code = 'YA42';
-- So once more with an alphabet that has I, and with the filter and without.
SELECT coderring_create('with I', alphabet => 'SHIT51YA42', blocklist => 'english');
SELECT coderring_create('unfiltered', alphabet => 'SHIT51YA42');
CREATE TEMP TABLE whole (ring text, code text COLLATE "C");
INSERT INTO whole SELECT ring, coderring_get_code(ring) FROM unnest(ARRAY['with I', 'unfiltered']) AS ring;
INSERT INTO whole SELECT ring, coderring_get_codes(ring, remaining::int) FROM coderring.series WHERE ring IN ('with I', 'unfiltered');
SELECT code, count(*) FILTER (WHERE ring = 'with I') AS filtered, count(*) FILTER (WHERE ring = 'unfiltered') AS unfiltered
	FROM whole WHERE code IN ('SHIT', '5H1T', 'SHIS', 'YA42') GROUP BY code ORDER BY code;
-- (Both cycles are at their ends, so there was nothing else to come.)
SELECT ring, cycle, remaining FROM coderring.series WHERE ring IN ('with I', 'unfiltered') ORDER BY ring;
DROP TABLE round1, round2, widget, whole;
SELECT count(coderring_drop(name)) FROM coderring.rings;
