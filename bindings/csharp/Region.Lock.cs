// SPDX-License-Identifier: MIT
// The region's lock and its guard.

using System.Diagnostics.CodeAnalysis;
using static Winshm.NativeMethods;

namespace Winshm;

public sealed unsafe partial class Region
{
    /// <inheritdoc cref="Lock(TimeSpan)"/>
    public RegionLock Lock() => Take(LockMode.Exclusive, WINSHM_FOREVER);

    /// <summary>Takes the lock exclusively: <c>using (region.Lock()) { ... }</c>.</summary>
    /// <param name="timeout">How long to wait.</param>
    /// <exception cref="OwnerDeadException">An owner died in its section. The lock is not held, and the
    /// data stay marked; <see cref="LockForRepair()"/> is for those who can repair them.</exception>
    /// <exception cref="WinshmException">Timeout; Deadlock: this thread holds it already.</exception>
    public RegionLock Lock(TimeSpan timeout) => Take(LockMode.Exclusive, Milliseconds(timeout));

    /// <summary>Takes the lock exclusively unless the time runs out.</summary>
    /// <param name="timeout">How long to wait.</param>
    /// <param name="guard">Releases the lock; without effect if false is returned.</param>
    /// <returns>False if the lock was not free in time.</returns>
    /// <inheritdoc cref="Lock(TimeSpan)" path="/exception"/>
    public bool TryLock(TimeSpan timeout, out RegionLock guard) =>
        TryTake(LockMode.Exclusive, Milliseconds(timeout), out guard);

    /// <inheritdoc cref="LockForRepair(TimeSpan)"/>
    public RegionLock LockForRepair() => LockForRepair(Timeout.InfiniteTimeSpan);

    /// <summary>Takes the lock exclusively, also if an owner died in its section.</summary>
    /// <remarks>If <see cref="RegionLock.OwnerDied"/> the data may be half written: repair them and call
    /// <see cref="RegionLock.MakeConsistent"/>, else they stay marked.</remarks>
    /// <param name="timeout">How long to wait.</param>
    /// <exception cref="WinshmException">Timeout; Deadlock: this thread holds it already.</exception>
    public RegionLock LockForRepair(TimeSpan timeout)
    {
        int status = winshm_lock(Native, WINSHM_EXCLUSIVE, Milliseconds(timeout));
        if (status != WINSHM_E_OWNER_DEAD)
        {
            Check(status);
        }
        return new RegionLock(this, LockMode.Exclusive, ownerDied: status == WINSHM_E_OWNER_DEAD);
    }

    /// <inheritdoc cref="LockShared(TimeSpan)"/>
    public RegionLock LockShared() => Take(LockMode.Shared, WINSHM_FOREVER);

    /// <summary>Takes the lock for reading, together with other readers.</summary>
    /// <param name="timeout">How long to wait.</param>
    /// <inheritdoc cref="Lock(TimeSpan)" path="/exception"/>
    public RegionLock LockShared(TimeSpan timeout) => Take(LockMode.Shared, Milliseconds(timeout));

    /// <summary>Takes the lock for reading unless the time runs out.</summary>
    /// <inheritdoc cref="TryLock" path="/param|/returns|/exception"/>
    public bool TryLockShared(TimeSpan timeout, out RegionLock guard) =>
        TryTake(LockMode.Shared, Milliseconds(timeout), out guard);

    /// <summary>Releases the lock where no guard is at hand. Never waits.</summary>
    /// <param name="mode">The mode that was locked.</param>
    /// <exception cref="WinshmException">NotOwner: this object does not hold the lock so.</exception>
    public void Unlock(LockMode mode) => Check(winshm_unlock(NativeOrStale, (uint)mode));

    /// <summary>Declares the data whole again, under the exclusive lock.</summary>
    /// <exception cref="WinshmException">NotOwner: this object does not hold the lock exclusively.</exception>
    public void MakeConsistent() => Check(winshm_make_consistent(Native));

    private RegionLock Take(LockMode mode, uint milliseconds)
    {
        int status = winshm_lock(Native, (uint)mode, milliseconds);
        if (status != WINSHM_OK)
        {
            ThrowNotTaken(mode, status);
        }
        return new RegionLock(this, mode, ownerDied: false);
    }

    private bool TryTake(LockMode mode, uint milliseconds, out RegionLock guard)
    {
        int status = winshm_lock(Native, (uint)mode, milliseconds);
        if (status is not (WINSHM_OK or WINSHM_E_TIMEOUT))
        {
            ThrowNotTaken(mode, status);
        }
        guard = status == WINSHM_OK ? new RegionLock(this, mode, ownerDied: false) : default;
        GC.KeepAlive(this);
        return status == WINSHM_OK;
    }

    [DoesNotReturn]
    private void ThrowNotTaken(LockMode mode, int status)
    {
        Exception failure = WinshmException.Last(status);
        if (status == WINSHM_E_OWNER_DEAD && mode == LockMode.Exclusive)
        {
            // The caller does not repair, so the next owner shall be told again.
            Check(winshm_unlock(Native, WINSHM_EXCLUSIVE));
        }
        GC.KeepAlive(this);
        throw failure;
    }
}

/// <summary>Releases a region's lock at the end of a <c>using</c>.</summary>
/// <remarks>
/// The lock belongs to the region's object, so the guard may be disposed of on another thread, as
/// after <c>await</c>. Do not dispose of two copies of one guard: the second would release the lock
/// of somebody else, or throw.
/// </remarks>
public struct RegionLock : IDisposable
{
    private readonly LockMode _mode;
    private Region? _region;

    internal RegionLock(Region region, LockMode mode, bool ownerDied)
    {
        _region = region;
        _mode = mode;
        OwnerDied = ownerDied;
    }

    /// <summary>True if an owner died in its section and the data may be half written.</summary>
    public bool OwnerDied { get; }

    /// <summary>Declares the data whole again after they have been repaired.</summary>
    /// <exception cref="WinshmException">NotOwner: the lock is shared.</exception>
    /// <exception cref="ObjectDisposedException">The lock was released.</exception>
    public readonly void MakeConsistent()
    {
        ObjectDisposedException.ThrowIf(_region is null, typeof(RegionLock));
        _region.MakeConsistent();
    }

    /// <summary>Releases the lock; without effect if that was done.</summary>
    /// <exception cref="WinshmException">NotOwner: the lock was released otherwise.</exception>
    public void Dispose()
    {
        Region? region = _region;
        _region = null;
        region?.Unlock(_mode);
    }
}
