// SPDX-License-Identifier: MIT
// A participant's handle to a region: opening, closing, copies and what is known of it.

using System.Text;
using static Winshm.NativeMethods;

namespace Winshm;

/// <summary>A named block of memory that processes of any language share.</summary>
/// <remarks>
/// <para>An object is one participant, and may be used by any number of threads. The lock belongs to the
/// thread that takes it, or with <see cref="RegionFlags.Task"/> to the object. The region exists as long
/// as it has a participant.</para>
/// <para>Time-outs are rounded up to whole milliseconds; <see cref="TimeSpan.Zero"/> tries once,
/// <see cref="Timeout.InfiniteTimeSpan"/>, the default, waits without end. All members throw
/// <see cref="WinshmException"/> for a failure of the library and <see cref="ObjectDisposedException"/>
/// after <see cref="Dispose"/>, which also ends the waits of other threads and tasks in this way.</para>
/// </remarks>
public sealed unsafe partial class Region : Block
{
    private readonly RegionHandle _owner;
    private readonly bool _tasks;

    private Region(string name, nint handle, RegionFlags flags)
        : this(name, new RegionHandle(handle), handle, flags)
    {
    }

    private Region(string name, RegionHandle owner, nint handle, RegionFlags flags)
        : base(owner, winshm_data(handle), winshm_size(handle),
            (flags & (RegionFlags.Read | RegionFlags.Write)) != RegionFlags.Read)
    {
        Name = name;
        _owner = owner;
        _tasks = (flags & RegionFlags.Task) != 0;
    }

    /// <summary>The name that it was opened with.</summary>
    public string Name { get; }

