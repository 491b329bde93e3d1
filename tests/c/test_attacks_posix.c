/* What a program can do to a region that it may only read: nothing. It tries
 * to map it for writing, to change how it is mapped, to get more rights for a
 * descriptor, and to change the files. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "child.h"

enum { SIZE = 5000 };

static const char *region_name;

static void attack_view(void *view)
{
    int memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
    CHECK(mprotect(view, 4096, PROT_READ | PROT_WRITE) != 0);
    CHECK_EQ(errno, EACCES);
    CHECK(memory >= 0);
    CHECK(pwrite(memory, "x", 1, (off_t)(uintptr_t)view) < 0);
    close(memory);
}

/** The one who may write, too, cannot by way of a handle that does not. */
static void test_read_only(void)
{
    winshm_region *h, *reader;
    winshm_view *view;
    static const uint32_t flags[] = {WINSHM_READ, WINSHM_READ | WINSHM_RAW};
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    memset(winshm_data(h), 'k', SIZE);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(winshm_open(region_name, flags[i], &reader));
        CHECK_OK(winshm_map(reader, 0, SIZE, 0, &view));
        attack_view(winshm_data(reader));
        attack_view(winshm_view_data(view));
        CHECK_OK(winshm_unmap(view));
        CHECK_OK(winshm_close(reader));
    }
    for (int i = 0; i < SIZE; i++)
        CHECK_EQ(((char *)winshm_data(h))[i], 'k');
    CHECK_OK(winshm_close(h));
}

static void attack_descriptor(int fd)
{
    char link[64], target[300] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    if (readlink(link, target, sizeof target - 1) < 0 ||
        strncmp(target, "/dev/shm/wt", 11) != 0)
        return;
    CHECK(open(link, O_RDWR) < 0 && errno == EACCES);
    CHECK(open(link, O_WRONLY) < 0 && errno == EACCES);
    CHECK(open(target, O_RDWR) < 0 && errno == EACCES);
    CHECK(write(fd, "x", 1) < 0 && errno == EBADF);
    CHECK(ftruncate(fd, 0) != 0);
    CHECK(fallocate(fd, 0, 0, 2 * 65536) != 0);
    CHECK(fchmod(fd, 0666) != 0 && errno == EPERM);
    CHECK(fchown(fd, geteuid(), getegid()) != 0 && errno == EPERM);
    CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) ==
          MAP_FAILED);
    CHECK_EQ(errno, EACCES);
    CHECK(unlink(target) != 0 && errno == EPERM);
    CHECK(rename(target, "/dev/shm/wt-mine") != 0 && errno == EPERM);
    parent_tell('a');
}

/** Has a region that everybody may read, and no right to write it. */
static void role_attack(const char *name, uint32_t unused)
{
    winshm_region *h;
    winshm_view *view;
    winshm_info info = {.struct_size = sizeof info};
    (void)unused;
    if (!child_become_nobody())
        exit(CHECK_SKIPPED);
    prctl(PR_SET_DUMPABLE, 1);
    CHECK_OK(winshm_open(name, WINSHM_READ, &h));
    CHECK_OK(winshm_get_info(h, &info));
    CHECK_EQ(info.observer, 1);
    CHECK_STATUS(winshm_map(h, 0, 1, WINSHM_WRITE, &view), WINSHM_E_ACCESS);
    CHECK_OK(winshm_map(h, 0, SIZE, 0, &view));
    attack_view(winshm_data(h));
    attack_view(winshm_view_data(view));
    /* Also the control block, which is mapped somewhere. */
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[400], rights[5];
    unsigned long address;
    int blocks = 0;
    CHECK(maps != NULL);
    while (fgets(line, sizeof line, maps) != NULL) {
        if (strstr(line, "/dev/shm/") == NULL || strstr(line, name) == NULL)
            continue;
        CHECK_EQ(sscanf(line, "%lx-%*x %4s", &address, rights), 2);
        CHECK(strcmp(rights, "r--s") == 0);
        attack_view((void *)(uintptr_t)address);
        blocks++;
    }
    fclose(maps);
    CHECK_EQ(blocks, 3);
    for (int fd = 3; fd < 256; fd++)
        attack_descriptor(fd);
    CHECK_OK(winshm_unmap(view));
    CHECK_OK(winshm_close(h));
}

static const struct role roles[] = {{"attack", role_attack}, {NULL, NULL}};

static void test_attacks(void)
{
    static const char *const words[] = {"everyone-read", "interactive-read"};
    for (int i = 0; i < 2; i++) {
        winshm_region *h;
        winshm_options o = {.struct_size = sizeof o,
                            .disposition = WINSHM_CREATE_NEW,
                            .size = SIZE,
                            .name = region_name,
                            .security = words[i]};
        CHECK_OK(winshm_open_with(&o, &h));
        memset(winshm_data(h), 'k', SIZE);
        struct child child = child_start("attack", region_name, 0);
        int said = child_hear(&child, PATIENCE_MS);
        if (said == -1 && child_wait(&child, PATIENCE_MS) == CHECK_SKIPPED)
            SKIP("all but the attacks: they begin with rights to give up");
        /* Both the control block and the data have a descriptor. */
        CHECK_EQ(said, 'a');
        CHECK_EQ(child_hear(&child, PATIENCE_MS), 'a');
        CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
        for (int k = 0; k < SIZE; k++)
            CHECK_EQ(((char *)winshm_data(h))[k], 'k');
        CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, 0));
        CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
        CHECK_OK(winshm_close(h));
    }
}

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    region_name = name_of("attacks");
    test_read_only();
    test_attacks();
    return 0;
}
