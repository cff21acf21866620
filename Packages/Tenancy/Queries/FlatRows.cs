using System.Collections;
using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace Tenancy.Queries;

/// <summary>
/// Checks rows across tenants: values, and types whose fields are values. Two tenants' entities may have equal
/// keys, and EF takes equal keys for one entity, or for one owner of a collection.
/// </summary>
internal static class FlatRows
{
    /// <exception cref="InvalidOperationException">The row can hold an entity or a collection, or the query tracks
    /// entities or makes a collection on the way to a value.</exception>
    public static void RefuseOthers<TRow>(DbContext context, IQueryable<TRow> query)
    {
        var types = context.GetService<IRelationalTypeMappingSource>();
        if (WhyNot(typeof(TRow), context.Model, types, []) is { } why)
        {
            throw new InvalidOperationException(
                $"{typeof(TRow).Name} is no row for many tenants: {why}. Rows across tenants are flat, so that keys " +
                "of several tenants can't meet. Select the values that are needed.");
        }

        new Projections().Visit(query.Expression);
    }

    private static string? WhyNot(Type type, IModel model, IRelationalTypeMappingSource types, HashSet<Type> seen)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (!seen.Add(type))
        {
            return null;
        }

        if (IsCollection(type))
        {
            return $"{type.Name} is a collection";
        }

        if (model.GetEntityTypes().FirstOrDefault(entity => type.IsAssignableFrom(entity.ClrType)) is { } held)
        {
            return type == held.ClrType
                ? $"{type.Name} is an entity"
                : $"{type.Name} can hold the entity {held.ClrType.Name}";
        }

        // Npgsql maps a tuple of anything as a record.
        if (type.IsPrimitive || type.IsEnum
            || !typeof(ITuple).IsAssignableFrom(type) && types.FindMapping(type) is not null)
        {
            return null;
        }

        if (type.IsInterface || type.IsAbstract || type == typeof(object) || type.IsPointer
            || type.IsSubclassOf(typeof(Delegate)))
        {
            return $"{type.Name} can hold anything";
        }

        return FieldsOf(type).Select(field => WhyNot(field.FieldType, model, types, seen))
            .FirstOrDefault(why => why is not null);
    }

    /// <summary>Whatever an instance keeps is in a field, those behind properties included.</summary>
    private static IEnumerable<FieldInfo> FieldsOf(Type type)
    {
        for (var one = type; one is not null && one != typeof(object) && one != typeof(ValueType); one = one.BaseType)
        {
            foreach (var field in one.GetFields(
                BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            {
                yield return field;
            }
        }
    }

    private static bool IsCollection(Type type) =>
        type != typeof(string) && type != typeof(byte[]) && typeof(IEnumerable).IsAssignableFrom(type);

    /// <summary>The steps of a query from entities to a value.</summary>
    private sealed class Projections : ExpressionVisitor
    {
        protected override Expression VisitMethodCall(MethodCallExpression node)
        {
            var name = node.Method.Name;
            if (node.Method.DeclaringType == typeof(EntityFrameworkQueryableExtensions)
                && name is nameof(EntityFrameworkQueryableExtensions.AsTracking)
                    or nameof(EntityFrameworkQueryableExtensions.AsNoTrackingWithIdentityResolution))
            {
                throw new InvalidOperationException(
                    $"{name} makes one entity of those of several tenants that have equal keys: leave it out.");
            }

            if (!IsQuerys(node.Method.DeclaringType))
            {
                RefuseCollections(node.Arguments, name);
            }

            return base.VisitMethodCall(node);
        }

        protected override Expression VisitNew(NewExpression node)
        {
            RefuseCollections(node.Arguments, node.Type.Name);
            return base.VisitNew(node);
        }

        protected override MemberAssignment VisitMemberAssignment(MemberAssignment node)
        {
            RefuseCollections([node.Expression], node.Member.Name);
            return base.VisitMemberAssignment(node);
        }

        private static bool IsQuerys(Type? type) =>
            type == typeof(Queryable) || type == typeof(Enumerable)
                || type?.Namespace?.StartsWith("Microsoft.EntityFrameworkCore", StringComparison.Ordinal) == true;

        /// <summary>One that depends on a row is read with the row, by the row's key.</summary>
        private static void RefuseCollections(IEnumerable<Expression> arguments, string where)
        {
            foreach (var argument in arguments)
            {
                if (IsCollection(argument.Type) && new Rows().IsIn(argument))
                {
                    throw new InvalidOperationException(
                        $"{where} gets a collection of each row's, and rows of several tenants may have equal keys: " +
                        "count or sum it in the query, or read one tenant after the other.");
                }
            }
        }
    }

    private sealed class Rows : ExpressionVisitor
    {
        private bool _found;

        public bool IsIn(Expression expression)
        {
            Visit(expression);
            return _found;
        }

        protected override Expression VisitParameter(ParameterExpression node)
        {
            _found = true;
            return node;
        }
    }
}
