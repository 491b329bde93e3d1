/* A participant without the right to write the control block: it reads by
 * version check and disturbs nobody. */
#include "check.h"
#include "child.h"
#include "observer.h"
#include "plain.h"

static const char *region_name;

static void role_refused(const char *name, uint32_t unused)
{
    winshm_region *h = observed(name), *other;
    char byte;
    uint32_t now;
    void *handle;
    (void)unused;
    CHECK_STATUS(winshm_lock(h, WINSHM_SHARED, 0), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 0), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_unlock(h, WINSHM_SHARED), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_unlock(h, WINSHM_EXCLUSIVE), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_make_consistent(h), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_notify(h), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_wait_handle(h, &handle), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_write(h, 0, "x", 1, 0), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_open(name, 0, &other), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_open_or_create(name, SIZE, 0, &other), WINSHM_E_ACCESS);
    CHECK_STATUS(winshm_open(name, WINSHM_RAW, &other), WINSHM_E_ACCESS);
    CHECK_OK(winshm_open(name, WINSHM_RAW | WINSHM_READ, &other));
    CHECK_OK(winshm_close(other));
    CHECK_OK(winshm_read(h, 0, &byte, 1, 0));
    CHECK_OK(winshm_change_count(h, &now));
    parent_tell('w');
    CHECK_OK(winshm_wait(h, now, PATIENCE_MS, &now));
    CHECK_STATUS(winshm_wait(h, now, 80, &now), WINSHM_E_TIMEOUT);
    /* A writer is inside now. */
    parent_tell('l');
    parent_hear();
    CHECK_STATUS(winshm_read(h, 0, &byte, 1, 20), WINSHM_E_TIMEOUT);
    parent_tell('d');
    parent_hear();
    CHECK_STATUS(winshm_read(h, 0, &byte, 1, 20), WINSHM_E_OWNER_DEAD);
    CHECK_OK(winshm_close(h));
}

/** Reads a block that changes all the time. */
static void role_read(const char *name, uint32_t rounds)
{
    static unsigned char block[SIZE];
    winshm_region *h = observed(name);
    unsigned copies = 0, changes = 0, last = 0;
    parent_tell('r');
    for (uint32_t i = 0; i < rounds; i++) {
        winshm_status status = winshm_read(h, 0, block, SIZE, 5);
        if (status == WINSHM_E_TIMEOUT)
            continue;
        CHECK_OK(status);
        for (int k = 1; k < SIZE; k++)
            CHECK_EQ(block[k], block[0]);
        copies++;
        changes += block[0] != last;
        last = block[0];
    }
    CHECK(copies > rounds / 20);
    CHECK(changes > 5);
    CHECK_OK(winshm_close(h));
}

static void role_hold(const char *name, uint32_t unused)
{
    winshm_region *h;
    (void)unused;
    CHECK_OK(winshm_open(name, 0, &h));
    CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS));
    parent_tell('l');
    parent_hear();
}

/** Makes the region and holds it until killed. */
static void role_show(const char *name, uint32_t unused)
{
    (void)unused;
    shown(name);
    parent_tell('s');
    parent_hear();
}

/** Tries to open. Statuses go to the parent as letters. */
static void role_open(const char *name, uint32_t unused)
{
    winshm_region *h;
    (void)unused;
    CHECK(child_become_nobody());
    parent_tell((char)('A' - winshm_open(name, WINSHM_READ, &h)));
}

static void read_thread(void *argument)
{
    char byte;
    CHECK_STATUS(winshm_read(argument, 0, &byte, 1, WINSHM_FOREVER),
                 WINSHM_E_CLOSED);
}

/** Reads whenever it is asked; at last closes, perhaps in the middle of it. */
static void role_say(const char *name, uint32_t unused)
{
    winshm_region *h = observed(name);
    char byte;
    (void)unused;
    parent_tell('A');
    int asked;
    while ((asked = parent_hear()) == 'r')
        parent_tell((char)('A' - winshm_read(h, 0, &byte, 1, 20)));
    if (asked == 'e') {
        CHECK_OK(winshm_close(h));
        return;
    }
    struct thread thread = thread_start(read_thread, h);
    sleep_ms(20);
    CHECK_OK(winshm_close(h));
    thread_join(thread);
}

static const struct role roles[] = {{"refused", role_refused},
                                    {"show", role_show},
                                    {"open", role_open},
                                    {"say", role_say},
                                    {"read", role_read},
                                    {"hold", role_hold},
                                    {NULL, NULL}};

static void test_refused(void)
{
    winshm_region *h = shown(region_name);
    struct child child = child_start("refused", region_name, 0);
    int said = child_hear(&child, PATIENCE_MS);
    if (said == -1 && child_wait(&child, PATIENCE_MS) == CHECK_SKIPPED)
        SKIP("this test must begin with rights to give up");
    CHECK_EQ(said, 'w');
    sleep_ms(30);
    CHECK_OK(winshm_notify(h));
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'l');
    struct child owner = child_start("hold", region_name, 0);
    CHECK_EQ(child_hear(&owner, PATIENCE_MS), 'l');
    child_tell(&child, 'x');
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'd');
    child_kill(&owner);
    child_tell(&child, 'x');
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 0), WINSHM_E_OWNER_DEAD);
    CHECK_OK(winshm_make_consistent(h));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_close(h));
}

static void test_never_torn(void)
{
    winshm_region *h = shown(region_name);
    struct child child = child_start("read", region_name, 2000);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'r');
    unsigned char value = 0;
    while (child_hear(&child, 0) == -2) {
        CHECK_OK(winshm_lock(h, WINSHM_EXCLUSIVE, PATIENCE_MS));
        memset(winshm_data(h), ++value, SIZE);
        CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
        if (value % 16 == 0)
            sleep_ms(1);
    }
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
    CHECK_OK(winshm_close(h));
}

