using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Data.Customers;

namespace AppHost.Commands;

/// <summary>Commands of the resource <c>api</c>: in the dashboard, and as <c>aspire resource api NAME</c>.</summary>
internal static class CustomerCommands
{
    private const string Slug = "slug";
    private const string Name = "name";

    /// <summary>
    /// Adds New customer, which asks the API, and Add demo customers, which runs the job's command <c>demo</c>.
    /// </summary>
    /// <param name="api">The API.</param>
    /// <param name="migrations">The job.</param>
    /// <param name="operatorKey">What the API takes from an operator.</param>
    public static IResourceBuilder<ProjectResource> WithCustomerCommands(this IResourceBuilder<ProjectResource> api,
        IResourceBuilder<ProjectResource> migrations, IResourceBuilder<ParameterResource> operatorKey) => api
        .WithCommand("new-customer", "New customer",
            context => CreateAsync(context, api.GetEndpoint("http"), operatorKey.Resource), new()
        {
            Description = "New customer: creates a customer with its schema.",
            IconName = "PersonAdd",
            IsHighlighted = true,
            UpdateState = WhileRunning,
            ValidateArguments = ValidateAsync,
            Arguments =
            [
                Text(Slug, "Slug", CustomerSlug.Longest, $"{CustomerSlug.Rule}."),
                Text(Name, "Name", Customer.LongestName, "For people."),
            ],
        })
        .WithCommand("demo", "Add demo customers", context => AddDemoAsync(context, migrations.Resource), new()
        {
            Description =
                "Add demo customers: acme, globex and initech, with invoices. One that exists stays as it is.",
            ConfirmationMessage = "Add the demo customers acme, globex and initech, with invoices?",
            IconName = "PeopleAdd",
            UpdateState = WhileRunning,
        });

    private static ResourceCommandState WhileRunning(UpdateCommandStateContext state) =>
        state.ResourceSnapshot.State?.Text == KnownResourceStates.Running
            ? ResourceCommandState.Enabled
            : ResourceCommandState.Disabled;

    private static InteractionInput Text(string name, string label, int longest, string description) => new()
    {
        Name = name, Label = label, InputType = InputType.Text, Required = true, MaxLength = longest,
        Description = description,
    };

    /// <summary>By the rule of the API, so that the form says it beside the field.</summary>
    private static Task ValidateAsync(InputsDialogValidationContext context)
    {
        if (!CustomerSlug.IsValid(context.Inputs[Slug].Value))
        {
            context.AddValidationError(Slug, $"Use {CustomerSlug.Rule}.");
        }

        if (string.IsNullOrWhiteSpace(context.Inputs[Name].Value))
        {
            context.AddValidationError(Name, "Give the customer a name.");
        }

        return Task.CompletedTask;
    }

    private static Task<ExecuteCommandResult> CreateAsync(
        ExecuteCommandContext context, EndpointReference api, ParameterResource key) =>
            CommandAnswer.OfAsync(async () =>
    {
        using var http = new HttpClient { BaseAddress = new Uri(api.Url) };
        http.DefaultRequestHeaders.Authorization = new("Bearer", await key.GetValueAsync(context.CancellationToken));
        var wanted = new { slug = context.Arguments[Slug].Value, name = context.Arguments[Name].Value };
        using var answer = await http.PostAsJsonAsync("/customers", wanted, context.CancellationToken);
        var body = await answer.Content.ReadAsStringAsync(context.CancellationToken);
        if (!answer.IsSuccessStatusCode)
        {
            return CommandResults.Failure(Problem(body) ?? $"The API answered {(int)answer.StatusCode}.");
        }

        var customer = JsonNode.Parse(body)!;
        var name = ((string?)customer["name"])?.Replace("|", "\\|", StringComparison.Ordinal);
        return CommandAnswer.Success($"Created the customer {customer["slug"]}.", $"""
            | slug | name | schema | ring |
            | --- | --- | --- | --- |
            | {customer["slug"]} | {name} | `{customer["schema"]}` | {customer["ring"]} |

            An operator reads its invoices at `/customers/{customer["slug"]}/invoices`.
            """);
    });

    private static string? Problem(string body)
    {
        try
        {
            var problem = JsonNode.Parse(body);
            return (string?)(problem?["detail"] ?? problem?["title"]);
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }

    private static Task<ExecuteCommandResult> AddDemoAsync(
        ExecuteCommandContext context, IResource job) => CommandAnswer.OfAsync(async () =>
    {
        var result = await JobProcess.RunAsync(context.Services, job, ["demo"], context.CancellationToken);
        return result.ExitCode == 0
            ? CommandResults.Success(result.Answer.Trim())
            : CommandAnswer.Failure($"demo ended with exit code {result.ExitCode}.", result.Output);
    });
}
