// SPDX-License-Identifier: MIT
// Handing a region over to another process: tokens and link files.

using System.Diagnostics.CodeAnalysis;
using static Winshm.NativeMethods;

namespace Winshm;

public unsafe partial class Region
{
    /// <summary>Makes a token, which leads another process to exactly this life of the region.</summary>
    /// <remarks>It is a short text without spaces, which can be passed on in an argument, the environment, a pipe or a file.
    /// It is no permission: who imports it must be allowed to open the region, and nothing in it is secret. Nor does it
    /// keep the region alive.</remarks>
    /// <param name="access">None: as this object; Read: the token opens read-only; Write.</param>
    /// <returns>The token, for <see cref="Import(string, RegionFlags, TimeSpan)"/> and its like in other languages.</returns>
    /// <exception cref="ArgumentException">Another flag.</exception>
    /// <exception cref="UnauthorizedAccessException">Writing, on a read-only region.</exception>
    /// <exception cref="RegionNotFoundException">The region of one who may only observe has ended.</exception>
    /// <exception cref="WinshmException">Unsupported: a raw region, whose lives cannot be told apart.</exception>
    public string Export(RegionFlags access = RegionFlags.None)
    {
        byte* token = stackalloc byte[(int)WINSHM_TOKEN_MAX + 1];
        uint length;
        Check(winshm_export(Native, (uint)access, token, WINSHM_TOKEN_MAX + 1, &length));
        return Library.Text(token);
    }

    /// <summary>Joins the very region that a token was made of. Never creates anything.</summary>
    /// <param name="token">What <see cref="Export"/> has given.</param>
    /// <param name="flags">Read for less than the token grants, NoMap, Task.</param>
    /// <param name="timeout">How long to wait while another process creates or opens the region; by default 5 s. A region
    /// that has ended is not waited for.</param>
    /// <exception cref="ArgumentException">A flag is not for importing.</exception>
    /// <exception cref="FormatException">The text is no token, was altered or cut short.</exception>
    /// <exception cref="RegionNotFoundException">The region has ended.</exception>
    /// <exception cref="TimeoutException">Another process was about to create or open it all the time.</exception>
    /// <exception cref="RegionMismatchException">Layout: a token, or a region, of an incompatible version.</exception>
    /// <exception cref="UnauthorizedAccessException">More is asked than is granted.</exception>
    /// <exception cref="WinshmException">Replaced: the region has ended, and another one has its name. The others are as
    /// for Open.</exception>
    /// <exception cref="DllNotFoundException">There is no native library that fits.</exception>
    public static Region Import(string token, RegionFlags flags = RegionFlags.None, TimeSpan timeout = default)
    {
        Library.EnsureLoaded();
        nint handle;
        fixed (byte* utf8 = Encode(token))
        {
            WinshmException.Check(winshm_import(utf8, (uint)flags, Milliseconds(timeout), &handle));
        }
        return Led(handle, flags);
    }

    /// <summary>Joins the very region that a token was made of, which holds a structure.</summary>
    /// <inheritdoc cref="Create{T}(string, RegionFlags, Action{Region{T}})" path="/typeparam"/>
    /// <inheritdoc cref="Import(string, RegionFlags, TimeSpan)" path="/param|/exception"/>
    /// <exception cref="RegionMismatchException">Size: it has another size. Tag: its fields are others, of which the
    /// message names the first. Layout: a token, or a region, of an incompatible version.</exception>
    public static Region<T> Import<[DynamicallyAccessedMembers(RegionLayout.Fields)] T>(string token,
        RegionFlags flags = RegionFlags.None, TimeSpan timeout = default)
        where T : unmanaged => JoinAgain<T>(Import(token, flags, timeout), flags, "Region.Import()");

