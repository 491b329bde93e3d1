/* How long short waits last, and that nobody changes the system's tick. */
#include <stdlib.h>

#include "questions.h"

enum { WAITS = 15, TICK_MS = 16 };

/** In ms, as it is for the whole system now; 0: not told. */
static double tick(void)
{
    typedef LONG(NTAPI * query)(ULONG *, ULONG *, ULONG *);
    query ask = (query)smoke_function("ntdll.dll", "NtQueryTimerResolution");
    ULONG longest, shortest, now = 0;
    if (ask != NULL)
        ask(&longest, &shortest, &now);
    return (double)now / 1e4;
}

static int compare(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return a < b ? -1 : a > b;
}

static void ask_wait(struct answer *answer, uint32_t ms)
{
    double took[WAITS], before = tick();
    winshm_region *region;
    uint32_t seen;
    if (!smoke_expect(answer, "winshm_create()",
                      winshm_create(smoke_name("", "wait"), 100, 0, &region),
                      WINSHM_OK))
        return;
    winshm_change_count(region, &seen);
    for (int i = 0; i < WAITS; i++) {
        double began = smoke_ms();
        winshm_status status = winshm_wait(region, seen, ms, NULL);
        took[i] = smoke_ms() - began;
        smoke_expect(answer, "winshm_wait()", status, WINSHM_E_TIMEOUT);
    }
    qsort(took, WAITS, sizeof took[0], compare);
    smoke_see(answer,
              "%.2f ms (least), %.2f (median of %d), %.2f (most); the "
              "system's tick was %.2f ms before and %.2f after",
              took[0], took[WAITS / 2], WAITS, took[WAITS - 1], before, tick());
    smoke_judge(answer, took[0] >= ms && took[WAITS / 2] <= ms + 2 * TICK_MS);
    winshm_close(region);
}

void ask_wait_1(struct answer *answer)
{
    ask_wait(answer, 1);
}

void ask_wait_10(struct answer *answer)
{
    ask_wait(answer, 10);
}
