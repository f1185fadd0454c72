-- docs: begin drizzle migration
CREATE EXTENSION IF NOT EXISTS coderring WITH SCHEMA public;
SELECT coderring_create('order', if_not_exists => true);
-- docs: end
