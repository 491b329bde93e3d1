// SPDX-License-Identifier: MIT
// Leaving a region: while it is locked, pinned, or left by two threads at once.

using System.Buffers;
using System.Runtime.CompilerServices;
using Xunit;
using static Winshm.Tests.Support;

namespace Winshm.Tests;

public class CloseTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void CloseIsRefusedWhileTheLockIsHeld(bool pinned)
    {
        using Region region = Region.Create(NewName(), 8);
        using Region other = Region.Open(region.Name);
        Memory<byte> memory = region.Memory;
        MemoryHandle pin = pinned ? memory.Pin() : default;
        RegionLock guard = region.Lock();
        Fails(WinshmStatus.Busy, region.Close);
        Apart(() => Fails(WinshmStatus.Busy, region.Close));
        region.As<long>(0) = 5;
        Assert.Equal(5, memory.Span[0]);
        Assert.False(other.TryLock(TimeSpan.Zero, out _));
        guard.Dispose();
        region.Close();
        region.Close();
        Assert.Throws<ObjectDisposedException>(() => region.Lock());
        Assert.Equal(pinned ? 2 : 1, other.GetParticipants().Count);
        // Nothing is left of the refusal.
        pin.Dispose();
        region.Dispose();
        Assert.Single(other.GetParticipants());
    }

    [Fact]
    public void ARegionWithoutALockIsClosedAlthoughItIsPinned()
    {
        foreach (RegionFlags flags in new[] { RegionFlags.Raw, RegionFlags.NoLock })
        {
            Region region = Region.Create(NewName(), 8, flags);
            using (region.Memory.Pin())
            {
                region.Close();
            }
            Fails(WinshmStatus.NotFound, () => Region.Open(region.Name));
        }
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void DisposeReleasesTheLockOfItsThread(bool shared, bool pinned)
    {
        Region region = Region.Create(NewName(), 8);
        using Region other = Region.Open(region.Name);
        using (pinned ? region.Memory.Pin() : default)
        {
            InvalidOperationException e = Assert.Throws<InvalidOperationException>((Action)(() =>
            {
                using (region)
                {
                    _ = shared ? region.LockShared() : region.Lock();
                    throw new InvalidOperationException("the body's");
                }
            }));
            Assert.Equal("the body's", e.Message);
            using (other.Lock(TimeSpan.Zero))
            {
            }
        }
        Assert.Single(other.GetParticipants());
    }

    [Fact]
    public void DisposeLeavesTheLockOfARegionForTasksToItsGuard()
    {
        Region region = CreateForTasks();
        using Region other = Region.Open(region.Name);
        using (RegionLock held = region.Lock())
        {
            region.Dispose();
            Assert.False(TryLock(other));
            held.Write(0, 5);
        }
        Assert.True(TryLock(other));
        Assert.Equal(5, other.Read<int>(0));
        Assert.Single(other.GetParticipants());
    }

    [Fact]
    public void TheBodysExceptionIsNotReplaced()
    {
        string name = NewName();
        using Region other = Region.Create(name, 8);
        InvalidOperationException e = Assert.Throws<InvalidOperationException>((Action)(() =>
        {
            using Region region = Region.Open(name);
            using (RegionLock held = region.Lock())
            {
                region.Unlock(LockMode.Exclusive);
                throw new InvalidOperationException("the body's");
            }
        }));
        Assert.Equal("the body's", e.Message);
        other.Lock(TimeSpan.Zero).Dispose();
        Assert.Single(other.GetParticipants());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WhatAnotherThreadHasLockedIsLeftWhenItUnlocks(bool pinned)
    {
        Region region = Region.Create(NewName(), 8);
        using Region other = Region.Open(region.Name);
        MemoryHandle pin = pinned ? region.Memory.Pin() : default;
        using ManualResetEventSlim locked = new(), disposed = new();
        Task holding = OnThread(() =>
        {
            using RegionLock held = region.Lock();
            locked.Set();
            Assert.True(disposed.Wait(Patience));
            Assert.Throws<ObjectDisposedException>(() => region.Span.Length);
            held.Write(0, 7L);
            Assert.Equal(7, held.Read<long>(0));
        });
        Assert.True(locked.Wait(Patience));
        region.Dispose();
        pin.Dispose();
        Assert.Throws<ObjectDisposedException>(() => region.Lock());
        Assert.False(other.TryLock(TimeSpan.Zero, out _));
        Assert.Equal(2, other.GetParticipants().Count);
        disposed.Set();
        Ended(holding);
        Assert.Single(other.GetParticipants());
        Assert.Equal(7, other.Read<long>(0));
    }

    [Fact]
    public void ManyRegionsAreDisposedOfWhileTheyAreUnlocked()
    {
        // Dispose and the release race: one of the two has to leave the region.
        const int Rounds = 3000;
        using Region keeper = Region.Create(NewName(), 8);
        using Barrier barrier = new(2);
        Region region = keeper;
        Task holding = OnThread(() =>
        {
            for (int round = 0; round < Rounds; round++)
            {
                barrier.SignalAndWait(Patience);
                using (region.Lock())
                {
                    barrier.SignalAndWait(Patience);
                    Thread.SpinWait(round % 50);
                }
                barrier.SignalAndWait(Patience);
            }
        });
        for (int round = 0; round < Rounds; round++)
        {
            region = Region.Open(keeper.Name);
            barrier.SignalAndWait(Patience);
            barrier.SignalAndWait(Patience);
            Thread.SpinWait(round / 50 % 50);
            region.Dispose();
            barrier.SignalAndWait(Patience);
            Assert.Single(keeper.GetParticipants());
        }
        Ended(holding);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void ManyThreadsMayDisposeAtOnce(bool pinned, bool locked)
    {
        const int Threads = 3;
        string name = NewName();
        using Region keeper = Region.Create(name, 8);
        using Barrier barrier = new(Threads);
        Region region = keeper;
        View view = null!;
        MemoryHandle pin = default;
        void Round(int thread)
        {
            for (int round = 0; round < 3000; round++)
            {
                if (thread == 0)
                {
                    region = Region.Open(name);
                    view = region.Map(0, 8);
                    pin = pinned ? region.Memory.Pin() : default;
                    if (locked)
                    {
                        region.Lock();
                    }
                }
                Assert.True(barrier.SignalAndWait(Patience));
                if (locked && thread == 1)
                {
                    try
                    {
                        region.Close();
                    }
                    catch (WinshmException e) when (e.Status == WinshmStatus.Busy)
                    {
                    }
                }
                else
                {
                    region.Dispose();
                }
                view.Dispose();
                if (thread == Threads - 1)
                {
                    pin.Dispose();
                }
                Assert.True(barrier.SignalAndWait(Patience));
                if (thread == 0)
                {
                    if (locked && keeper.GetParticipants().Count == 2)
                    {
                        // Another thread was first, and does not release what this one holds.
                        region.Unlock(LockMode.Exclusive);
                    }
                    Assert.Single(keeper.GetParticipants());
                    keeper.Lock(TimeSpan.Zero).Dispose();
                    Assert.Throws<ObjectDisposedException>(() => region.Size);
                    Assert.Throws<ObjectDisposedException>(() => view.Size);
                }
            }
        }
        Task[] threads = [.. Enumerable.Range(0, Threads).Select(thread => OnThread(() => Round(thread)))];
        Ended(Task.WhenAll(threads));
    }

    [Fact]
    public void AGuardOfATaskThatIsForgottenIsReleasedAfterDispose()
    {
        using Region other = Region.Create(NewName(), 8);
        Forget(other.Name);
        Until(() =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return other.GetParticipants().Count == 1;
        });
        other.Lock(TimeSpan.Zero).Dispose();

        [MethodImpl(MethodImplOptions.NoInlining)]
        static void Forget(string name)
        {
            using Region region = Region.Open(name, RegionFlags.Task);
            _ = region.LockAsync().AsTask().GetAwaiter().GetResult();
        }
    }
}
