// docs: begin knex
export async function up(knex) {
  await knex.raw("CREATE EXTENSION IF NOT EXISTS coderring WITH SCHEMA public");
  await knex.raw("SELECT coderring_create('order', if_not_exists => true)");
  await knex.schema.createTable("booking", (table) => {
    table.bigIncrements("id");
    table.text("reference").notNullable().unique()
      .defaultTo(knex.raw("coderring_get_code('order')"));
    table.text("guest").notNullable();
  });
}
// docs: end

export async function down(knex) {
  await knex.schema.dropTable("booking");
}
