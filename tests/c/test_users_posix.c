/* What one user can do to another: nothing. Two users without rights try, and
 * the super-user is tried too; a test that may not be them proves nothing and
 * says so. The library takes the effective user for the one who calls. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "child.h"
#include "layout.h"
#include "plain.h"

enum {
    ROOT = 0,
    VICTIM = 65534,
    SQUATTER = 65533,
    SIZE = 5000,
    LIFE_PATIENCE_MS = 5000, /* what create and open give the life lock */
    SLACK_MS = 1000
};

static const char *region_name;

static void be(uid_t user)
{
    CHECK(seteuid(ROOT) == 0);
    CHECK(setegid(user) == 0 && seteuid(user) == 0);
    prctl(PR_SET_DUMPABLE, 1); /* or /proc/self would be root's */
}

static const char *path_of(const char *suffix)
{
    static char paths[4][300];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "/dev/shm/%s%s", region_name, suffix);
    return path;
}

/** Puts a file full of a byte there, by whatever right the test began with. */
static void put(const char *suffix, uid_t user, mode_t mode, off_t size,
                char byte)
{
    static char bytes[LAYOUT_BYTES + 1];
    uid_t self = geteuid();
    be(ROOT);
    int fd = open(path_of(suffix), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    memset(bytes, byte, sizeof bytes);
    CHECK_EQ(write(fd, bytes, (size_t)size), size);
    CHECK(fchown(fd, user, user) == 0 && fchmod(fd, mode) == 0);
    close(fd);
    be(self);
}

static void drop(const char *suffix)
{
    uid_t self = geteuid();
    be(ROOT);
    CHECK(remove(path_of(suffix)) == 0);
    be(self);
}

/** A file from put() is what it was. */
static void check_untouched(const char *suffix, uid_t user, mode_t mode,
                            off_t size, char byte)
{
    static char bytes[LAYOUT_BYTES + 1];
    uid_t self = geteuid();
    struct stat file;
    be(ROOT);
    int fd = open(path_of(suffix), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    CHECK(fd >= 0 && fstat(fd, &file) == 0);
    CHECK_EQ(file.st_uid, user);
    CHECK_EQ(file.st_mode, S_IFREG | mode);
    CHECK_EQ(file.st_size, size);
    CHECK_EQ(read(fd, bytes, sizeof bytes), size);
    for (off_t i = 0; i < size; i++)
        CHECK_EQ(bytes[i], byte);
    close(fd);
    be(self);
}

static winshm_status open_as(const char *security, uint32_t flags,
                             winshm_region **out)
{
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_OPEN_EXISTING,
                        .flags = flags,
                        .name = region_name,
                        .security = security};
    return winshm_open_with(&o, out);
}

static winshm_region *create_as(const char *security)
{
    winshm_region *h;
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_CREATE_NEW,
                        .size = SIZE,
                        .name = region_name,
                        .security = security};
    CHECK_OK(winshm_open_with(&o, &h));
    return h;
}

/** Each way in is refused, soon, and as it should be. */
static void check_refused(winshm_status create, winshm_status open,
                          winshm_status read, winshm_status join)
{
    winshm_region *h;
    uint64_t began = clock_ms();
    CHECK_STATUS(winshm_create(region_name, SIZE, 0, &h), create);
    CHECK_STATUS(winshm_open(region_name, 0, &h), open);
    CHECK_STATUS(winshm_open(region_name, WINSHM_READ, &h), read);
    CHECK_STATUS(winshm_open_or_create(region_name, SIZE, 0, &h), join);
    CHECK(clock_ms() - began < SLACK_MS);
}

/** Makes the region, as the victim, and holds it until it is killed. */
static void role_hold(const char *name, uint32_t unused)
{
    (void)unused;
    region_name = name;
    CHECK(child_become_nobody());
    create_as("everyone-read");
    parent_tell('h');
    parent_hear();
}

static const struct role roles[] = {{"hold", role_hold}, {NULL, NULL}};

/** A region that others have not been let into. */
static void test_owner_only(void)
{
    static const char *const words[] = {NULL, "session"};
    for (int i = 0; i < 2; i++) {
        winshm_region *h = create_as(words[i]), *other;
        be(VICTIM);
        check_refused(WINSHM_E_ACCESS, WINSHM_E_ACCESS, WINSHM_E_ACCESS,
                      WINSHM_E_ACCESS);
        CHECK_STATUS(open_as("anyone", WINSHM_READ, &other), WINSHM_E_ACCESS);
        CHECK_STATUS(winshm_open(region_name, WINSHM_RAW | WINSHM_READ, &other),
                     WINSHM_E_ACCESS);
        be(ROOT);
        CHECK_OK(winshm_close(h));
    }
}

