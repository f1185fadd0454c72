--
-- Lists of words: who may define, replace and drop them, what is refused, and
-- rings whose words change
--
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
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
CREATE TEMP VIEW lists AS
	SELECT name, words FROM coderring.blocklist WHERE NOT builtin ORDER BY name;
CREATE ROLE regress_coderring_boss;
CREATE ROLE regress_coderring_ann;
CREATE ROLE regress_coderring_bob;
CREATE ROLE regress_coderring_member;
GRANT EXECUTE ON FUNCTION coderring_create, coderring_define_blocklist, coderring_import TO PUBLIC;
GRANT regress_coderring_ann TO regress_coderring_member;
-- What is built in
SELECT name, builtin, cardinality(words) > 500 FROM coderring.blocklist ORDER BY name;
-- Define, replace, drop
SELECT coderring_define_blocklist('one', '{abc,Def,SS}');
SELECT * FROM lists;
SELECT coderring_define_blocklist('one', '{ghi}');
SELECT coderring_define_blocklist('none', '{}');
SELECT coderring_define_blocklist('twice', '{abc,ABC,abc,48c,abcd,xabcx}');
SELECT coderring_define_blocklist('nested', '{{abc,def},{ghi,jkl}}');
SELECT coderring_define_blocklist('Ünïcode', '{ß?,"a b",ÄÄr}');
SELECT coderring_define_blocklist(repeat('n', 63), NULL);
SELECT coderring_define_blocklist(repeat('n', 63), '{abc}');
SELECT * FROM lists;
SELECT coderring_define_blocklist(repeat('n', 63), NULL);
SELECT coderring_define_blocklist('Ünïcode', NULL);
SELECT name FROM lists;
-- Blanks and ends of lines around words are not part of them; anchors are.
SELECT coderring_define_blocklist('file', string_to_array(E'\uFEFFkkk\r\nzzz\r\n\r\n ^ss\t\n x y$ \r\n^7\r\n', E'\n'));
SELECT array_agg(word ORDER BY word COLLATE "C") = '{^7,^ss,kkk,"x y$",zzz}' FROM lists, unnest(words) word WHERE name = 'file';
SELECT coderring_create('file', 3, 'file', 'KS7Z');
SELECT count(*), count(*) FILTER (WHERE c ~ 'KKK|ZZZ|^SS|^7') FROM coderring_get_codes('file', 64 - 16 - 4 - 2) c WHERE length(c) = 3;
SELECT codes_per_cycle, remaining FROM coderring.series WHERE ring = 'file';
SELECT coderring_drop('file'), coderring_define_blocklist('file', NULL);
-- A list without words blocks nothing, words may come more than once.
SELECT coderring_create('none', 1, 'none', 'ABC'), coderring_create('twice', 3, 'twice', 'A4BC'), coderring_create('nested', 3, 'nested', 'ABCDEF');
SELECT count(DISTINCT c) FROM coderring_get_codes('none', 3) c;
SELECT coderring_get_code(ring) <> '' FROM unnest(ARRAY['twice', 'nested']) ring;
SELECT ring, codes_per_cycle FROM coderring.series ORDER BY 1;
-- Several lists: the words of all of them, each list by itself and in any order
SELECT coderring_define_blocklist('ab', '{AB,^CC}'), coderring_define_blocklist('ba', '{BA}'), coderring_define_blocklist('abba', '{BA,^CC,AB,BA}');
SELECT coderring_create('both', 3, ' ab,ba ,ab', 'ABC'), coderring_create('same', 3, 'abba', 'ABC'), coderring_create('other', 3, 'ba, ab', 'ABC');
SELECT name, blocklist FROM coderring.rings WHERE name IN ('both', 'same', 'other') ORDER BY name;
SELECT ring, count(DISTINCT c), count(*) FILTER (WHERE c ~ 'AB|BA|^CC') FROM unnest('{both,same,other}'::text[]) ring, coderring_get_codes(ring, 27 - 10 - 3) c WHERE length(c) = 3 GROUP BY 1 ORDER BY 1;
SELECT count(DISTINCT filter) FROM coderring.series_state JOIN coderring.ring USING (incarnation) WHERE name IN ('both', 'same', 'other');
SELECT coderring_set_blocklist('same', 'english,international , one');
SELECT name, blocklist FROM coderring.rings WHERE name = 'same';
-- a row with many lists passes what is asked of rows that SQL changes, as of those that a dump brings
SELECT count(coderring_define_blocklist(repeat('l', 60) || g, '{QQQ}')) FROM generate_series(1, 4) g;
SELECT coderring_set_blocklist('same', (SELECT string_agg(repeat('l', 60) || g, ',') FROM generate_series(1, 4) g));
UPDATE coderring.ring SET max_length = 40 WHERE name = 'same' RETURNING octet_length(blocklist);
SELECT coderring_set_blocklist('same', NULL);
SELECT count(coderring_define_blocklist(repeat('l', 60) || g, NULL)) FROM generate_series(1, 4) g;
-- words of one of them change
SELECT coderring_define_blocklist('ba', '{CA}');
SELECT codes_per_cycle FROM coderring.series WHERE ring = 'both';
BEGIN;
SELECT coderring_define_blocklist('ba', '{BB}');
SELECT coderring_get_code('both');
ROLLBACK;
-- none of them can be dropped, and with all of them there must be codes left and no more words than fit
SELECT coderring_define_blocklist('ba', NULL);
SELECT coderring_define_blocklist('ba', ARRAY['CA', 'CB', '^A', '^B']);
SELECT coderring_define_blocklist('ba', ARRAY[repeat('Q', 65531)]);
SELECT coderring_set_blocklist('both', 'ab, nothing');
SELECT coderring_define_blocklist('half', (SELECT array_agg(g || repeat('Q', 30)) FROM generate_series(1000, 2200) g)), coderring_define_blocklist('same half', (SELECT array_agg(g || repeat('Q', 30)) FROM generate_series(1000, 2200) g));
SELECT coderring_set_blocklist('same', 'half');
SELECT coderring_get_code('same') <> '';
SELECT coderring_set_blocklist('both', 'half, same half');
SELECT coderring_set_blocklist('same', NULL);
SELECT coderring_define_blocklist('half', NULL), coderring_define_blocklist('same half', NULL);
SELECT coderring_set_blocklist('both', 'ab,,ba');
SELECT coderring_set_blocklist('both', ',');
SELECT coderring_set_blocklist('both', (SELECT string_agg(repeat('x', 60) || g, ',') FROM generate_series(1, 5) g));
SELECT coderring_define_blocklist('a,b', '{abc}');
SELECT coderring_define_blocklist(' a', '{abc}');
SELECT coderring_create('both', 3, 'ba,ab', 'ABC', if_not_exists => true);
-- past the trigger: the ring says which one is gone
BEGIN;
ALTER TABLE coderring.blocklist DISABLE TRIGGER admit_row;
DELETE FROM coderring.blocklist WHERE name = 'ba';
ALTER TABLE coderring.blocklist ENABLE ALWAYS TRIGGER admit_row;
SELECT coderring_get_code('both');
ROLLBACK;
SELECT count(coderring_drop(name)) FROM unnest('{both,same,other}'::text[]) name;
SELECT count(coderring_define_blocklist(name, NULL)) FROM unnest('{ab,ba,abba}'::text[]) name;
-- 65,535 bytes are possible, whatever words they make.
SELECT coderring_define_blocklist('large', ARRAY[repeat('Q', 65535)]), coderring_create('large', 1, 'large', 'QX');
SELECT count(DISTINCT c) FROM coderring_get_codes('large', 2) c;
SELECT coderring_define_blocklist('large', array_agg(lpad(i::text, 5, 'Q'))) FROM generate_series(1, 13107) i;
SELECT count(DISTINCT c) FROM coderring_get_codes('large', 2) c;
SELECT coderring_define_blocklist('large', array_agg('QX'::text)) FROM generate_series(1, 32767);
SELECT string_agg(c, ' ' ORDER BY c COLLATE "C") FROM coderring_get_codes('large', 7) c WHERE length(c) = 2;
--
-- Errors
--
SET ROLE regress_coderring_ann;
SELECT coderring_define_blocklist('ann', '{ann}');
SET ROLE regress_coderring_boss;
SELECT coderring_create('used', 2, 'one');
RESET ROLE;
CREATE TEMP VIEW state AS
	SELECT 'list' AS kind, b::text AS row FROM coderring.blocklist b
	UNION ALL SELECT 'ring', r::text FROM coderring.ring r
	UNION ALL SELECT 'series', s::text FROM coderring.series_state s WHERE incarnation IN (SELECT incarnation FROM coderring.ring)
	UNION ALL SELECT 'view', s::text FROM coderring.series s;
