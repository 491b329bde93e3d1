/* What surrounds a victim: those who stay, hold, wait and die around it. */
#include "points.h"

/* The actor. */

static void act(void *argument)
{
    struct actor *a = argument;
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_OPEN_EXISTING,
                        .timeout_ms = PATIENCE_MS,
                        .name = a->scene->name};
    switch (a->errand) {
    case ERRAND_EXCLUSIVE:
        scene_section(a->scene, a->h);
        break;
    case ERRAND_WAIT:
        CHECK_OK(winshm_wait(a->h, a->seen, PATIENCE_MS, &a->seen));
        break;
    case ERRAND_OPEN:
        CHECK_OK(winshm_open_with(&o, &a->h));
        break;
    }
    a->ended = 1;
}

static void send(struct scene *s, enum errand errand)
{
    s->actor.scene = s;
    s->actor.errand = errand;
    s->actor.sent = true;
    s->actor.thread = thread_start(act, &s->actor);
}

/* Looking at the victim. */

static bool gone(struct scene *s)
{
    while (s->heard == -2) {
        int heard = child_hear(&s->victim, 0);
        if (heard == -2)
            return false;
        if (heard == 'j')
            s->joined = true;
        else
            s->heard = heard;
    }
    return true;
}

static bool waits(const struct scene *s, uint32_t pid)
{
    winshm_participant all[8] = {{.struct_size = sizeof all[0]}};
    uint32_t count;
    CHECK_OK(winshm_get_participants(s->keeper, all, 8, &count));
    for (uint32_t i = 0; i < count && i < 8; i++)
        if (all[i].pid == pid && (all[i].flags & WINSHM_PARTICIPANT_WAITING))
            return true;
    return false;
}

/** Until the victim waits in the library. @return false: gone before that. */
static bool until_waiting(struct scene *s)
{
    for (uint64_t end = clock_ms() + PATIENCE_MS; !gone(s); sleep_ms(1)) {
        CHECK(clock_ms() < end);
        if (waits(s, s->victim.pid)) {
            sleep_ms(2); /* which is when it takes the seat */
            return true;
        }
    }
    return false;
}

static bool until_state(struct scene *s, enum state state)
{
    for (uint64_t end = clock_ms() + PATIENCE_MS; !gone(s); sleep_ms(0)) {
        CHECK(clock_ms() < end);
        if (s->board->state == state)
            return true;
    }
    return false;
}

static bool until_joined(struct scene *s)
{
    for (uint64_t end = clock_ms() + PATIENCE_MS; !s->joined; sleep_ms(0)) {
        CHECK(clock_ms() < end);
        if (gone(s))
            return false;
    }
    return true;
}

/* Props: processes that are dead, or about to die, when the victim begins. */

static void prop_enters(struct scene *s, const char *part)
{
    s->prop = role_start(part, s->name);
    s->prop_lives = true;
    CHECK_EQ(child_hear(&s->prop, PATIENCE_MS), 'p');
}

static void prop_dies(struct scene *s)
{
    if (s->prop_lives)
        child_kill(&s->prop);
    s->prop_lives = false;
}

/* Scenes. */

static void keeper_exclusive(struct scene *s)
{
    CHECK_OK(winshm_lock(s->keeper, WINSHM_EXCLUSIVE, 0));
}

static void keeper_shared(struct scene *s)
{
    CHECK_OK(winshm_lock(s->keeper, WINSHM_SHARED, 0));
}

/** The victim waits for the lock and is waited for when it has it. */
static void release(struct scene *s, uint32_t mode, enum state state)
{
    until_waiting(s);
    CHECK_OK(winshm_unlock(s->keeper, mode));
    if (until_state(s, state))
        send(s, ERRAND_EXCLUSIVE);
}

static void release_to_owner(struct scene *s)
{
    release(s, WINSHM_EXCLUSIVE, INSIDE);
}

static void release_to_reader(struct scene *s)
{
    release(s, WINSHM_EXCLUSIVE, READING);
}