    /// <summary>Creates a region, which must not exist. Its bytes are zero.</summary>
    /// <param name="name">1 to 200 bytes of UTF-8, optionally after <c>Local\</c> (the default) or
    /// <c>Global\</c>; no other backslash, no slash.</param>
    /// <param name="size">Bytes, at least 1. Nothing is rounded.</param>
    /// <param name="flags">Raw, NoLock, NoMap, Task.</param>
    /// <exception cref="WinshmException">See winshm_create() in winshm.h.</exception>
    /// <exception cref="DllNotFoundException">There is no native library that fits.</exception>
    public static Region Create(string name, long size, RegionFlags flags = RegionFlags.None)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        Library.EnsureLoaded();
        nint handle;
        fixed (byte* utf8 = Encode(name))
        {
            WinshmException.Check(winshm_create(utf8, (ulong)size, (uint)flags, &handle));
        }
        return new Region(name, handle, flags);
    }

    /// <summary>Joins a region that exists. Never creates anything.</summary>
    /// <param name="name">As for <see cref="Create"/>.</param>
    /// <param name="flags">Read, Write, Raw, NoMap, Task.</param>
    /// <exception cref="WinshmException">See winshm_open() in winshm.h.</exception>
    /// <exception cref="DllNotFoundException">There is no native library that fits.</exception>
    public static Region Open(string name, RegionFlags flags = RegionFlags.None)
    {
        Library.EnsureLoaded();
        nint handle;
        fixed (byte* utf8 = Encode(name))
        {
            WinshmException.Check(winshm_open(utf8, (uint)flags, &handle));
        }
        return new Region(name, handle, flags);
    }

    /// <summary>Joins a region, or creates it if nobody has it open.</summary>
    /// <param name="name">As for <see cref="Create"/>.</param>
    /// <param name="size">Bytes; 0 joins a region of any size but cannot create one.</param>
    /// <param name="flags">As for <see cref="Create"/>.</param>
    /// <exception cref="WinshmException">See winshm_open_or_create() in winshm.h.</exception>
    /// <exception cref="DllNotFoundException">There is no native library that fits.</exception>
    public static Region OpenOrCreate(string name, long size, RegionFlags flags = RegionFlags.None)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        Library.EnsureLoaded();
        nint handle;
        fixed (byte* utf8 = Encode(name))
        {
            WinshmException.Check(winshm_open_or_create(utf8, (ulong)size, (uint)flags, &handle));
        }
        return new Region(name, handle, flags);
    }

    /// <summary>Creates or opens with all options.</summary>
    /// <param name="name">As for <see cref="Create"/>.</param>
    /// <param name="options">How; by default it opens.</param>
    /// <exception cref="WinshmException">See winshm_open_with() in winshm.h.</exception>
    /// <exception cref="DllNotFoundException">There is no native library that fits.</exception>
    public static Region Open(string name, RegionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Size);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Capacity);
        Library.EnsureLoaded();
        nint handle;
        fixed (byte* utf8 = Encode(name), security = options.Security is null ? null : Encode(options.Security))
        {
            winshm_options native = new()
            {
                struct_size = (uint)sizeof(winshm_options),
                flags = (uint)options.Flags,
                disposition = (uint)options.Mode,
                timeout_ms = Milliseconds(options.Timeout),
                size = (ulong)options.Size,
                capacity = (ulong)options.Capacity,
                layout_tag = options.LayoutTag,
                name = utf8,
                security = security,
            };
            WinshmException.Check(winshm_open_with(&native, &handle));
        }
        return new Region(name, handle, options.Flags);
    }

    /// <summary>Maps a part of the region, which may outlive this object.</summary>
    /// <param name="offset">The first byte; no alignment is asked.</param>
    /// <param name="length">Bytes, at least 1.</param>
    /// <param name="flags">None: as the region; Read: read-only; Write.</param>
    public View Map(long offset, long length, RegionFlags flags = RegionFlags.None)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        nint view;
        Check(winshm_map(Native, (ulong)offset, (ulong)length, (uint)flags, &view));
        bool writable = flags == RegionFlags.None ? CanWrite : (flags & RegionFlags.Write) != 0;
        return new View(view, writable);
    }

    /// <inheritdoc cref="Read(long, Span{byte}, TimeSpan)"/>
    public void Read(long offset, Span<byte> destination) => Read(offset, destination, Timeout.InfiniteTimeSpan);

    /// <summary>Copies bytes out, never torn by a writer that locks.</summary>
    /// <remarks>Takes the lock shared for the copy, unless this thread holds it already; up to 4,096 bytes need
    /// no lock where no writer is at work. With <see cref="RegionFlags.Task"/> the lock is no thread's: whoever
    /// holds it reads through the guard, and would wait here for itself.</remarks>
    /// <param name="offset">The first byte.</param>
    /// <param name="destination">What to fill.</param>
    /// <param name="timeout">How long to wait for the lock.</param>
    /// <exception cref="OwnerDeadException">The data are not repaired; nothing is copied.</exception>
    public void Read(long offset, Span<byte> destination, TimeSpan timeout)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
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

    /// <summary>Copies a value out, never torn by a writer that locks.</summary>
    /// <inheritdoc cref="Read(long, Span{byte}, TimeSpan)" path="/remarks|/param|/exception"/>
    public T Read<T>(long offset)
        where T : unmanaged
    {
        T value;
        Read(offset, new Span<byte>(&value, sizeof(T)));
        return value;
    }

    /// <inheritdoc cref="Write(long, ReadOnlySpan{byte}, TimeSpan)"/>
    public void Write(long offset, ReadOnlySpan<byte> source) => Write(offset, source, Timeout.InfiniteTimeSpan);

    /// <summary>Copies bytes in and notifies those who wait for a change.</summary>
    /// <remarks>Takes the lock exclusively for the copy, unless this thread holds it so already. With
    /// <see cref="RegionFlags.Task"/> the lock is no thread's: whoever holds it writes through the guard, and
    /// would wait here for itself.</remarks>
    /// <param name="offset">The first byte.</param>
    /// <param name="source">What to copy.</param>
    /// <param name="timeout">How long to wait for the lock.</param>
    /// <exception cref="OwnerDeadException">The data are not repaired; nothing is copied.</exception>
    public void Write(long offset, ReadOnlySpan<byte> source, TimeSpan timeout)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
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

    /// <summary>Copies a value in and notifies those who wait for a change.</summary>
    /// <inheritdoc cref="Write(long, ReadOnlySpan{byte}, TimeSpan)" path="/remarks|/param|/exception"/>
    public void Write<T>(long offset, T value)
        where T : unmanaged => Write(offset, new ReadOnlySpan<byte>(&value, sizeof(T)));

    /// <summary>Tells what is known of the region; what changes is a snapshot.</summary>
    public RegionInfo GetInfo()
    {
        winshm_info info = new() { struct_size = (uint)sizeof(winshm_info) };
        Check(winshm_get_info(Native, &info));
        return new RegionInfo(info);
    }

    /// <summary>Lists the participants that are alive. A raw region has no list.</summary>
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

    /// <summary>The name.</summary>
    public override string ToString() => Name;

    internal static uint Milliseconds(TimeSpan timeout)
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
            throw new ArgumentOutOfRangeException(nameof(timeout), timeout,
                "A time-out is at least 0 and less than 49 days, or Timeout.InfiniteTimeSpan.");
        }
        return (uint)milliseconds;
    }

    // Strict, since a text that another one is made of would name another region.
    private static readonly UTF8Encoding s_utf8 = new(false, throwOnInvalidBytes: true);

    private static byte[] Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Contains('\0'))
        {
            throw new ArgumentException("The text has a NUL character inside.", nameof(text));
        }
        byte[] utf8 = new byte[s_utf8.GetByteCount(text) + 1];
        s_utf8.GetBytes(text, utf8);
        return utf8;
    }
}
