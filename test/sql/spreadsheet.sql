--
-- The list "spreadsheet": what programs that read CSV take for something else,
-- beside the regular expressions of its row
--
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
-- A loop without an end is to fail, not to hang.
SET statement_timeout = '900s';
SELECT builtin, owner, word FROM coderring.blocklist, unnest(words) word WHERE name = 'spreadsheet';
-- They in one, and the words of "english" in one, look-alikes folded
SELECT string_agg(word, '|') AS spoiled FROM coderring.blocklist, unnest(words) word WHERE name = 'spreadsheet' \gset
SELECT string_agg(translate(upper(word), '01L23456978', 'OIIZEASGGTB'), '|') AS words FROM coderring.blocklist, unnest(words) word WHERE name = 'english' \gset
SELECT format('SELECT code COLLATE "C" ~* %L', :'spoiled') AS spoiled,
	format('SELECT translate(upper(code COLLATE "C"), ''01L23456978'', ''OIIZEASGGTB'') ~ %L', :'words') AS words \gset
CREATE FUNCTION pg_temp.spoiled(code text) RETURNS boolean LANGUAGE sql IMMUTABLE AS :'spoiled';
CREATE FUNCTION pg_temp.words(code text) RETURNS boolean LANGUAGE sql IMMUTABLE AS :'words';
-- What each expression is for
SELECT code, pg_temp.spoiled(code) FROM unnest(ARRAY['2E22', '2e22', '-2.5E+3', '.5e1', '5.e1', '2E', 'E22', '2E2E2', '2EE2', '2.2.2E2', '1e-', '3.E',
	'MAR2', 'mar02', 'MAR', 'MARC1', 'MARCH1', 'MARCHE1', 'MA2', '2MAR', '2-MAR', '2/Mar/2024', '2024-MAR-02', '12345MAR', 'MAR12345', '2 may', 'MAY-',
	'MAR. 2', '2. MAR', 'JUNE5', 'JULY5', 'JUNLY5', 'SEPT2', 'SEPTE2', 'SEPTIN2', '2DEC', 'DEC', '2PM', '11 am', '11  am', '12AM', '13AM', '09pm', '111AM', 'AM',
	'NULL', 'null', 'NA', 'N/A', '#N/A', '#NA', '#NULL', 'NAN', '-nan', '+NAN', '-NA', 'INF', '-INF', 'INFINITY', 'INFINIT', 'TRUE', 'TRUES', 'FALSE', 'NONE', '',
	'7GRY', '2222', '234D', '1-2', '0x1F']) code;
-- Whole cycles: what a ring hands out is what the expressions leave of all codes
CREATE TEMP TABLE cases (n int GENERATED ALWAYS AS IDENTITY, base_length int, extra text DEFAULT '', cycle bigint DEFAULT 0,
	alphabet text DEFAULT coderring_alphabet('default'), checked boolean DEFAULT false, list text DEFAULT 'spreadsheet');
