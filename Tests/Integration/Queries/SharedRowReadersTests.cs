#pragma warning disable EF9100 // What EF itself uses instead is experimental by name.

using System.Linq.Expressions;
using System.Text.Json;
using System.Text.Json.Serialization;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Tenancy.Queries;
using Xunit;

namespace Tests.Integration.Queries;

/// <summary>
/// The code that reads a row is made once for a query, not once for each run or row. What is read is what EF reads by
/// its own.
/// </summary>
public sealed class SharedRowReadersTests(App app)
{
    private static readonly JsonSerializerOptions Text = new() { ReferenceHandler = ReferenceHandler.IgnoreCycles,
        WriteIndented = true };

    private static readonly (string Name, Func<Library, IQueryable<object>> Query)[] Queries =
    [
        ("rows", db => db.Shelves.OrderBy(s => s.Id)),
        ("rows not tracked", db => db.Shelves.AsNoTracking().OrderBy(s => s.Id)),
        ("a list", db => db.Shelves.Include(s => s.Items).OrderBy(s => s.Id)),
        ("a list not tracked", db => db.Shelves.AsNoTracking().Include(s => s.Items).OrderBy(s => s.Id)),
        ("a list with identities",
            db => db.Items.AsNoTrackingWithIdentityResolution().Include(i => i.Shelf).OrderBy(i => i.Id)),
        ("a list as a split query",
            db => db.Shelves.AsNoTracking().Include(s => s.Items).AsSplitQuery().OrderBy(s => s.Id)),
        ("a tracked list as a split query",
            db => db.Shelves.Include(s => s.Items).ThenInclude(i => i.Topics).AsSplitQuery().OrderBy(s => s.Id)),
        ("lists in lists",
            db => db.Shelves.AsNoTracking().Include(s => s.Items).ThenInclude(i => i.Topics).OrderBy(s => s.Id)),
        ("some of a list",
            db => db.Shelves.AsNoTracking()
                .Include(s => s.Items.Where(i => EF.Functions.Like(i.Title, "book%")).OrderByDescending(i => i.Id)
                    .Take(2)).OrderBy(s => s.Id)),
        ("a hierarchy", db => db.Items.AsNoTracking().OrderBy(i => i.Id)),
        ("one kind of a hierarchy", db => db.Items.OfType<Book>().OrderBy(b => b.Id)),
        ("documents not tracked",
            db => db.Items.OfType<Book>().AsNoTracking().Where(b => b.Contents != null).OrderBy(b => b.Id)),
        ("a part of documents",
            db => db.Items.OfType<Book>().AsNoTracking().Where(b => b.Contents != null).OrderBy(b => b.Id)
                .Select(b => b.Contents!.Chapters)),
        ("projections",
            db => db.Shelves.OrderBy(s => s.Id).Select(s => new { s.Name, s.Place!.Room, Count = s.Items.Count })),
        ("lists in projections",
            db => db.Shelves.OrderBy(s => s.Id)
                .Select(s => new { s.Name, Titles = s.Items.OrderBy(i => i.Id).Select(i => i.Title).ToList() })),
        ("lists in lists in projections",
            db => db.Shelves.OrderBy(s => s.Id)
                .Select(s => new { s.Name,
                    Of = s.Items.OrderBy(i => i.Id)
                        .Select(i => new { i.Title, Topics = i.Topics.OrderBy(t => t.Id).ToList() }).ToList() })),
        ("split lists in projections",
            db => db.Shelves.OrderBy(s => s.Id).AsSplitQuery()
                .Select(s => new { s.Name, Titles = s.Items.OrderBy(i => i.Id).Select(i => i.Title).ToList() })),
        ("distinct lists in projections",
            db => db.Shelves.OrderBy(s => s.Id)
                .Select(s => new { s.Name, Sizes = s.Items.Select(i => i.Size.Width).Distinct().ToList() })),
        ("the first of a list",
            db => db.Shelves.OrderBy(s => s.Id)
                .Select(s => new { s.Name, First = s.Items.OrderByDescending(i => i.Id).FirstOrDefault() })),
        ("groups", db =>
            db.Items.GroupBy(i => i.Condition).OrderBy(g => g.Key)
                .Select(g => new { g.Key, Count = g.Count(), Most = g.Max(i => i.Size.Height) })),
        ("groups with their rows", db => db.Items.AsNoTracking().OrderBy(i => i.Id).GroupBy(i => i.ShelfId)),
        ("groups with their rows as a split query",
            db => db.Items.AsNoTracking().Include(i => i.Topics).AsSplitQuery().OrderBy(i => i.Id)
                .GroupBy(i => i.ShelfId)),
        ("joins", db =>
            db.Items.LeftJoin(db.Shelves, i => i.ShelfId + 1, s => s.Id, (i, s) => new { i.Title, Next = s!.Name })
                .OrderBy(x => x.Title).ThenBy(x => x.Next)),
        ("unions", db =>
            db.Items.OfType<Book>().Select(b => b.Title).Union(db.Shelves.Select(s => s.Name)).OrderBy(x => x)),
        ("code of the client's", db => db.Items.OrderBy(i => i.Id).Select(i => Spelled(i))),
        ("SQL by hand", db => db.Topics.FromSql($"SELECT * FROM \"Topics\" ORDER BY \"Id\"")),
        ("scalars", db =>
            db.Database.SqlQuery<string>($"SELECT \"Name\" AS \"Value\" FROM \"Topics\"").OrderBy(x => x)),
    ];

