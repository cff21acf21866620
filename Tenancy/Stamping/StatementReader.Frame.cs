namespace Tenancy.Stamping;

/// <summary>What is expected next, and what is known so far.</summary>
internal sealed partial class StatementReader
{
    private enum Expecting
    {
        Expression,
        Table,
        AfterTable,
        JoinCondition,
        Target,
        AfterTarget,
        Schema,
        AfterSchema,
        CommonTable,
        AfterCommonTable,
        CommonTableBody,
    }

    /// <summary>What is known inside one pair of parentheses.</summary>
    private sealed class Frame(Frame? outer)
    {
        public Expecting Expects { get; set; }

        public NameRole Role { get; set; } = NameRole.Write;

        /// <summary>Whether a comma is followed by the next of them.</summary>
        public bool ListsTargets { get; set; }

        public bool HasQuery { get; set; }

        public bool Updates { get; set; }

        public bool Deletes { get; set; }

        public bool UsingNamesTable { get; set; }

        public bool IsCommonTable { get; set; }

        public string? CommonTable { get; set; }

        public HashSet<string> CommonTables { get; } = [];

        public bool Knows(string name) => CommonTables.Contains(name) || outer?.Knows(name) == true;
    }
}
