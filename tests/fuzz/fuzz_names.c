/* Names, options, handles and ranges as callers pass them. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>

#include "bench.h"

enum { LARGEST_FILE = 16 << 20 };

/** What a size that is really too large asks for must not be given by a library
 * that forgets to refuse it. */
static void limit_files(void)
{
    struct rlimit limit = {LARGEST_FILE, LARGEST_FILE};
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        bench_fail("setrlimit");
}

static uint64_t input_size(struct input *in)
{
    static const uint64_t sizes[] = {0,
                                     1,
                                     4095,
                                     4096,
                                     4097,
                                     65536,
                                     100 << 20,
                                     1ull << 40,
                                     INT64_MAX,
                                     1ull << 63,
                                     UINT64_MAX - 4095,
                                     UINT64_MAX};
    uint32_t which = input_byte(in);
    return which < 0x80 ? sizes[which % 12] : which << 8 | input_byte(in);
}

/** A copy with nothing behind it, so that reading on is seen. */
static char *input_text(struct input *in, const char *before)
{
    uint32_t length = input_byte(in);
    size_t room = (size_t)(in->end - in->next);
    size_t lead = strlen(before);
    if (length > room)
        length = (uint32_t)room;
    char *text = malloc(lead + length + 1);
    memcpy(text, before, lead);
    memcpy(text + lead, in->next, length);
    text[lead + length] = '\0';
    in->next += length;
    return text;
}

/** The same, in our own corner: inserted after a prefix. */
static char *in_our_corner(const char *name)
{
    size_t lead = strncmp(name, "Global\\", 7) == 0  ? 7
                  : strncmp(name, "Local\\", 6) == 0 ? 6
                                                     : 0;
    size_t room = strlen(name) + strlen(bench_name) + 2;
    char *text = malloc(room);
    snprintf(text, room, "%.*s%s.%s", (int)lead, name, bench_name, name + lead);
    return text;
}

/** A struct as a caller has it who sets this struct_size: of just as many bytes,
 * so that one too many is seen. No more are looked at than 4,096. */
static void *of_size(const void *known, size_t bytes, uint32_t size)
{
    size_t room = size < sizeof size ? sizeof size : size;
    if (room > 8192)
        room = 8192;
    void *copy = calloc(1, room);
    memcpy(copy, known, room < bytes ? room : bytes);
    return copy;
}

static winshm_status open_as_told(const winshm_options *options,
                                  winshm_region **out)
{
    winshm_options *sized =
        of_size(options, sizeof *options, options->struct_size);
    winshm_status status = winshm_open_with(sized, out);
    free(sized);
    /* Whoever creates may come out with the lock. */
    if (status == WINSHM_OK)
        winshm_unlock(*out, WINSHM_EXCLUSIVE);
    return status;
}

static void run_open(struct input *in)
{
    static const char *const securities[] = {
        NULL,     "owner",         "session", "interactive-read",
        "anyone", "everyone-read", "D:P"};
    uint32_t form = input_byte(in);
    winshm_options options = {.struct_size = sizeof options};
    options.flags = input_byte(in);
    options.disposition = form & 3;
    options.timeout_ms = input_timeout(in);
    options.size = input_size(in);
    options.capacity = (form & 4) != 0 ? input_size(in) : 0;
    options.layout_tag = (form & 8) != 0 ? input_word(in) : 0;
    if ((form & 0xE0) == 0xE0)
        options.struct_size = input_word(in);
    char *security = input_text(in, "");
    char *text = input_text(in, "");
    char *layout = input_text(in, "");
    bench_check_name(text);
    char *name = in_our_corner(text);
    options.name = name;
    options.layout = layout[0] != '\0' ? layout : NULL;
    options.security =
        (form & 16) != 0 ? security : securities[(form >> 5) % 7];
    /* Whatever is asked for, the answer is one of those of opening. */
    uint64_t allowed = 0;
    for (int status = WINSHM_E_REPLACED; status <= 0; status++)
        allowed |= STATUS_BIT(status);
    allowed |=
        STATUS_BIT(WINSHM_E_NO_MEMORY) | STATUS_BIT(WINSHM_E_UNSUPPORTED);
    struct call call =
        bench_call("winshm_open_with", allowed, options.timeout_ms + 100);
    winshm_region *first = NULL, *second = NULL;
    winshm_status status =
        bench_done(&call, open_as_told(&options, &first));
    if ((status == WINSHM_OK) != (first != NULL))
        bench_fail("the handle and the status disagree");
    if (first != NULL) {
        bench_handles[BENCH_VICTIMS] = first;
        options.disposition = input_byte(in) & 3;
        options.size = input_size(in);
        call =
            bench_call("winshm_open_with", allowed, options.timeout_ms + 100);
        bench_done(&call, open_as_told(&options, &second));
        bench_try_close(second);
        bench_try_close(first);
        bench_handles[BENCH_VICTIMS] = NULL;
    }
    free(name);
    free(text);
    free(security);
    free(layout);
    world_check_left_over();
}

