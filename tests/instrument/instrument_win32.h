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

#define CreateFileMappingW(...)                                                \
    INSTRUMENT_FAILS(CreateFileMappingW, NULL,                                 \
                     (ERROR_ACCESS_DENIED, ERROR_INVALID_HANDLE,               \
                      ERROR_NOT_ENOUGH_MEMORY, ERROR_INVALID_PARAMETER,        \
                      ERROR_NO_SYSTEM_RESOURCES, ERROR_COMMITMENT_LIMIT, 0),   \
                     __VA_ARGS__)
#define OpenFileMappingW(...)                                                  \
    INSTRUMENT_FAILS(OpenFileMappingW, NULL, INSTRUMENT_NAMED, __VA_ARGS__)
#define CreateMutexExW(...)                                                    \
    INSTRUMENT_FAILS(CreateMutexExW, NULL, INSTRUMENT_NAMED, __VA_ARGS__)
#define CreateEventW(...)                                                      \
    INSTRUMENT_FAILS(CreateEventW, NULL,                                       \
                     (ERROR_NOT_ENOUGH_MEMORY, ERROR_NO_SYSTEM_RESOURCES, 0),  \
                     __VA_ARGS__)
#define CreateEventExW(...)                                                    \
    INSTRUMENT_FAILS(CreateEventExW, NULL, INSTRUMENT_NAMED, __VA_ARGS__)
/* "Denied" is an answer here: the event exists. */
#define OpenEventW(...)                                                        \
    INSTRUMENT_FAILS(OpenEventW, NULL,                                         \
                     (ERROR_NOT_ENOUGH_MEMORY, ERROR_NO_SYSTEM_RESOURCES, 0),  \
                     __VA_ARGS__)
#define OpenProcess(...)                                                       \
    INSTRUMENT_FAILS(OpenProcess, NULL,                                        \
                     (ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER,            \
                      ERROR_NO_SYSTEM_RESOURCES, 0),                           \
                     __VA_ARGS__)

/* Memory. */

/* Of handles that have the right, and where the system likes. */
#define MapViewOfFile(...)                                                     \
    INSTRUMENT_FAILS(MapViewOfFile, NULL,                                      \
                     (ERROR_NOT_ENOUGH_MEMORY, ERROR_COMMITMENT_LIMIT, 0),     \
                     __VA_ARGS__)
#define VirtualQuery(...)                                                      \
    INSTRUMENT_FAILS(VirtualQuery, 0, (ERROR_INVALID_PARAMETER, 0), __VA_ARGS__)
#define HeapAlloc(...)                                                         \
    INSTRUMENT_FAILS(HeapAlloc, NULL, (ERROR_NOT_ENOUGH_MEMORY, 0), __VA_ARGS__)
#define LocalAlloc(...)                                                        \
    INSTRUMENT_FAILS(LocalAlloc, NULL, (ERROR_NOT_ENOUGH_MEMORY, 0),           \
                     __VA_ARGS__)
#define FlsAlloc(...)                                                          \
    INSTRUMENT_FAILS(FlsAlloc, FLS_OUT_OF_INDEXES,                             \
                     (ERROR_NOT_ENOUGH_MEMORY, 0), __VA_ARGS__)
#define FlsSetValue(...)                                                       \
    INSTRUMENT_FAILS(FlsSetValue, FALSE, (ERROR_NOT_ENOUGH_MEMORY, 0),         \
                     __VA_ARGS__)
#define TlsAlloc(...)                                                          \
    INSTRUMENT_FAILS(TlsAlloc, TLS_OUT_OF_INDEXES,                             \
                     (ERROR_NOT_ENOUGH_MEMORY, 0), __VA_ARGS__)
#define TlsSetValue(...)                                                       \
    INSTRUMENT_FAILS(TlsSetValue, FALSE, (ERROR_NOT_ENOUGH_MEMORY, 0),         \
                     __VA_ARGS__)

/* Waiting and signalling. */

#define WaitForSingleObject(...)                                               \
    INSTRUMENT_FAILS(WaitForSingleObject, WAIT_FAILED,                         \
                     (ERROR_ACCESS_DENIED, ERROR_NO_SYSTEM_RESOURCES, 0),      \
                     __VA_ARGS__)
#define WaitForMultipleObjects(...)                                            \
    INSTRUMENT_FAILS(WaitForMultipleObjects, WAIT_FAILED,                      \
                     (ERROR_ACCESS_DENIED, ERROR_NO_SYSTEM_RESOURCES, 0),      \
                     __VA_ARGS__)
#define SleepConditionVariableSRW(...)                                         \
    INSTRUMENT_FAILS(SleepConditionVariableSRW, FALSE, (ERROR_TIMEOUT, 0),     \
                     __VA_ARGS__)
#define SetEvent(...)                                                          \
    INSTRUMENT_FAILS(SetEvent, FALSE, (ERROR_NO_SYSTEM_RESOURCES, 0),          \
                     __VA_ARGS__)

/* Who may use an object, and whose it is. */

#define OpenProcessToken(...)                                                  \
    INSTRUMENT_FAILS(OpenProcessToken, FALSE,                                  \
                     (ERROR_ACCESS_DENIED, ERROR_NO_SYSTEM_RESOURCES, 0),      \
                     __VA_ARGS__)
