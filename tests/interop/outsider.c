/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 the winshm authors
 *
 * A program that knows nothing of winshm and shares a block by the plain means
 * of the system. It answers one command a line on standard input with "ok
 * [HEX]" or "error CODE".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned char *block;

#ifdef _WIN32
#include <windows.h>

static HANDLE section;

static int map(const char *name, size_t size, int create)
{
    section = create ? CreateFileMappingA(INVALID_HANDLE_VALUE, NULL,
                                          PAGE_READWRITE, 0, (DWORD)size, name)
                     : OpenFileMappingA(FILE_MAP_ALL_ACCESS, FALSE, name);
    if (section != NULL)
        block = MapViewOfFile(section, FILE_MAP_ALL_ACCESS, 0, 0, size);
    return block != NULL ? 0 : (int)GetLastError();
}

static int unmap(void)
{
    return UnmapViewOfFile(block) && CloseHandle(section) ? 0
                                                          : (int)GetLastError();
}
#else
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static char created[300];
static size_t mapped;

static int map(const char *name, size_t size, int create)
{
    char path[300];
    snprintf(path, sizeof path, "/%s", name);
    int fd = shm_open(path, O_RDWR | (create ? O_CREAT | O_EXCL : 0), 0600);
    if (fd < 0 || (create && ftruncate(fd, (off_t)size) != 0))
        return errno;
    strcpy(created, create ? path : "");
    mapped = size;
    block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return block != MAP_FAILED ? 0 : errno;
}

/* Who has created a block removes its name, if nobody has done so before. */
static int unmap(void)
{
    if (munmap(block, mapped) != 0)
        return errno;
    if (created[0] != '\0' && shm_unlink(created) != 0 && errno != ENOENT)
        return errno;
    return 0;
}
#endif

static void say(int error)
{
    if (error == 0)
        puts("ok");
    else
        printf("error %d\n", error);
}

int main(void)
{
    static char line[65536], name[256], hex[65536];
    unsigned long long first, second;
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (sscanf(line, "create %255s %llu", name, &first) == 2) {
            say(map(name, (size_t)first, 1));
        } else if (sscanf(line, "open %255s %llu", name, &first) == 2) {
            say(map(name, (size_t)first, 0));
        } else if (sscanf(line, "poke %llu %65535s", &first, hex) == 2) {
            unsigned value;
            for (size_t i = 0; sscanf(hex + 2 * i, "%2x", &value) == 1; i++)
                block[first + i] = (unsigned char)value;
            say(0);
        } else if (sscanf(line, "peek %llu %llu", &first, &second) == 2) {
            printf("ok ");
            for (size_t i = 0; i < second; i++)
                printf("%02x", block[first + i]);
            putchar('\n');
        } else if (strncmp(line, "close", 5) == 0) {
            say(unmap());
        } else if (strncmp(line, "quit", 4) == 0) {
            break;
        } else {
            puts("error usage");
        }
        fflush(stdout);
    }
    return 0;
}
