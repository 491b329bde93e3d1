// SPDX-License-Identifier: MIT
// Leaving a region: at once and told if it cannot be, or as soon as it can be.

using static Winshm.NativeMethods;

namespace Winshm;

public sealed unsafe partial class Region
{
    /// <summary>Leaves the region, or tells that it cannot be left now.</summary>
    /// <remarks>As <see cref="Dispose"/>, but the lock is never released: if somebody holds it through this
    /// object, this object stays open and can be used as before.</remarks>
    /// <exception cref="WinshmException">Busy: the lock is held, or a thread did not return from a call
    /// within ten seconds. It stays open and may be closed again.</exception>
    public void Close()
    {
        if (IsDisposed)
        {
            return;
        }
        if (HoldsLock())
        {
            throw WinshmException.Make(WINSHM_E_BUSY,
                $"{Name}: this object holds the lock, so it stays open. Release the lock, then close.");
        }
        if (Retire(final: false))
        {
            // Also if memory is pinned: what may go on then is not waiting.
            int status = TryFree();
            if (!IsDisposed)
            {
                WinshmException.Check(status);
            }
            EndWaits();
        }
        GC.KeepAlive(this);
    }

    /// <summary>Leaves the region. Threads and tasks that wait get <see cref="ObjectDisposedException"/>.</summary>
    /// <remarks>
    /// <para>Never throws, so that it hides no exception that is on its way; <see cref="Close"/> tells what is
    /// in the way. All members refuse at once. Views stay valid, and so does memory that is pinned; they keep
    /// this participant present.</para>
    /// <para>If the calling thread holds the lock, it is released as the guard would have done, but not with
    /// <see cref="RegionFlags.Task"/>, where only the guard releases it. If another
    /// thread or task holds it, its guard still reads and writes, and this participant leaves when the guard
    /// releases the lock. A guard of a task that nobody can reach any more is released some time after this
    /// call, by the garbage collector.</para>
    /// <para>A region that is forgotten without this call leaves some time later, but keeps a lock that it holds
    /// until the process ends, since the data might be half written.</para>
    /// </remarks>
    public override void Dispose()
    {
        if (!Retire(final: true))
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
        if (IsDisposed)
        {
            TryFree();
        }
        GC.KeepAlive(this);
    }
}
