// SPDX-License-Identifier: MIT
// One thread that waits for the changes of a region on behalf of all asynchronous waits.

namespace Winshm;

/// <remarks>
/// A thread of its own serves all platforms alike and never blocks the thread pool. The region's
/// Windows event would not do: it wakes one waiter only, and once it exists every notification of any
/// process has to set it.
/// </remarks>
internal sealed class ChangeWatcher(Region region)
{
    // Also how long the thread stays when nobody waits, so that a loop of waits does not start one each.
    private static readonly TimeSpan s_slice = TimeSpan.FromSeconds(1);

    private readonly object _gate = new();
    private readonly List<Waiter> _waiters = [];
    private bool _running;

    public async Task<uint> WaitAsync(uint seen, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Waiter waiter = new(this, seen);
        lock (_gate)
        {
            // Under the gate, so that the thread cannot look at its waiters between this and Add.
            uint now = region.ChangeCount;
            if (now != seen)
            {
                return now;
            }
            if (!_running)
            {
                new Thread(Run, 128 * 1024) { IsBackground = true, Name = $"winshm wait: {region}" }.Start();
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

    private void Run()
    {
        try
        {
            while (NextCount() is uint seen)
            {
                // In slices, because the thread may outlive its last waiter, and because pinned memory
                // keeps the native handle open when the region is disposed of.
                region.Wait(seen, s_slice, out _);
            }
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }

    /// <summary>Ends the waits that are over; returns null when the thread shall end.</summary>
    private uint? NextCount()
    {
        lock (_gate)
        {
            bool idle = false;
            for (;;)
            {
                uint now = region.ChangeCount;
                _waiters.RemoveAll(waiter => waiter.Seen != now && waiter.TrySetResult(now));
                if (_waiters.Count > 0)
                {
                    return now;
                }
                if (idle)
                {
                    _running = false;
                    return null;
                }
                idle = !Monitor.Wait(_gate, s_slice);
            }
        }
    }

    private void Fail(Exception reason)
    {
        lock (_gate)
        {
            _running = false;
            foreach (Waiter waiter in _waiters)
            {
                waiter.TrySetException(reason);
            }
            _waiters.Clear();
        }
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
