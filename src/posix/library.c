/* Linux: loading, fork(), and the end of the process. */
#define _GNU_SOURCE
#include <pthread.h>

#include "posix.h"

static void before_fork(void)
{
    wshm_hooks.fork_prepare();
    wshm_posix_descriptors_lock();
}

static void after_fork_parent(void)
{
    wshm_posix_descriptors_unlock();
    wshm_hooks.fork_parent();
}

static void after_fork_child(void)
{
    int cancellation = wshm_platform_uncancellable();
    wshm_hooks.fork_child();
    wshm_posix_files_forget();
    wshm_posix_descriptors_unlock();
    wshm_posix_thread_forked();
    /* Neither the registration nor the start time is the parent's. */
    wshm_posix_time_init();
    wshm_posix_process_init();
    wshm_platform_cancellable(cancellation);
}

static void initialise(void)
{
    wshm_posix_time_init();
    wshm_posix_copy_init();
    wshm_posix_process_init();
}

__attribute__((destructor)) static void at_exit(void)
{
    /* Else it is left as after a crash. */
    if (wshm_posix_descriptors_free())
        wshm_hooks.exit();
}

static int hook_fork(void)
{
    static bool hooked;
    int code = 0;
    wshm_posix_descriptors_lock();
    if (!hooked)
        code = pthread_atfork(before_fork, after_fork_parent, after_fork_child);
    hooked = code == 0;
    wshm_posix_descriptors_unlock();
    return code;
}

/** As early as can be: hooks that others set later are called while the handles
 * of the parent can still be used, or cannot be any more in the child. */
__attribute__((constructor)) static void at_load(void)
{
    hook_fork(); /* or else with the first region */
}

winshm_status wshm_platform_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, initialise);
    int code = hook_fork();
    return code == 0 ? WINSHM_OK : wshm_posix_refused("pthread_atfork", code);
}
