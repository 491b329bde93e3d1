/* Link files and saved regions among what else Windows has: folders, devices,
 * pipes and hard links, somebody who keeps a file open, and names that none can
 * have. Wine makes no symbolic links. */
#include <windows.h>

#include "check.h"
#include "child.h"
#include "files.h"

enum { BYTES = 100000 };

static winshm_region *h;

static winshm_region *created(void)
{
    winshm_region *made;
    CHECK_OK(winshm_create(NULL, BYTES, 0, &made));
    return made;
}

static const char *link_part_of(const char *path)
{
    static char part[1024];
    snprintf(part, sizeof part, "%s.winshm-link", path);
    return part;
}

/** Opens or makes a file, and lets others do so much. */
static HANDLE kept(const char *path, DWORD access, DWORD share)
{
    HANDLE file = CreateFileA(path, access, share, NULL, OPEN_ALWAYS, 0, NULL);
    CHECK(file != INVALID_HANDLE_VALUE);
    return file;
}

/* Links. */

static void test_links(void)
{
    const char *path = file_of("link"), *other = file_of("other");
    const char *part = link_part_of(path);
    char pipe[600], part_pipe[600];
    CHECK(CreateDirectoryA(path, NULL));
    link_refused(created(), path, WINSHM_E_EXISTS, WINSHM_E_KIND);
    CHECK(RemoveDirectoryA(path));
    link_refused(created(), "a?b", WINSHM_E_SYSTEM, WINSHM_E_NOT_FOUND);
    winshm_region *found;
    CHECK_STATUS(winshm_open_link("NUL", 0, 0, &found), WINSHM_E_KIND);
    /* What is no part file. */
    CHECK(CreateDirectoryA(part, NULL));
    link_refused(created(), path, WINSHM_E_KIND, WINSHM_E_NOT_FOUND);
    CHECK(RemoveDirectoryA(part));
    file_write(other, "precious", 8);
    CHECK(CreateHardLinkA(part, other, NULL));
    link_refused(created(), path, WINSHM_E_KIND, WINSHM_E_NOT_FOUND);
    CHECK(DeleteFileA(part));
    size_t size;
    free(file_read(other, &size));
    CHECK_EQ(size, 8);
    CHECK(DeleteFileA(other));
    snprintf(pipe, sizeof pipe, "\\\\.\\pipe\\%s", name_of("pipe"));
    snprintf(part_pipe, sizeof part_pipe, "%s", link_part_of(pipe));
    HANDLE server = CreateNamedPipeA(part_pipe, PIPE_ACCESS_DUPLEX, 0, 1, 100,
                                     100, 0, NULL);
    CHECK(server != INVALID_HANDLE_VALUE);
    CHECK_STATUS(winshm_link(h, pipe), WINSHM_E_KIND);
    CloseHandle(server);
}

/** Somebody reads a link and lets nobody remove it: then it is left as by a
 * crash, and replaced. */
static void test_reader(void)
{
    const char *path = file_of("read");
    winshm_region *own = created(), *found;
    CHECK_OK(winshm_link(own, path));
    HANDLE file = kept(path, GENERIC_READ, FILE_SHARE_READ);
    CHECK_OK(winshm_close(own));
    CHECK(file_exists(path));
    CloseHandle(file);
    CHECK_STATUS(winshm_open_link(path, 0, 0, &found), WINSHM_E_NOT_FOUND);
    CHECK_OK(winshm_link(h, path));
    CHECK_OK(winshm_open_link(path, 0, 0, &found));
    CHECK_OK(winshm_close(found));
}

/** Somebody is stopped who has the part file. */
static void wait_for_part(void *path)
{
    winshm_region *own = created();
    uint64_t began = clock_ms();
    CHECK_STATUS(winshm_link(own, path), WINSHM_E_TIMEOUT);
    CHECK(clock_ms() - began >= 4900);
    CHECK_OK(winshm_close(own));
}

/* Saved regions. */

static void test_saved(void)
{
    const char *path = file_of("saved"), *other = file_of("second");
    const char *part = part_of(path);
    char pipe[600];
    CHECK_STATUS(winshm_load(h, "NUL", 0), WINSHM_E_KIND);
    CHECK(CreateDirectoryA(part, NULL));
    CHECK_STATUS(winshm_save(h, path, 0), WINSHM_E_KIND);
    CHECK(RemoveDirectoryA(part));
    file_write(other, "precious", 8);
    CHECK(CreateHardLinkA(part, other, NULL));
    CHECK_STATUS(winshm_save(h, path, 0), WINSHM_E_KIND);
    CHECK(DeleteFileA(part) && DeleteFileA(other));
    snprintf(pipe, sizeof pipe, "\\\\.\\pipe\\%s", name_of("saves"));
    HANDLE server = CreateNamedPipeA(part_of(pipe), PIPE_ACCESS_DUPLEX, 0, 1,
                                     100, 100, 0, NULL);
    CHECK(server != INVALID_HANDLE_VALUE);
    CHECK_STATUS(winshm_save(h, pipe, 0), WINSHM_E_KIND);
    CloseHandle(server);
    CHECK(!file_exists(path));
}

static volatile winshm_status told;

static void save_patiently(void *path)
{
    told = winshm_save(h, path, PATIENCE_MS);
}

/** Somebody keeps the old file for a moment, and keeps everybody away. */
static void test_kept(void)
{
    const char *path = file_of("kept");
    CHECK_OK(winshm_save(h, path, 0));
    HANDLE file = kept(path, GENERIC_READ, 0);
    CHECK_STATUS(winshm_load(h, path, 20), WINSHM_E_TIMEOUT);
    struct thread thread = thread_start(save_patiently, (void *)path);
    sleep_ms(300);
    CloseHandle(file);
    thread_join(thread);
    CHECK_STATUS(told, WINSHM_OK);
    CHECK_OK(winshm_load(h, path, 0));
    CHECK(DeleteFileA(path));
}

/* A block of an outsider that is only reserved has nothing to use. */

static void test_reserved(void)
{
    const char *name = name_of("reserved");
    winshm_region *raw;
    HANDLE section =
        CreateFileMappingA(INVALID_HANDLE_VALUE, NULL,
                           PAGE_READWRITE | SEC_RESERVE, 0, 65536, name);
    CHECK(section != NULL);
    CHECK_STATUS(winshm_open(name, WINSHM_RAW, &raw), WINSHM_E_SIZE);
    CHECK(strstr(winshm_last_message(), "the block is empty") != NULL);
    CloseHandle(section);
}

int main(void)
{
    const char *held = file_of("held");
    CHECK_OK(winshm_create(name_of("files"), BYTES, 0, &h));
    HANDLE part = kept(link_part_of(held), GENERIC_READ, 0);
    struct thread waiter = thread_start(wait_for_part, (void *)held);
    test_reserved();
    test_links();
    test_reader();
    test_saved();
    test_kept();
    thread_join(waiter);
    CloseHandle(part);
    CHECK(DeleteFileA(link_part_of(held)));
    CHECK_OK(winshm_close(h));
    return 0;
}
