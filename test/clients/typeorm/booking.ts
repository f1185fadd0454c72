// docs: begin typeorm
import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";

@Entity()
export class Booking {
  @PrimaryGeneratedColumn("identity", { type: "bigint" })
  id!: string;

  @Column({ type: "text", unique: true, default: () => "coderring_get_code('order')" })
  reference!: string;

  @Column({ type: "text" })
  guest!: string;
}
// docs: end