/* Names that somebody else has taken before. */

static void test_data_name(void)
{
    be(VICTIM);
    static const mode_t modes[] = {0600, 0644, 0666};
    for (int i = 0; i < 3; i++) {
        put("", SQUATTER, modes[i], 2 * SIZE, 's');
        check_refused(WINSHM_E_HELD, WINSHM_E_NOT_MANAGED, WINSHM_E_NOT_MANAGED,
                      modes[i] == 0666 ? WINSHM_E_FOREIGN : WINSHM_E_ACCESS);
        check_untouched("", SQUATTER, modes[i], 2 * SIZE, 's');
        CHECK_EQ(plain_count(region_name), 1);
        drop("");
    }
    /* A name that leads to a file of the victim's own. */
    put("-own", VICTIM, 0600, 2 * SIZE, 's');
    be(SQUATTER);
    CHECK(symlink(path_of("-own"), path_of("")) == 0);
    be(VICTIM);
    check_refused(WINSHM_E_KIND, WINSHM_E_KIND, WINSHM_E_KIND,
                  WINSHM_E_KIND);
    drop("");
    be(ROOT);
    CHECK(link(path_of("-own"), path_of("")) == 0);
    be(VICTIM);
    check_refused(WINSHM_E_HELD, WINSHM_E_NOT_MANAGED, WINSHM_E_NOT_MANAGED,
                  WINSHM_E_FOREIGN);
    drop("");
    check_untouched("-own", VICTIM, 0600, 2 * SIZE, 's');
    drop("-own");
    be(ROOT);
    CHECK_EQ(plain_count(region_name), 0);
}

static void test_control_name(void)
{
    static const off_t sizes[] = {0, 1, LAYOUT_BYTES - 1, LAYOUT_BYTES,
                                  LAYOUT_BYTES + 1};
    be(VICTIM);
    for (int i = 0; i < 5; i++) {
        /* Full of zeros and of the right size it would be a new one. */
        char byte = sizes[i] == LAYOUT_BYTES ? 's' : 0;
        put(".winshm", SQUATTER, 0666, sizes[i], byte);
        check_refused(WINSHM_E_FOREIGN, WINSHM_E_FOREIGN, WINSHM_E_FOREIGN,
                      WINSHM_E_FOREIGN);
        check_untouched(".winshm", SQUATTER, 0666, sizes[i], byte);
        drop(".winshm");
        /* One's own, but not a control block. */
        if (sizes[i] == 0)
            continue;
        put(".winshm", VICTIM, 0600, sizes[i], byte);
        check_refused(WINSHM_E_FOREIGN, WINSHM_E_FOREIGN, WINSHM_E_FOREIGN,
                      WINSHM_E_FOREIGN);
        check_untouched(".winshm", VICTIM, 0600, sizes[i], byte);
        drop(".winshm");
    }
    put(".winshm", SQUATTER, 0600, LAYOUT_BYTES, 's');
    check_refused(WINSHM_E_ACCESS, WINSHM_E_ACCESS, WINSHM_E_ACCESS,
                  WINSHM_E_ACCESS);
    check_untouched(".winshm", SQUATTER, 0600, LAYOUT_BYTES, 's');
    drop(".winshm");
    put("-own", VICTIM, 0600, LAYOUT_BYTES, 's');
    be(SQUATTER);
    CHECK(symlink(path_of("-own"), path_of(".winshm")) == 0);
    be(VICTIM);
    check_refused(WINSHM_E_KIND, WINSHM_E_KIND, WINSHM_E_KIND, WINSHM_E_KIND);
    drop(".winshm");
    check_untouched("-own", VICTIM, 0600, LAYOUT_BYTES, 's');
    drop("-own");
    put("-own", VICTIM, 0600, 0, 's');
    be(ROOT);
    CHECK(link(path_of("-own"), path_of(".winshm")) == 0);
    be(VICTIM);
    check_refused(WINSHM_E_FOREIGN, WINSHM_E_FOREIGN, WINSHM_E_FOREIGN,
                  WINSHM_E_FOREIGN);
    check_untouched("-own", VICTIM, 0600, 0, 's');
    drop(".winshm");
    drop("-own");
    be(ROOT);
    CHECK_EQ(plain_count(region_name), 0);
}

/** A file that its owner has shut out everybody from, as a creator that was
 * killed may leave it, shuts out others for good, and its owner only if there
 * is something in it. */
