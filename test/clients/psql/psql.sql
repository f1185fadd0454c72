-- psql: a program of test/clients.sh

\pset format unaligned
\pset tuples_only on
-- docs: begin psql
CREATE EXTENSION coderring WITH SCHEMA public;
SELECT coderring_create('order');
CREATE TABLE booking (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reference text NOT NULL UNIQUE DEFAULT coderring_get_code('order'),
    guest text NOT NULL
);
-- docs: end

-- docs: begin psql insert
INSERT INTO booking (guest) VALUES ('Ada') RETURNING reference \gset
\echo default :reference
-- docs: end
SELECT 'raw ' || coderring_get_code('order');
SELECT 'raw ' || coderring_get_code('order');
SELECT 'raw ' || coderring_get_code('order');
SELECT 'raw ' || coderring_get_code('order');
SELECT 'raw ' || coderring_get_code('order');
SELECT 'raw ' || coderring_get_code('order');
SELECT 'raw ' || coderring_get_code('order');
SELECT 'raw ' || coderring_get_code('order');
SELECT 'raw ' || code FROM coderring_get_codes('order', 2) code;

\o | sed 's/^/bulk /'
-- docs: begin psql bulk
INSERT INTO booking (guest) SELECT 'guest ' || n FROM generate_series(1, 990) n RETURNING reference;
-- docs: end
\o
\! for n in `seq 991 1000`; do echo "guest $n"; done >guests.csv
-- docs: begin psql copy
\copy booking (guest) FROM 'guests.csv'
-- docs: end
SELECT 'bulk ' || reference FROM booking WHERE id > 991;
