/* Victims that save the region in a file, and load it. */
#include "roles.h"

/** A region that is not all zeros, and is in the file as it is. */
static winshm_region *saved(const char *path)
{
    unsigned char block[BLOCK];
    winshm_region *h = role_joined();
    memset(block, 1, sizeof block);
    CHECK_OK(winshm_write(h, offsetof(struct data, block), block, BLOCK,
                          PATIENCE_MS));
    role_board->written++;
    role_board->notified++;
    CHECK_OK(winshm_save(h, path, PATIENCE_MS));
    return h;
}

static void save(void)
{
    const char *path = points_file(role_region);
    winshm_region *h = saved(path);
    role_arm();
    CHECK_OK(winshm_save(h, path, PATIENCE_MS));
    CHECK_STATUS(winshm_save(h, ".", 0), WINSHM_E_KIND);
    /* One that fails midway takes its part file away. */
    child_limit_files(BLOCK);
    winshm_status status = winshm_save(h, path, PATIENCE_MS);
    CHECK(status == WINSHM_E_SIZE || status == WINSHM_OK);
}

static void load(void)
{
    const char *path = points_file(role_region);
    winshm_region *h = saved(path);
    role_arm();
    role_board->state = WRITING;
    CHECK_OK(winshm_load(h, path, PATIENCE_MS));
    role_board->state = OUTSIDE;
    role_board->notified++;
}

const struct part parts_of_save[] = {
    {"save", save}, {"load", load}, {NULL, NULL}};
