# Ecto: a program of test/clients.sh

{:ok, _} = Application.ensure_all_started(:ecto_sql)
Logger.configure(level: :warning)

defmodule Repo do
  use Ecto.Repo, otp_app: :app, adapter: Ecto.Adapters.Postgres
end

# docs: begin ecto migration
defmodule Migrations.Booking do
  use Ecto.Migration

  def up do
    execute "CREATE EXTENSION IF NOT EXISTS coderring WITH SCHEMA public"
    execute "SELECT coderring_create('order', if_not_exists => true)"

    create table(:booking) do
      add :reference, :text, null: false, default: fragment("coderring_get_code('order')")
      add :guest, :text, null: false
    end

    create unique_index(:booking, [:reference])
  end

  def down, do: drop(table(:booking))
end
# docs: end

# docs: begin ecto
defmodule Booking do
  use Ecto.Schema

  schema "booking" do
    field :reference, :string, read_after_writes: true
    field :guest, :string
  end
end
# docs: end

defmodule App do
  import Ecto.Query

  def run do
    guests = for n <- 1..1000, do: "guest #{n}"

    # up, down, and up again, with our objects beside
    migrations = [{1, Migrations.Booking}]
    [1] = Ecto.Migrator.run(Repo, migrations, :up, all: true)
    [1] = Ecto.Migrator.run(Repo, migrations, :down, all: true)
    %{rows: [[tables]]} = Repo.query!("SELECT string_agg(tablename, ' ') FROM pg_tables WHERE schemaname = 'public'")
    result = if tables == "schema_migrations", do: "ok", else: "not ok"
    IO.puts("#{result} - migrations: down drops the application's table alone")
    [1] = Ecto.Migrator.run(Repo, migrations, :up, all: true)

    # docs: begin ecto insert
    booking = Repo.insert!(%Booking{guest: "Ada"})
    IO.puts("default #{booking.reference}")
    # docs: end

    for _ <- 1..10 do
      # docs: begin ecto code
      %{rows: [[code]]} = Repo.query!("SELECT coderring_get_code($1)", ["order"])
      # docs: end
      IO.puts("raw #{code}")
    end

    # docs: begin ecto function
    code = Repo.one!(from c in fragment("coderring_get_code(?, ?)", "order", "26"), select: fragment("?", c))
    # docs: end
    IO.puts("function #{code}")

    # docs: begin ecto bulk
    {1000, bookings} =
      Repo.insert_all(Booking, Enum.map(guests, &%{guest: &1}), returning: [:reference])
    # docs: end
    for booking <- bookings, do: IO.puts("bulk #{booking.reference}")
  end
end

options =
  if System.fetch_env!("POOLED") == "" do
    []
  else
    # docs: begin ecto pooled
    [prepare: :unnamed]
    # docs: end
  end

{:ok, _} = Repo.start_link([url: System.fetch_env!("DATABASE_URL"), pool_size: 4] ++ options)
App.run()
