--
-- coderring_import: whatever integers count the library's uniquizers, rings begin at
-- the same cycle.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS coderring;
CREATE EXTENSION coderring;
RESET client_min_messages;
\pset format unaligned
\pset tuples_only on
CREATE TEMP TABLE codes (id bigint, position int, name text, value text);
INSERT INTO codes SELECT n, 0, 'ring ' || n, 'VV' FROM generate_series(1, 3) n;
CREATE TEMP TABLE memos2 (name text, uniquizer_num smallint, extra text, last_max_pos smallint);
CREATE TEMP TABLE memos4 (name text, uniquizer_num integer, extra text, last_max_pos integer);
CREATE TEMP TABLE memos8 (name text, uniquizer_num bigint, extra text, last_max_pos bigint);
INSERT INTO memos2 VALUES ('ring 1', 0, ''), ('ring 2', 7, 'E'), ('ring 3', 32000, '');
INSERT INTO memos4 SELECT * FROM memos2;
INSERT INTO memos8 SELECT * FROM memos2;
SELECT coderring_import('codes', 'memos2');
SELECT name, first_cycle FROM coderring.rings ORDER BY 1;
CREATE TEMP TABLE rings2 AS SELECT name, base_length, first_cycle FROM coderring.rings;
SELECT count(coderring_drop(name)) FROM coderring.rings;
SELECT coderring_import('codes', 'memos4');
SELECT count(*) FROM coderring.rings JOIN rings2 USING (name, base_length, first_cycle);
SELECT count(coderring_drop(name)) FROM coderring.rings;
SELECT coderring_import('codes', 'memos8');
SELECT count(*) FROM coderring.rings JOIN rings2 USING (name, base_length, first_cycle);
SELECT count(coderring_drop(name)) FROM coderring.rings;
-- What no cycle can be is refused in each of them.
UPDATE memos2 SET uniquizer_num = -1 WHERE name = 'ring 2';
UPDATE memos8 SET uniquizer_num = 9223372036854775807 WHERE name = 'ring 2';
SELECT coderring_import('codes', 'memos2');
SELECT coderring_import('codes', 'memos8');
SELECT count(*) FROM coderring.rings;
