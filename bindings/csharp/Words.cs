// SPDX-License-Identifier: MIT
// What the library's messages call by its C name, in the words of C#.

using System.Text.RegularExpressions;
using static Winshm.NativeMethods;

namespace Winshm;

/// <remarks>
/// A test takes the C names out of the library's sources and demands that all are here. The names of
/// statuses stay as they are: they are what <see cref="WinshmException.StatusName"/> says.
/// </remarks>
internal static partial class Words
{
    internal static readonly Dictionary<string, string> Table = new()
    {
        ["winshm.h"] = "the documentation of Winshm",
        ["NULL"] = "null",

        // Functions, with which a message also begins.
        ["winshm_create"] = "Region.Create()",
        ["winshm_open"] = "Region.Open()",
        ["winshm_open_or_create"] = "Region.OpenOrCreate()",
        ["open_or_create"] = "Region.OpenOrCreate()",
        ["winshm_open_with"] = "Region.Open()",
        ["winshm_close"] = "Region.Close()",
        ["winshm_data"] = "Region.Span",
        ["winshm_size"] = "Region.Size",
        ["winshm_get_info"] = "Region.GetInfo()",
        ["winshm_get_participants"] = "Region.GetParticipants()",
        ["winshm_resize"] = "Region.Resize()",
        ["winshm_get_layout"] = "Region.Layout",
        ["winshm_format_layout"] = "RegionLayout.Of()",
        ["winshm_get_name"] = "Region.Name",
        ["winshm_export"] = "Region.Export()",
        ["winshm_import"] = "Region.Import()",
        ["winshm_link"] = "Region.Link()",
        ["winshm_open_link"] = "Region.OpenLink()",
        ["winshm_save"] = "Region.Save()",
        ["winshm_load"] = "Region.Load()",
        ["winshm_map"] = "Region.Map()",
        ["winshm_view_data"] = "View.Span",
        ["winshm_view_size"] = "View.Size",
        ["winshm_unmap"] = "View.Dispose()",
        ["winshm_read"] = "Region.Read()",
        ["winshm_write"] = "Region.Write()",
        ["winshm_copy_out"] = "RegionLock.Read()",
        ["winshm_copy_in"] = "RegionLock.Write()",
        ["winshm_lock"] = "Region.Lock()",
        ["winshm_unlock"] = "Region.Unlock()",
        ["winshm_make_consistent"] = "Region.MakeConsistent()",
        ["winshm_notify"] = "Region.Notify()",
        ["winshm_wait"] = "Region.Wait()",
        ["winshm_change_count"] = "Region.ChangeCount",
        ["winshm_wait_handle"] = "Region.GetWaitHandle()",
        ["winshm_wait_fd"] = "Region.WaitAsync()",

        // What else is given and got.
        ["winshm_options"] = "RegionOptions",
        ["winshm_options.struct_size"] = "the size of the native options",
        ["winshm_options.flags"] = "RegionOptions.Flags",
        ["winshm_options.disposition"] = "RegionOptions.Disposition",
        ["winshm_options.timeout_ms"] = "RegionOptions.Timeout",
        ["winshm_options.size"] = "RegionOptions.Size",
        ["winshm_options.capacity"] = "RegionOptions.Capacity",
        ["winshm_options.layout_tag"] = "RegionOptions.LayoutTag",
        ["winshm_options.name"] = "Region.Name",
        ["winshm_options.security"] = "RegionOptions.Security",
        ["winshm_options.layout"] = "RegionOptions.Layout",
        ["winshm_field"] = "RegionLayout",
        ["winshm_info"] = "RegionInfo",
        ["winshm_participant"] = "Participant",
        ["winshm_region"] = "Region",
        ["winshm_view"] = "View",
        ["winshm_status"] = "WinshmStatus",

        // Flags and values.
        ["WINSHM_READ"] = "RegionFlags.Read",
        ["WINSHM_WRITE"] = "RegionFlags.Write",
        ["WINSHM_RAW"] = "RegionFlags.Raw",
        ["WINSHM_NO_LOCK"] = "RegionFlags.NoLock",
        ["WINSHM_NO_MAP"] = "RegionFlags.NoMap",
        ["WINSHM_TASK"] = "RegionFlags.Task",
        ["WINSHM_CREATE_LOCKED"] = "RegionOptions.Fill",
        ["WINSHM_CREATE_NEW"] = "RegionDisposition.CreateNew",
        ["WINSHM_OPEN_EXISTING"] = "RegionDisposition.OpenExisting",
        ["WINSHM_OPEN_OR_CREATE"] = "RegionDisposition.OpenOrCreate",
        ["WINSHM_SHARED"] = "LockMode.Shared",
        ["WINSHM_EXCLUSIVE"] = "LockMode.Exclusive",
        ["WINSHM_FOREVER"] = "Timeout.InfiniteTimeSpan",
        ["WINSHM_NAME_MAX"] = $"{WINSHM_NAME_MAX}",
        ["WINSHM_LAYOUT_MAX"] = $"{WINSHM_LAYOUT_MAX}",
        ["WINSHM_TOKEN_MAX"] = $"{WINSHM_TOKEN_MAX}",
        ["WINSHM_PARTICIPANTS_MAX"] = $"{WINSHM_PARTICIPANTS_MAX}",
    };

    /// <summary>Translates a message of the library. A later one may know more names; they stay as they
    /// are.</summary>
    /// <param name="message">What it says.</param>
    /// <param name="call">What was called, where several members share a function of the library.</param>
    internal static string InCSharp(string message, string? call = null)
    {
        string translated = Names().Replace(message, found => Table.GetValueOrDefault(found.Groups["name"].Value, found.Value));
        int end = translated.AsSpan().IndexOfAny(' ', ':');
        return call is null || end < 0 ? translated : call + translated[end..];
    }

    // An object's name in quotes comes first, as it may look like anything. Statuses do not match, nor an
    // apostrophe within a word.
    [GeneratedRegex(@"(?<!\w)'.*?'(?!\w)|\b(?<name>winshm\.h\b|NULL\b|open_or_create\b|" +
        @"winshm_\w+(?:\.\w+)?|WINSHM_(?!E_)[A-Z_]+)(?:\(\))?", RegexOptions.CultureInvariant)]
    private static partial Regex Names();
}
