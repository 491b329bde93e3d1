/* Owners that die: when the heir is told, and when their names are gone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "questions.h"

enum { ROUNDS = 5, SOON_MS = 250 };

/** Volatile, since a compiler may think that nobody writes there. */
static volatile int *volatile nowhere;

enum how { HOLDS, CRASHES, CREATES };

/* What region and child share. */
struct shared {
    volatile double crashed_ms;
};

static const char *there(const char *name)
{
    static char text[100];
    snprintf(text, sizeof text, "%s-there", name);
    return text;
}

int role_holds(const char *name, uint32_t how)
{
    winshm_region *region;
    winshm_options options = {
        .struct_size = sizeof options,
        .disposition =
            how == CREATES ? WINSHM_CREATE_NEW : WINSHM_OPEN_EXISTING,
        .size = sizeof(struct shared),
        .name = name,
        .security = how == CREATES ? "D:(A;;GA;;;WD)" : NULL};
    winshm_status status = winshm_open_with(&options, &region);
    if (status != WINSHM_OK)
        return -status;
    /* A name of its own, and who shall look for it may do no more. */
    CreateEventA(NULL, TRUE, FALSE, there(name));
    status = winshm_lock(region, WINSHM_EXCLUSIVE, SMOKE_PATIENCE_MS);
    if (status != WINSHM_OK)
        return -status;
    if (how == CRASHES) {
        struct shared *shared = winshm_data(region);
        Sleep(100);
        shared->crashed_ms = smoke_ms();
        *nowhere = 1;
    }
    Sleep(SMOKE_PATIENCE_MS);
    return 0;
}

struct watch {
    HANDLE process;
    const char *name;
    bool kills;
    double killed, ended, gone;
};

static bool is_there(const char *name)
{
    HANDLE event = OpenEventA(SYNCHRONIZE, FALSE, name);
    bool found = event != NULL || GetLastError() != ERROR_FILE_NOT_FOUND;
    if (event != NULL)
        CloseHandle(event);
    return found;
}

static DWORD WINAPI watch_end(void *argument)
{
    struct watch *watch = argument;
    if (watch->kills) {
        Sleep(50);
        watch->killed = smoke_ms();
        TerminateProcess(watch->process, SMOKE_KILLED);
    }
    WaitForSingleObject(watch->process, SMOKE_PATIENCE_MS);
    watch->ended = smoke_ms();
    watch->gone = watch->ended;
    while (is_there(watch->name) && watch->gone - watch->ended < 1000)
        watch->gone = smoke_ms();
    return 0;
}

struct death {
    winshm_status status;
    double told;    /* after the death, in ms */
    double ended;   /* the same, of the process's end */
    double lingers; /* the name, after that end */
};

static struct death wait_for(winshm_region *region, HANDLE process,
                             const char *name, bool kills)
{
    struct death death = {WINSHM_E_SYSTEM, 0, 0, 0};
    struct watch watch = {process, there(name), kills, 0, 0, 0};
    HANDLE thread = smoke_thread(watch_end, &watch);
    death.status = winshm_lock(region, WINSHM_EXCLUSIVE, SMOKE_PATIENCE_MS);
    double told = smoke_ms();
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    double died = kills ? watch.killed
                        : ((struct shared *)winshm_data(region))->crashed_ms;
    death.told = told - died;
    death.ended = watch.ended - died;
    death.lingers = watch.gone - watch.ended;
    if (death.status == WINSHM_E_OWNER_DEAD)
        winshm_make_consistent(region);
    if (death.status == WINSHM_OK || death.status == WINSHM_E_OWNER_DEAD)
        winshm_unlock(region, WINSHM_EXCLUSIVE);
    smoke_end(process, 0);
    return death;
}

static int compare(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return a < b ? -1 : a > b;
}

static void see_deaths(struct answer *answer, const struct death *deaths,
                       int count, double most_ms)
{
    double told[ROUNDS];
    int gone = 0;
    double lingers = 0, ended = 0;
    for (int i = 0; i < count; i++) {
        told[i] = deaths[i].told;
        gone += deaths[i].lingers == 0;
        if (deaths[i].lingers > lingers)
            lingers = deaths[i].lingers;
        if (deaths[i].ended > ended)
            ended = deaths[i].ended;
        smoke_expect(answer, "the heir's lock", deaths[i].status,
                     WINSHM_E_OWNER_DEAD);
    }
    qsort(told, (size_t)count, sizeof told[0], compare);
    smoke_see(answer,
              "told after %.1f ms (median of %d), %.1f (most); process ended "
              "within %.1f ms; its name was gone by then %d times",
              told[count / 2], count, told[count - 1], ended, gone);
    if (gone < count)
        smoke_see(answer, ", else it stayed for up to %.2f ms", lingers);
    smoke_judge(answer, told[count / 2] <= most_ms);
}

static winshm_region *make(struct answer *answer, const char *name)
{
    winshm_region *region = NULL;
    smoke_expect(answer, "winshm_create()",
                 winshm_create(name, sizeof(struct shared), 0, &region),
                 WINSHM_OK);
    return region;
}

static void ask_deaths(struct answer *answer, enum how how, int rounds,
                       double most_ms)
{
    struct death deaths[ROUNDS];
    const char *name = smoke_name("", how == CRASHES ? "crashed" : "killed");
    winshm_region *region = make(answer, name);
    if (region == NULL)
        return;
    int count = 0;
    for (; count < rounds; count++) {
        HANDLE child = smoke_start(answer, SMOKE_AS_SELF, "holds", name, how);
        if (child == NULL)
            break;
        if (!smoke_held(region)) {
            smoke_see(answer, "the owner never locked: ended with 0x%lX; ",
                      (unsigned long)smoke_end(child, 0));
            smoke_judge(answer, false);
            break;
        }
        deaths[count] = wait_for(region, child, name, how != CRASHES);
    }
    if (count > 0)
        see_deaths(answer, deaths, count, most_ms);
    smoke_expect(answer, "winshm_close()", winshm_close(region), WINSHM_OK);
}

void ask_killed(struct answer *answer)
{
    ask_deaths(answer, HOLDS, ROUNDS, SOON_MS);
}

void ask_crashed(struct answer *answer)
{
    ask_deaths(answer, CRASHES, 1, SMOKE_PATIENCE_MS);
}

void ask_other_user(struct answer *answer)
{
    if (smoke_options.user == NULL) {
        smoke_skip(answer, "no second user was named: --user NAME, with the "
                           "password in WINSHM_SMOKE_PASSWORD");
        return;
    }
    winshm_region *region;
    const char *name = smoke_name("", "other");
    winshm_options options = {.struct_size = sizeof options,
                              .disposition = WINSHM_OPEN_EXISTING,
                              .timeout_ms = SMOKE_PATIENCE_MS,
                              .name = name,
                              .security = "anyone"};
    HANDLE child = smoke_start(answer, SMOKE_AS_OTHER, "holds", name, CREATES);
    if (child == NULL)
        return;
    if (!smoke_expect(answer, "winshm_open_with()",
                      winshm_open_with(&options, &region), WINSHM_OK)) {
        smoke_end(child, 0);
        return;
    }
    if (smoke_held(region)) {
        struct death death = wait_for(region, child, name, true);
        see_deaths(answer, &death, 1, SOON_MS);
    } else {
        smoke_end(child, 0);
        smoke_see(answer, "the owner never locked");
        smoke_judge(answer, false);
    }
    winshm_close(region);
}
