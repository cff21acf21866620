// What a resource is made to do by the conformance suite: "--exit CODE" is a job that ends with that code, anything else is a service.
using System.Globalization;

var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.ClearProviders();
var settings = builder.Configuration;
Console.WriteLine($"started with [{string.Join(' ', args)}]");

if (settings["exit"] is { } exit)
{
    await Task.Delay(settings.GetValue("after", 0));
    return int.Parse(exit, CultureInfo.InvariantCulture);
}

var started = TimeProvider.System.GetTimestamp();
var unwell = TimeSpan.FromMilliseconds(settings.GetValue("healthy-after", 0));
var app = builder.Build();
app.MapGet("/health", () => TimeProvider.System.GetElapsedTime(started) < unwell ? Results.StatusCode(503) : Results.Ok());
app.MapGet("/environment/{name}", (string name) => Environment.GetEnvironmentVariable(name) ?? "");
app.MapGet("/environment", () => app.Environment.EnvironmentName);
app.MapGet("/arguments", () => args);
app.MapGet("/uptime", () => (long)TimeProvider.System.GetElapsedTime(started).TotalMilliseconds);
app.MapGet("/process", () => Environment.ProcessId);
app.MapPost("/end/{code:int}", (int code) =>
{
    Environment.ExitCode = code;
    app.Lifetime.StopApplication();
});
await app.RunAsync();
return Environment.ExitCode;
