// SPDX-License-Identifier: MIT
// The lock for tasks where many contend: exclusion, fairness, and nothing lost.

using Xunit;
using static Winshm.Tests.Support;

namespace Winshm.Tests;

public class LockLoadTests
{
    // What the lock protects: who is inside, and a counter that is written in two steps with a wait between.
    private static async Task Section(AsyncRegionLock held, Region region, bool shared, int pause)
    {
        if (shared)
        {
            Interlocked.Increment(ref region.As<int>(4));
            Assert.Equal(0, Volatile.Read(ref region.As<int>(0)));
            long before = held.Read<long>(8);
            await Pause(pause);
            Assert.Equal(before, held.Read<long>(8));
            Assert.Equal(0, Volatile.Read(ref region.As<int>(0)));
            Interlocked.Decrement(ref region.As<int>(4));
        }
        else
        {
            Assert.Equal(1, Interlocked.Increment(ref region.As<int>(0)));
            Assert.Equal(0, Volatile.Read(ref region.As<int>(4)));
            long before = held.Read<long>(8);
            await Pause(pause);
            held.Write(8, before + 1);
            Assert.Equal(0, Volatile.Read(ref region.As<int>(4)));
            Assert.Equal(0, Interlocked.Decrement(ref region.As<int>(0)));
        }
    }

