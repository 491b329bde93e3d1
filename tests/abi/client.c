/* A program as users write them. Each released header has been compiled into one
 * of it, kept in the folder of the version, and must work with every later
 * library of the same major version. Nothing but winshm.h and the C library. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "winshm.h"

#define MUST(call, expected)                                                   \
    do {                                                                       \
        winshm_status got = (call);                                            \
        if (got != (expected)) {                                               \
            fprintf(stderr, "%d: %s gave %s: %s\n", __LINE__, #call,           \
                    winshm_status_name(got), winshm_last_message());           \
            return 1;                                                          \
        }                                                                      \
    } while (0)
#define TRUE(condition)                                                        \
    do {                                                                       \
        if (!(condition)) {                                                    \
            fprintf(stderr, "%d: not true: %s\n", __LINE__, #condition);       \
            return 1;                                                          \
        }                                                                      \
    } while (0)

static winshm_options options_for(const char *name)
{
    winshm_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.disposition = WINSHM_CREATE_NEW;
    options.name = name;
    options.size = 100;
    options.capacity = 200;
    options.layout_tag = 7;
    options.security = "owner";
    return options;
}

static int look(winshm_region *region, winshm_region *other)
{
    /* With room around them, so that one byte too many is seen. */
    struct {
        winshm_info info;
        unsigned char guard[64];
    } told;
    struct {
        winshm_participant list[2];
        unsigned char guard[64];
    } all;
    uint32_t count;
    memset(&told, 0x5A, sizeof told);
    told.info.struct_size = sizeof told.info;
    MUST(winshm_get_info(region, &told.info), WINSHM_OK);
    TRUE(told.info.struct_size == sizeof told.info);
    TRUE(told.info.kind == WINSHM_KIND_MANAGED);
    TRUE(told.info.size == 100 && told.info.capacity == 200);
    TRUE(told.info.layout_tag == 7 && told.info.participants == 2);
    TRUE(told.info.origin == WINSHM_ORIGIN_CREATED);
    memset(&all, 0x5A, sizeof all);
    all.list[0].struct_size = sizeof all.list[0];
    MUST(winshm_get_participants(region, all.list, 2, &count), WINSHM_OK);
    TRUE(count == 2);
    TRUE(all.list[1].struct_size == sizeof all.list[1]);
    TRUE(all.list[0].member == 1 && all.list[1].member == 2);
    TRUE(all.list[0].flags ==
         (WINSHM_PARTICIPANT_SELF | WINSHM_PARTICIPANT_CREATOR));
    for (int i = 0; i < 64; i++)
        TRUE(told.guard[i] == 0x5A && all.guard[i] == 0x5A);
    TRUE(winshm_size(region) == 100 && winshm_data(region) != NULL);
    TRUE(winshm_data(other) != winshm_data(region));
    return 0;
}

static int use(winshm_region *region, winshm_region *other)
{
    uint32_t seen, now;
    char text[6];
    winshm_view *view;
    MUST(winshm_change_count(other, &seen), WINSHM_OK);
    MUST(winshm_lock(region, WINSHM_EXCLUSIVE, 0), WINSHM_OK);
    MUST(winshm_lock(other, WINSHM_SHARED, 10), WINSHM_E_TIMEOUT);
    MUST(winshm_write(region, 3, "hello", 6, 0), WINSHM_OK);
    MUST(winshm_copy_in(region, 50, "x", 1), WINSHM_OK);
    MUST(winshm_make_consistent(region), WINSHM_OK);
    MUST(winshm_unlock(region, WINSHM_EXCLUSIVE), WINSHM_OK);
    MUST(winshm_wait(other, seen, WINSHM_FOREVER, &now), WINSHM_OK);
    TRUE(now == seen + 2);
    MUST(winshm_read(other, 3, text, 6, 0), WINSHM_OK);
    TRUE(strcmp(text, "hello") == 0);
    MUST(winshm_notify(region), WINSHM_OK);
    MUST(winshm_map(other, 4, 3, WINSHM_READ, &view), WINSHM_OK);
    TRUE(winshm_view_size(view) == 3);
    TRUE(memcmp(winshm_view_data(view), "ell", 3) == 0);
    MUST(winshm_unmap(view), WINSHM_OK);
    MUST(winshm_read(other, 100, text, 1, 0), WINSHM_E_RANGE);
    TRUE(strstr(winshm_last_message(), "WINSHM_E_RANGE") != NULL);
    TRUE(winshm_last_os_code() == 0);
    return 0;
}

int main(void)
{
    char name[64];
    winshm_region *region, *other, *none;
    TRUE(winshm_version() >> 16 == WINSHM_VERSION_MAJOR);
    snprintf(name, sizeof name, "client-%p-%s", (void *)name,
             winshm_version_string());
    winshm_options options = options_for(name);
    MUST(winshm_open_with(&options, &region), WINSHM_OK);
    MUST(winshm_open_with(&options, &none), WINSHM_E_EXISTS);
    TRUE(none == NULL);
    MUST(winshm_open(name, WINSHM_TASK, &other), WINSHM_OK);
    if (look(region, other) != 0 || use(region, other) != 0)
        return 1;
    MUST(winshm_close(other), WINSHM_OK);
    MUST(winshm_close(region), WINSHM_OK);
    MUST(winshm_close(region), WINSHM_E_CLOSED);
    MUST(winshm_open(name, 0, &none), WINSHM_E_NOT_FOUND);
    MUST(winshm_create(name, 1, WINSHM_RAW, &region), WINSHM_OK);
    MUST(winshm_close(region), WINSHM_OK);
    MUST(winshm_open_or_create(name, 10, WINSHM_NO_MAP, &region), WINSHM_OK);
    MUST(winshm_close(region), WINSHM_OK);
    puts("ok");
    return 0;
}