CREATE TEMP TABLE state_before AS SELECT * FROM state;
CREATE TEMP TABLE failures (n int GENERATED ALWAYS AS IDENTITY, query text);
INSERT INTO failures (query) VALUES
	($$SELECT coderring_define_blocklist(NULL, '{abc}')$$),
	($$SELECT coderring_define_blocklist(NULL, NULL)$$),
	($$SELECT coderring_define_blocklist('', '{abc}')$$),
	($$SELECT coderring_define_blocklist(repeat('n', 64), '{abc}')$$),
	($$SELECT coderring_define_blocklist(repeat('ä', 32), NULL)$$),
	($$SELECT coderring_define_blocklist('new', '{abc,NULL}')$$),
	($$SELECT coderring_define_blocklist('new', '{abc,d}')$$),
	($$SELECT coderring_define_blocklist('one', '{abc,d}')$$),
	($$SELECT coderring_define_blocklist('new', '{abc,É}')$$),
	($$SELECT coderring_define_blocklist('new', '{abc," d "}')$$),
	($$SELECT coderring_define_blocklist('new', '{abc,^}')$$),
	($$SELECT coderring_define_blocklist('new', '{abc,$}')$$),
	($$SELECT coderring_define_blocklist('new', '{abc,^$}')$$),
	($$SELECT coderring_define_blocklist('new', '{abc,née,scheiß}')$$),
	($$SELECT coderring_define_blocklist('new', '{abc,née,^fée,forê$}')$$),
	($$SELECT coderring_define_blocklist('new', '{🌀}')$$),
	($$SELECT coderring_define_blocklist('new', ARRAY[repeat('Q', 65536)])$$),
	($$SELECT coderring_define_blocklist('one', array_agg(lpad(i::text, 8, 'Q'))) FROM generate_series(1, 8192) i$$),
	($$SELECT coderring_define_blocklist('new', array_agg('QX'::text)) FROM generate_series(1, 32768)$$),
	($$SELECT coderring_define_blocklist('new', NULL)$$),
	($$SELECT coderring_define_blocklist('ENGLISH', NULL)$$),
	($$SELECT coderring_define_blocklist('english', '{abc}')$$),
	($$SELECT coderring_define_blocklist('international', NULL)$$),
	($$SELECT coderring_define_blocklist('one', NULL)$$),
	($$SELECT coderring_set_blocklist(NULL, 'one')$$),
	($$SELECT coderring_set_blocklist('nothing', 'one')$$),
	($$SELECT coderring_set_blocklist('nothing', NULL)$$),
	($$SELECT coderring_set_blocklist('used', 'nothing')$$),
	($$SELECT coderring_set_blocklist('used', '')$$),
	($$SELECT coderring_set_blocklist('used', 'One')$$),
	($$SELECT coderring_set_blocklist('used', repeat('n', 64))$$),
	($$SELECT coderring_create('new', blocklist => 'nothing')$$),
	($$SELECT coderring_create('new', blocklist => '')$$),
	($$SELECT coderring_create('new', blocklist => repeat('n', 64))$$),
	($$SELECT coderring_define_blocklist('new', '{abc}'), 1 / 0$$),
	($$SELECT coderring_define_blocklist('none', NULL), 1 / 0$$),
	($$SELECT coderring_set_blocklist('used', 'english'), coderring_set_blocklist('used', NULL), 1 / 0$$);
