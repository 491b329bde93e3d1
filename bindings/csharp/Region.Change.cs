// SPDX-License-Identifier: MIT
// The region's change counter, and waiting for it with and without a thread.

using System.Runtime.CompilerServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;
using static Winshm.NativeMethods;

namespace Winshm;

public partial class Region
{
    private ChangeWatcher? _watcher;

    /// <summary>The change counter, which <see cref="Notify"/> and writes raise; it wraps around.</summary>
    /// <exception cref="WinshmException">Unsupported: a raw region.</exception>
    public unsafe uint ChangeCount
    {
        get
        {
            uint now;
            Check(winshm_change_count(Native, &now));
            return now;
        }
    }

    /// <summary>Tells everybody who waits that something has changed.</summary>
    /// <remarks>What was written before is visible to those who wake.</remarks>
    /// <exception cref="UnauthorizedAccessException">The region's object may only observe.</exception>
    /// <exception cref="WinshmException">Unsupported: a raw region.</exception>
    public void Notify() => Check(winshm_notify(Native));

    /// <summary>Waits without end until the change counter differs from a value seen before.</summary>
    /// <returns>The counter.</returns>
    /// <inheritdoc cref="Wait(uint, TimeSpan, out uint)"/>
    public uint Wait(uint seen)
    {
        Wait(seen, Timeout.InfiniteTimeSpan, out uint now);
        return now;
    }

    /// <summary>Waits until the change counter differs from a value seen before.</summary>
    /// <remarks>No change is missed: take <see cref="ChangeCount"/>, look at the data, then wait with
    /// it. Several changes may be one wake.</remarks>
    /// <param name="seen">The value to wait away from.</param>
    /// <param name="timeout">How long to wait.</param>
    /// <param name="now">The counter, also when the time ran out.</param>
    /// <returns>False if there was no change in time.</returns>
    /// <exception cref="ObjectDisposedException">The region was disposed of, maybe meanwhile.</exception>
    /// <exception cref="RegionNotFoundException">The region of one who may only observe has ended.</exception>
    /// <exception cref="WinshmException">Unsupported: a raw region.</exception>
    public unsafe bool Wait(uint seen, TimeSpan timeout, out uint now)
    {
        uint count;
        uint milliseconds = Milliseconds(timeout);
        Remaining left = new(milliseconds);
        int status = winshm_wait(Native, seen, milliseconds, &count);
        while (GoesOn(status))
        {
            status = winshm_wait(Native, seen, left.Milliseconds, &count);
        }
        now = count;
        if (status == WINSHM_E_TIMEOUT)
        {
            GC.KeepAlive(this);
            return false;
        }
        Check(status);
        return true;
    }

    /// <summary>Waits, without blocking, until the change counter differs from a value seen before.</summary>
    /// <remarks>All such waits of one object share one thread of their own, which ends soon after the
    /// last of them. Cancellation is immediate. A wait does not keep the region's object: hold on to it, as
    /// <c>using</c> does, since a region that is forgotten ends its waits.</remarks>
    /// <param name="seen">The value to wait away from.</param>
    /// <param name="cancellation">Ends the wait; for a time-out, one of a
    /// <see cref="CancellationTokenSource(TimeSpan)"/>.</param>
    /// <returns>The counter.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The region was disposed of or forgotten, maybe
    /// meanwhile.</exception>
    /// <exception cref="RegionNotFoundException">The region of one who may only observe has ended.</exception>
    /// <exception cref="WinshmException">Unsupported: a raw region.</exception>
    public Task<uint> WaitAsync(uint seen, CancellationToken cancellation = default)
    {
        ChangeWatcher? watcher = Volatile.Read(ref _watcher);
        if (watcher is null)
        {
            watcher = new ChangeWatcher(Name, NativeOrStale);
            watcher = Interlocked.CompareExchange(ref _watcher, watcher, null) ?? watcher;
            if (IsDisposed)
            {
                watcher.End();
            }
        }
        Task<uint> waiting = watcher.WaitAsync(seen, cancellation);
        GC.KeepAlive(this);
        return waiting;
    }

    /// <summary>Gives the changes from this call on: <c>await foreach (uint now in region.Changes())</c>.</summary>
    /// <remarks>No change is missed: what happens while the loop's body runs begins its next round. Several changes may
    /// be one round. A loop keeps the region's object; otherwise it is as
    /// <see cref="WaitAsync(uint, CancellationToken)"/>.</remarks>
    /// <param name="cancellation">Ends the loop with an exception; <c>break</c> ends it without one.</param>
    /// <returns>The counter after each change.</returns>
    /// <inheritdoc cref="WaitAsync(uint, CancellationToken)" path="/exception"/>
    public IAsyncEnumerable<uint> Changes(CancellationToken cancellation = default) => Changes(ChangeCount, cancellation);

    /// <summary>Gives the changes since the counter had a value seen before.</summary>
    /// <param name="seen">The value to wait away from first.</param>
    /// <param name="cancellation">Ends the loop with an exception; <c>break</c> ends it without one.</param>
    /// <inheritdoc cref="Changes(CancellationToken)" path="/remarks|/returns|/exception"/>
    public async IAsyncEnumerable<uint> Changes(uint seen, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        for (;;)
        {
            seen = await WaitAsync(seen, cancellation).ConfigureAwait(false);
            yield return seen;
        }
    }

    /// <summary>Gets a Windows event that is set at each change from now on.</summary>
    /// <remarks>For loops with <see cref="WaitHandle.WaitAny(WaitHandle[])"/>. It resets itself when one
    /// waiter is released, and several changes may be one signal: look at <see cref="ChangeCount"/>. It
    /// belongs to the region: do not wait for it after <see cref="Dispose"/>.</remarks>
    /// <exception cref="WinshmException">Unsupported: a raw region, or not Windows.</exception>
    [SupportedOSPlatform("windows")]
    public unsafe WaitHandle GetWaitHandle()
    {
        nint native = Native;
        if (!OperatingSystem.IsWindows())
        {
            throw WinshmException.Make(WinshmStatus.Unsupported,
                $"Region.GetWaitHandle() '{Name}': only Windows has such events",
                "Use Region.WaitAsync() or Region.Changes().");
        }
        void* handle;
        Check(winshm_wait_handle(native, &handle));
        AutoResetEvent signal = new(false);
        signal.SafeWaitHandle.Dispose();
        signal.SafeWaitHandle = new SafeWaitHandle((nint)handle, ownsHandle: false);
        return signal;
    }
}
