// The schema engine as WebAssembly, through the driver node-postgres: the usual one is
// no npm package but a download of its own.

import { defineConfig } from "prisma/config";
import { PrismaPg } from "@prisma/adapter-pg";
// @ts-ignore
import Result from "pg/lib/result.js";

// That way the engine cannot read the types name and "char" of the system's tables
// (prisma/prisma issue 27403): it is told text instead.
const types = new Map([[19, 25], [18, 1042], [1003, 1009], [1002, 1009]]);
const addFields = Result.prototype.addFields;
Result.prototype.addFields = function (fields: any[]) {
  for (const field of fields) field.dataTypeID = types.get(field.dataTypeID) ?? field.dataTypeID;
  return addFields.call(this, fields);
};

export default defineConfig({
  schema: "schema.prisma",
  migrations: { path: "migrations" },
  experimental: { adapter: true },
  engine: "js",
  adapter: async () => new PrismaPg({ connectionString: process.env.DATABASE_URL, idleTimeoutMillis: 100 }),
} as any);
