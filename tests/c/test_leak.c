/* Opening, using and closing again and again leaves nothing: no handle, no
 * mapping, no name.
 *
 * test_leak [CYCLES] */
#include "check.h"
#include "child.h"
#include "plain.h"
#include "self.h"

static const char *region_name, *raw_name;

/** Threads have something of their own in the library, which goes with them. */
static void in_thread(void *argument)
{
    winshm_region *h = argument;
    CHECK_STATUS(winshm_unlock(h, WINSHM_EXCLUSIVE), WINSHM_E_NOT_OWNER);
    CHECK(strlen(winshm_last_message()) != 0);
    CHECK_OK(winshm_lock(h, WINSHM_SHARED, PATIENCE_MS));
    CHECK_OK(winshm_unlock(h, WINSHM_SHARED));
}

/** What costs more or sleeps. */
static void seldom(winshm_region *one, winshm_region *two)
{
    winshm_region *raw;
    void *event;
    uint32_t now;
    /* The second one parks. */
    CHECK_OK(winshm_lock(one, WINSHM_EXCLUSIVE, 0));
    CHECK_STATUS(winshm_lock(two, WINSHM_SHARED, 2), WINSHM_E_TIMEOUT);
    CHECK_OK(winshm_unlock(one, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_change_count(two, &now));
    CHECK_STATUS(winshm_wait(two, now, 2, NULL), WINSHM_E_TIMEOUT);
    winshm_status status = winshm_wait_handle(two, &event);
    CHECK(status == WINSHM_OK || status == WINSHM_E_UNSUPPORTED);
    CHECK_OK(winshm_notify(one));
    thread_join(thread_start(in_thread, two));
    CHECK_OK(winshm_create(raw_name, 100, WINSHM_RAW, &raw));
    CHECK_OK(winshm_close(raw));
}

/** Calls that are refused, at different depths. */
static void refused(void)
{
    winshm_region *h;
    winshm_options o = {.struct_size = sizeof o,
                        .disposition = WINSHM_OPEN_EXISTING,
                        .size = 7,
                        .name = region_name};
    CHECK_STATUS(winshm_create(region_name, 10, 0, &h), WINSHM_E_EXISTS);
    CHECK_STATUS(winshm_open_with(&o, &h), WINSHM_E_SIZE);
    CHECK_STATUS(winshm_open(raw_name, 0, &h), WINSHM_E_NOT_FOUND);
    CHECK_STATUS(winshm_open(raw_name, WINSHM_RAW, &h), WINSHM_E_NOT_FOUND);
}

static void cycle(int number)
{
    winshm_region *one, *two;
    winshm_view *view;
    char bytes[8] = {0};
    if (number % 2 == 0)
        CHECK_OK(winshm_create(region_name, 70000, 0, &one));
    else
        CHECK_OK(winshm_open_or_create(region_name, 70000, 0, &one));
    CHECK_OK(winshm_open(region_name,
                         number % 4 == 1   ? WINSHM_READ
                         : number % 4 == 2 ? WINSHM_NO_MAP
                                           : 0,
                         &two));
    CHECK_OK(winshm_lock(one, WINSHM_EXCLUSIVE, 0));
    CHECK_OK(winshm_unlock(one, WINSHM_EXCLUSIVE));
    CHECK_OK(winshm_lock(two, WINSHM_SHARED, 0));
    CHECK_OK(winshm_unlock(two, WINSHM_SHARED));
    CHECK_OK(winshm_write(one, 1, bytes, sizeof bytes, 0));
    CHECK_OK(winshm_read(two, 1, bytes, sizeof bytes, 0));
    CHECK_OK(winshm_map(two, 66000, 100, WINSHM_READ, &view));
    if (number % 64 == 0)
        seldom(one, two);
    if (number % 8 == 0)
        refused();
    CHECK_OK(winshm_close(number % 4 < 2 ? one : two));
    CHECK_OK(winshm_close(number % 4 < 2 ? two : one));
    /* A view may outlive its handle, and the region ends with it. */
    CHECK_OK(winshm_unmap(view));
}

static void cycles(int count, struct holdings before)
{
    for (int i = 0; i < count; i++)
        cycle(i);
    struct holdings after = self_holdings();
    CHECK_EQ(after.handles, before.handles);
    CHECK_EQ(after.mappings, before.mappings);
    CHECK(plain_count(region_name) <= 0);
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : child_slow() ? 200 : 2000;
    struct plain plain;
    winshm_region *h;
    region_name = name_of("leak");
    raw_name = name_of("leak-raw");
    /* What is made once, by the library, by the C library and here. */
    for (int i = 0; i < 64; i++)
        cycle(i);
    self_holdings();
    struct holdings before = self_holdings();
    /* What is held is seen. */
    CHECK_OK(winshm_create(region_name, 1, 0, &h));
    struct holdings open = self_holdings();
    CHECK(open.handles > before.handles && open.mappings > before.mappings);
    CHECK_OK(winshm_close(h));
    uint64_t began = clock_ms();
    cycles(count / 2, before);
    cycles(count - count / 2, before);
    printf("%d cycles in %llu ms: %d handles and %d mappings, as before\n",
           count, (unsigned long long)(clock_ms() - began), before.handles,
           before.mappings);
    CHECK(!plain_open(&plain, region_name, 0));
    CHECK(!plain_open(&plain, raw_name, 0));
    return 0;
}
