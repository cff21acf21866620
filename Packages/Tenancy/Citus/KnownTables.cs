using Tenancy.Sql;

namespace Tenancy.Citus;

/// <summary>
/// The tables that the migrations so far have made in a tenant's schema: which have a primary key, and which columns
/// take their values from a sequence.
/// </summary>
internal sealed class KnownTables
{
    private readonly Dictionary<string, KnownTable> _tables = new(StringComparer.Ordinal);
    private readonly HashSet<string> _unusedSequences = new(StringComparer.Ordinal);

    /// <summary>Whether a column of a table is an identity, or has a sequence for its default.</summary>
    public bool HasSequence(string? table, string? column) =>
        table is not null && column is not null && _tables.GetValueOrDefault(table)?.Sequences.Contains(column) is true;

    /// <summary>Whether a sequence was made and no table takes its values from it.</summary>
    public bool IsUnused(string? sequence) => sequence is not null && _unusedSequences.Contains(sequence);

    /// <summary>The tables that end up without a primary key and without another replica identity.</summary>
    public IEnumerable<(string Name, string Migration, SqlStatement Statement)> WithoutKey =>
        from table in _tables
        where table.Value is { KeyColumns: null, HasIdentity: false }
        select (table.Key, table.Value.Migration, table.Value.Statement);

    /// <summary>Takes over what a statement does.</summary>
    public void Apply(string migration, SqlStatement statement)
    {
        var words = new WordReader(statement.Words);
        if (words.Take("create", "sequence"))
        {
            words.Skip("if", "not", "exists");
            _unusedSequences.Add(words.TakeName() ?? "");
        }

        if (TableStatement.Of(statement.Words) is not { } table || statement.Level > 0)
        {
            return;
        }

        if (WordReader.Calls(statement.Words, "nextval"))
        {
            // nextval('"__Tenant__".numbers')
            _unusedSequences.RemoveWhere(sequence => statement.Words.Any(word => word.Kind == LexemeKind.Literal
                && word.Text.Contains(sequence, StringComparison.Ordinal)));
        }

        switch (table.Verb)
        {
            case TableVerb.Drop:
                table.Tables.ToList().ForEach(name => _tables.Remove(name));
                break;
            case TableVerb.Create when !_tables.ContainsKey(table.Name):
                _tables[table.Name] = Made(table, new(migration, statement));
                break;
            case TableVerb.Alter when _tables.ContainsKey(table.Name):
                Alter(table);
                break;
        }
    }

    private KnownTable Made(TableStatement statement, KnownTable table)
    {
        table.KeyColumns = statement.PartitionOf is { } parent && _tables.TryGetValue(parent, out var whole)
            ? whole.KeyColumns
            : null;
        foreach (var part in statement.Parts)
        {
            var words = new WordReader(part);
            if (words.Take("like"))
            {
                var like = _tables.GetValueOrDefault(words.TakeName() ?? "");
                var keeps = WordReader.Has(part, "including", "all") || WordReader.Has(part, "including", "indexes");
                table.KeyColumns = keeps
                    ? like?.KeyColumns
                    : table.KeyColumns;
            }
            else if (TableStatement.IsConstraint(part))
            {
                table.AddKey(statement.Name, part);
            }
            else
            {
                table.AddColumn(statement.Name, part);
            }
        }

        return table;
    }

    private void Alter(TableStatement statement)
    {
        var table = _tables[statement.Name];
        foreach (var part in statement.Parts)
        {
            var words = new WordReader(part);
            if (words.Take("add"))
            {
                if (TableStatement.IsConstraint(words.Rest))
                {
                    table.AddKey(statement.Name, words.Rest);
                }
                else
                {
                    words.Skip("column", "if", "not", "exists");
                    table.AddColumn(statement.Name, words.Rest);
                }
            }
            else if (words.Take("replica", "identity"))
            {
                table.HasIdentity = words.IsAny("full", "using");
            }
            else if (words.Take("drop"))
            {
                table.Drop(words);
            }
            else if (words.Take("rename", "to"))
            {
                _tables.Remove(statement.Name);
                _tables[words.TakeName() ?? ""] = table;
            }
            else if (words.Take("rename"))
            {
                table.Rename(words);
            }
        }
    }
}
