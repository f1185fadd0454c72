import { MigrationInterface, QueryRunner } from "typeorm";

// docs: begin typeorm migration
export class Rings1 implements MigrationInterface {
  name = "Rings1000000000000";

  async up(runner: QueryRunner) {
    await runner.query("CREATE EXTENSION IF NOT EXISTS coderring WITH SCHEMA public");
    await runner.query("SELECT coderring_create('order', if_not_exists => true)");
  }

  async down() {}
}
// docs: end
