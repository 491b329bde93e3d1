/* Who waits for long does not spend that time on looking. */
#include "check.h"
#include "child.h"

enum { WAIT_MS = 1000, MOST_CPU_MS = 200 };

static const char *region_name;

/** A region that can be read only. */
static winshm_region *shown(void)
{
    winshm_region *h;
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_CREATE_NEW,
                        .size = 100,
                        .name = region_name,
                        .security = "D:P(A;;GR;;;WD)"};
    winshm_status status = winshm_open_with(&o, &h);
    /* Where there are no such descriptors, the observer is somebody else. */
    if (status == WINSHM_E_UNSUPPORTED) {
        o.security = "everyone-read";
        status = winshm_open_with(&o, &h);
    }
    CHECK_OK(status);
    return h;
}

static void role_observe(const char *name, uint32_t unused)
{
    winshm_region *h;
    winshm_info info = {.struct_size = sizeof info};
    char byte;
    uint32_t now;
    (void)unused;
    child_become_nobody();
    CHECK_OK(winshm_open(name, WINSHM_READ, &h));
    CHECK_OK(winshm_get_info(h, &info));
    if (info.observer == 0)
        exit(CHECK_SKIPPED);
    uint64_t used = cpu_ms();
    CHECK_STATUS(winshm_read(h, 0, &byte, 1, WAIT_MS), WINSHM_E_TIMEOUT);
    used = cpu_ms() - used;
    fprintf(stderr, "a read that timed out: %lu ms of processor time\n",
            (unsigned long)used);
    CHECK(used < MOST_CPU_MS);
    CHECK_OK(winshm_change_count(h, &now));
    used = cpu_ms();
    CHECK_STATUS(winshm_wait(h, now, WAIT_MS, NULL), WINSHM_E_TIMEOUT);
    used = cpu_ms() - used;
    fprintf(stderr, "a wait that timed out: %lu ms of processor time\n",
            (unsigned long)used);
    CHECK(used < MOST_CPU_MS);
    /* And is still there in time. */
    parent_tell('u');
    uint64_t began = clock_ms();
    CHECK_OK(winshm_read(h, 0, &byte, 1, PATIENCE_MS));
    fprintf(stderr, "seen %lu ms later\n", (unsigned long)(clock_ms() - began));
    CHECK_OK(winshm_close(h));
}

static const struct role roles[] = {{"observe", role_observe}, {NULL, NULL}};

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    region_name = name_of("idle");
    winshm_region *h = shown();
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    struct child child = child_start("observe", region_name, 0);
    int heard = child_hear(&child, PATIENCE_MS);
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    int code = child_wait(&child, PATIENCE_MS);
    CHECK_OK(winshm_close(h));
    if (heard == -1 && code == CHECK_SKIPPED)
        SKIP("only another user is an observer here");
    CHECK_EQ(heard, 'u');
    CHECK_EQ(code, 0);
    return 0;
}
