using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Storage;
using Tenancy.Fleet;
using Tenancy.Leasing;

namespace Tenancy.Sql;

/// <summary>
/// A command of a tenant context. Its text has the placeholder; each DbCommand that is made of it is checked by the
/// guard and gets the schema of the tenant that the connection's context serves. EF keeps the commands of its compiled
/// queries, and with them their templates.
/// </summary>
internal sealed class TenantCommand(
    RelationalCommandBuilderDependencies dependencies, string text, string logText,
    IReadOnlyList<IRelationalParameter> parameters)
    : RelationalCommand(dependencies, text, logText, parameters)
{
    /// <summary>
    /// The method that ToQueryString and CreateDbCommand pass to <see cref="CreateDbCommand"/>. They execute nothing.
    /// </summary>
    private const DbCommandMethod NotExecuted = (DbCommandMethod)(-1);

    private SqlTemplate _template = SqlTemplateCache.Shared.Of(text);
    private TenantBinding? _executedFor;

    /// <summary>Which of the connection's leases has rented it.</summary>
    public int Lease { get; set; }

    /// <summary>Whether the library wrote the text: then the guard doesn't read it.</summary>
    public bool IsOwn { get; init; }

    /// <summary>EF logs this, not the command's own text: it may have constants replaced by question marks.</summary>
    public override string LogCommandText =>
        _executedFor is { } binding ? binding.TextOf(SqlTemplateCache.Shared.Of(base.LogCommandText)) : base.LogCommandText;

    /// <summary>
    /// LINQ executes a rented command that is filled from the compiled query's; that one serves all tenants at once and
    /// never changes.
    /// </summary>
    public override void PopulateFrom(IRelationalCommandTemplate commandTemplate)
    {
        _executedFor = null;
        base.PopulateFrom(commandTemplate);
        _template = commandTemplate is TenantCommand template ? template._template : SqlTemplateCache.Shared.Of(CommandText);
    }

    public override DbCommand CreateDbCommand(
        RelationalCommandParameterObject parameterObject, Guid commandId, DbCommandMethod commandMethod)
    {
        if (parameterObject.Connection is not TenantConnection connection)
        {
            throw new InvalidOperationException(
                "A tenant's context doesn't create or delete databases, which all tenants share: do that by a " +
                "context of the shared schema.");
        }

        var binding = connection.Binding;
        if (commandMethod != NotExecuted)
        {
            _executedFor = binding;
        }

        var command = base.CreateDbCommand(parameterObject, commandId, commandMethod);
        // An interceptor of the application's may have written a text of its own by now.
        var unchanged = ReferenceEquals(command.CommandText, CommandText);
        var template = unchanged ? _template : SqlTemplateCache.Shared.Of(command.CommandText);
        if (binding.IsGuarded && (!IsOwn || !unchanged))
        {
            template.Guard(connection.Shared, binding.Metrics);
        }

        var text = binding.TextOf(template);
        text = template.HasAtomicBody && command.Parameters.Count == 0 ? DoBlock.Of(text) : text;
        // In the same message, hence in the same transaction, though nobody began one.
        command.CommandText = commandMethod != NotExecuted && binding.Switch is { Length: > 0 } role
            ? role + text
            : text;
        return command;
    }

    protected override RelationalDataReader CreateRelationalDataReader() => new LeasedReader();

    public override Task<RelationalDataReader> ExecuteReaderAsync(
        RelationalCommandParameterObject parameterObject, CancellationToken cancellationToken = default) =>
            parameterObject.Connection is TenantConnection { Binding.Chunk: { } chunk }
                ? ReadAsync(chunk, parameterObject, cancellationToken)
                : base.ExecuteReaderAsync(parameterObject, cancellationToken);

    private async Task<RelationalDataReader> ReadAsync(
        TenantChunk chunk, RelationalCommandParameterObject parameterObject, CancellationToken ct)
    {
        var reader = await base.ExecuteReaderAsync(parameterObject, ct);
        chunk.Rows = reader.DbDataReader;
        return reader;
    }
}
