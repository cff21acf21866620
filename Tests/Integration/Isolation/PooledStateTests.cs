// What a context does after its scope is what is tested.
#pragma warning disable TEN002

using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using Tenancy;
using Tenancy.Leasing;
using Xunit;

namespace Tests.Integration.Isolation;

/// <summary>What one scope leaves in its context, the next tenant's scope doesn't find.</summary>
public sealed class PooledStateTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("connection string")]
    [InlineData("connection")]
    [InlineData("database")]
    [InlineData("timeout")]
    public async Task What_was_set_on_the_connection_ends_with_the_lease(string what)
    {
        var (acme, globex) = await CustomersAsync();
        await using var services = Services<InvoicingContext>();
        await using var own = new NpgsqlConnection(app.ConnectionString);
        var first = await InScopeAsync<InvoicingContext>(services, acme, db =>
        {
            switch (what)
            {
                case "connection string":
                    db.Database.SetConnectionString("Host=elsewhere.invalid");
                    break;
                case "connection":
                    db.Database.SetDbConnection(own);
                    break;
                case "database":
                    db.Database.OpenConnection();
                    db.Database.GetDbConnection().ChangeDatabase("postgres");
                    break;
                default:
                    db.Database.SetCommandTimeout(1);
                    break;
            }

            return Task.FromResult(db);
        });

        await InScopeAsync<InvoicingContext>(services, globex, async db =>
        {
            Assert.Same(first, db);
            Assert.Equal([globex.Slug], await db.Contacts.Select(c => c.Name).ToListAsync(Ct));
            Assert.NotSame(own, db.Database.GetDbConnection());
            Assert.NotEqual(1, db.Database.GetCommandTimeout());
            return db;
        });
    }

    [Fact]
    public async Task A_notice_handler_hears_nothing_of_the_next_tenant()
    {
        var (acme, globex) = await CustomersAsync();
        await using var services = Services<InvoicingContext>();
        var heard = 0;
        await InScopeAsync<InvoicingContext>(services, acme, db =>
        {
            ((NpgsqlConnection)db.Database.GetDbConnection()).Notice += (_, _) => heard++;
            ((NpgsqlConnection)db.Database.GetDbConnection()).StateChange += (_, _) => heard++;
            return Task.FromResult(db);
        });

        await InScopeAsync<InvoicingContext>(services, globex, async db =>
        {
            await db.Contacts.ToListAsync(Ct);
            await db.Database.ExecuteSqlRawAsync("CREATE TABLE IF NOT EXISTS \"__Tenant__\".contacts ()", Ct);
            return db;
        });

        Assert.Equal(0, heard);
    }

    [Fact]
    public async Task What_is_used_after_its_scope_throws_and_reads_nobodys_rows()
    {
        var (acme, globex) = await CustomersAsync();
        await using var services = Services<InvoicingContext>();
        IAsyncEnumerator<string>? begun = null;
        IAsyncEnumerator<string>? unbegun = null;
        IEnumerator<string>? sync = null;
        NpgsqlCommand? command = null;
        var context = await InScopeAsync<InvoicingContext>(services, acme, async db =>
        {
            db.Contacts.AddRange(new Contact { Name = "b" }, new Contact { Name = "c" });
            await db.SaveChangesAsync(Ct);
            begun = db.Contacts.Select(c => c.Name).AsAsyncEnumerable().GetAsyncEnumerator(Ct);
            Assert.True(await begun.MoveNextAsync());
            return db;
        });
        await InScopeAsync<InvoicingContext>(services, globex, async db =>
        {
            db.Contacts.Add(new Contact { Name = "second" });
            await db.SaveChangesAsync(Ct);
            return db;
        });
        await InScopeAsync<InvoicingContext>(services, acme, async db =>
        {
            unbegun = db.Contacts.Select(c => c.Name).AsAsyncEnumerable().GetAsyncEnumerator(Ct);
            sync = db.Contacts.Select(c => c.Name).AsEnumerable().GetEnumerator();
            await db.Database.OpenConnectionAsync(Ct);
            command = db.CreateTenantCommand("SELECT name FROM \"__Tenant__\".contacts");
            return db;
        });

        await InScopeAsync<InvoicingContext>(services, globex, async db =>
        {
            Assert.Same(context, db);
            await db.Database.OpenConnectionAsync(Ct);
            await using var rows = db.Contacts.Select(c => c.Name).AsAsyncEnumerable().GetAsyncEnumerator(Ct);
            Assert.True(await rows.MoveNextAsync());
            await Assert.ThrowsAnyAsync<InvalidOperationException>(async () => await begun!.MoveNextAsync());
            await Assert.ThrowsAnyAsync<InvalidOperationException>(async () => await unbegun!.MoveNextAsync());
            Assert.ThrowsAny<InvalidOperationException>(() => sync!.MoveNext());
            await Assert.ThrowsAnyAsync<InvalidOperationException>(() => command!.ExecuteScalarAsync(Ct));
            // Nor does it close what is open now, if it is disposed of so late.
            foreach (var late in new[] { begun!, unbegun! })
            {
                await Record.ExceptionAsync(async () => await late.DisposeAsync());
            }

            Assert.True(await rows.MoveNextAsync());
            Assert.False(await rows.MoveNextAsync());
            return db;
        });
    }

    [Fact]
    public async Task A_context_with_state_or_services_of_its_own_is_made_for_each_scope()
    {
        var (acme, globex) = await CustomersAsync();
        await using var services = Services<ServedContext>(services => services.AddScoped<Acting>());
        ServedContext first;
        await using (var scope = services.CreateAsyncScope())
        {
            scope.ServiceProvider.GetRequiredService<CurrentTenant>().Choose(acme);
            scope.ServiceProvider.GetRequiredService<Acting>().User = "ada";
            first = scope.ServiceProvider.GetRequiredService<ServedContext>();
            Assert.Equal("ada", first.Acting.User);
            Assert.Equal([acme.Slug], await first.Contacts.Select(c => c.Name).ToListAsync(Ct));
        }

        await using (var scope = services.CreateAsyncScope())
        {
            scope.ServiceProvider.GetRequiredService<CurrentTenant>().Choose(globex);
            var second = scope.ServiceProvider.GetRequiredService<ServedContext>();
            Assert.NotSame(first, second);
            Assert.Null(second.Acting.User);
            Assert.Equal([globex.Slug], await second.Contacts.Select(c => c.Name).ToListAsync(Ct));
        }

        await Assert.ThrowsAsync<ObjectDisposedException>(() => first.Contacts.ToListAsync(Ct));
    }

    [Fact]
    public async Task PerScope_and_Pooled_force_it()
    {
        var (acme, globex) = await CustomersAsync();
        await using var perScope = Services<InvoicingContext>(configure: options => options.PerScope());
        var kept = await InScopeAsync<InvoicingContext>(perScope, acme, Task.FromResult);
        await InScopeAsync<InvoicingContext>(perScope, globex, Task.FromResult);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => kept.Contacts.ToListAsync(Ct));
        await using var pooled = Services<SettableContext>(configure: options => options.Pooled());
        Assert.Same(
            await InScopeAsync<SettableContext>(pooled, acme, Task.FromResult),
            await InScopeAsync<SettableContext>(pooled, globex, Task.FromResult));
        await using var unasked = Services<SettableContext>();
        Assert.NotSame(
            await InScopeAsync<SettableContext>(unasked, acme, Task.FromResult),
            await InScopeAsync<SettableContext>(unasked, globex, Task.FromResult));

        await using var wrong = Services<ServedContext>(
            services => services.AddScoped<Acting>(), options => options.Pooled());
        Assert.Contains("Pooled", Assert.Throws<OptionsValidationException>(
            () => wrong.GetRequiredService<TenancyOptions>()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fields_settable_properties_and_services_are_state()
    {
        Assert.False(ContextState.Has(typeof(InvoicingContext)));
        Assert.False(ContextState.Has(typeof(SetsContext)));
        Assert.All(
            [typeof(SettableContext), typeof(ServedContext), typeof(FieldContext), typeof(DerivedContext)],
            type => Assert.True(ContextState.Has(type), type.Name));
    }

    private async Task<(Tenant, Tenant)> CustomersAsync()
    {
        var tenants = new List<Tenant>();
        for (var i = 0; i < 2; i++)
        {
            var tenant = (await app.NewCustomerAsync()).Tenant;
            await using var db = app.Invoicing.Create(tenant);
            db.Contacts.Add(new Contact { Name = tenant.Slug });
            await db.SaveChangesAsync(Ct);
            tenants.Add(tenant);
        }

        return (tenants[0], tenants[1]);
    }

    private ServiceProvider Services<TContext>(
        Action<IServiceCollection>? add = null, Action<TenancyOptions>? configure = null) where TContext : DbContext
    {
        var services = new ServiceCollection().AddTenancy<TContext>(options =>
        {
            options.ConnectionString = $"{app.ConnectionString};Maximum Pool Size=1";
            configure?.Invoke(options);
        });
        add?.Invoke(services);
        return services.BuildServiceProvider(validateScopes: true);
    }

    private static async Task<TContext> InScopeAsync<TContext>(
        ServiceProvider services, Tenant tenant, Func<TContext, Task<TContext>> work) where TContext : DbContext
    {
        await using var scope = services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<CurrentTenant>().Choose(tenant);
        return await work(scope.ServiceProvider.GetRequiredService<TContext>());
    }

    public sealed class Acting
    {
        public string? User { get; set; }
    }

    public abstract class ContactsContext(DbContextOptions options) : DbContext(options)
    {
        public DbSet<Contact> Contacts => Set<Contact>();

        protected override void OnModelCreating(ModelBuilder modelBuilder) =>
            modelBuilder.HasDefaultSchema(TenantPlaceholder.Schema).Entity<Contact>(contact =>
            {
                contact.ToTable("contacts");
                contact.Property(c => c.Id).HasColumnName("id");
                contact.Property(c => c.Name).HasColumnName("name");
                contact.Property(c => c.Email).HasColumnName("email");
                contact.Property(c => c.CreatedAt).HasColumnName("created_at");
            });
    }

    public sealed class ServedContext(DbContextOptions<ServedContext> options, Acting acting) : ContactsContext(options)
    {
        public Acting Acting => acting;
    }

    public class SettableContext(DbContextOptions<SettableContext> options) : ContactsContext(options)
    {
        public string? ActingUser { get; set; }
    }

    public sealed class SetsContext(DbContextOptions<SetsContext> options) : ContactsContext(options)
    {
        public DbSet<Contact> People { get; set; }
    }

    public sealed class FieldContext(DbContextOptions<FieldContext> options) : ContactsContext(options)
    {
        private string? _user;

        public void Act(string user) => _user = user;

        public string? User() => _user;
    }

    public sealed class DerivedContext(DbContextOptions<SettableContext> options) : SettableContext(options);
}
