// SPDX-License-Identifier: MIT
// A close that is refused: only for a lock that somebody holds, and noticed by nobody else.

using Xunit;
using static Winshm.Tests.Support;

namespace Winshm.Tests;

public class RefusedCloseTests
{
    [Fact]
    public async Task TheLockOfARequestThatWasCancelledIsNotInTheWay()
    {
        using Region other = CreateForTasks();
        for (int round = 0; round < 600; round++)
        {
            using Region region = JoinForTasks(other);
            using CancellationTokenSource cancellation = new();
            AsyncRegionLock held = await other.LockAsync();
            Task<AsyncRegionLock> waiting = region.LockAsync(cancellation.Token).AsTask();
            Thread.Sleep(1);
            cancellation.Cancel();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
            held.Dispose();
            Thread.SpinWait(round % 400);
            region.Close();
        }
        Assert.Single(other.GetParticipants());
    }

    [Fact]
    public async Task TasksThatWaitAreServedAfterARefusal()
    {
        using Region region = CreateForTasks();
        region.Lock();
        Task<AsyncRegionLock>[] waiting = [region.LockAsync().AsTask(), region.LockSharedAsync().AsTask()];
        for (int i = 0; i < 3; i++)
        {
            Fails(WinshmStatus.Busy, region.Close);
        }
        Assert.DoesNotContain(waiting, task => task.IsCompleted);
        region.Unlock(LockMode.Exclusive);
        foreach (Task<AsyncRegionLock> task in waiting)
        {
            (await task.WaitAsync(Patience)).Dispose();
        }
        region.Close();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OtherThreadsDoNotNotice(bool tasks)
    {
        const int Refusals = 5000;
        using Region keeper = Region.Create(NewName(), 64);
        int refused = 0, noticed = 0;
        while (refused < Refusals)
        {
            Region region = Region.Open(keeper.Name, tasks ? RegionFlags.Task : RegionFlags.None);
            uint seen = region.ChangeCount;
            bool closed = false, end = false;
            Action[] work =
            [
                () => Locked(region, 50),
                () => Locked(region, 0),
                () =>
                {
                    // A bare span is not in the way of a close.
                    using (region.Memory.Pin())
                    {
                        region.Span[8] = 1;
                    }
                    region.Wait(seen, TimeSpan.FromMilliseconds(1), out _);
                },
            ];
            Task[] threads = [.. work.Select(part => OnThread(() =>
            {
                while (!Volatile.Read(ref end))
                {
                    try
                    {
                        part();
                    }
                    catch (ObjectDisposedException)
                    {
                        Volatile.Write(ref closed, true);
                        Thread.Yield();
                    }
                }
            }))];
            Task<uint> change = region.WaitAsync(seen);
            for (int i = 0; i < 500; i++)
            {
                Thread.SpinWait(300);
                Volatile.Write(ref closed, false);
                try
                {
                    region.Close();
                    break;
                }
                catch (WinshmException e) when (e.Status == WinshmStatus.Busy)
                {
                    refused++;
                    noticed += Volatile.Read(ref closed) || change.IsCompleted ? 1 : 0;
                }
            }
            Volatile.Write(ref end, true);
            await Task.WhenAll(threads).WaitAsync(Patience);
            region.Dispose();
            await Assert.ThrowsAsync<ObjectDisposedException>(() => change.WaitAsync(Patience));
        }
        Assert.Equal(0, noticed);

        static void Locked(Region region, int spins)
        {
            using (region.Lock())
            {
                Thread.SpinWait(spins);
            }
        }
    }
}
