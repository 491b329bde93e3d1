/* Stands in for the start of a program in Visual C++'s run-time. */
#include <stdlib.h>

typedef void(__cdecl *function)(void);

#pragma section(".CRT$XCA", read)
#pragma section(".CRT$XCZ", read)
static __declspec(allocate(".CRT$XCA")) const function first = NULL;
static __declspec(allocate(".CRT$XCZ")) const function last = NULL;

int _fltused = 1;

int __cdecl main(int argc, char **argv);
int __cdecl _configure_narrow_argv(int mode);
int __cdecl _initialize_narrow_environment(void);
void __cdecl _initterm(const function *from, const function *to);
int __cdecl _crt_atexit(function call);

int __cdecl atexit(function call)
{
    return _crt_atexit(call);
}

void mainCRTStartup(void)
{
    _configure_narrow_argv(1); /* as they are */
    _initialize_narrow_environment();
    _initterm(&first, &last);
    exit(main(__argc, __argv));
}
