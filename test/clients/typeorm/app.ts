// TypeORM: a program of test/clients.sh

import { source } from "./source";
import { Booking } from "./booking";

const guests = Array.from({ length: 1000 }, (_, n) => `guest ${n + 1}`);

async function main() {
  await source.initialize();
  const bookings = source.getRepository(Booking);

  {
    // docs: begin typeorm insert
    const booking = await bookings.save({ guest: "Ada" });
    console.log("default", booking.reference);
    // docs: end
  }

  for (let i = 0; i < 10; i++) {
    const [{ code }] = await source.query("SELECT coderring_get_code($1) AS code", ["order"]);
    console.log("raw", code);
  }

  {
    // docs: begin typeorm function
    const { generatedMaps } = await bookings.createQueryBuilder().insert()
      .values({ guest: "Grace", reference: () => "coderring_get_code('order', '26')" })
      .returning("reference")
      .execute();
    // docs: end
    console.log("function", generatedMaps[0].reference);
  }

  {
    // docs: begin typeorm bulk
    const { generatedMaps } = await bookings.insert(guests.map((guest) => ({ guest })));
    // docs: end
    for (const { reference } of generatedMaps) console.log("bulk", reference);
  }

  await source.destroy();
}

main();
