/* Windows: loading and unloading. */
#include "status.h"
#include "win32.h"

static BOOL CALLBACK initialise(INIT_ONCE *once, void *unused, void **unused2)
{
    (void)once;
    (void)unused;
    (void)unused2;
    wshm_win32_stay_loaded();
    wshm_win32_process_init();
    wshm_win32_owner_init();
    wshm_win32_security_init();
    wshm_win32_time_init();
    return wshm_win32_thread_init();
}

winshm_status wshm_platform_init(void)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    return InitOnceExecuteOnce(&once, initialise, NULL, NULL)
               ? WINSHM_OK
               : wshm_error_os(WINSHM_E_NO_MEMORY, "TlsAlloc",
                               (int32_t)GetLastError());
}

#ifdef WINSHM_DLL
BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, void *reserved)
{
    (void)module;
    /* At the end of the process other threads were stopped anywhere, and what
     * they have locked stays locked; nothing needs to be freed then. */
    if (reason == DLL_PROCESS_DETACH && reserved == NULL)
        wshm_win32_thread_exit();
    return TRUE;
}
#endif
