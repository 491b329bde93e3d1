/* Victims that create, join, leave and look. */
#include "roles.h"

static void create_for(const char *security)
{
    winshm_region *h;
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_CREATE_NEW,
                        .size = sizeof(struct data),
                        .capacity = 2 * sizeof(struct data),
                        .layout_tag = 7,
                        .security = security,
                        .layout = ROLE_LAYOUT,
                        .name = role_region};
    role_arm();
    CHECK_OK(winshm_open_with(&o, &h));
    points_mark(MARK_JOINED);
    CHECK_OK(winshm_close(h));
}

static void create(void)
{
    create_for("session");
}

static void create_described(void)
{
    create_for("D:P(D;;GA;;;BG)(A;;GA;;;WD)S:(ML;;NW;;;LW)");
}

/** Creates with the lock, and asks who is in the way of another one. */
static void create_locked(void)
{
    winshm_region *h, *other;
    role_board->state = WRITING;
    role_arm();
    CHECK_OK(winshm_open_or_create(role_region, sizeof(struct data),
                                   WINSHM_CREATE_LOCKED, &h));
    CHECK_STATUS(winshm_create(role_region, 1, 0, &other), WINSHM_E_EXISTS);
    CHECK(winshm_last_message()[0] != '\0');
    CHECK_OK(winshm_make_consistent(h));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(h));
}

static void join(void)
{
    winshm_region *h;
    winshm_info info = {.struct_size = sizeof info};
    winshm_participant all[8] = {{.struct_size = sizeof all[0]}};
    const winshm_field first[] = {WINSHM_FIELD(struct data, first)};
    char text[64];
    uint32_t count;
    role_arm();
    CHECK_OK(winshm_format_layout(first, 1, 8, text, sizeof text, &count));
    CHECK_OK(winshm_open(role_region, 0, &h));
    points_mark(MARK_JOINED);
    CHECK_OK(winshm_get_info(h, &info));
    CHECK_OK(winshm_get_participants(h, all, 8, &count));
    CHECK_OK(winshm_get_layout(h, text, sizeof text, &count));
    CHECK(strcmp(text, ROLE_LAYOUT) == 0);
    CHECK_OK(winshm_close(h));
    CHECK_OK(winshm_open_or_create(role_region, sizeof(struct data), 0, &h));
    CHECK_OK(winshm_close(h));
}

/** Creates or adopts, over what the scene has left there. */
static void take(void)
{
    winshm_region *h;
    role_arm();
    CHECK_OK(winshm_open_or_create(role_region, sizeof(struct data), 0, &h));
    points_mark(MARK_JOINED);
    CHECK_OK(winshm_close(h));
}

/** Every way of being turned away while, or before, the life lock is held. */
static void refused(void)
{
    winshm_region *h;
    winshm_status status;
    char other[NAME_BYTES + 8];
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_OPEN_EXISTING,
                        .timeout_ms = 3,
                        .layout_tag = 8,
                        .name = role_region};
    role_arm();
    CHECK_STATUS(winshm_create(role_region, 1, 0, &h), WINSHM_E_EXISTS);
    CHECK_STATUS(winshm_open_or_create(role_region, 1, 0, &h), WINSHM_E_SIZE);
    CHECK_STATUS(winshm_open_with(&o, &h), WINSHM_E_TAG);
    o.layout_tag = 0;
    o.layout = "both:{first:u64@0; second:i64@8; size 16}@0; size 16";
    CHECK_STATUS(winshm_open_with(&o, &h), WINSHM_E_TAG);
    snprintf(other, sizeof other, "%s-plain", role_region);
    o.name = other;
    CHECK_STATUS(winshm_open_with(&o, &h), WINSHM_E_NOT_MANAGED);
    CHECK_STATUS(winshm_create(other, 1, 0, &h), WINSHM_E_HELD);
    CHECK_STATUS(winshm_open_or_create(other, 1 << 20, 0, &h), WINSHM_E_SIZE);
    snprintf(other, sizeof other, "%s-none", role_region);
    CHECK_STATUS(winshm_open_with(&o, &h), WINSHM_E_NOT_FOUND);
    CHECK_STATUS(winshm_open_or_create(other, 0, 0, &h), WINSHM_E_NOT_FOUND);
    status = winshm_create(other, (uint64_t)1 << 60, 0, &h);
    CHECK(status == WINSHM_E_NO_MEMORY || status == WINSHM_E_SIZE);
    snprintf(other, sizeof other, "%s-sort", role_region);
    CHECK_STATUS(winshm_open_or_create(other, 1, 0, &h), WINSHM_E_KIND);
}

