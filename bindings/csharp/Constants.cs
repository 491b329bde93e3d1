// SPDX-License-Identifier: MIT
// The constants of winshm.h as .NET enumerations; the values are written in NativeMethods only.

using static Winshm.NativeMethods;

namespace Winshm;

/// <summary>What a call came to. Values are pinned for ever; new ones may appear.</summary>
/// <remarks><see cref="Library.GetStatusText"/> and the message of a <see cref="WinshmException"/> explain
/// them. Some are never in one, because .NET has an exception of its own for them.</remarks>
public enum WinshmStatus
{
    /// <summary>Success.</summary>
    Ok = WINSHM_OK,
    /// <summary>An invalid argument; thrown as <see cref="ArgumentException"/>.</summary>
    Invalid = WINSHM_E_INVALID,
    /// <summary>A malformed or too long name; thrown as <see cref="ArgumentException"/>.</summary>
    Name = WINSHM_E_NAME,
    /// <summary>No such region or file; thrown as <see cref="RegionNotFoundException"/>.</summary>
    NotFound = WINSHM_E_NOT_FOUND,
    /// <summary>The region exists already; thrown as <see cref="RegionExistsException"/>.</summary>
    Exists = WINSHM_E_EXISTS,
    /// <summary>Access denied; thrown as <see cref="UnauthorizedAccessException"/>.</summary>
    Access = WINSHM_E_ACCESS,
    /// <summary>The privilege for the global name space is missing; thrown as
    /// <see cref="UnauthorizedAccessException"/>.</summary>
    Privilege = WINSHM_E_PRIVILEGE,
    /// <summary>The name is taken by another sort of object.</summary>
    Kind = WINSHM_E_KIND,
    /// <summary>The block was not made by winshm.</summary>
    NotManaged = WINSHM_E_NOT_MANAGED,
    /// <summary>A wrong size; thrown as <see cref="RegionMismatchException"/>.</summary>
    Size = WINSHM_E_SIZE,
    /// <summary>An offset or length outside the region; thrown as
    /// <see cref="ArgumentOutOfRangeException"/>.</summary>
    Range = WINSHM_E_RANGE,
    /// <summary>The bookkeeping belongs to something else.</summary>
    Foreign = WINSHM_E_FOREIGN,
    /// <summary>Made by an incompatible winshm; thrown as <see cref="RegionMismatchException"/>.</summary>
    Layout = WINSHM_E_LAYOUT,
    /// <summary>Another layout or layout tag; thrown as <see cref="RegionMismatchException"/>.</summary>
    Tag = WINSHM_E_TAG,
    /// <summary>The name is taken by a block without winshm.</summary>
    Held = WINSHM_E_HELD,
    /// <summary>The data file was removed or replaced.</summary>
    Replaced = WINSHM_E_REPLACED,
    /// <summary>Out of memory or address space.</summary>
    NoMemory = WINSHM_E_NO_MEMORY,
    /// <summary>Too many participants or handles.</summary>
    TooMany = WINSHM_E_TOO_MANY,
    /// <summary>The time-out ran out; thrown as <see cref="TimeoutException"/>.</summary>
    Timeout = WINSHM_E_TIMEOUT,
    /// <summary>The lock's owner died in its section; thrown as <see cref="OwnerDeadException"/>.</summary>
    OwnerDead = WINSHM_E_OWNER_DEAD,
    /// <summary>This thread, or with <see cref="RegionFlags.Task"/> the handle, does not hold the lock.</summary>
    NotOwner = WINSHM_E_NOT_OWNER,
    /// <summary>This thread holds the lock already.</summary>
    Deadlock = WINSHM_E_DEADLOCK,
    /// <summary>The handle holds the lock or is in use.</summary>
    Busy = WINSHM_E_BUSY,
    /// <summary>Not a handle.</summary>
    Handle = WINSHM_E_HANDLE,
    /// <summary>The handle is closed; thrown as <see cref="ObjectDisposedException"/>.</summary>
    Closed = WINSHM_E_CLOSED,
    /// <summary>The handle belongs to the parent process.</summary>
    Forked = WINSHM_E_FORKED,
    /// <summary>The memory could not be touched.</summary>
    Fault = WINSHM_E_FAULT,
    /// <summary>The bookkeeping is damaged.</summary>
    Corrupt = WINSHM_E_CORRUPT,
    /// <summary>Not supported here.</summary>
    Unsupported = WINSHM_E_UNSUPPORTED,
    /// <summary>The operating system refused.</summary>
    System = WINSHM_E_SYSTEM,
    /// <summary>Not a token; thrown as <see cref="FormatException"/>.</summary>
    Token = WINSHM_E_TOKEN,
    /// <summary>Not a saved region; thrown as <see cref="InvalidDataException"/>.</summary>
    Format = WINSHM_E_FORMAT,
}

