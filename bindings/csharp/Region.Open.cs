// SPDX-License-Identifier: MIT
// Creating and joining regions, and filling those that are new.

using System.Runtime.CompilerServices;
using System.Text;
using static Winshm.NativeMethods;

namespace Winshm;

public sealed unsafe partial class Region
{
    // While it is filled nobody else has the object, and the lock is held through it.
    private bool _filling;

    /// <summary>Creates a region, which must not exist. Its bytes are zero.</summary>
    /// <param name="name">1 to 200 bytes of UTF-8, optionally after <c>Local\</c> (the default) or
    /// <c>Global\</c>; no other backslash, no slash.</param>
    /// <param name="size">Bytes, at least 1. Nothing is rounded.</param>
    /// <param name="flags">Raw, NoLock, NoMap, Task.</param>
    /// <param name="fill">Fills the region before others read it: see <see cref="RegionOptions.Fill"/>.</param>
    /// <exception cref="ArgumentException">The name breaks a rule, the size is 0, or the flags do not go
    /// together.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The size is negative.</exception>
    /// <exception cref="RegionExistsException">Somebody has the region open.</exception>
    /// <exception cref="TimeoutException">For 5 s another process was about to create or open this region: it is
    /// stopped, or busy with gigabytes.</exception>
    /// <exception cref="WinshmException">Held, Foreign, Kind: the name belongs to something else. Access,
    /// Privilege: the system denies it. Size, NoMemory: more than there is. TooMany: of this process's regions.
    /// Layout: an incompatible version has left it. Corrupt, System: see the message.</exception>
    /// <exception cref="DllNotFoundException">There is no native library that fits.</exception>
    public static Region Create(string name, long size, RegionFlags flags = RegionFlags.None, Action<Region>? fill = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        Library.EnsureLoaded();
        nint handle;
        fixed (byte* utf8 = Encode(name))
        {
            WinshmException.Check(winshm_create(utf8, (ulong)size, CreationFlags(flags, fill), &handle));
        }
        return Filled(new Region(name, handle, flags), fill);
    }

    /// <summary>Creates a region of the size of a structure, which is at its beginning.</summary>
    /// <typeparam name="T">A structure that is laid out alike in all programs; <see cref="Block.As{T}"/> gives
    /// it in place.</typeparam>
    /// <inheritdoc cref="Create(string, long, RegionFlags, Action{Region}?)" path="/param|/exception"/>
    public static Region Create<T>(string name, RegionFlags flags = RegionFlags.None, Action<Region>? fill = null)
        where T : unmanaged => Create(name, sizeof(T), flags, fill);

    /// <summary>Joins a region that exists. Never creates anything.</summary>
    /// <param name="name">As for <see cref="Create(string, long, RegionFlags, Action{Region}?)"/>.</param>
    /// <param name="flags">Read, Write, Raw, NoMap, Task.</param>
    /// <exception cref="ArgumentException">The name breaks a rule, or a flag is not for opening.</exception>
    /// <exception cref="RegionNotFoundException">Nobody has such a region open.</exception>
    /// <exception cref="TimeoutException">For 5 s another process was about to create or open this region: it is
    /// stopped, or busy with gigabytes.</exception>
    /// <exception cref="WinshmException">NotManaged: a block of this name exists, which only Raw opens. Access:
    /// more is asked than is granted. Size: raw, and empty. Foreign, Kind, Held: the name belongs to something
    /// else. Layout: made by an incompatible version. Replaced, Corrupt: something outside has damaged it.
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
        return new Region(name, handle, flags);
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
    /// <exception cref="WinshmException">Size: it has another size, or there is not as much. The others are as
    /// for Create and Open.</exception>
    /// <inheritdoc cref="Create(string, long, RegionFlags, Action{Region}?)"
    /// path="/exception[@cref='T:System.TimeoutException' or @cref='T:System.DllNotFoundException']"/>
    public static Region OpenOrCreate(string name, long size, RegionFlags flags = RegionFlags.None, Action<Region>? fill = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        Library.EnsureLoaded();
        nint handle;
        fixed (byte* utf8 = Encode(name))
        {
            WinshmException.Check(winshm_open_or_create(utf8, (ulong)size, CreationFlags(flags, fill), &handle));
        }
        return Filled(new Region(name, handle, flags), fill);
    }

