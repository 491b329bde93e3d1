/* What has to hold after a victim's death, wherever it was. */
#include "points.h"

void scene_section(struct scene *s, winshm_region *h)
{
    struct data *data = winshm_data(h);
    winshm_status status = winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS);
    if (status == WINSHM_E_OWNER_DEAD) {
        s->told++;
        data_repair(data);
        CHECK_OK(winshm_make_consistent(h));
    } else {
        CHECK_OK(status);
    }
    CHECK(data_whole(data));
    CHECK(data->done >= s->board->acknowledged);
    data->first++;
    data->second++;
    data->others++;
    s->sections++;
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
}

static void open_names(const struct scene *s)
{
    static const char *const neighbours[] = {"", "-plain", "-none", "-sort",
                                             "-other"};
    int count = (s->script->traits & NEIGHBOURS) != 0 ? 5 : 1;
    char name[NAME_BYTES + 8];
    winshm_region *h;
    /* What a dead process has left, the next opener removes. */
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s%s", s->name, neighbours[i]);
        winshm_status status = winshm_open(name, 0, &h);
        CHECK(status == WINSHM_E_NOT_FOUND || status == WINSHM_E_NOT_MANAGED ||
              status == WINSHM_E_KIND);
    }
}

static void clear_outsiders(struct scene *s)
{
    char name[NAME_BYTES + 8];
    if (s->plain.data != NULL)
        plain_close(&s->plain);
    if ((s->script->traits & OUTSIDER) != 0)
        plain_remove(s->name);
    if ((s->script->traits & NEIGHBOURS) == 0)
        return;
    snprintf(name, sizeof name, "%s-plain", s->name);
    plain_remove(name);
    snprintf(name, sizeof name, "%s-sort", s->name);
    plain_clear(name, s->obstacle);
}

/** Neither a name nor, where names go with their users, an open object. */
static void judge_gone(const struct scene *s, uint64_t end)
{
    char control[NAME_BYTES + 8];
    struct plain plain;
    snprintf(control, sizeof control, "%s.winshm", s->name);
    while (plain_open(&plain, s->name, 0) || plain_open(&plain, control, 0)) {
        /* For a moment after its end a process may have what it had. */
        plain_close(&plain);
        CHECK(clock_ms() < end);
        sleep_ms(1);
    }
    CHECK(plain_count(s->name) <= 0);
}

static bool file_exists(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file != NULL)
        fclose(file);
    return file != NULL;
}

/** Whatever a dead process has left at the path, the next one can have it, and
 * leaves nothing. */
static void judge_link(const struct scene *s)
{
    char path[NAME_BYTES + 8], part[NAME_BYTES + 24];
    winshm_region *h, *found;
    snprintf(path, sizeof path, "%s.link", s->name);
    snprintf(part, sizeof part, "%s.winshm-link", path);
    winshm_status status = winshm_open_link(path, 0, 0, &found);
    CHECK(status == WINSHM_E_NOT_FOUND);
    CHECK_OK(winshm_create(NULL, 1, 0, &h));
    CHECK_OK(winshm_link(h, path));
    CHECK_OK(winshm_open_link(path, 0, 0, &found));
    CHECK_OK(winshm_close(found));
    CHECK_OK(winshm_close(h));
    CHECK(!file_exists(path));
    CHECK(!file_exists(part));
}

/** Raw blocks belong to their users: nobody cleans up, and nobody has to. */
static void judge_raw(struct scene *s)
{
    winshm_region *h;
    CHECK_OK(
        winshm_open_or_create(s->name, sizeof(struct data), WINSHM_RAW, &h));
    CHECK(winshm_size(h) >= sizeof(struct data));
    CHECK_OK(winshm_close(h));
    plain_remove(s->name);
}

