--
-- A cycle is every base code once; the next one is the same set behind the
-- next uniquizer, in another order.
--
\pset format unaligned
-- Every text of so many characters of an alphabet
CREATE FUNCTION pg_temp.base_codes(length int, alphabet text DEFAULT 'VSE293AH7Q6R4BT5CLXGJZFPDWUKYM8N')
RETURNS SETOF text LANGUAGE sql AS $$
	WITH RECURSIVE codes AS (
		SELECT ''::text COLLATE "C" AS code, 0 AS n
		UNION ALL
		SELECT code || letter, n + 1
			FROM codes, regexp_split_to_table(alphabet, '') AS letter WHERE n < length
	)
	SELECT code FROM codes WHERE n = length
$$;
-- Two cycles of a ring, the first through calls of one code, the second in bulk
CREATE FUNCTION pg_temp.look_at(ring text, length int)
RETURNS TABLE (cycle int, codes bigint, "distinct" bigint, missing bigint, foreign_codes bigint, uniquizer text)
LANGUAGE plpgsql AS $$
DECLARE
	total bigint := 32 ^ length;
BEGIN
	CREATE TEMP TABLE expected AS SELECT pg_temp.base_codes(length) AS code;
	CREATE TEMP TABLE received (cycle int, n bigint GENERATED ALWAYS AS IDENTITY, code text COLLATE "C");
	INSERT INTO received (cycle, code) SELECT 0, coderring_get_code(ring) FROM generate_series(1, total);
	INSERT INTO received (cycle, code) SELECT 1, coderring_get_codes(ring, total::int);
	RETURN QUERY SELECT r.cycle, count(*), count(DISTINCT code),
			(SELECT count(*) FROM (SELECT e.code FROM expected e EXCEPT
				SELECT right(x.code, length) FROM received x WHERE x.cycle = r.cycle) m),
			(SELECT count(*) FROM (SELECT right(x.code, length) FROM received x WHERE x.cycle = r.cycle EXCEPT
				SELECT e.code FROM expected e) f),
			string_agg(DISTINCT left(code, -length), ',')
		FROM received r GROUP BY r.cycle ORDER BY 1;
END $$;
-- In how many places the two cycles agree, of how many
CREATE FUNCTION pg_temp.same_places(length int) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	RETURN count(*) FROM received a JOIN received b
		ON b.n = a.n + (32 ^ length)::bigint AND right(b.code, length) = a.code;
END $$;
SELECT coderring_create('one', 1), coderring_reset('one', test_seed => 'cycles');
SELECT * FROM pg_temp.look_at('one', 1);
SELECT pg_temp.same_places(1) < 10 AS another_order;
DROP TABLE expected, received;
SELECT coderring_create('two', 2), coderring_reset('two', test_seed => 'cycles');
SELECT * FROM pg_temp.look_at('two', 2);
SELECT pg_temp.same_places(2) < 10 AS another_order;
DROP TABLE expected, received;
SELECT coderring_create('three', 3), coderring_reset('three', test_seed => 'cycles');
SELECT * FROM pg_temp.look_at('three', 3);
SELECT pg_temp.same_places(3) < 10 AS another_order;
DROP TABLE expected, received;
-- A million: so many distinct texts of this form are all that there are.
SELECT coderring_create('four', 4), coderring_reset('four', test_seed => 'cycles');
CREATE TEMP TABLE received AS
	SELECT 0 AS cycle, n, code COLLATE "C" FROM coderring_get_codes('four', 1048576) WITH ORDINALITY AS t (code, n);
INSERT INTO received
	SELECT 1, n, code FROM coderring_get_codes('four', 1048576) WITH ORDINALITY AS t (code, n);
SELECT cycle, count(DISTINCT code), count(*) FILTER (WHERE code !~ '^X?[2-9A-HJ-NP-Z]{4}$') AS foreign_codes,
		min(length(code)), max(length(code)), max(left(code, -4)) AS uniquizer
	FROM received GROUP BY 1 ORDER BY 1;
SELECT count(*) < 20 AS another_order
	FROM received a JOIN received b USING (n) WHERE a.cycle = 0 AND b.cycle = 1 AND right(b.code, 4) = a.code;
DROP TABLE received;
-- Only random keys from here on: two rings do not come in the same order,
-- and neither in that of the alphabet.
SELECT coderring_create('left', 3), coderring_create('right', 3);
SELECT count(*) FILTER (WHERE l = r) < 10 AS differ, count(*) FILTER (WHERE l = b) < 10 AS unsorted
	FROM ROWS FROM (coderring_get_codes('left', 1000), coderring_get_codes('right', 1000),
		pg_temp.base_codes(3)) AS t (l, r, b)
	WHERE l IS NOT NULL;
-- Uniquizers: cycle by cycle, every one behind the last one's whole set.
SELECT coderring_create('u', 1);
CREATE TEMP TABLE codes (n bigint GENERATED ALWAYS AS IDENTITY (MINVALUE 0 START 0), code text COLLATE "C");
INSERT INTO codes (code) SELECT coderring_get_codes('u', 32 * 100);
SELECT count(DISTINCT code) FROM codes;
SELECT count(*) AS incomplete FROM (
	SELECT 1 FROM codes GROUP BY n / 32
		HAVING count(DISTINCT right(code, 1)) <> 32 OR count(DISTINCT left(code, -1)) <> 1) c;
SELECT string_agg(uniquizer, ',' ORDER BY cycle)
	FROM (SELECT n / 32 AS cycle, min(left(code, -1)) AS uniquizer FROM codes GROUP BY 1) c;
-- Far away: the 1024 uniquizers of two characters, then those of three
SELECT coderring_advance('u', to_cycle => 32 + 32 * 31);
SELECT left(coderring_get_code('u'), -1) AS last_of_two, coderring_advance('u'), left(coderring_get_code('u'), -1) AS first_of_three;
-- The wrap is lazy: at the end of a cycle nothing has been wrapped.
SELECT coderring_create('lazy', 1);
SELECT count(*) FROM (SELECT coderring_get_codes('lazy', 32)) c;
SELECT * FROM coderring.series WHERE ring = 'lazy' \gx
SELECT length(coderring_get_code('lazy'));
SELECT * FROM coderring.series WHERE ring = 'lazy' \gx
SELECT count(coderring_drop(name)) FROM coderring.rings;
