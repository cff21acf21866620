namespace Tenancy.Sql;

/// <summary>The next expected part of a definition.</summary>
internal sealed partial class StatementReader
{
    private enum Expecting
    {
        Expression,
        Target,
        AfterTarget,
        Schema,
        AfterSchema,
    }

    /// <summary>The reader's state inside one pair of parentheses.</summary>
    private sealed class Frame
    {
        public Expecting Expects { get; set; }

        public NameRole Role { get; set; } = NameRole.Write;

        /// <summary>Whether a comma is followed by the next of them.</summary>
        public bool ListsTargets { get; set; }
    }
}
