using System.Diagnostics;
using System.Text.Json;

namespace Tests.Oracle;

/// <summary>A name in PostgreSQL's parse tree.</summary>
/// <param name="Role">R reads a relation, W writes it, C calls a function, T names a type, O an operator, U anything
/// else.</param>
/// <param name="Schema">Null where none was written.</param>
/// <param name="Name">What it names there.</param>
internal readonly record struct ParsedName(char Role, string? Schema, string Name);

/// <summary>
/// PostgreSQL's own parser: the npm package libpg-query, which Node runs as WebAssembly. Installed by npm on first use,
/// beside the tests.
/// </summary>
internal sealed class PostgresParser : IDisposable
{
    private const int Batch = 200;

    private readonly Process _node;

    private PostgresParser(Process node) => _node = node;

    public static async Task<PostgresParser> StartAsync(CancellationToken ct)
    {
        var scripts = Path.Combine(AppContext.BaseDirectory, "Oracle");
        if (!Directory.Exists(Path.Combine(scripts, "node_modules", "libpg-query")))
        {
            using var npm = Start("npm", ["ci", "--no-audit", "--no-fund", "--silent"], scripts);
            var said = await npm.StandardError.ReadToEndAsync(ct);
            await npm.WaitForExitAsync(ct);
            if (npm.ExitCode != 0)
            {
                throw new InvalidOperationException($"npm can't install PostgreSQL's parser: {said}");
            }
        }

        return new(Start("node", ["names.mjs", scripts], scripts));
    }

    /// <returns>For each statement its names; null where PostgreSQL's parser refuses it.</returns>
    public async Task<IReadOnlyList<ParsedName>?[]> ParseAsync(IReadOnlyList<string> statements, CancellationToken ct)
    {
        var answers = new IReadOnlyList<ParsedName>?[statements.Count];
        // The bridge answers when it has a batch; the line "null" makes it answer the rest, and one line for itself.
        for (var from = 0; from < statements.Count; from += Batch - 1)
        {
            var some = statements.Skip(from).Take(Batch - 1).ToList();
            foreach (var statement in some)
            {
                await _node.StandardInput.WriteLineAsync(JsonSerializer.Serialize(statement).AsMemory(), ct);
            }

            await _node.StandardInput.WriteLineAsync("null".AsMemory(), ct);
            await _node.StandardInput.FlushAsync(ct);
            for (var i = 0; i < some.Count; i++)
            {
                answers[from + i] = Names(await LineAsync(ct));
            }

            await LineAsync(ct);
        }

        return answers;
    }

    public void Dispose()
    {
        _node.StandardInput.Close();
        _node.WaitForExit();
        _node.Dispose();
    }

    private async Task<string> LineAsync(CancellationToken ct) =>
        await _node.StandardOutput.ReadLineAsync(ct) ?? throw new InvalidOperationException(
            $"PostgreSQL's parser has ended: {await _node.StandardError.ReadToEndAsync(ct)}");

    private static List<ParsedName>? Names(string line)
    {
        using var json = JsonDocument.Parse(line);
        return json.RootElement.ValueKind == JsonValueKind.Null
            ? null
            : [.. json.RootElement.EnumerateArray().Select(name => new ParsedName(
                name[0].GetString()![0], name[1].GetString(), name[2].GetString() ?? ""))];
    }

    private static Process Start(string program, string[] arguments, string folder)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new InvalidOperationException(
                $"'{program}' can't be started. This test needs Node.js with npm, where PostgreSQL's parser " +
                "comes from.", e);
        }
    }
}
