// SPDX-License-Identifier: MIT
// Owners of the native handles, for the release that nobody called.

using System.Runtime.InteropServices;
using static Winshm.NativeMethods;

namespace Winshm;

internal sealed class RegionHandle : SafeHandle
{
    public RegionHandle(nint value)
        : base(0, ownsHandle: true) => SetHandle(value);

    public override bool IsInvalid => handle == 0;

    /// <summary>Whether the lock is given back if it is still held when nobody has the region any more.</summary>
    public bool ReleasesLock { get; set; }

    protected override bool ReleaseHandle()
    {
        int status = winshm_close(handle);
        if (status == WINSHM_E_BUSY && ReleasesLock)
        {
            while (winshm_unlock(handle, WINSHM_EXCLUSIVE) == WINSHM_OK || winshm_unlock(handle, WINSHM_SHARED) == WINSHM_OK)
            {
            }
            status = winshm_close(handle);
        }
        return status == WINSHM_OK;
    }
}

internal sealed class ViewHandle : SafeHandle
{
    public ViewHandle(nint value)
        : base(0, ownsHandle: true) => SetHandle(value);

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle() => winshm_unmap(handle) == WINSHM_OK;
}