    [Fact]
    public async Task Every_kind_of_query_reads_what_EF_reads()
    {
        var schema = (await app.NewCustomerAsync()).Tenant.Schema.Value;
        await using (var db = Open(schema, once: false))
        {
            await db.GetService<IRelationalDatabaseCreator>().CreateTablesAsync(TestContext.Current.CancellationToken);
            var shelves = Library.Filled().ToList();
            var topics = Enumerable.Range(1, 3).Select(number => new Topic { Id = number, Name = $"topic {number}" })
                .ToList();
            foreach (var (place, item) in shelves.SelectMany(shelf => shelf.Items).Index())
            {
                item.Topics.AddRange(topics.Take(place % 4));
            }

            db.AddRange(shelves);
            db.AddRange(topics);
            await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        }

        foreach (var (name, query) in Queries)
        {
            // Twice: as the query is made, and as it is found.
            for (var run = 0; run < 2; run++)
            {
                await using var ours = Open(schema, once: true);
                await using var efs = Open(schema, once: false);
                var expected = Written(await query(efs).ToListAsync(TestContext.Current.CancellationToken));

                Assert.True(expected.Length > 10, $"{name} reads nothing.");
                Assert.True(expected == Written(await query(ours).ToListAsync(TestContext.Current.CancellationToken)),
                    $"{name} is different.");
                // And synchronously, for which EF makes other code.
                ours.ChangeTracker.Clear();
                Assert.True(expected == Written(query(ours).ToList()), $"{name} is different when read at once.");
            }
        }
    }

    [Fact]
    public async Task Rows_of_an_included_list_cost_no_delegates()
    {
        var acme = await app.NewCustomerAsync();
        const int invoices = 40;
        for (var number = 0; number < invoices; number++)
        {
            await acme.CreateInvoiceAsync(total: 10);
        }

        long ours = Bytes(acme.Tenant, efs: false), efs = Bytes(acme.Tenant, efs: true);

        // EF makes some for each row: a delegate has 64 bytes, what it is bound to some more.
        Assert.True(ours < efs - invoices * 64, $"{ours} bytes, and {efs} by EF's own code.");
    }

    [Fact]
    public void A_lambda_that_takes_a_variable_from_around_it_stays_where_it_is()
    {
        var options = new DbContextOptionsBuilder<InvoicingContext>();
        options.UseNpgsql(app.ConnectionString).UseTenancy();
        using var context = new InvoicingContext(options.Options);
        var processor = context.GetService<ILiftableConstantProcessor>();
        Assert.IsType<SharedRowReaders>(processor);
        var two = 2;
        Expression<Func<int, int>> query = x =>
            Apply(y => y + 1, x)                                       // closed
            + Apply(y => y + x, x)                                     // takes x
            + Apply(y => Apply(z => z + y, y) + Apply(z => z * 3, 1), x) // closed, and of the two within it one
            + Parts(y => y + 5)                                        // data
            + two;

        var made = (Expression<Func<int, int>>)processor.InlineConstants(query, supportsPrecompiledQuery: false);

        Assert.Equal(query.Compile()(10), made.Compile()(10));
        var left = new Left();
        left.Visit(made.Body);
        Assert.Equal(["y => (y + x)", "y => (y + 5)"], left.Lambdas);
    }

    private static int Apply(Func<int, int> function, int value) => function(value);

    private static int Parts(Expression<Func<int, int>> function) => function.ToString().Length;

    private static string Spelled(Item item) =>
        $"{item.Title} of {item.Size.Width} by {item.Size.Height}, {string.Join(", ", item.Tags)}";

    private static string Written(IEnumerable<object> rows) =>
        JsonSerializer.Serialize(
            rows.Select(row => row is IEnumerable<Item> group ? group.Cast<object>().ToList() : row).ToList(), Text);

    /// <summary>
    /// A customer's schema, in which the sample's tables are as well; a context of one schema, with EF's code but for
    /// the part in question.
    /// </summary>
    private Library Open(string schema, bool once)
    {
        var options = new DbContextOptionsBuilder<Library>().UseNpgsql(app.ConnectionString + $";Search Path={schema}");
        if (once)
        {
            options.ReplaceService<ILiftableConstantProcessor, SharedRowReaders>();
        }

        return new Library(options.Options, schema);
    }

    private long Bytes(Tenant tenant, bool efs)
    {
        var options = new DbContextOptionsBuilder<InvoicingContext>();
        options.UseNpgsql(app.Services.GetRequiredService<NpgsqlDataSource>())
            .UseTenancy(new() { EfOptimizations = !efs });
        var least = long.MaxValue;
        for (var run = 0; run < 10; run++)
        {
            using var context = new InvoicingContext(options.Options).For(tenant);
            var before = GC.GetAllocatedBytesForCurrentThread();
            _ = context.Invoices.AsNoTracking().Include(invoice => invoice.Lines).ToList();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }

    private sealed class Left : ExpressionVisitor
    {
        public List<string> Lambdas { get; } = [];

        protected override Expression VisitLambda<T>(Expression<T> node)
        {
            Lambdas.Add(node.ToString());
            return base.VisitLambda(node);
        }
    }
}
