// SPDX-License-Identifier: MIT
// Leaving a region: at once and told if it cannot be, or as soon as it can be.

using static Winshm.NativeMethods;

namespace Winshm;

public unsafe partial class Region
{
    /// <summary>Leaves the region, or tells that it cannot be left now.</summary>
    /// <remarks>As <see cref="Dispose"/>, but the lock is never released: if somebody holds it through this
    /// object, this object stays open and can be used as before. What other threads call meanwhile waits until
    /// that is decided, and none of them notices a close that is refused.</remarks>
    /// <exception cref="WinshmException">Busy: the lock is held, or a thread did not return from a call
    /// within ten seconds. It stays open and may be closed again.</exception>
    public void Close()
    {
        if (IsDisposed)
        {
            return;
        }
        int status = CloseUnlessLocked();
        if (status == WINSHM_E_BUSY && Volatile.Read(ref _queue) is LockQueue queue)
        {
            // It may have got the lock for one who has given up meanwhile, and is about to release it.
            status = queue.WhileNotAsking(CloseUnlessLocked);
        }
        if (status == WINSHM_E_BUSY && !IsDisposed)
        {
            throw WinshmException.Make(WinshmStatus.Busy,
                $"Region.Close() '{Name}': it holds the lock, or a thread has not returned from a call, so it stays open",
                "Release the lock, then close.");
        }
        // Also if memory is pinned: what may go on then is not waiting.
        EndWaits();
        GC.KeepAlive(this);
    }

    /// <summary>Leaves the region. Threads and tasks that wait get <see cref="ObjectDisposedException"/>.</summary>
    /// <remarks>
    /// <para>Never throws, so that it hides no exception that is on its way; <see cref="Close"/> tells what is
    /// in the way. All members refuse at once. Views stay valid, and so does memory that is pinned; they keep
    /// this participant present.</para>
    /// <para>If the calling thread holds the lock, it is released as the guard would have done. If another
    /// thread holds it, its guard still reads and writes, and this participant leaves when the guard releases
    /// the lock.</para>
    /// <para>With <see cref="RegionFlags.Task"/> the lock is no thread's, so this call never releases it: the
    /// guard does, also one that the calling thread has from <see cref="Lock()"/>. A lock whose guard nobody can
    /// reach any more is released some time after this call, by the garbage collector.</para>
    /// <para>A region that is forgotten without this call leaves some time later, but keeps a lock that it holds
    /// until the process ends, since the data might be half written.</para>
    /// </remarks>
    public override void Dispose()
    {
        if (!Retire())
        {
            return;
        }
        EndWaits();
        if (_tasks)
        {
            _owner.ReleasesLock = true;
        }
        else if (HoldsLock())
        {
            // Without effect on what another thread holds.
            winshm_unlock(NativeOrStale, WINSHM_EXCLUSIVE);
            winshm_unlock(NativeOrStale, WINSHM_SHARED);
        }
        TryFree();
        GC.KeepAlive(this);
    }

    private protected override int Free(nint native) => winshm_close(native);

    private int CloseUnlessLocked() => HoldsLock() ? WINSHM_E_BUSY : TryClose();

    /// <summary>Whether anybody holds the lock through this object.</summary>
    private bool HoldsLock()
    {
        winshm_info info = new() { struct_size = (uint)sizeof(winshm_info) };
        return winshm_get_info(NativeOrStale, &info) == WINSHM_OK && info.lock_kind != WINSHM_LOCK_NONE &&
               winshm_copy_out(NativeOrStale, 0, null, 0) == WINSHM_OK;
    }

    private void EndWaits()
    {
        // Whoever makes one of them looks afterwards whether the region was disposed of.
        Interlocked.MemoryBarrier();
        Volatile.Read(ref _watcher)?.End();
        Volatile.Read(ref _queue)?.End();
    }

    /// <summary>To be called by whoever has released the lock.</summary>
    internal void Released()
    {
        if (IsLeaving)
        {
            TryFree();
        }
        GC.KeepAlive(this);
    }

    /// <summary>Whether a call came back from its wait only because of a <see cref="Close"/> that was refused,
    /// and is to be made again.</summary>
    internal bool GoesOn(int status) =>
        status == WINSHM_E_CLOSED && StaysOpen();

    /// <summary>What is left of a time-out for a call that is made again.</summary>
    private readonly struct Remaining(uint milliseconds)
    {
        private readonly long _start = milliseconds is 0 or WINSHM_FOREVER ? 0 : Environment.TickCount64;

        public uint Milliseconds => milliseconds is 0 or WINSHM_FOREVER
            ? milliseconds
            : (uint)Math.Max(0, milliseconds - (Environment.TickCount64 - _start));
    }
}
