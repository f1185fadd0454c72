# docs/coder_ring.ex in an application that has moved from the library: a program of
# test/clients.sh. With Ecto if that is there, and else with a repo that is psql.

{:ok, _} = Application.ensure_all_started(:ex_unit)

if Code.ensure_loaded?(Ecto.Repo) do
  {:ok, _} = Application.ensure_all_started(:ecto_sql)

  Code.compile_string("""
  defmodule Repo do
    use Ecto.Repo, otp_app: :my_app, adapter: Ecto.Adapters.Postgres
  end

  defmodule Migrations.Move do
    use Ecto.Migration
    def up, do: execute("SELECT coderring_import()")
    def down, do: :ok
  end
  """)

  options = if System.fetch_env!("POOLED") == "", do: [], else: [prepare: :unnamed]
  {:ok, _} = Repo.start_link([url: System.fetch_env!("DATABASE_URL"), pool_size: 4, log: false] ++ options)
else
  Code.compile_file("repo.ex")
end

rings = [order: [base_length: 2, expletive_blacklist: :english]]
Application.put_env(:my_app, MyApp.CoderRing, repo: Repo, rings: rings)
Application.put_env(:my_app, MyApp.GenRing, repo: Repo, rings: rings)

defmodule App do
  alias MyApp.{CoderRing, GenRing}

  def check(title, found, wanted \\ true) do
    good = if is_struct(wanted, Regex), do: found =~ wanted, else: found == wanted
    IO.puts("#{if good, do: "ok", else: "not ok"} - #{title}#{if good, do: "", else: " (#{inspect(found)})"}")
  end

  def error(function) do
    function.()
    "no error"
  rescue
    error -> Exception.message(error)
  end

  def logged(function), do: ExUnit.CaptureLog.capture_log(function)

  # codes that are not kept
  def discard(code) do
    IO.puts("discarded #{code}")
    code
  end

  # what a migration that imports shows
  if Code.ensure_loaded?(Ecto.Migrator) do
    def import_rings, do: logged(fn -> [1] = Ecto.Migrator.run(Repo, [{1, Migrations.Move}], :up, all: true, log: :info) end)
  else
    def import_rings, do: Repo.query!("SELECT coderring_import()").messages
  end

  def run do
    missing = ~r/does not exist; is the extension in this database\? CREATE EXTENSION coderring/
    check("without the extension: populate", error(fn -> CoderRing.populate_rings_if_empty() end), missing)
    check("without the extension: get_code", error(fn -> CoderRing.get_code(:order) end), missing)
    check("without the extension: reset", error(fn -> CoderRing.reset(:order) end), missing)
    Repo.query!("CREATE EXTENSION coderring WITH SCHEMA public")
    check("without the ring", error(fn -> CoderRing.get_code(:order) end), ~r/ring "order" does not exist; hint: .*coderring_create/)

    # the library's tables, with a ring that it has filtered
    Repo.query!("CREATE TABLE code_memos (name varchar(255) PRIMARY KEY, uniquizer_num integer NOT NULL DEFAULT 0,
      extra varchar(255) NOT NULL DEFAULT '', last_max_pos integer)")
    Repo.query!("CREATE TABLE codes (id bigserial PRIMARY KEY, position integer NOT NULL,
      name varchar(255) NOT NULL REFERENCES code_memos (name), value varchar(255) NOT NULL)")
    Repo.query!("INSERT INTO code_memos VALUES ('order', 0, '25', 1023)")
    Repo.query!("INSERT INTO codes (position, name, value)
      SELECT row_number() OVER () - 1, 'order', a || b
      FROM unnest(string_to_array('V S E 2 9 3 A H 7 Q 6 R 4 B T 5 C L X G J Z F P D W U K Y M 8 N', ' ')) a,
        unnest(string_to_array('V S E 2 9 3 A H 7 Q 6 R 4 B T 5 C L X G J Z F P D W U K Y M 8 N', ' ')) b
      WHERE a || b <> 'XX'")
    messages = import_rings()
    check("an import names the filter", messages, ~r/order.* 1023 of 1024 .*coderring_set_blocklist\('order', 'english'\)/)
    check("an import names the earlier extras", messages, ~r/coderring_advance\('order', extra, /)
    Repo.query!("SELECT coderring_advance('order', '25', 3)")

    different = ~r/order: blocklist is nil in the database.* :english; .* coderring_set_blocklist\('order', 'english'\)/
    check("with the first code a node compares", logged(fn -> discard(CoderRing.get_code(:order)) end), different)
    check("and not with the next", logged(fn -> discard(CoderRing.get_code(:order)) end), "")
    check("populate compares", logged(fn -> :ok = CoderRing.create() end), different)
    check("a child of GenRing compares", logged(fn -> :ignore = GenRing.start_link(:order) end), different)
    Repo.query!("SELECT coderring_set_blocklist('order', 'english')")
    check("no warning where nothing differs", logged(fn -> :ok = CoderRing.populate_rings_if_empty() end), "")
    Application.put_env(:my_app, MyApp.CoderRing, repo: Repo, rings: [:order])
    check("base_length differs", logged(fn -> CoderRing.create_one(:order) end), ~r/base_length is 2 .* it is 4/)
    check("a filter that the configuration lacks", logged(fn -> CoderRing.create_one(:order) end), ~r/blocklist is "english" .* nil; .*\('order', NULL\)/)
    Application.put_env(:my_app, MyApp.CoderRing, Application.get_env(:my_app, MyApp.GenRing))

    check("the ring", CoderRing.create_anyway(:order).memo.name, "order")
    check("its memo", CoderRing.memo(:order).series |> Enum.map(& &1.extra), ["", "25"])
    check("new", CoderRing.same(:order).base_length, 2)
    check("an extra that was advanced", discard(CoderRing.get_code(:order, extra: "25")), ~r/^252..$/)
    check("what bump logs", logged(fn -> discard(CoderRing.get_code(:order, extra: "26", bump: 1)) end), ~r/bump: true/)
    check("bump", logged(fn -> check("its code", discard(CoderRing.get_code(:order, extra: "26", bump: 1)), ~r/^26W..$/) end), ~r/bump: true/)
    check("bump: nil", logged(fn -> check("its code", discard(CoderRing.get_code(:order, extra: "26", bump: nil)), ~r/^26W..$/) end), "")
    check("invoke", discard(CoderRing.code(:order)), ~r/^X..$/)

    for _ <- 1..9, do: IO.puts("raw #{CoderRing.get_code(:order)}")
    IO.puts("raw #{GenRing.get_code(:order)}")
    IO.puts("function #{CoderRing.get_code(:order, extra: "26")}")

    Repo.query!("CREATE TABLE booking (id bigserial PRIMARY KEY,
      reference text UNIQUE DEFAULT coderring_get_code('order'), guest text NOT NULL)")
    [[code]] = Repo.query!("INSERT INTO booking (guest) VALUES ('Ada') RETURNING reference").rows
    IO.puts("default #{code}")
    bulk = Repo.query!("INSERT INTO booking (guest) SELECT 'guest ' || n FROM generate_series(1, 1000) n RETURNING reference").rows
    for [code] <- bulk, do: IO.puts("bulk #{code}")
  end
end

App.run()