/** The last one to leave. */
static void last(void)
{
    winshm_region *h = role_joined_early();
    role_arm();
    CHECK_OK(winshm_close(h));
}

/** Leaves by ending. */
static void leave(void)
{
    role_joined_early();
    role_arm();
    exit(0);
}

/** Finds nothing where something once was. */
static void sweep(void)
{
    winshm_region *h;
    role_arm();
    CHECK_STATUS(winshm_open(role_region, 0, &h), WINSHM_E_NOT_FOUND);
}

static void raw(void)
{
    winshm_region *h, *other;
    role_arm();
    CHECK_OK(winshm_create(role_region, sizeof(struct data), WINSHM_RAW, &h));
    CHECK_OK(winshm_open(role_region, WINSHM_RAW, &other));
    points_mark(MARK_JOINED);
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_close(h));
}

static void observe(void)
{
    winshm_region *h;
    winshm_info info = {.struct_size = sizeof info};
    unsigned char block[BLOCK];
    uint32_t now;
    /* On Windows the descriptor keeps this user from writing, too. */
    if (!child_slow() && !child_become_nobody())
        exit(CHECK_SKIPPED);
    role_arm();
    CHECK_OK(winshm_open(role_region, WINSHM_READ, &h));
    points_mark(MARK_JOINED);
    CHECK_OK(winshm_get_info(h, &info));
    CHECK_EQ(info.observer, 1);
    CHECK_OK(winshm_read(h, offsetof(struct data, block), block, BLOCK, 1000));
    CHECK_STATUS(winshm_wait(h, info.change_count, 3, &now), WINSHM_E_TIMEOUT);
    CHECK_OK(winshm_close(h));
}

/** Makes links, where a stale one and what a killed maker left are in the way,
 * and where one of a region that lives is. */
static void link_up(void)
{
    winshm_region *h, *other;
    char path[NAME_BYTES + 8], token[WINSHM_TOKEN_MAX + 1];
    uint32_t length;
    snprintf(path, sizeof path, "%s.link", role_region);
    role_arm();
    CHECK_OK(winshm_create(role_region, sizeof(struct data), 0, &h));
    CHECK_OK(winshm_export(h, 0, token, sizeof token, &length));
    CHECK_OK(winshm_link(h, path));
    points_mark(MARK_JOINED);
    CHECK_OK(winshm_open_link(path, 0, 0, &other));
    CHECK_STATUS(winshm_link(other, path), WINSHM_E_EXISTS);
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_import(token, WINSHM_READ, 0, &other));
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_close(h));
}

static void forked(void *handle)
{
    CHECK_STATUS(winshm_notify(handle), WINSHM_E_FORKED);
}

/** Forks, with a link. When the child dies at its point, this one follows. */
static void fork_away(void)
{
    winshm_region *h = role_joined(), *linked;
    struct child child;
    winshm_view *view;
    char path[NAME_BYTES + 8];
    snprintf(path, sizeof path, "%s.link", role_region);
    CHECK_OK(winshm_create(NULL, 1, 0, &linked));
    CHECK_OK(winshm_link(linked, path));
    CHECK_OK(winshm_map(h, 0, 8, 0, &view));
    role_arm();
    CHECK(child_fork(&child, forked, h));
    points_disarm();
    if (child_wait(&child, PATIENCE_MS) == -1)
        child_die();
    CHECK_OK(winshm_notify(h));
}

static void stand_by(void *handle)
{
    uint32_t now;
    CHECK_OK(winshm_change_count(handle, &now));
    parent_tell('j');
    winshm_status status = winshm_wait(handle, now, PATIENCE_MS, &now);
    CHECK(status == WINSHM_E_CLOSED || status == WINSHM_OK);
}

/** Closes a handle on which another thread waits. */
static void close_used(void)
{
    winshm_region *h = role_joined();
    struct thread thread = thread_start(stand_by, h);
    parent_hear();
    role_arm();
    CHECK_OK(winshm_close(h));
    thread_join(thread);
}

const struct part parts_of_life[] = {{"create", create},
                                     {"create-described", create_described},
                                     {"create-locked", create_locked},
                                     {"join", join},
                                     {"take", take},
                                     {"refused", refused},
                                     {"last", last},
                                     {"leave", leave},
                                     {"sweep", sweep},
                                     {"raw", raw},
                                     {"observe", observe},
                                     {"link", link_up},
                                     {"fork", fork_away},
                                     {"close-used", close_used},
                                     {NULL, NULL}};
