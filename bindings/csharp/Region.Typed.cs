// SPDX-License-Identifier: MIT
// Creating and joining regions of a type.

using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using static Winshm.NativeMethods;

namespace Winshm;

public unsafe partial class Region
{
    /// <summary>Creates a region that holds one structure, and says so to everybody.</summary>
    /// <remarks>Its size is that of the structure, and its <see cref="Layout"/> is derived from it.</remarks>
    /// <typeparam name="T">A structure that is laid out alike in all programs: see <see cref="RegionLayout"/>.</typeparam>
    /// <inheritdoc cref="Create(string, long, RegionFlags, Action{Region}?)" path="/param|/exception"/>
    public static Region<T> Create<[DynamicallyAccessedMembers(RegionLayout.Fields)] T>(string? name,
        RegionFlags flags = RegionFlags.None, Action<Region<T>>? fill = null)
        where T : unmanaged => Open(name, Options(RegionDisposition.CreateNew, flags), fill, "Region.Create()");

    /// <summary>Joins a region that holds such a structure. Never creates anything.</summary>
    /// <inheritdoc cref="Create{T}(string, RegionFlags, Action{Region{T}})" path="/typeparam"/>
    /// <inheritdoc cref="Open(string, RegionFlags)" path="/param|/exception"/>
    /// <exception cref="RegionMismatchException">Size: it has another size. Tag: its fields are others, of which the
    /// message names the first. Layout: made by an incompatible version.</exception>
    public static Region<T> Open<[DynamicallyAccessedMembers(RegionLayout.Fields)] T>(string name,
        RegionFlags flags = RegionFlags.None)
        where T : unmanaged => Open<T>(name, Options(RegionDisposition.OpenExisting, flags), null, "Region.Open()");

    /// <summary>Joins a region that holds such a structure, or creates it if nobody has it open.</summary>
    /// <inheritdoc cref="Create{T}(string, RegionFlags, Action{Region{T}})" path="/typeparam"/>
    /// <inheritdoc cref="OpenOrCreate(string, long, RegionFlags, Action{Region}?)" path="/remarks|/param|/exception"/>
    /// <exception cref="RegionMismatchException">Size: it has another size, or there is not as much. Tag: its fields are
    /// others, of which the message names the first. Layout: made by an incompatible version.</exception>
    public static Region<T> OpenOrCreate<[DynamicallyAccessedMembers(RegionLayout.Fields)] T>(string name,
        RegionFlags flags = RegionFlags.None, Action<Region<T>>? fill = null)
        where T : unmanaged => Open(name, Options(RegionDisposition.OpenOrCreate, flags), fill, "Region.OpenOrCreate()");

    /// <summary>Creates or opens a region that holds such a structure with all options.</summary>
    /// <remarks>A <see cref="RegionOptions.Size"/> of 0 is that of the structure. A larger one is for a region that has
    /// more behind it. A <see cref="RegionOptions.Layout"/> replaces the one that is derived from the structure.</remarks>
    /// <inheritdoc cref="Create{T}(string, RegionFlags, Action{Region{T}})" path="/typeparam"/>
    /// <inheritdoc cref="Open(string, RegionOptions)" path="/param|/exception"/>
    public static Region<T> Open<[DynamicallyAccessedMembers(RegionLayout.Fields)] T>(string? name, RegionOptions options)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(options);
        return Open<T>(name, options, options.Fill, null);
    }

    private static RegionOptions Options(RegionDisposition disposition, RegionFlags flags) =>
        new() { Disposition = disposition, Flags = flags };

    private static Region<T> Open<[DynamicallyAccessedMembers(RegionLayout.Fields)] T>(string? name, RegionOptions options,
        Action<Region<T>>? fill, string? call)
        where T : unmanaged
    {
        long size = options.Size == 0 ? Shareable<T>.Size : options.Size;
        if (size > 0 && size < sizeof(T))
        {
            throw new ArgumentException($"A region of {size} bytes cannot hold {typeof(T).Name}, which has {sizeof(T)}: leave " +
                "RegionOptions.Size out.", nameof(options));
        }
        // A raw region has no room for what it is.
        string? layout = options.Layout ?? ((options.Flags & RegionFlags.Raw) == 0 ? RegionLayout<T>.Text : null);
        nint handle = OpenWith(name, options, size, layout, fill, call);
        return Filled(new Region<T>(Look(name, handle, options.Flags)), fill);
    }

    /// <summary>Joins a region again that was found otherwise, as one of a structure.</summary>
    private static Region<T> JoinAgain<[DynamicallyAccessedMembers(RegionLayout.Fields)] T>(Region found, RegionFlags flags, string call)
        where T : unmanaged
    {
        using (found)
        {
            RegionFlags access = found.CanWrite ? RegionFlags.None : RegionFlags.Read;
            Region<T> region = Open<T>(found.Name, Options(RegionDisposition.OpenExisting, flags | access), null, call);
            // One who may only observe does not keep it alive.
            if (region.GetInfo().Id != found.GetInfo().Id)
            {
                region.Dispose();
                throw WinshmException.Make(WinshmStatus.Replaced, $"{call} '{found.Name}': the region has ended, and another one " +
                    "has its name", "Get a new token.");
            }
            return region;
        }
    }
}

/// <summary>A region that holds a structure, from <see cref="Region.Create{T}(string, RegionFlags, Action{Region{T}})"/> and the like.</summary>
/// <typeparam name="T">The structure.</typeparam>
/// <remarks>Its size is that of the structure, or more; its layout is the structure's, if it was created as one. So a
/// program that has drifted apart from the others is refused when it opens the region, and not when it reads
/// nonsense.</remarks>
public sealed class Region<T> : Region
    where T : unmanaged
{
    internal Region(Opened opened)
        : base(opened)
    {
    }

    /// <summary>The structure itself, in the shared memory: hold the lock where others may write.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed of.</exception>
    /// <exception cref="NotSupportedException">It is read-only, or not mapped.</exception>
    public ref T Value => ref As<T>();

    /// <summary>The structure itself, in the shared memory, to be read.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed of.</exception>
    /// <exception cref="NotSupportedException">It is not mapped.</exception>
    public ref readonly T ReadOnlyValue => ref AsReadOnly<T>();

    /// <inheritdoc cref="Read(TimeSpan)"/>
    public T Read() => Read(Timeout.InfiniteTimeSpan);

    /// <summary>Copies the structure out, never torn by a writer that locks.</summary>
    /// <returns>The copy.</returns>
    /// <inheritdoc cref="Region.Read(long, Span{byte}, TimeSpan)" path="/remarks|/param[@name='timeout']|/exception"/>
    public T Read(TimeSpan timeout) => Read<T>(0, timeout);

    /// <inheritdoc cref="Write(in T, TimeSpan)"/>
    public void Write(in T value) => Write(value, Timeout.InfiniteTimeSpan);

    /// <summary>Copies the structure in and notifies those who wait for a change.</summary>
    /// <param name="value">What to copy.</param>
    /// <param name="timeout">How long to wait for the lock.</param>
    /// <inheritdoc cref="Region.Write(long, ReadOnlySpan{byte}, TimeSpan)" path="/remarks|/exception"/>
    public void Write(in T value, TimeSpan timeout) => Write(0, MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)), timeout);
}
