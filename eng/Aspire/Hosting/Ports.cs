using System.Net;
using System.Net.Sockets;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Gives every endpoint its port before anything starts, and holds the free ones until their resource does.</summary>
internal sealed class Ports(bool randomize)
{
    private readonly Dictionary<EndpointAnnotation, Socket> _held = [];

    public void Allocate(IEnumerable<IResource> resources)
    {
        foreach (var resource in resources)
        {
            foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>())
            {
                // A process that can't be told its port listens where it listens.
                var canBeTold = endpoint.EnvironmentVariable is not null || resource is ProjectResource or ContainerResource || endpoint.TargetPort is null;
                endpoint.AllocatedPort = !canBeTold ? endpoint.TargetPort
                    : !randomize && (endpoint.Port ?? (resource is ContainerResource ? null : endpoint.TargetPort)) is { } wanted ? wanted
                    : Hold(endpoint);
            }
        }
    }

    /// <summary>Lets the resource's ports go for its process to take.</summary>
    /// <exception cref="DistributedApplicationException">Someone else listens there.</exception>
    public void Release(IResource resource)
    {
        foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>())
        {
            if (_held.Remove(endpoint, out var socket))
            {
                socket.Dispose();
            }
            else if (IsTaken(endpoint.AllocatedPort!.Value))
            {
                throw new DistributedApplicationException($"port {endpoint.AllocatedPort} of '{resource.Name}' is taken by another process. Stop that one, or give '{resource.Name}' another port.");
            }
        }
    }

    private int Hold(EndpointAnnotation endpoint)
    {
        // Bound but not listening: nobody else gets the port, and nobody can connect to it.
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _held[endpoint] = socket;
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private static bool IsTaken(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }
}
