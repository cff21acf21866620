using Xunit;
using static Tests.Unit.Analyzers.AnalyzedCode;

namespace Tests.Unit.Analyzers;

/// <summary>TEN007.</summary>
public sealed class PipelineTests
{
    [Fact]
    public Task Tenants_come_before_the_user() => CheckAsync(
        """
        public static class Site
        {
            public static void Wrong(WebApplication app)
            {
                app.UseAuthentication();
                app.{|TEN007:UseTenants|}();
            }

            public static void Chained(IApplicationBuilder app) => app.UseAuthentication().{|TEN007:UseTenants|}();

            public static void Right(WebApplication app)
            {
                app.UseTenants();
                app.UseAuthentication();
            }

            public static void Two(WebApplication first, WebApplication second)
            {
                first.UseAuthentication();
                second.UseTenants();
            }
        }
        """);
}