/** Exactly as many as there are, and a dead one's slot can be had again. */
static void judge_participants(winshm_region *h, uint32_t expected)
{
    winshm_info info = {.struct_size = sizeof info};
    winshm_participant all[8] = {{.struct_size = sizeof all[0]}};
    uint32_t count;
    CHECK_OK(winshm_get_info(h, &info));
    CHECK_EQ(info.participants, expected);
    CHECK_EQ(info.lock_state, 0);
    CHECK_OK(winshm_get_participants(h, all, 8, &count));
    CHECK_EQ(count, expected);
    for (uint32_t i = 0; i < count; i++)
        if ((all[i].flags & WINSHM_PARTICIPANT_SELF) != 0)
            CHECK(all[i].slot <= expected);
}

/** OWNER_DEAD is told once where a section was cut off, and nowhere else. */
static void judge_told(const struct scene *s)
{
    const struct board *board = s->board;
    uint32_t state = board->state;
    bool unrepaired = s->torn && board->repaired == 0;
    if (state == INSIDE || (unrepaired && state != RELEASING))
        CHECK_EQ(s->told, 1);
    else if (state == OUTSIDE || state == READING)
        CHECK_EQ(s->told, 0);
    else
        CHECK(s->told <= 1);
    if (s->exact)
        CHECK_EQ(s->told, s->cut_off);
}

/** What the victim's death has left of the lock, before anybody touches it. */
static void read_words(struct scene *s)
{
    uint32_t word, version;
    /* An actor may be at it. */
    s->exact = s->keeper != NULL && !s->actor.sent;
    if (!s->exact)
        return;
    CHECK(words_read(&word, &version));
    s->cut_off = version & 1;
    /* A free word and an odd version would keep those out for ever who read
     * without the lock. */
    CHECK(word != 0 || !s->cut_off);
}

/** Nothing that was acknowledged is lost, and nothing else has appeared. */
static void judge_data(const struct scene *s, winshm_region *h)
{
    const struct data *data = winshm_data(h);
    const struct board *board = s->board;
    uint32_t count;
    CHECK(data_whole(data));
    CHECK(data->done == board->acknowledged ||
          data->done == board->acknowledged + 1);
    CHECK_EQ(data->others, s->sections);
    /* A section that the dead began but had not counted may be in first. */
    CHECK(data->first - data->done - data->others <= (s->torn ? 2u : 1u));
    CHECK(data->block[0] == (unsigned char)board->written ||
          data->block[0] == (unsigned char)(board->written + 1));
    CHECK_OK(winshm_change_count(h, &count));
    CHECK(count >= board->notified);
}

/** All see one size, what is new is zero, and it grows on. */
static void judge_size(const struct scene *s, winshm_region *from,
                       winshm_region *to)
{
    uint64_t least = sizeof(struct data) + s->board->grown;
    uint64_t size = winshm_size(to);
    const uint8_t *data = winshm_data(to);
    if ((s->script->traits & GROWS) == 0)
        return;
    CHECK(size == least || size == least + STEP);
    for (uint64_t i = sizeof(struct data); i < size; i++)
        CHECK(data[i] == 0);
    CHECK_OK(winshm_resize(from, size + STEP, LIMIT_MS));
    CHECK_EQ(winshm_size(to), size + STEP);
    CHECK_EQ(data[size + STEP - 1], 0);
}

static void judge_change(winshm_region *from, winshm_region *to)
{
    uint32_t seen, now;
    CHECK_OK(winshm_change_count(to, &seen));
    CHECK_OK(winshm_notify(from));
    CHECK_OK(winshm_wait(to, seen, LIMIT_MS, &now));
    CHECK_EQ(now, seen + 1);
}

static void judge_actor(struct scene *s, uint64_t end)
{
    if (!s->actor.sent)
        return;
    while (!s->actor.ended) {
        CHECK(clock_ms() < end);
        sleep_ms(0);
    }
    thread_join(s->actor.thread);
}

/** Its block is the one that was used, and stays. */
static void judge_outsider(const struct scene *s)
{
    struct plain again;
    if ((s->script->traits & OUTSIDER) == 0)
        return;
    const struct data *data = s->plain.data;
    CHECK_EQ(data->others, s->sections);
    CHECK(plain_open(&again, s->name, sizeof(struct data)));
    data = again.data;
    CHECK_EQ(data->others, s->sections);
    plain_close(&again);
}

