# build.exs SOURCES DIR: compiles Ecto and what it needs from their sources into
# DIR/NAME/ebin, without Hex.

[sources, dir] = System.argv()
Mix.start()

names = ~w(telemetry decimal db_connection postgrex ecto ecto_sql)

for {name, place} <- Enum.with_index(names) do
  ebin = Path.join([dir, name, "ebin"])
  File.mkdir_p!(ebin)
  Code.prepend_path(ebin)

  if name == "telemetry" do
    for file <- Path.wildcard("#{sources}/telemetry/src/*.erl") do
      {:ok, _} = :compile.file(String.to_charlist(file), outdir: String.to_charlist(ebin))
    end

    File.cp!("#{sources}/telemetry/src/telemetry.app.src", "#{ebin}/telemetry.app")
  else
    [{project, _} | _] = Code.compile_file("#{sources}/#{name}/mix.exs")
    version = project.project()[:version]
    application = project.application()
    # without the adapters to other databases
    files = Enum.reject(Path.wildcard("#{sources}/#{name}/lib/**/*.ex"), &(&1 =~ ~r"/adapters/(myxql|tds)"))
    before = for before <- Enum.take(names, place), do: String.to_atom(before)
    {:ok, modules, _} = Kernel.ParallelCompiler.compile_to_path(files, ebin)

    properties =
      [vsn: String.to_charlist(version), modules: modules] ++
        [applications: [:kernel, :stdlib, :elixir] ++ (application[:extra_applications] || []) ++ before] ++
        Keyword.take(application, [:mod, :env])

    File.write!("#{ebin}/#{name}.app", :io_lib.format("~p.~n", [{:application, String.to_atom(name), properties}]))
  end
end