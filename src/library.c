/* What the system tells the library of the process: forks, and its end. */
#include "handle.h"
#include "link.h"
#include "platform.h"
#include "region.h"
#include "sweep.h"

static void fork_child(void)
{
    wshm_link_fork_child();
    wshm_handle_fork_child();
    atomic_store(&wshm_sweep_next, 0);
}

const struct platform_hooks wshm_hooks = {
    wshm_handle_fork_prepare,
    wshm_handle_fork_parent,
    fork_child,
    wshm_region_exit,
};
