using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.AspNetCore;
using Xunit;

namespace Tests.Integration.Adoption;

/// <summary>Query filters that read the context's own properties, as soft deletes and rights are written.</summary>
public sealed class QueryFilterTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_filter_reads_the_contexts_property_of_each_scope()
    {
        await using var site = await ShopSite.StartAsync(app,
            tenancy => tenancy.AddContext<NotesContext>().Resolve(request => request.Header("X-Shop")), _ => { },
            builder => builder.Services.AddScoped<ActingUser>());
        foreach (var slug in new[] { "acme", "globex" })
        {
            await using var scope = await site.Tenants.ServeAsync(slug, Ct);
            var db = scope.Services.GetRequiredService<NotesContext>();
            db.AddRange(
                new Note { Text = $"{slug}, Ada's", Owner = "Ada" }, new Note { Text = $"{slug}, Bob's", Owner = "Bob" },
                new Note { Text = $"{slug}, Ada's and deleted", Owner = "Ada", Deleted = true });
            await db.SaveChangesAsync(Ct);
        }

        // In turn, over the same compiled query.
        for (var round = 0; round < 3; round++)
        {
            foreach (var (slug, user) in new[] { ("acme", "Ada"), ("globex", "Bob"), ("acme", "Bob"), ("globex", "Ada") })
            {
                await using var scope = await site.Tenants.ServeAsync(slug, Ct);
                scope.Services.GetRequiredService<ActingUser>().Name = user;
                var db = scope.Services.GetRequiredService<NotesContext>();
                Assert.Equal([$"{slug}, {user}'s"], await db.Notes.Select(note => note.Text).ToListAsync(Ct));
                db.ShowDeleted = true;
                Assert.Equal(user == "Ada" ? 2 : 1, await db.Notes.CountAsync(Ct));
                Assert.Equal(3, await db.Notes.IgnoreQueryFilters().CountAsync(Ct));
                Assert.Equal(0, await db.Notes.Where(note => note.Owner != user).ExecuteDeleteAsync(Ct));
            }
        }
    }

    internal sealed class NotesContext(DbContextOptions<NotesContext> options, ActingUser user) : DbContext(options)
    {
        public DbSet<Note> Notes => Set<Note>();

        public bool ShowDeleted { get; set; }

        private string User => user.Name;

        protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.Entity<Note>()
            .HasQueryFilter(note => note.Owner == User && (ShowDeleted || !note.Deleted));
    }

    internal sealed class Note
    {
        public Guid Id { get; init; } = Guid.CreateVersion7();

        public string Text { get; init; } = "";

        public string Owner { get; init; } = "";

        public bool Deleted { get; init; }
    }

    [DbContext(typeof(NotesContext))]
    [Migration("20260101000000_Notes")]
    internal sealed class MakeNotes : Migration
    {
        protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.CreateTable("Notes", table => new
        {
            Id = table.Column<Guid>(nullable: false),
            Text = table.Column<string>(nullable: false),
            Owner = table.Column<string>(nullable: false),
            Deleted = table.Column<bool>(nullable: false),
        }, constraints: table => table.PrimaryKey("PK_Notes", note => note.Id));
    }
}