/* What the control block says, or seems to say. */

enum { MAGIC, VERSION, SIZE_LOW, JOINS = 9, ID, FILE_LOW = 24, FILE_HIGH };
enum { WORD = 32, LOCK_VERSION };
enum { WORD_INCONSISTENT = 0x40000000 };

static char control_name[80];

static void poke(uint32_t index, uint32_t value, uint32_t *before)
{
    struct plain control;
    CHECK(plain_open(&control, control_name, 0));
    if (before != NULL)
        *before = ((uint32_t *)control.data)[index];
    ((uint32_t *)control.data)[index] = value;
    plain_close(&control);
}

static void check_open(winshm_status expected)
{
    struct child child = child_start("open", region_name, 0);
    CHECK_EQ('A' - child_hear(&child, PATIENCE_MS), expected);
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
}

static void test_opening(void)
{
    static const struct {
        uint32_t index, value;
        winshm_status expected;
    } cases[] = {
        {MAGIC, 1, WINSHM_E_FOREIGN},    {MAGIC, 0, WINSHM_OK},
        {VERSION, 9, WINSHM_E_LAYOUT},   {SIZE_LOW, 0, WINSHM_E_CORRUPT},
        {ID, 0, WINSHM_E_NOT_FOUND},     {JOINS, 1, WINSHM_OK},
        {FILE_LOW, 0, WINSHM_E_REPLACED}};
    struct child child = child_start("show", region_name, 0);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 's');
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t before;
        poke(cases[i].index, cases[i].value, &before);
        check_open(cases[i].expected);
        poke(cases[i].index, before, NULL);
    }
    /* Somebody is joining, and never has done: it gives up. */
    uint32_t id, joins;
    poke(ID, 0, &id);
    poke(JOINS, 1, &joins);
    check_open(WINSHM_E_NOT_FOUND);
    /* Where nothing has been written at all, the data seem to be a plain block. */
    uint32_t magic;
    poke(MAGIC, 0, &magic);
    check_open(WINSHM_E_NOT_MANAGED);
    poke(MAGIC, magic, NULL);
    poke(JOINS, joins, NULL);
    poke(ID, id, NULL);
    check_open(WINSHM_OK);
    child_kill(&child);
    check_open(WINSHM_E_NOT_FOUND);
    CHECK(plain_truncate(control_name, 100));
    check_open(WINSHM_E_FOREIGN);
    CHECK(plain_truncate(control_name, 0));
    check_open(WINSHM_E_NOT_MANAGED);
    plain_remove(control_name);
    plain_remove(region_name);
    check_open(WINSHM_E_NOT_FOUND);
    /* What only its owner may read. */
    winshm_region *h;
    CHECK_OK(winshm_create(region_name, SIZE, 0, &h));
    check_open(WINSHM_E_ACCESS);
    CHECK_OK(winshm_close(h));
}

static void check_said(struct child *child, winshm_status expected)
{
    child_tell(child, 'r');
    CHECK_EQ('A' - child_hear(child, PATIENCE_MS), expected);
}

/** The region ends and begins anew, and is damaged, while it is observed. */
static void test_reading(void)
{
    struct child creator = child_start("show", region_name, 0);
    CHECK_EQ(child_hear(&creator, PATIENCE_MS), 's');
    struct child child = child_start("say", region_name, 0);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'A');
    check_said(&child, WINSHM_OK);
    child_kill(&creator);
    winshm_region *h = shown(region_name);
    check_said(&child, WINSHM_E_NOT_FOUND);
    struct child owner = child_start("hold", region_name, 0);
    CHECK_EQ(child_hear(&owner, PATIENCE_MS), 'l');
    child_kill(&owner);
    check_said(&child, WINSHM_E_NOT_FOUND);
    child_tell(&child, 'e');
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
    CHECK_STATUS(winshm_lock(h, WINSHM_EXCLUSIVE, 0), WINSHM_E_OWNER_DEAD);
    CHECK_OK(winshm_make_consistent(h));
    CHECK_OK(winshm_unlock(h, WINSHM_EXCLUSIVE));
    child = child_start("say", region_name, 0);
    CHECK_EQ(child_hear(&child, PATIENCE_MS), 'A');
    CHECK(plain_truncate(region_name, 0));
    check_said(&child, WINSHM_E_FAULT);
    CHECK(plain_truncate(region_name, SIZE));
    check_said(&child, WINSHM_OK);
    uint32_t version;
    poke(LOCK_VERSION, 7, &version);
    check_said(&child, WINSHM_E_TIMEOUT);
    poke(WORD, 0xFFFFFFFF, NULL);
    check_said(&child, WINSHM_E_CORRUPT);
    /* Somebody has found the owner dead, and has not repaired the data. */
    poke(WORD, WORD_INCONSISTENT, NULL);
    check_said(&child, WINSHM_E_OWNER_DEAD);
    poke(WORD, 0, NULL);
    child_tell(&child, 'c');
    CHECK_EQ(child_wait(&child, PATIENCE_MS), 0);
    poke(LOCK_VERSION, version, NULL);
    CHECK_OK(winshm_close(h));
    CHECK(plain_count(region_name) <= 0);
}

int main(int argc, char **argv)
{
    child_run_role(argc, argv, roles);
    region_name = name_of("observer");
    snprintf(control_name, sizeof control_name, "%s.winshm", region_name);
    test_refused();
    test_never_torn();
    test_opening();
    test_reading();
    return 0;
}
