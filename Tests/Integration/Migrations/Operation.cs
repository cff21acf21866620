using Microsoft.EntityFrameworkCore.Migrations;

namespace Tests.Integration.Migrations;

/// <summary>One use of EF's migration builder in a tenant's migration, and what has to come of it.</summary>
/// <param name="Name">In the test's name.</param>
/// <param name="Do">The operations.</param>
internal sealed record Operation(string Name, Action<MigrationBuilder> Do)
{
    /// <summary>A query about the schema, with <c>{0}</c> for its name; its answer is <see cref="Answer"/>.</summary>
    public string? Query { get; init; }

    public string? Answer { get; init; }

    /// <summary>A part of the message where the operation is refused.</summary>
    public string? Refusal { get; init; }

    public static Operation Works(string name, Action<MigrationBuilder> @do, string query, string answer) =>
        new(name, @do) { Query = query, Answer = answer };

    public static Operation Refused(string name, Action<MigrationBuilder> @do, string refusal) =>
        new(name, @do) { Refusal = refusal };
}
