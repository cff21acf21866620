namespace Tenancy.Migrations;

/// <summary>What an operation is in the text that makes a new schema, said by an annotation of the operation.</summary>
internal static class NewSchema
{
    public const string Annotation = "Tenancy:NewSchema";

    /// <summary>It runs before all others: the schema is empty then.</summary>
    public const string First = "first";

    /// <summary>Its effect is there already.</summary>
    public const string LeftOut = "left out";

    /// <summary>It undoes what others do, so all of the build's run in their order.</summary>
    public const string InOrder = "in order";
}
