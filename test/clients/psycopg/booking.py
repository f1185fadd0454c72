"""psycopg 3: a program of test/clients.sh"""

import os

import psycopg

print("version psycopg", psycopg.__version__)
guests = [f"guest {n}" for n in range(1, 1001)]
options = {}
if os.environ["POOLED"]:
    # docs: begin psycopg pooled
    options.update(prepare_threshold=None)
    # docs: end

with psycopg.connect(**options) as conn:    # PGHOST, PGDATABASE ... as for psql
    conn.execute("CREATE EXTENSION IF NOT EXISTS coderring WITH SCHEMA public")
    conn.execute("SELECT coderring_create('order', if_not_exists => true)")
    conn.execute("""
        CREATE TABLE booking (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            reference text NOT NULL UNIQUE DEFAULT coderring_get_code('order'),
            guest text NOT NULL
        )""")

conn = psycopg.connect(autocommit=True, **options)
# docs: begin psycopg insert
with conn.transaction():
    reference, = conn.execute(
        "INSERT INTO booking (guest) VALUES (%s) RETURNING reference", ["Ada"]).fetchone()
# docs: end
print("default", reference, flush=True)

for _ in range(10):
    # docs: begin psycopg code
    code, = conn.execute("SELECT coderring_get_code(%s)", ["order"]).fetchone()
    # docs: end
    print("raw", code)

# docs: begin psycopg bulk
references = conn.execute(
    "INSERT INTO booking (guest) SELECT unnest(%s::text[]) RETURNING reference", [guests]).fetchall()
# docs: end
for reference, in references:
    print("bulk", reference)

# What people get wrong: a read-only transaction, as a router of replicas makes it;
# NULL where the default was meant; the hope that a rollback gives a code back.
with psycopg.connect(**options) as reader:
    reader.read_only = True
    try:
        reader.execute("SELECT coderring_get_code('order')")
        print("not ok - read only: 25006")
    except psycopg.errors.ReadOnlySqlTransaction:
        reader.rollback()
        print("ok - read only: 25006")
try:
    conn.execute("INSERT INTO booking (reference, guest) VALUES (%s, %s)", [None, "Ben"])
    print("not ok - NULL: 23502")
except psycopg.errors.NotNullViolation:
    print("ok - NULL: 23502")
codes = []
for _ in range(2):
    with conn.transaction(force_rollback=True):
        codes += conn.execute(
            "INSERT INTO booking (guest) VALUES ('Eve') RETURNING reference").fetchone()
print("ok" if len(set(codes)) == 2 else "not ok", "- a retry gets another code")
for code in codes:
    print("discarded", code)
