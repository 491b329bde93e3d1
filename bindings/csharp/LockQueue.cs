// SPDX-License-Identifier: MIT
// The tasks that wait for the lock of one region.

using System.Diagnostics;
using static Winshm.NativeMethods;

namespace Winshm;

/// <remarks>
/// <para>The tasks of one object stand in line here, and only the first of them asks the library. Its
/// request tries once, which blocks nobody: at once if nobody stands before it, else on the thread that
/// releases the lock for the one before. Only if somebody outside is in the way, another process, another
/// object or a thread, does a thread of the queue's own wait for the head. It does so inside the library,
/// which wakes it and knows whose turn it is: asking again and again would be late and could starve.</para>
/// <para>That thread waits in slices, since a request inside the library can be neither withdrawn nor
/// changed from reading to writing. What it gets goes to whoever is at the head by then, and back if
/// nobody can use it.</para>
/// <para>A request that tries once takes a free lock whoever waits for it outside. So when tasks have had the
/// lock for a while, the thread asks for the next one as others do.</para>
/// </remarks>
internal sealed class LockQueue(Region region, nint native)
{
    private const uint SliceMilliseconds = 50;

    /// <summary>How long tasks may take the lock one after the other before those outside get their turn.</summary>
    private static readonly long s_turn = Stopwatch.Frequency / 100;

    // How long the thread stays when it has nothing to do, so that not each wait starts one.
    private static readonly TimeSpan s_idle = TimeSpan.FromSeconds(1);

    private readonly object _gate = new();
    private readonly LinkedList<Waiter> _waiters = new();

    // What tasks hold. What threads hold of the same object is as held outside.
    private int _readers;
    private bool _writer;

    private bool _running;
    private bool _ended;
    private LockMode? _asking;

    // How many want the thread not to ask.
    private int _pauses;

    // When tasks last took or released the lock, and since when others have not had their turn.
    private long _used;
    private long _polite;