static void test_shut(void)
{
    winshm_region *h;
    be(VICTIM);
    put(".winshm", VICTIM, 0000, 0, 's');
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    CHECK_OK(winshm_close(h));
    CHECK_EQ(plain_count(region_name), 0);
    static const uid_t owners[] = {VICTIM, SQUATTER};
    for (int i = 0; i < 2; i++) {
        put(".winshm", owners[i], 0000, 1 - i, 's');
        check_refused(WINSHM_E_ACCESS, WINSHM_E_ACCESS, WINSHM_E_ACCESS,
                      WINSHM_E_ACCESS);
        check_untouched(".winshm", owners[i], 0000, 1 - i, 's');
        drop(".winshm");
    }
    CHECK(mkfifo(path_of(".winshm"), 0000) == 0);
    check_refused(WINSHM_E_ACCESS, WINSHM_E_ACCESS, WINSHM_E_ACCESS,
                  WINSHM_E_ACCESS);
    drop(".winshm");
    be(ROOT);
}

/** A whole region of somebody else's is nobody's who does not ask for it. */
static void test_stranger(void)
{
    static const mode_t modes[] = {0644, 0666};
    for (int i = 0; i < 2; i++) {
        winshm_region *other;
        bool writable = modes[i] == 0666;
        be(SQUATTER);
        winshm_region *h = create_as("everyone-read");
        be(ROOT);
        CHECK(chmod(path_of(""), modes[i]) == 0);
        CHECK(chmod(path_of(".winshm"), modes[i]) == 0);
        be(VICTIM);
        winshm_status status = writable ? WINSHM_E_FOREIGN : WINSHM_E_ACCESS;
        check_refused(status, status, WINSHM_E_FOREIGN, status);
        /* It is not enough that one of both is the victim's. */
        for (int part = 0; part < 2; part++) {
            const char *path = path_of(part == 0 ? "" : ".winshm");
            be(ROOT);
            CHECK(chown(path, VICTIM, VICTIM) == 0);
            be(VICTIM);
            CHECK_STATUS(open_as(NULL, WINSHM_READ, &other), WINSHM_E_FOREIGN);
            be(ROOT);
            CHECK(chown(path, SQUATTER, SQUATTER) == 0);
        }
        be(VICTIM);
        CHECK_OK(open_as("anyone", WINSHM_READ, &other));
        CHECK_EQ(winshm_size(other), SIZE);
        CHECK_OK(winshm_close(other));
        CHECK_STATUS(open_as("anyone", 0, &other),
                     writable ? WINSHM_OK : WINSHM_E_ACCESS);
        CHECK_OK(winshm_close(other));
        be(ROOT);
        CHECK_OK(winshm_open(region_name, 0, &other));
        CHECK_OK(winshm_close(other));
        be(SQUATTER);
        CHECK_OK(winshm_close(h));
        be(ROOT);
        CHECK_EQ(plain_count(region_name), 0);
    }
}

/** The super-user builds upon nothing that a user has prepared. */
static void test_super_user(void)
{
    winshm_region *h;
    static const off_t sizes[] = {0, LAYOUT_BYTES};
    for (int i = 0; i < 2; i++) {
        put(".winshm", SQUATTER, 0666, 0, 's');
        CHECK(truncate(path_of(".winshm"), sizes[i]) == 0);
        int fd = open(path_of(".winshm"), O_RDONLY | O_CLOEXEC);
        char word[4];
        CHECK_STATUS(winshm_create(region_name, SIZE, 0, &h), WINSHM_E_FOREIGN);
        for (off_t at = 0; pread(fd, word, 4, at) == 4; at += 4)
            CHECK(memcmp(word, "\0\0\0\0", 4) == 0);
        close(fd);
        /* Nobody had it open, so it is not in the way for ever. */
        CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
        struct stat file;
        CHECK(lstat(path_of(".winshm"), &file) == 0);
        CHECK_EQ(file.st_uid, ROOT);
        CHECK_OK(winshm_close(h));
        CHECK_EQ(plain_count(region_name), 0);
    }
}

/** Leaves a control block of this user's, and anybody's to write, that says
 * that the file under the plain name is the region's. */
static void put_record(uid_t user)
{
    struct stat file;
    struct layout_header header = {0};
    atomic_store(&header.magic, LAYOUT_MAGIC);
    atomic_store(&header.version, LAYOUT_VERSION);
    atomic_store(&header.id[0], 1);
    shared_store(&header.size, SIZE);
    shared_store(&header.capacity, SIZE);
    CHECK(stat(path_of(""), &file) == 0);
    shared_store(&header.data_volume, file.st_dev);
    shared_store(&header.data_file, file.st_ino);
    put(".winshm", user, 0666, LAYOUT_BYTES, 0);
    int fd = open(path_of(".winshm"), O_RDWR | O_CLOEXEC);
    CHECK_EQ(pwrite(fd, &header, sizeof header, 0), sizeof header);
    close(fd);
}

