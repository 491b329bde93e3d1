/* The victims, the attacker, and what the bytes of an input stand for. */
#define _GNU_SOURCE
#include "bench.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint8_t *bench_control;
uint8_t bench_whole[LAYOUT_BYTES];
const char *bench_name;

static uint64_t data_file;
static uint32_t descriptors;
static uint32_t mapped;

/** Attacks that wait for their moment, and how many there are. */
uint32_t bench_pending;
enum { PENDING = 8 };
static struct {
    uint32_t looks; /* 0: none */
    uint32_t offset;
    uint32_t value;
} pending[PENDING];

_Noreturn void bench_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("winshm: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    abort();
}

uint32_t bench_hot_word(uint32_t index)
{
    /* Header, lock, counts, change; then, of the slots of the victims and of
     * one that nobody has, all words that have a meaning; then growth. */
    static const uint8_t in_slot[] = {0, 1, 32, 33, 34, 35, 36, 64, 66, 68};
    static const uint8_t slots[] = {0, 1, 2, 3, 4, 20, 126, 127};
    static const uint8_t common[] = {32, 33, 34, 35, 64, 65, 96, 97, 98};
    index &= 127;
    if (index < 28)
        return index * 4;
    index -= 28;
    if (index < sizeof common)
        return (uint32_t)common[index] * 4;
    index -= (uint32_t)sizeof common;
    if (index % 2 != 0 && index >= sizeof slots * sizeof in_slot)
        return (uint32_t)offsetof(struct layout_control, growth) +
               index % (uint32_t)(sizeof(struct layout_growth) / 4) * 4;
    if (index >= sizeof slots * sizeof in_slot) /* the layout's first words */
        return (uint32_t)offsetof(struct layout_control, layout) +
               (index - (uint32_t)(sizeof slots * sizeof in_slot)) * 4;
    uint32_t slot = slots[index / sizeof in_slot];
    return (uint32_t)(offsetof(struct layout_control, slots) +
                      slot * sizeof(struct layout_slot)) +
           in_slot[index % sizeof in_slot] * 4u;
}

void bench_write(uint32_t offset, uint32_t value)
{
    offset &= ~3u;
    if (offset < sizeof(struct layout_control))
        atomic_store((shared_u32 *)(void *)(bench_control + offset), value);
}

void bench_write_later(uint32_t looks, uint32_t offset, uint32_t value)
{
    for (int i = 0; i < PENDING; i++) {
        if (pending[i].looks != 0)
            continue;
        pending[i].looks = looks + 1;
        pending[i].offset = offset;
        pending[i].value = value;
        bench_pending++;
        return;
    }
}

void (*bench_watch)(const volatile void *from);

void bench_strike(const volatile void *from)
{
    if (bench_watch != NULL)
        bench_watch(from);
    for (int i = 0; i < PENDING; i++) {
        if (pending[i].looks == 0 || --pending[i].looks != 0)
            continue;
        bench_pending--;
        bench_write(pending[i].offset, pending[i].value);
    }
}

uint32_t input_word(struct input *in)
{
    static const uint32_t values[] = {0,           1,
                                      2,           3,
                                      4,           5,
                                      21,          127,
                                      128,         129,
                                      0xFFF,       0x1000,
                                      0x1001,      0x1002,
                                      0x1FFF,      0x2001,
                                      0x40000000,  0x40000001,
                                      0x40000002,  0x40000015,
                                      0x7FFFFFFF,  0x80000000,
                                      0x80000001,  0xFFFFFFFE,
                                      0xFFFFFFFF,  LAYOUT_MAGIC,
                                      BENCH_BYTES, 4096,
                                      8192};
    uint32_t which = input_byte(in);
    if (which < 0xC0)
        return values[which % (sizeof values / sizeof values[0])];
    return which < 0xE0 ? input_half(in)
                        : input_half(in) | input_half(in) << 16;
}

uint32_t input_timeout(struct input *in)
{
    static const uint8_t times[] = {0, 0, 0, 0, 0, 1, 30, 100};
    return times[input_byte(in) & 7];
}

/* The clock. */

/** What one look costs. */
static const uint64_t LOOK = 1000;

/** No call may wait for longer than this, whatever its time-out is. */
static const uint64_t TOO_LONG = 60ull * 1000 * 1000 * 1000;

static uint64_t clock_ns = 1000ull * 1000 * 1000 * 1000;
static uint64_t clock_began;

void bench_clock_begin(void)
{
    clock_began = clock_ns;
}

void bench_pass(uint64_t nanoseconds)
{
    clock_ns += nanoseconds;
    if (clock_ns - clock_began > TOO_LONG)
        bench_fail("a call goes on for more than a minute");
    if (bench_pending != 0)
        bench_strike(NULL);
}

uint64_t bench_now(void)
{
    return clock_ns;
}

uint64_t bench_look(void)
{
    bench_pass(LOOK);
    return clock_ns;
}

/* The victims. */

static void *use_first(void *index)
{
    uint32_t now;
    if (winshm_change_count(bench_handles[*(uint32_t *)index], &now) !=
        WINSHM_OK)
        bench_fail("cannot use a victim");
    return NULL;
}

static void open_victim(uint32_t index, uint32_t flags)
{
    pthread_t thread;
    winshm_options o = {.struct_size = sizeof o,
                        .flags = flags,
                        .disposition = WINSHM_OPEN_EXISTING,
                        .name = bench_name,
                        .layout = BENCH_LAYOUT};
    if (index == BENCH_FIRST) {
        o.disposition = WINSHM_CREATE_NEW;
        o.size = BENCH_BYTES;
        o.capacity = BENCH_ROOM;
    }
    winshm_status status = winshm_open_with(&o, &bench_handles[index]);
    if (status != WINSHM_OK)
        bench_fail("%s", winshm_last_message());
    if (index != BENCH_OTHER)
        use_first(&index);
    else if (pthread_create(&thread, NULL, use_first, &index) != 0 ||
             pthread_join(thread, NULL) != 0)
        bench_fail("no thread");
}

