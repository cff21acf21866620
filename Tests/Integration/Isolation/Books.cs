using System.Collections.Concurrent;
using System.Globalization;
using Npgsql;
using Tenancy;

namespace Tests.Integration.Isolation;

/// <summary>
/// What every customer's contacts have to be, by what each request was told about its own writes. A write whose answer
/// never came, because the connection broke or the request was cancelled, may or may not be there.
/// </summary>
internal sealed class Books
{
    private readonly ConcurrentBag<Entry> _entries = [];
    private readonly ConcurrentDictionary<string, Counter> _counters = [];

    /// <summary>Writes that were told to be committed.</summary>
    public int Committed => _entries.Sum(entry => entry.Committed);

    /// <summary>Contacts of which nobody knows which of their states they are in.</summary>
    public int Unknown => _entries.Count(entry => entry.May.Count > 1);

    /// <summary>
    /// A contact that only one request writes; not there yet. Its name starts with the customer's slug, as every text
    /// of its rows does.
    /// </summary>
    public Entry Open(Tenant tenant, string name)
    {
        var entry = new Entry(tenant.Slug, Rows.Text(tenant, name));
        _entries.Add(entry);
        return entry;
    }

    /// <summary>The contact that all requests of a customer write: it counts them.</summary>
    public Counter CounterOf(Tenant tenant) => _counters.GetOrAdd(Rows.Text(tenant, Counter.Name), _ => new Counter());

    /// <summary>
    /// Reads every customer's table by its full name, and says what shouldn't be there and what is missing.
    /// </summary>
    public async Task<List<string>> DifferencesAsync(
        NpgsqlDataSource database, IEnumerable<Tenant> tenants, CancellationToken ct)
    {
        var differences = new List<string>();
        foreach (var tenant in tenants)
        {
            var entries = _entries.Where(entry => entry.Slug == tenant.Slug).ToDictionary(entry => entry.Name);
            await using var command = database.CreateCommand(
                $"SELECT name, email FROM {tenant.Schema.Qualify("contacts")}");
            await using var rows = await command.ExecuteReaderAsync(ct);
            while (await rows.ReadAsync(ct))
            {
                var (name, email) = (rows.GetString(0), rows.GetString(1));
                if (_counters.TryRemove(name, out var counter)
                    ? !counter.May(email)
                    : !entries.Remove(name, out var entry) || !entry.May.Contains(email))
                {
                    differences.Add($"{tenant.Slug} has '{name}', '{email}'.");
                }
            }

            if (_counters.ContainsKey(Rows.Text(tenant, Counter.Name)))
            {
                differences.Add($"{tenant.Slug} lacks its counter.");
            }

            differences.AddRange(
                entries.Values.Where(entry => !entry.May.Contains(null))
                    .Select(entry => $"{tenant.Slug} lacks {entry}."));
        }

        return differences;
    }

    /// <summary>
    /// One contact, and the states that a look at the table may find it in: its e-mail, or null where it doesn't exist.
    /// </summary>
    internal sealed class Entry(string slug, string name)
    {
        public string Slug => slug;

        public string Name => name;

        public HashSet<string?> May { get; private set; } = [null];

        public int Committed { get; private set; }

        /// <summary>
        /// Brings the entry to a state; <paramref name="commit"/> is the write itself, or the commit of the transaction
        /// that has it.
        /// </summary>
        public async Task WriteAsync(string? state, Func<Task> commit)
        {
            var before = May;
            May = [.. before, state];
            try
            {
                await commit();
                May = [state];
                Committed++;
            }
            catch (Exception problem) when (Disturbance.IsRefusal(problem))
            {
                May = before;
                throw;
            }
        }

        public override string ToString() =>
            $"'{name}': {string.Join(" or ", May.Select(state => state is null ? "absent" : $"'{state}'"))}";
    }
}

/// <summary>
/// How often a customer's requests counted, and how often at most, if those that nobody answered did, too.
/// </summary>
internal sealed class Counter
{
    public const string Name = "counter";

    private int _least;
    private int _most;

    public async Task WriteAsync(Func<Task> commit)
    {
        Interlocked.Increment(ref _most);
        try
        {
            await commit();
            Interlocked.Increment(ref _least);
        }
        catch (Exception problem) when (Disturbance.IsRefusal(problem))
        {
            Interlocked.Decrement(ref _most);
            throw;
        }
    }

    public bool May(string email) =>
        int.Parse(email, CultureInfo.InvariantCulture) is var count && count >= _least && count <= _most;
}
