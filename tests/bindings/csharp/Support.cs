// SPDX-License-Identifier: MIT
// What the tests share: fresh names, expected failures, and a second process.

using System.Diagnostics;
using Xunit;

namespace Winshm.Tests;

internal static class Support
{
    private static int s_names;

    /// <summary>Far more than anything here takes, so that only a hang reaches it.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static string NewName() => $"winshm-cs-{Environment.ProcessId}-{Interlocked.Increment(ref s_names)}";

    public static Region CreateForTasks() => Region.Create(NewName(), 64, RegionFlags.Task);

    public static Region JoinForTasks(Region region) => Region.Open(region.Name, RegionFlags.Task);

    /// <summary>Whether the lock can be had now.</summary>
    public static bool TryLock(Region region)
    {
        bool taken = region.TryLock(TimeSpan.Zero, out RegionLock guard);
        guard.Dispose();
        return taken;
    }

    /// <summary>Expects the exception that stands for a status.</summary>
    public static Exception Fails(WinshmStatus status, Action action) => Is(status, Record.Exception(action));

    /// <summary>Expects the exception that stands for a status.</summary>
    public static async Task<Exception> FailsAsync(WinshmStatus status, Func<Task> action) =>
        Is(status, await Record.ExceptionAsync(action));

    private static Exception Is(WinshmStatus status, Exception? e)
    {
        Type expected = status switch
        {
            WinshmStatus.Invalid or WinshmStatus.Name => typeof(ArgumentException),
            WinshmStatus.Range => typeof(ArgumentOutOfRangeException),
            WinshmStatus.Timeout => typeof(TimeoutException),
            WinshmStatus.NotFound => typeof(RegionNotFoundException),
            WinshmStatus.Exists => typeof(RegionExistsException),
            WinshmStatus.Access or WinshmStatus.Privilege => typeof(UnauthorizedAccessException),
            WinshmStatus.Size or WinshmStatus.Tag or WinshmStatus.Layout => typeof(RegionMismatchException),
            WinshmStatus.Token => typeof(FormatException),
            WinshmStatus.Format => typeof(InvalidDataException),
            WinshmStatus.OwnerDead => typeof(OwnerDeadException),
            _ => typeof(WinshmException),
        };
        Assert.IsType(expected, e);
        Assert.Contains($"[{Library.GetStatusName(status)}]", e.Message);
        Assert.Equal(status, (e as WinshmException)?.Status ?? status);
        return e;
    }

    /// <summary>Runs on a thread of its own, whose failure the returned task carries.</summary>
    public static Task OnThread(Action action) =>
        Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Runs to its end on another thread.</summary>
    public static void Apart(Action action) => Ended(OnThread(action));

    /// <summary>Waits here, where there is a guard that cannot cross an await.</summary>
    public static void Ended(Task task) => task.WaitAsync(2 * Patience).GetAwaiter().GetResult();

    public static int CountThreads()
    {
        using var self = Process.GetCurrentProcess();
        return self.Threads.Count;
    }

    public static void Until(Func<bool> condition)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Patience, "it did not happen in time");
            Thread.Sleep(5);
        }
    }
}

/// <summary>Another process of this program, in the role of the test peer.</summary>
internal sealed class Child : IDisposable
{
    private readonly Process _process;

    public Child(string role = "peer", params (string Name, string Value)[] environment)
    {
        ProcessStartInfo start = new(Command[0], Command[1..])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        foreach (string word in role.Split(' '))
        {
            start.ArgumentList.Add(word);
        }
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }
        _process = Process.Start(start)!;
    }

    /// <summary>What starts this program. A test host may run it as a library of the dotnet command.</summary>
    public static string[] Command { get; } =
        Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet"
            ? [Environment.ProcessPath!, Path.Combine(AppContext.BaseDirectory, "Winshm.Tests.dll")]
            : [Environment.ProcessPath!];

    public int Id => _process.Id;

    public string Ask(string command)
    {
        Type(command);
        return Read();
    }

    public void Type(string line)
    {
        _process.StandardInput.WriteLine(line);
        _process.StandardInput.Flush();
    }

    /// <summary>Waits for a text on its output; nothing else may come before.</summary>
    public void Shows(string text)
    {
        string shown = "";
        char[] next = new char[1];
        while (shown != text)
        {
            Assert.StartsWith(shown, text);
            Assert.Equal(1, _process.StandardOutput.ReadAsync(next, 0, 1).WaitAsync(Support.Patience).GetAwaiter().GetResult());
            shown += next[0] == '\r' ? "" : next[0];
        }
    }

    /// <summary>What else it shows until its end.</summary>
    public string Rest()
    {
        string rest = _process.StandardOutput.ReadToEndAsync().WaitAsync(Support.Patience).GetAwaiter().GetResult();
        Assert.Equal(0, WaitForExit());
        return rest.ReplaceLineEndings("\n");
    }

    public string Read() =>
        _process.StandardOutput.ReadLineAsync().WaitAsync(Support.Patience).GetAwaiter().GetResult() ?? "(end)";

    public int WaitForExit()
    {
        Assert.True(_process.WaitForExit(Support.Patience));
        return _process.ExitCode;
    }

    public void Kill()
    {
        _process.Kill();
        Assert.True(_process.WaitForExit(Support.Patience));
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }
        _process.Dispose();
    }
}
