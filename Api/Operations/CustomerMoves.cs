using System.ComponentModel.DataAnnotations;
using System.Diagnostics.CodeAnalysis;
using Api.Contract;
using Api.Tenants;
using Microsoft.AspNetCore.Http.HttpResults;
using Tenancy;

namespace Api.Operations;

/// <summary>For operators: a customer moves to another database, or to another node. It is an operation.</summary>
internal static class CustomerMoves
{
    public static async Task<Results<Accepted<OperationView>, ValidationProblem, ProblemHttpResult>> Move(
        string slug, CustomerMove move, HttpContext http, Tenancy.Tenants tenants, TenantOperations operations,
        TenancyOptions tenancy, CancellationToken ct)
    {
        using var scope = http.Name(slug);
        if (move.Database is null == move.Node is null)
        {
            return Refuse("database", "Say where the customer moves to: name a database or a node, not both.");
        }

        if (tenancy.RefuseUnknown(move.Database, "Name a node instead") is { } refused)
        {
            return refused;
        }

        if (move.Node is not null && !IsNode(move.Node, out var why))
        {
            return Refuse("node", why);
        }

        return await CustomerCopies.ExistsAsync(tenants, slug, ct)
            ? await CustomerCopies.AskAsync(http, operations, OperationKinds.Move, slug,
                move.Database is { } database ? new() { ["database"] = database } : new() { ["node"] = move.Node },
                null, ct)
            : CustomerProblems.Unknown(slug);
    }

    private static bool IsNode(string text, [NotNullWhen(false)] out string? why)
    {
        try
        {
            TenantNode.Parse(text);
            why = null;
            return true;
        }
        catch (FormatException e)
        {
            why = e.Message;
            return false;
        }
    }

    private static ValidationProblem Refuse(string field, string why) =>
        TypedResults.ValidationProblem(new Dictionary<string, string[]> { [field] = [why] });
}

/// <summary>Where a customer moves to: a database or a node.</summary>
/// <param name="Database">The database; <c>first</c> is the first one. The customer isn't served while its rows are
/// copied, and its schema gets another name.</param>
/// <param name="Node">The node of a Citus cluster, <c>host:port</c> as the coordinator knows it. The customer is served
/// meanwhile.</param>
public sealed record CustomerMove(
    [property: RegularExpression(ChosenDatabase.Pattern, ErrorMessage = ChosenDatabase.Rule)] string? Database = null,
    [property: StringLength(CustomerMove.LongestNode, MinimumLength = 3), PlainText(AllowBlank = false)]
    string? Node = null)
{
    /// <summary>The longest name of a host, and a port.</summary>
    internal const int LongestNode = 255 + 6;
}
