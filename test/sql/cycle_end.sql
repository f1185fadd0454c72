--
-- The end of a cycle, and of all cycles, as coderring.series shows them
--
\pset format unaligned
-- Rings of 25 base codes, 12 of them blocked, which reserve one position at a
-- time: behind the last code that is not blocked nothing is reserved. The cycle
-- is complete all the same.
SELECT coderring_define_blocklist('ends', '{^AA$,^AB$,^AC$,^AD$,^AE$,^BA$,^BB$,^BC$,^BD$,^BE$,^CA$,^CB$}');
SELECT coderring_define_blocklist('others', '{^DA$,^DB$,^DC$,^DD$,^DE$}');
SELECT count(coderring_create('e' || i, 2, 'ends', 'ABCDE')), count(coderring_reset('e' || i, test_seed => i::text)) FROM generate_series(1, 64) i;
SELECT count(DISTINCT i || c) FROM generate_series(1, 64) i, LATERAL coderring_get_codes('e' || i, 12) c;
SELECT bool_and(cycle_offset BETWEEN 12 AND 24), min(remaining), max(remaining), min(percent), max(percent) FROM coderring.series;
SELECT count(coderring_get_code('e' || i)) FROM generate_series(1, 64) i;
SELECT min(cycle_offset), max(cycle_offset), min(remaining), max(remaining), min(percent), max(percent), count(*) FILTER (WHERE reserved_to < 25) > 10 AS some_behind
	FROM coderring.series;
-- bump and advance go on with the next cycle, and so does a code
SELECT count(coderring_get_code('e' || i, bump => true)) FROM generate_series(1, 20) i;
SELECT count(coderring_advance('e' || i)) FROM generate_series(21, 40) i;
SELECT count(coderring_get_code('e' || i)) FROM generate_series(21, 64) i;
SELECT cycle, count(*) FROM coderring.series GROUP BY 1;
SELECT count(coderring_drop(name)) FROM coderring.rings;
-- The same after other words have been in force for a time
SELECT count(coderring_create('e' || i, 2, 'ends', 'ABCDE')), count(coderring_reset('e' || i, test_seed => i::text)) FROM generate_series(1, 64) i;
SELECT count(c) FROM generate_series(1, 64) i, LATERAL coderring_get_codes('e' || i, 5) c;
SELECT count(coderring_set_blocklist('e' || i, 'others')) FROM generate_series(1, 64) i;
SELECT count(c) FROM generate_series(1, 64) i, LATERAL coderring_get_codes('e' || i, 2) c;
SELECT count(coderring_set_blocklist('e' || i, 'ends')) FROM generate_series(1, 64) i;
SELECT count(c) > 64 FROM coderring.series s, LATERAL coderring_get_codes(ring, remaining::int) c;
SELECT min(cycle_offset), max(cycle_offset), min(remaining), max(remaining), min(percent), max(percent), count(*) FILTER (WHERE reserved_to < 25) > 10 AS some_behind
	FROM coderring.series WHERE cycle = 0;
SELECT count(*) FROM coderring.series WHERE cycle > 0;
SELECT count(coderring_drop(name)) FROM coderring.rings;
--
-- No more cycles: nothing comes behind the last one
--
CREATE FUNCTION pg_temp.ends(ring text, alphabet text, base_length int, blocklist text DEFAULT NULL) RETURNS TABLE (cycle bigint, cycle_offset bigint, codes bigint, remaining bigint, codes_until_longer bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_variable
DECLARE
	last bigint;
	base_codes bigint := length(alphabet)::numeric ^ base_length;
BEGIN
	last := 9223372036854775807 / base_codes - 1;
	PERFORM coderring_create(ring, base_length, blocklist, alphabet), coderring_reset(ring, test_seed => 'ends');
	FOR step IN 0..3 LOOP
		IF step < 2 THEN
			PERFORM coderring_advance(ring, '', last - 1 + step), coderring_get_code(ring);
		ELSIF step = 2 THEN
			PERFORM coderring_advance(ring, '', last, base_codes - 5) WHERE base_codes > 10;
		ELSE
			PERFORM coderring_get_codes(ring, s.remaining::int) FROM coderring.series s WHERE s.ring = ends.ring;
		END IF;
		RETURN QUERY SELECT s.cycle, s.cycle_offset, s.codes_per_cycle, s.remaining, s.codes_until_longer FROM coderring.series s WHERE s.ring = ends.ring;
	END LOOP;
	BEGIN
		PERFORM coderring_get_code(ring);
	EXCEPTION WHEN sequence_generator_limit_exceeded THEN
		RETURN NEXT;
	END;
END $$;
SELECT * FROM pg_temp.ends('four', 'AB', 2);
SELECT * FROM pg_temp.ends('seven', 'ABCDEFG', 1);
-- 4,913 base codes: the last cycle ends 8 positions before 2^63, which a reservation could pass
SELECT * FROM pg_temp.ends('near', 'ABCDEFGHJKLMNPQRS', 3);
SELECT * FROM pg_temp.ends('large', 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', 10);
-- With words, the codes of what is left are counted: those of two cycles, then of one
SELECT * FROM pg_temp.ends('words', coderring_alphabet('crockford'), 3, 'english');
-- The last 100 codes there are, one after the other
SELECT coderring_create('one', 3, alphabet => 'ABCDEFGHJKLMNPQRS'), coderring_advance('one', '', 1877340125555623 - 1, 4913 - 100);
SELECT count(DISTINCT coderring_get_code('one')) FROM generate_series(1, 100);
SELECT coderring_get_code('one');
SELECT cycle, cycle_offset, reserved_to, remaining, percent, codes_until_longer FROM coderring.series WHERE ring = 'one';
-- A series that stands where codes would be longer than they may be
SELECT coderring_create('limit', 1), coderring_advance('limit', '', 40), left(coderring_get_code('limit'), 0);
UPDATE coderring.ring SET max_length = 2 WHERE name = 'limit';
SELECT coderring_get_code('limit');
SELECT cycle, cycle_offset, remaining, percent, code_length, codes_until_longer FROM coderring.series WHERE ring = 'limit';
SELECT count(coderring_drop(name)) FROM coderring.rings;
SELECT coderring_define_blocklist('ends', NULL), coderring_define_blocklist('others', NULL);
