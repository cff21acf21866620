using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Tenancy.Sql;

/// <summary>The small steps of the grammar: what stands here, what has to, and how deep it is nested.</summary>
internal sealed partial class StatementReader
{
    /// <summary>
    /// PostgreSQL itself gives up at some thousand levels (max_stack_depth). EF's deepest queries have some ten.
    /// </summary>
    private const int MostLevels = 500;

    private int _level;

    /// <summary>The common table expressions in scope, and how many of each name.</summary>
    private readonly List<string> _commonTables = [];
    private Dictionary<string, int>? _timesCommon;

    private bool Knows(string name) => _timesCommon?.GetValueOrDefault(name) > 0;

    private void Know(string commonTable)
    {
        _commonTables.Add(commonTable);
        _timesCommon ??= [];
        _timesCommon[commonTable] = _timesCommon.GetValueOrDefault(commonTable) + 1;
    }

    private void ForgetDownTo(int count)
    {
        while (_commonTables.Count > count)
        {
            _timesCommon![_commonTables[^1]]--;
            _commonTables.RemoveAt(_commonTables.Count - 1);
        }
    }

    private bool Take(string word)
    {
        if (!Current().Is(word))
        {
            return false;
        }

        _at++;
        return true;
    }

    private bool Take(char sign)
    {
        if (!Current().Is(sign))
        {
            return false;
        }

        _at++;
        return true;
    }

    private bool Take(string first, string second)
    {
        if (!Current().Is(first) || !Next(1).Is(second))
        {
            return false;
        }

        _at += 2;
        return true;
    }

    private bool TakeAny(params ReadOnlySpan<string> words)
    {
        foreach (var word in words)
        {
            if (Take(word))
            {
                return true;
            }
        }

        return false;
    }

    private void Need(string word)
    {
        if (!Take(word))
        {
            Unexplained($"'{word.ToUpperInvariant()}'");
        }
    }

    private void Need(char sign)
    {
        if (!Take(sign))
        {
            Unexplained($"'{sign}'");
        }
    }

    private string NeedName()
    {
        if (!KeyWords.IsName(Current()))
        {
            Unexplained("a name");
        }

        return _sql[_at++].Text;
    }

    /// <summary>After AS or a dot every word is a name.</summary>
    private string NeedLabel()
    {
        if (!Current().IsIdentifier)
        {
            Unexplained("a name");
        }

        return _sql[_at++].Text;
    }

    private void Listed(Action one)
    {
        do
        {
            one();
        }
        while (Take(','));
    }

    private void InParentheses(Action inner)
    {
        Need('(');
        Enter();
        inner();
        Need(')');
        _level--;
    }

    private void Enter()
    {
        if (++_level > MostLevels || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw Lexeme.NotSql($"It is nested more than {MostLevels} levels deep");
        }
    }

    [DoesNotReturn]
    private void Unexplained(string expected) => throw Lexeme.NotSql(
        _at < _sql.Count
            ? $"At '{_sql[_at].Text}'{Before()}, {expected} was expected"
            : $"It ends{Before()} where {expected} was expected");

    /// <summary>The words before, so that the place is found in a long statement.</summary>
    private string Before() => _at == 0 ? "" : " after '" +
        string.Join(' ', _sql.Take(_at).Skip(_at - 4).Select(lexeme => lexeme.Text)) + "'";
}