    public ValueTask<AsyncRegionLock> LockAsync(LockMode mode, bool repairs, uint milliseconds, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<AsyncRegionLock>(cancellation);
        }
        Waiter waiter;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_ended, region);
            // A single try cannot be put off.
            if (_waiters.Count == 0 && Fits(mode) && (milliseconds == 0 || MayBarge()))
            {
                int status = Try(mode);
                if (status != WINSHM_E_TIMEOUT)
                {
                    return Take(mode, repairs, status, out Exception? failure) is AsyncRegionLock taken
                        ? new(taken)
                        : ValueTask.FromException<AsyncRegionLock>(failure!);
                }
            }
            if (milliseconds == 0)
            {
                return ValueTask.FromException<AsyncRegionLock>(TimedOut());
            }
            waiter = new Waiter(this, mode, repairs);
            _waiters.AddLast(waiter.Node);
            Ask();
        }
        return new(WaitAsync(waiter, milliseconds, cancellation));
    }

    /// <summary>Releases what a task holds, and lets the next ones in.</summary>
    public Exception? Release(LockMode mode)
    {
        lock (_gate)
        {
            int status = winshm_unlock(native, (uint)mode);
            _used = Stopwatch.GetTimestamp();
            Exception? failure = status == WINSHM_OK ? null : WinshmException.Last(status);
            if (mode == LockMode.Exclusive)
            {
                _writer = false;
            }
            else
            {
                _readers--;
            }
            Serve();
            return failure;
        }
    }

    /// <summary>Ends all waits, for good.</summary>
    public void End()
    {
        lock (_gate)
        {
            _ended = true;
            Fail(new ObjectDisposedException(nameof(Region)));
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Does something while the thread neither asks for the lock nor has got it for nobody.</summary>
    public int WhileNotAsking(Func<int> action)
    {
        lock (_gate)
        {
            _pauses++;
            while (_asking is not null)
            {
                Monitor.Wait(_gate);
            }
        }
        try
        {
            return action();
        }
        finally
        {
            lock (_gate)
            {
                _pauses--;
                Ask();
            }
        }
    }

    private static async Task<AsyncRegionLock> WaitAsync(Waiter waiter, uint milliseconds, CancellationToken cancellation)
    {
        using Timer? timer = milliseconds == WINSHM_FOREVER
            ? null
            : new Timer(static state => ((Waiter)state!).TimeOut(), waiter, milliseconds, Timeout.Infinite);
        using (cancellation.UnsafeRegister(static (state, token) => ((Waiter)state!).Cancel(token), waiter))
        {
            return await waiter.Task.ConfigureAwait(false);
        }
    }

    private Exception TimedOut() => WinshmException.Make(WinshmStatus.Timeout,
        $"Region.LockAsync() '{region}': the lock was not free in time",
        "Whoever is in the way is alive but slow or stopped; Region.GetInfo() names it.");

    /// <summary>Whether what other tasks hold lets one in.</summary>
    private bool Fits(LockMode mode) => !_writer && (mode == LockMode.Shared || _readers == 0);

    /// <summary>Whether to take a free lock without regard to those outside.</summary>
    private bool MayBarge()
    {
        long now = Stopwatch.GetTimestamp();
        if (now - _used >= s_turn)
        {
            // The lock was left alone in the meantime.
            _polite = now;
        }
        _used = now;
        return now - _polite < s_turn;
    }

    /// <summary>Asks once, which blocks nobody.</summary>
    private int Try(LockMode mode)
    {
        int status;
        do
        {
            status = winshm_lock(native, (uint)mode, 0);
        }
        while (region.GoesOn(status));
        return status;
    }

    /// <summary>Makes a guard of what a call for the lock came to. Nothing is held if it gives none.</summary>
    private AsyncRegionLock? Take(LockMode mode, bool repairs, int status, out Exception? failure)
    {
        bool ownerDied = status == WINSHM_E_OWNER_DEAD && mode == LockMode.Exclusive && repairs;
        if (status != WINSHM_OK && !ownerDied)
        {
            failure = region.NotTaken(mode, status);
            return null;
        }
        failure = null;
        if (mode == LockMode.Exclusive)
        {
            _writer = true;
        }
        else
        {
            _readers++;
        }
        return new AsyncRegionLock(this, region, mode, ownerDied);
    }

    /// <summary>Gives the head what a call for the lock came to.</summary>
    private void Give(Waiter head, int status)
    {
        _waiters.Remove(head.Node);
        if (Take(head.Mode, head.Repairs, status, out Exception? failure) is AsyncRegionLock taken)
        {
            head.TrySetResult(taken);
        }
        else
        {
            head.TrySetException(failure!);
        }
    }

    /// <summary>Lets in whoever can go, from the head on.</summary>
    private void Serve()
    {
        while (_waiters.First?.Value is { } head && Fits(head.Mode) && head.Mode != _asking)
        {
            int status = MayBarge() ? Try(head.Mode) : WINSHM_E_TIMEOUT;
            if (status == WINSHM_E_TIMEOUT)
            {
                Ask();
                return;
            }
            Give(head, status);
        }
    }

    /// <summary>Has the thread ask for the head, unless that has to wait for other tasks.</summary>
    private void Ask()
    {
        if (_waiters.First?.Value is not { } head || !Fits(head.Mode))
        {
            return;
        }
        if (!_running)
        {
            try
            {
                new Thread(Run, 128 * 1024) { IsBackground = true, Name = $"winshm lock: {region}" }.UnsafeStart();
                _running = true;
            }
            catch (Exception e)
            {
                // Whoever releases the lock has nothing to do with that.
                Fail(e);
            }
        }
        Monitor.PulseAll(_gate);
    }

    private void Fail(Exception reason)
    {
        while (_waiters.First is { } node)
        {
            _waiters.RemoveFirst();
            node.Value.TrySetException(reason);
        }
    }

    private void Run()
    {
        for (;;)
        {
            LockMode mode;
            lock (_gate)
            {
                bool idle = false;
                while (_pauses > 0 || _waiters.First?.Value is not { } head || !Fits(head.Mode))
                {
                    if (idle || _ended)
                    {
                        _running = false;
                        return;
                    }
                    idle = !Monitor.Wait(_gate, s_idle);
                }
                mode = _waiters.First!.Value.Mode;
                _asking = mode;
            }
            int status = winshm_lock(native, (uint)mode, SliceMilliseconds);
            lock (_gate)
            {
                _asking = null;
                _used = _polite = Stopwatch.GetTimestamp();
                Settle(mode, status);
                if (_pauses > 0)
                {
                    Monitor.PulseAll(_gate);
                }
            }
            region.Released();
        }
    }

    /// <summary>Does what is right with the answer that the thread got.</summary>
    private void Settle(LockMode mode, int status)
    {
        Waiter? head = _waiters.First?.Value;
        if (status == WINSHM_E_TIMEOUT || region.GoesOn(status))
        {
            return;
        }
        if (head is not null && head.Mode == mode && Fits(mode))
        {
            Give(head, status);
        }
        else if (status == WINSHM_OK || (status == WINSHM_E_OWNER_DEAD && mode == LockMode.Exclusive))
        {
            winshm_unlock(native, (uint)mode);
        }
        Serve();
    }

    /// <summary>Takes one out of the line that gives up. False if it has been served.</summary>
    private bool Leave(Waiter waiter)
    {
        lock (_gate)
        {
            if (waiter.Node.List is null)
            {
                return false;
            }
            _waiters.Remove(waiter.Node);
            // It may have been in the way of readers.
            Serve();
            return true;
        }
    }

    private sealed class Waiter : TaskCompletionSource<AsyncRegionLock>
    {
        private readonly LockQueue _queue;

        public Waiter(LockQueue queue, LockMode mode, bool repairs)
            : base(TaskCreationOptions.RunContinuationsAsynchronously)
        {
            _queue = queue;
            Mode = mode;
            Repairs = repairs;
            Node = new LinkedListNode<Waiter>(this);
        }

        public LockMode Mode { get; }

        public bool Repairs { get; }

        public LinkedListNode<Waiter> Node { get; }

        public void Cancel(CancellationToken cancellation)
        {
            if (_queue.Leave(this))
            {
                TrySetCanceled(cancellation);
            }
        }

        public void TimeOut()
        {
            if (_queue.Leave(this))
            {
                TrySetException(_queue.TimedOut());
            }
        }
    }
}
