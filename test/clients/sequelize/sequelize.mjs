// Sequelize: a program of test/clients.sh

import { DataTypes, QueryTypes, Sequelize } from "sequelize";

const guests = Array.from({ length: 1000 }, (_, n) => `guest ${n + 1}`);
const log = [];
const sequelize = new Sequelize(process.env.DATABASE_URL, { logging: (sql) => log.push(sql) });

// docs: begin sequelize
const Booking = sequelize.define("booking", {
  reference: {
    type: DataTypes.TEXT,
    allowNull: false,
    defaultValue: sequelize.fn("coderring_get_code", "order"),
  },
  guest: { type: DataTypes.TEXT, allowNull: false },
}, {
  tableName: "booking",
  timestamps: false,
  indexes: [{ unique: true, fields: ["reference"] }],
});

await sequelize.query("CREATE EXTENSION IF NOT EXISTS coderring WITH SCHEMA public");
await sequelize.query("SELECT coderring_create('order', if_not_exists => true)");
await sequelize.sync();
// docs: end

{
  // docs: begin sequelize insert
  const booking = await Booking.create({ guest: "Ada" });
  console.log("default", booking.reference);
  // docs: end
}

for (let i = 0; i < 10; i++) {
  const [{ code }] = await sequelize.query(
    "SELECT coderring_get_code(:ring) AS code",
    { replacements: { ring: "order" }, type: QueryTypes.SELECT });
  console.log("raw", code);
}

{
  // docs: begin sequelize function
  const booking = await Booking.create(
    { guest: "Grace", reference: sequelize.fn("coderring_get_code", "order", "26") });
  // docs: end
  console.log("function", booking.reference);
}

{
  // docs: begin sequelize bulk
  const bookings = await Booking.bulkCreate(guests.map((guest) => ({ guest })));
  // docs: end
  for (const booking of bookings) console.log("bulk", booking.reference);
}

const inserts = log.filter((sql) => sql.includes("INSERT INTO"));
console.log(inserts.length === 3 && inserts.every((sql) => sql.includes("coderring_get_code('order'")) ? "ok" : "not ok",
  "- each INSERT calls the function");

// What sync changes in a database that is as the model says
log.length = 0;
await sequelize.sync({ alter: true });
const changes = log.filter((sql) => /\b(ALTER|DROP|CREATE|TRUNCATE)\b/.test(sql));
const others = changes.filter((sql) => !/^Executing \(default\): (ALTER TABLE "booking"|CREATE TABLE IF NOT EXISTS "booking")/.test(sql));
console.log(changes.length > 0 && others.length === 0 ? "ok" : "not ok",
  "- migrations: sync({ alter: true }) touches no table but the model's", ...others);
const tables = (await sequelize.getQueryInterface().showAllTables()).map((table) => table.tableName ?? table);
console.log(tables.join() === "booking" ? "ok" : "not ok", "- migrations: showAllTables shows the application's alone", ...tables);
await sequelize.close();
