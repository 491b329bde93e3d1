// SPDX-License-Identifier: MIT
// The guard of a lock that a task holds.

using static Winshm.NativeMethods;

namespace Winshm;

/// <summary>Holds a region's lock for a task, and releases it at the end of a <c>using</c>.</summary>
/// <remarks>
/// It may be kept, passed on and disposed of on any thread, and so across <c>await</c>. If it is forgotten
/// the lock stays held, for other processes too, until the process ends or, after
/// <see cref="Region.Dispose"/>, until the garbage collector finds it.
/// </remarks>
public sealed unsafe class AsyncRegionLock : IDisposable
{
    private readonly LockQueue _queue;
    private readonly LockMode _mode;
    private Region? _region;

    internal AsyncRegionLock(LockQueue queue, Region region, LockMode mode, bool ownerDied)
    {
        _queue = queue;
        _region = region;
        _mode = mode;
        OwnerDied = ownerDied;
    }

    /// <inheritdoc cref="RegionLock.OwnerDied"/>
    public bool OwnerDied { get; }

    /// <inheritdoc cref="RegionLock.Read(long, Span{byte})"/>
    public void Read(long offset, Span<byte> destination) => Held.CopyOut(offset, destination);

    /// <inheritdoc cref="RegionLock.Read{T}(long)"/>
    public T Read<T>(long offset = 0)
        where T : unmanaged
    {
        T value;
        Held.CopyOut(offset, new Span<byte>(&value, sizeof(T)));
        return value;
    }

    /// <inheritdoc cref="RegionLock.Write(long, ReadOnlySpan{byte})"/>
    public void Write(long offset, ReadOnlySpan<byte> source) => Held.CopyIn(offset, source);

    /// <inheritdoc cref="RegionLock.Write{T}(long, T)"/>
    public void Write<T>(long offset, T value)
        where T : unmanaged => Held.CopyIn(offset, new ReadOnlySpan<byte>(&value, sizeof(T)));

    /// <inheritdoc cref="RegionLock.MakeConsistent"/>
    public void MakeConsistent() => Held.MakeConsistent();

    /// <inheritdoc cref="RegionLock.Release"/>
    public void Release()
    {
        Region? region = Interlocked.Exchange(ref _region, null);
        ObjectDisposedException.ThrowIf(region is null, this);
        Exception? failure = _queue.Release(_mode);
        region.Released();
        if (failure is not null)
        {
            throw failure;
        }
    }

    /// <inheritdoc cref="RegionLock.Dispose"/>
    public void Dispose()
    {
        Region? region = Interlocked.Exchange(ref _region, null);
        if (region is not null)
        {
            _queue.Release(_mode);
            region.Released();
        }
    }

    private Region Held
    {
        get
        {
            Region? region = Volatile.Read(ref _region);
            ObjectDisposedException.ThrowIf(region is null, this);
            return region;
        }
    }
}
