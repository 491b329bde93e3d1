/* A worker: opens, locks, changes, waits and closes, until it is killed. Each
 * state is written down before the call that it names. */
#include "board.h"
#include "check.h"
#include "child.h"

struct worker {
    struct board *board;
    struct line *line;
    winshm_region *h;
    uint8_t id[16]; /* of the life that h is in */
    int who;
    uint32_t run;
    uint32_t seed;
};

static void enter(struct worker *w, enum state state)
{
    w->line->state = state;
    w->line->progress++;
}

/** Long against the rest of a section; and now and then so long that others
 * park, and that a kill arrives that takes its time. */
static void linger(struct worker *w)
{
    uint32_t seldom = child_slow() ? 4 : 16,
             long_us = child_slow() ? 8000 : 2000;
    uint32_t most = dice(&w->seed) % seldom == 0 ? long_us : 40;
    uint64_t end = clock_us() + dice(&w->seed) % most;
    while (clock_us() < end)
        ;
}

static void lock(struct worker *w, uint32_t mode, winshm_status *status)
{
    enter(w, mode == WINSHM_SHARED ? LOCKING_SHARED : LOCKING_EXCLUSIVE);
    *status = winshm_lock(w->h, mode, PATIENCE_MS);
}

static void unlock(struct worker *w, uint32_t mode)
{
    enter(w, UNLOCKING);
    CHECK_OK(winshm_unlock(w->h, mode));
    enter(w, BETWEEN);
}

/** How long the region was without an owner, if it is known who that was: it
 * may have died before it could write itself down. */
static void take_sample(struct worker *w, const struct data *data)
{
    struct board *board = w->board;
    uint32_t now = (uint32_t)clock_us(), dead = data->owner - 1;
    if (dead >= WORKERS_MAX || board->lines[dead].kills != data->owner_run + 1)
        return;
    uint32_t took = now - board->lines[dead].killed_at;
    uint32_t place = atomic_fetch_add(&board->samples, 1);
    if (place < board->samples_max)
        board->sample_us[place] = took;
}

static void recover(struct worker *w, struct data *data)
{
    take_sample(w, data);
    data->owner_run = w->run;
    data->owner = (uint32_t)w->who + 1;
    data->told++;
    w->line->told++;
    if (data->first != data->second) {
        data->second = data->first;
        w->line->repaired++;
    }
    CHECK_OK(winshm_make_consistent(w->h));
}

static void audit(struct worker *w, const struct data *data)
{
    int other;
    const char *wrong = oracle_audit(data, w->board, w->id, w->line, &other);
    if (wrong != NULL)
        check_end(1, __FILE__, __LINE__, "worker %d: %s (%d)", w->who, wrong,
                  other);
}

static void write_section(struct worker *w)
{
    struct data *data = winshm_data(w->h);
    winshm_status status;
    lock(w, WINSHM_EXCLUSIVE, &status);
    enter(w, WRITING);
    if (status == WINSHM_E_OWNER_DEAD)
        recover(w, data);
    else
        CHECK_OK(status);
    data->owner_run = w->run;
    data->owner = (uint32_t)w->who + 1;
    audit(w, data);
    uint32_t value = data->first + 1;
    enter(w, HALF);
    data->first = value;
    linger(w);
    data->second = value;
    enter(w, WRITING);
    linger(w);
    data->done[w->who]++;
    unlock(w, WINSHM_EXCLUSIVE);
    w->line->acknowledged++;
    w->line->sections++;
}

static void read_section(struct worker *w)
{
    struct data *data = winshm_data(w->h);
    winshm_status status;
    lock(w, WINSHM_SHARED, &status);
    if (status == WINSHM_E_OWNER_DEAD)
        return;
    CHECK_OK(status);
    enter(w, READING);
    uint32_t value = data->first;
    linger(w);
    if (data->first != value || data->second != value) {
        w->line->torn++;
        check_end(1, __FILE__, __LINE__, "worker %d reads torn data", w->who);
    }
    unlock(w, WINSHM_SHARED);
    w->line->reads++;
}

/** Copies, which may or may not take the lock. */
static void read_copy(struct worker *w)
{
    uint32_t words[2];
    enter(w, COPYING);
    winshm_status status =
        winshm_read(w->h, 0, words, sizeof words, PATIENCE_MS);
    if (status == WINSHM_E_OWNER_DEAD)
        return;
    CHECK_OK(status);
    if (words[0] != words[1]) {
        w->line->torn++;
        check_end(1, __FILE__, __LINE__, "worker %d copies torn data", w->who);
    }
    enter(w, BETWEEN);
    w->line->reads++;
}

/** A size never falls, and what is new is zero until its grower has written
 * it, which a death may prevent. */
static void grow(struct worker *w)
{
    enter(w, GROWING);
    uint8_t *data = winshm_data(w->h);
    uint64_t size = winshm_size(w->h), now = size + dice(&w->seed) % 200;
    for (int i = 0; i < WORKERS_MAX; i++) {
        const struct line *line = &w->board->lines[i];
        uint32_t least = line->grown; /* which is written before the id */
        if (memcmp((void *)(uintptr_t)line->id, w->id, 16) == 0 &&
            winshm_size(w->h) < least)
            check_end(1, __FILE__, __LINE__, "worker %d: the size has fallen",
                      w->who);
    }
    winshm_status status = WINSHM_OK;
    if (now <= CAPACITY)
        status = winshm_resize(w->h, now, PATIENCE_MS);
    /* Another one may have made it larger, or a creator who asked for less. */
    if (status == WINSHM_E_SIZE || now > CAPACITY)
        now = winshm_size(w->h);
    else
        CHECK_OK(status);
    for (uint64_t i = sizeof(struct data); i < now; i++)
        if (data[i] != 0 && data[i] != grown_byte(i)) {
            w->line->torn++;
            check_end(1, __FILE__, __LINE__, "worker %d: 0x%x at %u", w->who,
                      data[i], (unsigned)i);
        }
    for (uint64_t i = size; status == WINSHM_OK && i < now; i++)
        data[i] = grown_byte(i);
    w->line->grown = (uint32_t)now;
    enter(w, BETWEEN);
}