SELECT n || ') ' || query || E'\n' || pg_temp.fails(query) FROM failures ORDER BY n;
BEGIN READ ONLY;
SELECT pg_temp.fails($$SELECT coderring_define_blocklist('new', '{abc}')$$), pg_temp.fails($$SELECT coderring_set_blocklist('used', NULL)$$);
COMMIT;
-- Other people's lists and rings
SET ROLE regress_coderring_bob;
SELECT pg_temp.fails(query) FROM unnest(ARRAY[
	$$SELECT coderring_define_blocklist('ann', '{bob}')$$,
	$$SELECT coderring_define_blocklist('ann', NULL)$$,
	$$SELECT coderring_define_blocklist('one', '{bob}')$$,
	$$SELECT coderring_define_blocklist('english', '{bob}')$$,
	$$SELECT coderring_set_blocklist('used', 'ann')$$,
	$$SELECT coderring_set_blocklist('used', NULL)$$,
	-- What is in the table is for everyone to read, and for nobody to write.
	$$INSERT INTO coderring.blocklist SELECT 'bob', false, 0, '', '{bob}'$$,
	$$UPDATE coderring.blocklist SET words = '{bob}'$$,
	$$UPDATE coderring.blocklist SET owner = 0$$,
	$$DELETE FROM coderring.blocklist$$,
	$$TRUNCATE coderring.blocklist CASCADE$$,
	$$LOCK TABLE coderring.blocklist$$,
	$$SELECT 1 FROM coderring.blocklist FOR UPDATE$$]) query;