    /// <summary>Puts a token into a file, which exists no longer than this object.</summary>
    /// <remarks>The file appears with all its contents, and replaces nothing but the link of a region that has ended. It is
    /// removed when this object leaves the region. An object has one link at most. A crash leaves the file, which the
    /// next one to link there replaces.</remarks>
    /// <param name="path">The file; relative to the working directory at the time of the call.</param>
    /// <exception cref="ArgumentException">The path is empty or too long.</exception>
    /// <exception cref="RegionExistsException">There is a link of a region that lives, or another file; or this object
    /// has a link.</exception>
    /// <exception cref="UnauthorizedAccessException">The system denies it; or this object may only observe.</exception>
    /// <exception cref="TimeoutException">For 5 s another process was making a link there.</exception>
    /// <exception cref="WinshmException">Unsupported: a raw region. Kind: a name beside it is taken. NoMemory, TooMany,
    /// System: see the message.</exception>
    public void Link(string path)
    {
        fixed (byte* utf8 = Encode(path))
        {
            Check(winshm_link(Native, utf8));
        }
    }

    /// <summary>Joins the region that a link file leads to. Never creates anything.</summary>
    /// <param name="path">As for <see cref="Link"/>; or a file that has a token otherwise.</param>
    /// <param name="flags">As for <see cref="Import(string, RegionFlags, TimeSpan)"/>.</param>
    /// <param name="timeout">How long to wait for a file that leads to a region which lives.</param>
    /// <exception cref="ArgumentException">The path is empty or too long, or a flag is not for importing.</exception>
    /// <exception cref="FormatException">There is something else in the file.</exception>
    /// <exception cref="RegionNotFoundException">There is no such file, or the region has ended.</exception>
    /// <exception cref="WinshmException">Kind: not a plain file. The others are as for Import.</exception>
    /// <inheritdoc cref="Import(string, RegionFlags, TimeSpan)"
    /// path="/exception[@cref='T:System.TimeoutException' or @cref='T:System.UnauthorizedAccessException' or
    /// @cref='T:Winshm.RegionMismatchException' or @cref='T:System.DllNotFoundException']"/>
    public static Region OpenLink(string path, RegionFlags flags = RegionFlags.None, TimeSpan timeout = default)
    {
        Library.EnsureLoaded();
        nint handle;
        fixed (byte* utf8 = Encode(path))
        {
            WinshmException.Check(winshm_open_link(utf8, (uint)flags, Milliseconds(timeout), &handle));
        }
        return Led(handle, flags);
    }

    /// <summary>Joins the region that a link file leads to, which holds a structure.</summary>
    /// <inheritdoc cref="Create{T}(string, RegionFlags, Action{Region{T}})" path="/typeparam"/>
    /// <inheritdoc cref="OpenLink(string, RegionFlags, TimeSpan)" path="/param|/exception"/>
    /// <inheritdoc cref="Import{T}(string, RegionFlags, TimeSpan)"
    /// path="/exception[@cref='T:Winshm.RegionMismatchException']"/>
    public static Region<T> OpenLink<[DynamicallyAccessedMembers(RegionLayout.Fields)] T>(string path,
        RegionFlags flags = RegionFlags.None, TimeSpan timeout = default)
        where T : unmanaged => JoinAgain<T>(OpenLink(path, flags, timeout), flags, "Region.OpenLink()");

    /// <summary>The object for a handle whose access and name the token has decided.</summary>
    private static Region Led(nint handle, RegionFlags flags)
    {
        winshm_info info = new() { struct_size = (uint)sizeof(winshm_info) };
        bool reads = winshm_get_info(handle, &info) == WINSHM_OK && info.access == WINSHM_READ;
        return new Region(Look(null, handle, reads ? flags | RegionFlags.Read : flags));
    }

    private static string NameOf(nint handle)
    {
        const uint Room = 8 + WINSHM_NAME_MAX;
        byte* name = stackalloc byte[(int)Room];
        uint length;
        WinshmException.Check(winshm_get_name(handle, name, Room, &length));
        return Library.Text(name);
    }
}