/** A number that is no handle, or that of another kind, or a stale one. */
static void run_handles(struct input *in)
{
    static winshm_region *stale;
    uint64_t low = input_word(in), high = input_word(in);
    uintptr_t value = (uintptr_t)(high << 32 | low);
    winshm_info info = {.struct_size = sizeof info};
    winshm_participant list = {.struct_size = sizeof list};
    char bytes[8] = {0};
    int32_t fd;
    uint32_t count;
    void *event;
    if (stale == NULL && winshm_open(bench_name, 0, &stale) == WINSHM_OK)
        winshm_close(stale);
    if ((value & 7) == 7)
        value = (uintptr_t)stale;
    winshm_region *h = (winshm_region *)value;
    for (int i = 0; i < BENCH_VICTIMS; i++)
        if (h == bench_handles[i])
            return;
    struct call call = bench_call(
        "a call on no handle",
        STATUS_BIT(WINSHM_E_HANDLE) | STATUS_BIT(WINSHM_E_CLOSED), 0);
    bench_done(&call, winshm_get_info(h, &info));
    bench_done(&call, winshm_get_participants(h, &list, 1, &count));
    bench_done(&call, winshm_get_layout(h, bytes, sizeof bytes, &count));
    bench_done(&call, winshm_read(h, 0, bytes, 8, 0));
    bench_done(&call, winshm_write(h, 0, bytes, 8, 0));
    bench_done(&call, winshm_lock(h, WINSHM_EXCLUSIVE, 0));
    bench_done(&call, winshm_unlock(h, WINSHM_EXCLUSIVE));
    bench_done(&call, winshm_make_consistent(h));
    bench_done(&call, winshm_notify(h));
    bench_done(&call, winshm_wait(h, 0, 0, &count));
    bench_done(&call, winshm_change_count(h, &count));
    bench_done(&call, winshm_wait_handle(h, &event));
    bench_done(&call, winshm_wait_fd(h, &fd));
    bench_done(&call, winshm_save(h, "/dev/shm/none", 0));
    bench_done(&call, winshm_load(h, "/dev/shm/none", 0));
    if (h != NULL)
        bench_done(&call, winshm_close(h));
    if ((value & 3) != 2 && h != NULL)
        bench_done(&call, winshm_unmap((winshm_view *)h));
    if (winshm_data(h) != NULL || winshm_size(h) != 0 ||
        strlen(winshm_last_message()) > 1023)
        bench_fail("a bad handle gives data");
    winshm_status_name((winshm_status)low);
    winshm_status_text((winshm_status)high);
}

/** Ranges, modes, flags and sizes of structures on a good handle. */
static void run_ranges(struct input *in)
{
    winshm_region *h = bench_handles[input_byte(in) % BENCH_VICTIMS];
    uint64_t offset = input_size(in), length = input_size(in);
    uint64_t none = STATUS_BIT(WINSHM_OK) | STATUS_BIT(WINSHM_E_INVALID) |
                    STATUS_BIT(WINSHM_E_RANGE) | STATUS_BIT(WINSHM_E_ACCESS) |
                    STATUS_BIT(WINSHM_E_UNSUPPORTED) |
                    STATUS_BIT(WINSHM_E_NOT_OWNER);
    bool fits = offset <= BENCH_BYTES && length <= BENCH_BYTES - offset;
    char *bytes = calloc(1, fits ? length + 1 : 1);
    winshm_info known = {.struct_size = input_word(in)};
    winshm_info *info = of_size(&known, sizeof known, known.struct_size);
    winshm_participant first = {.struct_size = input_word(in)};
    winshm_participant *list =
        of_size(&first, sizeof first, first.struct_size);
    uint32_t count;
    winshm_view *view = NULL;
    uint32_t mode = input_word(in);
    struct call call = bench_call("a call on a good handle", none, 0);
    bench_done(&call, winshm_map(h, offset, length, input_word(in), &view));
    if (view != NULL && (!fits || winshm_view_size(view) != length))
        bench_fail("a view of %llu bytes", (unsigned long long)length);
    bench_done(&call, winshm_unmap(view));
    bench_done(&call, winshm_read(h, offset, bytes, length, 0));
    bench_done(&call, winshm_write(h, offset, bytes, length, 0));
    bench_done(&call, winshm_get_info(h, info));
    bench_done(&call, winshm_get_participants(h, list, 1, &count));
    if (bench_done(&call, winshm_lock(h, mode, 0)) == WINSHM_OK)
        bench_done(&call, winshm_unlock(h, mode));
    bench_done(&call, winshm_unlock(h, input_word(in)));
    free(bytes);
    free(info);
    free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static bool limited;
    struct input in = {bytes, bytes + size};
    if (!limited)
        limit_files();
    limited = true;
    bench_begin();
    uint32_t what = input_byte(&in) & 7;
    if (what < 4)
        run_open(&in);
    else if (what < 6)
        run_ranges(&in);
    else
        run_handles(&in);
    bench_end();
    return 0;
}