SELECT name, cardinality(words) FROM coderring.blocklist WHERE NOT builtin AND name <> 'large' ORDER BY name;
RESET ROLE;
SELECT kind, left(row, 100) FROM (SELECT * FROM state EXCEPT TABLE state_before) s;
SELECT kind, left(row, 100) FROM (TABLE state_before EXCEPT SELECT * FROM state) s;
-- A list of somebody's may be used by anybody. It is changed by its owner,
-- by members and by superusers, and stays the owner's.
SET ROLE regress_coderring_bob;
SELECT coderring_create('bob', 2, 'ann'), coderring_set_blocklist('bob', 'one'), coderring_set_blocklist('bob', 'ann');
SELECT name, owner, blocklist FROM coderring.rings;
SET ROLE regress_coderring_member;
SELECT coderring_define_blocklist('ann', '{ann,member}');
RESET ROLE;
SELECT coderring_define_blocklist('ann', '{ann,member,super}');
SELECT owner::regrole, owner_name, words FROM coderring.blocklist WHERE name = 'ann';
SET ROLE regress_coderring_ann;
SELECT pg_temp.fails($$SELECT coderring_define_blocklist('ann', NULL)$$);
RESET ROLE;
-- Its owner is gone: it does its work, and superusers may change it.
DROP ROLE regress_coderring_ann;
SET ROLE regress_coderring_member;
SELECT pg_temp.fails($$SELECT coderring_define_blocklist('ann', '{ann}')$$);
SET ROLE regress_coderring_bob;
SELECT length(coderring_get_code('bob'));
SELECT count(*) FROM coderring_get_codes('bob', 32 * 31, 'AN') c WHERE c LIKE 'ANN_';
RESET ROLE;
SELECT coderring_define_blocklist('ann', '{bob}');
SELECT name, words FROM lists WHERE name = 'ann';
SET ROLE regress_coderring_bob;
SELECT count(*) FROM coderring_get_codes('bob', 32 * 32, 'AN') c WHERE c LIKE 'ANXN_';
RESET ROLE;
-- Dropped with what used it, in one transaction; and not without
BEGIN;
SELECT coderring_set_blocklist('bob', NULL), coderring_define_blocklist('ann', NULL);
ROLLBACK;
SELECT pg_temp.fails($$SELECT coderring_define_blocklist('ann', NULL)$$);
BEGIN;
SELECT coderring_drop('bob'), coderring_define_blocklist('ann', NULL);
COMMIT;
SELECT pg_temp.fails($$SELECT coderring_define_blocklist('ann', NULL)$$);
REVOKE EXECUTE ON FUNCTION coderring_create, coderring_define_blocklist, coderring_import FROM PUBLIC;
DROP ROLE regress_coderring_bob, regress_coderring_boss, regress_coderring_member;
--
-- coderring.rings and if_not_exists
--
SELECT name, blocklist FROM coderring.rings ORDER BY name;
SELECT coderring_rename('used', 'renamed'), coderring_set_blocklist('renamed', 'english');
SELECT blocklist FROM coderring.rings WHERE name = 'renamed';
SELECT coderring_create('renamed', 2, 'english', if_not_exists => true);
SELECT coderring_create('renamed', 2, if_not_exists => true);
SELECT coderring_create('renamed', 2, 'international', if_not_exists => true);
SELECT coderring_create('renamed', 2, 'nothing', if_not_exists => true);
SELECT coderring_create('renamed', 3, 'one', check_character => true, if_not_exists => true);
SELECT coderring_reset('renamed');
SELECT blocklist FROM coderring.rings WHERE name = 'renamed';
SELECT coderring_set_blocklist('renamed', NULL);
SELECT blocklist IS NULL FROM coderring.rings WHERE name = 'renamed';
SELECT coderring_create('renamed', 2, 'english', if_not_exists => true);
SELECT coderring_create('renamed', 2, if_not_exists => true);
SELECT count(coderring_drop(name)) FROM coderring.rings;
SELECT count(coderring_define_blocklist(name, NULL)) FROM lists;
--
-- No code twice and none lost, whatever becomes of the words: each position
-- of a cycle is handed out once, or was blocked by the words in force when the
-- series passed it. A ring without a filter, whose order is the same, tells
-- what is at which position.
--
CREATE TEMP TABLE base (cycle int, n int, code text COLLATE "C", folded text);
SELECT coderring_create('plain', 3), coderring_reset('plain', test_seed => 'changes');
INSERT INTO base SELECT 0, n - 1, c FROM coderring_get_codes('plain', 32768) WITH ORDINALITY AS x (c, n);
INSERT INTO base SELECT 1, n - 1, c FROM coderring_get_codes('plain', 32768) WITH ORDINALITY AS x (c, n);
SELECT coderring_drop('plain');
UPDATE base SET folded = translate(code, '01L23456978', 'OIIZEASGGTB');
ANALYZE base;
CREATE FUNCTION pg_temp.folded(text) RETURNS text LANGUAGE sql IMMUTABLE AS
	$$ SELECT translate(upper($1 COLLATE "C"), '01L23456978', 'OIIZEASGGTB') $$;
