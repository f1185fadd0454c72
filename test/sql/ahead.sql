--
-- Blocks that are computed before they are needed: from the middle of a block
-- of 4,096 codes on. They must be what would be computed when it is.
--
\pset format unaligned
\pset tuples_only on
CREATE TEMP TABLE got (ring text, n bigserial, cycle int, at int, code text);
-- So many codes, with their places: what decode says is computed anew.
CREATE FUNCTION pg_temp.take(ring text, count int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO got (ring, cycle, at, code)
	SELECT $1, d.cycle, d.cycle_offset, c FROM coderring_get_codes($1, $2) WITH ORDINALITY t (c, n), coderring_decode($1, c) d ORDER BY n
$$;
-- The same, of blocks as if many more were wanted
CREATE FUNCTION pg_temp.take_some(ring text, count int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO got (ring, cycle, at, code)
	SELECT $1, d.cycle, d.cycle_offset, c FROM (SELECT coderring_get_codes($1, 100000) c LIMIT $2) t, coderring_decode($1, c) d
$$;
-- Runs of codes whose places follow one another: first, last, and how many places
-- of it had no code.
CREATE FUNCTION pg_temp.runs(of text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT format('cycle %s: %s to %s, without %s', cycle, min(at), max(at), max(at) - min(at) + 1 - count(*))
	FROM (SELECT *, sum(coalesce(at < before OR at > before + 50, true)::int) OVER (PARTITION BY cycle ORDER BY n) AS run
		FROM (SELECT *, lag(at) OVER (PARTITION BY cycle ORDER BY n) AS before FROM got WHERE ring = $1) g) g
	GROUP BY cycle, run ORDER BY cycle, run
$$;
SELECT coderring_create('plain'), coderring_create('checked', check_character => true),
	coderring_create('filtered', blocklist => 'english'), coderring_create('later');
SELECT coderring_reset(name, test_seed => name) FROM coderring.rings WHERE name IN ('filtered', 'later');
SELECT pg_temp.take(name, 40000) FROM coderring.rings WHERE name IN ('plain', 'checked', 'filtered', 'later') ORDER BY name;
SELECT name, run FROM coderring.rings, pg_temp.runs(name) run WHERE name IN ('plain', 'checked', 'filtered', 'later') ORDER BY name;
-- The largest blocks there are were used.
SELECT ring, refills < 20 FROM coderring.stats WHERE ring IN ('plain', 'checked', 'filtered', 'later') ORDER BY 1;
-- What the filter left out is what it has to leave out: a ring with the same
-- order and no filter
SELECT coderring_create('twin'), coderring_reset('twin', test_seed => 'filtered');
SELECT count(*), count(*) FILTER (WHERE coderring_issued('filtered', c)), count(*) FILTER (WHERE c IN (SELECT code FROM got WHERE ring = 'filtered'))
	FROM coderring_get_codes('twin', (SELECT max(at) + 1 FROM got WHERE ring = 'filtered')) c;
-- With a block at hand that was computed before: a bump, and a step forward
SELECT pg_temp.take('plain', 3000);
SELECT length(coderring_get_code('plain', bump => true));
SELECT pg_temp.take('plain', 40000);
SELECT coderring_advance('plain', to_cycle => 1, to_offset => cycle_offset + 10) FROM coderring.series WHERE ring = 'plain';
SELECT pg_temp.take('plain', 20000);
SELECT pg_temp.runs('plain');
-- Other words: what was computed with none is not handed out.
SELECT coderring_set_blocklist('later', 'international');
SELECT pg_temp.take('later', 20000);
SELECT pg_temp.runs('later');
SELECT coderring_set_blocklist('later', NULL);
SELECT pg_temp.take('later', 20000);
SELECT pg_temp.runs('later');
-- Words that change just when it is asked for, at the end of a block; and words
-- that change twice in the middle of one, so that it is of another place
SELECT coderring_create('edge'), coderring_reset('edge', test_seed => 'edge');
SELECT pg_temp.take_some('edge', 100);
SELECT coderring_set_blocklist('edge', 'international');
SELECT pg_temp.take_some('edge', 1);
SELECT coderring_set_blocklist('edge', NULL);
SELECT pg_temp.take_some('edge', 4096);
SELECT coderring_set_blocklist('edge', 'international');
SELECT pg_temp.take_some('edge', 4000);
SELECT coderring_create('twice'), coderring_reset('twice', test_seed => 'twice');
SELECT pg_temp.take_some('twice', 3000);
SELECT coderring_set_blocklist('twice', 'international');
SELECT pg_temp.take_some('twice', 10);
SELECT coderring_set_blocklist('twice', NULL);
SELECT pg_temp.take_some('twice', 10000);
SELECT name, run FROM coderring.rings, pg_temp.runs(name) run WHERE name IN ('edge', 'twice') ORDER BY name;
-- A new key, with the old block at hand
SELECT coderring_reset('plain', first_cycle => 1);
SELECT pg_temp.take('plain', 20000);
SELECT count(*), count(DISTINCT at) FROM got WHERE ring = 'plain' AND n > (SELECT max(n) - 20000 FROM got WHERE ring = 'plain');
SELECT ring, count(*) - count(DISTINCT code) FROM got WHERE ring <> 'plain' GROUP BY 1 ORDER BY 1;
SELECT count(coderring_drop(name)) FROM coderring.rings WHERE name IN ('plain', 'checked', 'filtered', 'later', 'twin', 'edge', 'twice');
