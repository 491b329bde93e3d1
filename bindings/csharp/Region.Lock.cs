// SPDX-License-Identifier: MIT
// The region's lock for threads.

using System.Runtime.CompilerServices;
using static Winshm.NativeMethods;

namespace Winshm;

public unsafe partial class Region
{
    // With Task, the thread that holds the lock exclusively by a guard, which cannot leave it. No task is known so:
    // what flows with a task flows to those that it starts, too, and they may well wait for it.
    private int _holder;

    /// <inheritdoc cref="Lock(TimeSpan)"/>
    public RegionLock Lock() => Take(LockMode.Exclusive, WINSHM_FOREVER);

    /// <summary>Takes the lock exclusively: <c>using (region.Lock()) { ... }</c>.</summary>
    /// <remarks>The lock belongs to this thread. Code that awaits while it holds the lock uses
    /// <see cref="LockAsync(TimeSpan, CancellationToken)"/>.</remarks>
    /// <param name="timeout">How long to wait.</param>
    /// <returns>The guard, which releases the lock.</returns>
    /// <exception cref="OwnerDeadException">An owner died in its section. The lock is not held, and the
    /// data stay marked; <see cref="LockForRepair()"/> is for those who can repair them.</exception>
    /// <exception cref="TimeoutException">The lock was not free in time.</exception>
    /// <exception cref="UnauthorizedAccessException">The region's object may only observe.</exception>
    /// <exception cref="WinshmException">Deadlock: this thread holds it already. Unsupported: the region has no
    /// lock.</exception>
    public RegionLock Lock(TimeSpan timeout) => Take(LockMode.Exclusive, Milliseconds(timeout));

    /// <summary>Takes the lock exclusively unless the time runs out.</summary>
    /// <param name="timeout">How long to wait.</param>
    /// <param name="guard">Releases the lock; without effect if false is returned.</param>
    /// <returns>False if the lock was not free in time.</returns>
    /// <inheritdoc cref="Lock(TimeSpan)" path="/exception[not(@cref='T:System.TimeoutException')]"/>
    public bool TryLock(TimeSpan timeout, out RegionLock guard) =>
        TryTake(LockMode.Exclusive, Milliseconds(timeout), out guard);

    /// <inheritdoc cref="LockForRepair(TimeSpan)"/>
    public RegionLock LockForRepair() => LockForRepair(Timeout.InfiniteTimeSpan);

    /// <summary>Takes the lock exclusively, also if an owner died in its section.</summary>
    /// <remarks>If <see cref="RegionLock.OwnerDied"/> the data may be half written: repair them and call
    /// <see cref="RegionLock.MakeConsistent"/>, else they stay marked.</remarks>
    /// <param name="timeout">How long to wait.</param>
    /// <returns>The guard, which releases the lock.</returns>
    /// <exception cref="TimeoutException">The lock was not free in time.</exception>
    /// <exception cref="UnauthorizedAccessException">The region's object may only observe.</exception>
    /// <exception cref="WinshmException">Deadlock: this thread holds it already. Unsupported: the region has no
    /// lock.</exception>
    public RegionLock LockForRepair(TimeSpan timeout)
    {
        int status = LockNative(LockMode.Exclusive, Milliseconds(timeout));
        if (status is not (WINSHM_OK or WINSHM_E_OWNER_DEAD))
        {
            throw NotTaken(LockMode.Exclusive, status, nameof(LockForRepair));
        }
        return Guard(LockMode.Exclusive, ownerDied: status == WINSHM_E_OWNER_DEAD);
    }

    /// <inheritdoc cref="LockShared(TimeSpan)"/>
    public RegionLock LockShared() => Take(LockMode.Shared, WINSHM_FOREVER);

    /// <summary>Takes the lock for reading, together with other readers.</summary>
    /// <param name="timeout">How long to wait.</param>
    /// <returns>The guard, which releases the lock.</returns>
    /// <inheritdoc cref="Lock(TimeSpan)" path="/exception"/>
    public RegionLock LockShared(TimeSpan timeout) => Take(LockMode.Shared, Milliseconds(timeout));

    /// <summary>Takes the lock for reading unless the time runs out.</summary>
    /// <inheritdoc cref="TryLock" path="/param|/returns|/exception"/>
    public bool TryLockShared(TimeSpan timeout, out RegionLock guard) =>
        TryTake(LockMode.Shared, Milliseconds(timeout), out guard);

