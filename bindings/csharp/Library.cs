// SPDX-License-Identifier: MIT
// Finds the native library, refuses one that does not fit, and tells about it.

using System.Reflection;
using System.Runtime.InteropServices;
using static Winshm.NativeMethods;

namespace Winshm;

/// <summary>The native library: <c>winshm.dll</c> on Windows, <c>libwinshm.so.0</c> on Linux.</summary>
/// <remarks>
/// It is looked for when it is first needed: at the full path in the environment variable
/// <c>WINSHM_LIBRARY</c> if that is set, else beside the program, else where .NET finds what is
/// in its packages, and by the system's rules.
/// </remarks>
public static unsafe class Library
{
    private const string PathVariable = "WINSHM_LIBRARY";

    private static readonly object s_gate = new();
    private static bool s_resolving;
    private static volatile bool s_loaded;

    /// <summary>The version of the library that is loaded.</summary>
    /// <exception cref="DllNotFoundException">There is no library that fits.</exception>
    public static Version Version
    {
        get
        {
            EnsureLoaded();
            return Decode(winshm_version());
        }
    }

    /// <summary>The version of the library that is loaded, for people.</summary>
    /// <exception cref="DllNotFoundException">There is no library that fits.</exception>
    public static string VersionString
    {
        get
        {
            EnsureLoaded();
            return Text(winshm_version_string());
        }
    }

    /// <summary>Names a status.</summary>
    /// <returns>The C name, such as <c>WINSHM_E_NOT_FOUND</c>, or <c>WINSHM_E_UNKNOWN</c>.</returns>
    /// <exception cref="DllNotFoundException">There is no library that fits.</exception>
    public static string GetStatusName(WinshmStatus status)
    {
        EnsureLoaded();
        return Text(winshm_status_name((int)status));
    }

    /// <summary>Describes a status in a few words.</summary>
    /// <exception cref="DllNotFoundException">There is no library that fits.</exception>
    public static string GetStatusText(WinshmStatus status)
    {
        EnsureLoaded();
        return Text(winshm_status_text((int)status));
    }

    /// <summary>
    /// Loads the library unless that is done. Only what makes a handle has to call this, since
    /// nothing else can be reached without one.
    /// </summary>
    internal static void EnsureLoaded()
    {
        if (!s_loaded)
        {
            Load();
        }
    }

    /// <summary>Tells why a library does not fit, or null if it does.</summary>
    internal static string? Refusal(Version loaded, Version needed) =>
        loaded.Major == needed.Major && loaded.Minor >= needed.Minor
            ? null
            : $"{Wanted} has version {loaded}, but this binding needs {needed.Major}.{needed.Minor} or " +
              $"a later {needed.Major}.x. {Cure}";

    internal static Version Decode(uint version) =>
        new((int)(version >> 16), (int)(version >> 8 & 0xFF), (int)(version & 0xFF));

    internal static string Text(byte* utf8) => Marshal.PtrToStringUTF8((nint)utf8) ?? "";

    private static string FileName => OperatingSystem.IsWindows() ? "winshm.dll" : "libwinshm.so.0";

    private static string? Override =>
        Environment.GetEnvironmentVariable(PathVariable) is { Length: > 0 } path ? path : null;

    private static string Wanted => Override is string path ? $"{path}, from {PathVariable}," : FileName;

    private static string Cure =>
        $"Install a {FileName} that fits, set {PathVariable} to its full path, or put it into {AppContext.BaseDirectory}.";

    private static void Load()
    {
        lock (s_gate)
        {
            if (!s_resolving)
            {
                NativeLibrary.SetDllImportResolver(typeof(Library).Assembly, Resolve);
                s_resolving = true;
            }

            uint version;
            try
            {
                version = winshm_version();
            }
            catch (DllNotFoundException e)
            {
                throw new DllNotFoundException($"{Wanted} could not be loaded. {Cure}", e);
            }
            catch (BadImageFormatException e)
            {
                throw new DllNotFoundException(
                    $"{Wanted} is damaged, or not made for this {RuntimeInformation.ProcessArchitecture} process. {Cure}", e);
            }
            catch (EntryPointNotFoundException e)
            {
                throw new DllNotFoundException($"{Wanted} is not winshm. {Cure}", e);
            }

            // The build takes the assembly's version from winshm.h.
            if (Refusal(Decode(version), typeof(Library).Assembly.GetName().Version!) is string refusal)
            {
                throw new DllNotFoundException(refusal);
            }
            s_loaded = true;
        }
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? search)
    {
        if (name != NativeMethods.Library)
        {
            return 0;
        }
        if (Override is string path)
        {
            return NativeLibrary.Load(path);
        }
        // A file that is there but cannot be loaded is an error to report, not one to skip.
        string beside = Path.Combine(AppContext.BaseDirectory, FileName);
        return NativeLibrary.Load(File.Exists(beside) ? beside : FileName, assembly, search);
    }
}
