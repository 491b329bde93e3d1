/* Structs of programs that were built with an older or a newer header. This
 * one's are the oldest there are. */
#include <string.h>

#include "check.h"
#include "child.h"

/** What a later header may have appended. */
struct newer_options {
    winshm_options known;
    uint64_t later[4];
};

struct newer_info {
    winshm_info known;
    uint64_t later[4];
};

struct newer_participant {
    winshm_participant known;
    uint64_t later[2];
};

static struct newer_options options_for(const char *name)
{
    struct newer_options options;
    memset(&options, 0, sizeof options);
    options.known.struct_size = sizeof options;
    options.known.disposition = WINSHM_CREATE_NEW;
    options.known.name = name;
    options.known.size = 100;
    return options;
}

static void test_options(const char *name)
{
    winshm_region *h;
    struct newer_options options = options_for(name);
    CHECK_OK(winshm_open_with(&options.known, &h));
    CHECK_EQ(winshm_size(h), 100);
    CHECK_OK(winshm_close(h));
    /* What this library does not know may not be left undone in silence. */
    for (size_t i = 0; i < sizeof options.later; i++) {
        options = options_for(name);
        ((char *)options.later)[i] = 1;
        CHECK_STATUS(winshm_open_with(&options.known, &h), WINSHM_E_INVALID);
        CHECK(h == NULL);
        CHECK(strstr(winshm_last_message(), "library as new as") != NULL);
    }
    options = options_for(name);
    options.known.struct_size = 4097;
    CHECK_STATUS(winshm_open_with(&options.known, &h), WINSHM_E_INVALID);
    options.known.struct_size = UINT32_MAX;
    CHECK_STATUS(winshm_open_with(&options.known, &h), WINSHM_E_INVALID);
}

static void test_info(winshm_region *h)
{
    struct newer_info info;
    memset(&info, 0xFF, sizeof info);
    info.known.struct_size = sizeof info;
    CHECK_OK(winshm_get_info(h, &info.known));
    CHECK_EQ(info.known.struct_size, sizeof info);
    CHECK_EQ(info.known.size, 100);
    for (size_t i = 0; i < 4; i++)
        CHECK_EQ(info.later[i], 0);
    /* Ready for the next call. */
    CHECK_OK(winshm_get_info(h, &info.known));
    info.known.struct_size = 4097;
    CHECK_STATUS(winshm_get_info(h, &info.known), WINSHM_E_INVALID);
}

static void test_participants(const char *name, winshm_region *h)
{
    struct newer_participant list[3];
    winshm_region *other;
    uint32_t count;
    CHECK_OK(winshm_open(name, 0, &other));
    memset(list, 0xFF, sizeof list);
    list[0].known.struct_size = sizeof list[0];
    CHECK_OK(winshm_get_participants(h, &list[0].known, 3, &count));
    CHECK_EQ(count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        CHECK_EQ(list[i].known.struct_size, sizeof list[i]);
        CHECK_EQ(list[i].known.slot, i);
        CHECK_EQ(list[i].known.member, i + 1);
        CHECK_EQ(list[i].later[0], 0);
        CHECK_EQ(list[i].later[1], 0);
    }
    CHECK_EQ(list[2].known.slot, UINT32_MAX);
    CHECK_OK(winshm_close(other));
}

int main(void)
{
    const char *name = name_of("structs");
    winshm_region *h;
    test_options(name);
    CHECK_OK(winshm_create(name, 100, 0, &h));
    test_info(h);
    test_participants(name, h);
    CHECK_OK(winshm_close(h));
    return 0;
}
