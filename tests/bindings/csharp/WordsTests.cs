// SPDX-License-Identifier: MIT
// The library's messages speak C#.

using System.Reflection;
using System.Text.RegularExpressions;
using Xunit;
using static Winshm.Tests.Support;

namespace Winshm.Tests;

public partial class WordsTests
{
    [Fact]
    public void AllNamesInMessagesAreKnown()
    {
        Assembly assembly = typeof(WordsTests).Assembly;
        SortedSet<string> found = [];
        foreach (string source in assembly.GetManifestResourceNames().Where(name => name is [.., '.', 'c' or 'h']))
        {
            using StreamReader reader = new(assembly.GetManifestResourceStream(source)!);
            string code = reader.ReadToEnd().ReplaceLineEndings("\n");
            found.UnionWith(Literals(code).SelectMany(text => CName().Matches(text)).Select(match => match.Value));
        }
        HashSet<string> some = ["winshm_options.timeout_ms", "winshm_get_info()", "WINSHM_READ"];
        Assert.Subset(found.ToHashSet(), some);
        Assert.True(found.Count > 30);
        found.ExceptWith(Enum.GetValues<WinshmStatus>().Select(Library.GetStatusName));
        found.Remove("WINSHM_E_UNKNOWN");
        Assert.Empty(found.Select(name => name.Replace("()", "")).Except(Words.Table.Keys));
        Assert.DoesNotContain(found, name => CName().IsMatch(Words.InCSharp(name)));
    }

    [Fact]
    public void FunctionsAndOptionsAreKnown()
    {
        // As messages may come to speak of any.
        IEnumerable<string> expected = typeof(NativeMethods).GetMethods(BindingFlags.Static | BindingFlags.NonPublic)
            .Select(method => method.Name)
            .Where(name => name.StartsWith("winshm_", StringComparison.Ordinal) &&
                           !Regex.IsMatch(name, "^winshm_(version|status|last)_?"))
            .Concat(typeof(winshm_options).GetFields().Select(field => $"winshm_options.{field.Name}"));
        Assert.Empty(expected.Except(Words.Table.Keys));
    }

    [Fact]
    public void WordsAreNamesOfThisBinding()
    {
        foreach (string word in Words.Table.Values)
        {
            // A sentence's words, or a number.
            if (!char.IsUpper(word[0]))
            {
                continue;
            }
            string[] parts = word.TrimEnd('(', ')').Split('.');
            Type? type = typeof(Region).Assembly.GetType($"Winshm.{parts[0]}") ??
                         typeof(Timeout).Assembly.GetType($"System.Threading.{parts[0]}");
            Assert.True(type is { IsPublic: true }, word);
            Assert.True(parts.Length == 1 || type.GetMember(parts[1]).Length > 0, word);
        }
    }

    [Theory]
    [InlineData("winshm_lock 'a': x [WINSHM_E_TIMEOUT].", "Region.Lock() 'a': x [WINSHM_E_TIMEOUT].")]
    [InlineData("Ask winshm_get_info().", "Ask Region.GetInfo().")]
    [InlineData("Use WINSHM_READ, winshm_options.size.", "Use RegionFlags.Read, RegionOptions.Size.")]
    [InlineData("winshm_read 'WINSHM_RAW winshm_map': x", "Region.Read() 'WINSHM_RAW winshm_map': x")]
    [InlineData("winshm_read 'it's winshm_map': x", "Region.Read() 'it's winshm_map': x")]
    [InlineData("One's WINSHM_RAW is another's.", "One's RegionFlags.Raw is another's.")]
    [InlineData("At most WINSHM_PARTICIPANTS_MAX.", "At most 128.")]
    [InlineData("winshm_later() gives WINSHM_LATER", "winshm_later() gives WINSHM_LATER")]
    public void NamesBecomeThoseOfCSharp(string message, string expected) => Assert.Equal(expected, Words.InCSharp(message));

    [Fact]
    public void MessagesBeginWithWhatWasCalled()
    {
        using Region region = Region.Create(NewName(), 8);
        Assert.StartsWith("Region.Create() 'a/b': ", Fails(WinshmStatus.Name, () => Region.Create("a/b", 1)).Message);
        Assert.StartsWith("Region.Open() 'a/b': ", Fails(WinshmStatus.Name, () => Region.Open("a/b")).Message);
        Exception e = Fails(WinshmStatus.Exists, () => Region.Create(region.Name, 8));
        Assert.EndsWith("Use Region.OpenOrCreate() to join it.", e.Message);
        Assert.StartsWith($"Region.Map() '{region.Name}': ", Fails(WinshmStatus.Range, () => region.Map(8, 1)).Message);
    }

    /// <summary>The string literals of C code, those that follow each other being one.</summary>
    private static IEnumerable<string> Literals(string code)
    {
        string? literal = null;
        foreach (Match token in Token().Matches(code))
        {
            if (token.Groups["text"].Success)
            {
                literal += token.Groups["text"].Value;
            }
            else if (!token.Groups["space"].Success && literal is not null)
            {
                yield return literal;
                literal = null;
            }
        }
    }

    [GeneratedRegex(@"\bwinshm_\w+(?:\(\)|\.\w+)?|\bWINSHM_[A-Z_]+|\bwinshm\.h\b|\bNULL\b|\b[a-z]+_or_[a-z]+\b")]
    private static partial Regex CName();

    [GeneratedRegex(@"(?<space>/\*.*?\*/|//[^\n]*|\\\n|\s+)|#include [^\n]*|'(?:[^'\\\n]|\\.)*'|""(?<text>(?:[^""\\\n]|\\.)*)""|.",
        RegexOptions.Singleline)]
    private static partial Regex Token();
}
