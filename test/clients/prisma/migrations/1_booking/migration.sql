-- docs: begin prisma migration
CREATE EXTENSION IF NOT EXISTS coderring WITH SCHEMA public;
SELECT coderring_create('order', if_not_exists => true);
-- docs: end

CREATE TABLE "booking" (
    "id" BIGSERIAL NOT NULL,
    "reference" TEXT NOT NULL DEFAULT coderring_get_code('order'::text),
    "guest" TEXT NOT NULL,

    CONSTRAINT "booking_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "booking_reference_key" ON "booking"("reference");