/// <summary>How a region is created, opened or mapped.</summary>
[Flags]
public enum RegionFlags : uint
{
    /// <summary>Reading and writing; for <see cref="Region.Map"/>, as the region.</summary>
    None = 0,
    /// <summary>Read access. Alone it maps the data read-only, enforced by the system.</summary>
    Read = WINSHM_READ,
    /// <summary>Write access; implies read access. Needed to create.</summary>
    Write = WINSHM_WRITE,
    /// <summary>A plain block of the operating system: no lock, no notification.</summary>
    Raw = WINSHM_RAW,
    /// <summary>Creates a managed region without a lock; has no meaning when joining.</summary>
    NoLock = WINSHM_NO_LOCK,
    /// <summary>Maps no whole view; parts come from <see cref="Region.Map"/>.</summary>
    NoMap = WINSHM_NO_MAP,
    /// <summary>The lock belongs to the object and not to threads, for tasks, which move between threads:
    /// see <see cref="Region.LockAsync(CancellationToken)"/>.</summary>
    Task = WINSHM_TASK,
}

/// <summary>Whether a region must exist, must not exist, or either.</summary>
public enum RegionDisposition : uint
{
    /// <summary>The region must not exist.</summary>
    CreateNew = WINSHM_CREATE_NEW,
    /// <summary>The region must exist; nothing is ever created.</summary>
    OpenExisting = WINSHM_OPEN_EXISTING,
    /// <summary>Joins the region or creates it.</summary>
    OpenOrCreate = WINSHM_OPEN_OR_CREATE,
}

/// <summary>How the lock is held.</summary>
public enum LockMode : uint
{
    /// <summary>Any number of readers.</summary>
    Shared = WINSHM_SHARED,
    /// <summary>One writer and no reader.</summary>
    Exclusive = WINSHM_EXCLUSIVE,
}

/// <summary>The sort of a region.</summary>
public enum RegionKind : uint
{
    /// <summary>With lock, change counter and list of participants.</summary>
    Managed = WINSHM_KIND_MANAGED,
    /// <summary>A plain block of the operating system.</summary>
    Raw = WINSHM_KIND_RAW,
}

/// <summary>The sort of a region's lock.</summary>
public enum LockKind : uint
{
    /// <summary>No lock: a raw region, or one created with <see cref="RegionFlags.NoLock"/>.</summary>
    None = WINSHM_LOCK_NONE,
    /// <summary>The robust reader/writer lock.</summary>
    Robust = WINSHM_LOCK_ROBUST,
}

/// <summary>The state of a region's lock at one moment.</summary>
[Flags]
public enum LockState : uint
{
    /// <summary>Nobody holds it.</summary>
    Free = 0,
    /// <summary>Held or being taken exclusively.</summary>
    Exclusive = WINSHM_STATE_EXCLUSIVE,
    /// <summary>At least one reader holds it.</summary>
    Shared = WINSHM_STATE_SHARED,
    /// <summary>An owner died in its section and nobody has repaired the data yet.</summary>
    Inconsistent = WINSHM_STATE_INCONSISTENT,
}

/// <summary>What the call that opened a region did.</summary>
public enum RegionOrigin : uint
{
    /// <summary>The region was there.</summary>
    Opened = WINSHM_ORIGIN_OPENED,
    /// <summary>The region was created.</summary>
    Created = WINSHM_ORIGIN_CREATED,
    /// <summary>Created, but over a block that an outside program held; contents kept.</summary>
    Adopted = WINSHM_ORIGIN_ADOPTED,
}

/// <summary>What a participant is and does.</summary>
[Flags]
public enum ParticipantFlags : uint
{
    /// <summary>Nothing special.</summary>
    None = 0,
    /// <summary>The handle that was asked.</summary>
    Self = WINSHM_PARTICIPANT_SELF,
    /// <summary>Created the present life of the region.</summary>
    Creator = WINSHM_PARTICIPANT_CREATOR,
    /// <summary>Holds or is taking the lock exclusively.</summary>
    Exclusive = WINSHM_PARTICIPANT_EXCLUSIVE,
    /// <summary>Holds the lock shared.</summary>
    Shared = WINSHM_PARTICIPANT_SHARED,
    /// <summary>Is parked, waiting for the lock or for a change.</summary>
    Waiting = WINSHM_PARTICIPANT_WAITING,
}
