--
-- coderring_normalize: what somebody has typed to the code that was meant
--
\pset format unaligned
\pset tuples_only on
\pset null (null)
-- Codes by the place in the ring's order that is known beforehand
CREATE FUNCTION pg_temp.create_ring(ring text, base_length int, alphabet text DEFAULT NULL, check_character boolean DEFAULT false) RETURNS void LANGUAGE sql AS $$
	SELECT coderring_create(ring, base_length, NULL, alphabet, check_character), coderring_reset(ring, test_seed => 'normalize')
$$;
-- Inputs, and what they are taken for
CREATE FUNCTION pg_temp.typed(ring text, VARIADIC inputs text[]) RETURNS TABLE (typed text, meant text) LANGUAGE sql AS $$
	SELECT input, coderring_normalize(ring, input) FROM unnest(inputs) input
$$;
-- Every base code of two characters in every cycle that matters: all of them
-- are out.
SELECT pg_temp.create_ring('n', 2);
SELECT count(coderring_get_code('n', e)) FROM generate_series(1, 2048), unnest(ARRAY['', '26', 'INV-']) e;
SELECT * FROM pg_temp.typed('n', '7G', '7g', ' 7g', '7-g', '7 G ', '7_g.', '--7--G--', E'7\tG\n', 'x7g', 'X-7G', 'x 7 g', '267g', '26x7g', ' 26 x7 g ',
	'2-6-x-7-g', 'INV-7G', 'inv-7g', 'inv 7g', 'INV7G', 'invx7g', 'I-N-V-X-7-G');
