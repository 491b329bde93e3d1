// SPDX-License-Identifier: MIT
// Owners of the native handles, for the release that nobody called and for pinned memory.

using System.Runtime.InteropServices;
using static Winshm.NativeMethods;

namespace Winshm;

internal sealed class RegionHandle : SafeHandle
{
    public RegionHandle(nint value)
        : base(0, ownsHandle: true) => SetHandle(value);

    public override bool IsInvalid => handle == 0;

    /// <summary>Why the native handle is still open after the release.</summary>
    public Exception? Refusal { get; private set; }

    protected override bool ReleaseHandle()
    {
        int status = winshm_close(handle);
        if (status == WINSHM_E_BUSY)
        {
            Refusal = WinshmException.Last(status);
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
