using Tenancy.Sql;

namespace Tenancy.Citus;

/// <summary>A table that a migration made, with the changes since.</summary>
/// <param name="migration">Its id.</param>
/// <param name="statement">Makes the table.</param>
internal sealed class KnownTable(string migration, SqlStatement statement)
{
    private string? _keyName;

    public string Migration => migration;

    public SqlStatement Statement => statement;

    /// <summary>The columns whose values come from a sequence.</summary>
    public HashSet<string> Sequences { get; } = [];

    /// <summary>The primary key's columns. Null where there is no key; empty where they are an index's.</summary>
    public IReadOnlyList<string>? KeyColumns { get; set; }

    /// <summary>REPLICA IDENTITY FULL, or USING INDEX.</summary>
    public bool HasIdentity { get; set; }

    /// <summary>Does nothing for a constraint that is no primary key.</summary>
    public void AddKey(string table, IReadOnlyList<Lexeme> constraint)
    {
        var words = new WordReader(constraint);
        var named = words.Take("constraint") ? words.TakeName() : null;
        if (words.Take("primary", "key"))
        {
            (_keyName, KeyColumns) = (named ?? $"{table}_pkey", [.. words.TakeList().Select(column => column[0].Text)]);
        }
    }

    public void AddColumn(string table, IReadOnlyList<Lexeme> definition)
    {
        var column = new ColumnDefinition(definition);
        if (column.HasSequence)
        {
            Sequences.Add(column.Name);
        }

        if (column.IsPrimaryKey)
        {
            (_keyName, KeyColumns) = (column.KeyName ?? $"{table}_pkey", [column.Name]);
        }
    }

    /// <summary>[COLUMN | CONSTRAINT] [IF EXISTS] name: the key goes with its constraint and with each
    /// column.</summary>
    public void Drop(WordReader words)
    {
        var constraint = words.Take("constraint");
        words.Skip("column", "if", "exists");
        var name = words.TakeName() ?? "";
        if (constraint ? _keyName == name : KeyColumns?.Contains(name) is true)
        {
            KeyColumns = null;
        }
    }

    /// <summary>[COLUMN | CONSTRAINT] name TO name</summary>
    public void Rename(WordReader words)
    {
        var constraint = words.Take("constraint");
        words.Skip("column");
        var (from, to) = (words.TakeName() ?? "", words.Take("to") ? words.TakeName() ?? "" : "");
        if (constraint)
        {
            _keyName = _keyName == from ? to : _keyName;
            return;
        }

        KeyColumns = KeyColumns?.Select(column => column == from ? to : column).ToList();
        if (Sequences.Remove(from))
        {
            Sequences.Add(to);
        }
    }
}
