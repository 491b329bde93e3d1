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
        Refused<ObjectDisposedException>(region, held =>
        {
            held.Dispose();
            held.MakeConsistent();
        });
        using (RegionLock repair = region.LockForRepair())
        {
            Assert.False(repair.OwnerDied);
            repair.MakeConsistent();
        }
    }

    [Fact]
    public void OnlyTheThreadThatHasLockedUnlocks()
    {
        // So the compiler lets a guard neither cross an await nor get to another thread.
        Assert.True(typeof(RegionLock).IsByRefLike);
        using Region region = Region.Create(NewName(), 8);
        using (region.Lock())
        {
            Apart(() => Fails(WinshmStatus.NotOwner, () => region.Unlock(LockMode.Exclusive)));
            Apart(() => Fails(WinshmStatus.NotOwner, () => region.MakeConsistent()));
        }
        using (region.LockShared())
        {
            Apart(() => Fails(WinshmStatus.NotOwner, () => region.Unlock(LockMode.Shared)));
        }
        Apart(() => region.Lock(TimeSpan.Zero).Dispose());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AGuardReleasesItsOwnLockOnly(bool tasks)
    {
        using Region region = Region.Create(NewName(), 8, tasks ? RegionFlags.Task : RegionFlags.None);
        RegionLock guard = region.LockShared();
        RegionLock copy = guard;
        guard.Release();
        guard.Dispose();
        bool refused = false;
        try
        {
            guard.Release();
        }
        catch (ObjectDisposedException)
        {
            refused = true;
        }
        Assert.True(refused);
        RegionLock other = region.LockShared();
        if (tasks)
        {
            // Another one's lock, as far as anybody can tell.
            copy.Dispose();
        }
        Assert.Equal(LockState.Shared, region.GetInfo().LockState);
        other.Dispose();
        Assert.Equal(LockState.Free, region.GetInfo().LockState);
    }

    [Fact]
    public void AGuardCopiesWithoutTakingTheLock()
    {
        using Region region = Region.Create(NewName(), 10_000);
        byte[] bytes = new byte[5000];
        using (RegionLock held = region.Lock())
        {
            held.Write(0, 5);
            held.Write(4, [1, 2, 3]);
            Assert.Equal(5, held.Read<int>(0));
            held.Read(0, bytes);
            Assert.Equal([5, 0, 0, 0, 1, 2, 3], bytes[..7]);
            held.Write(10_000, []);
            held.Read(10_000, []);
        }
        Assert.Equal(3u, region.ChangeCount);
        using (RegionLock held = region.LockShared())
        {
            Assert.Equal(5, held.Read<int>(0));
        }
        Refused<ArgumentOutOfRangeException>(region, held => held.Read(-1, new byte[1]));
        Refused<ArgumentOutOfRangeException>(region, held => held.Write(-1, [1]));
        Refused<ArgumentOutOfRangeException>(region, held => held.Read<long>(9_999));
        Assert.Equal(WinshmStatus.NotOwner, Refused<WinshmException>(region, held => held.Write(0, 6)).Status);
        Refused<ObjectDisposedException>(region, held =>
        {
            held.Dispose();
            held.Read<int>(0);
        });
        Refused<ObjectDisposedException>(region, held =>
        {
            held.Dispose();
            held.Write(0, 1);
        });
        Assert.Equal(5, region.Read<int>(0));
    }

    [Fact]
    public void ALockIsGrantedWhenItIsReleased()
    {
        using Region region = Region.Create(NewName(), 8);
        using Region other = Region.Open(region.Name);
        RegionLock guard = region.Lock();
        Task waiting = OnThread(() => other.Lock().Dispose());
        Until(() => region.GetParticipants().Any(p => p.Flags.HasFlag(ParticipantFlags.Waiting)));
        Assert.False(waiting.IsCompleted);
        guard.Dispose();
        Ended(waiting);
    }

    [Fact]
    public void DisposeEndsTheWaitForTheLock()
    {
        using Region region = Region.Create(NewName(), 8);
        using Region other = Region.Open(region.Name);
        using (region.Lock())
        {
            Task waiting = OnThread(() => other.Lock());
            Until(() => region.GetParticipants().Any(p => p.Flags.HasFlag(ParticipantFlags.Waiting)));
            other.Dispose();
            Assert.Throws<ObjectDisposedException>(() => Ended(waiting));
        }
    }

    private delegate void Use(RegionLock held);

    private static T Refused<T>(Region region, Use use)
        where T : Exception => Assert.ThrowsAny<T>(() =>
        {
            using RegionLock held = region.LockShared();
            use(held);
        });
}
