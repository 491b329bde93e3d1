/* Victims: what all of them need, and the props, which are killed before a
 * victim begins. */
#include "roles.h"

const char *role_region;
struct board *role_board;

bool data_whole(const struct data *data)
{
    for (int i = 1; i < BLOCK; i++)
        if (data->block[i] != data->block[0])
            return false;
    return data->first == data->second;
}

void data_repair(struct data *data)
{
    data->second = data->first;
    for (int i = 1; i < BLOCK; i++)
        data->block[i] = data->block[0];
}

winshm_region *role_joined(void)
{
    winshm_region *h;
    CHECK_OK(winshm_open(role_region, 0, &h));
    return h;
}

void role_arm(void)
{
    points_arm(role_board);
}

winshm_region *role_joined_early(void)
{
    winshm_region *h = role_joined();
    parent_tell('j');
    parent_hear();
    return h;
}

const char *points_file(const char *region)
{
    static char path[512];
    const char *folder = getenv("TEMP");
    snprintf(path, sizeof path, "%s/saved-%s",
             folder != NULL ? folder : "/dev/shm", region);
    return path;
}

static void prop_make(void)
{
    winshm_region *h;
    CHECK_OK(winshm_open_or_create(role_region, sizeof(struct data), 0, &h));
    parent_tell('p');
    parent_hear();
}

/** Another region than all others are in. */
static void prop_make_other(void)
{
    winshm_region *h;
    char name[NAME_BYTES + 8];
    snprintf(name, sizeof name, "%s-other", role_region);
    CHECK_OK(winshm_create(name, sizeof(struct data), 0, &h));
    parent_tell('p');
    parent_hear();
}

/** Leaves as much behind as can be. */
static void prop_make_torn(void)
{
    winshm_region *h;
    CHECK_OK(winshm_create(role_region, sizeof(struct data), 0, &h));
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    parent_tell('p');
    parent_hear();
}

static void prop_hold(void)
{
    winshm_region *h = role_joined();
    struct data *data = winshm_data(h);
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS));
    data->first++;
    parent_tell('p');
    parent_hear();
}

static void prop_read(void)
{
    CHECK_OK(winshm_lock(role_joined(), WINSHM_SHARED, PATIENCE_MS));
    parent_tell('p');
    parent_hear();
}

static void prop_wait(void)
{
    winshm_region *h = role_joined();
    parent_tell('p');
    winshm_status told = winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS);
    (void)told; /* That it waits is what it is for. */
    parent_hear();
}

/** Leaves a link. */
static void prop_link(void)
{
    winshm_region *h;
    char path[NAME_BYTES + 8];
    snprintf(path, sizeof path, "%s.link", role_region);
    CHECK_OK(winshm_create(NULL, 1, 0, &h));
    CHECK_OK(winshm_link(h, path));
    parent_tell('p');
    parent_hear();
}

static const struct part parts_of_props[] = {
    {"prop-make", prop_make},
    {"prop-make-other", prop_make_other},
    {"prop-make-torn", prop_make_torn},
    {"prop-hold", prop_hold},
    {"prop-read", prop_read},
    {"prop-wait", prop_wait},
    {"prop-link", prop_link},
    {NULL, NULL}};

static const struct part *const groups[] = {parts_of_life, parts_of_lock,
                                            parts_of_change, parts_of_save,
                                            parts_of_props};

enum { GROUPS = sizeof groups / sizeof groups[0], GROUP = 100 };

struct child role_start(const char *part, const char *name)
{
    for (uint32_t group = 0; group < GROUPS; group++)
        for (uint32_t i = 0; groups[group][i].name != NULL; i++)
            if (strcmp(groups[group][i].name, part) == 0)
                return child_start("part", name, group * GROUP + i);
    check_end(1, __FILE__, __LINE__, "no such part: %s", part);
    abort();
}

void role_part(const char *name, uint32_t number)
{
    struct plain plain;
    char board_name[NAME_BYTES + 8];
    snprintf(board_name, sizeof board_name, "board-%s", name);
    CHECK(plain_open(&plain, board_name, sizeof(struct board)));
    role_board = plain.data;
    role_region = name;
    groups[number / GROUP][number % GROUP].run();
    points_mark(MARK_END);
    points_disarm();
}
