--
-- Codes that are out stay out, and are counted exactly, whatever words come and go.
--
\pset format unaligned
\pset tuples_only on
--
-- Two series that claim the same codes, one of them by a row that was written by
-- hand: what the words deny in the one way to read a code was handed out in the other.
--
SELECT coderring_define_blocklist('few', '{QQQQQQQ}');
SELECT coderring_create('claimed', 2, 'few');
CREATE TEMP TABLE handed AS SELECT code FROM coderring_get_codes('claimed', 700, 'X') code;
SELECT code AS denied FROM handed ORDER BY code LIMIT 1 \gset
SELECT coderring_define_blocklist('few', ARRAY['QQQQQQQ', :'denied']);
SELECT length(coderring_get_code('claimed', 'Z-'));
INSERT INTO coderring.series_state (incarnation, reserved_to, counted_to, unblocked, filter, timeline, pace, measured_from, measured_at, reserved_at, extra)
	SELECT s.incarnation, 2048, 2048, 0, filter, s.timeline, 0, 2048, measured_at, reserved_at, ''
	FROM coderring.series_state s JOIN coderring.ring USING (incarnation) WHERE name = 'claimed' AND extra = 'Z-';
SELECT length(coderring_get_code('claimed'));
-- first one that is remembered to be the advanced series'
SELECT 'X' || substr(code, 2, 1) || substr(other, 3, 1) AS passed FROM handed, (SELECT code AS other FROM handed) o
	WHERE NOT EXISTS (SELECT FROM handed h WHERE h.code = 'X' || substr(handed.code, 2, 1) || substr(other, 3, 1))
	ORDER BY 1 LIMIT 1 \gset
SELECT coderring_issued('claimed', :'passed'), coderring_issued('claimed', :'denied');
SELECT count(*) FROM handed WHERE NOT coderring_issued('claimed', code);
--
-- An advance under words that go again: what remains is counted with the words of
-- the row, or anew.
--
SELECT coderring_define_blocklist('some', '{ABA}');
SELECT coderring_create('counted', 3, 'some');
SELECT length(coderring_get_code('counted'));
SELECT coderring_define_blocklist('some', (SELECT array_agg(DISTINCT a || b || c)
	FROM unnest('{A,B,C,D,E,F,G,H}'::text[]) a, unnest('{K,L,M,N,P,Q,R,T}'::text[]) b, unnest('{A,B,C,D,E,F,G,H}'::text[]) c));
SELECT coderring_advance('counted', '', 0, 16000);
SELECT coderring_define_blocklist('some', '{ABA}');
SELECT remaining FROM coderring.series WHERE ring = 'counted' \gset
SELECT count(*) FILTER (WHERE length(code) = 3) - :remaining FROM coderring_get_codes('counted', 20000) code;
--
-- Codes that were handed out while there were other words, or none, are known when the words are as before.
--
SELECT coderring_define_blocklist('back', ARRAY(SELECT a || b FROM unnest('{A,B,C,D,E,F,G,H}'::text[]) a, unnest('{K,L,M,N,P,Q,R,T}'::text[]) b));
SELECT coderring_create('back', 2, 'back'), coderring_reset('back', test_seed => 'back');
CREATE TEMP TABLE back AS SELECT coderring_get_codes('back', 100) AS code;
SELECT coderring_set_blocklist('back', NULL);
INSERT INTO back SELECT coderring_get_codes('back', 500);
SELECT coderring_set_blocklist('back', 'back');
INSERT INTO back SELECT coderring_get_codes('back', 100);
SELECT count(*) FILTER (WHERE code ~ '[A-H][K-T]') > 0, count(*) FILTER (WHERE NOT coderring_issued('back', code)) FROM back;
SELECT count(coderring_drop(name)) FROM coderring.rings;
SELECT coderring_define_blocklist(list, NULL) FROM unnest('{few,some,back}'::text[]) list;
