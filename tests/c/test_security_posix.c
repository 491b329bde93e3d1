/* What the files of a region allow to whom. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "child.h"
#include "plain.h"

enum { SIZE = 5000 };

static const char *region_name;

static const char *path_of(const char *suffix)
{
    static char paths[4][300];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "/dev/shm/%s%s", region_name, suffix);
    return path;
}

static winshm_options options_of(const char *security, uint32_t flags)
{
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_CREATE_NEW,
                        .flags = flags,
                        .size = SIZE,
                        .name = region_name,
                        .security = security};
    return o;
}

static void check_file(const char *suffix, mode_t mode, off_t size)
{
    struct stat file, place;
    CHECK(lstat(path_of(suffix), &file) == 0);
    CHECK(stat("/dev/shm", &place) == 0);
    CHECK_EQ(file.st_mode, S_IFREG | mode);
    CHECK_EQ(file.st_uid, geteuid());
    CHECK_EQ(file.st_gid, getegid());
    CHECK_EQ(file.st_nlink, 1);
    CHECK_EQ(file.st_size, size);
    CHECK_EQ(file.st_dev, place.st_dev);
}

/** Exactly what the word says, whatever the process usually lets others do. */
static void test_modes(void)
{
    static const struct {
        const char *security;
        mode_t mode;
    } cases[] = {{NULL, 0600},
                 {"owner", 0600},
                 {"session", 0600},
                 {"interactive-read", 0644},
                 {"everyone-read", 0644}};
    static const mode_t masks[] = {0, 022, 077, 0777};
    for (int m = 0; m < 4; m++) {
        mode_t usual = umask(masks[m]);
        for (int i = 0; i < 5; i++) {
            winshm_region *h;
            winshm_options o = options_of(cases[i].security, 0);
            CHECK_OK(winshm_open_with(&o, &h));
            check_file("", cases[i].mode, SIZE);
            check_file(".winshm", cases[i].mode, 65536);
            CHECK_EQ(plain_count(region_name), 2);
            CHECK_OK(winshm_close(h));
            o.flags = WINSHM_RAW;
            CHECK_OK(winshm_open_with(&o, &h));
            check_file("", cases[i].mode, SIZE);
            CHECK_EQ(plain_count(region_name), 1);
            CHECK_OK(winshm_close(h));
        }
        umask(usual);
    }
    CHECK_EQ(plain_count(region_name), 0);
}

/** What an earlier life has left for everybody is not left so. */
static void test_leftover(void)
{
    winshm_region *h;
    int fd = open(path_of(".winshm"), O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0);
    CHECK(fchmod(fd, 0666) == 0 && ftruncate(fd, 65536) == 0);
    close(fd);
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    check_file("", 0600, SIZE);
    check_file(".winshm", 0600, 65536);
    CHECK_OK(winshm_close(h));
    CHECK_EQ(plain_count(region_name), 0);
}

/** Windows descriptors mean nothing here, so they promise nothing. */
static void test_words(void)
{
    static const struct {
        const char *security;
        winshm_status status;
    } cases[] = {{"D:", WINSHM_E_UNSUPPORTED},
                 {"D:P(A;;GA;;;WD)", WINSHM_E_UNSUPPORTED},
                 {"D:NO_ACCESS_CONTROL", WINSHM_E_UNSUPPORTED},
                 {"anyone", WINSHM_E_INVALID},
                 {"everyone", WINSHM_E_INVALID},
                 {"0666", WINSHM_E_INVALID}};
    winshm_region *h;
    for (int i = 0; i < 6; i++) {
        for (int raw = 0; raw < 2; raw++) {
            winshm_options o =
                options_of(cases[i].security, raw ? (uint32_t)WINSHM_RAW : 0u);
            CHECK_STATUS(winshm_open_with(&o, &h), cases[i].status);
            o.disposition = WINSHM_OPEN_OR_CREATE;
            CHECK_STATUS(winshm_open_with(&o, &h), cases[i].status);
            CHECK_EQ(plain_count(region_name), 0);
        }
    }
    winshm_options o = options_of("owner", 0);
    o.disposition = WINSHM_OPEN_EXISTING;
    CHECK_STATUS(winshm_open_with(&o, &h), WINSHM_E_INVALID);
}

/** Both prefixes mean the one name space, and only as they are written. */
static void test_prefixes(void)
{
    winshm_region *h, *same;
    char global[80], local[80], lower[80];
    snprintf(global, sizeof global, "Global\\%s", region_name);
    snprintf(local, sizeof local, "Local\\%s", region_name);
    snprintf(lower, sizeof lower, "global\\%s", region_name);
    CHECK_OK(winshm_create(global, SIZE, 0, &h));
    CHECK_STATUS(winshm_create(local, SIZE, 0, &same), WINSHM_E_EXISTS);
    CHECK_STATUS(winshm_create(region_name, SIZE, 0, &same), WINSHM_E_EXISTS);
    CHECK_STATUS(winshm_open(lower, 0, &same), WINSHM_E_NAME);
    CHECK_OK(winshm_open(local, 0, &same));
    CHECK_EQ(plain_count(region_name), 2);
    CHECK_OK(winshm_close(same));
    CHECK_OK(winshm_close(h));
}

int main(void)
{
    region_name = name_of("security");
    test_modes();
    test_leftover();
    test_words();
    test_prefixes();
    return 0;
}
