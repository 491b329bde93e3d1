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
        using Child waiting = new("example Notify"), other = new("example Notify");
        waiting.Shows("Waiting for messages; bye ends it.\n");
        other.Shows("Waiting for messages; bye ends it.\n");
        using (Child sending = new("example Notify some words"))
        {
            Assert.Empty(sending.Rest());
        }
        waiting.Shows("some words\n");
        other.Shows("some words\n");
        using (Child sending = new("example Notify bye"))
        {
            Assert.Empty(sending.Rest());
        }
        Assert.Equal("bye\n", waiting.Rest());
        Assert.Equal("bye\n", other.Rest());
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
    public void Typed()
    {
        using Child child = new("example Typed");
        child.Shows("Score:i32@0; Lives:u8@4; Player:char[11]@5; MaxSpeed:f64@16; size 24\n10 points, 2 lives\n");
        string drifted = child.Rest();
        Assert.StartsWith("Region.Open() 'example-typed': ", drifted);
        Assert.Contains("'Lives' is i32 @4 here, u8 @4", drifted);
    }

    [Fact]
    public void Growing()
    {
        using Child child = new("example Growing");
        Assert.Equal("4096 bytes before, 1048576 now, the last is 7\n", child.Rest());
    }

    [Fact]
    public void Saving()
    {
        using Child child = new("example Saving");
        Assert.Equal("The volume is 11.\n", child.Rest());
    }

    [Fact]
    public void HandoverByToken()
    {
        using Child child = new($"example Handover give {string.Join(' ', Child.Command)} example Handover");
        Assert.Equal("handed over: count 2\n", child.Rest());
    }

    [Fact]
    public void HandoverByLinkFile()
    {
        string folder = Directory.CreateTempSubdirectory("winshm").FullName;
        try
        {
            string path = Path.Combine(folder, "state.link");
            using Child taking = new($"example Handover open {path}");
            using Child giving = new($"example Handover link {path}");
            Assert.Equal("handed over: count 2\n", giving.Rest());
            Assert.Empty(taking.Rest());
            Assert.False(File.Exists(path));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task OwnLock()
    {
        using Child first = new("example OwnLock");
        first.Shows("Waiting for the lock.\nThe lock was free.\nCounted to 1. Enter unlocks.\n");
        using Child second = new("example OwnLock"), third = new("example OwnLock");
        second.Shows("Waiting for the lock.\n");
        third.Shows("Waiting for the lock.\n");
        first.Type("");
        Assert.Empty(first.Rest());

        // Either of them, and the other waits until it is killed.
        Task<string> one = Task.Run(second.Read), other = Task.Run(third.Read);
        Task<string> said = await Task.WhenAny(one, other);
        (Child owner, Child heir, Task<string> heard) = said == one ? (second, third, other) : (third, second, one);
        Assert.Equal("The lock was free.", await said);
        owner.Shows("Counted to 2. Enter unlocks.\n");
        await Task.Delay(500);
        Assert.False(heard.IsCompleted);
        owner.Kill();
        Assert.Equal("The owner has died: look at the data.", await heard.WaitAsync(Support.Patience));
        heir.Shows("Counted to 3. Enter unlocks.\n");
        heir.Type("");
        Assert.Empty(heir.Rest());
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
