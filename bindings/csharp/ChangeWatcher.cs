// SPDX-License-Identifier: MIT
// One thread that waits for the changes of a region on behalf of all asynchronous waits.

using static Winshm.NativeMethods;

namespace Winshm;

/// <remarks>
/// <para>A thread of its own serves all platforms alike and never blocks the thread pool. The region's
/// Windows event would not do: it wakes one waiter only, and once it exists every notification of any
/// process has to set it.</para>
/// <para>Neither the thread nor a waiter refers to the region's object, only to its native handle. So a
/// region that the program has forgotten is closed by its finaliser, which ends the waits and the thread,
/// while a loop that awaits changes keeps its region itself.</para>
/// </remarks>
internal sealed class ChangeWatcher(string name, nint native)
{
    // Also how long the thread stays when nobody waits, so that a loop of waits does not start one each.
    private const uint SliceMilliseconds = 1000;

    private readonly object _gate = new();
    private readonly List<Waiter> _waiters = [];
    private bool _running;
    private bool _ended;

    public async Task<uint> WaitAsync(uint seen, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Waiter waiter = new(this, seen);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_ended, typeof(Region));
            // Under the gate, so that the thread cannot look at its waiters between this and Add.
            uint now = Count();
            if (now != seen)
            {
                return now;
            }
            if (!_running)
            {
                new Thread(Run, 128 * 1024) { IsBackground = true, Name = $"winshm wait: {name}" }.UnsafeStart();
                _running = true;
            }
            _waiters.Add(waiter);
            Monitor.Pulse(_gate);
        }
        using (cancellation.UnsafeRegister(static (state, token) => ((Waiter)state!).Cancel(token), waiter))
        {
            return await waiter.Task.ConfigureAwait(false);
        }
    }

    /// <summary>Ends all waits, for good.</summary>
    public void End()
    {
        lock (_gate)
        {
            _ended = true;
            Fail(new ObjectDisposedException(nameof(Region)));
            Monitor.Pulse(_gate);
        }
    }

    private unsafe uint Count()
    {
        uint now;
        WinshmException.Check(winshm_change_count(native, &now));
        return now;
    }

    private unsafe void Run()
    {
        try
        {
            while (NextCount() is uint seen)
            {
                // In slices, because the thread may outlive its last waiter, and because pinned memory
                // keeps the native handle open when the region is disposed of.
                int status = winshm_wait(native, seen, SliceMilliseconds, null);
                if (status is WINSHM_OK or WINSHM_E_TIMEOUT)
                {
                    continue;
                }
                // Now, as the next call has a message of its own.
                Exception failure = WinshmException.Last(status);
                // A close that was refused ends it as well.
                if (status != WINSHM_E_CLOSED || winshm_size(native) == 0)
                {
                    throw failure;
                }
            }
        }
        catch (Exception e)
        {
            lock (_gate)
            {
                _running = false;
                Fail(e);
            }
        }
    }

    /// <summary>Ends the waits that are over; returns null when the thread shall end.</summary>
    private uint? NextCount()
    {
        lock (_gate)
        {
            bool idle = _ended;
            for (;;)
            {
                if (_waiters.Count > 0)
                {
                    uint now = Count();
                    _waiters.RemoveAll(waiter => waiter.Seen != now && waiter.TrySetResult(now));
                    if (_waiters.Count > 0)
                    {
                        return now;
                    }
                }
                if (idle)
                {
                    _running = false;
                    return null;
                }
                idle = !Monitor.Wait(_gate, (int)SliceMilliseconds) || _ended;
            }
        }
    }

    private void Fail(Exception reason)
    {
        foreach (Waiter waiter in _waiters)
        {
            waiter.TrySetException(reason);
        }
        _waiters.Clear();
    }

    private sealed class Waiter(ChangeWatcher watcher, uint seen)
        : TaskCompletionSource<uint>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public uint Seen => seen;

        public void Cancel(CancellationToken cancellation)
        {
            lock (watcher._gate)
            {
                watcher._waiters.Remove(this);
            }
            TrySetCanceled(cancellation);
        }
    }
}
