/* Workers that count in one region and are killed at any moment, half of them
 * with other bits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "questions.h"

enum { WORKERS = 4, TORN = 3, LOST = 4 };

/** Under the lock total and copy are the same, and the sum of what each has
 * added; what a worker knows to be added is never more than what is there. */
struct ledger {
    uint64_t total;
    uint64_t added[WORKERS];
    uint64_t repairs;
    uint64_t copy;
    volatile uint64_t known[WORKERS];
    volatile LONG stop;
    uint32_t padding;
};

static uint64_t sum(const struct ledger *ledger)
{
    uint64_t all = 0;
    for (int i = 0; i < WORKERS; i++)
        all += ledger->added[i];
    return all;
}

static bool is_whole(const struct ledger *ledger)
{
    return ledger->total == ledger->copy && ledger->total == sum(ledger);
}

static void repair(winshm_region *region, struct ledger *ledger)
{
    ledger->total = sum(ledger);
    ledger->copy = ledger->total;
    ledger->repairs++;
    winshm_make_consistent(region);
}

/** @return an exit code, 0 to go on. */
static int count_one(winshm_region *region, uint32_t number)
{
    struct ledger *ledger = winshm_data(region);
    winshm_status status =
        winshm_lock(region, WINSHM_EXCLUSIVE, SMOKE_PATIENCE_MS);
    if (status == WINSHM_E_OWNER_DEAD)
        repair(region, ledger);
    else if (status != WINSHM_OK)
        return -status;
    if (!is_whole(ledger))
        return TORN;
    if (ledger->added[number] < ledger->known[number])
        return LOST;
    uint64_t mine = ++ledger->added[number];
    ledger->total++;
    if (mine % 64 == 0)
        SwitchToThread(); /* in the middle */
    ledger->copy++;
    status = winshm_unlock(region, WINSHM_EXCLUSIVE);
    ledger->known[number] = mine;
    return -status;
}

static int look(winshm_region *region)
{
    struct ledger seen;
    winshm_status status =
        winshm_read(region, 0, &seen, sizeof seen, SMOKE_PATIENCE_MS);
    if (status == WINSHM_OK)
        return is_whole(&seen) ? 0 : TORN;
    return status == WINSHM_E_OWNER_DEAD ? 0 : -status;
}

int role_tortures(const char *name, uint32_t number)
{
    winshm_region *region;
    int code = 0;
    if (winshm_open(name, 0, &region) != WINSHM_OK || number >= WORKERS)
        return 1;
    struct ledger *ledger = winshm_data(region);
    for (uint32_t i = 0; code == 0 && !ledger->stop; i++)
        code = i % 4 == 0 ? look(region) : count_one(region, number);
    if (code == 0)
        code = -winshm_close(region);
    return code + (code != 0 ? 10 : 0);
}

static HANDLE start_worker(struct answer *answer, const char *name,
                           uint32_t number)
{
    char line[2 * MAX_PATH];
    if (smoke_options.partner == NULL || number % 2 == 0)
        return smoke_start(answer, SMOKE_AS_SELF, "tortures", name, number);
    snprintf(line, sizeof line, "\"%s\" --role tortures \"%s\" %lu",
             smoke_options.partner, name, (unsigned long)number);
    return smoke_start_program(answer, smoke_options.partner, line, NULL);
}

/** @return false if a worker has ended by itself, or none can be started. */
static bool replace(struct answer *answer, HANDLE *worker, const char *name,
                    uint32_t number)
{
    TerminateProcess(*worker, SMOKE_KILLED);
    int code = smoke_end(*worker, SMOKE_PATIENCE_MS);
    *worker = NULL;
    if (code != SMOKE_KILLED) {
        smoke_see(answer, "a worker ended with %d%s; ", code,
                  code == TORN + 10   ? " (torn data)"
                  : code == LOST + 10 ? " (lost updates)"
                                      : "");
        smoke_judge(answer, false);
        return false;
    }
    *worker = start_worker(answer, name, number);
    return *worker != NULL;
}

static void see_ledger(struct answer *answer, const struct ledger *ledger,
                       int kills)
{
    bool whole = is_whole(ledger);
    for (int i = 0; i < WORKERS; i++)
        whole = whole && ledger->added[i] >= ledger->known[i];
    smoke_see(answer, "%d kills, %llu repairs, %llu sections, %s; %s", kills,
              (unsigned long long)ledger->repairs,
              (unsigned long long)ledger->total,
              whole ? "nothing lost" : "the ledger is wrong",
              smoke_options.partner != NULL
                  ? "half of the workers with other bits"
                  : "workers of these bits only: --partner names others");
    smoke_judge(answer, whole && ledger->total > 0 && kills > 0);
}

void ask_torture(struct answer *answer)
{
    HANDLE workers[WORKERS] = {NULL};
    const char *name = smoke_name("", "torture");
    winshm_region *region;
    int kills = 0;
    if (smoke_options.torture_s == 0) {
        smoke_skip(answer, "not asked for: --torture 60 --partner FILE");
        return;
    }
    if (!smoke_expect(answer, "winshm_create()",
                      winshm_create(name, sizeof(struct ledger), 0, &region),
                      WINSHM_OK))
        return;
    struct ledger *ledger = winshm_data(region);
    bool going = true;
    for (uint32_t i = 0; i < WORKERS && going; i++)
        going = (workers[i] = start_worker(answer, name, i)) != NULL;
    double end = smoke_ms() + smoke_options.torture_s * 1000.0;
    srand(GetCurrentProcessId());
    while (going && smoke_ms() < end) {
        Sleep(20 + (DWORD)rand() % 60);
        uint32_t which = (uint32_t)rand() % WORKERS;
        going = replace(answer, &workers[which], name, which);
        kills++;
    }
    InterlockedExchange(&ledger->stop, 1);
    for (int i = 0; i < WORKERS; i++)
        if (workers[i] != NULL) {
            int code = smoke_end(workers[i], SMOKE_PATIENCE_MS);
            if (code != 0) {
                smoke_see(answer, "a worker ended with %d; ", code);
                smoke_judge(answer, false);
            }
        }
    if (going) {
        winshm_status status = winshm_lock(region, WINSHM_EXCLUSIVE, 1000);
        if (status == WINSHM_E_OWNER_DEAD)
            repair(region, ledger);
        see_ledger(answer, ledger, kills);
        winshm_unlock(region, WINSHM_EXCLUSIVE);
    }
    winshm_close(region);
}
