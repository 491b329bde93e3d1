// SPDX-License-Identifier: MIT
// A participant's handle to a region: parts, copies and what is known of it.

using System.Runtime.CompilerServices;
using static Winshm.NativeMethods;

namespace Winshm;

/// <summary>A named block of memory that processes of any language share.</summary>
/// <remarks>
/// <para>An object is one participant, and may be used by any number of threads. The lock belongs to the
/// thread that takes it, or with <see cref="RegionFlags.Task"/> to the object. The region exists as long
/// as it has a participant.</para>
/// <para>Time-outs are rounded up to whole milliseconds; <see cref="TimeSpan.Zero"/> tries once,
/// <see cref="Timeout.InfiniteTimeSpan"/>, the default, waits without end. All members throw
/// <see cref="ObjectDisposedException"/> after <see cref="Dispose"/>, which also ends the waits of other
/// threads and tasks in this way, and <see cref="WinshmException"/> with <see cref="WinshmStatus.Corrupt"/> if
/// a program has overwritten the region's bookkeeping.</para>
/// </remarks>
public unsafe partial class Region : Block
{
    private readonly RegionHandle _owner;
    private readonly bool _tasks;

    private protected Region(Opened opened)
        : base(opened.Owner, winshm_data(opened.Handle), winshm_size(opened.Handle),
            (opened.Flags & (RegionFlags.Read | RegionFlags.Write)) != RegionFlags.Read, opened.Grows)
    {
        Name = opened.Name;
        _owner = opened.Owner;
        _tasks = (opened.Flags & RegionFlags.Task) != 0;
    }

    /// <summary>The name that it was opened with; that of a region that was created without one, or opened by a
    /// token, is the one that the library has.</summary>
    public string Name { get; }

