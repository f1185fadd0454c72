# What an application has that used the library CoderRing: modules with `use`, which call what
# that has imported into them.

defmodule MyApp.CoderRing do
  use CoderRing, otp_app: :my_app

  def create, do: populate_rings_if_empty(rings(), timeout: 60_000)
  def create_one(name), do: name |> ring() |> load_memo() |> populate_if_empty(timeout: 60_000)
  def create_anyway(name), do: name |> ring() |> populate(timeout: 60_000)
  def memo(name), do: name |> ring() |> get_memo()
  def same(name), do: new(name: name, repo: ring(name).repo, base_length: 2)

  def code(name) do
    {code, _ring} = name |> ring() |> load_memo() |> invoke({:get_code, []})
    code
  end
end

defmodule MyApp.GenRing do
  use CoderRing.GenRing, otp_app: :my_app

  def create(name), do: name |> ring() |> load_memo() |> populate_if_empty()
end
