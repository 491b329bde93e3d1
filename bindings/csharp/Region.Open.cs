// SPDX-License-Identifier: MIT
// Creating and joining regions.

using System.Runtime.CompilerServices;
using System.Text;
using static Winshm.NativeMethods;

namespace Winshm;

public unsafe partial class Region
{
    /// <summary>Creates a region, which must not exist. Its bytes are zero.</summary>
    /// <param name="name">1 to 200 bytes of UTF-8, optionally after <c>Local\</c> (the default) or
    /// <c>Global\</c>; no other backslash, no slash. Null creates an unnamed region, for which the library draws a name at
    /// random: see <see cref="Export"/>.</param>
    /// <param name="size">Bytes, at least 1. Nothing is rounded.</param>
    /// <param name="flags">Raw, NoLock, NoMap, Task.</param>
    /// <param name="fill">Fills the region before others read it: see <see cref="RegionOptions.Fill"/>.</param>
    /// <exception cref="ArgumentException">The name breaks a rule, the size is 0, or the flags do not go
    /// together.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The size is negative.</exception>
    /// <exception cref="RegionExistsException">Somebody has the region open.</exception>
    /// <exception cref="TimeoutException">For 5 s another process was about to create or open this region: it is
    /// stopped, or busy with gigabytes.</exception>
    /// <exception cref="RegionMismatchException">Size: more than there is. Layout: an incompatible version has left
    /// it.</exception>
    /// <exception cref="UnauthorizedAccessException">The system denies it; <c>Global\</c> takes a
    /// privilege.</exception>
    /// <exception cref="WinshmException">Held, Foreign, Kind: the name belongs to something else. NoMemory: more than
    /// there is. TooMany: of this process's regions. Corrupt, System: see the message.</exception>
    /// <exception cref="DllNotFoundException">There is no native library that fits.</exception>
    public static Region Create(string? name, long size, RegionFlags flags = RegionFlags.None, Action<Region>? fill = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        Library.EnsureLoaded();
        nint handle;
        fixed (byte* utf8 = name is null ? null : Encode(name))
        {
            WinshmException.Check(winshm_create(utf8, (ulong)size, CreationFlags(flags, fill, nameof(fill)), &handle));
        }
        return Filled(new Region(Look(name, handle, flags)), fill);
    }

    /// <summary>Joins a region that exists. Never creates anything.</summary>
    /// <param name="name">As for <see cref="Create(string, long, RegionFlags, Action{Region}?)"/>.</param>
    /// <param name="flags">Read, Write, Raw, NoMap, Task.</param>
    /// <exception cref="ArgumentException">The name breaks a rule, or a flag is not for opening.</exception>
    /// <exception cref="RegionNotFoundException">Nobody has such a region open.</exception>
    /// <exception cref="TimeoutException">For 5 s another process was about to create or open this region: it is
    /// stopped, or busy with gigabytes.</exception>
    /// <exception cref="RegionMismatchException">Size: raw, and empty. Layout: made by an incompatible
    /// version.</exception>
    /// <exception cref="UnauthorizedAccessException">More is asked than is granted.</exception>
    /// <exception cref="WinshmException">NotManaged: a block of this name exists, which only Raw opens. Foreign,
    /// Kind, Held: the name belongs to something else. Replaced, Corrupt: something outside has damaged it.
    /// NoMemory, TooMany, System: see the message.</exception>
    /// <exception cref="DllNotFoundException">There is no native library that fits.</exception>
    public static Region Open(string name, RegionFlags flags = RegionFlags.None)
    {
        Library.EnsureLoaded();
        nint handle;
        fixed (byte* utf8 = Encode(name))
        {
            WinshmException.Check(winshm_open(utf8, (uint)flags, &handle));
        }
        return new Region(Look(name, handle, flags));
    }

    /// <summary>Joins a region, or creates it if nobody has it open.</summary>
    /// <remarks>A block of this name that an outside program holds is taken over with its contents:
    /// <see cref="RegionInfo.Origin"/> says so.</remarks>
    /// <param name="name">As for <see cref="Create(string, long, RegionFlags, Action{Region}?)"/>.</param>
    /// <param name="size">Bytes; 0 joins a region of any size but cannot create one.</param>
    /// <param name="flags">Raw, NoLock, NoMap, Task.</param>
    /// <param name="fill">Fills the region before others read it, if this call creates it: see
    /// <see cref="RegionOptions.Fill"/>.</param>
    /// <exception cref="ArgumentException">The name breaks a rule, or the flags do not go together.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The size is negative.</exception>
    /// <exception cref="RegionNotFoundException">The size is 0 and nobody has such a region open.</exception>
    /// <exception cref="RegionMismatchException">Size: it has another size, or there is not as much. Layout: made by
    /// an incompatible version.</exception>
    /// <exception cref="UnauthorizedAccessException">The system denies it.</exception>
    /// <exception cref="WinshmException">As for Create and Open.</exception>
    /// <inheritdoc cref="Create(string, long, RegionFlags, Action{Region}?)"
    /// path="/exception[@cref='T:System.TimeoutException' or @cref='T:System.DllNotFoundException']"/>
    public static Region OpenOrCreate(string name, long size, RegionFlags flags = RegionFlags.None, Action<Region>? fill = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        Library.EnsureLoaded();
        nint handle;
        fixed (byte* utf8 = Encode(name))
        {
            WinshmException.Check(winshm_open_or_create(utf8, (ulong)size, CreationFlags(flags, fill, nameof(fill)), &handle));
        }
        return Filled(new Region(Look(name, handle, flags)), fill);
    }

