// SPDX-License-Identifier: MIT
// Notification: with a thread, without one, and with a Windows event.

using System.Diagnostics;
using System.Runtime.CompilerServices;
using Xunit;
using static Winshm.Tests.Support;

namespace Winshm.Tests;

public class ChangeTests
{
    [Fact]
    public void WaitReturnsTheCounter()
    {
        using Region region = Region.Create(NewName(), 8);
        uint seen = region.ChangeCount;
        Assert.False(region.Wait(seen, TimeSpan.FromMilliseconds(20), out uint now));
        Assert.Equal(seen, now);
        region.Notify();
        region.Notify();
        Assert.True(region.Wait(seen, TimeSpan.Zero, out now));
        Assert.Equal(seen + 2, now);
        Assert.Equal(seen + 2, region.Wait(seen));
        Assert.Throws<ArgumentOutOfRangeException>(() => region.Wait(now, TimeSpan.MinValue, out _));
    }

    [Fact]
    public async Task NotifyWakesEveryThread()
    {
        using Region region = Region.Create(NewName(), 8);
        using Region other = Region.Open(region.Name);
        Task[] waiting = [.. new[] { region, region, other }.Select(r => OnThread(() => r.Wait(0)))];
        await Task.Delay(50);
        Assert.DoesNotContain(waiting, task => task.IsCompleted);
        other.Notify();
        await Task.WhenAll(waiting).WaitAsync(Patience);
    }