    /// <summary>Releases the lock where no guard is at hand. Never waits.</summary>
    /// <param name="mode">The mode that was locked.</param>
    /// <exception cref="WinshmException">NotOwner: this thread, or with <see cref="RegionFlags.Task"/> this
    /// object, does not hold the lock so.</exception>
    public void Unlock(LockMode mode)
    {
        Forget(mode);
        WinshmException.Check(winshm_unlock(NativeOrStale, (uint)mode));
        Released();
    }

    /// <summary>Declares the data whole again, under the exclusive lock.</summary>
    /// <exception cref="WinshmException">NotOwner: this thread, or with <see cref="RegionFlags.Task"/> this
    /// object, does not hold the lock exclusively.</exception>
    public void MakeConsistent() => Check(winshm_make_consistent(NativeOrStale));

    /// <summary>Copies out for one who holds the lock, also after <see cref="Dispose"/>.</summary>
    internal void CopyOut(long offset, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        fixed (byte* buffer = destination)
        {
            Check(winshm_copy_out(NativeOrStale, (ulong)offset, buffer, (ulong)destination.Length));
        }
    }

    /// <summary>Copies in for one who holds the lock, also after <see cref="Dispose"/>.</summary>
    internal void CopyIn(long offset, ReadOnlySpan<byte> source)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        fixed (byte* buffer = source)
        {
            Check(winshm_copy_in(NativeOrStale, (ulong)offset, buffer, (ulong)source.Length));
        }
    }

    /// <summary>Releases the lock for a guard that cannot tell what became of it.</summary>
    internal void UnlockQuietly(LockMode mode)
    {
        Forget(mode);
        winshm_unlock(NativeOrStale, (uint)mode);
        Released();
    }

    private RegionLock Guard(LockMode mode, bool ownerDied)
    {
        if (!_tasks)
        {
            return new(this, mode, ownerDied, null);
        }
        if (mode == LockMode.Exclusive)
        {
            _holder = Environment.CurrentManagedThreadId;
        }
        // No thread tells two copies of a guard apart from two guards.
        return new(this, mode, ownerDied, new RegionLock.Ticket());
    }

    /// <summary>To be called before the lock is released, as another thread may have it at once.</summary>
    private void Forget(LockMode mode)
    {
        if (mode == LockMode.Exclusive)
        {
            _holder = 0;
        }
    }

    /// <summary>Refuses what would wait for the caller itself.</summary>
    private void ThrowIfOwnLock([CallerMemberName] string call = "")
    {
        if (_holder != 0 && _holder == Environment.CurrentManagedThreadId)
        {
            throw WinshmException.Make(WinshmStatus.Deadlock,
                $"Region.{call}() '{Name}': with RegionFlags.Task the lock is the object's, and this call would wait for the " +
                "one that this thread has taken", $"Use RegionLock.{call}() of the guard.");
        }
    }

    private int LockNative(LockMode mode, uint milliseconds)
    {
        Remaining left = new(milliseconds);
        int status = winshm_lock(Native, (uint)mode, milliseconds);
        while (GoesOn(status))
        {
            status = winshm_lock(Native, (uint)mode, left.Milliseconds);
        }
        return status;
    }

    private RegionLock Take(LockMode mode, uint milliseconds, [CallerMemberName] string call = "")
    {
        int status = LockNative(mode, milliseconds);
        if (status != WINSHM_OK)
        {
            throw NotTaken(mode, status, call);
        }
        return Guard(mode, ownerDied: false);
    }

    private bool TryTake(LockMode mode, uint milliseconds, out RegionLock guard, [CallerMemberName] string call = "")
    {
        int status = LockNative(mode, milliseconds);
        if (status is not (WINSHM_OK or WINSHM_E_TIMEOUT))
        {
            throw NotTaken(mode, status, call);
        }
        guard = status == WINSHM_OK ? Guard(mode, ownerDied: false) : default;
        GC.KeepAlive(this);
        return status == WINSHM_OK;
    }

    /// <summary>The failure of the lock call just made on this thread. Nothing is held after it.</summary>
    internal Exception NotTaken(LockMode mode, int status, string call)
    {
        Exception failure = WinshmException.Last(status, $"Region.{call}()");
        if (status == WINSHM_E_OWNER_DEAD && mode == LockMode.Exclusive)
        {
            // The caller does not repair, so the next owner shall be told again.
            winshm_unlock(NativeOrStale, WINSHM_EXCLUSIVE);
            Released();
        }
        GC.KeepAlive(this);
        return failure;
    }
}
