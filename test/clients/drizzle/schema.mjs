// docs: begin drizzle
import { sql } from "drizzle-orm";
import { bigint, pgTable, text } from "drizzle-orm/pg-core";

export const booking = pgTable("booking", {
  id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
  reference: text("reference").notNull().unique().default(sql`coderring_get_code('order'::text)`),
  guest: text("guest").notNull(),
});
// docs: end
