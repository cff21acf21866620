using System.Collections.Concurrent;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Tenancy;
using Tests.Integration.Fleet;
using Xunit;

namespace Tests.Integration.Citus;

/// <summary>Moving a customer between the nodes of a real cluster.</summary>
public sealed class MoveTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_customer_moves_there_and_back_under_load_without_an_error_or_a_lost_write()
    {
        await using var cluster = await MoveCluster.CreateAsync();
        var acme = await cluster.AddCustomerAsync("acme");
        var written = new ConcurrentBag<Guid>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var clients = Enumerable.Range(0, 4)
            .Select(_ => Task.Run(() => WriteAndReadAsync(cluster, acme, written, stop.Token), Ct)).ToArray();

        var (from, during) = (await cluster.PortAsync(acme), new List<int>());
        foreach (var _ in Enumerable.Range(0, 2))
        {
            var before = written.Count;
            await Eventually.HoldsAsync(() => written.Count > before + 4);
            before = written.Count;
            var moved = await cluster.MoveAsync("acme", await cluster.OtherNodeAsync(acme));
            during.Add(written.Count - before);
            Assert.True(moved!.Moved);
            Assert.Equal(moved.To.Port, await cluster.PortAsync(acme));
            TestContext.Current.SendDiagnosticMessage("{0:0.0} s, {1} writes", moved.Elapsed.TotalSeconds, during[^1]);
        }

        await stop.CancelAsync();
        await Task.WhenAll(clients);
        Assert.Equal(from, await cluster.PortAsync(acme));
        Assert.All(during, writes => Assert.True(writes > 0));
        await using var db = cluster.Invoicing(acme);
        Assert.Equal(
            written.ToHashSet(), (await db.Contacts.Select(contact => contact.Id).ToListAsync(Ct)).ToHashSet());
    }

    [Fact]
    public async Task A_move_holds_the_customer_so_that_neither_a_migration_nor_another_move_begins()
    {
        await using var cluster = await MoveCluster.CreateAsync();
        var acme = await cluster.AddCustomerAsync("acme");
        var to = await cluster.OtherNodeAsync(acme);
        var (writer, transaction) = await WriteAsync(cluster, acme);
        var progress = new FirstWords();

        var move = cluster.MoveAsync("acme", to, progress: progress);
        var first = await progress.Told.WaitAsync(Ct);

        Assert.NotEmpty(first.Phase);
        Assert.True(first.Total > 0);
        Assert.Null(await cluster.ScalarAsync(
            $"SELECT schema FROM tenancy.schemas WHERE schema = '{acme.Schema}' FOR UPDATE SKIP LOCKED"));
        var refusal = await Assert.ThrowsAsync<TenantInUseException>(() => cluster.MoveAsync(
            "acme", to, new() { LockTimeout = TimeSpan.FromMilliseconds(100) }));
        Assert.Contains("works on 'acme'", refusal.Message, StringComparison.Ordinal);
        await transaction.CommitAsync(Ct);
        await writer.DisposeAsync();
        Assert.Equal(to, (await move)!.To);
        Assert.Equal(to.Port, await cluster.PortAsync(acme));
    }

    [Fact]
    public async Task A_move_that_a_transaction_holds_up_ends_with_its_time_and_the_customer_is_where_it_was()
    {
        await using var cluster = await MoveCluster.CreateAsync();
        var acme = await cluster.AddCustomerAsync("acme");
        var (from, to) = (await cluster.PortAsync(acme), await cluster.OtherNodeAsync(acme));
        var (writer, transaction) = await WriteAsync(cluster, acme);

        var refusal = await Assert.ThrowsAsync<TenantInUseException>(() => cluster.MoveAsync(
            "acme", to, new() { StatementTimeout = TimeSpan.FromSeconds(1) }));

        Assert.Contains("wasn't moved in time", refusal.Message, StringComparison.Ordinal);
        await transaction.CommitAsync(Ct);
        await writer.DisposeAsync();
        Assert.Equal(from, await cluster.PortAsync(acme));
        await using var db = cluster.Invoicing(acme);
        Assert.Equal(1, await db.Contacts.CountAsync(Ct));
        Assert.Equal(to.Port, (await cluster.MoveAsync("acme", to))!.To.Port);
        Assert.Equal(1, await db.Contacts.CountAsync(Ct));
    }

    [Fact]
    public async Task A_customer_moves_onto_the_coordinator_and_off_it()
    {
        await using var cluster = await MoveCluster.CreateAsync();
        var acme = await cluster.AddCustomerAsync("acme");
        var coordinator = cluster.Coordinator;
        var refusal = await Assert.ThrowsAsync<TenantMoveException>(() => cluster.MoveAsync("acme", coordinator));
        Assert.Contains("takes no tenants", refusal.Message, StringComparison.Ordinal);
        // What the message says.
        await cluster.ExecuteAsync(refusal.Message.Split(": ")[1]);
        var (writer, transaction) = await WriteAsync(cluster, acme);
        await transaction.CommitAsync(Ct);
        await writer.DisposeAsync();

        Assert.Equal(coordinator, (await cluster.MoveAsync("acme", coordinator))!.To);
        Assert.Equal(coordinator, (await cluster.MoveAsync("acme", cluster.Nodes[1]))!.From);

        Assert.Equal(cluster.Nodes[1].Port, await cluster.PortAsync(acme));
        await using var db = cluster.Invoicing(acme);
        Assert.Equal(1, await db.Contacts.CountAsync(Ct));
    }

    [Fact]
    public async Task What_cant_be_moved_is_refused_with_what_to_do()
    {
        await using var cluster = await MoveCluster.CreateAsync();
        var acme = await cluster.AddCustomerAsync("acme");
        var here = cluster.Nodes.Single(node => node.Port == cluster.PortAsync(acme).GetAwaiter().GetResult());
        var there = await cluster.OtherNodeAsync(acme);

        Assert.Null(await cluster.MoveAsync("nobody", there));
        Assert.False((await cluster.MoveAsync("acme", here))!.Moved);
        Assert.Equal(
            $"The cluster has no node 'nowhere:5432'. Those that take tenants: {cluster.Nodes[1]}, {cluster.Nodes[2]}.",
            await RefusalAsync(new("nowhere", 5432)));
        await cluster.ExecuteAsync($"DO $$BEGIN CREATE TABLE {acme.Schema.Quoted}.made (id int PRIMARY KEY); END$$");
        Assert.StartsWith("Of 'acme', made isn't distributed", await RefusalAsync(there), StringComparison.Ordinal);
        await cluster.ExecuteAsync(
            $"DROP TABLE {acme.Schema.Quoted}.made; CREATE TABLE {acme.Schema.Quoted}.notes (id int UNIQUE NOT NULL)");
        Assert.StartsWith("Of 'acme', notes has neither", await RefusalAsync(there), StringComparison.Ordinal);
        await cluster.ExecuteAsync($"ALTER TABLE {acme.Schema.Quoted}.notes REPLICA IDENTITY FULL");
        Assert.True((await cluster.MoveAsync("acme", there))!.Moved);

        async Task<string> RefusalAsync(TenantNode to) =>
            (await Assert.ThrowsAsync<TenantMoveException>(() => cluster.MoveAsync("acme", to))).Message;
    }

    [Fact]
    public async Task The_command_says_what_it_did_and_its_exit_code_whether()
    {
        await using var cluster = await MoveCluster.CreateAsync();
        var acme = await cluster.AddCustomerAsync("acme");
        var there = await cluster.OtherNodeAsync(acme);

        var (moved, words) = await MoveAsync("acme", "--to", $"{there}");
        Assert.True(moved == 0, words);
        Assert.Contains($" to {there}: ", words, StringComparison.Ordinal);
        Assert.Equal(
            (0, true), Said(await MoveAsync("acme", "--to", $"{there}"), $"acme is on {there} already."));
        Assert.Equal(
            (64, true), Said(await MoveAsync("nobody", "--to", $"{there}"), "No customer has the slug 'nobody'"));
        Assert.Equal((64, true), Said(await MoveAsync("acme", "--to", "nowhere:1"), "Those that take tenants: "));
        Assert.Equal((64, true), Said(await MoveAsync("acme", "--to", "nowhere"), "write HOST:PORT"));
        await using var holder = await cluster.Database.OpenConnectionAsync(Ct);
        await using var held = await holder.BeginTransactionAsync(Ct);
        await using var hold = new NpgsqlCommand("SELECT FROM tenancy.schemas FOR UPDATE", holder);
        await hold.ExecuteNonQueryAsync(Ct);
        Assert.Equal((1, true), Said(
            await MoveAsync("acme", "--to", $"{cluster.Nodes[1]}", "--lock-timeout", "100"), "works on 'acme'"));

        Task<(int ExitCode, string Output)> MoveAsync(params string[] arguments) =>
            Job.RunAsync(cluster.ConnectionString, "Production", ["move", .. arguments]);

        static (int, bool) Said((int ExitCode, string Output) run, string words) =>
            (run.ExitCode, run.Output.Contains(words, StringComparison.Ordinal));
    }

    private static async Task WriteAndReadAsync(
        MoveCluster cluster, Tenant tenant, ConcurrentBag<Guid> written, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await using var db = cluster.Invoicing(tenant);
            var contact = new Contact { Id = Guid.NewGuid(), Name = $"{Guid.NewGuid()}" };
            db.Add(contact);
            await db.SaveChangesAsync(Ct);
            written.Add(contact.Id);
            Assert.NotNull(await db.Contacts.AsNoTracking().SingleAsync(one => one.Id == contact.Id, Ct));
        }
    }

    /// <summary>A transaction that has written to the tenant's tables, and is open.</summary>
    private static async Task<(NpgsqlConnection, NpgsqlTransaction)> WriteAsync(MoveCluster cluster, Tenant tenant)
    {
        var connection = await cluster.Database.OpenConnectionAsync(Ct);
        var transaction = await connection.BeginTransactionAsync(Ct);
        await using var insert = new NpgsqlCommand(
            $"INSERT INTO {tenant.Schema.Quoted}.contacts (id, name, created_at) " +
            "VALUES (gen_random_uuid(), 'a', now())", connection);
        await insert.ExecuteNonQueryAsync(Ct);
        return (connection, transaction);
    }

    private sealed class FirstWords : IProgress<TenantMoveProgress>
    {
        private readonly TaskCompletionSource<TenantMoveProgress> _told =
            new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<TenantMoveProgress> Told => _told.Task;

        public void Report(TenantMoveProgress value) => _told.TrySetResult(value);
    }
}
