using System.Reflection;
using Microsoft.EntityFrameworkCore;

namespace Tenancy;

/// <summary>Configures one tenant context, from <see cref="TenancyBuilder.AddContext{TContext}"/>.</summary>
/// <typeparam name="TContext">The context.</typeparam>
public sealed class TenantContextBuilder<TContext> where TContext : DbContext
{
    private readonly List<Action<IServiceProvider, DbContextOptionsBuilder>> _configure = [];
    private readonly List<string> _replaced = [];

    internal TenantContextBuilder()
    {
    }

    internal Assembly? Migrations { get; private set; }

    internal IReadOnlyCollection<string> Replaced => _replaced;

    internal ContextLease? Lease { get; private set; }

    /// <summary>Whether the options are made for each scope, with its services.</summary>
    internal bool IsScoped { get; private set; }

    /// <summary>Adds to the context's options. The provider is set already: leave <c>UseNpgsql</c> out.</summary>
    /// <param name="configure">Runs once.</param>
    public TenantContextBuilder<TContext> Configure(Action<DbContextOptionsBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        _configure.Add((_, options) => configure(options));
        return this;
    }

    /// <summary>
    /// Adds to the context's options with services of the scope that the context is made for, e.g. an interceptor that
    /// knows the current user. The context is made for each scope then, not pooled.
    /// </summary>
    /// <param name="configure">Runs for each scope, and gets its services.</param>
    public TenantContextBuilder<TContext> Configure(Action<IServiceProvider, DbContextOptionsBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        IsScoped = true;
        _configure.Add(configure);
        return this;
    }

    /// <summary>
    /// Says that a schema which the model and its migrations name is the tenant's: of an application that had one
    /// schema before it had tenants. Its migrations stay as they are; the next one names the placeholder,
    /// <see cref="TenantPlaceholder.Schema"/>. May be called for several. What names no schema is the tenant's without
    /// a call.
    /// </summary>
    /// <param name="schema">E.g. <c>ordering</c>, or <c>public</c>.</param>
    public TenantContextBuilder<TContext> ReplaceSchema(string schema)
    {
        ArgumentException.ThrowIfNullOrEmpty(schema);
        _replaced.Add(schema);
        return this;
    }

    /// <summary>Says where the migrations are. Default: the context's own assembly.</summary>
    /// <param name="assembly">Its name, e.g. <c>Ordering.Migrations</c>.</param>
    /// <exception cref="FileNotFoundException">The application doesn't reference it.</exception>
    public TenantContextBuilder<TContext> MigrationsFrom(string assembly) => MigrationsFrom(Assembly.Load(assembly));

    /// <inheritdoc cref="MigrationsFrom(string)"/>
    public TenantContextBuilder<TContext> MigrationsFrom(Assembly assembly)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        Migrations = assembly;
        return this;
    }

    /// <summary>See <see cref="TenancyOptions.PerScope"/>; for this context alone.</summary>
    public TenantContextBuilder<TContext> PerScope()
    {
        Lease = ContextLease.PerScope;
        return this;
    }

    /// <summary>See <see cref="TenancyOptions.Pooled"/>; for this context alone.</summary>
    public TenantContextBuilder<TContext> Pooled()
    {
        Lease = ContextLease.Pooled;
        return this;
    }

    internal void Apply(IServiceProvider services, DbContextOptionsBuilder options) =>
        _configure.ForEach(configure => configure(services, options));
}
