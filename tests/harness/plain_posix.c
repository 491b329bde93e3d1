#define _GNU_SOURCE
#include "plain.h"
#include "child.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool plain_map(struct plain *plain, int fd, uint64_t size)
{
    struct stat status;
    if (fd < 0)
        return false;
    if (size == 0 && fstat(fd, &status) == 0)
        size = (uint64_t)status.st_size;
    plain->object = -1;
    plain->size = size;
    plain->data =
        mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return plain->data != MAP_FAILED;
}

bool plain_create(struct plain *plain, const char *name, uint64_t size)
{
    int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd >= 0 && ftruncate(fd, (off_t)size) != 0)
        child_fail("ftruncate");
    return plain_map(plain, fd, size);
}

bool plain_create_on_disk(struct plain *plain, const char *name, uint64_t size)
{
    return plain_create(plain, name, size);
}

bool plain_open(struct plain *plain, const char *name, uint64_t size)
{
    return plain_map(plain, shm_open(name, O_RDWR, 0), size);
}

void plain_close(struct plain *plain)
{
    munmap(plain->data, (size_t)plain->size);
}

void plain_remove(const char *name)
{
    shm_unlink(name);
}

bool plain_truncate(const char *name, uint64_t size)
{
    int fd = shm_open(name, O_RDWR, 0);
    bool done = fd >= 0 && ftruncate(fd, (off_t)size) == 0;
    if (fd >= 0)
        close(fd);
    return done;
}

bool plain_protect(void *page, bool protect)
{
    (void)page;
    (void)protect;
    return false;
}

int plain_count(const char *prefix)
{
    DIR *directory = opendir("/dev/shm");
    int count = 0;
    struct dirent *entry;
    if (directory == NULL)
        return -1;
    while ((entry = readdir(directory)) != NULL)
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
            count++;
    closedir(directory);
    return count;
}

intptr_t plain_obstruct(const char *name, int sort)
{
    char path[300];
    snprintf(path, sizeof path, "/dev/shm/%s", name);
    if ((sort == 0 && mkdir(path, 0700) != 0) ||
        (sort == 1 && mkfifo(path, 0600) != 0) ||
        (sort == 2 && symlink("/dev/null", path) != 0))
        child_fail(path);
    return 0;
}

void plain_clear(const char *name, intptr_t obstacle)
{
    char path[300];
    (void)obstacle;
    snprintf(path, sizeof path, "/dev/shm/%s", name);
    remove(path);
}
