-- objects.sql: what belongs to the extension coderring, a line an object: to be the
-- same in a database in which clients have migrated. Run as superuser.

SELECT 'extension of ' || extowner::regrole || ' in ' || extnamespace::regnamespace
FROM pg_extension WHERE extname = 'coderring';

SELECT pg_describe_object(classid, objid, 0)
FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
    AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'coderring')
ORDER BY 1;

SELECT nspname, nspowner::regrole, nspacl FROM pg_namespace WHERE nspname = 'coderring';

SELECT relname, relkind, relowner::regrole, relacl, relrowsecurity
FROM pg_class WHERE relnamespace = 'coderring'::regnamespace ORDER BY 1;

SELECT attrelid::regclass, attname, atttypid::regtype, attnotnull
FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid
WHERE relnamespace = 'coderring'::regnamespace AND attnum > 0 AND relkind IN ('r', 'v')
ORDER BY attrelid::regclass::text, attnum;

SELECT conrelid::regclass, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'coderring'::regnamespace ORDER BY 1::text, 2;
