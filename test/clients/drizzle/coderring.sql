-- docs: begin drizzle migration
CREATE EXTENSION IF NOT EXISTS coderring;
SELECT coderring_create('order', if_not_exists => true);
-- docs: end
