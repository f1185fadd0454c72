--
-- The order of a cycle, at the level of SQL and with keys fixed by test_seed.
-- (test/unit/test_order.c does the same and more on the permutation itself.)
-- Every score is a normal deviate, about: beyond 4 once in 16,000.  The keys
-- are fixed, so the result is the same in every run.
--
\pset format unaligned
\pset tuples_only on

-- The first half of a cycle, or 65,536 codes of it, as text and numbers
CREATE TEMP TABLE drawn (length int, place int, code text, number bigint);
DO $$
DECLARE
	alphabet text := 'VSE293AH7Q6R4BT5CLXGJZFPDWUKYM8N';
BEGIN
	FOR len IN 2 .. 4 LOOP
		PERFORM coderring_create('order ' || len, len);
		PERFORM coderring_reset('order ' || len, test_seed => 'order of ' || len);
		INSERT INTO drawn
			SELECT len, row_number() OVER (), code,
				(SELECT sum((strpos(alphabet, substr(code, i, 1)) - 1) * 32::bigint ^ (len - i)) FROM generate_series(1, len) i)
			FROM coderring_get_codes('order ' || len, least((32 ^ len)::int / 2, 65536)) code;
		PERFORM coderring_drop('order ' || len);
	END LOOP;
END $$;
CREATE TEMP VIEW sizes AS
	SELECT length, count(*)::float8 AS n, 32::float8 ^ length AS total FROM drawn GROUP BY length;

-- Chi-square of the characters at each place: drawn without replacement, the
-- expected value shrinks by what is left of the cycle.
CREATE TEMP VIEW characters AS
	SELECT length, p, sum((count - n / 32) ^ 2 / (n / 32)) / ((total - n) / (total - 1)) AS chi2
	FROM (SELECT length, p, substr(code, p, 1) AS c, count(*) FROM drawn, generate_series(1, length) p GROUP BY 1, 2, 3) s
	JOIN sizes USING (length) GROUP BY length, p, n, total;
SELECT 'characters', length, p, abs(chi2 - 31) / sqrt(2 * 31) < 4 AS random FROM characters ORDER BY length, p;

-- Serial correlation of a code with the next, and with those 2 and 32 later
CREATE TEMP VIEW correlation AS
	SELECT a.length, lag, corr(a.number, b.number) * sqrt(count(*)) AS z
	FROM (VALUES (1), (2), (32)) l (lag), drawn a JOIN drawn b USING (length)
	WHERE b.place = a.place + lag GROUP BY 1, 2;
SELECT 'correlation', length, lag, abs(z) < 4 AS random FROM correlation ORDER BY length, lag;

-- The character at each place against that of the next code
CREATE TEMP VIEW next_character AS
	SELECT length, p, sum((coalesce(count, 0) - (n - 1) / 1024) ^ 2 / ((n - 1) / 1024)) AS chi2
	FROM (SELECT length, p, c, d FROM generate_series(2, 4) length, generate_series(1, 4) p,
			regexp_split_to_table('VSE293AH7Q6R4BT5CLXGJZFPDWUKYM8N', '') c,
			regexp_split_to_table('VSE293AH7Q6R4BT5CLXGJZFPDWUKYM8N', '') d WHERE p <= length) cells
	LEFT JOIN (SELECT a.length, p, substr(a.code, p, 1) AS c, substr(b.code, p, 1) AS d, count(*)
			FROM drawn a JOIN drawn b ON a.length = b.length AND b.place = a.place + 1, generate_series(1, 4) p
			WHERE p <= a.length GROUP BY 1, 2, 3, 4) pairs USING (length, p, c, d)
	JOIN sizes USING (length) WHERE length > 2 GROUP BY length, p, n;
SELECT 'next character', length, p, abs(chi2 - 1023) / sqrt(2 * 1023) < 4 AS random FROM next_character ORDER BY length, p;

-- A counter is found out by all three.
TRUNCATE drawn;
INSERT INTO drawn
	SELECT len, i + 1, (SELECT string_agg(substr('VSE293AH7Q6R4BT5CLXGJZFPDWUKYM8N', (i / 32 ^ (len - p))::int % 32 + 1, 1), '' ORDER BY p)
		FROM generate_series(1, len) p), i
	FROM generate_series(2, 4) len, LATERAL generate_series(0, least((32 ^ len)::int / 2, 65536) - 1) i;
SELECT 'counter',
	(SELECT bool_or(abs(chi2 - 31) / sqrt(2 * 31) > 4) FROM characters),
	(SELECT bool_and(abs(z) > 4) FROM correlation),
	(SELECT bool_and(abs(chi2 - 1023) / sqrt(2 * 1023) > 4) FROM next_character);
