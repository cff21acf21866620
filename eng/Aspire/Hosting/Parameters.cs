using System.Security.Cryptography;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.ApplicationModel
{
    public abstract class ParameterDefault
    {
        public abstract string GetDefaultValue();
    }

    /// <summary>A random value, of at least 22 characters unless said otherwise.</summary>
    public sealed class GenerateParameterDefault : ParameterDefault
    {
        private const string Lowers = "abcdefghijkmnpqrstuvwxyz", Uppers = "ABCDEFGHJKLMNPQRSTUVWXYZ", Digits = "0123456789", Specials = "-_.{}~()*+!";

        public int MinLength { get; set; } = 22;

        public bool Lower { get; set; } = true;

        public bool Upper { get; set; } = true;

        public bool Numeric { get; set; } = true;

        public bool Special { get; set; } = true;

        public int MinLower { get; set; }

        public int MinUpper { get; set; }

        public int MinNumeric { get; set; }

        public int MinSpecial { get; set; }

        public override string GetDefaultValue()
        {
            var all = (Lower ? Lowers : "") + (Upper ? Uppers : "") + (Numeric ? Digits : "") + (Special ? Specials : "");
            var value = RandomNumberGenerator.GetItems<char>(Lowers, MinLower)
                .Concat(RandomNumberGenerator.GetItems<char>(Uppers, MinUpper))
                .Concat(RandomNumberGenerator.GetItems<char>(Digits, MinNumeric))
                .Concat(RandomNumberGenerator.GetItems<char>(Specials, MinSpecial))
                .ToList();
            value.AddRange(RandomNumberGenerator.GetItems<char>(all, Math.Max(0, MinLength - value.Count)));
            var shuffled = value.ToArray();
            RandomNumberGenerator.Shuffle(shuffled.AsSpan());
            return new string(shuffled);
        }
    }

    /// <summary>A value from outside: configuration key <c>Parameters:NAME</c>.</summary>
    public class ParameterResource(string name, Func<ParameterDefault?, string> callback, bool secret = false) : Resource(name), IExpressionValue
    {
        private readonly Lock _once = new();
        private string? _value;

        public bool Secret { get; } = secret;

        public ParameterDefault? Default { get; set; }

        public string ValueExpression => $"{{{Name}.value}}";

        /// <exception cref="MissingParameterValueException">Nothing is configured and nothing is generated.</exception>
        public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken)
        {
            lock (_once)
            {
                return new(_value ??= callback(Default));
            }
        }
    }
}

namespace Aspire.Hosting
{
    public class MissingParameterValueException(string message) : DistributedApplicationException(message);

    public static class ParameterResourceBuilderExtensions
    {
        public static IResourceBuilder<ParameterResource> AddParameter(this IDistributedApplicationBuilder builder, string name, bool secret = false) =>
            builder.AddResource(new ParameterResource(name, _ => Configured(builder, $"Parameters:{name}", $"the parameter '{name}'"), secret));

        public static IResourceBuilder<ParameterResource> AddParameter(
            this IDistributedApplicationBuilder builder, string name, string value, bool publishValueAsDefault = false, bool secret = false) =>
            builder.AddResource(new ParameterResource(name, _ => builder.Configuration[$"Parameters:{name}"] ?? value, secret));

        /// <param name="persist">Keep the value in the AppHost's user secrets, so that the next run has the same one.</param>
        public static IResourceBuilder<ParameterResource> AddParameter(
            this IDistributedApplicationBuilder builder, string name, ParameterDefault value, bool secret = false, bool persist = false)
        {
            var key = $"Parameters:{name}";
            var parameter = new ParameterResource(name, standard => builder.Configuration[key] ?? Generate(standard!), secret) { Default = value };
            return builder.AddResource(parameter);

            string Generate(ParameterDefault standard)
            {
                var generated = standard.GetDefaultValue();
                if (persist && builder.ExecutionContext.IsRunMode && builder.AppHostAssembly is { } appHost)
                {
                    generated = UserSecretsFile.Keep(appHost, key, generated);
                }

                builder.Configuration[key] = generated;
                return generated;
            }
        }

        /// <summary>A connection string from configuration: <c>ConnectionStrings:NAME</c>.</summary>
        public static IResourceBuilder<IResourceWithConnectionString> AddConnectionString(
            this IDistributedApplicationBuilder builder, string name, string? environmentVariableName = null) =>
            builder.AddResource(new ConfiguredConnectionString(name, environmentVariableName, new ParameterResource(
                name, _ => Configured(builder, $"ConnectionStrings:{name}", $"the connection string '{name}'"), secret: true)));

        private static string Configured(IDistributedApplicationBuilder builder, string key, string what) => builder.Configuration[key]
            ?? throw new MissingParameterValueException($"There is no value for {what}: configure '{key}' (user secrets, appsettings, command line or environment).");

        private sealed class ConfiguredConnectionString(string name, string? environmentVariable, ParameterResource value)
            : Resource(name), IResourceWithConnectionString, IResourceWithWaitSupport
        {
            public string? ConnectionStringEnvironmentVariable => environmentVariable;

            public ReferenceExpression ConnectionStringExpression { get; } = ReferenceExpression.Create($"{value}");
        }
    }
}
