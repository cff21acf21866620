using System.Reflection;
using Microsoft.EntityFrameworkCore;

namespace Tenancy.Leasing;

/// <summary>
/// Finds a context type's state that EF doesn't reset when a pooled context goes back: the next tenant would find it.
/// </summary>
internal static class ContextState
{
    /// <summary>
    /// Whether it has a field, a property that can be set, or a service of its own. <c>DbSet</c> properties and the
    /// options don't count: they are the same for every tenant.
    /// </summary>
    public static bool Has(Type context) => !TakesOptionsAlone(context) || Types(context).Any(type =>
        type.GetFields(Declared).Any(field => !IsEFs(field.FieldType))
            || type.GetProperties(Declared).Any(property => property.CanWrite && !IsEFs(property.PropertyType)));

    /// <summary>Whether its one constructor takes the options and nothing else, as EF's pool needs it.</summary>
    public static bool TakesOptionsAlone(Type context) =>
        context.GetConstructors() is [var only]
            && only.GetParameters() is [{ ParameterType: var parameter }]
            && typeof(DbContextOptions).IsAssignableFrom(parameter);

    private const BindingFlags Declared =
        BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private static IEnumerable<Type> Types(Type context)
    {
        for (var type = context; type is not null && type != typeof(DbContext); type = type.BaseType)
        {
            yield return type;
        }
    }

    private static bool IsEFs(Type type) =>
        typeof(DbContextOptions).IsAssignableFrom(type)
            || type.IsGenericType && type.GetGenericTypeDefinition() == typeof(DbSet<>);
}
