// SPDX-License-Identifier: MIT
// Filling a region that is new.

using System.ComponentModel;
using System.Runtime.CompilerServices;
using static Winshm.NativeMethods;

namespace Winshm;

public unsafe partial class Region
{
    private const string NotAsync = "A region is declared whole when the filling returns, which an async one does at " +
        "its first await: get what it awaits before this call, and fill without await.";

    // While it is filled nobody else has the object, and the lock is held through it.
    private bool _filling;

    /// <summary>Refused, since nobody would await the filling.</summary>
    [Obsolete(NotAsync, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public static Region Create<TTask>(string? name, long size, RegionFlags flags = RegionFlags.None,
        Func<Region, TTask>? fill = null)
        where TTask : Task => throw new ArgumentException(NotAsync, nameof(fill));

    /// <summary>Refused, since nobody would await the filling.</summary>
    [Obsolete(NotAsync, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public static Region<T> Create<T>(string? name, Func<Region<T>, Task> fill)
        where T : unmanaged => throw new ArgumentException(NotAsync, nameof(fill));

    /// <summary>Refused, since nobody would await the filling.</summary>
    [Obsolete(NotAsync, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public static Region<T> Create<T>(string? name, RegionFlags flags, Func<Region<T>, Task> fill)
        where T : unmanaged => throw new ArgumentException(NotAsync, nameof(fill));

    /// <summary>Refused, since nobody would await the filling.</summary>
    [Obsolete(NotAsync, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public static Region OpenOrCreate<TTask>(string name, long size, RegionFlags flags = RegionFlags.None,
        Func<Region, TTask>? fill = null)
        where TTask : Task => throw new ArgumentException(NotAsync, nameof(fill));

    /// <summary>Refused, since nobody would await the filling.</summary>
    [Obsolete(NotAsync, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public static Region<T> OpenOrCreate<T>(string name, Func<Region<T>, Task> fill)
        where T : unmanaged => throw new ArgumentException(NotAsync, nameof(fill));

    /// <summary>Refused, since nobody would await the filling.</summary>
    [Obsolete(NotAsync, error: true), EditorBrowsable(EditorBrowsableState.Never)]
    public static Region<T> OpenOrCreate<T>(string name, RegionFlags flags, Func<Region<T>, Task> fill)
        where T : unmanaged => throw new ArgumentException(NotAsync, nameof(fill));

    private static uint CreationFlags(RegionFlags flags, Delegate? fill, string parameter)
    {
        if (fill is null)
        {
            return (uint)flags;
        }
        if ((flags & (RegionFlags.Raw | RegionFlags.NoLock)) != 0)
        {
            throw new ArgumentException("A region is filled under its lock, and with Raw or NoLock it has none: " +
                "leave the flag or the filling out.", parameter);
        }
        foreach (Delegate part in fill.GetInvocationList())
        {
            if (part.Method.IsDefined(typeof(AsyncStateMachineAttribute), inherit: false))
            {
                throw new ArgumentException(NotAsync, parameter);
            }
        }
        return (uint)flags | WINSHM_CREATE_LOCKED;
    }

    /// <summary>Has a region filled if it is new, and closes it if that fails.</summary>
    private static TRegion Filled<TRegion>(TRegion region, Action<TRegion>? fill)
        where TRegion : Region
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
}
