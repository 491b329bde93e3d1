// SPDX-License-Identifier: MIT
// The exceptions, and the one place that turns a status into one.

using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using static Winshm.NativeMethods;

namespace Winshm;

/// <summary>A call of the native library failed.</summary>
/// <remarks>
/// The message names the object, the system call and its code, the likely cause and the cure.
/// A closed handle is reported as <see cref="ObjectDisposedException"/> instead, and an argument
/// that cannot even be handed over as an <see cref="ArgumentException"/>.
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

    /// <summary>The C name of the status, such as <c>WINSHM_E_NOT_FOUND</c>.</summary>
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
    internal static unsafe WinshmException Make(int status, string message)
    {
        string name = Library.Text(winshm_status_name(status));
        return new WinshmException(status, name, $"{message} [{name}]", 0);
    }

    /// <summary>Makes the exception for a failure of the call just made on this thread.</summary>
    internal static unsafe Exception Last(int status)
    {
        string message = Library.Text(winshm_last_message());
        int osCode = winshm_last_os_code();
        string name = Library.Text(winshm_status_name(status));
        return status switch
        {
            WINSHM_E_CLOSED => new ObjectDisposedException(null, message),
            WINSHM_E_OWNER_DEAD => new OwnerDeadException(status, name, message, osCode),
            _ => new WinshmException(status, name, message, osCode),
        };
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
