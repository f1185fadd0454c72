--
-- The word filter: which codes it leaves, and how many, beside a slow check
-- that looks at each piece of each text
--
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
-- A loop without an end is to fail, not to hang.
SET statement_timeout = '900s';
SELECT coderring_define_blocklist('pairs', '{SS,fu,2-,ABC,Ab}');
SELECT coderring_define_blocklist('edges', '{^SS$,^fu,5$,-2$,^C,^ABC$,^Q,^xyz-TW5}');
SELECT coderring_define_blocklist('bits', '{000,1111,OIL010}');
SELECT coderring_define_blocklist('marks', '{"A-B",...,née,"x y",éA}');
-- The slow check
CREATE FUNCTION pg_temp.folded(text) RETURNS text LANGUAGE sql IMMUTABLE AS
	$$ SELECT translate(upper($1 COLLATE "C"), '01L23456978', 'OIIZEASGGTB') $$;
CREATE TEMP VIEW words AS
	SELECT name AS list, pg_temp.folded(regexp_replace(word, '^\^|\$$', '', 'g')) AS word, max(left(word, 1)) = '^' AS at_begin, max(right(word, 1)) = '$' AS at_end
	FROM coderring.blocklist, unnest(words) word GROUP BY 1, 2;
-- A word counts that does not lie in the extra alone.
CREATE FUNCTION pg_temp.left_of(texts text[], wanted text, extra text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT t FROM (SELECT t, pg_temp.folded(t) AS f FROM unnest(texts) t OFFSET 0) x,
		(SELECT jsonb_object_agg(word, jsonb_build_array(at_begin, at_end)) AS known FROM words WHERE list = wanted OFFSET 0) w
		WHERE NOT EXISTS (SELECT FROM generate_series(1, length(f)) place, generate_series(1, length(f) - place + 1) size
			WHERE known ? substr(f, place, size) AND place + size - 1 > length(extra)
				AND (place = 1 OR NOT (known -> substr(f, place, size) ->> 0)::bool)
				AND (place + size - 1 = length(f) OR NOT (known -> substr(f, place, size) ->> 1)::bool))
$$;
-- All texts of so many characters behind a prefix
CREATE FUNCTION pg_temp.texts(prefix text, alphabet text, base_length int) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	result text[] := ARRAY[prefix];
BEGIN
	FOR i IN 1..base_length LOOP
		result := array(SELECT t || c FROM unnest(result) t, unnest(string_to_array(alphabet, NULL)) c);
	END LOOP;
	RETURN result;
END $$;
-- What a ring hands out in a cycle, beside what the slow check leaves of all
-- texts: those of a ring without a filter, where they have a check character.
CREATE TEMP TABLE cases (n int GENERATED ALWAYS AS IDENTITY, list text, base_length int, extra text DEFAULT '', cycle bigint DEFAULT 0,
	prefix text DEFAULT '', alphabet text DEFAULT coderring_alphabet('default'), checked boolean DEFAULT false);
CREATE TEMP TABLE expected (code text COLLATE "C");
CREATE TEMP TABLE got (code text COLLATE "C");
CREATE FUNCTION pg_temp.run() RETURNS TABLE (list text, extra text, prefix text, base_codes int, codes bigint, blocked bigint,
		handed_out bigint, twice bigint, missing bigint, unexpected bigint, goes_on boolean)
	LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	c record;
	texts text[];
	next text;
BEGIN
	FOR c IN SELECT * FROM cases ORDER BY n LOOP
		PERFORM coderring_create('f', c.base_length, c.list, c.alphabet, c.checked, first_cycle => c.cycle);
		IF c.checked THEN
			PERFORM coderring_create('plain', c.base_length, NULL, c.alphabet, true, first_cycle => c.cycle);
			texts := array(SELECT coderring_get_codes('plain', (length(c.alphabet) ^ c.base_length)::int, c.extra));
			PERFORM coderring_drop('plain');
		ELSE
			texts := pg_temp.texts(c.prefix, c.alphabet, c.base_length);
		END IF;
		INSERT INTO expected SELECT code FROM pg_temp.left_of(texts, c.list, c.extra) code;
		INSERT INTO got SELECT coderring_get_code('f', c.extra);
		INSERT INTO got SELECT coderring_get_codes('f', remaining::int, c.extra) FROM coderring.series WHERE ring = 'f';
		codes := (SELECT codes_per_cycle FROM coderring.series WHERE ring = 'f' AND cycle = c.cycle AND remaining = 0 AND percent = 100);
		next := coderring_get_code('f', c.extra);
		list := c.list;
		extra := c.extra;
		prefix := c.prefix;
		base_codes := cardinality(texts);
		blocked := base_codes - codes;
		handed_out := (SELECT count(*) FROM got);
		twice := handed_out - (SELECT count(DISTINCT code) FROM got);
		missing := (SELECT count(*) FROM (TABLE expected EXCEPT TABLE got) m);
		unexpected := (SELECT count(*) FROM (TABLE got EXCEPT TABLE expected) u);
		-- the next code is of a later cycle, and the first one of it
		goes_on := next LIKE c.extra || '%' AND next IN (SELECT code FROM pg_temp.left_of(ARRAY[next], c.list, c.extra) code)
			AND next NOT IN (SELECT code FROM got)
			AND (SELECT cycle > c.cycle AND codes_per_cycle - remaining = 1 FROM coderring.series WHERE ring = 'f');
		RETURN NEXT;
		PERFORM coderring_drop('f');
		TRUNCATE expected, got;
	END LOOP;
	TRUNCATE cases;
END $$;
\pset tuples_only off
--
-- Whole cycles of small rings: exactly what is not blocked, each once
--
-- The default alphabet, with the lists that are built in; the next cycle,
-- behind X
INSERT INTO cases (list, base_length, cycle, prefix)
	SELECT list, length, cycle, prefix FROM (VALUES ('english'), ('international')) l (list),
		(VALUES (0, ''), (1, 'X')) c (cycle, prefix), generate_series(1, 3) length
		WHERE cycle = 0 OR length < 3 OR list = 'english' ORDER BY 1, 3, 2;
SELECT * FROM pg_temp.run();
-- Codes of two characters, which words that are anchored at both ends can block:
-- of extra or uniquizer and one more, or of one and its check character
INSERT INTO cases (list, base_length, extra, cycle, prefix)
	SELECT list, 1, extra, cycle, prefix FROM (VALUES ('english'), ('international'), ('pairs'), ('edges')) l (list),
		(VALUES (1, '', 28, 'R'), (2, '', 29, 'S'), (3, '', 6, '5'), (4, '', 16, 'F'), (5, 'S', 0, 'S'), (6, 'f', 0, 'f'), (7, 'z', 0, 'z'))
			c (n, extra, cycle, prefix) ORDER BY l, n;
INSERT INTO cases (list, base_length, checked) VALUES ('english', 1, true), ('international', 1, true), ('pairs', 1, true), ('edges', 1, true), ('edges', 2, true);
SELECT * FROM pg_temp.run();
-- Words across the boundaries of extra, uniquizer and base code
INSERT INTO cases (list, base_length, extra, cycle, prefix)
	SELECT list, length, extra, cycle, prefix FROM (VALUES ('english'), ('international'), ('pairs'), ('edges')) l (list), generate_series(1, 2) length,
		(VALUES (1, '26', 0, '26'), (2, 'SH', 0, 'SH'), (3, '5h', 0, '5h'), (4, 'fu', 0, 'fu'), (5, 'F', 31, 'FU'), (6, 'né', 0, 'né'),
			(7, 'xyz-T', 2, 'xyz-TW'), (8, 'oran', 0, 'oran'), (9, '', 34, 'WW'), (10, '', 35, 'W2'), (11, 'SS', 0, 'SS'),
			(12, 'GLASS-', 0, 'GLASS-'), (13, 'ASS', 1, 'ASSX'), (14, '260422', 0, '260422'), (15, 'C1-', 0, 'C1-'), (16, 'pussies', 0, 'pussies'),
			(17, 'ABC', 0, 'ABC'))
			c (n, extra, cycle, prefix) ORDER BY 1, n, 2;
INSERT INTO cases (list, base_length, extra, prefix) VALUES ('english', 3, 'SH', 'SH');
SELECT * FROM pg_temp.run();
-- With a check character: words that it completes too
INSERT INTO cases (list, base_length, extra, cycle, prefix, checked)
	SELECT list, length, extra, cycle, prefix, true FROM (VALUES ('english'), ('international')) l (list), generate_series(2, 3) length,
		(VALUES (1, '', 0, ''), (2, '', 1, 'X'), (3, 'SH', 0, 'SH'), (4, 'ä', 3, 'ä2')) c (n, extra, cycle, prefix)
		WHERE n < 2 OR length = 2 ORDER BY 1, n, 2;
SELECT * FROM pg_temp.run();
-- Alphabets of two characters, of digits, of lower case, of 64
INSERT INTO cases (list, base_length, extra, cycle, prefix, alphabet) VALUES
	('bits', 10, '', 0, '', '01'),
	('bits', 10, '', 1, '1', '01'),
	('bits', 9, '0-', 0, '0-', '01'),
	('bits', 6, '00', 2, '0010', '01'),
	('english', 8, '', 0, '', 'TI'),
	('english', 8, '', 2, 'I', 'TI'),
	('english', 3, '', 0, '', '0123456789'),
	('english', 3, '', 0, '', 'ABCDEFGHIJ'),
	('english', 3, '', 4, '4', '0123456789'),
	('international', 3, '4', 0, '4', '0123456789'),
	('english', 2, 's', 20, 'st', coderring_alphabet('lower')),
	('english', 2, '', 0, '', coderring_alphabet('base64url')),
	('international', 2, 'c', 0, 'c', coderring_alphabet('base64url'));
INSERT INTO cases (list, base_length, alphabet, checked) VALUES
	('bits', 9, '01', true),
	('english', 3, '0123456789', true),
	('international', 2, coderring_alphabet('base64url'), true);
SELECT * FROM pg_temp.run();
-- Words with punctuation, blanks and bytes outside ASCII, which equal only
-- themselves: the base code completes them, behind an extra or in it.
INSERT INTO cases (list, base_length, extra, prefix, alphabet) VALUES
	('marks', 4, '', '', 'AB-.'),
	('marks', 2, 'xA-', 'xA-', 'AB-.'),
	('marks', 2, '4', '4', 'AB-.'),
	('marks', 1, 'x ', 'x ', 'XYZ'),
	('marks', 2, 'né', 'né', 'ABE'),
	('marks', 2, '-é', '-é', 'ABE'),
	('marks', 2, 'NÉ', 'NÉ', 'ABE');
SELECT * FROM pg_temp.run();
--
-- Counts of longer codes, which are too many to be looked at: pinned, and
-- worked out elsewhere by other means
--
SELECT coderring_create(list || n, n, list), coderring_get_code(list || n) <> ''
	FROM unnest(ARRAY['english', 'international']) list, unnest(ARRAY[4, 5, 6, 8, 12]) n;
SELECT s.ring, (32 ^ base_length::numeric)::bigint AS base_codes, codes_per_cycle, (32 ^ base_length::numeric)::bigint - codes_per_cycle AS blocked, remaining
	FROM coderring.series s JOIN coderring.rings r ON r.name = s.ring ORDER BY blocklist, base_length;
SELECT count(coderring_drop(name)) FROM coderring.rings;
-- Uniquizers of one length before base codes are all texts of one length, so
-- the codes before the next longer ones are as many as those of a longer ring.
SELECT coderring_create('u' || n || c, n, 'english', first_cycle => c), coderring_get_code('u' || n || c) <> ''
	FROM (VALUES (1, 1), (2, 1), (1, 33), (3, 1), (2, 33), (1, 1057)) v (n, c);
SELECT ring, code_length, codes_until_longer + 1 AS codes FROM coderring.series ORDER BY code_length, ring;
SELECT count(coderring_drop(name)) FROM coderring.rings;
\pset tuples_only on
--
-- The views, code by code: remaining goes down by one with each, percent
-- with it, cycle_offset lies behind the code and not beyond the next one,
-- codes_until_longer says how many come before a longer one does.
--
CREATE FUNCTION pg_temp.watch(ring text, extra text, lengths int)
	RETURNS TABLE (code_length int, cycles bigint, codes int, unlike text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	before record;
	after record;
	code text;
	counted bigint := 0;
	decoded record;
	problems text := '';
	cycles_seen bigint[] := '{}';
BEGIN
	code := coderring_get_code(ring, extra);
	SELECT * INTO before FROM coderring.series s WHERE s.ring = watch.ring AND s.extra = watch.extra;
	code_length := length(code);
	codes := 1;
	cycles_seen := ARRAY[before.cycle];
	counted := 1;
	LOOP
		IF before.code_length <> code_length OR before.remaining <> before.codes_per_cycle - counted
			OR before.percent <> trunc(100.0 * counted / before.codes_per_cycle, 2)
		THEN
			problems := problems || format(' %s: %s', code, before);
		END IF;
		code := coderring_get_code(ring, extra);
		SELECT * INTO after FROM coderring.series s WHERE s.ring = watch.ring AND s.extra = watch.extra;
		SELECT * INTO decoded FROM coderring_decode(ring, code);
		IF (before.remaining = 0) <> (after.cycle > before.cycle) OR (before.codes_until_longer = 0) <> (length(code) > code_length)
			OR decoded.cycle <> after.cycle OR decoded.cycle_offset >= after.cycle_offset
			OR (after.cycle = before.cycle AND (decoded.cycle_offset < before.cycle_offset OR after.codes_per_cycle <> before.codes_per_cycle))
			OR (length(code) = code_length AND after.codes_until_longer <> before.codes_until_longer - 1)
		THEN
			problems := problems || format(' %s: %s, then %s', code, before, after);
		END IF;
		IF length(code) > code_length THEN
			cycles := cardinality(cycles_seen);
			unlike := problems;
			RETURN NEXT;
			lengths := lengths - 1;
			EXIT WHEN lengths = 0;
			code_length := length(code);
			codes := 0;
			cycles_seen := '{}';
		END IF;
		counted := CASE WHEN after.cycle = before.cycle THEN counted + 1 ELSE 1 END;
		codes := codes + 1;
		IF after.cycle <> ALL (cycles_seen) THEN
			cycles_seen := cycles_seen || after.cycle;
		END IF;
		before := after;
	END LOOP;
END $$;
SELECT coderring_define_blocklist('few', '{ASS,BAB,^SS$,"^-A$"}'), coderring_define_blocklist('marked', '{SS,^A,B$,"-A"}');
SELECT coderring_create('two', 4, 'bits', '01');
SELECT * FROM pg_temp.watch('two', '', 4);
SELECT * FROM pg_temp.watch('two', '00', 3);
SELECT coderring_create('three', 2, 'few', 'ABS');
SELECT * FROM pg_temp.watch('three', '', 4);
SELECT * FROM pg_temp.watch('three', '-', 3);
SELECT * FROM pg_temp.watch('three', 'a', 3);
SELECT coderring_create('one', 1, 'few', 'AB5');
SELECT * FROM pg_temp.watch('one', '', 4);
SELECT * FROM pg_temp.watch('one', 'S', 3);
SELECT coderring_create('marked', 2, 'marked', 'ABS');
SELECT * FROM pg_temp.watch('marked', '', 4);
SELECT * FROM pg_temp.watch('marked', '-', 3);
SELECT * FROM pg_temp.watch('marked', 'ass', 3);
SELECT coderring_create('checked', 2, 'few', 'AB5', true);
SELECT * FROM pg_temp.watch('checked', '', 4);
SELECT * FROM pg_temp.watch('checked', 'b', 3);
-- Through two cycles of a ring with blocks of several codes
SELECT coderring_create('blocks', 2, 'english'), coderring_reset('blocks', 31);
SELECT * FROM pg_temp.watch('blocks', '26', 1);
-- By get_codes, with the rest of a cycle left over and after advance, the
-- rest of the cycle is what remaining says.
CREATE FUNCTION pg_temp.rest(ring text, extra text DEFAULT '') RETURNS TABLE (cycle bigint, codes_per_cycle bigint, as_said boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	before record;
	codes text[];
BEGIN
	SELECT * INTO before FROM coderring.series s WHERE s.ring = rest.ring AND s.extra = rest.extra;
	codes := array(SELECT coderring_get_codes(ring, before.remaining::int, extra));
	cycle := before.cycle;
	codes_per_cycle := before.codes_per_cycle;
	-- all of this cycle, and the next one of another
	as_said := (SELECT count(DISTINCT c) = before.remaining AND bool_and(d.cycle = before.cycle AND d.cycle_offset >= before.cycle_offset)
			FROM unnest(codes) c, coderring_decode(ring, c) d)
		AND (SELECT d.cycle > before.cycle FROM coderring_get_code(ring, extra) c, coderring_decode(ring, c) d);
	RETURN NEXT;
END $$;
SELECT coderring_create('r', 3, 'english'), coderring_reset('r', test_seed => 'rest');
SELECT count(DISTINCT c) FROM coderring_get_codes('r', 12345) c;
SELECT * FROM pg_temp.rest('r');
SELECT count(coderring_get_code('r', bump => true)) FROM generate_series(1, 3);
SELECT count(DISTINCT c) FROM coderring_get_codes('r', 1000) c;
SELECT * FROM pg_temp.rest('r');
SELECT coderring_advance('r', '', 20), coderring_advance('r', 'SH', 6);
SELECT extra, cycle, codes_per_cycle, remaining, percent FROM coderring.series WHERE ring = 'r' ORDER BY extra COLLATE "C";
SELECT length(coderring_get_code('r')), length(coderring_get_code('r', 'SH'));
SELECT * FROM pg_temp.rest('r');
SELECT * FROM pg_temp.rest('r', 'SH');
-- advance into the middle of a cycle passes over codes, which then count as
-- handed out, and not over blocked ones
SELECT coderring_reset('r', test_seed => 'rest');
SELECT count(coderring_get_code('r')) FROM generate_series(1, 10);
SELECT coderring_advance('r', '', 0, 12), coderring_advance('r', 'SH', 0, 1), coderring_advance('r', '-', 2, 9999);
SELECT extra, cycle, cycle_offset, codes_per_cycle, remaining, percent FROM coderring.series WHERE ring = 'r' ORDER BY extra COLLATE "C";
SELECT * FROM pg_temp.rest('r', '-');
SELECT coderring_advance('r', '', 0, 30000);
SELECT remaining, percent FROM coderring.series WHERE ring = 'r' AND extra = '';
SELECT * FROM pg_temp.rest('r');
SELECT * FROM pg_temp.rest('r', 'SH');
-- Then bump ends that cycle too, also if it is one code that was passed over.
SELECT coderring_advance('r', 'SH', 3, 1), left(coderring_get_code('r', 'SH', true), -3);
SELECT coderring_advance('r', '', 12, 1);
SELECT cycle, codes_per_cycle - remaining FROM coderring.series WHERE ring = 'r' AND extra = '';
SELECT left(coderring_get_code('r', '', true), -3);
SELECT coderring_reset('r');
-- Far from both ends of a large cycle, what was passed over is estimated; near
-- one it is exact.
SELECT coderring_create('large', 5, 'english'), coderring_reset('large', test_seed => 'rest'), coderring_advance('large', '', 0, (32 ^ 5 / 2)::bigint);
SELECT remaining - codes_per_cycle / 2 AS from_half FROM coderring.series WHERE ring = 'large';
SELECT count(DISTINCT c) FROM coderring_get_codes('large', 1000) c;
SELECT remaining - codes_per_cycle / 2 AS from_half FROM coderring.series WHERE ring = 'large';
SELECT coderring_advance('large', '', 0, (32 ^ 5 - 30000)::bigint);
SELECT * FROM pg_temp.rest('large');
SELECT coderring_drop('large');
-- bump, on a series of which nothing is out, on one at the end of a cycle, and
-- twice
SELECT left(coderring_get_code('r', '-', true), -3), left(coderring_get_code('r', '-', true), -3), left(coderring_get_code('r', '-', true), -3);
SELECT remaining - 1 AS n FROM coderring.series WHERE ring = 'r' AND extra = '-' \gset
SELECT count(*) FROM coderring_get_codes('r', :n + 1, '-') c;
SELECT extra, cycle, remaining, percent FROM coderring.series WHERE ring = 'r' AND extra = '-';
SELECT left(coderring_get_code('r', '-', true), -3);
SELECT count(coderring_drop(name)) FROM coderring.rings;
--
-- Extras: one that holds a word is the caller's own affair. What the ring writes
-- behind it completes none, and none of the words that begin in it.
--
CREATE TEMP VIEW state AS
	SELECT 'series' AS kind, s::text AS row FROM coderring.series_state s WHERE incarnation IN (SELECT incarnation FROM coderring.ring)
	UNION ALL SELECT 'view', s::text FROM coderring.series s
	UNION ALL SELECT 'skipped', s::text FROM coderring.skipped_positions s;
CREATE FUNCTION pg_temp.fails(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE query;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n    ', SQLSTATE || ': ' || message, NULLIF(detail, ''), NULLIF(hint, ''));
END $$;
SELECT coderring_create('x', 2, 'english');
SELECT left(coderring_get_code('x', e), -2) FROM unnest(ARRAY['26', 'ASS', 'xx-4s5', 'ShitQ', 'AS', 'ss', 'A-SS', 'SHI', 'ÄSS', 'fu', 'ESSEX-']) e;
SELECT coderring_advance('x', '5EX', 1, 7), left(coderring_get_code('x', '5EX'), 4), coderring_advance('x', 'xfuckx', 1), left(coderring_get_code('x', 'xfuckx'), 7);
SELECT count(*), count(DISTINCT c), bool_and(coderring_issued('x', c)), bool_and(coderring_normalize('x', lower(c)) IS NOT DISTINCT FROM c) FROM coderring_get_codes('x', 1000, 'GLASS-') c;
SELECT d.extra, d.cycle, count(*) FROM pg_temp.texts('ASS', coderring_alphabet('default'), 2) t, unnest(t) c, coderring_decode('x', c) d
	WHERE c NOT IN (SELECT pg_temp.left_of(t, 'english', 'ASS')) AND d.issued GROUP BY 1, 2;
-- No day, and no customer, has no codes.
SELECT count(coderring_get_code('x', to_char(d, 'YYMMDD'))) FROM generate_series(timestamp '2026-01-01', '2026-12-31', '1 day') d;
SELECT count(coderring_get_code('x', 'C' || g || '-')) FROM generate_series(1, 10000) g;
-- A list given to a ring in use stops nobody.
SELECT coderring_create('tenants', 2);
SELECT count(coderring_get_code('tenants', e)) FROM unnest('{GLASS-,NIGHT-,TITLE-}'::text[]) e;
SELECT coderring_set_blocklist('tenants', 'english');
SELECT count(coderring_get_code('tenants', e)) FROM unnest('{GLASS-,NIGHT-,TITLE-}'::text[]) e, generate_series(1, 2000);
CREATE TEMP TABLE state_before AS SELECT * FROM state;
--
-- A uniquizer that completes a word: the cycle is skipped, and recorded.
--
CREATE TEMP VIEW skipped AS
	SELECT s.extra, first_position, last_position FROM coderring.skipped_positions s JOIN coderring.ring r USING (incarnation)
		WHERE r.name = 'skip' ORDER BY extra, first_position;
SELECT coderring_create('skip', 1, 'english'), coderring_reset('skip', test_seed => 'skip');
CREATE TEMP TABLE codes (code text COLLATE "C");
INSERT INTO codes SELECT coderring_get_codes('skip', 33 * 32, 'As');
SELECT cycle, uniquizer, codes_per_cycle FROM coderring.series WHERE ring = 'skip';
SELECT * FROM skipped;
SELECT string_agg(DISTINCT substr(code, 3, 1), '' ORDER BY substr(code, 3, 1)) FROM codes WHERE length(code) = 4;
SELECT count(*) FROM codes WHERE pg_temp.folded(code) LIKE '%ASS%';
-- bump and advance do not come to rest in such a cycle.
SELECT left(coderring_get_code('skip', 'aS'), -1), coderring_advance('skip', 'aS', 5), left(coderring_get_code('skip', 'aS'), -1);
SELECT left(coderring_get_code('skip', 'aS', true), -1);
SELECT coderring_advance('skip', 'aS', 29, 3);
SELECT cycle, cycle_offset FROM coderring.series WHERE ring = 'skip' AND extra = 'aS';
SELECT left(coderring_get_code('skip', 'aS'), -1);
SELECT * FROM skipped WHERE extra = 'aS';
SELECT coderring_drop('skip');
-- Also where such a cycle would be a ring's first one
SELECT coderring_create('skip', 2, 'english', first_cycle => 11165);
SELECT left(coderring_get_code('skip'), -2);
SELECT * FROM skipped;
SELECT coderring_drop('skip'), coderring_create('skip', 2, first_cycle => 11165), left(coderring_get_code('skip'), -2);
SELECT coderring_set_blocklist('skip', 'english');
SELECT left(coderring_get_code('skip'), -2);
SELECT coderring_drop('skip');
--
-- Look-alikes and case: what each character equals, between others that are
-- the same
--
SELECT coderring_define_blocklist('look', '{Q0Q}');
SELECT coderring_create('look', 1, 'look', 'Q-');
CREATE TEMP TABLE characters AS SELECT * FROM unnest(string_to_array('0OoDQ1IiLl|!2Zz3Ee4Aa@5Ss$69Gg7Tt8BbCcUuVvWwMnéÉ-_', NULL)) WITH ORDINALITY AS x (c, n);
CREATE TEMP TABLE equal (c text, others text);
CREATE PROCEDURE pg_temp.compare() LANGUAGE plpgsql AS $$
DECLARE
	one text;
BEGIN
	FOR one IN SELECT c FROM characters LOOP
		PERFORM coderring_define_blocklist('look', ARRAY['Q' || one || 'Q']), coderring_reset('look');
		COMMIT;
		INSERT INTO equal SELECT one, string_agg(c, '' ORDER BY n) FROM characters
			WHERE NOT EXISTS (SELECT FROM coderring_get_codes('look', 2, 'q' || c) code WHERE code = 'q' || c || 'Q');
	END LOOP;
END $$;
CALL pg_temp.compare();
SELECT equal.* FROM equal JOIN characters USING (c) ORDER BY n;
SELECT coderring_drop('look'), coderring_drop('x');
--
-- Lists that block much: a cycle must keep one code in 64. Below, it is an
-- error to create such a ring, to give a ring the list, and to give the list
-- the words; and nothing has changed.
--
CREATE FUNCTION pg_temp.all_but(leave int, length int, alphabet text) RETURNS text[] LANGUAGE sql AS $$
	SELECT array(SELECT t FROM unnest(pg_temp.texts('', alphabet, length)) t ORDER BY t COLLATE "C" DESC OFFSET leave)
$$;
CREATE TEMP VIEW definitions AS
	SELECT 'ring' AS kind, r::text AS row FROM coderring.ring r UNION ALL SELECT 'list', b::text FROM coderring.blocklist b
	UNION ALL SELECT * FROM state;
CREATE FUNCTION pg_temp.limits(alphabet text, base_length int, leave int, checked boolean DEFAULT false)
	RETURNS TABLE (base_codes bigint, fits bigint, too_few text) LANGUAGE plpgsql AS $$
DECLARE
	size int := base_length + checked::int;
	words text[] := pg_temp.all_but(leave, base_length, alphabet);
BEGIN
	base_codes := length(alphabet) ^ base_length;
	IF checked THEN
		-- all codes of a ring with a check character but some
		PERFORM coderring_create('plain', base_length, NULL, alphabet, true);
		words := array(SELECT coderring_get_codes('plain', base_codes::int) OFFSET leave);
		PERFORM coderring_drop('plain');
	END IF;
	PERFORM coderring_define_blocklist('much', words), coderring_create('full', base_length, 'much', alphabet, checked);
	fits := (SELECT count(DISTINCT c) FROM coderring_get_codes('full', leave) c);
	PERFORM coderring_create('other', base_length, NULL, alphabet, checked), coderring_get_code('other');
	words := words || (SELECT array_agg(c) FROM unnest(pg_temp.texts('', alphabet, size)) c WHERE c <> ALL (words) AND
		CASE WHEN checked THEN coderring_is_valid(alphabet, c) ELSE true END);
	PERFORM coderring_define_blocklist('more', words[:cardinality(words) - leave + 1]);
	CREATE TEMP TABLE definitions_before ON COMMIT DROP AS SELECT * FROM definitions;
	too_few := concat_ws(' ',
		pg_temp.fails(format($q$SELECT coderring_create('new', %s, 'more', %L, %L)$q$, base_length, alphabet, checked)),
		substr(pg_temp.fails($q$SELECT coderring_set_blocklist('other', 'more')$q$), 1, 5),
		substr(pg_temp.fails($q$SELECT coderring_set_blocklist('full', 'more')$q$), 1, 5),
		substr(pg_temp.fails($q$SELECT coderring_define_blocklist('much', words) FROM coderring.blocklist WHERE name = 'more'$q$), 1, 5),
		CASE WHEN EXISTS (TABLE definitions EXCEPT TABLE definitions_before) OR EXISTS (TABLE definitions_before EXCEPT TABLE definitions)
			THEN 'changed' ELSE 'unchanged' END);
	DROP TABLE definitions_before;
	RETURN NEXT;
	PERFORM coderring_drop('full'), coderring_drop('other'), coderring_define_blocklist('much', NULL), coderring_define_blocklist('more', NULL);
END $$;
SET client_min_messages = warning;
SELECT * FROM pg_temp.limits('01', 6, 1);
SELECT * FROM pg_temp.limits('01', 7, 2);
SELECT * FROM pg_temp.limits('01', 7, 2, true);
SELECT * FROM pg_temp.limits('012345678', 2, 1);
SELECT * FROM pg_temp.limits('012345678', 3, 11);
SELECT * FROM pg_temp.limits('0123456', 3, 5, true);
RESET client_min_messages;
-- Where all that could come is blocked there is an error, each time, and no
-- search without an end; what was not blocked has come before.
SELECT coderring_define_blocklist('wall', pg_temp.all_but(0, 7, 'AC'));
SELECT coderring_create('w', 6, 'wall', 'AC'), coderring_reset('w', test_seed => 'wall');
SELECT count(DISTINCT c) FROM coderring_get_codes('w', 64) c;
SELECT cycle, remaining, percent, codes_until_longer FROM coderring.series WHERE ring = 'w';
TRUNCATE state_before;
INSERT INTO state_before SELECT * FROM state;
SELECT pg_temp.fails(query) FROM unnest(ARRAY[
	$$SELECT coderring_get_code('w')$$,
	$$SELECT coderring_get_code('w', '', true)$$,
	$$SELECT coderring_get_codes('w', 3)$$,
	$$SELECT coderring_advance('w', '', 1, 1)$$,
	$$SELECT coderring_get_code('w', 'C')$$]) query;
SELECT * FROM state EXCEPT TABLE state_before;
SELECT * FROM state_before EXCEPT SELECT * FROM state;
-- The extra is no part of those words: it has codes.
SELECT count(DISTINCT c) FROM coderring_get_codes('w', 64, '-') c;
-- With other words it goes on in the next cycle.
SELECT coderring_define_blocklist('wall', '{AAAAAAA}');
SELECT codes_per_cycle, remaining, codes_until_longer FROM coderring.series WHERE ring = 'w' AND extra = '';
SELECT left(coderring_get_code('w'), 1);
SELECT * FROM pg_temp.rest('w');
-- Behind an extra that leaves too few codes with any uniquizer
SELECT coderring_define_blocklist('wall', array(SELECT 'Q' || t FROM unnest(pg_temp.texts('', 'AC', 3)) t ORDER BY t OFFSET 1));
SELECT coderring_create('q', 8, 'wall', 'AC'), length(coderring_get_code('q'));
SELECT left(coderring_get_code('q', 'Q'), -8);
SELECT cycle, codes_per_cycle, codes_until_longer FROM coderring.series WHERE ring = 'q' AND extra = 'Q';
SELECT left(coderring_get_code('q', 'Q', true), -8);
SELECT cycle, codes_per_cycle, codes_until_longer FROM coderring.series WHERE ring = 'q' AND extra = 'Q';
SELECT coderring_define_blocklist('wall', array(SELECT 'Q' || t FROM unnest(pg_temp.texts('', 'AC', 3)) t));
SELECT pg_temp.fails($$SELECT coderring_get_code('q', 'Q')$$);
SELECT pg_temp.fails($$SELECT coderring_get_code('q', 'QA')$$);
SELECT left(coderring_get_code('q', 'q-'), 2);
-- Words without which no code could get longer, with any uniquizer or with an extra's
SELECT coderring_define_blocklist('nob', '{^B}');
SELECT coderring_create('ab', 4, 'nob', 'AB');
SELECT coderring_create('short', 4, 'nob', 'AB', max_length => 5), coderring_create('ba', 4, 'nob', 'BA'), coderring_create('xab', 4, 'nob', 'XAB');
SELECT count(*), max(length(c)) FROM coderring_get_codes('ab', 24) c;
SELECT pg_temp.fails($$SELECT coderring_get_code('ab')$$);
SELECT count(DISTINCT c), max(length(c)), bool_or(c LIKE 'B%') FROM coderring_get_codes('ba', 200) c;
SELECT count(DISTINCT c), max(length(c)), bool_or(c LIKE 'B%') FROM coderring_get_codes('xab', 600) c;
SELECT coderring_define_blocklist('notwo', '{^BA,^BB}');
SELECT coderring_create('two', 4, NULL, 'AB');
SELECT coderring_set_blocklist('two', 'notwo');
SELECT coderring_define_blocklist('behind', '{QB}'), coderring_set_blocklist('two', 'behind');
SELECT count(DISTINCT c), max(length(c)) FROM coderring_get_codes('two', 24, 'Q') c;
SELECT cycle, remaining, codes_until_longer FROM coderring.series WHERE ring = 'two';
SELECT pg_temp.fails($$SELECT coderring_get_code('two', 'Q')$$);
SELECT count(coderring_drop(name)) FROM coderring.rings;
SELECT count(coderring_define_blocklist(name, NULL)) FROM coderring.blocklist WHERE NOT builtin;
