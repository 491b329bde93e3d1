/* Files of a test's own. */
#ifndef FILES_H
#define FILES_H

#include "check.h"
#include "child.h"

/** The path of the file that goes with a name. It stays valid for many others.
 */
static inline const char *file_named(const char *name)
{
    static char paths[64][512];
    static unsigned next;
    const char *folder = getenv("TEMP");
    char *path = paths[next++ % 64];
    snprintf(path, sizeof paths[0], "%s/%s.file",
             folder != NULL ? folder : "/dev/shm", name);
    return path;
}

/** The path of a file of this test process. */
static inline const char *file_of(const char *part)
{
    return file_named(name_of(part));
}

/** The file beside it that is not whole yet. */
static inline const char *part_of(const char *path)
{
    static char part[1024];
    snprintf(part, sizeof part, "%s.winshm-part", path);
    return part;
}

static inline bool file_exists(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file != NULL)
        fclose(file);
    return file != NULL;
}

/** Closes the region, which has got no link there, as nobody has: for these
 * reasons. */
static inline void link_refused(winshm_region *own, const char *path,
                                winshm_status making, winshm_status opening)
{
    winshm_region *found = own;
    CHECK_STATUS(winshm_link(own, path), making);
    CHECK_STATUS(winshm_open_link(path, 0, 0, &found), opening);
    CHECK(found == NULL);
    CHECK_OK(winshm_close(own));
}

/** @return its bytes, to be freed. */
static inline unsigned char *file_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL && fseek(file, 0, SEEK_END) == 0);
    *size = (size_t)ftell(file);
    unsigned char *bytes = malloc(*size + 1);
    rewind(file);
    CHECK(bytes != NULL && fread(bytes, 1, *size, file) == *size);
    fclose(file);
    return bytes;
}

static inline void file_write(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL && fwrite(bytes, 1, size, file) == size);
    CHECK_EQ(fclose(file), 0);
}

#endif
