/* Double fetches: how often a call loads each word of a header, and what comes
 * of one that is another one at the second look. What was checked in one load
 * and used from another would be no check at all. */
#include <stdio.h>
#include <string.h>

#include "bench.h"

enum { WORDS = sizeof(struct layout_header) / 4, JOINS = 9, ID = 10 };

static const char *const calls[] = {"winshm_open", "winshm_create",
                                    "winshm_open_or_create", "an observer"};
enum { OBSERVER = 3, CALLS = 4 };

static const uint32_t values[] = {
    0, 1, 2, 4096, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, LAYOUT_MAGIC};
enum { VALUES = sizeof values / sizeof values[0] };

static uint8_t *block;
static uint32_t fetched[WORDS];

/** The word that changes before its second load; WORDS: none. */
static uint32_t changing;
static uint32_t value;

static void watch(const volatile void *from)
{
    uintptr_t offset = (uintptr_t)from - (uintptr_t)block;
    uint32_t word = (uint32_t)(offset / 4);
    if (offset >= sizeof(struct layout_header))
        return;
    if (++fetched[word] == 2 && word == changing)
        atomic_store((shared_u32 *)(void *)(block + offset), value);
}

/** One call, watched; then the region is used and left. */
static void call(uint32_t how, const char *name)
{
    winshm_region **place = &bench_handles[BENCH_VICTIMS];
    memset(fetched, 0, sizeof fetched);
    bench_denies = how == OBSERVER;
    bench_watch = watch;
    bench_pending++;
    winshm_status status =
        bench_try_open(how, name, how % 3 == 0 ? 0 : BENCH_BYTES,
                       how == OBSERVER ? WINSHM_READ : 0, place);
    bench_pending--;
    bench_watch = NULL;
    bench_denies = false;
    if (status != WINSHM_OK)
        return;
    if (winshm_size(*place) != BENCH_BYTES)
        bench_fail("%s: word %u has changed the size", calls[how], changing);
    bench_use_all(BENCH_VICTIMS, 1);
    bench_try_close(*place);
    *place = NULL;
}

/** What a call may load more than once, since it only compares it with what it
 * has seen (an observer, which holds nothing that keeps the region as it is, and
 * whoever asks for the size before it is a participant), or goes on counting
 * from it. */
static bool may_look_again(uint32_t word)
{
    return word == JOINS || (word >= ID && word < ID + 4);
}

static void check_counts(uint32_t how)
{
    for (uint32_t word = 0; word < WORDS; word++)
        if (fetched[word] > 1 && !may_look_again(word))
            bench_fail("%s loads word %u of the header %u times", calls[how],
                       word, fetched[word]);
}

int main(void)
{
    static char left[64];
    uint64_t tried = 0, volume;
    for (uint32_t how = 0; how < CALLS; how++) {
        /* Beside participants that live. */
        for (changing = 0; changing <= WORDS; changing++) {
            for (uint32_t i = 0; i < VALUES; i++) {
                bench_begin();
                block = bench_control;
                value = values[i];
                call(how, bench_name);
                /* An observer begins again from nothing if it is another life.
                 */
                if (!may_look_again(changing))
                    check_counts(how);
                bench_end();
                tried++;
            }
        }
        /* What an earlier life has left is looked at again when it is removed;
         * what is not recorded then stays. */
        snprintf(left, sizeof left, "%s-left", bench_name);
        for (changing = 0; changing <= WORDS; changing++) {
            for (uint32_t i = 0; i < VALUES; i++) {
                bench_begin();
                uint64_t data = world_make_data(left, &volume);
                struct layout_header *header = (void *)bench_control;
                shared_store(&header->data_volume, volume);
                shared_store(&header->data_file, data + i % 2);
                world_make_control(left, bench_control, LAYOUT_BYTES);
                block = world_control(left);
                value = values[i];
                call(how, left);
                if (i % 2 == 1 && changing >= WORDS &&
                    world_data(left) != data && how != OBSERVER)
                    bench_fail("%s: a file that was never recorded is gone",
                               calls[how]);
                world_remove(left);
                bench_end();
                tried++;
            }
        }
    }
    printf("Done %llu runs\n", (unsigned long long)tried);
    return 0;
}
