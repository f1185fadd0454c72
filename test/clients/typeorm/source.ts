import "reflect-metadata";
import { DataSource } from "typeorm";

import { Booking } from "./booking";
import { Rings1 } from "./1-rings";

export const source = new DataSource({
  type: "postgres",
  url: process.env.DATABASE_URL,
  entities: [Booking],
  migrations: process.env.MIGRATIONS ? [process.env.MIGRATIONS] : [Rings1],
});
