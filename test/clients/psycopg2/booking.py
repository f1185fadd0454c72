"""psycopg2: a program of test/clients.sh"""

import psycopg2
from psycopg2.extras import execute_values

print("version psycopg2", psycopg2.__version__.split()[0])
guests = [f"guest {n}" for n in range(1, 1001)]

conn = psycopg2.connect("")         # PGHOST, PGDATABASE ... as for psql
with conn, conn.cursor() as cur:    # a transaction
    cur.execute("CREATE EXTENSION IF NOT EXISTS coderring WITH SCHEMA public")
    cur.execute("SELECT coderring_create('order', if_not_exists => true)")
    cur.execute("""
        CREATE TABLE booking (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            reference text NOT NULL UNIQUE DEFAULT coderring_get_code('order'),
            guest text NOT NULL
        )""")

# docs: begin psycopg2 insert
with conn, conn.cursor() as cur:
    cur.execute("INSERT INTO booking (guest) VALUES (%s) RETURNING reference", ["Ada"])
    reference, = cur.fetchone()
# docs: end
print("default", reference, flush=True)

for _ in range(10):
    with conn, conn.cursor() as cur:
        cur.execute("SELECT coderring_get_code(%s)", ["order"])
        print("raw", *cur.fetchone())

with conn, conn.cursor() as cur:
    # docs: begin psycopg2 function
    cur.callproc("coderring_get_code", ["order", "26"])
    code, = cur.fetchone()
    # docs: end
    print("function", code)

with conn, conn.cursor() as cur:
    # docs: begin psycopg2 bulk
    references = execute_values(
        cur, "INSERT INTO booking (guest) VALUES %s RETURNING reference",
        [(guest,) for guest in guests], fetch=True)
    # docs: end
    for reference, in references:
        print("bulk", reference)
