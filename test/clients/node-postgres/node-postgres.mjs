// node-postgres: a program of test/clients.sh

import pg from "pg";

const guests = Array.from({ length: 1000 }, (_, n) => `guest ${n + 1}`);
const pooled = process.env.POOLED;


const pool = new pg.Pool(); // PGHOST, PGDATABASE ... as for psql

await pool.query("CREATE EXTENSION IF NOT EXISTS coderring WITH SCHEMA public");
await pool.query("SELECT coderring_create('order', if_not_exists => true)");
await pool.query(`
  CREATE TABLE booking (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reference text NOT NULL UNIQUE DEFAULT coderring_get_code('order'),
    guest text NOT NULL
  )`);

{
  // docs: begin node-postgres insert
  const { rows } = await pool.query(
    "INSERT INTO booking (guest) VALUES ($1) RETURNING reference", ["Ada"]);
  const reference = rows[0].reference;
  // docs: end
  console.log("default", reference);
}

for (let i = 0; i < 10; i++) {
  // a query with a name is a prepared statement
  const { rows } = await pool.query({
    ...(pooled ? {} : { name: "code" }),
    text: "SELECT coderring_get_code($1) AS code",
    values: ["order"],
  });
  console.log("raw", rows[0].code);
}

{
  // docs: begin node-postgres bulk
  const { rows } = await pool.query(
    "INSERT INTO booking (guest) SELECT unnest($1::text[]) RETURNING reference", [guests]);
  // docs: end
  for (const row of rows) console.log("bulk", row.reference);
}

await pool.end();