static void readers_leave(struct scene *s)
{
    release(s, WINSHM_SHARED, INSIDE);
}

static void outlast(struct scene *s)
{
    while (!gone(s))
        sleep_ms(1);
    CHECK_OK(winshm_unlock(s->keeper, WINSHM_EXCLUSIVE));
}

static void outlast_drain(struct scene *s)
{
    if (until_waiting(s))
        send(s, ERRAND_EXCLUSIVE);
    while (!gone(s))
        sleep_ms(1);
    CHECK_OK(winshm_unlock(s->keeper, WINSHM_SHARED));
}

static void go_on(struct scene *s)
{
    child_tell(&s->victim, 'g');
}

static void owner_dead(struct scene *s)
{
    prop_enters(s, "prop-hold");
    prop_dies(s);
    s->torn = true;
}

static void owner_dies(struct scene *s)
{
    until_joined(s);
    owner_dead(s);
    go_on(s);
}

/** Not before the victim waits for it. */
static void owner_dies_late(struct scene *s)
{
    if (!until_joined(s))
        return;
    prop_enters(s, "prop-hold");
    s->torn = true;
    go_on(s);
    until_waiting(s);
    prop_dies(s);
}

/** Not before the victim has waited for the keeper, too. */
static void owners_change(struct scene *s)
{
    until_waiting(s);
    CHECK_OK(winshm_unlock(s->keeper, WINSHM_EXCLUSIVE));
    owner_dies_late(s);
}

static void reader_dead(struct scene *s)
{
    prop_enters(s, "prop-read");
    prop_dies(s);
}

static void reader_dies(struct scene *s)
{
    until_joined(s);
    reader_dead(s);
    go_on(s);
}

/** A waiter died in the seat, and the lock is free. */
static void seat_stale(struct scene *s)
{
    keeper_exclusive(s);
    prop_enters(s, "prop-wait");
    for (uint64_t end = clock_ms() + PATIENCE_MS; !waits(s, s->prop.pid);) {
        CHECK(clock_ms() < end);
        sleep_ms(1);
    }
    sleep_ms(20); /* also on a busy machine it has taken the seat then */
    prop_dies(s);
    CHECK_OK(winshm_unlock(s->keeper, WINSHM_EXCLUSIVE));
}

static void seat_goes_stale(struct scene *s)
{
    until_joined(s);
    seat_stale(s);
    go_on(s);
}

static void actor_waits(struct scene *s)
{
    void *event;
    CHECK_OK(winshm_change_count(s->keeper, &s->actor.seen));
    winshm_wait_handle(s->keeper, &event); /* where there is such a thing */
    send(s, ERRAND_WAIT);
    for (uint64_t end = clock_ms() + PATIENCE_MS; !waits(s, child_pid());) {
        CHECK(clock_ms() < end);
        sleep_ms(1);
    }
}

static void notify_waiting(struct scene *s)
{
    if (until_waiting(s))
        CHECK_OK(winshm_notify(s->keeper));
}

static void notify_joined(struct scene *s)
{
    if (until_joined(s))
        CHECK_OK(winshm_notify(s->keeper));
}

static void actor_opens(struct scene *s)
{
    send(s, ERRAND_OPEN);
}

static void joined_waits(struct scene *s)
{
    if (until_joined(s) && until_waiting(s))
        go_on(s);
}

static void keeper_enters(struct scene *s)
{
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_CREATE_NEW,
                        .size = sizeof(struct data),
                        .layout_tag = 7,
                        .layout = ROLE_LAYOUT,
                        .name = s->name};
    if ((s->script->traits & READ_ONLY) != 0)
        o.security = child_slow() ? "D:P(A;;GR;;;WD)" : "everyone-read";
    if ((s->script->traits & GROWS) != 0)
        o.capacity = CAPACITY;
    CHECK_OK(winshm_open_with(&o, &s->keeper));
}

