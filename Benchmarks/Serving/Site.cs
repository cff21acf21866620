using System.Collections.Frozen;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Benchmarks.Requests;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Tenancy;
using Tenancy.AspNetCore;

namespace Benchmarks.Serving;

/// <summary>
/// A site over Kestrel with keys: one row is read, one is written. The same endpoints, the same authentication and the
/// same connection settings, with the library and without it.
/// </summary>
internal sealed class Site : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly SocketsHttpHandler _connections = new() { MaxConnectionsPerServer = 256 };
    private readonly HttpClient _http;

    private Site(string name, WebApplication application, IReadOnlyList<Tenant> tenants)
    {
        (Name, _application, Tenants) = (name, application, tenants);
        _http = new(_connections, disposeHandler: false) { BaseAddress = new(application.Urls.Single()) };
    }

    public string Name { get; }

    public IReadOnlyList<Tenant> Tenants { get; }

    /// <summary>Of a site with the library.</summary>
    public TenancyOptions Options => _application.Services.GetRequiredService<TenancyOptions>();

    /// <summary>The pool that serves tenants, of a site with the library.</summary>
    public NpgsqlDataSource Database => _application.Services.GetRequiredService<GuardedDataSource>().Tenants;

    /// <summary>An application of one tenant, which knows nothing of tenants.</summary>
    public static Task<Site> SingleAsync(string name, string database, Tenant tenant) => StartAsync(name, [tenant],
        builder =>
            builder.Services.AddDbContextPool<SingleContext>(options => options.UseNpgsql(TenantDataSource.Create(
            new() { ConnectionString = Variant.ConnectionString(database, name) }))),
        site =>
        {
            var contacts = site.MapGroup("/contacts").RequireAuthorization();
            contacts.MapGet("/{id:guid}", (Guid id, SingleContext db, CancellationToken ct) => FindAsync(db, id, ct));
            contacts.MapPost("/", (Written written, SingleContext db, CancellationToken ct) => AddAsync(db, ct));
        });

    /// <summary>The library, with the tenants that the registry has.</summary>
    public static Task<Site> OursAsync(
        string name, string database, IReadOnlyList<Tenant> tenants, Action<TenantLimits>? limits = null) => StartAsync(
            name, tenants, builder =>
            {
                builder.Configuration.AddInMemoryCollection(
                    [new("ConnectionStrings:site", Variant.ConnectionString(database, name))]);
                builder.AddTenancy("site", tenancy => tenancy.UseBuiltInRegistry().AddContext<OursContext>()
                    .Resolve(request => request.Claim("tenant").SignInFirst()).Limit(limits ?? (unlimited =>
                        (unlimited.RequestsPerSecond, unlimited.Concurrent) = (0, 0))));
            }, site =>
            {
                var contacts = site.MapGroup("/contacts").RequireAuthorization().RequireTenant();
                contacts.MapGet("/{id:guid}", (Guid id, OursContext db, CancellationToken ct) => FindAsync(db, id, ct));
                contacts.MapPost("/", (Written written, OursContext db, CancellationToken ct) => AddAsync(db, ct));
            });

    /// <summary>Reads one row.</summary>
    /// <returns>Whether it was answered with it; false for 429.</returns>
    public Task<bool> ReadAsync(Tenant tenant, int number, CancellationToken ct) =>
        SendAsync(new(HttpMethod.Get, $"/contacts/{Fleet.ContactId(number % Fleet.ContactsPerTenant)}"), tenant, ct);

    /// <summary>Writes one row.</summary>
    public Task<bool> WriteAsync(Tenant tenant, CancellationToken ct) => SendAsync(
        new(HttpMethod.Post, "/contacts") { Content = JsonContent.Create(new Written("Ada Moreau")) }, tenant, ct);

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        _connections.Dispose();
        await _application.DisposeAsync();
    }

    private async Task<bool> SendAsync(HttpRequestMessage request, Tenant tenant, CancellationToken ct)
    {
        using (request)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Keys.Of(tenant));
            using var answer = await _http.SendAsync(request, ct);
            await answer.Content.CopyToAsync(Stream.Null, ct);
            return answer.IsSuccessStatusCode || (answer.StatusCode == System.Net.HttpStatusCode.TooManyRequests
                ? false
                : throw new InvalidOperationException($"{Name} answered {answer.StatusCode}."));
        }
    }

    private static async Task<Site> StartAsync(string name, IReadOnlyList<Tenant> tenants,
        Action<WebApplicationBuilder> services, Action<WebApplication> routes)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(new Keys(tenants)).AddAuthentication(KeyHandler.Name)
            .AddScheme<AuthenticationSchemeOptions, KeyHandler>(KeyHandler.Name, null);
        builder.Services.AddAuthorization();
        services(builder);
        var application = builder.Build();
        if (application.Services.GetService<TenantDirectory>() is not null)
        {
            application.UseTenants();
        }
        else
        {
            application.UseRouting();
            application.UseAuthentication();
            application.UseAuthorization();
        }

        routes(application);
        await application.StartAsync();
        return new(name, application, tenants);
    }

    private static async Task<IResult> FindAsync(ContactsContext db, Guid id, CancellationToken ct) =>
        await db.Contacts.AsNoTracking().FirstOrDefaultAsync(contact => contact.Id == id, ct) is { } found
            ? Results.Ok(found)
            : Results.NotFound();

    private static async Task<IResult> AddAsync(ContactsContext db, CancellationToken ct)
    {
        var contact = Fleet.NewContact();
        db.Contacts.Add(contact);
        await db.SaveChangesAsync(ct);
        return Results.Created($"/contacts/{contact.Id}", contact);
    }

    private sealed record Written(string Name);

    private sealed class SingleContext(DbContextOptions<SingleContext> options) : ContactsContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder) => Map(modelBuilder, schema: null);
    }

    private sealed class OursContext(DbContextOptions<OursContext> options) : ContactsContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder) =>
            Map(modelBuilder, TenantPlaceholder.Schema);
    }

    /// <summary>Keys by the hash of their text, as an application keeps them.</summary>
    private sealed class Keys(IEnumerable<Tenant> tenants)
    {
        private readonly FrozenDictionary<string, string> _slugs =
            tenants.ToFrozenDictionary(tenant => Hash(Of(tenant)), tenant => tenant.Slug);

        public static string Of(Tenant tenant) => $"tkc_{tenant.Slug}_0000000000000000000000000000000000000000000";

        public string? Find(string key) => _slugs.GetValueOrDefault(Hash(key));

        private static string Hash(string text) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    private sealed class KeyHandler(
        IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory log, UrlEncoder encoder, Keys keys)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, log, encoder)
    {
        public const string Name = "key";

        protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(
            Request.Headers.Authorization is [{ } text] && keys.Find(text["Bearer ".Length..]) is { } slug
                ? AuthenticateResult.Success(new(new(new ClaimsIdentity([new("tenant", slug)], Name)), Name))
                : AuthenticateResult.NoResult());
    }
}
