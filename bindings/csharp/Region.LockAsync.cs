// SPDX-License-Identifier: MIT
// The region's lock for tasks.

using static Winshm.NativeMethods;

namespace Winshm;

public unsafe partial class Region
{
    private LockQueue? _queue;

    /// <inheritdoc cref="LockAsync(TimeSpan, CancellationToken)"/>
    public ValueTask<AsyncRegionLock> LockAsync(CancellationToken cancellation = default) =>
        Queue.LockAsync(LockMode.Exclusive, repairs: false, WINSHM_FOREVER, cancellation);

    /// <summary>Takes the lock exclusively without blocking:
    /// <c>using (await region.LockAsync()) { ... }</c>, which may await inside.</summary>
    /// <remarks>
    /// <para>The region must have been opened with <see cref="RegionFlags.Task"/>. Tasks get the lock in the
    /// order in which they ask, readers that follow each other together, and other processes get theirs in
    /// between. Nobody is told of a deadlock: a task that asks while it holds the lock waits for itself. The
    /// same goes for <see cref="Read(long, Span{byte})"/> and <see cref="Write(long, ReadOnlySpan{byte})"/>
    /// of the region; the guard's do not ask for the lock.</para>
    /// <para>This never blocks. If the lock is free the task has ended when this returns, unless tasks of this
    /// object have had the lock for some 10 ms on end: then others may come first. Cancellation is immediate. All
    /// waiting tasks of one object share one thread of their own, and only while others may hold the lock.</para>
    /// <para>A request that nobody awaits any more still gets its turn, and then the lock stays held. So limit
    /// the wait by <paramref name="timeout"/> or <paramref name="cancellation"/>, which withdraw the request, and
    /// not by <see cref="Task.WaitAsync(TimeSpan)"/> and the like, which only stop looking at it.</para>
    /// </remarks>
    /// <param name="timeout">How long to wait.</param>
    /// <param name="cancellation">Ends the wait. A task that has the lock already is not cancelled.</param>
    /// <returns>The guard, which releases the lock.</returns>
    /// <exception cref="InvalidOperationException">The region was opened without
    /// <see cref="RegionFlags.Task"/>.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The region was disposed of, maybe meanwhile.</exception>
    /// <exception cref="OwnerDeadException">An owner died in its section. The lock is not held, and the
    /// data stay marked; <see cref="LockForRepairAsync(TimeSpan, CancellationToken)"/> is for those who can
    /// repair them.</exception>
    /// <exception cref="TimeoutException">The lock was not free in time.</exception>
    /// <exception cref="UnauthorizedAccessException">The region's object may only observe.</exception>
    /// <exception cref="WinshmException">Unsupported: the region has no lock.</exception>
    public ValueTask<AsyncRegionLock> LockAsync(TimeSpan timeout, CancellationToken cancellation = default) =>
        Queue.LockAsync(LockMode.Exclusive, repairs: false, Milliseconds(timeout), cancellation);

    /// <inheritdoc cref="LockSharedAsync(TimeSpan, CancellationToken)"/>
    public ValueTask<AsyncRegionLock> LockSharedAsync(CancellationToken cancellation = default) =>
        Queue.LockAsync(LockMode.Shared, repairs: false, WINSHM_FOREVER, cancellation);

    /// <summary>Takes the lock for reading, together with other readers, without blocking.</summary>
    /// <inheritdoc cref="LockAsync(TimeSpan, CancellationToken)" path="/remarks|/param|/returns|/exception"/>
    public ValueTask<AsyncRegionLock> LockSharedAsync(TimeSpan timeout, CancellationToken cancellation = default) =>
        Queue.LockAsync(LockMode.Shared, repairs: false, Milliseconds(timeout), cancellation);

    /// <inheritdoc cref="LockForRepairAsync(TimeSpan, CancellationToken)"/>
    public ValueTask<AsyncRegionLock> LockForRepairAsync(CancellationToken cancellation = default) =>
        Queue.LockAsync(LockMode.Exclusive, repairs: true, WINSHM_FOREVER, cancellation);

    /// <summary>Takes the lock exclusively without blocking, also if an owner died in its section.</summary>
    /// <remarks>If <see cref="AsyncRegionLock.OwnerDied"/> the data may be half written: repair them and call
    /// <see cref="AsyncRegionLock.MakeConsistent"/>, else they stay marked. Otherwise it is as
    /// <see cref="LockAsync(TimeSpan, CancellationToken)"/>.</remarks>
    /// <param name="timeout">How long to wait.</param>
    /// <param name="cancellation">Ends the wait. A task that has the lock already is not cancelled.</param>
    /// <returns>The guard, which releases the lock.</returns>
    /// <exception cref="InvalidOperationException">The region was opened without
    /// <see cref="RegionFlags.Task"/>.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The region was disposed of, maybe meanwhile.</exception>
    /// <exception cref="TimeoutException">The lock was not free in time.</exception>
    /// <exception cref="UnauthorizedAccessException">The region's object may only observe.</exception>
    /// <exception cref="WinshmException">Unsupported: the region has no lock.</exception>
    public ValueTask<AsyncRegionLock> LockForRepairAsync(TimeSpan timeout, CancellationToken cancellation = default) =>
        Queue.LockAsync(LockMode.Exclusive, repairs: true, Milliseconds(timeout), cancellation);

    private LockQueue Queue
    {
        get
        {
            ThrowIfDisposed();
            return Volatile.Read(ref _queue) ?? MakeQueue();
        }
    }

    private LockQueue MakeQueue()
    {
        if (!_tasks)
        {
            throw new InvalidOperationException(
                $"{Name}: only a region opened with RegionFlags.Task can be locked by tasks. Without it the lock " +
                "belongs to a thread, which a task may leave at each await.");
        }
        LockQueue made = new(this, NativeOrStale);
        made = Interlocked.CompareExchange(ref _queue, made, null) ?? made;
        if (IsDisposed)
        {
            made.End();
        }
        return made;
    }
}
