// SPDX-License-Identifier: MIT
// A mapped part of a region.

using static Winshm.NativeMethods;

namespace Winshm;

/// <summary>A mapped part of a region, from <see cref="Region.Map"/>. It may outlive the region's object.</summary>
public sealed unsafe class View : Block
{
    internal View(nint handle, bool writable)
        : base(new ViewHandle(handle), winshm_view_data(handle), winshm_view_size(handle), writable, grows: false)
    {
    }

    /// <summary>Unmaps the part, once no memory of it is pinned any more. Never throws.</summary>
    public override void Dispose()
    {
        if (Retire())
        {
            TryFree();
        }
    }

    private protected override int Free(nint native) => winshm_unmap(native);
}
