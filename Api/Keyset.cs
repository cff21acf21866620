using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query;

namespace Api;

/// <summary>
/// An order in which no two rows are equal: by a key, and by an id where keys are equal. So a page can begin after a
/// row, and rows that come or go before it move nothing. Null is the greatest key, as PostgreSQL sorts it.
/// </summary>
/// <typeparam name="TRow">What is sorted: an entity.</typeparam>
/// <typeparam name="TItem">What the list shows of it, the key and the id included.</typeparam>
internal abstract class Keyset<TRow, TItem>
{
    /// <summary>The name that a request asks for it by.</summary>
    public abstract string Name { get; }

    /// <summary>The rows in this order.</summary>
    public abstract IQueryable<TRow> Sort(IQueryable<TRow> rows);

    /// <summary>The rows that come after the cursor's.</summary>
    /// <returns>Null where the cursor is damaged or another order's.</returns>
    public abstract IQueryable<TRow>? After(IQueryable<TRow> rows, string cursor);

    /// <summary>Says where the item is, for <see cref="After"/>.</summary>
    public abstract string CursorOf(TItem item);

    /// <param name="name">The order's name.</param>
    /// <param name="key">What is sorted by, and how an item has it.</param>
    /// <param name="keyOf">How an item has it.</param>
    /// <param name="id">No two rows have the same.</param>
    /// <param name="idOf">How an item has it.</param>
    /// <param name="descending">Whether the greatest come first, ids included.</param>
    /// <param name="isNullable">Whether rows may have no key.</param>
    public static Keyset<TRow, TItem> By<TKey, TId>(
        string name, Expression<Func<TRow, TKey>> key, Func<TItem, TKey> keyOf, Expression<Func<TRow, TId>> id,
        Func<TItem, TId> idOf, bool descending = false, bool isNullable = false) =>
        new Order<TKey, TId>(name, descending, isNullable, key, keyOf, id, idOf);

    /// <summary>By the id alone.</summary>
    public static Keyset<TRow, TItem> ById<TId>(
        string name, Expression<Func<TRow, TId>> id, Func<TItem, TId> idOf, bool descending = false) =>
        new Order<object, TId>(name, descending, isNullable: true, null, _ => null!, id, idOf);

    private sealed class Order<TKey, TId>(
        string name, bool descending, bool isNullable, Expression<Func<TRow, TKey>>? key, Func<TItem, TKey> keyOf,
        Expression<Func<TRow, TId>> id, Func<TItem, TId> idOf) : Keyset<TRow, TItem>
    {
        private readonly ParameterExpression _row = id.Parameters[0];

        public override string Name => name;

        private Expression? Key => key is null
            ? null
            : ReplacingExpressionVisitor.Replace(key.Parameters[0], _row, key.Body);

        public override IQueryable<TRow> Sort(IQueryable<TRow> rows) => (key, descending) switch
        {
            (null, false) => rows.OrderBy(id),
            (null, true) => rows.OrderByDescending(id),
            (_, false) => rows.OrderBy(key).ThenBy(id),
            (_, true) => rows.OrderByDescending(key).ThenByDescending(id),
        };

        public override IQueryable<TRow>? After(IQueryable<TRow> rows, string cursor) =>
            Cursor<TKey, TId>.Read(cursor) is { } at && at.Sort == name && at.Descending == descending
                && (isNullable || at.Key is not null)
                ? rows.Where(Expression.Lambda<Func<TRow, bool>>(IsAfter(at), _row))
                : null;

        public override string CursorOf(TItem item) =>
            new Cursor<TKey, TId>(name, descending, keyOf(item), idOf(item)).Write();

        private Expression IsAfter(Cursor<TKey, TId> at)
        {
            var idIsAfter = descending
                ? Expression.LessThan(id.Body, Parameter(at.Id))
                : Expression.GreaterThan(id.Body, Parameter(at.Id));
            if (Key is not { } rowsKey)
            {
                return idIsAfter;
            }

            var isNull = isNullable ? Expression.Equal(rowsKey, Expression.Constant(null, typeof(TKey))) : null;
            if (at.Key is null)
            {
                var sameKey = Expression.AndAlso(isNull!, idIsAfter);
                return descending ? Expression.OrElse(Expression.Not(isNull!), sameKey) : sameKey;
            }

            // One comparison of rows, (key, id) > (k, i): PostgreSQL finds its beginning in an index of the key. It is
            // never true of null, which comes last going up, and before every key going down.
            var keyIsAfter = Expression.Call(
                typeof(NpgsqlDbFunctionsExtensions),
                descending ? nameof(NpgsqlDbFunctionsExtensions.LessThan) : nameof(NpgsqlDbFunctionsExtensions.GreaterThan),
                null, Expression.Property(null, typeof(EF), nameof(EF.Functions)), Pair(rowsKey, id.Body),
                Pair(Parameter(at.Key), Parameter(at.Id)));
            return isNull is null || descending ? keyIsAfter : Expression.OrElse(keyIsAfter, isNull);
        }

        private static UnaryExpression Pair(Expression key, Expression id) => Expression.Convert(
            Expression.Call(typeof(ValueTuple), nameof(ValueTuple.Create), [typeof(TKey), typeof(TId)], key, id),
            typeof(ITuple));

        /// <summary>EF makes a parameter of a captured variable, and a literal of a constant.</summary>
        private static MemberExpression Parameter<T>(T value) =>
            Expression.Field(Expression.Constant(new StrongBox<T>(value)), nameof(StrongBox<>.Value));
    }
}
