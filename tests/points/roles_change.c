/* Victims that copy, notify and wait for a change. */
#include "roles.h"

static void copy_through(winshm_region *h)
{
    unsigned char block[BLOCK];
    for (int i = 0; i < 2; i++) {
        memset(block, (int)role_board->written + 1, BLOCK);
        role_board->state = WRITING;
        CHECK_OK(winshm_write(h, offsetof(struct data, block), block, BLOCK,
                              PATIENCE_MS));
        role_board->state = OUTSIDE;
        role_board->written++;
        role_board->notified++;
        CHECK_OK(winshm_read(h, offsetof(struct data, block), block, BLOCK,
                             PATIENCE_MS));
        CHECK_EQ(block[BLOCK - 1], role_board->written);
    }
}

/** The same under a lock, by copies that take none. */
static void copy_held(winshm_region *h)
{
    unsigned char block[BLOCK];
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS));
    role_board->state = WRITING;
    memset(block, (int)role_board->written + 1, BLOCK);
    CHECK_OK(winshm_copy_in(h, offsetof(struct data, block), block, BLOCK));
    CHECK_OK(winshm_copy_out(h, offsetof(struct data, block), block, BLOCK));
    role_board->state = RELEASING;
    role_board->written++;
    role_board->notified++;
    CHECK_EQ(block[BLOCK - 1], role_board->written);
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    role_board->state = OUTSIDE;
}

static void copy(void)
{
    winshm_region *h = role_joined();
    role_arm();
    copy_through(h);
    copy_held(h);
}

/** The same where only parts are mapped, when needed. */
static void copy_parts(void)
{
    winshm_region *h;
    winshm_view *view;
    CHECK_OK(winshm_open(role_region, WINSHM_NO_MAP, &h));
    role_arm();
    copy_through(h);
    CHECK_OK(winshm_map(h, 8, 16, 0, &view));
    CHECK_OK(winshm_unmap(view));
    CHECK_OK(winshm_close(h));
}

static void notify(void)
{
    winshm_region *h = role_joined();
    role_arm();
    for (int i = 0; i < 3; i++) {
        CHECK_OK(winshm_notify(h));
        role_board->notified++;
    }
}

static void grow(void)
{
    winshm_region *h = role_joined(), *raw;
    role_arm();
    for (int i = 0; i < 3; i++) {
        CHECK_OK(winshm_resize(h, winshm_size(h) + STEP, PATIENCE_MS));
        role_board->grown += STEP;
        role_board->notified++;
    }
    CHECK_OK(winshm_open(role_region, WINSHM_RAW, &raw));
    CHECK(winshm_size(raw) >= winshm_size(h));
    CHECK_OK(winshm_close(raw));
}

static void await(void)
{
    winshm_region *h = role_joined();
    uint32_t now;
    CHECK_OK(winshm_change_count(h, &now));
    role_arm();
    parent_tell('j');
    CHECK_OK(winshm_wait(h, now, PATIENCE_MS, &now));
}

static uint32_t seen;

static void await_too(void *handle)
{
    uint32_t now;
    CHECK_OK(winshm_wait(handle, seen, PATIENCE_MS, &now));
}

/** Two threads of one handle. */
static void await_two(void)
{
    winshm_region *h = role_joined();
    CHECK_OK(winshm_change_count(h, &seen));
    role_arm();
    struct thread thread = thread_start(await_too, h);
    await_too(h);
    thread_join(thread);
}

/** What loops of this system wait for. */
static void *wait_object(winshm_region *h)
{
    void *event;
    int32_t fd;
    if (winshm_wait_handle(h, &event) == WINSHM_OK)
        return event;
    CHECK_OK(winshm_wait_fd(h, &fd));
    return (void *)(intptr_t)fd;
}

static void await_handle(void)
{
    winshm_region *h = role_joined();
    role_arm();
    void *object = wait_object(h);
    parent_tell('j');
    CHECK(handle_fires(object, PATIENCE_MS));
    CHECK_OK(winshm_close(h));
}

const struct part parts_of_change[] = {{"copy", copy},
                                       {"copy-parts", copy_parts},
                                       {"notify", notify},
                                       {"grow", grow},
                                       {"await", await},
                                       {"await-two", await_two},
                                       {"await-handle", await_handle},
                                       {NULL, NULL}};
