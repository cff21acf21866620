using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Tenancy.Cli;

/// <summary>The application, as the commands see it.</summary>
/// <param name="build">Makes its host, with what the job changes about the services.</param>
/// <param name="job">What it adds.</param>
internal sealed class JobSettings(Func<Action<IServiceCollection>, IHost> build, TenancyJobBuilder job)
{
    public string Noun => job.Noun;

    public IReadOnlyList<SharedContext> Shared => job.Shared;

    public IReadOnlyList<Func<IServiceProvider, CancellationToken, Task>> BeforeTenants => job.Before;

    public IReadOnlyList<Func<IServiceProvider, CancellationToken, Task>> AfterTenants => job.After;

    public IReadOnlyList<JobCommand> Commands => job.Commands;

    public IHost Build(Action<IServiceCollection> adjust) => build(adjust);
}