CREATE TEMP TABLE every (code text COLLATE "C", spoiled boolean, word boolean);
CREATE TEMP TABLE got (code text COLLATE "C");
CREATE FUNCTION pg_temp.run() RETURNS TABLE (list text, alphabet text, checked boolean, cycle bigint, extra text, base_codes int, spoiled bigint, blocked bigint,
		codes bigint, wrong bigint, inexact bigint, lasts boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	c record;
	n bigint;
	whole bigint;
BEGIN
	FOR c IN SELECT * FROM cases ORDER BY n LOOP
		-- the same texts without a filter
		PERFORM coderring_create('plain', c.base_length, NULL, c.alphabet, c.checked, first_cycle => c.cycle);
		INSERT INTO every SELECT code, pg_temp.spoiled(code), c.list <> 'spreadsheet' AND pg_temp.words(code)
			FROM coderring_get_codes('plain', (length(c.alphabet) ^ c.base_length)::int, c.extra) code;
		PERFORM coderring_drop('plain');
		PERFORM coderring_create('f', c.base_length, c.list, c.alphabet, c.checked, first_cycle => c.cycle);
		-- some one by one, and the rest at once
		inexact := 0;
		codes := 0;
		LOOP
			INSERT INTO got SELECT coderring_get_codes('f', CASE WHEN codes < 10 THEN 1 ELSE n END, c.extra);
			codes := (SELECT count(*) FROM got);
			SELECT codes_per_cycle, remaining INTO whole, n FROM coderring.series WHERE ring = 'f';
			inexact := inexact + (codes + n <> whole)::int;
			EXIT WHEN n = 0 OR codes > whole;
		END LOOP;
		list := c.list;
		alphabet := left(c.alphabet, 12);
		checked := c.checked;
		cycle := c.cycle;
		extra := c.extra;
		SELECT count(*), count(*) FILTER (WHERE spoiled), count(*) FILTER (WHERE spoiled OR word) INTO base_codes, spoiled, blocked FROM every;
		wrong := (SELECT count(*) FROM every e FULL JOIN got g ON g.code = e.code WHERE e.code IS NULL OR (spoiled OR word) <> (g.code IS NULL));
		-- and they all were issued, but for what was passed over
		wrong := wrong + (SELECT count(*) FROM every WHERE coderring_issued('f', code) = (spoiled OR word));
		lasts := (SELECT remaining = 0 AND cycle = c.cycle AND codes_per_cycle = codes FROM coderring.series WHERE ring = 'f');
		RETURN NEXT;
		PERFORM coderring_drop('f');
		TRUNCATE every, got;
	END LOOP;
	TRUNCATE cases;
END $$;
\pset tuples_only off
INSERT INTO cases (base_length, extra) SELECT length, extra FROM unnest(ARRAY['', '26', '2', 'n', 'MA', '-', '+', '.', '1.', '1.5', '-.', '2 ', '#', 'N/', '2-', '2-ma', 'MAR-', 'sep',
	'12345', '2E', '2e-', 'E', 'JANUARY ', 'JUL', '2024-', 'TR', '-I', 'X', '2E2', 'MAR2', 'ä2']) extra, generate_series(1, 2) length
	WHERE length = 2 OR extra NOT IN ('2E', '2e-');
INSERT INTO cases (base_length) VALUES (1), (3);
SELECT * FROM pg_temp.run();
-- Uniquizers, check characters, other alphabets, and words as well
INSERT INTO cases (base_length, extra, cycle) VALUES (2, '', 3), (2, '', 45), (2, '2', 3), (2, 'M', 12);
INSERT INTO cases (base_length, extra, cycle, checked) SELECT 2, extra, cycle, true FROM unnest(ARRAY['', '2', '26', 'MA', '-', 'TR', '2-', 'NU']) extra, unnest('{0,3}'::bigint[]) cycle;
INSERT INTO cases (base_length, extra, alphabet, checked) VALUES (5, '', '0123E', false), (4, '1', '0123E', true), (3, '', '2E.-+', false), (3, '', '0Ee5.', true), (4, '', 'MARCH12', false), (4, '', 'NAILUF', false),
	(4, '', 'TRUEFALS', true), (3, '', 'ApMm259', false), (4, '', 'n/a-#ul', true), (2, '2-Dece', 'mberMBER-19', false), (3, '', 'Infty', false), (6, '', 'Nn/', false);
INSERT INTO cases (base_length, extra, checked, list) SELECT 2, extra, checked, 'english, spreadsheet' FROM unnest(ARRAY['', '26', '5', 'AS', 'MA', 'n', 'F']) extra, unnest('{f,t}'::bool[]) checked;
INSERT INTO cases (base_length, list) VALUES (3, 'spreadsheet, english');
SELECT * FROM pg_temp.run();
-- The alphabet "safe": nothing but hours of three characters, in all cycles, with and without a check character
INSERT INTO cases (base_length, cycle, alphabet, checked)
	SELECT length, cycle, coderring_alphabet('safe'), checked FROM (VALUES (3, 0), (3, 5), (2, 1), (2, 900)) c (length, cycle), unnest('{f,t}'::bool[]) checked;
SELECT * FROM pg_temp.run();
\pset tuples_only on
SELECT coderring_create('safe', 3, alphabet => 'safe', first_cycle => 1), coderring_create('checked', 3, alphabet => 'safe', check_character => true);
SELECT left(word, 12), count(*) FROM coderring.blocklist, unnest(words) word, coderring_get_codes('safe', 21952) code
	WHERE name = 'spreadsheet' AND code COLLATE "C" ~* word GROUP BY 1;
SELECT left(word, 12), count(*) FROM coderring.blocklist, unnest(words) word, coderring_get_codes('checked', 21952) code
	WHERE name = 'spreadsheet' AND code COLLATE "C" ~* word GROUP BY 1;
SELECT coderring_drop('safe'), coderring_drop('checked');
-- Extras behind which nothing is left, and a ring of which too little would be
SELECT coderring_create('digits', 2, 'spreadsheet', '0123456789');
SELECT coderring_get_code('digits', '1E');
SELECT coderring_get_code('digits', '1E+');
-- Behind DEC the first digits that are too many
SELECT coderring_get_code('digits', 'DEC') ~ '^DEC10[0-9]{3}$';
SELECT cycle FROM coderring.series WHERE ring = 'digits' AND extra = 'DEC';
SELECT pg_temp.spoiled(coderring_get_code('digits', '1E/')), pg_temp.spoiled(coderring_get_code('digits', 'DEC:')), pg_temp.spoiled(coderring_get_code('digits', '12'));
SELECT coderring_drop('digits');
-- codes_until_longer: through all cycles of a length, to what max_length ends
SELECT coderring_create('longer', 1, 'spreadsheet', '2E5', max_length => 4);
CREATE TEMP TABLE lengths AS SELECT 0::bigint AS n, ''::text AS code LIMIT 0;
DO $$
BEGIN
	FOR length IN 1..4 LOOP
		INSERT INTO lengths SELECT coalesce((SELECT codes_until_longer FROM coderring.series WHERE ring = 'longer'), 2) + 1, coderring_get_code('longer');
		INSERT INTO lengths SELECT s.codes_until_longer + 1, coderring_get_codes('longer', s.codes_until_longer) FROM coderring.series s WHERE ring = 'longer';
	END LOOP;
END $$;
SELECT length(code), count(*), count(DISTINCT code), min(n) FILTER (WHERE n > 1), bool_or(pg_temp.spoiled(code)), string_agg(code, ' ' ORDER BY code) FROM lengths GROUP BY 1 ORDER BY 1;
SELECT coderring_get_code('longer');
SELECT coderring_drop('longer');
-- Set on a ring that has codes out, and taken away again; written as people write it
SELECT coderring_create('set', 1, 'english', 'NA2E'), coderring_reset('set', test_seed => 'x');
SELECT coderring_get_code('set', 'n');
SELECT codes_per_cycle, remaining FROM coderring.series WHERE ring = 'set';
SELECT coderring_set_blocklist('set', 'english,  spreadsheet');
SELECT blocklist FROM coderring.rings WHERE name = 'set';
SELECT codes_per_cycle, remaining FROM coderring.series WHERE ring = 'set';
SELECT coderring_set_blocklist('set', 'spreadsheet');
SELECT coderring_get_codes('set', 2, 'n');
SELECT cycle, codes_per_cycle, remaining FROM coderring.series WHERE ring = 'set';
SELECT coderring_set_blocklist('set', NULL);
SELECT cycle, codes_per_cycle, remaining FROM coderring.series WHERE ring = 'set';
SELECT coderring_drop('set');
-- A list that blocks what is in the extra: what begins there, and is no word, is blocked all the same
SELECT coderring_define_blocklist('hides', '{^mar,R-,AR-2M,E-}');
SELECT coderring_create('hides', 2, 'hides, spreadsheet');
SELECT count(coderring_get_code('hides', extra)) FROM unnest('{MAR-,xMAR-,2E-,june-}'::text[]) extra;
SELECT extra, codes_per_cycle, (SELECT bool_or(pg_temp.spoiled(code)) FROM coderring_get_codes('hides', remaining, extra) code)
	FROM (SELECT extra, codes_per_cycle, remaining FROM coderring.series WHERE ring = 'hides' ORDER BY 1 OFFSET 0) s;
SELECT coderring_drop('hides'), coderring_define_blocklist('hides', NULL);
-- The name is taken
SELECT coderring_define_blocklist('spreadsheet', '{abc}');
SELECT coderring_define_blocklist('spreadsheet', NULL);
UPDATE coderring.blocklist SET words = '{}' WHERE name = 'spreadsheet';
DELETE FROM coderring.blocklist WHERE name = 'spreadsheet';
INSERT INTO coderring.blocklist VALUES ('spreadsheet', false, 10, 'postgres', '{abc}');
SELECT builtin, cardinality(words) FROM coderring.blocklist WHERE name = 'spreadsheet';
-- Words that look like numbers leave no room for it, if they are very many
SELECT coderring_define_blocklist('many', array(SELECT translate(left(md5(n::text), 8), 'abcdef', '012345') FROM generate_series(1, 8000) n));
SELECT coderring_create('many', 12, 'many');
SELECT coderring_set_blocklist('many', 'many, spreadsheet');
SELECT coderring_set_blocklist('many', 'spreadsheet');
SELECT coderring_define_blocklist('many', array(SELECT translate(left(md5(n::text), 8), 'abcdef', '012345') FROM generate_series(1, 1000) n));
SELECT coderring_set_blocklist('many', 'many, spreadsheet');
SELECT coderring_define_blocklist('many', array(SELECT translate(left(md5(n::text), 8), 'abcdef', '012345') FROM generate_series(1, 8000) n));
SELECT coderring_get_code('many') IS NOT NULL, blocklist FROM coderring.rings WHERE name = 'many';
SELECT coderring_drop('many'), coderring_define_blocklist('many', NULL);
