defmodule CoderRing do
  @moduledoc """
  Takes the place of the library CoderRing 0.2.3 in an application whose database has the
  PostgreSQL extension coderring.

  Copy this file into the application (`lib/coder_ring.ex`) and remove `:coder_ring` (and
  `:expletive`) from its dependencies. Modules with `use CoderRing` or `use CoderRing.GenRing`,
  their configuration, and calls such as

      MyApp.CoderRing.get_code(:widget, extra: "26", bump: false)

  stay as they are. The database hands out the codes, so there is no process and no state here:
  any number of nodes may call at once. docs/moving-from-coder-ring.md of the extension says
  what differs.

  Of the repo only `query!/3` is used.
  """

  require Logger

  @doc "Passes a message to a ring: `{:get_code, options}` or `:reset`."
  @callback call(name :: atom, message :: any) :: any

  defstruct name: nil, base_length: 4, blacklist: nil, repo: nil, memo: nil

  @typedoc """
  * `:blacklist` - name of a list of words that no code shall hold, or nil
  * `:memo` - what `get_memo/1` has returned, or nil
  """
  @type t :: %__MODULE__{
          name: atom,
          base_length: pos_integer,
          blacklist: atom | String.t() | nil,
          repo: module,
          memo: map | nil
        }

  defmacro __using__(opts) do
    quote bind_quoted: [opts: opts] do
      @behaviour CoderRing
      # a call with options alone is this module's
      import CoderRing, warn: false, except: [populate_rings_if_empty: 1]

      @coder_ring_app opts[:otp_app] || raise(ArgumentError, "use CoderRing needs :otp_app")
      @coder_ring_module opts[:module] || __MODULE__

      @doc "All rings of the configuration."
      @spec rings :: [CoderRing.t()]
      def rings, do: CoderRing.rings(@coder_ring_app, @coder_ring_module)

      @doc "The ring of that name, or nil."
      @spec ring(atom) :: CoderRing.t() | nil
      def ring(name), do: CoderRing.ring(@coder_ring_app, @coder_ring_module, name)

      @doc """
      A new code.

      * `:extra` - what the code begins with; none by default
      * `:bump` - whether the uniquizer moves on first; false by default
      """
      @spec get_code(atom, keyword) :: String.t()
      def get_code(name, opts \\ []), do: call(name, {:get_code, opts})

      @doc "Lets the ring begin anew. Codes come again."
      @spec reset(atom) :: :ok
      def reset(name), do: call(name, :reset)

      @doc "Creates the rings of the configuration that the database does not have."
      @spec populate_rings_if_empty(keyword) :: :ok
      def populate_rings_if_empty(opts \\ []),
        do: CoderRing.populate_rings_if_empty(rings(), opts)

      @impl CoderRing
      def call(name, message) do
        case ring(name) do
          nil ->
            raise ArgumentError,
                  "no ring #{inspect(name)} in the configuration of #{inspect(@coder_ring_module)}"

          ring ->
            {reply, _ring} = CoderRing.invoke(ring, message)
            reply
        end
      end

      defoverridable call: 2
    end
  end

  @doc """
  A ring, from `:name` (an atom), `:repo`, `:base_length` (1 to 12, 4 by default) and
  `:expletive_blacklist` (`:english`, `:international`, or a list of words that
  `coderring_define_blocklist` has made; none by default).
  """
  @spec new(keyword) :: t
  def new(opts) do
    ring = %__MODULE__{
      name: opts[:name],
      base_length: opts[:base_length] || 4,
      blacklist: opts[:expletive_blacklist],
      repo: opts[:repo]
    }

    if ring.name == nil or not is_atom(ring.name),
      do: raise(ArgumentError, "the :name of a ring must be an atom, not #{inspect(ring.name)}")

    if ring.base_length not in 1..12,
      do: raise(ArgumentError, ":base_length must be 1 to 12, not #{inspect(ring.base_length)}")

    if ring.repo == nil or not is_atom(ring.repo),
      do: raise(ArgumentError, ":repo must be an Ecto.Repo, not #{inspect(ring.repo)}")

    unless is_atom(ring.blacklist) or is_binary(ring.blacklist),
      do:
        raise(
          ArgumentError,
          ":expletive_blacklist must be a name, not #{inspect(ring.blacklist)}"
        )

    ring
  end

  @doc "All rings that `module` has in the configuration of `otp_app`."
  @spec rings(atom, module) :: [t]
  def rings(otp_app, module) do
    config = Application.get_env(otp_app, module, [])

    for entry <- Keyword.get(config, :rings, []) do
      {name, opts} = if is_atom(entry), do: {entry, []}, else: entry
      new([name: name] ++ opts ++ [repo: config[:repo]])
    end
  end

  @doc "One of them by its name, or nil."
  @spec ring(atom, module, atom) :: t | nil
  def ring(otp_app, module, name), do: Enum.find(rings(otp_app, module), &(&1.name == name))

  @doc "Does what a message says: `{reply, ring}`."
  @spec invoke(t, any) :: {any, t}
  def invoke(ring, {:get_code, opts}) do
    # the library took whatever is not nil or false
    bump = !!opts[:bump]
    if bump, do: Logger.warning("CoderRing #{ring.name}: the uniquizer moves on (bump: true)")
    if !:persistent_term.get(compared(ring), false), do: warn_if_different(ring)

    [[code]] = query!(ring, "SELECT coderring_get_code($1, $2, $3)", [opts[:extra] || "", bump])

    {code, ring}
  end

  def invoke(ring, :reset) do
    query!(ring, "SELECT coderring_reset($1)")
    {:ok, ring}
  end

  @doc """
  How far the ring has come, or nil if the database does not have it (or the role may not use
  it): `%{name: name, series: series}` with a map for each extra. The library had one memo a
  ring, of the last extra.
  """
  @spec get_memo(t) :: map | nil
  def get_memo(ring) do
    with [_] <- query!(ring, "SELECT name FROM coderring.rings WHERE name = $1") do
      series =
        for [extra, cycle, uniquizer, cycle_offset] <-
              query!(ring, """
              SELECT extra, cycle, uniquizer, cycle_offset FROM coderring.series
              WHERE ring = $1 ORDER BY extra
              """) do
          %{extra: extra, cycle: cycle, uniquizer: uniquizer, cycle_offset: cycle_offset}
        end

      %{name: to_string(ring.name), series: series}
    else
      [] -> nil
    end
  end

  @doc "The ring with its memo."
  @spec load_memo(t) :: t
  def load_memo(ring), do: %{ring | memo: get_memo(ring)}

  @doc """
  Creates the ring if the database does not have it, and else looks whether it is that of the
  configuration. `opts` are the repo's.
  """
  @spec populate_if_empty(t, keyword) :: t
  def populate_if_empty(ring, opts \\ []) do
    case if(ring.memo, do: ring, else: load_memo(ring)) do
      %{memo: nil} = ring ->
        populate(ring, opts)

      ring ->
        warn_if_different(ring)
        ring
    end
  end

  @doc """
  Logs a warning if the database has another ring of that name than the configuration: one that
  was imported, for instance, filters no words. Is called by `populate_if_empty/2`, and with the
  first code of each ring that a node takes.
  """
  @spec warn_if_different(t) :: :ok
  def warn_if_different(ring) do
    sql = "SELECT base_length, blocklist FROM coderring.rings WHERE name = $1"

    with [[base_length, blocklist]] <- query!(ring, sql) do
      if base_length != ring.base_length do
        Logger.warning(
          "CoderRing #{ring.name}: base_length is #{base_length} in the database, and stays so; " <>
            "in the configuration it is #{ring.base_length}"
        )
      end

      if names(blocklist) != names(ring.blacklist) do
        Logger.warning(
          "CoderRing #{ring.name}: blocklist is #{inspect(blocklist)} in the database, and in the " <>
            "configuration #{inspect(ring.blacklist)}; correct it there, or call " <>
            "SELECT coderring_set_blocklist('#{ring.name}', #{literal(ring.blacklist)})"
        )
      end

      :persistent_term.put(compared(ring), true)
    end

    :ok
  end

  # What a node remembers of a ring that it has looked at.
  defp compared(ring), do: {__MODULE__, %{ring | memo: nil}}

  # A ring may have several lists: 'english, ours'.
  defp names(nil), do: []

  defp names(blocklist) do
    blocklist |> to_string() |> String.split(",") |> Enum.map(&String.trim/1) |> Enum.sort()
  end

  defp literal(nil), do: "NULL"
  defp literal(blocklist), do: "'#{blocklist}'"

  @doc "Creates the ring: one row, whatever its length. `opts` are the repo's."
  @spec populate(t, keyword) :: t
  def populate(ring, opts \\ []) do
    query!(
      ring,
      """
      SELECT coderring_create(name => $1, base_length => $2, blocklist => $3, if_not_exists => true)
      """,
      [ring.base_length, ring.blacklist && to_string(ring.blacklist)],
      opts
    )

    load_memo(ring)
  end

  @doc "Creates those of the rings that the database does not have."
  @spec populate_rings_if_empty([t], keyword) :: :ok
  def populate_rings_if_empty(rings, opts \\ []),
    do: Enum.each(rings, &populate_if_empty(&1, opts))

  # The rows of a query, whose first parameter is the ring's name. What to do about an error goes
  # into its message, because Postgrex does not show hints.
  defp query!(ring, sql, params \\ [], opts \\ []) do
    ring.repo.query!(sql, [to_string(ring.name) | params], opts).rows
  rescue
    error ->
      case error do
        %{postgres: %{message: message} = postgres} when is_binary(message) ->
          message = message <> remedy(postgres)
          reraise %{error | postgres: %{postgres | message: message}}, __STACKTRACE__

        _ ->
          reraise error, __STACKTRACE__
      end
  end

  defp remedy(%{code: code})
       when code in [:undefined_function, :undefined_table, :invalid_schema_name] do
    "; is the extension in this database? CREATE EXTENSION coderring WITH SCHEMA public"
  end

  defp remedy(%{hint: hint}) when is_binary(hint), do: "; hint: " <> hint
  defp remedy(_), do: ""
end

defmodule CoderRing.GenRing do
  @moduledoc """
  `use CoderRing.GenRing, otp_app: :my_app` as before. The children that a supervisor is given
  see to it that their rings exist, and then need no process.
  """

  defmacro __using__(opts) do
    quote do
      use CoderRing, unquote(opts)

      @doc "A child for each ring of the configuration."
      @spec child_specs :: [Supervisor.child_spec()]
      def child_specs, do: Enum.map(rings(), &child_spec(&1.name))

      @doc false
      @spec child_spec(atom) :: Supervisor.child_spec()
      def child_spec(name),
        do: %{id: {__MODULE__, name}, start: {__MODULE__, :start_link, [name]}}

      @doc "Creates the ring if the database does not have it."
      @spec start_link(atom) :: :ignore
      def start_link(name) do
        populate_if_empty(ring(name))
        :ignore
      end

      defoverridable child_specs: 0, child_spec: 1, start_link: 1
    end
  end
end

defmodule CoderRing.Migration do
  @moduledoc """
  For the application's old migration, where it runs on a new database: the library's tables are
  no longer needed there.
  """

  @doc "Does nothing."
  @spec change :: :ok
  def change, do: :ok
end