static void keeper_leaves(struct scene *s)
{
    bool joined = until_joined(s);
    CHECK_OK(winshm_close(s->keeper));
    s->keeper = NULL;
    if (joined)
        go_on(s);
}

static void leftovers(struct scene *s)
{
    prop_enters(s, "prop-make-torn");
    prop_dies(s);
}

/** Of a region that the victim has nothing else to do with. */
static void leftovers_elsewhere(struct scene *s)
{
    prop_enters(s, "prop-make-other");
    prop_dies(s);
}

static void link_left(struct scene *s)
{
    prop_enters(s, "prop-link");
    prop_dies(s);
}

/** On Windows nothing is left unless somebody has it open. */
static void leftovers_held(struct scene *s)
{
    char control[NAME_BYTES + 8];
    snprintf(control, sizeof control, "%s.winshm", s->name);
    prop_enters(s, "prop-make-torn");
    CHECK(plain_open(&s->plain, control, 0));
    prop_dies(s);
}

/** The control section of an earlier life, with another list than ours. */
static void control_kept(struct scene *s)
{
    char control[NAME_BYTES + 8];
    snprintf(control, sizeof control, "%s.winshm", s->name);
    CHECK(plain_create(&s->plain, control, 65536));
    actor_opens(s);
}

static void outsider(struct scene *s)
{
    CHECK(plain_create(&s->plain, s->name, sizeof(struct data)));
}

static void outsider_twice(struct scene *s)
{
    outsider(s);
    prop_enters(s, "prop-make");
    prop_dies(s);
}

static void neighbours(struct scene *s)
{
    char name[NAME_BYTES + 8];
    snprintf(name, sizeof name, "%s-plain", s->name);
    CHECK(plain_create(&s->plain, name, sizeof(struct data)));
    snprintf(name, sizeof name, "%s-sort", s->name);
    s->obstacle = plain_obstruct(name, 0);
}

const struct script scripts[] = {
    {"create", "create", actor_opens, NULL, ALONE},
    {"create-described", "create-described", actor_opens, NULL,
     ALONE | WINDOWS_ONLY},
    {"create-locked", "create-locked", NULL, NULL, ALONE},
    {"create-kept", "create", control_kept, NULL, ALONE | WINDOWS_ONLY},
    {"revive", "take", leftovers_held, NULL, ALONE},
    {"adopt", "take", outsider, NULL, ALONE | OUTSIDER},
    {"adopt-again", "take", outsider_twice, NULL, ALONE | OUTSIDER},
    {"join", "join", NULL, NULL, 0},
    {"join-owner", "join", owner_dead, NULL, 0},
    {"join-reader", "join", reader_dead, NULL, 0},
    {"join-seat", "join", seat_stale, NULL, 0},
    {"refused", "refused", neighbours, NULL, NEIGHBOURS},
    {"last", "last", keeper_enters, keeper_leaves, ALONE},
    {"leave", "leave", keeper_enters, keeper_leaves, ALONE},
    {"sweep", "sweep", leftovers, NULL, ALONE},
    {"tidy", "create", leftovers_elsewhere, NULL,
     ALONE | NEIGHBOURS | LINUX_ONLY},
    {"raw", "raw", NULL, NULL, ALONE | RAW},
    {"observe", "observe", NULL, NULL, READ_ONLY},
    {"link", "link", NULL, NULL, ALONE | LINKS},
    {"link-stale", "link", link_left, NULL, ALONE | LINKS},
    {"fork", "fork", NULL, NULL, LINUX_ONLY | FORKS | LINKS},
    {"close-used", "close-used", NULL, joined_waits, 0},
    {"exclusive", "exclusive", NULL, NULL, MEMBER},
    {"exclusive-parked", "exclusive-contended", keeper_exclusive,
     release_to_owner, 0},
    {"exclusive-drains", "exclusive-contended", keeper_shared, readers_leave,
     0},
    {"exclusive-reaps", "exclusive-late", NULL, reader_dies, MEMBER},
    {"exclusive-unseats", "exclusive-late", NULL, seat_goes_stale, MEMBER},
    {"shared", "shared", NULL, NULL, MEMBER},
    {"shared-parked", "shared-contended", keeper_exclusive, release_to_reader,
     0},
    {"shared-second", "shared-second", NULL, NULL, MEMBER},
    {"tasks", "tasks", NULL, NULL, MEMBER},
    {"impatient", "impatient", keeper_exclusive, outlast, 0},
    {"impatient-drain", "impatient-drain", keeper_shared, outlast_drain, 0},
    {"heir", "heir", NULL, owner_dies, MEMBER},
    {"heir-parked", "heir", NULL, owner_dies_late, 0},
    {"heir-twice", "heir-twice", keeper_exclusive, owners_change, 0},
    {"told", "told", NULL, owner_dies, MEMBER},
    {"copy", "copy", NULL, NULL, MEMBER},
    {"copy-parts", "copy-parts", NULL, NULL, 0},
    {"save", "save", NULL, NULL, SAVES},
    {"load", "load", NULL, NULL, SAVES},
    {"notify", "notify", actor_waits, NULL, MEMBER},
    {"grow", "grow", actor_waits, NULL, GROWS},
    {"await", "await", NULL, notify_waiting, 0},
    {"await-two", "await-two", NULL, notify_waiting, 0},
    {"await-handle", "await-handle", NULL, notify_joined, 0},
    {NULL, NULL, NULL, NULL, 0}};

