--
-- max_length: what is left is counted before anything is taken
--
CREATE TEMP VIEW place AS SELECT ring, extra, cycle, cycle_offset, remaining FROM coderring.series;
SELECT coderring_create('lim', 1, max_length => 1);
SELECT count(*) FROM coderring_get_codes('lim', 20);
-- More than are left: an error that says how many there are, and nothing is taken
SELECT count(*) FROM coderring_get_codes('lim', 20);
SELECT coderring_get_codes('lim', 13);
SELECT count(*) FROM coderring_get_codes('lim', 2147483647);
SELECT coderring_get_codes('lim', 13) LIMIT 1;
TABLE place;
SELECT count(*) FROM coderring_get_codes('lim', 12);
TABLE place;
SELECT coderring_get_codes('lim', 0);
SELECT coderring_get_codes('lim', 1);
SELECT coderring_get_codes('lim', 2);
-- A new extra: its codes are too long, or as many as there are
SELECT coderring_get_codes('lim', 2, 'A');
SELECT coderring_create('two', 1, max_length => 2);
SELECT count(*) FROM coderring_get_codes('two', 33, 'A');
SELECT count(*) FROM coderring_get_codes('two', 32, 'A');
-- Several lengths: 32 codes of one character and 32 x 32 of two, but for those that are another extra's
SELECT count(*) FROM coderring_get_codes('two', 1025);
SELECT count(*) FROM coderring_get_codes('two', 1024);
SELECT coderring_get_code('two');
-- After a bump and an advance
SELECT coderring_create('jump', 1, max_length => 2), coderring_advance('jump', '', 30);
SELECT length(coderring_get_code('jump')), length(coderring_get_code('jump', bump => true));
SELECT count(*) FROM coderring_get_codes('jump', 64);
SELECT count(*) FROM coderring_get_codes('jump', 63);
-- With words: exactly what the filter leaves
SELECT coderring_define_blocklist('regress_lim', '{^V9$,^SE$,^2V$}');
SELECT coderring_create('words', 2, blocklist => 'regress_lim', max_length => 2);
SELECT coderring_get_codes('words', 1024);
SELECT count(*) FROM coderring_get_codes('words', 500);
SELECT coderring_get_codes('words', 1024);
DO $$
DECLARE
	left_now bigint := (SELECT remaining FROM coderring.series WHERE ring = 'words');
BEGIN
	BEGIN
		PERFORM coderring_get_codes('words', left_now::int + 1);
		RAISE 'there were more';
	EXCEPTION WHEN sequence_generator_limit_exceeded THEN
	END;
	IF (SELECT remaining FROM coderring.series WHERE ring = 'words') <> left_now THEN
		RAISE 'some were taken';
	END IF;
	PERFORM coderring_get_codes('words', left_now::int);
END $$;
SELECT coderring_get_code('words');
SELECT coderring_create('words3', 2, blocklist => 'regress_lim', max_length => 3), coderring_reset('words3', test_seed => 'max_length'), coderring_advance('words3', '', 0, 1000);
SELECT count(*) FROM coderring_get_codes('words3', 40000);
SELECT coderring_set_blocklist('words3', NULL);
SELECT count(*) FROM coderring_get_codes('words3', 40000);
-- Near the end of all cycles
SELECT coderring_create('last', 12), coderring_advance('last', '', 6, 1152921504606846971);
SELECT count(*) FROM coderring_get_codes('last', 6);
SELECT count(*) FROM coderring_get_codes('last', 5);
SELECT coderring_get_code('last');
-- Without a limit nothing is counted
SELECT coderring_create('free', 1);
SELECT count(*) FROM coderring_get_codes('free', 40);
--
-- Messages about a ring name it
--
SELECT coderring_create('bad', 1, max_length => 0);
SELECT coderring_create('bad', 1, first_cycle => -1);
SELECT coderring_create('bad', 1, max_length => 1, first_cycle => 1);
SELECT coderring_create('bad', 13);
SELECT coderring_create('bad', 12, alphabet => coderring_alphabet('base64url'));
SELECT coderring_create('bad', alphabet => 'A');
SELECT coderring_create('bad', alphabet => 'AA');
SELECT coderring_create('bad', alphabet => 'A B');
SELECT coderring_is_valid('A', '11');
SELECT coderring_create('checked', alphabet => 'AB', check_character => true);
SELECT coderring_reset('lim', first_cycle => 1);
SELECT coderring_reset('lim', first_cycle => -1);
SELECT coderring_get_code('lim', repeat('x', 64));
SELECT count(coderring_drop(name)) FROM coderring.rings;
SELECT coderring_define_blocklist('regress_lim', NULL);
