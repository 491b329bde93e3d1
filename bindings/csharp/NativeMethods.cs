// SPDX-License-Identifier: MIT
// The table of winshm.h: its functions, structures and constants under their C names, and
// nothing else. A test compares it with the header.

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

// All signatures are blittable, so no marshalling code stands between the caller and the library.
[assembly: DisableRuntimeMarshalling]

namespace Winshm;

#pragma warning disable IDE1006 // The names are those of the C header.

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct winshm_options
{
    public uint struct_size;
    public uint flags;
    public uint disposition;
    public uint timeout_ms;
    public ulong size;
    public ulong capacity;
    public ulong layout_tag;
    public byte* name;
    public byte* security;
    public byte* layout;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct winshm_info
{
    public uint struct_size;
    public uint kind;
    public uint access;
    public uint lock_kind;
    public ulong size;
    public ulong capacity;
    public fixed byte id[16];
    public ulong layout_tag;
    public ulong member;
    public long creator_start_us;
    public uint creator_pid;
    public uint creator_present;
    public uint participants;
    public uint lock_state;
    public uint owner_pid;
    public uint change_count;
    public uint origin;
    public uint observer;
}

[StructLayout(LayoutKind.Sequential)]
internal struct winshm_participant
{
    public uint struct_size;
    public uint flags;
    public ulong member;
    public long start_us;
    public uint pid;
    public uint slot;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct winshm_field
{
    public byte* name;
    public winshm_field* fields;
    public ulong offset;
    public ulong count;
    public ulong element;
    public uint field_count;
    public uint kind;
}

/// <summary>
/// The exported functions. Handles are <see langword="nint"/>: the library looks them up by index
/// and generation, so a stale one is refused with a status and never followed.
/// </summary>
/// <remarks>
/// None has <see cref="SuppressGCTransitionAttribute"/>: measured, it saves about a nanosecond, and
/// it makes the runtime look the function up when a caller is compiled, which may be before the
/// library has been found.
/// </remarks>
internal static unsafe partial class NativeMethods
{
    internal const string Library = "winshm";

    internal const int WINSHM_OK = 0;
    internal const int WINSHM_E_INVALID = -1;
    internal const int WINSHM_E_NAME = -2;
    internal const int WINSHM_E_NOT_FOUND = -3;
    internal const int WINSHM_E_EXISTS = -4;
    internal const int WINSHM_E_ACCESS = -5;
    internal const int WINSHM_E_PRIVILEGE = -6;
    internal const int WINSHM_E_KIND = -7;
    internal const int WINSHM_E_NOT_MANAGED = -8;
    internal const int WINSHM_E_SIZE = -9;
    internal const int WINSHM_E_RANGE = -10;
    internal const int WINSHM_E_FOREIGN = -11;
    internal const int WINSHM_E_LAYOUT = -12;
    internal const int WINSHM_E_TAG = -13;
    internal const int WINSHM_E_HELD = -14;
    internal const int WINSHM_E_REPLACED = -15;
    internal const int WINSHM_E_NO_MEMORY = -16;
    internal const int WINSHM_E_TOO_MANY = -17;
    internal const int WINSHM_E_TIMEOUT = -18;
    internal const int WINSHM_E_OWNER_DEAD = -19;
    internal const int WINSHM_E_NOT_OWNER = -20;
    internal const int WINSHM_E_DEADLOCK = -21;
    internal const int WINSHM_E_BUSY = -22;
    internal const int WINSHM_E_HANDLE = -23;
    internal const int WINSHM_E_CLOSED = -24;
    internal const int WINSHM_E_FORKED = -25;
    internal const int WINSHM_E_FAULT = -26;
    internal const int WINSHM_E_CORRUPT = -27;
    internal const int WINSHM_E_UNSUPPORTED = -28;
    internal const int WINSHM_E_SYSTEM = -29;
    internal const int WINSHM_E_TOKEN = -30;
    internal const int WINSHM_E_FORMAT = -31;

    internal const uint WINSHM_FOREVER = 0xFFFFFFFF;
    internal const uint WINSHM_NAME_MAX = 200;
    internal const uint WINSHM_PARTICIPANTS_MAX = 128;
    internal const uint WINSHM_LAYOUT_MAX = 8191;
    internal const uint WINSHM_TOKEN_MAX = 1000;

    internal const uint WINSHM_READ = 0x00000001;
    internal const uint WINSHM_WRITE = 0x00000002;
    internal const uint WINSHM_RAW = 0x00000004;
    internal const uint WINSHM_NO_LOCK = 0x00000008;
    internal const uint WINSHM_NO_MAP = 0x00000010;
    internal const uint WINSHM_TASK = 0x00000020;
    internal const uint WINSHM_CREATE_LOCKED = 0x00000040;

    internal const uint WINSHM_CREATE_NEW = 1;
    internal const uint WINSHM_OPEN_EXISTING = 2;
    internal const uint WINSHM_OPEN_OR_CREATE = 3;

    internal const uint WINSHM_SHARED = 1;
    internal const uint WINSHM_EXCLUSIVE = 2;

    internal const uint WINSHM_KIND_MANAGED = 1;
    internal const uint WINSHM_KIND_RAW = 2;

    internal const uint WINSHM_LOCK_NONE = 0;
    internal const uint WINSHM_LOCK_ROBUST = 1;

    internal const uint WINSHM_STATE_EXCLUSIVE = 1;
    internal const uint WINSHM_STATE_SHARED = 2;
    internal const uint WINSHM_STATE_INCONSISTENT = 4;

    internal const uint WINSHM_ORIGIN_OPENED = 1;
    internal const uint WINSHM_ORIGIN_CREATED = 2;
    internal const uint WINSHM_ORIGIN_ADOPTED = 3;

    internal const uint WINSHM_PARTICIPANT_SELF = 1;
    internal const uint WINSHM_PARTICIPANT_CREATOR = 2;
    internal const uint WINSHM_PARTICIPANT_EXCLUSIVE = 4;
    internal const uint WINSHM_PARTICIPANT_SHARED = 8;
    internal const uint WINSHM_PARTICIPANT_WAITING = 16;

    internal const uint WINSHM_FIELD_STRUCT = 1;
    internal const uint WINSHM_FIELD_U8 = 2;
    internal const uint WINSHM_FIELD_I8 = 3;
    internal const uint WINSHM_FIELD_U16 = 4;
    internal const uint WINSHM_FIELD_I16 = 5;
    internal const uint WINSHM_FIELD_U32 = 6;
    internal const uint WINSHM_FIELD_I32 = 7;
    internal const uint WINSHM_FIELD_U64 = 8;
    internal const uint WINSHM_FIELD_I64 = 9;
    internal const uint WINSHM_FIELD_F32 = 10;
    internal const uint WINSHM_FIELD_F64 = 11;
    internal const uint WINSHM_FIELD_BOOL = 12;
    internal const uint WINSHM_FIELD_CHAR = 13;
    internal const uint WINSHM_FIELD_CHAR16 = 14;

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial uint winshm_version();

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial byte* winshm_version_string();

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial byte* winshm_status_name(int status);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial byte* winshm_status_text(int status);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial byte* winshm_last_message();

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_last_os_code();

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_create(byte* name, ulong size, uint flags, nint* region);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_open(byte* name, uint flags, nint* region);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_open_or_create(byte* name, ulong size, uint flags, nint* region);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_open_with(winshm_options* options, nint* region);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_close(nint region);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void* winshm_data(nint region);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial ulong winshm_size(nint region);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_get_info(nint region, winshm_info* info);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_get_participants(nint region, winshm_participant* array, uint capacity, uint* count);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_resize(nint region, ulong size, uint timeout_ms);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_get_layout(nint region, byte* buffer, uint capacity, uint* length);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_format_layout(winshm_field* fields, uint count, ulong size, byte* buffer, uint capacity, uint* length);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_get_name(nint region, byte* buffer, uint capacity, uint* length);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_export(nint region, uint access, byte* buffer, uint capacity, uint* length);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_import(byte* token, uint flags, uint timeout_ms, nint* region);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_link(nint region, byte* path);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_open_link(byte* path, uint flags, uint timeout_ms, nint* region);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_save(nint region, byte* path, uint timeout_ms);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_load(nint region, byte* path, uint timeout_ms);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_map(nint region, ulong offset, ulong length, uint flags, nint* view);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial void* winshm_view_data(nint view);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial ulong winshm_view_size(nint view);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_unmap(nint view);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_read(nint region, ulong offset, void* buffer, ulong length, uint timeout_ms);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_write(nint region, ulong offset, void* buffer, ulong length, uint timeout_ms);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_copy_out(nint region, ulong offset, void* buffer, ulong length);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_copy_in(nint region, ulong offset, void* buffer, ulong length);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_lock(nint region, uint mode, uint timeout_ms);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_unlock(nint region, uint mode);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_make_consistent(nint region);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_notify(nint region);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_wait(nint region, uint seen, uint timeout_ms, uint* now);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_change_count(nint region, uint* now);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_wait_fd(nint region, int* fd);

    [LibraryImport(Library), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    internal static partial int winshm_wait_handle(nint region, void** handle);
}
