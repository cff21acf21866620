using Shop.Api;
using Tenancy.Cli;

// With the services of Shop.Api, which doesn't start.
return await TenancyJob.RunAsync<OrdersContext>(args);
