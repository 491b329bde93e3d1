// SPDX-License-Identifier: MIT
// What goes into opening a region and what can be known of it.

namespace Winshm;

/// <summary>How to open or create, for <see cref="Region.Open(string, RegionOptions)"/>.</summary>
public sealed record RegionOptions
{
    /// <summary>Whether the region must exist; by default it must.</summary>
    public RegionDisposition Disposition { get; init; } = RegionDisposition.OpenExisting;

    /// <summary>How it is created or opened.</summary>
    public RegionFlags Flags { get; init; }

    /// <summary>How long to wait for the region to appear, with <see cref="RegionDisposition.OpenExisting"/>.</summary>
    public TimeSpan Timeout { get; init; }

    /// <summary>Bytes; 0 when opening: any.</summary>
    public long Size { get; init; }

    /// <summary>Bytes that the region may grow to, at least the size; 0: as the size. See
    /// <see cref="Region.Resize(long)"/>.</summary>
    /// <remarks>The creator decides it for good. All of it is mapped, which takes address space at once, but memory only
    /// as the region grows.</remarks>
    public long Capacity { get; init; }

    /// <summary>A number for the structure of the data, refused when the region's differs; 0: none.</summary>
    public ulong LayoutTag { get; init; }

    /// <summary>What the bytes are, refused when the region's differs; null: not said. See <see cref="RegionLayout"/>.
    /// </summary>
    /// <remarks>It is stored with the region for everybody to read: see <see cref="Region.Layout"/>.</remarks>
    public string? Layout { get; init; }

    /// <summary>
    /// Who besides the system may use a region that is created: null or "owner", "session",
    /// "interactive-read", "everyone-read", or on Windows a security descriptor in SDDL.
    /// </summary>
    public string? Security { get; init; }

    /// <summary>
    /// Fills the region before others read it: called on the thread that opens it, and only if this call
    /// creates the region or takes over a block; see <see cref="RegionInfo.Origin"/>.
    /// </summary>
    /// <remarks>
    /// <para>It runs under the exclusive lock, which nobody could take before. Those who join wait for the lock as
    /// always. It may access the region in place and with its Read and Write, but not lock it. It is refused if it is
    /// <c>async</c>, since it would return at its first await.</para>
    /// <para>If it throws, or the process dies in it, the region stays marked: who locks it next gets
    /// <see cref="OwnerDeadException"/>, or with <see cref="Region.LockForRepair()"/> the lock, and fills it in
    /// its place. The exception goes to the caller of Open or Create.</para>
    /// </remarks>
    public Action<Region>? Fill { get; init; }
}

/// <summary>What is known of a region, from <see cref="Region.GetInfo"/>.</summary>
public sealed record RegionInfo
{
    internal unsafe RegionInfo(in winshm_info info)
    {
        Kind = (RegionKind)info.kind;
        Access = (RegionFlags)info.access;
        LockKind = (LockKind)info.lock_kind;
        Size = (long)info.size;
        Capacity = (long)info.capacity;
        fixed (byte* id = info.id)
        {
            Id = new Guid(new ReadOnlySpan<byte>(id, 16), bigEndian: true);
        }
        LayoutTag = info.layout_tag;
        Member = info.member;
        CreatorStart = UnixTime.FromMicroseconds(info.creator_start_us);
        CreatorProcessId = (int)info.creator_pid;
        CreatorPresent = info.creator_present != 0;
        Participants = (int)info.participants;
        LockState = (LockState)info.lock_state;
        OwnerProcessId = (int)info.owner_pid;
        ChangeCount = info.change_count;
        Origin = (RegionOrigin)info.origin;
        IsObserver = info.observer != 0;
    }

    /// <summary>Managed or raw.</summary>
    public RegionKind Kind { get; init; }

    /// <summary>Read, or Read and Write.</summary>
    public RegionFlags Access { get; init; }

    /// <summary>The sort of its lock.</summary>
    public LockKind LockKind { get; init; }

    /// <summary>Exact bytes at present; raw: as the system tells.</summary>
    public long Size { get; init; }

    /// <summary>Bytes that it may grow to.</summary>
    public long Capacity { get; init; }

    /// <summary>Random, one for each life of the region; its digits are the bytes in order.</summary>
    public Guid Id { get; init; }

    /// <summary>As given by the creator.</summary>
    public ulong LayoutTag { get; init; }

    /// <summary>This object's number within the life.</summary>
    public ulong Member { get; init; }

    /// <summary>When the creator's process started.</summary>
    public DateTimeOffset CreatorStart { get; init; }

    /// <summary>The creator's process, for people to read.</summary>
    public int CreatorProcessId { get; init; }

    /// <summary>True while the creator has the region open.</summary>
    public bool CreatorPresent { get; init; }

    /// <summary>Handles open now.</summary>
    public int Participants { get; init; }

    /// <summary>The lock's state.</summary>
    public LockState LockState { get; init; }

    /// <summary>The exclusive owner's process, or 0.</summary>
    public int OwnerProcessId { get; init; }

    /// <summary>As <see cref="Region.ChangeCount"/>.</summary>
    public uint ChangeCount { get; init; }

    /// <summary>What opening it did.</summary>
    public RegionOrigin Origin { get; init; }

    /// <summary>True if this object may not lock, and reads by version check.</summary>
    public bool IsObserver { get; init; }
}

/// <summary>One participant of a region, from <see cref="Region.GetParticipants"/>.</summary>
public sealed record Participant
{
    internal Participant(in winshm_participant participant)
    {
        Flags = (ParticipantFlags)participant.flags;
        Member = participant.member;
        Start = UnixTime.FromMicroseconds(participant.start_us);
        ProcessId = (int)participant.pid;
        Slot = (int)participant.slot;
    }

    /// <summary>What it is and does.</summary>
    public ParticipantFlags Flags { get; init; }

    /// <summary>Its number within the region's life.</summary>
    public ulong Member { get; init; }

    /// <summary>When its process started.</summary>
    public DateTimeOffset Start { get; init; }

    /// <summary>Its process.</summary>
    public int ProcessId { get; init; }

    /// <summary>Its place in the control block.</summary>
    public int Slot { get; init; }
}

internal static class UnixTime
{
    // Clamped, because the number comes out of memory that others can write.
    public static DateTimeOffset FromMicroseconds(long microseconds) =>
        DateTimeOffset.UnixEpoch.AddTicks(10 * Math.Clamp(microseconds, -62135596800_000000, 253402300799_999999));
}