    /// <summary>Creates or opens with all options.</summary>
    /// <param name="name">As for <see cref="Create(string, long, RegionFlags, Action{Region}?)"/>.</param>
    /// <param name="options">How; by default it opens.</param>
    /// <exception cref="ArgumentException">The name breaks a rule, or the options do not go together.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size or the time-out is negative.</exception>
    /// <exception cref="RegionExistsException">With CreateNew, somebody has the region open.</exception>
    /// <exception cref="RegionNotFoundException">With OpenExisting, nobody has it open, or had in time.</exception>
    /// <exception cref="TimeoutException">Another process was about to create or open this region all the time: it
    /// is stopped, or busy with gigabytes.</exception>
    /// <exception cref="RegionMismatchException">Tag: it has another layout or layout tag. Size: it has another size, or
    /// there is not as much. Layout: made by an incompatible version.</exception>
    /// <exception cref="UnauthorizedAccessException">The system denies it.</exception>
    /// <exception cref="WinshmException">Unsupported: the security is not for this system, or a raw region has neither
    /// capacity nor layout. The others are as for Create and Open.</exception>
    /// <exception cref="DllNotFoundException">There is no native library that fits.</exception>
    public static Region Open(string? name, RegionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        nint handle = OpenWith(name, options, options.Size, options.Layout, options.Fill, null);
        return Filled(new Region(Look(name, handle, options.Flags)), options.Fill);
    }

    private static nint OpenWith(string? name, RegionOptions options, long size, string? layout, Delegate? fill, string? call)
    {
        if (options.Disposition != RegionDisposition.CreateNew)
        {
            ArgumentNullException.ThrowIfNull(name);
        }
        ArgumentOutOfRangeException.ThrowIfNegative(options.Size);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Capacity);
        if (fill is not null && options.Disposition == RegionDisposition.OpenExisting)
        {
            throw new ArgumentException("A region is filled by who creates it, and OpenExisting creates none: " +
                "use OpenOrCreate or CreateNew, or leave Fill out.", nameof(options));
        }
        Library.EnsureLoaded();
        nint handle;
        fixed (byte* utf8 = name is null ? null : Encode(name),
            security = options.Security is null ? null : Encode(options.Security),
            described = layout is null ? null : Encode(layout))
        {
            winshm_options native = new()
            {
                struct_size = (uint)sizeof(winshm_options),
                flags = CreationFlags(options.Flags, fill, call is null ? nameof(options) : nameof(fill)),
                disposition = (uint)options.Disposition,
                timeout_ms = Milliseconds(options.Timeout),
                size = (ulong)size,
                capacity = (ulong)options.Capacity,
                layout_tag = options.LayoutTag,
                name = utf8,
                security = security,
                layout = described,
            };
            int status = winshm_open_with(&native, &handle);
            if (status != WINSHM_OK)
            {
                throw WinshmException.Last(status, call);
            }
        }
        return handle;
    }

    /// <summary>What the object of a handle that has just been got has to know. The library knows its name if there is
    /// none.</summary>
    private static Opened Look(string? name, nint handle, RegionFlags flags)
    {
        RegionHandle owner = new(handle);
        winshm_info info = new() { struct_size = (uint)sizeof(winshm_info) };
        // Where that is not to be known now, the size is asked for each time.
        bool grows = winshm_get_info(handle, &info) != WINSHM_OK || info.capacity > info.size;
        return new Opened(name ?? NameOf(handle), owner, handle, flags, grows);
    }

    internal readonly record struct Opened(string Name, RegionHandle Owner, nint Handle, RegionFlags Flags, bool Grows);

    // Strict, since a text that another one is made of would name another region.
    private static readonly UTF8Encoding s_utf8 = new(false, throwOnInvalidBytes: true);

    private static byte[] Encode(string text, [CallerArgumentExpression(nameof(text))] string? parameter = null)
    {
        ArgumentNullException.ThrowIfNull(text, parameter);
        if (text.Contains('\0'))
        {
            throw new ArgumentException("The text has a NUL character inside.", parameter);
        }
        try
        {
            byte[] utf8 = new byte[s_utf8.GetByteCount(text) + 1];
            s_utf8.GetBytes(text, utf8);
            return utf8;
        }
        catch (EncoderFallbackException e)
        {
            throw new ArgumentException("The text has half of a surrogate pair, which UTF-8 cannot carry.", parameter, e);
        }
    }
}