static void wait_for_change(struct worker *w)
{
    uint32_t now, milliseconds = dice(&w->seed) % 50;
    void *handle;
    CHECK_OK(winshm_change_count(w->h, &now));
    if (dice(&w->seed) % 2 == 0 &&
        winshm_wait_handle(w->h, &handle) == WINSHM_OK) {
        enter(w, WAITING_EVENT);
        handle_fires(handle, milliseconds);
    } else {
        enter(w, WAITING_CHANGE);
        winshm_status status = winshm_wait(w->h, now, milliseconds, NULL);
        if (status != WINSHM_E_TIMEOUT)
            CHECK_OK(status);
    }
    enter(w, BETWEEN);
}

static void close_it(struct worker *w)
{
    enter(w, CLOSING);
    CHECK_OK(winshm_close(w->h));
    enter(w, BETWEEN);
}

/** Acknowledgements count within one life of the region. The id is written
 * last: who finds another one there expects no updates of this worker. */
static void begin_life(struct worker *w)
{
    winshm_info info = {.struct_size = sizeof info};
    CHECK_OK(winshm_get_info(w->h, &info));
    w->line->opened++;
    w->line->created += info.origin == WINSHM_ORIGIN_CREATED;
    memcpy(w->id, info.id, 16);
}

static void spell(struct worker *w, const char *name)
{
    enter(w, JOINING);
    uint32_t flags = dice(&w->seed) % 2 == 0 ? 0 : WINSHM_TASK;
    winshm_options o = {.struct_size = sizeof o,
                        .flags = flags,
                        .disposition = WINSHM_OPEN_OR_CREATE,
                        .size = sizeof(struct data),
                        .capacity = CAPACITY,
                        .name = name};
    CHECK_OK(winshm_open_with(&o, &w->h));
    begin_life(w);
    if (memcmp((void *)(uintptr_t)w->line->id, w->id, 16) != 0) {
        w->line->acknowledged = 0;
        w->line->grown = 0;
        w->line->kills_before = w->run;
        for (int i = 0; i < 16; i++)
            w->line->id[i] = w->id[i];
    }
    for (uint32_t i = dice(&w->seed) % 40; i > 0; i--) {
        switch (dice(&w->seed) % 16) {
        case 0:
        case 1:
            read_section(w);
            break;
        case 2:
        case 3:
            read_copy(w);
            break;
        case 4:
            wait_for_change(w);
            break;
        case 5:
        case 6:
            enter(w, NOTIFYING);
            CHECK_OK(winshm_notify(w->h));
            break;
        case 7:
            grow(w);
            break;
        default:
            write_section(w);
        }
    }
    close_it(w);
}

/** A region that few have open, so that most of its lives are short. */
static void brief_spell(struct worker *w, const char *name)
{
    winshm_status status, expected = WINSHM_E_EXISTS;
    if (dice(&w->seed) % 3 != 0) {
        enter(w, CREATING);
        status = winshm_create(name, sizeof(struct brief), 0, &w->h);
    } else {
        enter(w, OPENING);
        status = winshm_open(name, 0, &w->h);
        expected = WINSHM_E_NOT_FOUND;
    }
    enter(w, BETWEEN);
    if (status == expected)
        return;
    CHECK_OK(status);
    begin_life(w);
    uint32_t stamp;
    memcpy(&stamp, w->id, sizeof stamp);
    stamp |= 1;
    lock(w, WINSHM_EXCLUSIVE, &status);
    enter(w, WRITING);
    if (status == WINSHM_E_OWNER_DEAD)
        CHECK_OK(winshm_make_consistent(w->h));
    else
        CHECK_OK(status);
    struct brief *brief = winshm_data(w->h);
    if (brief->stamp == 0)
        brief->stamp = stamp;
    if (brief->stamp != stamp) {
        w->line->lost++;
        check_end(1, __FILE__, __LINE__,
                  "worker %d: a life has another one's data", w->who);
    }
    unlock(w, WINSHM_EXCLUSIVE);
    close_it(w);
}

void worker_run(const char *name, uint32_t number)
{
    struct worker w = {.who = (int)(number % WORKERS_MAX), .seed = number};
    char board_name[80], brief_name[80];
    uint32_t lives = child_slow() ? 4 : 20;
    winshm_region *board;
    snprintf(board_name, sizeof board_name, "%s-board", name);
    snprintf(brief_name, sizeof brief_name, "%s-brief", name);
    CHECK_OK(winshm_open(board_name, WINSHM_RAW, &board));
    w.board = winshm_data(board);
    w.line = &w.board->lines[w.who];
    w.run = w.line->kills;
    w.line->linux_pid = child_linux_pid();
    enter(&w, BETWEEN);
    parent_tell('w');
    for (;;) {
        if (dice(&w.seed) % 3 == 0)
            for (uint32_t i = dice(&w.seed) % lives; i > 0; i--)
                brief_spell(&w, brief_name);
        else
            spell(&w, name);
    }
}