/** The death of an observer, who may change nothing, changes nothing. */
static void judge_read_only(struct scene *s)
{
    scene_section(s, s->keeper);
    judge_told(s);
    judge_data(s, s->keeper);
    judge_participants(s->keeper, 1);
    CHECK_OK(winshm_close(s->keeper));
}

/** Whoever waits for a change that has happened hears of it, even if the one
 * who should have woken it died before that. */
static void judge_wake(const struct scene *s, uint64_t end)
{
    uint32_t now;
    if (!s->actor.sent || s->actor.errand != ERRAND_WAIT)
        return;
    CHECK_OK(winshm_change_count(s->keeper, &now));
    while (now != 0 && !s->actor.ended) {
        CHECK(clock_ms() < end);
        sleep_ms(0);
    }
}

/** Those who stay and those who come: all of it works. */
static void judge(struct scene *s, uint64_t end)
{
    winshm_region *newcomer, *other = s->keeper;
    judge_wake(s, end);
    if (other != NULL) {
        CHECK_OK(winshm_open(s->name, 0, &newcomer));
    } else {
        /* Half of the time what is left is removed, else it is built upon. */
        if (s->board->fate == STOPS && !s->actor.sent)
            open_names(s);
        CHECK_OK(
            winshm_open_or_create(s->name, sizeof(struct data), 0, &newcomer));
        CHECK_OK(winshm_open(s->name, 0, &other));
    }
    scene_section(s, newcomer);
    scene_section(s, other);
    judge_size(s, newcomer, other);
    /* What the dead did not notify of, somebody else does. */
    judge_change(newcomer, other);
    judge_actor(s, end);
    CHECK_OK(winshm_lock(newcomer, WINSHM_SHARED, LIMIT_MS));
    CHECK_OK(winshm_lock(other, WINSHM_SHARED, LIMIT_MS));
    CHECK_OK(winshm_unlock(newcomer, WINSHM_SHARED));
    CHECK_OK(winshm_unlock(other, WINSHM_SHARED));
    judge_told(s);
    judge_data(s, newcomer);
    judge_participants(newcomer, s->actor.h != NULL ? 3 : 2);
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_close(newcomer));
    if (s->actor.h != NULL)
        CHECK_OK(winshm_close(s->actor.h));
}

/** The file is whole, and the one beside it is in nobody's way. */
static void judge_file(const struct scene *s)
{
    const char *path = points_file(s->name);
    char part[600];
    winshm_region *h;
    if ((s->script->traits & SAVES) == 0)
        return;
    snprintf(part, sizeof part, "%s-loads", s->name);
    CHECK_OK(winshm_create(part, sizeof(struct data), 0, &h));
    const struct data *data = winshm_data(h);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(winshm_load(h, path, 0));
        CHECK(data_whole(data) && data->block[0] == 1);
        CHECK_OK(winshm_save(h, path, LIMIT_MS));
    }
    CHECK_OK(winshm_close(h));
    snprintf(part, sizeof part, "%s.winshm-part", path);
    CHECK(remove(part) != 0);
    CHECK_EQ(remove(path), 0);
}

void oracle(struct scene *s)
{
    uint64_t end = clock_ms() + LIMIT_MS;
    if ((s->script->traits & RAW) != 0) {
        judge_raw(s);
        return;
    }
    read_words(s);
    if ((s->script->traits & LINKS) != 0)
        judge_link(s);
    judge_file(s);
    if ((s->script->traits & READ_ONLY) != 0)
        judge_read_only(s);
    else
        judge(s, end);
    judge_outsider(s);
    /* The last one has left as it should. */
    if ((s->script->traits & (OUTSIDER | NEIGHBOURS)) == 0)
        CHECK(plain_count(s->name) <= 0);
    open_names(s);
    clear_outsiders(s);
    judge_gone(s, end);
    CHECK(clock_ms() < end);
}
