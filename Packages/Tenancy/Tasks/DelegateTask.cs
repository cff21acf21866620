namespace Tenancy.Tasks;

/// <summary>A task that is a delegate.</summary>
internal sealed class DelegateTask(string name, Func<TenantTaskContext, CancellationToken, Task> work) : TenantTask
{
    public override string Name => name;

    public override Task RunAsync(TenantTaskContext context, CancellationToken ct) => work(context, ct);
}
