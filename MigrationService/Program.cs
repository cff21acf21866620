using System.CommandLine;
using System.Globalization;
using Data;
using Data.Customers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using MigrationService;

var onFailure = new Option<OnFailure>("--on-failure")
{
    Description = "isolate: exit with 0 although customers failed (each is recorded and answered with 503); fail: exit with 1",
    DefaultValueFactory = _ => OnFailure.Fail,
};
var workers = new Option<int>("--workers") { Description = "How many customers are migrated at the same time", DefaultValueFactory = _ => 4 };
workers.Validators.Add(result =>
{
    // What is no number at all throws when it is asked for as one.
    if (result.Tokens is [{ Value: var text }] && !(int.TryParse(text, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= 64))
    {
        result.AddError("--workers takes a number from 1 to 64.");
    }
});

var root = new RootCommand("Migrates the shared schema, then every customer's, and exits. Exit codes: 0 done, 1 customers failed, 2 the database or the shared schema failed, 64 wrong arguments, 130 cancelled.")
{
    onFailure, workers,
};
root.SetAction(async (parsed, ct) =>
{
    // Its options are read above; the host takes its settings from files and the environment.
    var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });
    builder.AddServiceDefaults();
    builder.Services.AddData(builder.Configuration);
    builder.EnrichNpgsqlDbContext<CustomersContext>(settings => settings.DisableRetry = true);
    builder.Services.AddScoped<DemoCustomers>().AddScoped<MigrationJob>();

    using var host = builder.Build();
    await using var scope = host.Services.CreateAsyncScope();
    return await MigrationJob.RunAsync(host, scope.ServiceProvider, parsed.GetValue(onFailure), parsed.GetValue(workers), ct);
});

var arguments = root.Parse(args);
var result = await arguments.InvokeAsync();
// The parser's own code for a wrong argument is 1, which says here that customers failed.
return arguments.Errors.Count > 0 ? (int)ExitCode.Usage : result;
