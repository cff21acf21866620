// The least that a .NET service with a database does: a host, a context, one connection by way of EF. The migration job
// with nothing to do is compared with it. Started with an argument it does nothing at all, which is what any .NET
// process costs.

using EmptyHost;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

if (args.Length == 0)
{
    await Service.RunAsync();
}

namespace EmptyHost
{
    internal static class Service
    {
        public static async Task RunAsync()
        {
            var builder = Host.CreateApplicationBuilder();
            builder.Services.AddDbContext<NotesContext>(options =>
                options.UseNpgsql(builder.Configuration.GetConnectionString("tenants")));
            using var host = builder.Build();
            await host.StartAsync();
            await using (var scope = host.Services.CreateAsyncScope())
            {
                var notes = scope.ServiceProvider.GetRequiredService<NotesContext>();
                await notes.Database.OpenConnectionAsync();
                await notes.Database.CloseConnectionAsync();
            }

            await host.StopAsync();
        }
    }

    internal sealed class NotesContext(DbContextOptions<NotesContext> options) : DbContext(options)
    {
        public DbSet<Note> Notes => Set<Note>();
    }

    internal sealed class Note
    {
        public Guid Id { get; init; }

        public string Text { get; set; } = "";
    }
}
