/* The points of the library and of the victims, and what happens there. */
#include "points.h"

#include <stdatomic.h>

#include "handle.h"
#include "instrument.h"

/** Sites that nobody can be made to pass for sure in a test of seconds, or
 * whose stores are this process's own; and how many of each there are. */
static const struct {
    const char *file;
    const char *name;
    uint32_t sites;
} excuses[] = {
    /* A close has overtaken a call that has just begun: own memory. */
    {"handle.h", "&r->inside_other", 1},
    /* The first thread's unlock meets a close that is refused: own memory. */
    {"lock.c", "&r->own", 1},
    /* A close that is refused: own memory. */
    {"region.c", "&r->handle", 1},
    /* A thousand handles were opened before: own memory. */
    {"handle.c", "marker", 1},
#ifdef _WIN32
    /* There is no fork(), and nothing to tidy up when a process ends. */
    {"handle.c", "&wshm_markers[i]", 1},
    {"handle.c", "&r->inside_first", 1},
    {"handle.c", "&r->inside_other", 1},
    {"handle.c", "&r->handle", 1},
    {"handle.c", "&r->closing", 1},
    {"handle.c", "&r->growing", 1},
    {"handle.c", "&r->references", 2},
    {"handle.c", "&v->handle", 1},
    {"library.c", "&wshm_sweep_next", 1},
    {"link.c", "&links[i].state", 1},
    /* The name space Global is refused; the life lock is not had in five
     * seconds. */
    {"win32/base.c", "CloseHandle", 1},
    {"win32/life.c", "CloseHandle", 1},
    /* A presence that an outsider has made and does not deny; two threads of a
     * handle that both make its first event. */
    {"win32/presence.c", "CloseHandle", 2},
    {"win32/wait.c", "CloseHandle", 1},
    {"win32/wait.c", "HeapFree", 1},
    /* The size of a section that may not be asked for. */
    {"win32/base.c", "MapViewOfFile", 1},
    {"win32/base.c", "VirtualQuery", 1},
    {"win32/base.c", "UnmapViewOfFile", 1},
    /* No memory, or a wait that the system refuses. */
    {"win32/security.c", "LocalFree", 1},
    {"win32/wait.c", "Sleep", 1},
    /* Files that somebody else is just reading or making, and a part file that is
     * something else or of which nothing comes. */
    {"win32/link.c", "Sleep", 2},
    {"win32/link.c", "CloseHandle", 1},
    {"win32/file.c", "Sleep", 2},
    {"win32/file.c", "SetFileInformationByHandle", 1},
    /* What the system says of a failure: nothing of it stays. */
    {"win32/process.c", "FormatMessageW", 1},
    /* A descriptor that may not be read. */
    {"win32/owner.c", "LocalFree", 1},
#else
    /* Windows has events for wait loops, this system has descriptors. */
    {"change.c", "&r->slot->event", 1},
    {"change.c", "&r->control->change.events", 1},
    /* A control file that was cut short: the handler's own memory. */
    {"posix/copy.c", "&p->control_lost", 2},
    {"posix/copy.c", "mmap", 1},
    {"posix/copy.c", "mremap", 1},
    {"posix/copy.c", "munmap", 1},
    /* No other thread is in a call at the fork, nor has been. */
    {"handle.c", "&wshm_markers[i]", 1},
    {"handle.c", "&r->inside_first", 1},
    {"handle.c", "&r->inside_other", 1},
    /* No other thread saves, loads or makes a link at the fork. */
    {"posix/file.c", "close", 2},
    {"posix/link.c", "close", 1},
    /* Files of strangers, and of one's own that shut their owner out. */
    {"posix/security.c", "fcntl", 3},
    {"posix/security.c", "geteuid", 1},
    {"posix/base.c", "geteuid", 1},
    {"posix/base.c", "chmod", 1},
    /* A thread for which nothing can be kept. */
    {"posix/thread.c", "free", 1},
    /* A watcher for whom there is no descriptor or no thread. */
    {"posix/wait.c", "free", 2},
    {"posix/wait.c", "close", 1},
    /* When the library is loaded, and when a thread ends with the lock. */
    {"posix/library.c", "pthread_atfork", 1},
    {"posix/thread.c", "pthread_setspecific", 1},
    /* What was set aside in vain. */
    {"posix/data.c", "fallocate", 1},
    /* Without /proc. */
    {"posix/base.c", "linkat", 1},
    /* A control file that was made, but whose life lock was not had. */
    {"posix/life.c", "fstat", 1},
    /* A fault that is not a copy's: the process ends anyway. */
    {"posix/copy.c", "sigaction", 1},
    {"posix/copy.c", "raise", 1},
#endif
};

enum { EXCUSES = sizeof excuses / sizeof excuses[0] };

static const char *const mark_names[MARKS] = {"joined", "locked",  "half",
                                              "whole",  "reading", "end"};

static struct board *armed;

static uint32_t site_count(void)
{
    uint32_t count;
    instrument_sites(&count);
    return count;
}

static const struct instrument_site *site_of(uint32_t point)
{
    uint32_t count;
    struct instrument_site *const *sites = instrument_sites(&count);
    return point < count ? sites[point] : NULL;
}

uint32_t points_count(void)
{
    CHECK(site_count() + MARKS <= POINTS_MAX);
    return site_count() + MARKS;
}

const char *point_text(uint32_t point)
{
    static char text[160];
    const struct instrument_site *site = site_of(point);
    if (site == NULL)
        snprintf(text, sizeof text, "victim:%s",
                 mark_names[point - site_count()]);
    else
        snprintf(text, sizeof text, "%s:%d:%s", site->file, site->line,
                 site->name);
    return text;
}

bool point_excused(uint32_t point)
{
    static uint32_t used[EXCUSES];
    const struct instrument_site *site = site_of(point);
    for (size_t i = 0; site != NULL && i < EXCUSES; i++)
        if (strcmp(site->file, excuses[i].file) == 0 &&
            strcmp(site->name, excuses[i].name) == 0)
            return ++used[i] <= excuses[i].sites;
    return false;
}

/** True if others can see what is stored there. */
static bool shared(const volatile void *address)
{
    uintptr_t at = (uintptr_t)address;
    for (int i = 0; i < HANDLE_REGIONS; i++) {
        const struct region *r = &wshm_regions[i];
        if (at - (uintptr_t)r->platform.control_view <
                r->platform.control_bytes ||
            (r->data != NULL && at - (uintptr_t)r->data < r->size))
            return true;
    }
    return false;
}

static void pass(uint32_t point)
{
    struct board *board = armed;
    if (atomic_fetch_add(&board->passed[point], 1) + 1 != board->passing ||
        board->target != point + 1)
        return;
    board->fired = 1;
    if (board->fate == DIES)
        child_die();
    parent_tell('s');
    parent_hear(); /* to be killed is no answer */
}

static int32_t pass_site(struct instrument_site *site,
                         const volatile void *address)
{
    if (address == NULL || shared(address))
        pass(site->index);
    else
        armed->hidden[site->index] = 1;
    return 0;
}

void points_arm(struct board *board)
{
    armed = board;
    instrument_set_hook(pass_site);
}

void points_disarm(void)
{
    instrument_set_hook(NULL);
}

void points_mark(enum mark mark)
{
    pass(site_count() + mark);
}

bool words_read(uint32_t *word, uint32_t *version)
{
    for (int i = 0; i < HANDLE_REGIONS; i++) {
        const struct layout_control *control =
            wshm_regions[i].platform.control_view;
        if (control == NULL)
            continue;
        *word = control->lock.word;
        *version = control->lock.version;
        return true;
    }
    return false;
}
