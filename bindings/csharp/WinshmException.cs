// SPDX-License-Identifier: MIT
// The exceptions, and the one place that turns a status into one.

using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using static Winshm.NativeMethods;

namespace Winshm;

/// <summary>A call failed for a reason that .NET has no word for.</summary>
/// <remarks>
/// <para>Where .NET has one, its own exception is thrown: <see cref="TimeoutException"/> for
/// <see cref="WinshmStatus.Timeout"/>, <see cref="ObjectDisposedException"/> for
/// <see cref="WinshmStatus.Closed"/>, <see cref="ArgumentOutOfRangeException"/> for
/// <see cref="WinshmStatus.Range"/>, <see cref="ArgumentException"/> for
/// <see cref="WinshmStatus.Invalid"/> and <see cref="WinshmStatus.Name"/>, 
/// <see cref="UnauthorizedAccessException"/> for <see cref="WinshmStatus.Access"/> and
/// <see cref="WinshmStatus.Privilege"/>, <see cref="FormatException"/> for <see cref="WinshmStatus.Token"/>, and
/// <see cref="InvalidDataException"/> for <see cref="WinshmStatus.Format"/>.</para>
/// <para>Each of these stands for one sort of failure, and its message has the name of the status, so the
/// three properties would add nothing to them. The message names the call, the region, the values that do
/// not fit, the operating system's call and its code, and what to do. It is for people: programs go by the
/// type and by <see cref="Status"/>.</para>
/// </remarks>
public class WinshmException : Exception
{
    internal WinshmException(int status, string name, string message, int osCode)
        : base(message)
    {
        Status = (WinshmStatus)status;
        StatusName = name;
        OSCode = osCode;
    }

    /// <summary>What went wrong: the contract, unlike the message.</summary>
    public WinshmStatus Status { get; }

    /// <summary>The C name of the status, such as <c>WINSHM_E_NOT_FOUND</c>, which the message has, too.</summary>
    public string StatusName { get; }

    /// <summary>GetLastError() or errno at the system call that failed; 0 if none did.</summary>
    public int OSCode { get; }

    /// <summary>Throws if <paramref name="status"/> is a failure of the call just made on this thread.</summary>
    internal static void Check(int status)
    {
        if (status != WINSHM_OK)
        {
            Throw(status);
        }
    }

    /// <summary>Throws for a failure of the call just made on this thread.</summary>
    [DoesNotReturn, StackTraceHidden]
    internal static void Throw(int status) => throw Last(status);

    /// <summary>Makes the exception for a failure that the library was not asked about.</summary>
    internal static Exception Make(WinshmStatus status, string what, string cure) =>
        Make((int)status, $"{what} [{Library.GetStatusName(status)}]. {cure}", 0);

    /// <summary>Makes the exception for a failure of the call just made on this thread.</summary>
    /// <param name="status">The failure.</param>
    /// <param name="call">What was called, where several members share a function of the library.</param>
    internal static unsafe Exception Last(int status, string? call = null) =>
        Make(status, Cured(status, Words.InCSharp(Library.Text(winshm_last_message()), call)), winshm_last_os_code());

    /// <summary>Gives a message the cure of C# where the library's is for those who have no guards.</summary>
    private static string Cured(int status, string message)
    {
        string? cure = status switch
        {
            WINSHM_E_OWNER_DEAD => "Region.LockForRepair() takes the lock all the same: repair the data, call " +
                "RegionLock.MakeConsistent(), release the lock.",
            WINSHM_E_DEADLOCK => "The lock is neither recursive nor upgradable: dispose of the guard that this thread has " +
                "got before, as \"using (region.Lock()) { ... }\" does. Tasks that take turns on a thread need " +
                "RegionFlags.Task.",
            _ => null,
        };
        string mark = $"[{Library.GetStatusName((WinshmStatus)status)}]. ";
        int end = message.LastIndexOf(mark, StringComparison.Ordinal);
        return cure is null ? message : end < 0 ? $"{message} {mark}{cure}" : message[..(end + mark.Length)] + cure;
    }

    private static Exception Make(int status, string message, int osCode)
    {
        string name = Library.GetStatusName((WinshmStatus)status);
        return status switch
        {
            WINSHM_E_INVALID => new ArgumentException(message),
            WINSHM_E_NAME => new ArgumentException(message, "name"),
            WINSHM_E_RANGE => new ArgumentOutOfRangeException("offset", message),
            WINSHM_E_TIMEOUT => new TimeoutException(message),
            WINSHM_E_CLOSED => new ObjectDisposedException(null, message),
            WINSHM_E_ACCESS or WINSHM_E_PRIVILEGE => new UnauthorizedAccessException(message),
            WINSHM_E_TOKEN => new FormatException(message),
            WINSHM_E_FORMAT => new InvalidDataException(message),
            WINSHM_E_NOT_FOUND => new RegionNotFoundException(status, name, message, osCode),
            WINSHM_E_EXISTS => new RegionExistsException(status, name, message, osCode),
            WINSHM_E_OWNER_DEAD => new OwnerDeadException(status, name, message, osCode),
            WINSHM_E_SIZE or WINSHM_E_TAG or WINSHM_E_LAYOUT => new RegionMismatchException(status, name, message, osCode),
            _ => new WinshmException(status, name, message, osCode),
        };
    }
}

/// <summary>Nobody has the region open, or there is no such file.</summary>
public sealed class RegionNotFoundException : WinshmException
{
    internal RegionNotFoundException(int status, string name, string message, int osCode)
        : base(status, name, message, osCode)
    {
    }
}

/// <summary>Somebody has the region open, so it cannot be created; or the file is there, so it cannot be
/// linked.</summary>
public sealed class RegionExistsException : WinshmException
{
    internal RegionExistsException(int status, string name, string message, int osCode)
        : base(status, name, message, osCode)
    {
    }
}

/// <summary>The region is not what was asked for: see <see cref="WinshmException.Status"/>.</summary>
/// <remarks>
/// <see cref="WinshmStatus.Size"/>: it has another size, or there is not as much.
/// <see cref="WinshmStatus.Tag"/>: it has another layout, of which the message names the first field that differs, or
/// another layout tag. <see cref="WinshmStatus.Layout"/>: an incompatible
/// version has made it.
/// </remarks>
public sealed class RegionMismatchException : WinshmException
{
    internal RegionMismatchException(int status, string name, string message, int osCode)
        : base(status, name, message, osCode)
    {
    }
}

/// <summary>An owner of the lock died in its section, so the data may be half written.</summary>
/// <remarks>
/// Whoever gets this does not hold the lock, and the data stay marked until somebody has repaired
/// them: see <see cref="Region.LockForRepair()"/>.
/// </remarks>
public sealed class OwnerDeadException : WinshmException
{
    internal OwnerDeadException(int status, string name, string message, int osCode)
        : base(status, name, message, osCode)
    {
    }
}
