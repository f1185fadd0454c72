\echo :: get_codes
SELECT count(c) FROM coderring_get_codes('widget', 1000000) AS c;
\echo :: series
SELECT count(i) FROM generate_series(1, 1000000) AS i;
\echo :: series_text
SELECT count(i::text) FROM generate_series(1, 1000000) AS i;
\echo :: nextval
SELECT count(nextval('million')) FROM generate_series(1, 1000000);
