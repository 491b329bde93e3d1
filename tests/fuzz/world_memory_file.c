/* The world in memory: one file, whatever its path, and the part file beside
 * it. */
#include <string.h>

#include "bench.h"
#include "file.h"

struct world_file world_file;

static struct world_file part;
static bool part_open;
static uint32_t reads;

winshm_status wshm_platform_file_open(struct platform_file *f, const char *path,
                                      uint64_t *bytes)
{
    f->path = path;
    f->place = 0;
    reads = 0;
    *bytes = world_file.size;
    return world_file.size != 0 ? WINSHM_OK : WINSHM_E_NOT_FOUND;
}

winshm_status wshm_platform_file_read(const struct platform_file *f,
                                      uint64_t offset, void *bytes,
                                      size_t length, size_t *got)
{
    (void)f;
    /* Nobody keeps others from changing the file in the middle. */
    if (++reads == world_file.change_at)
        world_file.bytes[world_file.change_of % WORLD_FILE] ^=
            world_file.change_by;
    *got = offset < world_file.size ? world_file.size - offset : 0;
    if (*got > length)
        *got = length;
    memcpy(bytes, world_file.bytes + offset, *got);
    return WINSHM_OK;
}

winshm_status wshm_platform_file_make(struct platform_file *f, const char *path)
{
    f->path = path;
    f->place = 1;
    if (part_open)
        return WINSHM_E_BUSY;
    part_open = true;
    return WINSHM_OK;
}

winshm_status wshm_platform_file_empty(const struct platform_file *f,
                                       uint64_t bytes)
{
    (void)f;
    if (bytes > WORLD_FILE)
        return WINSHM_E_SIZE;
    memset(part.bytes, 0, sizeof part.bytes);
    part.size = (uint32_t)bytes;
    return WINSHM_OK;
}

winshm_status wshm_platform_file_write(const struct platform_file *f,
                                       uint64_t offset, const void *bytes,
                                       size_t length)
{
    (void)f;
    if (!part_open || offset + length > part.size)
        bench_fail("%zu bytes are written at %llu", length,
                   (unsigned long long)offset);
    memcpy(part.bytes + offset, bytes, length);
    return WINSHM_OK;
}

winshm_status wshm_platform_file_publish(const struct platform_file *f,
                                         uint64_t deadline_ns)
{
    (void)f;
    (void)deadline_ns;
    world_file = part;
    return WINSHM_OK;
}

void wshm_platform_file_close(const struct platform_file *f)
{
    if (f->place == 1)
        part_open = false;
}
