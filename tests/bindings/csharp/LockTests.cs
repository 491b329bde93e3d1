// SPDX-License-Identifier: MIT
// The lock within one process: exclusion, modes, guards and closing.

using Xunit;
using static Winshm.Tests.Support;

namespace Winshm.Tests;

public class LockTests
{
    private static readonly TimeSpan s_short = TimeSpan.FromMilliseconds(20);

    [Fact]
    public async Task ThreadsOfOneAndOfTwoHandlesExcludeEachOther()
    {
        const int Times = 5000;
        using Region first = Region.Create(NewName(), 8);
        using Region second = Region.Open(first.Name);
        Task[] threads = [.. new[] { first, second, first, second }.Select(region => OnThread(() =>
        {
            for (int i = 0; i < Times; i++)
            {
                using (region.Lock())
                {
                    region.As<long>(0)++;
                }
            }
        }))];
        await Task.WhenAll(threads).WaitAsync(Patience);
        Assert.Equal(4 * Times, first.As<long>(0));
    }

    [Fact]
    public void WritersExcludeAllAndReadersExcludeWriters()
    {
        using Region first = Region.Create(NewName(), 8);
        using Region second = Region.Open(first.Name);
        using (first.Lock())
        {
            Assert.False(second.TryLock(TimeSpan.Zero, out _));
            Assert.False(second.TryLockShared(TimeSpan.Zero, out _));
            Fails(WinshmStatus.Timeout, () => second.Lock(s_short));
            Fails(WinshmStatus.Timeout, () => second.LockShared(s_short));
            Fails(WinshmStatus.Timeout, () => second.LockForRepair(s_short));
        }
        using (first.LockShared())
        {
            Assert.True(second.TryLockShared(TimeSpan.Zero, out RegionLock reading));
            reading.Dispose();
            Assert.False(second.TryLock(s_short, out RegionLock none));
            none.Dispose();
        }
        Assert.True(second.TryLock(TimeSpan.Zero, out RegionLock writing));
        Assert.False(writing.OwnerDied);
        writing.Dispose();
    }

    [Fact]
    public void TheSameThreadIsToldInsteadOfWaitingForItself()
    {
        using Region region = Region.Create(NewName(), 8);
        using (region.Lock())
        {
            Fails(WinshmStatus.Deadlock, () => region.Lock());
            Fails(WinshmStatus.Deadlock, () => region.LockShared());
        }
    }

    [Fact]
    public void TimeOutsAreChecked()
    {
        using Region region = Region.Create(NewName(), 8);
        Assert.Throws<ArgumentOutOfRangeException>(() => region.Lock(TimeSpan.FromSeconds(-1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => region.TryLockShared(TimeSpan.MaxValue, out _));
    }

    [Fact]
    public void UnlockingWhatIsNotHeldIsToldAndAGuardReleasesOnce()
    {
        using Region region = Region.Create(NewName(), 8);
        Fails(WinshmStatus.NotOwner, () => region.Unlock(LockMode.Exclusive));
        Fails(WinshmStatus.NotOwner, () => region.Unlock(LockMode.Shared));
        Fails(WinshmStatus.NotOwner, () => region.MakeConsistent());
        Fails(WinshmStatus.Invalid, () => region.Unlock((LockMode)3));

        RegionLock guard = region.LockShared();
        Fails(WinshmStatus.NotOwner, () => region.Unlock(LockMode.Exclusive));
        Fails(WinshmStatus.NotOwner, () => region.MakeConsistent());
        guard.Dispose();
        guard.Dispose();
        Assert.Throws<ObjectDisposedException>(() => guard.MakeConsistent());
        using (RegionLock repair = region.LockForRepair())
        {
            Assert.False(repair.OwnerDied);
            repair.MakeConsistent();
        }
    }

    [Fact]
    public async Task AnotherThreadMayUnlock()
    {
        using Region region = Region.Create(NewName(), 8);
        using Region other = Region.Open(region.Name);
        RegionLock writing = region.Lock();
        await OnThread(() => writing.Dispose()).WaitAsync(Patience);
        RegionLock reading = region.LockShared();
        await OnThread(() => reading.Dispose()).WaitAsync(Patience);
        using (await Task.Run(() => other.Lock()))
        {
            await Task.Delay(10);
        }
        using (region.Lock(TimeSpan.Zero))
        {
        }
    }

    [Fact]
    public async Task ALockIsGrantedWhenItIsReleased()
    {
        using Region region = Region.Create(NewName(), 8);
        using Region other = Region.Open(region.Name);
        RegionLock guard = region.Lock();
        Task waiting = OnThread(() => other.Lock().Dispose());
        Until(() => region.GetParticipants().Any(p => p.Flags.HasFlag(ParticipantFlags.Waiting)));
        Assert.False(waiting.IsCompleted);
        guard.Dispose();
        await waiting.WaitAsync(Patience);
    }

    [Fact]
    public void ARegionThatHoldsTheLockIsNotClosed()
    {
        using Region region = Region.Create(NewName(), 8);
        using Region other = Region.Open(region.Name);
        RegionLock guard = region.Lock();
        Fails(WinshmStatus.Busy, () => region.Dispose());
        region.As<long>(0) = 5;
        Assert.False(other.TryLock(TimeSpan.Zero, out _));
        guard.Dispose();
        region.Dispose();
        Assert.Throws<ObjectDisposedException>(() => region.Lock());
        Assert.Single(other.GetParticipants());
    }

    [Fact]
    public async Task DisposeEndsTheWaitForTheLock()
    {
        using Region region = Region.Create(NewName(), 8);
        using Region other = Region.Open(region.Name);
        using (region.Lock())
        {
            Task waiting = OnThread(() => other.Lock());
            Until(() => region.GetParticipants().Any(p => p.Flags.HasFlag(ParticipantFlags.Waiting)));
            other.Dispose();
            await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting.WaitAsync(Patience));
        }
    }
}