    [Fact]
    public async Task DisposeEndsTheWait()
    {
        Region region = Region.Create(NewName(), 8);
        Task waiting = OnThread(() => region.Wait(0));
        await Task.Delay(50);
        region.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting.WaitAsync(Patience));
    }

    [Fact]
    public async Task AsynchronousWaitsEndWithTheChange()
    {
        using Region region = Region.Create(NewName(), 8);
        using Region other = Region.Open(region.Name);
        other.Notify();
        Assert.Equal(1u, await region.WaitAsync(0));
        for (uint seen = 1; seen < 200; seen++)
        {
            Task<uint> waiting = region.WaitAsync(seen);
            Assert.False(waiting.IsCompleted);
            other.Notify();
            Assert.Equal(seen + 1, await waiting.WaitAsync(Patience));
        }
    }

    [Fact]
    public async Task ChangesAreAStream()
    {
        using Region region = Region.Create(NewName(), 8);
        using Region other = Region.Open(region.Name);
        other.Notify();
        using CancellationTokenSource patience = new(Patience);
        IAsyncEnumerable<uint> changes = region.Changes(patience.Token);
        // After the call, though before the loop.
        other.Notify();
        List<uint> seen = [];
        await foreach (uint now in changes)
        {
            seen.Add(now);
            if (seen.Count == 5)
            {
                break;
            }
            _ = Task.Delay(seen.Count).ContinueWith(_ => other.Notify(), TaskScheduler.Default);
        }
        Assert.Equal([2, 3, 4, 5, 6], seen);
        await foreach (uint now in region.Changes(0, patience.Token))
        {
            Assert.Equal(6u, now);
            break;
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AStreamOfChangesEnds(bool cancelled)
    {
        using Region region = Region.Create(NewName(), 8);
        using CancellationTokenSource cancellation = new();
        Task listening = Listen(region.Changes(cancellation.Token));
        await Task.Delay(20);
        Assert.False(listening.IsCompleted);
        if (cancelled)
        {
            cancellation.Cancel();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => listening.WaitAsync(Patience));
        }
        else
        {
            region.Dispose();
            await Assert.ThrowsAsync<ObjectDisposedException>(() => listening.WaitAsync(Patience));
            Assert.Throws<ObjectDisposedException>(() => region.Changes());
        }

        static async Task Listen(IAsyncEnumerable<uint> changes)
        {
            await foreach (uint _ in changes)
            {
                Assert.Fail("nothing has changed");
            }
        }
    }

    [Fact]
    public async Task ManyAsynchronousWaitsShareOneThread()
    {
        using Region region = Region.Create(NewName(), 8);
        int threads = CountThreads();
        Task<uint>[] waiting = [.. Enumerable.Range(0, 1000).Select(_ => region.WaitAsync(0))];
        await Task.Delay(50);
        long start = Stopwatch.GetTimestamp();
        await Task.Run(() => { });
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(5));
        Assert.True(CountThreads() < threads + 20);
        Assert.DoesNotContain(waiting, task => task.IsCompleted);
        region.Notify();
        Assert.All(await Task.WhenAll(waiting).WaitAsync(Patience), now => Assert.Equal(1u, now));
    }

    [Fact]
    public async Task CancellationIsPrompt()
    {
        using Region region = Region.Create(NewName(), 8);
        Task<uint> kept = region.WaitAsync(0);
        // The machine may be slow now and then, so the fastest of some counts.
        TimeSpan least = TimeSpan.MaxValue;
        for (int i = 0; i < 5; i++)
        {
            using CancellationTokenSource cancellation = new();
            Task<uint> cancelled = region.WaitAsync(0, cancellation.Token);
            await Task.Delay(20);
            long start = Stopwatch.GetTimestamp();
            cancellation.Cancel();
            var e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.WaitAsync(Patience));
            TimeSpan taken = Stopwatch.GetElapsedTime(start);
            least = taken < least ? taken : least;
            Assert.Equal(cancellation.Token, e.CancellationToken);
            Assert.True(cancelled.IsCanceled);
            Assert.True(region.WaitAsync(0, cancellation.Token).IsCanceled);
        }
        Assert.True(least < TimeSpan.FromMilliseconds(500));
        Assert.False(kept.IsCompleted);
        region.Notify();
        Assert.Equal(1u, await kept.WaitAsync(Patience));
    }

    [Fact]
    public async Task AsynchronousWaitsStartAgainAfterAPause()
    {
        using Region region = Region.Create(NewName(), 8);
        Task<uint> waiting = region.WaitAsync(0);
        region.Notify();
        await waiting.WaitAsync(Patience);
        // Long enough for the waiting thread to end.
        await Task.Delay(2500);
        waiting = region.WaitAsync(1);
        region.Notify();
        Assert.Equal(2u, await waiting.WaitAsync(Patience));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task DisposeEndsAsynchronousWaits(bool pinned)
    {
        Region region = Region.Create(NewName(), 8);
        Task<uint> waiting = region.WaitAsync(0);
        using (pinned ? region.Memory.Pin() : default)
        {
            await Task.Delay(20);
            region.Dispose();
            await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting.WaitAsync(Patience));
        }
    }

    [Fact]
    public void ForgottenRegionsWithPendingWaitsLeaveNoThread()
    {
        const int Regions = 50;
        string prefix = NewName();
        int threads = CountThreads();
        Forget(prefix);
        Until(() =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return CountThreads() < threads + Regions / 5;
        });
        for (int i = 0; i < Regions; i++)
        {
            Fails(WinshmStatus.NotFound, () => Region.Open($"{prefix}-{i}"));
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        static void Forget(string prefix)
        {
            var regions = new Region[Regions];
            for (int i = 0; i < Regions; i++)
            {
                regions[i] = Region.Create($"{prefix}-{i}", 8);
                _ = regions[i].WaitAsync(0);
            }
            Assert.InRange(CountThreads(), Regions, int.MaxValue);
            GC.KeepAlive(regions); // not forgotten before they are counted
        }
    }

    [Fact]
    public async Task TheWaitOfAForgottenRegionTellsItsOwnFailure()
    {
        Task<uint> waiting = Forget(NewName());
        Until(() =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return waiting.IsCompleted;
        });
        ObjectDisposedException e = await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
        // The thread waits for most of the time, and looks at the counter in between.
        Assert.Matches("^Region[.](Wait[(][)] '|ChangeCount: )", e.Message);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static Task<uint> Forget(string name) => Region.Create(name, 8).WaitAsync(0);
    }

    [Fact]
    public async Task ALoopOfWaitsKeepsItsRegion()
    {
        using Region region = Region.Create(NewName(), 8);
        TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Start(region.Name, ended);
        for (int i = 0; i < 5; i++)
        {
            await Task.Delay(20);
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Assert.Equal(2, region.GetParticipants().Count);
            region.Notify();
        }
        await ended.Task.WaitAsync(Patience);
        Until(() => region.GetParticipants().Count == 1);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static void Start(string name, TaskCompletionSource ended) => _ = Loop(name, ended);

        static async Task Loop(string name, TaskCompletionSource ended)
        {
            using Region region = Region.Open(name);
            for (uint seen = 0; seen < 5;)
            {
                seen = await region.WaitAsync(seen);
            }
            ended.SetResult();
        }
    }

    [Fact]
    public void AProcessEndsWithPendingWaits()
    {
        using Region region = Region.Create(NewName(), 8, RegionFlags.Task);
        region.Lock();
        using Child child = new($"waits {region.Name}");
        Assert.Equal("50 waits", child.Read());
        Until(() => region.GetParticipants().Count == 51);
        Assert.Equal("ending", child.Ask("end"));
        Assert.Equal(0, child.WaitForExit());
        Until(() => region.GetParticipants().Count == 1);
        region.Unlock(LockMode.Exclusive);
    }

    [Fact]
    public async Task ARawRegionHasNoChanges()
    {
        using Region region = Region.Create(NewName(), 8, RegionFlags.Raw);
        Fails(WinshmStatus.Unsupported, () => region.Wait(0));
        await FailsAsync(WinshmStatus.Unsupported, () => region.WaitAsync(0));
    }

    [Fact]
    public void AWindowsEventIsSetByAChange()
    {
        using Region region = Region.Create(NewName(), 8);
#pragma warning disable CA1416 // The failure elsewhere is a part of the test.
        if (!OperatingSystem.IsWindows())
        {
            Exception e = Fails(WinshmStatus.Unsupported, () => region.GetWaitHandle());
            Assert.EndsWith("Use Region.WaitAsync() or Region.Changes().", e.Message);
            return;
        }
        using Region other = Region.Open(region.Name);
        using (WaitHandle signal = region.GetWaitHandle())
        {
            Assert.False(signal.WaitOne(20));
            other.Notify();
            Assert.True(signal.WaitOne(Patience));
            Assert.False(signal.WaitOne(0));
        }
        // Disposing of the wrapper leaves the region's event alone.
        using WaitHandle again = region.GetWaitHandle();
        other.Notify();
        Assert.True(again.WaitOne(Patience));
#pragma warning restore CA1416
    }
}
