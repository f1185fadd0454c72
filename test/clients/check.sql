-- check.sql: what a client says that it was given (KIND, tab, CODE, on standard
-- input), beside what its database has. Run as superuser; kinds: what it must show.

SET client_min_messages = warning;
-- frameworks that prefix tables with the name of an application
SELECT c.oid::regclass AS booking FROM pg_class c
WHERE relname ~ '^([a-z]+_)?bookings?$' AND relnamespace = 'public'::regnamespace \gset
CREATE TEMP TABLE received (kind text, code text);
\copy received FROM pstdin

SELECT CASE WHEN passed THEN 'ok - ' ELSE 'not ok - ' END || title
    || CASE WHEN passed THEN '' ELSE coalesce(' (' || found || ')', '') END
FROM (
    SELECT 1, 'default: the code of the row, as the client was told it',
        count(*) = 1 AND bool_and(guest IS NOT DISTINCT FROM 'Ada'), string_agg(code || ': ' || coalesce(guest, 'no row'), ', ')
    FROM received LEFT JOIN :booking ON reference = code WHERE kind = 'default'
  UNION ALL
    SELECT 2, 'raw query: ten codes, in no table',
        count(*) = 10 AND bool_and(reference IS NULL), count(*) || ' codes'
    FROM received LEFT JOIN :booking ON reference = code WHERE kind = 'raw'
  UNION ALL
    SELECT 3, 'function: a code with an extra',
        count(*) >= 1 AND bool_and(code LIKE '26%'), string_agg(code, ', ')
    FROM received WHERE kind = 'function' HAVING 'function' = ANY (string_to_array(:'kinds', ' '))
  UNION ALL
    SELECT 4, 'bulk insert: a thousand rows, each with a code of its own, as the client was told them',
        count(*) = 1000 AND count(DISTINCT code) = 1000 AND count(DISTINCT guest) = 1000,
        count(DISTINCT code) || ' codes of ' || count(*) || ', ' || count(DISTINCT guest) || ' guests'
    FROM received LEFT JOIN :booking ON reference = code AND guest LIKE 'guest %' WHERE kind = 'bulk'
  UNION ALL
    SELECT 5, 'no row has a code that the client was not told',
        count(*) = 0, count(*) || ' rows'
    FROM :booking WHERE reference NOT IN (SELECT code FROM received)
  UNION ALL
    SELECT 6, 'all codes are distinct, and issued by the ring',
        count(DISTINCT code) = count(*) AND bool_and(coderring_issued('order', code)), count(*) || ' codes'
    FROM received
  UNION ALL
    -- two of the same text would count twice here
    SELECT 7, 'the ring handed out no code that the client was not told',
        (SELECT sum(issued) FROM coderring.stats) = count(*),
        (SELECT sum(issued) FROM coderring.stats) || ' handed out, ' || count(*) || ' told'
    FROM received
) checks (n, title, passed, found)
ORDER BY n;