/** Whoever is stopped is alive, and keeps what it has. */
static void respect_stopped(struct scene *s)
{
    winshm_status expected = WINSHM_E_TIMEOUT;
    uint32_t state = s->board->state;
    if (s->keeper == NULL || (state != INSIDE && state != READING))
        return;
    CHECK_STATUS(winshm_lock(s->keeper, WINSHM_EXCLUSIVE, 3), expected);
    if (state == INSIDE)
        CHECK_STATUS(winshm_lock(s->keeper, WINSHM_SHARED, 0), expected);
}

/** Somebody comes, has the place of the dead if there is one, and the lock if
 * it can be had; the victim goes on beside it and must not disturb it. */
static void overtake_stopped(struct scene *s)
{
    winshm_region *h;
    CHECK_OK(winshm_open(s->name, 0, &h));
    const struct data *data = winshm_data(h);
    uint32_t mode = WINSHM_SHARED;
    winshm_status status = winshm_lock(h, mode, 3);
    if (status == WINSHM_E_OWNER_DEAD) {
        mode = WINSHM_EXCLUSIVE;
        status = winshm_lock(h, mode, 3);
    }
    bool held = status == WINSHM_OK || status == WINSHM_E_OWNER_DEAD;
    CHECK(held || status == WINSHM_E_TIMEOUT);
    uint64_t first = data->first;
    s->heard = -2;
    go_on(s);
    if (held) {
        sleep_ms(2);
        CHECK_EQ(data->first, first);
        CHECK_OK(winshm_unlock(h, mode)); /* what is torn stays so */
    }
    CHECK_OK(winshm_close(h));
    while (!gone(s))
        sleep_ms(0);
}

int scene_play(struct scene *s)
{
    const struct script *script = s->script;
    if ((script->traits & ALONE) == 0) {
        keeper_enters(s);
        if ((script->traits & READ_ONLY) == 0)
            CHECK_OK(winshm_open(s->name, 0, &s->actor.h));
    }
    if (script->before != NULL)
        script->before(s);
    s->heard = -2;
    s->victim = role_start(script->part, s->name);
    if (script->during != NULL)
        script->during(s);
    for (uint64_t end = clock_ms() + PATIENCE_MS; !gone(s); sleep_ms(0))
        CHECK(clock_ms() < end);
    prop_dies(s);
    if (s->heard == 's' && s->board->fate == RESUMES)
        overtake_stopped(s);
    if (s->heard == 's') {
        respect_stopped(s);
        child_kill(&s->victim);
        return -1;
    }
    return child_wait(&s->victim, PATIENCE_MS);
}