    /// <summary>Maps a part of the region, which may outlive this object.</summary>
    /// <param name="offset">The first byte; no alignment is asked.</param>
    /// <param name="length">Bytes, at least 1.</param>
    /// <param name="flags">None: as the region; Read: read-only; Write.</param>
    /// <exception cref="ArgumentException">The length is 0, or another flag.</exception>
    /// <exception cref="ArgumentOutOfRangeException">Not inside the region.</exception>
    /// <exception cref="UnauthorizedAccessException">Writing, on a read-only region.</exception>
    /// <exception cref="WinshmException">NoMemory: no address space.
    /// TooMany: no free view in this process.</exception>
    public View Map(long offset, long length, RegionFlags flags = RegionFlags.None)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        nint view;
        Check(winshm_map(Native, (ulong)offset, (ulong)length, (uint)flags, &view));
        bool writable = flags == RegionFlags.None ? CanWrite : (flags & RegionFlags.Write) != 0;
        return new View(view, writable);
    }

    /// <summary>Makes the region larger, and waits without end for others who create, open or resize it.</summary>
    /// <inheritdoc cref="Resize(long, TimeSpan)" path="/remarks|/param|/exception[not(@cref='T:System.TimeoutException')]"/>
    public void Resize(long size) => Resize(size, Timeout.InfiniteTimeSpan);

    /// <summary>Makes the region larger. The new bytes are zero.</summary>
    /// <remarks>
    /// <para>It was created with room for that: see <see cref="RegionOptions.Capacity"/>. Neither the address nor what
    /// is mapped changes, so spans and references stay valid. Others see the new <see cref="Block.Size"/> at once,
    /// and are notified.</para>
    /// <para>The lock is not needed: whoever holds it may call this, and so may whoever does not. If the process dies
    /// in the call, the region has the old size or the new one, and nothing is to be repaired.</para>
    /// </remarks>
    /// <param name="size">Bytes, not less than now and at most the capacity.</param>
    /// <param name="timeout">How long to wait for others who create, open or resize this region.</param>
    /// <exception cref="ArgumentException">The size is 0.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The size is negative.</exception>
    /// <exception cref="TimeoutException">Others were not ready in time.</exception>
    /// <exception cref="RegionMismatchException">Size: less than now, or more than the capacity.</exception>
    /// <exception cref="UnauthorizedAccessException">The region is read-only.</exception>
    /// <exception cref="WinshmException">NoMemory: there is none; the size is as before. Unsupported: a raw region, or
    /// one whose block another program has made.</exception>
    public void Resize(long size, TimeSpan timeout)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        uint milliseconds = Milliseconds(timeout);
        Remaining left = new(milliseconds);
        int status = winshm_resize(Native, (ulong)size, milliseconds);
        while (GoesOn(status))
        {
            status = winshm_resize(Native, (ulong)size, left.Milliseconds);
        }
        Check(status);
    }

    /// <inheritdoc cref="Read(long, Span{byte}, TimeSpan)"/>
    public void Read(long offset, Span<byte> destination) => Read(offset, destination, Timeout.InfiniteTimeSpan);

    /// <summary>Copies bytes out, never torn by a writer that locks.</summary>
    /// <remarks>Takes the lock shared for the copy, unless this thread holds it already; up to 4,096 bytes need
    /// no lock where no writer is at work. With <see cref="RegionFlags.Task"/> the lock is no thread's, and whoever
    /// holds it reads through the guard. Here one who has it from <see cref="Lock()"/> is refused, and a task would
    /// wait for itself, since nobody can tell it from others.</remarks>
    /// <param name="offset">The first byte.</param>
    /// <param name="destination">What to fill.</param>
    /// <param name="timeout">How long to wait for the lock.</param>
    /// <exception cref="ArgumentOutOfRangeException">Not inside the region; nothing is copied.</exception>
    /// <exception cref="TimeoutException">The lock was not free in time.</exception>
    /// <exception cref="OwnerDeadException">The data are not repaired; nothing is copied.</exception>
    /// <exception cref="RegionNotFoundException">The region of one who may only observe has ended.</exception>
    /// <exception cref="WinshmException">Deadlock: with Task, this thread has the lock by Lock(). NoMemory: no address
    /// space, with NoMap. Fault: the memory is gone.</exception>
    public void Read(long offset, Span<byte> destination, TimeSpan timeout)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (_filling)
        {
            CopyOut(offset, destination);
            return;
        }
        ThrowIfOwnLock();
        fixed (byte* buffer = destination)
        {
            uint milliseconds = Milliseconds(timeout);
            Remaining left = new(milliseconds);
            int status = winshm_read(Native, (ulong)offset, buffer, (ulong)destination.Length, milliseconds);
            while (GoesOn(status))
            {
                status = winshm_read(Native, (ulong)offset, buffer, (ulong)destination.Length, left.Milliseconds);
            }
            Check(status);
        }
    }

    /// <inheritdoc cref="Read{T}(long, TimeSpan)"/>
    public T Read<T>(long offset = 0)
        where T : unmanaged => Read<T>(offset, Timeout.InfiniteTimeSpan);

    /// <summary>Copies a value out, never torn by a writer that locks.</summary>
    /// <typeparam name="T">A structure that is laid out alike in all programs.</typeparam>
    /// <returns>The value.</returns>
    /// <inheritdoc cref="Read(long, Span{byte}, TimeSpan)" path="/remarks|/param|/exception"/>
    /// <exception cref="ArgumentException">The type has pointers, or no fixed layout.</exception>
    public T Read<T>(long offset, TimeSpan timeout)
        where T : unmanaged
    {
        T value;
        Read(offset, new Span<byte>(&value, Shareable<T>.Size), timeout);
        return value;
    }

    /// <inheritdoc cref="Write(long, ReadOnlySpan{byte}, TimeSpan)"/>
    public void Write(long offset, ReadOnlySpan<byte> source) => Write(offset, source, Timeout.InfiniteTimeSpan);

    /// <summary>Copies bytes in and notifies those who wait for a change.</summary>
    /// <remarks>Takes the lock exclusively for the copy, unless this thread holds it so already. With
    /// <see cref="RegionFlags.Task"/> the lock is no thread's, and whoever holds it writes through the guard. Here one
    /// who has it from <see cref="Lock()"/> is refused, and a task would wait for itself, since nobody can tell it
    /// from others.</remarks>
    /// <param name="offset">The first byte.</param>
    /// <param name="source">What to copy.</param>
    /// <param name="timeout">How long to wait for the lock.</param>
    /// <exception cref="ArgumentOutOfRangeException">Not inside the region; nothing is copied.</exception>
    /// <exception cref="TimeoutException">The lock was not free in time.</exception>
    /// <exception cref="OwnerDeadException">The data are not repaired; nothing is copied.</exception>
    /// <exception cref="UnauthorizedAccessException">The region is read-only.</exception>
    /// <exception cref="WinshmException">Deadlock: this thread holds the lock shared, or with Task by Lock().
    /// NoMemory: no address space, with NoMap. Fault: the memory is gone.</exception>
    public void Write(long offset, ReadOnlySpan<byte> source, TimeSpan timeout)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (_filling)
        {
            CopyIn(offset, source);
            return;
        }
        ThrowIfOwnLock();
        fixed (byte* buffer = source)
        {
            uint milliseconds = Milliseconds(timeout);
            Remaining left = new(milliseconds);
            int status = winshm_write(Native, (ulong)offset, buffer, (ulong)source.Length, milliseconds);
            while (GoesOn(status))
            {
                status = winshm_write(Native, (ulong)offset, buffer, (ulong)source.Length, left.Milliseconds);
            }
            Check(status);
        }
    }

    /// <inheritdoc cref="Write{T}(long, T, TimeSpan)"/>
    public void Write<T>(long offset, T value)
        where T : unmanaged => Write(offset, value, Timeout.InfiniteTimeSpan);

    /// <summary>Copies a value in and notifies those who wait for a change.</summary>
    /// <typeparam name="T">A structure that is laid out alike in all programs.</typeparam>
    /// <param name="offset">Its first byte.</param>
    /// <param name="value">What to copy.</param>
    /// <param name="timeout">How long to wait for the lock.</param>
    /// <inheritdoc cref="Write(long, ReadOnlySpan{byte}, TimeSpan)" path="/remarks|/exception"/>
    /// <exception cref="ArgumentException">The type has pointers, or no fixed layout.</exception>
    public void Write<T>(long offset, T value, TimeSpan timeout)
        where T : unmanaged => Write(offset, new ReadOnlySpan<byte>(&value, Shareable<T>.Size), timeout);

    /// <summary>Tells what is known of the region; what changes is a snapshot.</summary>
    /// <exception cref="RegionNotFoundException">The region of one who may only observe has ended.</exception>
    public RegionInfo GetInfo()
    {
        winshm_info info = new() { struct_size = (uint)sizeof(winshm_info) };
        Check(winshm_get_info(Native, &info));
        return new RegionInfo(info);
    }

    /// <summary>Lists the participants that are alive.</summary>
    /// <exception cref="RegionNotFoundException">The region of one who may only observe has ended.</exception>
    /// <exception cref="WinshmException">Unsupported: a raw region has no list.</exception>
    public IReadOnlyList<Participant> GetParticipants()
    {
        winshm_participant[] found = new winshm_participant[WINSHM_PARTICIPANTS_MAX];
        found[0].struct_size = (uint)sizeof(winshm_participant);
        uint count;
        fixed (winshm_participant* array = found)
        {
            Check(winshm_get_participants(Native, array, (uint)found.Length, &count));
        }
        Participant[] participants = new Participant[Math.Min(count, found.Length)];
        for (int i = 0; i < participants.Length; i++)
        {
            participants[i] = new Participant(found[i]);
        }
        return participants;
    }

    /// <summary>What the region's bytes are, as its creator has said; null: nothing. See
    /// <see cref="RegionLayout"/>.</summary>
    /// <exception cref="RegionNotFoundException">The region of one who may only observe has ended.</exception>
    /// <exception cref="WinshmException">Unsupported: a raw region. Corrupt: the text is damaged.</exception>
    public string? Layout
    {
        get
        {
            byte* text = stackalloc byte[(int)WINSHM_LAYOUT_MAX + 1];
            uint length;
            Check(winshm_get_layout(Native, text, WINSHM_LAYOUT_MAX + 1, &length));
            return length == 0 ? null : Library.Text(text);
        }
    }

    /// <summary>The name.</summary>
    public override string ToString() => Name;

    private protected override long Measure()
    {
        long size = (long)winshm_size(NativeOrStale);
        GC.KeepAlive(this);
        return size;
    }

    internal static uint Milliseconds(TimeSpan timeout, [CallerArgumentExpression(nameof(timeout))] string? parameter = null)
    {
        // Timeout.InfiniteTimeSpan, without the load of a static field.
        if (timeout.Ticks == -TimeSpan.TicksPerMillisecond)
        {
            return WINSHM_FOREVER;
        }
        long milliseconds = timeout.Ticks / TimeSpan.TicksPerMillisecond;
        milliseconds += timeout.Ticks % TimeSpan.TicksPerMillisecond > 0 ? 1 : 0;
        if (timeout < TimeSpan.Zero || milliseconds >= WINSHM_FOREVER)
        {
            throw new ArgumentOutOfRangeException(parameter, timeout,
                "A time-out is at least 0 and less than 49 days, or Timeout.InfiniteTimeSpan.");
        }
        return (uint)milliseconds;
    }
}
