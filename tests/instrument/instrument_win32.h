/* Every call to Windows that the library makes, and how each may be refused.
 *
 * The codes are those of the documentation that can come up in a call as the
 * library makes it. Left out are answers, which tell how things are ("not
 * found", "exists already"): the real system gives those. */
#include <windows.h>

#include <aclapi.h>
#include <sddl.h>
#include <stdio.h>
#include <string.h>

/* Named objects. */

#define INSTRUMENT_NAMED                                                       \
    (ERROR_ACCESS_DENIED, ERROR_INVALID_HANDLE, ERROR_NOT_ENOUGH_MEMORY,       \
     ERROR_NO_SYSTEM_RESOURCES, 0)

INSTRUMENT_STAND_IN(HANDLE, CreateFileMappingW, NULL,
                    (HANDLE file, SECURITY_ATTRIBUTES *security, DWORD access,
                     DWORD high, DWORD low, const wchar_t *name),
                    (file, security, access, high, low, name))
#define CreateFileMappingW(...)                                                \
    INSTRUMENT_FAILS(CreateFileMappingW,                                       \
                     (ERROR_ACCESS_DENIED, ERROR_INVALID_HANDLE,               \
                      ERROR_NOT_ENOUGH_MEMORY, ERROR_INVALID_PARAMETER,        \
                      ERROR_NO_SYSTEM_RESOURCES, ERROR_COMMITMENT_LIMIT, 0),   \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(HANDLE, OpenFileMappingW, NULL,
                    (DWORD access, BOOL inherit, const wchar_t *name),
                    (access, inherit, name))
#define OpenFileMappingW(...)                                                  \
    INSTRUMENT_FAILS(OpenFileMappingW, INSTRUMENT_NAMED, __VA_ARGS__)

INSTRUMENT_STAND_IN(HANDLE, CreateMutexExW, NULL,
                    (SECURITY_ATTRIBUTES * security, const wchar_t *name,
                     DWORD flags, DWORD access),
                    (security, name, flags, access))
#define CreateMutexExW(...)                                                    \
    INSTRUMENT_FAILS(CreateMutexExW, INSTRUMENT_NAMED, __VA_ARGS__)

INSTRUMENT_STAND_IN(HANDLE, CreateEventW, NULL,
                    (SECURITY_ATTRIBUTES * security, BOOL manual, BOOL set,
                     const wchar_t *name),
                    (security, manual, set, name))
#define CreateEventW(...)                                                      \
    INSTRUMENT_FAILS(CreateEventW,                                             \
                     (ERROR_NOT_ENOUGH_MEMORY, ERROR_NO_SYSTEM_RESOURCES, 0),  \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(HANDLE, CreateEventExW, NULL,
                    (SECURITY_ATTRIBUTES * security, const wchar_t *name,
                     DWORD flags, DWORD access),
                    (security, name, flags, access))
#define CreateEventExW(...)                                                    \
    INSTRUMENT_FAILS(CreateEventExW, INSTRUMENT_NAMED, __VA_ARGS__)
/* "Denied" is an answer here: the event exists. */
INSTRUMENT_STAND_IN(HANDLE, OpenEventW, NULL,
                    (DWORD access, BOOL inherit, const wchar_t *name),
                    (access, inherit, name))
#define OpenEventW(...)                                                        \
    INSTRUMENT_FAILS(OpenEventW,                                               \
                     (ERROR_NOT_ENOUGH_MEMORY, ERROR_NO_SYSTEM_RESOURCES, 0),  \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(HANDLE, OpenProcess, NULL,
                    (DWORD access, BOOL inherit, DWORD pid),
                    (access, inherit, pid))
#define OpenProcess(...)                                                       \
    INSTRUMENT_FAILS(OpenProcess,                                              \
                     (ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER,            \
                      ERROR_NO_SYSTEM_RESOURCES, 0),                           \
                     __VA_ARGS__)

/* Words for people: what is refused is not said. */
INSTRUMENT_STAND_IN(BOOL, QueryFullProcessImageNameW, FALSE,
                    (HANDLE process, DWORD flags, wchar_t *name, DWORD *length),
                    (process, flags, name, length))
#define QueryFullProcessImageNameW(...)                                        \
    INSTRUMENT_FAILS(QueryFullProcessImageNameW,                               \
                     (ERROR_GEN_FAILURE, ERROR_INSUFFICIENT_BUFFER, 0),        \
                     __VA_ARGS__)
INSTRUMENT_STAND_IN(DWORD, FormatMessageW, 0,
                    (DWORD flags, const void *source, DWORD id, DWORD language,
                     wchar_t *text, DWORD size, va_list *arguments),
                    (flags, source, id, language, text, size, arguments))
#define FormatMessageW(...)                                                    \
    INSTRUMENT_FAILS(FormatMessageW, (ERROR_MR_MID_NOT_FOUND, 0), __VA_ARGS__)

/* Files. */
/* Files. Sharing violations are answers. */

INSTRUMENT_STAND_IN(HANDLE, CreateFileW, INVALID_HANDLE_VALUE,
                    (const wchar_t *path, DWORD access, DWORD share,
                     SECURITY_ATTRIBUTES *security, DWORD disposition,
                     DWORD flags, HANDLE model),
                    (path, access, share, security, disposition, flags, model))
#define CreateFileW(...)                                                       \
    INSTRUMENT_FAILS(CreateFileW,                                              \
                     (ERROR_ACCESS_DENIED, ERROR_NOT_ENOUGH_MEMORY,            \
                      ERROR_NO_SYSTEM_RESOURCES, ERROR_TOO_MANY_OPEN_FILES, 0), \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(HANDLE, ReOpenFile, INVALID_HANDLE_VALUE,
                    (HANDLE file, DWORD access, DWORD share, DWORD flags),
                    (file, access, share, flags))
#define ReOpenFile(...)                                                        \
    INSTRUMENT_FAILS(ReOpenFile,                                               \
                     (ERROR_ACCESS_DENIED, ERROR_NO_SYSTEM_RESOURCES, 0),      \
                     DWORD flags, HANDLE like),
                    (path, access, share, security, disposition, flags, like))
#define CreateFileW(...)                                                       \
    INSTRUMENT_FAILS(CreateFileW,                                              \
                     (ERROR_ACCESS_DENIED, ERROR_TOO_MANY_OPEN_FILES,          \
                      ERROR_NOT_ENOUGH_MEMORY, ERROR_FILENAME_EXCED_RANGE,     \
                      ERROR_DISK_FULL, ERROR_WRITE_PROTECT, 0),                \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(DWORD, GetFileAttributesW, INVALID_FILE_ATTRIBUTES,
                    (const wchar_t *path), (path))
#define GetFileAttributesW(...)                                                \
    INSTRUMENT_FAILS(GetFileAttributesW, (ERROR_ACCESS_DENIED, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, GetFileInformationByHandle, FALSE,
                    (HANDLE file, BY_HANDLE_FILE_INFORMATION *facts),
                    (file, facts))
#define GetFileInformationByHandle(...)                                        \
    INSTRUMENT_FAILS(GetFileInformationByHandle,                               \
                     (ERROR_NOT_ENOUGH_MEMORY, ERROR_IO_DEVICE, 0),            \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, GetFileSizeEx, FALSE,
                    (HANDLE file, LARGE_INTEGER *size), (file, size))
#define GetFileSizeEx(...)                                                     \
    INSTRUMENT_FAILS(GetFileSizeEx, (ERROR_IO_DEVICE, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, SetFilePointerEx, FALSE,
                    (HANDLE file, LARGE_INTEGER by, LARGE_INTEGER *now,
                     DWORD from),
                    (file, by, now, from))
#define SetFilePointerEx(...)                                                  \
    INSTRUMENT_FAILS(SetFilePointerEx, (ERROR_IO_DEVICE, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, SetEndOfFile, FALSE, (HANDLE file), (file))
#define SetEndOfFile(...)                                                      \
    INSTRUMENT_FAILS(SetEndOfFile, (ERROR_DISK_FULL, ERROR_FILE_TOO_LARGE, 0), \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, ReadFile, FALSE,
                    (HANDLE file, void *bytes, DWORD length, DWORD *got,
                     OVERLAPPED *where),
                    (file, bytes, length, got, where))
#define ReadFile(...)                                                          \
    INSTRUMENT_FAILS(ReadFile,                                                 \
                     (ERROR_LOCK_VIOLATION, ERROR_NO_SYSTEM_RESOURCES, 0),     \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, WriteFile, FALSE,
                    (HANDLE file, const void *bytes, DWORD length, DWORD *put,
                     OVERLAPPED *where),
                    (file, bytes, length, put, where))
#define WriteFile(...)                                                         \
    INSTRUMENT_FAILS(WriteFile,                                                \
                     (ERROR_DISK_FULL, ERROR_NO_SYSTEM_RESOURCES, 0),          \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, SetEndOfFile, FALSE, (HANDLE file), (file))
#define SetEndOfFile(...)                                                      \
    INSTRUMENT_FAILS(SetEndOfFile, (ERROR_DISK_FULL, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, GetFileInformationByHandle, FALSE,
                    (HANDLE file, BY_HANDLE_FILE_INFORMATION *facts),
                    (file, facts))
#define GetFileInformationByHandle(...)                                        \
    INSTRUMENT_FAILS(GetFileInformationByHandle,                               \
                     (ERROR_NO_SYSTEM_RESOURCES, 0), __VA_ARGS__)

/* "Denied" is an answer where a file is renamed: something has the name. */
INSTRUMENT_STAND_IN(BOOL, SetFileInformationByHandle, FALSE,
                    (HANDLE file, FILE_INFO_BY_HANDLE_CLASS what, void *facts,
                     DWORD length),
                    (file, what, facts, length))
#define SetFileInformationByHandle(...)                                        \
    INSTRUMENT_FAILS(SetFileInformationByHandle,                               \
                     (ERROR_NOT_ENOUGH_MEMORY, ERROR_NO_SYSTEM_RESOURCES, 0),  \
                     __VA_ARGS__)

/* It is asked only what sort of file has been refused, and of what. */
#define GetFileAttributesW(...) INSTRUMENT_SURE(GetFileAttributesW, __VA_ARGS__)
    INSTRUMENT_FAILS(ReadFile, (ERROR_IO_DEVICE, ERROR_NOT_ENOUGH_MEMORY, 0),  \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, WriteFile, FALSE,
                    (HANDLE file, const void *bytes, DWORD length, DWORD *done,
                     OVERLAPPED *where),
                    (file, bytes, length, done, where))
#define WriteFile(...)                                                         \
    INSTRUMENT_FAILS(                                                          \
        WriteFile,                                                             \
        (ERROR_DISK_FULL, ERROR_IO_DEVICE, ERROR_NOT_ENOUGH_MEMORY, 0),        \
        __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, FlushFileBuffers, FALSE, (HANDLE file), (file))
#define FlushFileBuffers(...)                                                  \
    INSTRUMENT_FAILS(FlushFileBuffers, (ERROR_DISK_FULL, ERROR_IO_DEVICE, 0),  \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, MoveFileExW, FALSE,
                    (const wchar_t *path, const wchar_t *to, DWORD flags),
                    (path, to, flags))
#define MoveFileExW(...)                                                       \
    INSTRUMENT_FAILS(                                                          \
        MoveFileExW,                                                           \
        (ERROR_ACCESS_DENIED, ERROR_DISK_FULL, ERROR_SHARING_VIOLATION, 0),    \
        __VA_ARGS__)

/* Where files cannot have holes, and where nothing can be removed. */
INSTRUMENT_STAND_IN(BOOL, DeviceIoControl, FALSE,
                    (HANDLE file, DWORD what, void *in, DWORD in_bytes,
                     void *out, DWORD out_bytes, DWORD *got, OVERLAPPED *where),
                    (file, what, in, in_bytes, out, out_bytes, got, where))
#define DeviceIoControl(...)                                                   \
    INSTRUMENT_FAILS(DeviceIoControl, (ERROR_INVALID_FUNCTION, 0), __VA_ARGS__)
INSTRUMENT_STAND_IN(BOOL, SetFileInformationByHandle, FALSE,
                    (HANDLE file, FILE_INFO_BY_HANDLE_CLASS what, void *facts,
                     DWORD bytes),
                    (file, what, facts, bytes))
#define SetFileInformationByHandle(...)                                        \
    INSTRUMENT_FAILS(SetFileInformationByHandle, (ERROR_ACCESS_DENIED, 0),     \
                     __VA_ARGS__)
#define GetFileType(...) INSTRUMENT_SURE(GetFileType, __VA_ARGS__)

/* Memory. What is allocated is counted here, since what else is in the heap of
 * the process comes and goes as the system likes. */

/** Blocks that the library has and has not freed. */
extern volatile LONG instrument_blocks;

static inline void *instrument_block(void *block)
{
    InterlockedExchangeAdd(&instrument_blocks, block != NULL);
    return block;
}

static inline BOOL instrument_block_if(BOOL made)
{
    InterlockedExchangeAdd(&instrument_blocks, made != FALSE);
    return made;
}

static inline void *instrument_unblock(void *block)
{
    InterlockedExchangeAdd(&instrument_blocks, -(LONG)(block != NULL));
    return block;
}

/* Of handles that have the right, and where the system likes. */
INSTRUMENT_STAND_IN(void *, MapViewOfFile, NULL,
                    (HANDLE section, DWORD access, DWORD high, DWORD low,
                     SIZE_T length),
                    (section, access, high, low, length))
#define MapViewOfFile(...)                                                     \
    INSTRUMENT_FAILS(MapViewOfFile,                                            \
                     (ERROR_NOT_ENOUGH_MEMORY, ERROR_COMMITMENT_LIMIT, 0),     \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(void *, VirtualAlloc, NULL,
                    (void *address, SIZE_T length, DWORD how, DWORD access),
                    (address, length, how, access))
#define VirtualAlloc(...)                                                      \
    INSTRUMENT_FAILS(VirtualAlloc,                                             \
                     (ERROR_COMMITMENT_LIMIT, ERROR_NOT_ENOUGH_MEMORY, 0),     \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(SIZE_T, VirtualQuery, 0,
                    (const void *address, MEMORY_BASIC_INFORMATION *facts,
                     SIZE_T length),
                    (address, facts, length))
#define VirtualQuery(...)                                                      \
    INSTRUMENT_FAILS(VirtualQuery, (ERROR_INVALID_PARAMETER, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(void *, HeapAlloc, NULL,
                    (HANDLE heap, DWORD flags, SIZE_T length),
                    (heap, flags, length))
#define HeapAlloc(...)                                                         \
    instrument_block(INSTRUMENT_FAILS(HeapAlloc, (ERROR_NOT_ENOUGH_MEMORY, 0), \
                                      __VA_ARGS__))

INSTRUMENT_STAND_IN(HLOCAL, LocalAlloc, NULL, (UINT flags, SIZE_T length),
                    (flags, length))
#define LocalAlloc(...)                                                        \
    instrument_block(INSTRUMENT_FAILS(                                         \
        LocalAlloc, (ERROR_NOT_ENOUGH_MEMORY, 0), __VA_ARGS__))

INSTRUMENT_STAND_IN(DWORD, FlsAlloc, FLS_OUT_OF_INDEXES,
                    (PFLS_CALLBACK_FUNCTION release), (release))
#define FlsAlloc(...)                                                          \
    INSTRUMENT_FAILS(FlsAlloc, (ERROR_NOT_ENOUGH_MEMORY, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, FlsSetValue, FALSE, (DWORD index, void *value),
                    (index, value))
#define FlsSetValue(...)                                                       \
    INSTRUMENT_FAILS(FlsSetValue, (ERROR_NOT_ENOUGH_MEMORY, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(DWORD, TlsAlloc, TLS_OUT_OF_INDEXES, (...), ())
#define TlsAlloc() INSTRUMENT_FAILS(TlsAlloc, (ERROR_NOT_ENOUGH_MEMORY, 0), 0)

INSTRUMENT_STAND_IN(BOOL, TlsSetValue, FALSE, (DWORD index, void *value),
                    (index, value))
#define TlsSetValue(...)                                                       \
    INSTRUMENT_FAILS(TlsSetValue, (ERROR_NOT_ENOUGH_MEMORY, 0), __VA_ARGS__)

/* Waiting and signalling. */

INSTRUMENT_STAND_IN(DWORD, WaitForSingleObject, WAIT_FAILED,
                    (HANDLE object, DWORD ms), (object, ms))
#define WaitForSingleObject(...)                                               \
    INSTRUMENT_FAILS(WaitForSingleObject,                                      \
                     (ERROR_ACCESS_DENIED, ERROR_NO_SYSTEM_RESOURCES, 0),      \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(DWORD, WaitForMultipleObjects, WAIT_FAILED,
                    (DWORD count, const HANDLE *objects, BOOL all, DWORD ms),
                    (count, objects, all, ms))
#define WaitForMultipleObjects(...)                                            \
    INSTRUMENT_FAILS(WaitForMultipleObjects,                                   \
                     (ERROR_ACCESS_DENIED, ERROR_NO_SYSTEM_RESOURCES, 0),      \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, SleepConditionVariableSRW, FALSE,
                    (CONDITION_VARIABLE * condition, SRWLOCK *lock, DWORD ms,
                     ULONG flags),
                    (condition, lock, ms, flags))
#define SleepConditionVariableSRW(...)                                         \
    INSTRUMENT_FAILS(SleepConditionVariableSRW, (ERROR_TIMEOUT, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, SetEvent, FALSE, (HANDLE event), (event))
#define SetEvent(...)                                                          \
    INSTRUMENT_FAILS(SetEvent, (ERROR_NO_SYSTEM_RESOURCES, 0), __VA_ARGS__)

/* Who may use an object, and whose it is. */

INSTRUMENT_STAND_IN(BOOL, OpenProcessToken, FALSE,
                    (HANDLE process, DWORD access, HANDLE *token),
                    (process, access, token))
#define OpenProcessToken(...)                                                  \
    INSTRUMENT_FAILS(OpenProcessToken,                                         \
                     (ERROR_ACCESS_DENIED, ERROR_NO_SYSTEM_RESOURCES, 0),      \
                     __VA_ARGS__)

/* "No token" is an answer: the thread acts for nobody else. */
INSTRUMENT_STAND_IN(BOOL, OpenThreadToken, FALSE,
                    (HANDLE thread, DWORD access, BOOL as_self, HANDLE *token),
                    (thread, access, as_self, token))
#define OpenThreadToken(...)                                                   \
    INSTRUMENT_FAILS(OpenThreadToken,                                          \
                     (ERROR_ACCESS_DENIED, ERROR_NO_SYSTEM_RESOURCES, 0),      \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, GetTokenInformation, FALSE,
                    (HANDLE token, TOKEN_INFORMATION_CLASS what, void *answer,
                     DWORD bytes, DWORD *length),
                    (token, what, answer, bytes, length))
#define GetTokenInformation(...)                                               \
    INSTRUMENT_FAILS(GetTokenInformation,                                      \
                     (ERROR_ACCESS_DENIED, ERROR_INSUFFICIENT_BUFFER, 0),      \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, GetKernelObjectSecurity, FALSE,
                    (HANDLE object, SECURITY_INFORMATION what, void *descriptor,
                     DWORD bytes, DWORD *length),
                    (object, what, descriptor, bytes, length))
#define GetKernelObjectSecurity(...)                                           \
    INSTRUMENT_FAILS(GetKernelObjectSecurity,                                  \
                     (ERROR_ACCESS_DENIED, ERROR_INSUFFICIENT_BUFFER, 0),      \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, SetKernelObjectSecurity, FALSE,
                    (HANDLE object, SECURITY_INFORMATION what,
                     PSECURITY_DESCRIPTOR descriptor),
                    (object, what, descriptor))
#define SetKernelObjectSecurity(...)                                           \
    INSTRUMENT_FAILS(SetKernelObjectSecurity,                                  \
                     (ERROR_ACCESS_DENIED, ERROR_NO_SYSTEM_RESOURCES, 0),      \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, ConvertSidToStringSidW, FALSE,
                    (PSID sid, wchar_t **text), (sid, text))
#define ConvertSidToStringSidW(...)                                            \
    instrument_block_if(INSTRUMENT_FAILS(                                      \
        ConvertSidToStringSidW,                                                \
        (ERROR_NOT_ENOUGH_MEMORY, ERROR_INVALID_SID, 0), __VA_ARGS__))

INSTRUMENT_STAND_IN(BOOL, ConvertStringSecurityDescriptorToSecurityDescriptorW,
                    FALSE,
                    (const wchar_t *text, DWORD revision,
                     PSECURITY_DESCRIPTOR *descriptor, ULONG *length),
                    (text, revision, descriptor, length))
#define ConvertStringSecurityDescriptorToSecurityDescriptorW(...)              \
    instrument_block_if(                                                       \
        INSTRUMENT_FAILS(ConvertStringSecurityDescriptorToSecurityDescriptorW, \
                         (ERROR_NOT_ENOUGH_MEMORY, 0), __VA_ARGS__))

INSTRUMENT_STAND_IN(BOOL, GetSecurityDescriptorDacl, FALSE,
                    (PSECURITY_DESCRIPTOR descriptor, BOOL *present, ACL **list,
                     BOOL *defaulted),
                    (descriptor, present, list, defaulted))
#define GetSecurityDescriptorDacl(...)                                         \
    INSTRUMENT_FAILS(GetSecurityDescriptorDacl,                                \
                     (ERROR_INVALID_SECURITY_DESCR, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, GetSecurityDescriptorSacl, FALSE,
                    (PSECURITY_DESCRIPTOR descriptor, BOOL *present, ACL **list,
                     BOOL *defaulted),
                    (descriptor, present, list, defaulted))
#define GetSecurityDescriptorSacl(...)                                         \
    INSTRUMENT_FAILS(GetSecurityDescriptorSacl,                                \
                     (ERROR_INVALID_SECURITY_DESCR, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, GetSecurityDescriptorOwner, FALSE,
                    (PSECURITY_DESCRIPTOR descriptor, PSID *owner,
                     BOOL *defaulted),
                    (descriptor, owner, defaulted))
#define GetSecurityDescriptorOwner(...)                                        \
    INSTRUMENT_FAILS(GetSecurityDescriptorOwner,                               \
                     (ERROR_INVALID_SECURITY_DESCR, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, GetAclInformation, FALSE,
                    (ACL * list, void *answer, DWORD bytes,
                     ACL_INFORMATION_CLASS what),
                    (list, answer, bytes, what))
#define GetAclInformation(...)                                                 \
    INSTRUMENT_FAILS(GetAclInformation, (ERROR_INVALID_ACL, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, InitializeAcl, FALSE,
                    (ACL * list, DWORD bytes, DWORD revision),
                    (list, bytes, revision))
#define InitializeAcl(...)                                                     \
    INSTRUMENT_FAILS(InitializeAcl, (ERROR_INSUFFICIENT_BUFFER, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, GetAce, FALSE,
                    (ACL * list, DWORD index, void **entry),
                    (list, index, entry))
#define GetAce(...)                                                            \
    INSTRUMENT_FAILS(GetAce, (ERROR_INVALID_ACL, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, AddAce, FALSE,
                    (ACL * list, DWORD revision, DWORD index, void *entries,
                     DWORD bytes),
                    (list, revision, index, entries, bytes))
#define AddAce(...)                                                            \
    INSTRUMENT_FAILS(AddAce, (ERROR_ALLOTTED_SPACE_EXCEEDED, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, AddAccessAllowedAce, FALSE,
                    (ACL * list, DWORD revision, DWORD access, PSID sid),
                    (list, revision, access, sid))
#define AddAccessAllowedAce(...)                                               \
    INSTRUMENT_FAILS(AddAccessAllowedAce, (ERROR_ALLOTTED_SPACE_EXCEEDED, 0),  \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, AddAccessDeniedAce, FALSE,
                    (ACL * list, DWORD revision, DWORD access, PSID sid),
                    (list, revision, access, sid))
#define AddAccessDeniedAce(...)                                                \
    INSTRUMENT_FAILS(AddAccessDeniedAce, (ERROR_ALLOTTED_SPACE_EXCEEDED, 0),   \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, CreateWellKnownSid, FALSE,
                    (WELL_KNOWN_SID_TYPE type, PSID domain, PSID sid,
                     DWORD *length),
                    (type, domain, sid, length))
#define CreateWellKnownSid(...)                                                \
    INSTRUMENT_FAILS(CreateWellKnownSid, (ERROR_INVALID_PARAMETER, 0),         \
                     __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, CopySid, FALSE, (DWORD bytes, PSID to, PSID from),
                    (bytes, to, from))
#define CopySid(...)                                                           \
    INSTRUMENT_FAILS(CopySid, (ERROR_INSUFFICIENT_BUFFER, 0), __VA_ARGS__)

/* This process. */

INSTRUMENT_STAND_IN(BOOL, GetProcessTimes, FALSE,
                    (HANDLE process, FILETIME *start, FILETIME *end,
                     FILETIME *kernel, FILETIME *user),
                    (process, start, end, kernel, user))
#define GetProcessTimes(...)                                                   \
    INSTRUMENT_FAILS(GetProcessTimes, (ERROR_ACCESS_DENIED, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(HMODULE, GetModuleHandleW, NULL, (const wchar_t *name),
                    (name))
#define GetModuleHandleW(...)                                                  \
    INSTRUMENT_FAILS(GetModuleHandleW, (ERROR_MOD_NOT_FOUND, 0), __VA_ARGS__)

INSTRUMENT_STAND_IN(BOOL, GetModuleHandleExW, FALSE,
                    (DWORD flags, const wchar_t *name, HMODULE *module),
                    (flags, name, module))
#define GetModuleHandleExW(...)                                                \
    INSTRUMENT_FAILS(GetModuleHandleExW, (ERROR_MOD_NOT_FOUND, 0), __VA_ARGS__)

/* NtQuerySection may be refused; what else is looked for cannot fail. @return
 * what stands in for it. */
FARPROC instrument_procedure(const char *name, FARPROC found);

INSTRUMENT_STAND_IN(FARPROC, GetProcAddress, NULL,
                    (HMODULE module, const char *name), (module, name))
#define GetProcAddress(module, name)                                           \
    instrument_procedure(name, INSTRUMENT_FAILS(GetProcAddress,                \
                                                (ERROR_PROC_NOT_FOUND, 0),     \
                                                module, name))

/* The library declares it itself, which keeps it from being a macro with
 * arguments. */
BOOLEAN NTAPI instrument_random(void *bytes, ULONG length);
#define SystemFunction036 instrument_random

/* These refuse only what is no object of theirs. */

#define CloseHandle(...) INSTRUMENT_SURE(CloseHandle, __VA_ARGS__)
#define ReleaseMutex(...) INSTRUMENT_SURE(ReleaseMutex, __VA_ARGS__)
#define UnmapViewOfFile(...) INSTRUMENT_SURE(UnmapViewOfFile, __VA_ARGS__)
#define HeapFree(heap, flags, block)                                           \
    INSTRUMENT_SURE(HeapFree, heap, flags, instrument_unblock(block))
#define LocalFree(block) INSTRUMENT_SURE(LocalFree, instrument_unblock(block))
#define FlsGetValue(...) INSTRUMENT_SURE(FlsGetValue, __VA_ARGS__)
#define TlsGetValue(...) INSTRUMENT_SURE(TlsGetValue, __VA_ARGS__)
#define InitOnceBeginInitialize(...)                                           \
    INSTRUMENT_SURE(InitOnceBeginInitialize, __VA_ARGS__)
#define InitOnceComplete(...) INSTRUMENT_SURE(InitOnceComplete, __VA_ARGS__)
#define InitOnceExecuteOnce(...)                                               \
    INSTRUMENT_SURE(InitOnceExecuteOnce, __VA_ARGS__)
#define InitializeSecurityDescriptor(...)                                      \
    INSTRUMENT_SURE(InitializeSecurityDescriptor, __VA_ARGS__)
#define SetSecurityDescriptorDacl(...)                                         \
    INSTRUMENT_SURE(SetSecurityDescriptorDacl, __VA_ARGS__)
#define SetSecurityDescriptorSacl(...)                                         \
    INSTRUMENT_SURE(SetSecurityDescriptorSacl, __VA_ARGS__)
#define SetSecurityDescriptorControl(...)                                      \
    INSTRUMENT_SURE(SetSecurityDescriptorControl, __VA_ARGS__)
#define AcquireSRWLockExclusive(...)                                           \
    INSTRUMENT_SURE(AcquireSRWLockExclusive, __VA_ARGS__)
#define ReleaseSRWLockExclusive(...)                                           \
    INSTRUMENT_SURE(ReleaseSRWLockExclusive, __VA_ARGS__)
#define WakeAllConditionVariable(...)                                          \
    INSTRUMENT_SURE(WakeAllConditionVariable, __VA_ARGS__)
#define Sleep(...) INSTRUMENT_SURE(Sleep, __VA_ARGS__)
#define SwitchToThread(...) INSTRUMENT_SURE(SwitchToThread, __VA_ARGS__)
#define FlushProcessWriteBuffers(...)                                          \
    INSTRUMENT_SURE(FlushProcessWriteBuffers, __VA_ARGS__)
#define GetSystemInfo(...) INSTRUMENT_SURE(GetSystemInfo, __VA_ARGS__)
#define QueryPerformanceCounter(...)                                           \
    INSTRUMENT_SURE(QueryPerformanceCounter, __VA_ARGS__)
#define QueryPerformanceFrequency(...)                                         \
    INSTRUMENT_SURE(QueryPerformanceFrequency, __VA_ARGS__)