-- What stands around a code in a sentence
SELECT * FROM pg_temp.typed('n', '"7G"', '(x7g)', '#7g', '<267g>,', '7g.', '''26-7g''', '7g?!', '[ inv-7g ];', '7"g', '7#', '7g"2', '(');
-- What programs put around it: quotes of all kinds, Markdown, brackets, what is
-- written for spreadsheets; and a slash within
SELECT * FROM pg_temp.typed('n', '“7G”', '„26-7g“', '‚7g‘', '»7G«', '« 7G »', '‹x7g›', '`7G`', '´7G´', '*7G*', '**26-7G**', '_7G_', '="7G"', '="26-7G"', '=7G', '"=""7G"""', '''7G',
	'{7G}', '[[7G]]', '| 7G |', '* 7G', '7/G', 'x/7g', '26/7G', 'inv/7g', '7⁄G', '7G…', '• 7G', '「７Ｇ」', '【26-7G】', '（７Ｇ）。', '″7G″', '*"(7G)"*;');
-- Within a code none of them separates, but for the slash.
SELECT * FROM pg_temp.typed('n', '7"G', '7*G', '7=G', '7`G', '7”G', '7|G', 'x*7G', '26"7G', '7G=', '=', '""', '*', '7G#', '7+G', '7\G');
SELECT count(*), count(*) FILTER (WHERE coderring_normalize('n', chr(before) || '26-7g' || chr(behind)) = '267G')
	FROM unnest('{171,187,8216,8217,8218,8219,8220,8221,8222,8223,8249,8250,8242,8243,34,39,96,42,124}'::int[]) before, unnest('{171,187,8216,8217,8218,8219,8220,8221,8222,8223,8249,8250,8242,8243,34,39,96,42,124}'::int[]) behind;
-- Dashes and spaces of all kinds, and what cannot be seen
SELECT count(*), string_agg(DISTINCT coderring_normalize('n', '2' || chr(c) || '6X7' || chr(c) || chr(c) || 'G' || chr(c)), ',')
	FROM unnest(ARRAY[x'85', x'A0', x'AD', x'B7', x'1680', x'2000', x'2003', x'2009', x'200B', x'200D', x'200E', x'2010', x'2011', x'2012', x'2013', x'2014', x'2015', x'2028',
		x'202F', x'2043', x'205F', x'2060', x'2212', x'3000', x'30FC', x'FE58', x'FE63', x'FEFF', x'FF0D', x'FF3F', x'FF0E', x'FF70', x'09', x'0A', x'0D', x'20', x'2D', x'2E', x'5F', x'7F']) h,
		CAST(h::int AS int) c;
-- Full-width forms
SELECT * FROM pg_temp.typed('n', '７Ｇ', 'ｘ７ｇ', '２６　７ｇ', 'ＩＮＶ－７Ｇ', 'ｉｎｖ７ｇ');
-- Cyrillic and Greek: every letter of the alphabet that looks like one of them
SELECT * FROM pg_temp.typed('n', 'АВ', 'СЕ', 'НК', 'МР', 'ТУ', 'Х3', 'ЅЈ', 'ас', 'ех', 'кз', 'ЗЗ', 'ΑΒ', 'ΕΖ', 'ΗΚ', 'ΜΝ', 'ΡΤ', 'ΥΧ', 'αβ', 'χτ', '26Х7G', 'Ｋᴷ', 'KſK', 'ſ7');
-- Digits of other scripts
SELECT * FROM pg_temp.typed('n', '٢٩', '۲۹', '२९', '২৯', '๒๙', '٢٦٢٩', '२६X२९');
-- The alphabet has no 0, O, 1, I: nothing else is meant by them but L for 1.
SELECT * FROM pg_temp.typed('n', '10', 'O2', '1G', 'iG', 'lg', 'Lg', '1i');
-- No codes
SELECT * FROM pg_temp.typed('n', '', ' ', '-', '7', 'G', '!', '7!', '!7G', '7G7G7G', '27G9', 'YX7G', 'é7g', '日本', 'ЖЖ', '0', '27-', '25INV-7G');
SELECT coderring_normalize('n', NULL);
SELECT coderring_normalize('n', repeat(' ', 999) || '7G'), coderring_normalize('n', repeat(' ', 998) || '7G'), coderring_normalize('n', repeat('7G', 1000)),
	coderring_normalize('n', repeat('é', 50000)), coderring_normalize('n', repeat('7', 10000000));
-- What is not out yet is normalised too, as what it would be.
SELECT * FROM pg_temp.typed('n', '27g', '267g', '26-27g');
SELECT coderring_issued('n', coderring_normalize('n', '3-7g')), coderring_issued('n', coderring_normalize('n', 'x-7g'));
--
-- Letters and digits that an alphabet does not have
--
SELECT pg_temp.create_ring('zero', 1, '01ABC'), pg_temp.create_ring('oh', 1, 'OIABC'), pg_temp.create_ring('ell', 1, 'L2S8'), pg_temp.create_ring('i l', 1, 'ILABC'),
	pg_temp.create_ring('all', 1, '01OILABC'), pg_temp.create_ring('crockford', 1, coderring_alphabet('crockford')), pg_temp.create_ring('z5b', 1, 'Z5B'),
	pg_temp.create_ring('two cases', 1, 'abABoO'), pg_temp.create_ring('small', 1, 'abco'), pg_temp.create_ring('signs', 1, 'AB-_.+'), pg_temp.create_ring('dash', 1, 'AB-');
SELECT ring, string_agg(typed || '=' || coalesce(coderring_normalize(ring, typed), '?'), ' ' ORDER BY n)
	FROM (VALUES ('zero', '0OoОο٠1IiLlІι'), ('oh', '0OoОο1IiLlІ'), ('ell', '1IiLl2Zz5Ss8Bbß'), ('i l', '1IiLl'), ('all', '0Oo1IiLl'), ('crockford', 'oOiIlLuUzZ2'),
			('z5b', '2zZ5sS8bBВΖ'), ('two cases', 'aAbBoO0АаοΟ'), ('small', 'aAbBcСсOoО0'), ('signs', 'A-b_.+-–'), ('dash', '-_.–−')) r (ring, inputs),
		regexp_split_to_table(inputs, '') WITH ORDINALITY AS t (typed, n)
	GROUP BY 1 ORDER BY 1;
-- Marks that are characters of the alphabet are those, also as they are
-- typed by programs that curl them; others are dropped.
SELECT pg_temp.create_ring('marks', 2, '"*/'), pg_temp.create_ring('more marks', 1, '''`=|({');
SELECT * FROM pg_temp.typed('marks', '"*', '“*', '*”', '//', '/⁄', '«*', '/*''', '''/*', '`"*`', '"', '(/")', '/');
SELECT count(*), count(*) FILTER (WHERE coderring_normalize('marks', c) = c) FROM coderring_get_codes('marks', 1000) c;
SELECT count(*), count(*) FILTER (WHERE coderring_normalize('more marks', c) = c) FROM coderring_get_codes('more marks', 1000) c;
SELECT * FROM pg_temp.typed('more marks', '’', '=', '==', '"="', '«=»', '"“="', '*(*');
-- A dash that is a character of the alphabet separates nothing, another does.
SELECT * FROM pg_temp.typed('signs', 'A-', '-A', '--', 'A –', '_.', ' . ');
SELECT count(*) FROM coderring_get_codes('signs', 40);
SELECT * FROM pg_temp.typed('signs', 'A-', '-A', '--', 'A', 'b–', '– b', 'a a');
SELECT count(*), count(*) FILTER (WHERE coderring_normalize('dash', c) = c) FROM coderring_get_codes('dash', 300) c;
SELECT count(*), count(*) FILTER (WHERE coderring_normalize('two cases', c) = c) FROM coderring_get_codes('two cases', 3000) c;
--
-- Extras: exactly first, then without case and separators, and only those
-- that were used. Two that may be meant are none.
--
SELECT pg_temp.create_ring('e', 1);
SELECT count(coderring_get_code('e', x)) FROM generate_series(1, 32), unnest(ARRAY['ab', 'AB', 'A-B', 'once', 'Two Words ', 'q_', 'Q', '-', 'VIP', 'vi', 'é', 'Ж', 'ß', 'x', 'W']) x;
SELECT * FROM pg_temp.typed('e', '7', ' 7', 'x7', 'X7');
-- A code that is out goes before one that may come.
SELECT count(*) FROM coderring_get_codes('e', 64);
SELECT * FROM pg_temp.typed('e', '7', ' 7', 'x7', 'X7', 'X-7');
SELECT * FROM pg_temp.typed('e', 'ab7', 'AB7', 'A-B7', 'Ab7', 'aB 7', 'a-b7', 'ab-7', 'ab 7', ' AB7', 'AB7 ', 'A-B 7', 'ab7-', 'ONCE7', 'o n c e 7', 'once-7', 'two-words-7', 'TWOWORDS7', 'Two Words 7');
SELECT * FROM pg_temp.typed('e', 'q7', 'Q7', 'q_7', 'q-7', '-7', '7', ' 7', '–7', 'vip7', 'vi7', 'vi p7', 'vipp7', 'unknown7', 'on7');
SELECT * FROM pg_temp.typed('e', 'W7', 'w7', 'w-7', 'é7', ' é 7 ', 'Ж-7', 'ß7', 'ss7');
--
-- Extras with such marks are found as they were given, and without what is at their
-- beginning; slashes in them are as dashes.
SELECT pg_temp.create_ring('x', 1);
SELECT count(coderring_get_code('x', e)) FROM generate_series(1, 32), unnest(ARRAY['*', 'INV/26/', '“q”', 'A*', '=z']) e;
SELECT * FROM pg_temp.typed('x', '*7', 'inv/26/7', 'inv-26-7', 'INV267', '“inv/26/7”', '“q”7', '“Q”7', 'A*7', 'a*7', 'a7', '=z7', 'z7', '="z7"', '7');
--
-- Check characters: a wrong one is no code; what is left out is not made up.
--
SELECT pg_temp.create_ring('c', 2, check_character => true);
CREATE TEMP TABLE c AS SELECT e AS extra, coderring_get_code('c', e) AS code FROM generate_series(1, 1100), unnest(ARRAY['', 'K', 'xy-']) e;
SELECT count(*), count(*) FILTER (WHERE coderring_normalize('c', code) = code), count(*) FILTER (WHERE coderring_normalize('c', lower(code)) = code),
	count(*) FILTER (WHERE coderring_normalize('c', upper(code)) = code),
	count(*) FILTER (WHERE coderring_normalize('c', left(code, -1)) IS NOT DISTINCT FROM code), count(*) FILTER (WHERE coderring_normalize('c', code || right(code, 1)) = code)
	FROM c;
SELECT count(*), count(coderring_normalize('c', left(code, -1) || letter)) AS meant
	FROM c, coderring_alphabet('default') a, regexp_split_to_table(a, '') letter WHERE letter <> right(code, 1);
--
-- Every code that is out means itself, as do what people make of it: in lower
-- case, and with a dash at any one place.
--
SELECT pg_temp.create_ring('p', 1), pg_temp.create_ring('f', 3, '0123456789'), pg_temp.create_ring('b', 2, 'OI'), pg_temp.create_ring('u', 2, coderring_alphabet('base58'), true),
	pg_temp.create_ring('url', 1, coderring_alphabet('base64url'), true);
CREATE TEMP TABLE handed AS
	SELECT ring, extra, coderring_get_codes(ring, count, extra) AS code
		FROM (VALUES ('p', 80, '{X,XX,W,XW,V}'), ('f', 1500, '{1,11,2,30,O,B,l,S5}'), ('b', 100, '{I,O,OI,II,1,0}'), ('u', 5000, '{X,x,1,11}'), ('url', 200, '{-,A,a,a_,_a}')) r (ring, count, extras),
			unnest(extras::text[] || '{"",2026-,"Year 26/",é}') extra, generate_series(1, 2);
SELECT ring, count(*), count(*) FILTER (WHERE coderring_normalize(ring, code) IS DISTINCT FROM code) AS not_itself,
		count(*) FILTER (WHERE ring IN ('p', 'f', 'b') AND coderring_normalize(ring, lower(code)) IS DISTINCT FROM code) AS lower
	FROM handed GROUP BY 1 ORDER BY 1;
-- Letters that stand for digits only where there is no extra of that name
SELECT * FROM pg_temp.typed('f', 'O123', 'o123', 'O-123', 'o 1-23', 'B-123', 'b123', 'L123', 'i123', 'O12E', 'oo12', 's5123', 'S-5-123', 'S123', '5123');
SELECT ring, count(*), count(*) FILTER (WHERE coderring_normalize(ring, typed) IS DISTINCT FROM code) AS not_itself
	FROM (SELECT ring, code, left(code, n) || '-' || substr(code, n + 1) AS typed
			FROM (SELECT * FROM handed WHERE ring IN ('p', 'b', 'f') AND (ring <> 'f' OR hashtext(code) % 20 = 0)) h, generate_series(0, length(code)) n) d
	GROUP BY 1 ORDER BY 1;
-- What is blocked is not meant, unless it was out before.
SELECT coderring_define_blocklist('regress words', '{^7G$,BAD}');
SELECT coderring_create('w', 2, 'regress words');
SELECT count(coderring_get_codes) FROM coderring_get_codes('w', 1023);
SELECT * FROM pg_temp.typed('w', '7g', '7-G', '7H', 'b-ad', 'x7g');
SELECT coderring_set_blocklist('w', NULL);
SELECT * FROM pg_temp.typed('w', '7g', 'x7g');
SELECT count(coderring_drop(name)) FROM coderring.rings;
SELECT coderring_define_blocklist('regress words', NULL);
