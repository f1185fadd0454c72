// Drizzle: a program of test/clients.sh

import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";

import { booking } from "./schema.mjs";

const guests = Array.from({ length: 1000 }, (_, n) => `guest ${n + 1}`);
const db = drizzle(process.env.DATABASE_URL);

await migrate(db, { migrationsFolder: "./migrations" });

{
  // docs: begin drizzle insert
  const [{ reference }] = await db.insert(booking).values({ guest: "Ada" }).returning();
  // docs: end
  console.log("default", reference);
}

for (let i = 0; i < 10; i++) {
  const { rows } = await db.execute(sql`SELECT coderring_get_code(${"order"}) AS code`);
  console.log("raw", rows[0].code);
}

{
  // docs: begin drizzle function
  const [{ reference }] = await db.insert(booking)
    .values({ guest: "Grace", reference: sql`coderring_get_code(${"order"}, ${"26"})` })
    .returning();
  // docs: end
  console.log("function", reference);
}

{
  // docs: begin drizzle bulk
  const rows = await db.insert(booking)
    .values(guests.map((guest) => ({ guest })))
    .returning({ reference: booking.reference });
  // docs: end
  for (const { reference } of rows) console.log("bulk", reference);
}

await db.$client.end();
