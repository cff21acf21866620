// How EF writes a query's constants is experimental by name, because precompiled queries are; this part of it runs for
// every query.
#pragma warning disable EF9100

using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Storage;

namespace Tenancy.Queries;

/// <summary>
/// The code that EF makes of a query has the code that reads a row, and the one that finds the command, as lambdas
/// inside of it, and .NET makes a delegate of each whenever the outer code runs: for each query, and where a list is
/// included, for each row. They depend on nothing around them, so here they are made once, with the query.
/// </summary>
internal sealed class SharedRowReaders(
    ShapedQueryCompilingExpressionVisitorDependencies dependencies,
    RelationalShapedQueryCompilingExpressionVisitorDependencies relational,
    RelationalCommandBuilderDependencies commands)
        : RelationalLiftableConstantProcessor(dependencies, relational, commands)
{
    public override Expression InlineConstants(Expression expression, bool supportsPrecompiledQuery)
    {
        var inlined = base.InlineConstants(expression, supportsPrecompiledQuery);
        return inlined is LambdaExpression query
            ? Expression.Lambda(
                query.Type, new Lambdas().Visit(query.Body), query.Name, query.TailCall, query.Parameters)
            : inlined;
    }

    private sealed class Lambdas : ExpressionVisitor
    {
        protected override Expression VisitLambda<T>(Expression<T> node)
        {
            // From the inside out: within the code for a row, a collection that is included has lambdas of its own.
            var made = (Expression<T>)base.VisitLambda(node);
            return Variables.AreAllOf(made) ? Expression.Constant(made.Compile(), made.Type) : made;
        }

        /// <summary>A quoted lambda is data.</summary>
        protected override Expression VisitUnary(UnaryExpression node) =>
            node.NodeType == ExpressionType.Quote ? node : base.VisitUnary(node);

        /// <summary>A lambda that is called where it stands becomes part of the code around it.</summary>
        protected override Expression VisitInvocation(InvocationExpression node) =>
            node.Expression is LambdaExpression
                ? node.Update(node.Expression, Visit(node.Arguments))
                : base.VisitInvocation(node);
    }

    /// <summary>Looks for a variable that a lambda has from the code around it.</summary>
    private sealed class Variables : ExpressionVisitor
    {
        private readonly HashSet<ParameterExpression> _own = [];
        private bool _foreign;

        public static bool AreAllOf(LambdaExpression lambda)
        {
            var variables = new Variables();
            variables.Visit(lambda);
            return !variables._foreign;
        }

        protected override Expression VisitLambda<T>(Expression<T> node) =>
            Within(node.Parameters, () => base.VisitLambda(node));

        protected override Expression VisitBlock(BlockExpression node) =>
            Within(node.Variables, () => base.VisitBlock(node));

        protected override CatchBlock VisitCatchBlock(CatchBlock node)
        {
            _own.UnionWith(node.Variable is { } variable ? [variable] : []);
            return base.VisitCatchBlock(node);
        }

        protected override Expression VisitParameter(ParameterExpression node)
        {
            _foreign |= !_own.Contains(node);
            return node;
        }

        private Expression Within(IEnumerable<ParameterExpression> variables, Func<Expression> visit)
        {
            var added = variables.Where(_own.Add).ToList();
            var visited = visit();
            _own.ExceptWith(added);
            return visited;
        }
    }
}
