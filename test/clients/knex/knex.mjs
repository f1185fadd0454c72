// Knex: a program of test/clients.sh

import makeKnex from "knex";

const guests = Array.from({ length: 1000 }, (_, n) => `guest ${n + 1}`);

const knex = makeKnex({
  client: "pg",
  connection: process.env.DATABASE_URL,
  migrations: { directory: "./migrations", loadExtensions: [".mjs"] },
});

await knex.migrate.latest();

{
  // docs: begin knex insert
  const [{ reference }] = await knex("booking").insert({ guest: "Ada" }, ["reference"]);
  // docs: end
  console.log("default", reference);
}

for (let i = 0; i < 10; i++) {
  const { rows } = await knex.raw("SELECT coderring_get_code(?) AS code", ["order"]);
  console.log("raw", rows[0].code);
}

{
  // docs: begin knex function
  const [{ reference }] = await knex("booking").insert(
    { guest: "Grace", reference: knex.raw("coderring_get_code(?, ?)", ["order", "26"]) },
    ["reference"]);
  // docs: end
  console.log("function", reference);
}

{
  // docs: begin knex bulk
  const rows = await knex("booking").insert(guests.map((guest) => ({ guest })), ["reference"]);
  // docs: end
  for (const { reference } of rows) console.log("bulk", reference);
}

const [, pending] = await knex.migrate.list();
console.log(pending.length === 0 ? "ok" : "not ok", "- migrations: none is left to be done");
try {
  await knex("booking").insert({ guest: "Ben", reference: null });
  console.log("not ok - null: 23502");
} catch (error) {
  console.log(error.code === "23502" ? "ok" : "not ok", "- null: 23502");
}
await knex.destroy();