#define GetTokenInformation(...)                                               \
    INSTRUMENT_FAILS(GetTokenInformation, FALSE,                               \
                     (ERROR_ACCESS_DENIED, ERROR_INSUFFICIENT_BUFFER, 0),      \
                     __VA_ARGS__)
#define GetKernelObjectSecurity(...)                                           \
    INSTRUMENT_FAILS(GetKernelObjectSecurity, FALSE,                           \
                     (ERROR_ACCESS_DENIED, ERROR_INSUFFICIENT_BUFFER, 0),      \
                     __VA_ARGS__)
#define ConvertSidToStringSidW(...)                                            \
    INSTRUMENT_FAILS(ConvertSidToStringSidW, FALSE,                            \
                     (ERROR_NOT_ENOUGH_MEMORY, ERROR_INVALID_SID, 0),          \
                     __VA_ARGS__)
#define ConvertStringSecurityDescriptorToSecurityDescriptorW(...)              \
    INSTRUMENT_FAILS(ConvertStringSecurityDescriptorToSecurityDescriptorW,     \
                     FALSE, (ERROR_NOT_ENOUGH_MEMORY, 0), __VA_ARGS__)
#define GetSecurityDescriptorDacl(...)                                         \
    INSTRUMENT_FAILS(GetSecurityDescriptorDacl, FALSE,                         \
                     (ERROR_INVALID_SECURITY_DESCR, 0), __VA_ARGS__)
#define GetAclInformation(...)                                                 \
    INSTRUMENT_FAILS(GetAclInformation, FALSE, (ERROR_INVALID_ACL, 0),         \
                     __VA_ARGS__)
#define InitializeAcl(...)                                                     \
    INSTRUMENT_FAILS(InitializeAcl, FALSE, (ERROR_INSUFFICIENT_BUFFER, 0),     \
                     __VA_ARGS__)
#define GetAce(...)                                                            \
    INSTRUMENT_FAILS(GetAce, FALSE, (ERROR_INVALID_ACL, 0), __VA_ARGS__)
#define AddAccessAllowedAce(...)                                               \
    INSTRUMENT_FAILS(AddAccessAllowedAce, FALSE,                               \
                     (ERROR_ALLOTTED_SPACE_EXCEEDED, 0), __VA_ARGS__)
#define AddAccessDeniedAce(...)                                                \
    INSTRUMENT_FAILS(AddAccessDeniedAce, FALSE,                                \
                     (ERROR_ALLOTTED_SPACE_EXCEEDED, 0), __VA_ARGS__)
#define CreateWellKnownSid(...)                                                \
    INSTRUMENT_FAILS(CreateWellKnownSid, FALSE, (ERROR_INVALID_PARAMETER, 0),  \
                     __VA_ARGS__)
#define CopySid(...)                                                           \
    INSTRUMENT_FAILS(CopySid, FALSE, (ERROR_INSUFFICIENT_BUFFER, 0),           \
                     __VA_ARGS__)

/* This process. */

#define GetProcessTimes(...)                                                   \
    INSTRUMENT_FAILS(GetProcessTimes, FALSE, (ERROR_ACCESS_DENIED, 0),         \
                     __VA_ARGS__)
#define GetModuleHandleW(...)                                                  \
    INSTRUMENT_FAILS(GetModuleHandleW, NULL, (ERROR_MOD_NOT_FOUND, 0),         \
                     __VA_ARGS__)
#define GetModuleHandleExW(...)                                                \
    INSTRUMENT_FAILS(GetModuleHandleExW, FALSE, (ERROR_MOD_NOT_FOUND, 0),      \
                     __VA_ARGS__)
#define AddVectoredExceptionHandler(...)                                       \
    INSTRUMENT_FAILS(AddVectoredExceptionHandler, NULL,                        \
                     (ERROR_NOT_ENOUGH_MEMORY, 0), __VA_ARGS__)

/* Only NtQuerySection is looked for. @return what stands in for it. */
FARPROC instrument_procedure(FARPROC found);
#define GetProcAddress(...)                                                    \
    instrument_procedure(INSTRUMENT_FAILS(                                     \
        GetProcAddress, NULL, (ERROR_PROC_NOT_FOUND, 0), __VA_ARGS__))

/* The library declares it itself, which keeps it from being a macro with
 * arguments. */
BOOLEAN NTAPI instrument_random(void *bytes, ULONG length);
#define SystemFunction036 instrument_random

/* These refuse only what is no object of theirs. */

#define CloseHandle(...) INSTRUMENT_SURE(CloseHandle, __VA_ARGS__)
#define ReleaseMutex(...) INSTRUMENT_SURE(ReleaseMutex, __VA_ARGS__)
#define UnmapViewOfFile(...) INSTRUMENT_SURE(UnmapViewOfFile, __VA_ARGS__)
#define HeapFree(...) INSTRUMENT_SURE(HeapFree, __VA_ARGS__)
#define LocalFree(...) INSTRUMENT_SURE(LocalFree, __VA_ARGS__)
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