    /// <summary>Joins a region of the size of a structure, which is at its beginning, or creates it if nobody has
    /// it open.</summary>
    /// <inheritdoc cref="Create{T}" path="/typeparam"/>
    /// <inheritdoc cref="OpenOrCreate(string, long, RegionFlags, Action{Region}?)" path="/remarks|/param|/exception"/>
    public static Region OpenOrCreate<T>(string name, RegionFlags flags = RegionFlags.None, Action<Region>? fill = null)
        where T : unmanaged => OpenOrCreate(name, sizeof(T), flags, fill);

    /// <summary>Creates or opens with all options.</summary>
    /// <param name="name">As for <see cref="Create(string, long, RegionFlags, Action{Region}?)"/>.</param>
    /// <param name="options">How; by default it opens.</param>
    /// <exception cref="ArgumentException">The name breaks a rule, or the options do not go together.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A size or the time-out is negative.</exception>
    /// <exception cref="RegionExistsException">With CreateNew, somebody has the region open.</exception>
    /// <exception cref="RegionNotFoundException">With OpenExisting, nobody has it open, or had in time.</exception>
    /// <exception cref="TimeoutException">Another process was about to create or open this region all the time: it
    /// is stopped, or busy with gigabytes.</exception>
    /// <exception cref="WinshmException">Tag: it has another layout tag. Size: it has another size, or there is not
    /// as much. Unsupported: the security is not for this system. The others are as for Create and
    /// Open.</exception>
    /// <exception cref="DllNotFoundException">There is no native library that fits.</exception>
    public static Region Open(string name, RegionOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Size);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Capacity);
        if (options is { Fill: not null, Disposition: RegionDisposition.OpenExisting })
        {
            throw new ArgumentException("A region is filled by who creates it, and OpenExisting creates none: " +
                "use OpenOrCreate or CreateNew, or leave Fill out.", nameof(options));
        }
        Library.EnsureLoaded();
        nint handle;
        fixed (byte* utf8 = Encode(name), security = options.Security is null ? null : Encode(options.Security))
        {
            winshm_options native = new()
            {
                struct_size = (uint)sizeof(winshm_options),
                flags = CreationFlags(options.Flags, options.Fill),
                disposition = (uint)options.Disposition,
                timeout_ms = Milliseconds(options.Timeout),
                size = (ulong)options.Size,
                capacity = (ulong)options.Capacity,
                layout_tag = options.LayoutTag,
                name = utf8,
                security = security,
            };
            WinshmException.Check(winshm_open_with(&native, &handle));
        }
        return Filled(new Region(name, handle, options.Flags), options.Fill);
    }

    private static uint CreationFlags(RegionFlags flags, Action<Region>? fill)
    {
        if (fill is null)
        {
            return (uint)flags;
        }
        if ((flags & (RegionFlags.Raw | RegionFlags.NoLock)) != 0)
        {
            throw new ArgumentException("A region is filled under its lock, and with Raw or NoLock it has none: " +
                "leave the flag or the filling out.", nameof(fill));
        }
        return (uint)flags | WINSHM_CREATE_LOCKED;
    }

    /// <summary>Has a region filled if it is new, and closes it if that fails.</summary>
    private static Region Filled(Region region, Action<Region>? fill)
    {
        if (fill is null)
        {
            return region;
        }
        try
        {
            if (region.GetInfo().Origin != RegionOrigin.Opened)
            {
                region._filling = true;
                fill(region);
                region._filling = false;
                region.MakeConsistent();
                region.Unlock(LockMode.Exclusive);
            }
            return region;
        }
        catch
        {
            // Not declared whole, so who locks next is told and fills it. Without effect where nothing is held.
            region.UnlockQuietly(LockMode.Exclusive);
            region.Dispose();
            throw;
        }
    }

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
