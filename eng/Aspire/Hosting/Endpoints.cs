using System.Globalization;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting
{
    /// <summary>A resource that others find by its name: a reference hands over <c>services__NAME__http__0</c>.</summary>
    public interface IResourceWithServiceDiscovery : IResourceWithEndpoints;
}

namespace Aspire.Hosting.ApplicationModel
{
    /// <summary>Where a resource listens. The stand-in has no proxy: what listens is the resource itself.</summary>
    public sealed class EndpointAnnotation : IResourceAnnotation
    {
        internal EndpointAnnotation(string name, string uriScheme, int? port, int? targetPort, string? environmentVariable)
        {
            (Name, UriScheme, Port, TargetPort, EnvironmentVariable) = (name, uriScheme, port, targetPort, environmentVariable);
        }

        public string Name { get; set; }

        public string UriScheme { get; set; }

        public int? Port { get; set; }

        public int? TargetPort { get; set; }

        public bool IsExternal { get; set; }

        public string TargetHost { get; set; } = "localhost";

        internal string? EnvironmentVariable { get; }

        internal int? AllocatedPort { get; set; }
    }

    public enum EndpointProperty
    {
        Url = 0,
        Host = 1,
        IPV4Host = 2,
        Port = 3,
        Scheme = 4,
        TargetPort = 5,
        HostAndPort = 6,
    }

    /// <summary>An endpoint of a resource, by name. It has an address as soon as the application starts.</summary>
    public sealed class EndpointReference(IResourceWithEndpoints owner, string endpointName) : IExpressionValue, IValueWithReferences
    {
        public IResourceWithEndpoints Resource { get; } = owner;

        public string EndpointName { get; } = endpointName;

        public bool Exists => Find() is not null;

        public bool IsAllocated => Find()?.AllocatedPort is not null;

        public EndpointAnnotation EndpointAnnotation => Find()
            ?? throw new InvalidOperationException($"The resource '{Resource.Name}' has no endpoint named '{EndpointName}'.");

        public string Scheme => EndpointAnnotation.UriScheme;

        public string Host => EndpointAnnotation.TargetHost;

        public int Port => EndpointAnnotation.AllocatedPort
            ?? throw new InvalidOperationException($"The endpoint '{EndpointName}' of '{Resource.Name}' gets its port when the application starts.");

        public int? TargetPort => EndpointAnnotation.TargetPort;

        public string Url => $"{Scheme}://{Host}:{Port.ToString(CultureInfo.InvariantCulture)}";

        string IManifestExpressionProvider.ValueExpression => $"{{{Resource.Name}.bindings.{EndpointName}.url}}";

        IEnumerable<object> IValueWithReferences.References => [Resource];

        public EndpointReferenceExpression Property(EndpointProperty property) => new(this, property);

        public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default) => new(Url);

        private EndpointAnnotation? Find() => Resource.Annotations.OfType<EndpointAnnotation>().SingleOrDefault(e => e.Name == EndpointName);
    }

    public class EndpointReferenceExpression(EndpointReference endpointReference, EndpointProperty property) : IExpressionValue, IValueWithReferences
    {
        public EndpointReference Endpoint { get; } = endpointReference;

        public EndpointProperty Property { get; } = property;

        public string ValueExpression => $"{{{Endpoint.Resource.Name}.bindings.{Endpoint.EndpointName}.{Property.ToString().ToLowerInvariant()}}}";

        IEnumerable<object> IValueWithReferences.References => [Endpoint];

        public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default)
        {
            var port = Endpoint.Port.ToString(CultureInfo.InvariantCulture);
            return new(Property switch
            {
                EndpointProperty.Url => Endpoint.Url,
                EndpointProperty.Host => Endpoint.Host,
                EndpointProperty.IPV4Host => "127.0.0.1",
                EndpointProperty.Port or EndpointProperty.TargetPort => port,
                EndpointProperty.Scheme => Endpoint.Scheme,
                _ => $"{Endpoint.Host}:{port}",
            });
        }
    }
}
