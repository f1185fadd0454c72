# The one function of a repo that coder_ring.ex calls, for a machine that has no Ecto: each query
# is a psql.

defmodule Postgrex.Error do
  defexception [:postgres]

  @impl true
  def message(%{postgres: postgres}), do: postgres.message
end

defmodule Repo do
  @numbers ~w(base_length cycle cycle_offset)
  @conditions %{
    "42P01" => :undefined_table,
    "42883" => :undefined_function,
    "3F000" => :invalid_schema_name
  }

  def query!(sql, params \\ [], _opts \\ []) do
    sql = Regex.replace(~r/\$(\d+)/, sql, &literal(Enum.at(params, String.to_integer(&2) - 1), &1))
    options = ~w(-Xq --csv -P null=NULL -v VERBOSITY=verbose -v ON_ERROR_STOP=1)
    script = ~s(exec psql "$@" 2>messages)
    {output, status} = System.cmd("sh", ["-c", script, "psql"] ++ options ++ ["-c", sql])
    messages = File.read!("messages")
    if status != 0, do: raise(Postgrex.Error, postgres: error(messages))
    [head | rows] = for(line <- String.split(output, "\n", trim: true), do: String.split(line, ",")) ++ [[], []]

    %{
      messages: messages,
      rows: for(row <- rows, row != [], do: Enum.zip_with(head, row, &value/2))
    }
  end

  defp literal(nil, _), do: "NULL"
  defp literal(value, _) when is_boolean(value) or is_integer(value), do: to_string(value)
  defp literal(value, _), do: "'" <> String.replace(value, "'", "''") <> "'"

  defp value(_, "NULL"), do: nil
  defp value(column, value) when column in @numbers, do: String.to_integer(value)
  defp value(_, value), do: value

  defp error(messages) do
    [_, code, message] = Regex.run(~r/(?:ERROR|FATAL):  (\w+): (.*)/, messages)
    hint = Regex.run(~r/HINT:  (.*)/, messages, capture: :all_but_first) || [nil]
    %{code: @conditions[code], message: message, hint: hd(hint)}
  end
end