/** A record in a user's control block removes no other user's file. */
static void test_record(void)
{
    winshm_region *h;
    static const uid_t owners[] = {ROOT, VICTIM};
    for (int i = 0; i < 2; i++) {
        put("", owners[i], 0600, 100, 's');
        put_record(SQUATTER);
        CHECK_STATUS(winshm_open(region_name, 0, &h), WINSHM_E_NOT_MANAGED);
        check_untouched("", owners[i], 0600, 100, 's');
        drop("");
        CHECK_EQ(plain_count(region_name), 0);
    }
}

/** What the super-user's says is believed; but its permissions are not a user's
 * to change, so there is nothing to build upon. */
static void test_super_users(void)
{
    winshm_region *h;
    put("", VICTIM, 0600, 100, 's');
    put_record(ROOT);
    be(VICTIM);
    CHECK_STATUS(winshm_open(region_name, 0, &h), WINSHM_E_NOT_FOUND);
    CHECK_STATUS(winshm_create(region_name, SIZE, 0, &h), WINSHM_E_ACCESS);
    CHECK_EQ(plain_count(region_name), 1);
    drop(".winshm");
    be(ROOT);
}

/* Locks that somebody holds who has no business there. */

static int held_bytes(short type, off_t first, off_t count)
{
    struct flock lock = {.l_type = type, .l_start = first, .l_len = count};
    int fd = open(path_of(".winshm"),
                  (type == F_RDLCK ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    CHECK(fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) == 0);
    return fd;
}

/** What a reader locks is nobody's presence. */
static void test_held_presence(void)
{
    winshm_region *h, *other;
    struct child child = child_start("hold", region_name, 0);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'h');
    child_kill(&child);
    be(SQUATTER);
    int fd = held_bytes(F_RDLCK, 1, 10);
    be(VICTIM);
    CHECK_STATUS(winshm_open(region_name, 0, &h), WINSHM_E_NOT_FOUND);
    CHECK_EQ(plain_count(region_name), 0);
    close(fd);
    h = create_as("everyone-read");
    be(SQUATTER);
    fd = held_bytes(F_RDLCK, 2, 10);
    be(VICTIM);
    uint32_t count;
    CHECK_OK(winshm_get_participants(h, NULL, 0, &count));
    CHECK_EQ(count, 1);
    CHECK_OK(winshm_open(region_name, 0, &other));
    CHECK_OK(winshm_close(other));
    close(fd);
    be(SQUATTER);
    fd = held_bytes(F_RDLCK, 2, 127);
    be(VICTIM);
    CHECK_STATUS(winshm_open(region_name, 0, &other), WINSHM_E_TOO_MANY);
    close(fd);
    CHECK_OK(winshm_close(h));
    be(ROOT);
    CHECK_EQ(plain_count(region_name), 0);
}

static void try_to_enter(void *disposition)
{
    winshm_region *h;
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = *(uint32_t *)disposition,
                        .size = SIZE,
                        .name = region_name};
    uint64_t began = clock_ms();
    CHECK_STATUS(winshm_open_with(&o, &h), WINSHM_E_TIMEOUT);
    CHECK(clock_ms() - began >= LIFE_PATIENCE_MS);
    CHECK(clock_ms() - began < LIFE_PATIENCE_MS + SLACK_MS);
}

/** The life lock can be held by whoever may read, which only costs time. */
static void test_held_life_lock(void)
{
    uint32_t ways[] = {WINSHM_CREATE_NEW, WINSHM_OPEN_EXISTING,
                       WINSHM_OPEN_OR_CREATE};
    struct thread threads[3];
    winshm_region *observer;
    be(VICTIM);
    winshm_region *h = create_as("everyone-read");
    be(SQUATTER);
    int fd = held_bytes(F_RDLCK, 0, 1);
    CHECK_OK(open_as("anyone", WINSHM_READ, &observer));
    CHECK_OK(winshm_close(observer));
    be(VICTIM);
    for (int i = 0; i < 3; i++)
        threads[i] = thread_start(try_to_enter, &ways[i]);
    for (int i = 0; i < 3; i++)
        thread_join(threads[i]);
    /* Who is inside goes on. */
    CHECK_OK(winshm_write(h, 0, "x", 1, 0));
    close(fd);
    CHECK_OK(winshm_close(h));
    be(ROOT);
    CHECK_EQ(plain_count(region_name), 0);
}

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    region_name = name_of("users");
    if (geteuid() != ROOT)
        SKIP("this test must begin with rights to give up");
    test_owner_only();
    test_data_name();
    test_control_name();
    test_shut();
    test_stranger();
    test_super_user();
    test_record();
    test_super_users();
    test_held_presence();
    test_held_life_lock();
    return 0;
}
