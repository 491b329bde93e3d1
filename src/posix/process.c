/* Linux: this process. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "posix.h"
#include "status.h"

static int64_t start_us;

winshm_status wshm_platform_random(void *bytes, uint32_t length)
{
    ssize_t got = getrandom(bytes, length, 0);
    return got == (ssize_t)length
               ? WINSHM_OK
               : wshm_error_os(WINSHM_E_SYSTEM, "getrandom", errno);
}

uint32_t wshm_platform_pid(void)
{
    return (uint32_t)getpid();
}

int64_t wshm_platform_start_us(void)
{
    return start_us;
}

/** Field 22 of /proc/self/stat counts clock ticks since the machine started. */
static int64_t read_start(void)
{
    char text[1024];
    struct timespec real, boot;
    int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    text[length > 0 ? length : 0] = '\0';
    /* The program's name, in parentheses, may hold anything. */
    char *field = strrchr(text, ')');
    for (int i = 2; i < 22 && field != NULL; i++)
        field = strchr(field + 1, ' ');
    if (field == NULL)
        return 0;
    int64_t ticks = strtoll(field + 1, NULL, 10);
    clock_gettime(CLOCK_REALTIME, &real);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    int64_t booted = ((int64_t)real.tv_sec - (int64_t)boot.tv_sec) * 1000000 +
                     (real.tv_nsec - boot.tv_nsec) / 1000;
    return booted + ticks * (1000000 / sysconf(_SC_CLK_TCK));
}

void wshm_posix_process_init(void)
{
    start_us = read_start();
}

bool wshm_platform_process_name(uint32_t pid, char *name, size_t size)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/%lu/comm", (unsigned long)pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    ssize_t length = read(file, name, size - 1);
    close(file);
    while (length > 0 && name[length - 1] == '\n')
        length--;
    name[length > 0 ? length : 0] = '\0';
    return length > 0;
}

bool wshm_platform_reason(int32_t code, char *text, size_t size)
{
    const char *reason = strerrordesc_np(code);
    if (reason != NULL)
        snprintf(text, size, "%s", reason);
    return reason != NULL;
}
