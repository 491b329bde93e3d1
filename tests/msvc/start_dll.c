/* Stands in for the start of a DLL in Visual C++'s run-time. */
#include <windows.h>

int _fltused = 1;

BOOL WINAPI none(HINSTANCE module, DWORD reason, void *reserved)
{
    (void)module;
    (void)reason;
    (void)reserved;
    return TRUE;
}

#pragma comment(linker, "/alternatename:DllMain=none")

BOOL WINAPI _DllMainCRTStartup(HINSTANCE module, DWORD reason, void *reserved)
{
    BOOL WINAPI DllMain(HINSTANCE, DWORD, void *);
    return DllMain(module, reason, reserved);
}