-- The words that the ring has just now, and whether they block a code of three
-- or four characters
CREATE FUNCTION pg_temp.words_now() RETURNS jsonb LANGUAGE sql AS $$
	SELECT coalesce(jsonb_object_agg(pg_temp.folded(word), 1), '{}') FROM coderring.rings r
		JOIN coderring.blocklist b ON r.blocklist = b.name, unnest(words) word WHERE r.name = 'r' AND length(word) IN (3, 4)
$$;
CREATE FUNCTION pg_temp.blocked(folded text, words jsonb) RETURNS boolean LANGUAGE sql AS $$
	SELECT words ?| ARRAY[folded, left(folded, 3), right(folded, 3)]
$$;
CREATE FUNCTION pg_temp.place() RETURNS int LANGUAGE sql AS $$
	SELECT coalesce((SELECT cycle * 32768 + cycle_offset FROM coderring.series WHERE ring = 'r'), 0)::int
$$;
-- Do these codes follow the order from one position to another, but for those
-- that are blocked?
CREATE FUNCTION pg_temp.judge(codes text[], first int, last int, words jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(',', first, last, array_to_string(codes, ' '), CASE codes WHEN array(
		SELECT code FROM base WHERE cycle * 32768 + n >= first AND cycle * 32768 + n < last AND NOT pg_temp.blocked(folded, words) ORDER BY cycle, n)
		THEN 'right' ELSE 'wrong' END)
$$;
CREATE FUNCTION pg_temp.take(count int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	first int := pg_temp.place();
	codes text[] := array(SELECT coderring_get_codes('r', count));
BEGIN
	RETURN pg_temp.judge(codes, first, pg_temp.place(), pg_temp.words_now());
END $$;
-- And is what remains of the cycle, by the view, what the words leave of it?
CREATE FUNCTION pg_temp.remains(words jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN s.remaining = b.remaining AND s.codes_per_cycle = b.all AND s.percent = trunc(100.0 * (b.all - b.remaining) / b.all, 2)
		THEN 'right' ELSE 'wrong, ' || s::text END
		FROM coderring.series s, LATERAL (
			SELECT count(*) AS all, count(*) FILTER (WHERE n >= s.cycle_offset) AS remaining
			FROM base WHERE cycle = s.cycle AND NOT pg_temp.blocked(folded, words)) b
		WHERE ring = 'r'
$$;
-- Note what was taken, apart from taking it, so that it outlives a rollback;
-- it must begin where the last has ended.
CREATE TEMP TABLE taken (code text COLLATE "C");
CREATE TEMP TABLE place AS SELECT 0 AS place;
CREATE FUNCTION pg_temp.note(judged text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	parts text[] := string_to_array(judged, ',');
	codes text[] := string_to_array(parts[3], ' ');
	last int := place FROM place;
BEGIN
	INSERT INTO taken SELECT unnest(codes);
	UPDATE place SET place = parts[2]::int;
	RETURN concat_ws(' ', cardinality(codes), parts[4], CASE WHEN parts[1]::int <> last THEN 'elsewhere' END);
END $$;
CREATE FUNCTION pg_temp.words_with(letters text, place int) RETURNS text[] LANGUAGE sql AS $$
	SELECT array(SELECT CASE place WHEN 1 THEN c || d || e ELSE d || c || e END
		FROM unnest(string_to_array(letters, NULL)) c, unnest(string_to_array(alphabet, NULL)) d, unnest(string_to_array(alphabet, NULL)) e
		ORDER BY c, d, e) FROM coderring_alphabet('default') alphabet
$$;
SELECT coderring_create('r', 3), coderring_reset('r', test_seed => 'changes');
SELECT pg_temp.note(pg_temp.take(100));
-- set_blocklist, in the middle of a block
SELECT coderring_define_blocklist('third', pg_temp.words_with('VSE293AH7Q', 1));
SELECT coderring_set_blocklist('r', 'third');
SELECT pg_temp.remains(pg_temp.words_now());
SELECT pg_temp.note(pg_temp.take(100));
SELECT pg_temp.remains(pg_temp.words_now());
SELECT coderring_set_blocklist('r', 'english');
SELECT pg_temp.remains(pg_temp.words_now());
SELECT pg_temp.note(pg_temp.take(1));
SELECT pg_temp.remains(pg_temp.words_now());
SELECT coderring_set_blocklist('r', 'third');
SELECT pg_temp.note(pg_temp.take(1));
SELECT coderring_set_blocklist('r', NULL);
SELECT pg_temp.note(pg_temp.take(77));
-- The same words in another list, and spelled otherwise
SELECT coderring_define_blocklist('same', array_agg(translate(lower(word), 'sea', '534'))) FROM coderring.blocklist, unnest(words) word WHERE name = 'third';
SELECT coderring_set_blocklist('r', 'same');
SELECT pg_temp.remains(pg_temp.words_now());
SELECT pg_temp.note(pg_temp.take(50));
SELECT pg_temp.remains(pg_temp.words_now());
SELECT coderring_set_blocklist('r', 'third');
SELECT pg_temp.note(pg_temp.take(50));
-- Other words in the same list
SELECT coderring_define_blocklist('third', pg_temp.words_with('6R4BT5CLXG', 2));
SELECT pg_temp.remains(pg_temp.words_now());
SELECT pg_temp.note(pg_temp.take(500));
SELECT pg_temp.remains(pg_temp.words_now());
-- A transaction that has changed the words takes no codes of the ring, since
-- what they block would be passed over also if it rolled back: neither by
-- set_blocklist nor by define_blocklist, with bump or without.
SELECT coderring_create('other', 2, 'english');
BEGIN;
SELECT coderring_set_blocklist('r', 'english');
SELECT pg_temp.fails($$SELECT coderring_get_code('r')$$);
SELECT left(pg_temp.fails(query), 5) FROM unnest(ARRAY[
	$$SELECT coderring_get_code('r', '', true)$$,
	$$SELECT coderring_get_code('r', 'new')$$,
	$$SELECT coderring_get_codes('r', 3)$$,
	$$SELECT coderring_advance('r', '', 0, 32000)$$,
	$$SELECT coderring_advance('r')$$]) query;
-- Others' rings and other rings are not meant.
SELECT length(coderring_get_code('other'));
ROLLBACK;
SELECT pg_temp.note(pg_temp.take(20));
BEGIN;
SELECT coderring_define_blocklist('third', '{ABC}'), coderring_define_blocklist('new', '{ABC}');
SELECT left(pg_temp.fails($$SELECT coderring_get_code('r')$$), 5), length(coderring_get_code('other'));
ROLLBACK;
SELECT pg_temp.note(pg_temp.take(20));
-- In savepoints: until the change is undone
BEGIN;
SELECT pg_temp.note(pg_temp.take(9));
SAVEPOINT s;
SELECT coderring_set_blocklist('r', 'international');
SELECT left(pg_temp.fails($$SELECT coderring_get_code('r')$$), 5);
ROLLBACK TO s;
SELECT pg_temp.note(pg_temp.take(9));
SAVEPOINT t;
SELECT coderring_define_blocklist('third', '{VVV,EEE,SSS}');
RELEASE t;
SELECT left(pg_temp.fails($$SELECT coderring_get_code('r')$$), 5);
SAVEPOINT u;
SELECT coderring_set_blocklist('r', NULL), coderring_define_blocklist('third', NULL);
SELECT left(pg_temp.fails($$SELECT coderring_get_code('r')$$), 5);
ROLLBACK TO u;
SELECT left(pg_temp.fails($$SELECT coderring_get_code('r')$$), 5);
COMMIT;
SELECT blocklist, words FROM coderring.rings JOIN lists ON blocklist = lists.name;
SELECT pg_temp.note(pg_temp.take(1000));
-- A ring that is made, or made anew, in the same transaction is as new as its
-- words.
BEGIN;
SELECT coderring_define_blocklist('new', '{ABC}'), coderring_create('new', 3), coderring_set_blocklist('new', 'new');
SELECT length(coderring_get_code('new'));
SELECT coderring_set_blocklist('other', NULL), coderring_reset('other'), length(coderring_get_code('other'));
COMMIT;
SELECT coderring_drop('new'), coderring_drop('other'), coderring_define_blocklist('new', NULL);
-- An error undoes the change.
DO $$
BEGIN
	BEGIN
		PERFORM coderring_set_blocklist('r', 'english');
		RAISE division_by_zero;
	EXCEPTION WHEN division_by_zero THEN
		RAISE NOTICE '%', pg_temp.note(pg_temp.take(11));
	END;
END $$;
SELECT blocklist FROM coderring.rings;
-- In a procedure that commits
SELECT coderring_define_blocklist('middle', pg_temp.words_with('ABCDEFGHJK', 2));
CREATE PROCEDURE pg_temp.change() LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..30 LOOP
		PERFORM coderring_set_blocklist('r', CASE i % 3 WHEN 0 THEN 'middle' WHEN 1 THEN 'third' END);
		COMMIT;
		IF pg_temp.note(pg_temp.take(i)) <> i || ' right' THEN
			RAISE EXCEPTION 'not what should come';
		END IF;
		COMMIT;
	END LOOP;
END $$;
CALL pg_temp.change();
-- Changes by a superuser's own hand are obeyed as well.
UPDATE coderring.blocklist SET words = '{MMM,KKK,XYZ}' WHERE name = 'middle';
SELECT pg_temp.remains(pg_temp.words_now());
SELECT pg_temp.note(pg_temp.take(700));
SELECT pg_temp.remains(pg_temp.words_now());
BEGIN;
SAVEPOINT s;
UPDATE coderring.blocklist SET words = pg_temp.words_with('UVWXYZ', 1) WHERE name = 'middle';
-- In the same transaction there is no code, as with the functions.
SELECT pg_temp.fails($$SELECT coderring_get_code('r')$$);
ROLLBACK TO s;
SELECT pg_temp.take(20) AS a \gset
UPDATE coderring.blocklist SET name = 'was middle' WHERE name = 'middle';
INSERT INTO coderring.blocklist SELECT 'middle', false, owner, owner_name, '{XYZ}' FROM coderring.blocklist WHERE name = 'was middle';
SELECT pg_temp.fails($$SELECT coderring_get_code('r')$$);
ROLLBACK TO s;
UPDATE coderring.ring SET blocklist = 'third' WHERE name = 'r';
SELECT pg_temp.fails($$SELECT coderring_get_code('r')$$);
ROLLBACK TO s;
UPDATE coderring.ring SET blocklist = NULL WHERE name = 'r';
SELECT pg_temp.fails($$SELECT coderring_get_code('r')$$);
ROLLBACK TO s;
UPDATE coderring.ring SET max_length = 60, blocklist = blocklist WHERE name = 'r';
SELECT pg_temp.take(20) AS b \gset
ROLLBACK;
SELECT pg_temp.note(:'a');
SELECT pg_temp.note(:'b');
-- Into the next cycle, and to the end of it
SELECT coderring_set_blocklist('r', 'english');
SELECT pg_temp.note(pg_temp.take(30000));
SELECT coderring_define_blocklist('middle', pg_temp.words_with('PQRSTU', 2)), coderring_set_blocklist('r', 'middle');
SELECT pg_temp.remains(pg_temp.words_now());
SELECT pg_temp.note(pg_temp.take(10000));
SELECT pg_temp.remains(pg_temp.words_now());
SELECT coderring_set_blocklist('r', NULL);
SELECT pg_temp.remains(pg_temp.words_now());
SELECT right(pg_temp.note(pg_temp.take(65536 - pg_temp.place())), 5);
SELECT cycle, cycle_offset FROM coderring.series WHERE ring = 'r';
SELECT count(*) > 50000, count(*) - count(DISTINCT code) AS twice FROM taken;
-- The next cycle is whole again.
SELECT coderring_set_blocklist('r', 'english');
SELECT left(coderring_get_code('r'), -3);
SELECT codes_per_cycle, remaining, (SELECT count(DISTINCT c) FROM coderring_get_codes('r', remaining::int) c WHERE c LIKE 'W%')
	FROM coderring.series WHERE ring = 'r';
SELECT coderring_drop('r');
--
-- bump ends a cycle also if its only code that is out is blocked by now.
--
SELECT coderring_create('r', 2), coderring_reset('r', test_seed => 'bump');
SELECT coderring_define_blocklist('out', ARRAY[coderring_get_code('r')]), coderring_set_blocklist('r', 'out');
SELECT codes_per_cycle, remaining FROM coderring.series;
SELECT left(coderring_get_code('r', '', true), -2);
SELECT coderring_drop('r');
--
-- Words that block the rest of the cycle in which a series is: it goes on in
-- the next one, the rest is recorded as skipped, and does not come later.
--
SELECT coderring_define_blocklist('behind', array_agg('X' || substr(word, 2))) FROM unnest(pg_temp.words_with('X', 1)) word;
SELECT coderring_create('r', 2), coderring_reset('r', test_seed => 'skip');
SELECT count(DISTINCT c) FROM coderring_get_codes('r', 1024 + 10) c;
SELECT coderring_set_blocklist('r', 'behind');
SELECT codes_per_cycle, remaining, codes_until_longer FROM coderring.series;
BEGIN;
SELECT left(coderring_get_code('r'), -2);
ROLLBACK;
SELECT first_position, last_position FROM coderring.skipped_positions JOIN coderring.ring USING (incarnation);
SELECT coderring_set_blocklist('r', NULL);
SELECT count(DISTINCT c), min(left(c, -2)), max(left(c, -2)) FROM coderring_get_codes('r', 1023) c;
SELECT left(coderring_get_code('r'), -2);
-- An extra that is not possible any more, and is again: nothing is lost of it.
CREATE TEMP TABLE codes AS SELECT coderring_get_codes('r', 10, 'ASS') AS code;
SELECT coderring_define_blocklist('shut', array_agg('S' || c)) FROM regexp_split_to_table(coderring_alphabet('default'), '') c;
SELECT coderring_set_blocklist('r', 'shut');
SELECT pg_temp.fails($$SELECT coderring_get_code('r', 'ASS')$$);
SELECT codes_per_cycle, remaining, percent FROM coderring.series WHERE extra = 'ASS';
SELECT pg_temp.fails($$SELECT coderring_get_code('r', 'ASS', true)$$);
-- nor with any two characters behind it
SELECT coderring_define_blocklist('shut', array_agg('S' || c || d)) FROM regexp_split_to_table(coderring_alphabet('default'), '') c, regexp_split_to_table(coderring_alphabet('default'), '') d;
SELECT pg_temp.fails($$SELECT coderring_get_code('r', 'ASS')$$);
SELECT coderring_set_blocklist('r', NULL);
INSERT INTO codes SELECT coderring_get_codes('r', 1024 - 10, 'ASS');
SELECT count(DISTINCT code), min(length(code)), max(length(code)) FROM codes;
SELECT coderring_drop('r');
--
-- Rows that no function has written: errors, and no more than that
--
SELECT coderring_create('r', 2, 'third'), coderring_reset('r', test_seed => 'rows');
SELECT count(DISTINCT c) FROM coderring_get_codes('r', 100) c;
UPDATE coderring.blocklist SET words = '{A}' WHERE name = 'third';
SELECT pg_temp.fails($$SELECT coderring_get_code('r')$$);
UPDATE coderring.blocklist SET words = '{ABC,NULL}' WHERE name = 'third';
SELECT pg_temp.fails($$SELECT coderring_get_code('r')$$);
UPDATE coderring.blocklist SET words = ARRAY[repeat('A', 65536)] WHERE name = 'third';
SELECT pg_temp.fails($$SELECT coderring_get_code('r')$$);
SELECT left(pg_temp.fails($$UPDATE coderring.blocklist SET words = NULL WHERE name = 'third'$$), 5);
SELECT left(pg_temp.fails($$UPDATE coderring.blocklist SET name = '' WHERE name = 'third'$$), 5);
-- What is damaged stops its rings, by name, and no view; and can be defined again.
UPDATE coderring.blocklist SET words = '{a}' WHERE name = 'third';
SELECT pg_temp.fails($$SELECT coderring_get_code('r')$$), count(*) FROM coderring.series WHERE ring <> 'r';
SELECT coderring_define_blocklist('third', '{VVV,EEE}');
SELECT count(*) FROM coderring.series WHERE ring = 'r';
-- Lists that are built in are not changed by SQL either.
SELECT pg_temp.fails(q) FROM unnest(ARRAY[$$UPDATE coderring.blocklist SET name = 'eng' WHERE name = 'english'$$, $$UPDATE coderring.blocklist SET words = '{}' WHERE name = 'english'$$]) q;
-- Lists are not deleted by SQL, those that are built in least of all.
SELECT pg_temp.fails(q) FROM unnest(ARRAY['DELETE FROM coderring.blocklist', 'DELETE FROM coderring.blocklist WHERE builtin',
	$$DELETE FROM coderring.blocklist WHERE name = 'third'$$, 'TRUNCATE coderring.blocklist CASCADE', 'TRUNCATE coderring.blocklist, coderring.guard']) q;
SELECT count(*) FROM coderring.blocklist WHERE builtin;
-- Past the trigger
BEGIN;
ALTER TABLE coderring.blocklist DISABLE TRIGGER admit_row;
DELETE FROM coderring.blocklist WHERE name = 'third';
ALTER TABLE coderring.blocklist ENABLE ALWAYS TRIGGER admit_row;
COMMIT;
SELECT pg_temp.fails($$SELECT coderring_get_code('r')$$);
SELECT name, blocklist FROM coderring.rings;
SELECT coderring_define_blocklist('third', '{VVV,EEE}');
SELECT count(DISTINCT c) FROM coderring_get_codes('r', 924) c;
SELECT cycle, remaining FROM coderring.series;
SELECT count(coderring_drop(name)) FROM coderring.rings;
SELECT count(coderring_define_blocklist(name, NULL)) FROM lists;