void bench_open(void)
{
    static char name[48];
    if (bench_name != NULL)
        return;
    snprintf(name, sizeof name, "wfz%ld", (long)getpid());
    bench_name = name;
    bench_clock_begin();
    open_victim(BENCH_FIRST, 0);
    open_victim(BENCH_OTHER, 0);
    open_victim(BENCH_READER, WINSHM_READ | WINSHM_NO_MAP);
    bench_denies = true;
    open_victim(BENCH_OBSERVER, WINSHM_READ);
    bench_denies = false;
    bench_control = world_control(name);
    memcpy(bench_whole, bench_control, sizeof(struct layout_control));
    data_file = world_data(name);
}

void bench_begin(void)
{
    bench_open();
    bench_clock_begin();
    /* Not once for all: the fuzzer itself opens and closes files. */
    descriptors = world_descriptors();
    mapped = world_mappings();
}

/** A whole block works again, whatever the handle went through: what it keeps
 * for itself has not been led astray. */
static void check_victim(uint32_t index)
{
    winshm_region *h = bench_handles[index];
    char bytes[16];
    if (index != BENCH_OBSERVER &&
        (winshm_lock(h, WINSHM_EXCLUSIVE, 0) != WINSHM_OK ||
         winshm_unlock(h, WINSHM_EXCLUSIVE) != WINSHM_OK ||
         winshm_lock(h, WINSHM_SHARED, 0) != WINSHM_OK ||
         winshm_unlock(h, WINSHM_SHARED) != WINSHM_OK))
        bench_fail("victim %u cannot lock: %s", index, winshm_last_message());
    if (winshm_read(h, BENCH_BYTES - 16, bytes, 16, 0) != WINSHM_OK)
        bench_fail("victim %u cannot read: %s", index, winshm_last_message());
    if (winshm_size(h) != BENCH_BYTES)
        bench_fail("victim %u has changed its size", index);
}

void bench_end(void)
{
    memset(pending, 0, sizeof pending);
    bench_pending = 0;
    bench_denies = false;
    bench_barrier = true;
    bench_clock_begin();
    for (uint32_t i = 0; i < BENCH_HANDLES; i++)
        if (bench_handles[i] != NULL)
            bench_release(bench_handles[i]);
    memcpy(bench_control, bench_whole, sizeof(struct layout_control));
    for (uint32_t i = 0; i < BENCH_VICTIMS; i++)
        check_victim(i);
    for (uint32_t i = BENCH_VICTIMS; i < BENCH_HANDLES; i++) {
        if (bench_handles[i] != NULL)
            bench_try_close(bench_handles[i]);
        bench_handles[i] = NULL;
    }
    if (world_data(bench_name) != data_file || !world_has_control(bench_name))
        bench_fail("a file of a region that lives was removed");
    if (world_descriptors() != descriptors)
        bench_fail("a descriptor was leaked");
    if (world_mappings() != mapped)
        bench_fail("a mapping was leaked");
}

/* Inputs. The first byte says how; then come steps, of which the first byte
 * says what to do with which handle. */

static void step_open(struct input *in, uint32_t index)
{
    static const uint64_t sizes[] = {0, BENCH_BYTES, 1, 4096, 8192};
    static const uint32_t flags[] = {0, WINSHM_READ, WINSHM_NO_MAP,
                                     WINSHM_READ | WINSHM_NO_MAP};
    uint32_t how = input_byte(in);
    winshm_region **place = &bench_handles[BENCH_VICTIMS + index % 3];
    if (*place != NULL) {
        bench_try_close(*place);
        *place = NULL;
        return;
    }
    uint64_t size = how % 3 == 0 ? 0 : sizes[how / 12 % 5];
    if (how % 3 == 1 && size == 0)
        size = BENCH_BYTES;
    /* Creating asks for write access. */
    uint32_t flag = flags[how / 3 % 4];
    if (how % 3 != 0)
        flag &= WINSHM_NO_MAP;
    if (how >= 128)
        flag |= WINSHM_TASK;
    bench_try_open(how, bench_name, size, flag, place);
}

void bench_run(struct input *in, bool opens)
{
    uint32_t how = input_byte(in);
    uint32_t looks, offset;
    bench_barrier = (how & 1) == 0;
    bench_denies = opens && (how & 6) == 6;
    while (in->next < in->end) {
        uint32_t step = input_byte(in);
        switch (step & 7) {
        case 0:
        case 1:
            offset =
                bench_hot_word(step >> 3 | (step & 1) << 5 | (how & 0x80) >> 1);
            bench_write(offset, input_word(in));
            break;
        case 2:
            offset = bench_hot_word(input_byte(in));
            bench_write(offset, input_word(in));
            break;
        case 3:
            offset = input_half(in);
            bench_write(offset, input_word(in));
            break;
        case 4:
            /* The next loads one by one, then ever further ahead. */
            looks = input_byte(in);
            looks = looks < 0xC0 ? looks & 31 : (looks & 63) * 16;
            offset = bench_hot_word(input_byte(in));
            bench_write_later(looks, offset, input_word(in));
            break;
        case 5:
            if (opens) {
                step_open(in, step >> 3);
                break;
            }
            /* fall through */
        default:
            bench_use((step >> 3) % (opens ? (uint32_t)BENCH_HANDLES
                                           : (uint32_t)BENCH_VICTIMS),
                      input_byte(in), in);
        }
    }
}
