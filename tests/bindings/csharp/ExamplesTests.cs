// SPDX-License-Identifier: MIT
// The examples, as somebody runs them who reads them.

using Xunit;

namespace Winshm.Tests;

public class ExamplesTests
{
    [Fact]
    public void Counter()
    {
        const string Prompt = "Enter adds one, q leaves: ";
        using Child first = new("example Counter"), second = new("example Counter");
        first.Shows(Prompt);
        second.Shows(Prompt);
        for (int now = 1; now < 5; now++)
        {
            Child child = now % 2 == 0 ? first : second;
            child.Type("");
            child.Shows($"That makes {now}.\n{Prompt}");
        }
        first.Type("q");
        second.Type("q");
        Assert.Empty(first.Rest());
        Assert.Empty(second.Rest());
    }

    [Fact]
    public void Notify()
    {
        using Child waiting = new("example Notify");
        waiting.Shows("Waiting for messages; bye ends it.\n");
        using (Child sending = new("example Notify some words"))
        {
            Assert.Empty(sending.Rest());
        }
        waiting.Shows("some words\n");
        using (Child sending = new("example Notify bye"))
        {
            Assert.Empty(sending.Rest());
        }
        Assert.Equal("bye\n", waiting.Rest());
    }

    [Fact]
    public void Recover()
    {
        using Child waiting = new("example Recover");
        waiting.Shows("Crash in another terminal, then press Enter here: ");
        using (Child crashing = new("example Recover crash"))
        {
            Assert.NotEqual(0, crashing.WaitForExit());
        }
        waiting.Type("");
        Assert.Equal("The owner of the lock has died and left 70 and 0.\nThe accounts have 70 and 30.\n", waiting.Rest());
    }

    [Fact]
    public void Parts()
    {
        using Child first = new("example Parts");
        first.Shows("There were 0 pictures, and this process has painted one. Enter leaves.\n");
        using Child second = new("example Parts");
        second.Shows("There were 1 pictures, and this process has painted one. Enter leaves.\n");
        first.Type("");
        second.Type("");
        Assert.Empty(first.Rest());
        Assert.Empty(second.Rest());
    }

    [Fact]
    public void Tasks()
    {
        const string Prompt = "Start it twice, then press Enter: ", Said = "This process has added 20, and the total is ";
        using Child first = new("example Tasks"), second = new("example Tasks");
        first.Shows(Prompt);
        second.Shows(Prompt);
        first.Type("");
        second.Type("");
        List<int> totals = [];
        foreach (Child child in new[] { first, second })
        {
            string[] lines = child.Rest().TrimEnd('\n').Split('\n');
            Assert.StartsWith(Said, lines[^1]);
            totals.Add(int.Parse(lines[^1][Said.Length..].TrimEnd('.')));
            Assert.True(lines.Length > 2);
            Assert.All(lines[..^1], line => Assert.StartsWith("total ", line));
        }
        Assert.Equal(40, totals.Max());
        Assert.InRange(totals.Min(), 20, 40);
    }
}