    private static async Task Pause(int kind)
    {
        if (kind % 50 == 0)
        {
            await Task.Delay(1);
        }
        else
        {
            await Task.Yield();
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AThousandTasksExcludeEachOtherAndOthers(bool others)
    {
        const int Tasks = 1000, Times = 10;
        using Region region = CreateForTasks();
        int threads = CountThreads();
        int written = 0, foreign = 0, most = 0;
        int[] done = new int[Tasks];
        using CancellationTokenSource end = new();
        async Task Work(Region region, int task)
        {
            for (int i = 0; i < Times; i++)
            {
                bool shared = (task + i) % 3 == 0;
                using (AsyncRegionLock held = shared ? await region.LockSharedAsync() : await region.LockAsync())
                {
                    await Section(held, region, shared, task + i);
                    if (!shared)
                    {
                        written++;
                    }
                }
                done[task]++;
                // Nobody is far behind: who waits is served before the rest come again.
                if (i == Times / 2)
                {
                    Assert.True(done.Min() >= 1, "a task has not had its turn");
                }
            }
        }
        async Task Contend()
        {
            using Region other = JoinForTasks(region);
            while (!end.IsCancellationRequested)
            {
                using (AsyncRegionLock held = await other.LockAsync())
                {
                    await Section(held, other, shared: false, 1);
                    foreign++;
                }
                await Task.Yield();
            }
        }
        using Child? child = others ? new() : null;
        child?.Ask($"open {region.Name} 0 10000");
        Task asking = child is null ? Task.CompletedTask : OnThread(() =>
        {
            while (!end.IsCancellationRequested)
            {
                Assert.Equal("ok", child.Ask("lock 2 30000"));
                Assert.Equal("ok 0000000000000000", child.Ask("peek 0 8"));
                Assert.Equal("ok", child.Ask("unlock 2"));
                Assert.Equal("ok", child.Ask("lock 1 30000"));
                Assert.Equal("ok 00000000", child.Ask("peek 0 4"));
                Assert.Equal("ok", child.Ask("unlock 1"));
                most++;
            }
        });
        Task contending = others ? Task.Run(Contend) : Task.CompletedTask;
        // All of them stand in line before the first one goes.
        AsyncRegionLock first = await region.LockAsync();
        Task[] tasks = [];
        await Task.Run(() => { tasks = [.. Enumerable.Range(0, Tasks).Select(task => Work(region, task))]; });
        first.Dispose();
        await Task.WhenAll(tasks).WaitAsync(Patience);
        Assert.InRange(CountThreads(), 0, threads + 30);
        end.Cancel();
        await Task.WhenAll(asking, contending).WaitAsync(Patience);
        Assert.Equal(written + foreign, region.As<long>(8));
        Assert.Equal(LockState.Free, region.GetInfo().LockState);
        if (others)
        {
            Assert.InRange(foreign, 1, int.MaxValue);
            Assert.InRange(most, 1, int.MaxValue);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AStormOfCancellationsLosesNeitherWakeUpNorLock(bool outside)
    {
        using Region region = CreateForTasks();
        using Region other = JoinForTasks(region);
        int granted = 0, cancelled = 0, late = 0;
        async Task Work(int task)
        {
            Random random = new(task);
            for (int i = 0; i < 50; i++)
            {
                using CancellationTokenSource cancellation = new();
                bool shared = random.Next(3) == 0;
                bool kept = i % 10 == 9;
                TimeSpan time = random.Next(4) == 0 ? TimeSpan.FromMilliseconds(random.Next(10)) : Patience;
                if (!kept && random.Next(4) != 0)
                {
                    cancellation.CancelAfter(TimeSpan.FromMilliseconds(random.Next(12)));
                }
                time = kept ? Patience : time;
                try
                {
                    using AsyncRegionLock held = shared
                        ? await region.LockSharedAsync(time, cancellation.Token)
                        : await region.LockAsync(time, cancellation.Token);
                    await Section(held, region, shared, task * i + 1);
                    Interlocked.Increment(ref granted);
                }
                catch (OperationCanceledException) when (!kept)
                {
                    Interlocked.Increment(ref cancelled);
                }
                catch (TimeoutException) when (time < Patience)
                {
                    Interlocked.Increment(ref late);
                }
            }
        }
        using CancellationTokenSource end = new();
        Task contending = !outside ? Task.CompletedTask : Task.Run(async () =>
        {
            while (!end.IsCancellationRequested)
            {
                using (AsyncRegionLock held = await other.LockAsync())
                {
                    await Section(held, other, shared: false, 0);
                }
                await Task.Delay(1);
            }
        });
        await Task.WhenAll(Enumerable.Range(0, 200).Select(task => Task.Run(() => Work(task)))).WaitAsync(2 * Patience);
        end.Cancel();
        await contending.WaitAsync(Patience);
        Assert.True(granted >= 1000 && cancelled > 100 && late > 10, $"{granted} {cancelled} {late}");
        // What the thread has asked for on behalf of one that gave up goes back.
        Until(() => TryLock(other));
        region.Close();
        Assert.Single(other.GetParticipants());
    }

    [Theory]
    [InlineData(10, 5)]
    [InlineData(3, 12)]
    [InlineData(3, 30)]
    public async Task TasksThatAlwaysWaitLetOthersIn(int tasks, int milliseconds)
    {
        using Region region = CreateForTasks();
        using Region other = JoinForTasks(region);
        using CancellationTokenSource end = new();
        int sections = 0, best = int.MaxValue;
        Task busy = Task.WhenAll(Enumerable.Range(0, tasks).Select(async _ =>
        {
            while (!end.IsCancellationRequested)
            {
                using (await region.LockAsync())
                {
                    sections++;
                    await Task.Delay(milliseconds);
                }
            }
        }));
        // On a machine that has more to do the scheduler may be what keeps the other one waiting.
        for (int round = 0; round < 5 && best > 5; round++)
        {
            int most = 0;
            for (int i = 0; i < 150 / milliseconds; i++)
            {
                await Task.Delay(3);
                int before = Volatile.Read(ref sections);
                using (await other.LockAsync(Patience))
                {
                    most = Math.Max(most, sections - before);
                }
            }
            best = Math.Min(best, most);
        }
        end.Cancel();
        await busy.WaitAsync(Patience);
        // Two or three sections pass meanwhile; many more if each task takes the lock from the one before.
        Assert.InRange(best, 0, 8);
    }
}
