// Prisma: a program of test/clients.sh

import { PrismaPg } from "@prisma/adapter-pg";
import { PrismaClient } from "@prisma/client";

const guests = Array.from({ length: 1000 }, (_, n) => `guest ${n + 1}`);
const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL });
const prisma = new PrismaClient({ adapter });

{
  // docs: begin prisma insert
  const booking = await prisma.booking.create({ data: { guest: "Ada" } });
  console.log("default", booking.reference);
  // docs: end
}

for (let i = 0; i < 10; i++) {
  // docs: begin prisma code
  const [{ code }] = await prisma.$queryRaw`SELECT coderring_get_code(${"order"}) AS code`;
  // docs: end
  console.log("raw", code);
}

{
  // docs: begin prisma bulk
  const bookings = await prisma.booking.createManyAndReturn({
    data: guests.map((guest) => ({ guest })),
    select: { reference: true },
  });
  // docs: end
  for (const { reference } of bookings) console.log("bulk", reference);
}

await prisma.$disconnect();
