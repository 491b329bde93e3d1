// SPDX-License-Identifier: MIT
// Two processes: sharing, notification, and the death of one that holds the lock.

using Xunit;
using static Winshm.Tests.Support;

namespace Winshm.Tests;

public class ProcessTests
{
    [Fact]
    public void ProcessesShareBytesLockAndChanges()
    {
        using Region region = Region.Create(NewName(), 1000);
        using Child child = new();
        Assert.Equal($"ok {child.Id}", child.Ask("pid"));
        Assert.Equal("ok", child.Ask($"open {region.Name} 0 10000"));
        Assert.Equal("ok 1000", child.Ask("size"));
        Assert.Equal("ok 2", child.Ask("participants"));
        Assert.Contains(region.GetParticipants(), p => p.ProcessId == child.Id);

        Assert.Equal("ok", child.Ask("poke 10 0a0b0c"));
        Assert.Equal([10, 11, 12], region.Span[10..13].ToArray());
        region.Span[11] = 0xFF;
        Assert.Equal("ok 0aff0c", child.Ask("peek 10 3"));
        Assert.Equal("ok", child.Ask("write 20 ffee 1000"));
        Assert.Equal("ok ffee", child.Ask("read 20 2 1000"));
        Assert.Equal("error WINSHM_E_RANGE", child.Ask("read 999 2 1000"));
        Assert.Equal(1u, region.ChangeCount);

        Assert.Equal("ok", child.Ask("lock 2 1000"));
        Assert.Equal(child.Id, region.GetInfo().OwnerProcessId);
        Assert.False(region.TryLock(TimeSpan.FromMilliseconds(20), out _));
        Assert.Equal("ok", child.Ask("unlock 2"));
        Assert.Equal("error WINSHM_E_NOT_OWNER", child.Ask("unlock 2"));
        using (region.LockShared())
        {
            Assert.Equal("ok", child.Ask("lock 1 1000"));
            Assert.Equal("ok", child.Ask("unlock 1"));
            Assert.Equal("error WINSHM_E_TIMEOUT", child.Ask("lock 2 20"));
        }

        region.Notify();
        Assert.Equal("ok 2", child.Ask("wait 1 10000"));
        Assert.Equal("error WINSHM_E_TIMEOUT", child.Ask("wait 2 20"));
        Assert.Equal("ok", child.Ask("notify"));
        Assert.Equal("ok 3", child.Ask("changes"));
        Assert.Equal(3u, region.Wait(2));
        Assert.Equal("ok", child.Ask("close"));
        Assert.Equal("error WINSHM_E_CLOSED", child.Ask("size"));
        Assert.Single(region.GetParticipants());
    }

    [Fact]
    public async Task AnotherProcessEndsAnAsynchronousWait()
    {
        using Region region = Region.Create(NewName(), 1000);
        using Child child = new();
        Assert.Equal("ok", child.Ask($"open {region.Name} 0 10000"));
        Task<uint> waiting = region.WaitAsync(0);
        Assert.Equal("ok", child.Ask("notify"));
        Assert.Equal(1u, await waiting.WaitAsync(Patience));
    }

    [Fact]
    public void TheDeathOfTheOwnerIsToldUntilTheDataAreRepaired()
    {
        using Child child = new();
        string name = NewName();
        Assert.Equal("ok", child.Ask($"create {name} 1000 0"));
        using Region region = Region.Open(name);
        Assert.Equal("ok", child.Ask("lock 2 1000"));
        Assert.Equal("ok", child.Ask("poke 0 01"));
        child.Kill();

        OwnerDeadException e = Assert.Throws<OwnerDeadException>(() => region.Lock());
        Assert.Equal(WinshmStatus.OwnerDead, e.Status);
        Assert.Equal("WINSHM_E_OWNER_DEAD", e.StatusName);
        Assert.Contains("LockForRepair()", e.Message);
        Assert.DoesNotContain("This call has taken the lock", e.Message);
        Assert.Equal(LockState.Inconsistent, region.GetInfo().LockState);
        Assert.Throws<OwnerDeadException>(() => region.TryLock(TimeSpan.Zero, out _));
        Assert.Throws<OwnerDeadException>(() => region.LockShared());
        Assert.Throws<OwnerDeadException>(() => region.TryLockShared(TimeSpan.Zero, out _));
        Assert.Throws<OwnerDeadException>(() => region.Read<int>(0));
        Assert.Throws<OwnerDeadException>(() => region.Write(0, 1));
        using (RegionLock guard = region.LockForRepair())
        {
            Assert.True(guard.OwnerDied);
        }
        using (RegionLock guard = region.LockForRepair(Patience))
        {
            Assert.True(guard.OwnerDied);
            Assert.Equal(1, region.Span[0]);
            region.Span[0] = 2;
            guard.MakeConsistent();
        }
        using (region.Lock())
        {
            Assert.Equal(2, region.Span[0]);
        }
        Assert.Equal(LockState.Free, region.GetInfo().LockState);
        Assert.False(region.GetInfo().CreatorPresent);
    }

    [Fact]
    public async Task OneWhoWaitsForTheLockHearsOfTheDeath()
    {
        using Region region = Region.Create(NewName(), 1000);
        using Child child = new();
        Assert.Equal("ok", child.Ask($"open {region.Name} 0 10000"));
        Assert.Equal("ok", child.Ask("lock 2 1000"));
        Task waiting = OnThread(() => region.Lock());
        await Task.Delay(100);
        Assert.False(waiting.IsCompleted);
        child.Kill();
        await Assert.ThrowsAsync<OwnerDeadException>(() => waiting.WaitAsync(Patience));
    }

    [Fact]
    public void ThePeerReportsADeathWithTheLockHeld()
    {
        string name = NewName();
        using Child victim = new();
        using Child heir = new();
        Assert.Equal("ok", victim.Ask($"open_or_create {name} 1000 0"));
        Assert.Equal("ok", heir.Ask($"open {name} 0 10000"));
        Assert.Equal("ok", victim.Ask("lock 2 1000"));
        victim.Kill();
        Assert.Equal("error WINSHM_E_OWNER_DEAD", heir.Ask("lock 1 1000"));
        Assert.Equal("error WINSHM_E_OWNER_DEAD", heir.Ask("lock 2 1000"));
        Assert.Equal("ok", heir.Ask("repair"));
        Assert.Equal("ok", heir.Ask("unlock 2"));
        Assert.Equal("ok", heir.Ask("lock 2 1000"));
        Assert.Equal("error WINSHM_E_BUSY", heir.Ask("close"));
        Assert.Equal("ok", heir.Ask("unlock 2"));
        Assert.Equal("error WINSHM_E_INVALID", heir.Ask("nonsense"));
        Assert.Equal("ok", heir.Ask("close"));
    }
}
