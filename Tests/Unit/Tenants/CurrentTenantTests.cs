using Tenancy;
using Xunit;

namespace Tests.Unit.Tenants;

public sealed class CurrentTenantTests
{
    private static readonly Tenant Acme = new(Guid.NewGuid(), "acme", SchemaName.Parse("customer_acme"));

    [Fact]
    public void Without_a_choice_there_is_no_tenant_and_the_message_says_what_to_do()
    {
        var current = new CurrentTenant();

        Assert.False(current.IsChosen);
        Assert.Contains("TenantContextFactory", Assert.Throws<NoTenantException>(() => current.Value).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_scope_serves_one_tenant_and_never_a_second()
    {
        var current = new CurrentTenant();
        current.Choose(Acme);

        Assert.Equal(Acme, current.Value);
        Assert.Throws<InvalidOperationException>(() => current.Choose(Acme with { Slug = "globex" }));
        Assert.Throws<InvalidOperationException>(() => current.Choose(Acme));
        Assert.Equal(Acme, current.Value);
    }
}
