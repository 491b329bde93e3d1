// SPDX-License-Identifier: MIT
// The guard of a lock that a thread holds.

namespace Winshm;

/// <summary>Holds a region's lock for a thread, and releases it at the end of a <c>using</c>.</summary>
/// <remarks>
/// The lock belongs to the thread that has taken it. So the guard is a <c>ref struct</c>: the compiler
/// lets it neither cross an <c>await</c> nor leave its thread otherwise. What awaits takes the lock with
/// <see cref="Region.LockAsync(TimeSpan, CancellationToken)"/>. Do not copy a guard: the copy releases what
/// its thread has locked since.
/// </remarks>
public unsafe ref struct RegionLock
{
    private readonly LockMode _mode;
    private readonly Ticket? _ticket;
    private Region? _region;

    internal RegionLock(Region region, LockMode mode, bool ownerDied, Ticket? ticket)
    {
        _region = region;
        _mode = mode;
        _ticket = ticket;
        OwnerDied = ownerDied;
    }

    /// <summary>True if an owner died in its section and the data may be half written.</summary>
    public bool OwnerDied { get; }

    /// <summary>Copies bytes out under this lock.</summary>
    /// <param name="offset">The first byte.</param>
    /// <param name="destination">What to fill.</param>
    /// <exception cref="ArgumentOutOfRangeException">Not inside the region; nothing is copied.</exception>
    /// <exception cref="ObjectDisposedException">The lock was released.</exception>
    /// <exception cref="WinshmException">Fault: the memory is gone. NoMemory: no address space, with
    /// NoMap.</exception>
    public readonly void Read(long offset, Span<byte> destination) => Held.CopyOut(offset, destination);

    /// <summary>Copies a value out under this lock.</summary>
    /// <typeparam name="T">A structure that is laid out alike in all programs.</typeparam>
    /// <param name="offset">Its first byte.</param>
    /// <returns>The value.</returns>
    /// <inheritdoc cref="Read(long, Span{byte})" path="/exception"/>
    public readonly T Read<T>(long offset = 0)
        where T : unmanaged
    {
        T value;
        Held.CopyOut(offset, new Span<byte>(&value, sizeof(T)));
        return value;
    }

    /// <summary>Copies bytes in under this lock, which must be exclusive, and notifies those who wait for a
    /// change.</summary>
    /// <param name="offset">The first byte.</param>
    /// <param name="source">What to copy.</param>
    /// <exception cref="ArgumentOutOfRangeException">Not inside the region; nothing is copied.</exception>
    /// <exception cref="ObjectDisposedException">The lock was released.</exception>
    /// <exception cref="WinshmException">NotOwner: the lock is shared. Access: the region is read-only. Fault: the
    /// memory is gone. NoMemory: no address space, with NoMap.</exception>
    public readonly void Write(long offset, ReadOnlySpan<byte> source) => Held.CopyIn(offset, source);

    /// <summary>Copies a value in under this lock, which must be exclusive, and notifies those who wait for a
    /// change.</summary>
    /// <typeparam name="T">A structure that is laid out alike in all programs.</typeparam>
    /// <param name="offset">Its first byte.</param>
    /// <param name="value">What to copy.</param>
    /// <inheritdoc cref="Write(long, ReadOnlySpan{byte})" path="/exception"/>
    public readonly void Write<T>(long offset, T value)
        where T : unmanaged => Held.CopyIn(offset, new ReadOnlySpan<byte>(&value, sizeof(T)));

    /// <summary>Declares the data whole again after they have been repaired.</summary>
    /// <exception cref="WinshmException">NotOwner: the lock is shared.</exception>
    /// <exception cref="ObjectDisposedException">The lock was released.</exception>
    public readonly void MakeConsistent() => Held.MakeConsistent();

    /// <summary>Releases the lock, or tells why it cannot be.</summary>
    /// <exception cref="ObjectDisposedException">The lock was released through this guard, or with the
    /// region.</exception>
    /// <exception cref="WinshmException">NotOwner: the lock was released otherwise. Corrupt: the bookkeeping
    /// is damaged, so the section may not have been alone.</exception>
    public void Release()
    {
        Region region = Held;
        _region = null;
        ObjectDisposedException.ThrowIf(_ticket?.Use() == false, typeof(RegionLock));
        region.Unlock(_mode);
    }

    /// <summary>Releases the lock; without effect if that was done. Never throws, so that it hides no
    /// exception that is on its way; <see cref="Release"/> tells a failure.</summary>
    public void Dispose()
    {
        Region? region = _region;
        _region = null;
        if (region is not null && _ticket?.Use() != false)
        {
            region.UnlockQuietly(_mode);
        }
    }

    private readonly Region Held
    {
        get
        {
            ObjectDisposedException.ThrowIf(_region is null, typeof(RegionLock));
            return _region;
        }
    }

    /// <summary>What the copies of a guard have in common.</summary>
    internal sealed class Ticket
    {
        private int _used;

        /// <summary>True the first time.</summary>
        public bool Use() => Interlocked.Exchange(ref _used, 1) == 0;
    }
}
