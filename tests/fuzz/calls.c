/* The calls under attack, each with the statuses that winshm.h lists for it and
 * the time that it may take. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "name.h"

#define OK STATUS_BIT(WINSHM_OK)
#define ACCESS STATUS_BIT(WINSHM_E_ACCESS)
#define CORRUPT STATUS_BIT(WINSHM_E_CORRUPT)
#define DEADLOCK STATUS_BIT(WINSHM_E_DEADLOCK)
#define DEAD STATUS_BIT(WINSHM_E_OWNER_DEAD)
#define FAULT STATUS_BIT(WINSHM_E_FAULT)
#define NOT_FOUND STATUS_BIT(WINSHM_E_NOT_FOUND)
#define NOT_OWNER STATUS_BIT(WINSHM_E_NOT_OWNER)
#define TIMEOUT STATUS_BIT(WINSHM_E_TIMEOUT)
#define UNSUPPORTED STATUS_BIT(WINSHM_E_UNSUPPORTED)

/** What opening may say of a block that lies: that nothing is there, that what
 * is there belongs to somebody else, is of another version, size or tag, or
 * contradicts the system; and that its data are held or were replaced, where
 * the record of which file they are was changed. */
#define OPENING                                                                \
    (OK | CORRUPT | NOT_FOUND | STATUS_BIT(WINSHM_E_FOREIGN) |                 \
     STATUS_BIT(WINSHM_E_LAYOUT) | STATUS_BIT(WINSHM_E_SIZE) |                 \
     STATUS_BIT(WINSHM_E_TAG) | STATUS_BIT(WINSHM_E_HELD) |                    \
     STATUS_BIT(WINSHM_E_REPLACED) | STATUS_BIT(WINSHM_E_NOT_MANAGED) |        \
     STATUS_BIT(WINSHM_E_TOO_MANY) | STATUS_BIT(WINSHM_E_EXISTS))

/** The library gives somebody who stands still inside create or open five
 * seconds, and a leaver one. */
enum { OPEN_MS = 6000, CLOSE_MS = 2000, MARGIN_MS = 50, CAPACITY = 3 };

winshm_region *bench_handles[BENCH_HANDLES];

struct call bench_call(const char *text, uint64_t allowed, uint64_t limit_ms)
{
    struct call call = {text, bench_now(), allowed,
                        (limit_ms + MARGIN_MS) * 1000 * 1000};
    return call;
}

winshm_status bench_done(const struct call *call, winshm_status status)
{
    uint64_t took = bench_now() - call->began;
    if (status > 0 || status < -40 || (call->allowed & STATUS_BIT(status)) == 0)
        bench_fail("%s gave %s: %s", call->text, winshm_status_name(status),
                   winshm_last_message());
    if (took > call->limit)
        bench_fail("%s took %llu us, not %llu", call->text,
                   (unsigned long long)took / 1000,
                   (unsigned long long)call->limit / 1000);
    return status;
}

/** What a handle's own kind may add to the statuses of a call. */
static uint64_t kind_of(uint32_t index)
{
    if (index == BENCH_OBSERVER)
        return ACCESS | NOT_FOUND;
    /* Opened under attack: the block may have said that there is no lock. */
    return index >= BENCH_VICTIMS ? ACCESS | UNSUPPORTED | NOT_FOUND : 0;
}

/** What an observer may be told by any call that looks at the block. */
static uint64_t ended(uint32_t index)
{
    return kind_of(index) & NOT_FOUND;
}

/** What a call may say of bytes up to there, which it has to look up the size
 * for: that may be another one at each look, or lie. */
static uint64_t range(uint32_t index, uint64_t end)
{
    uint64_t outside = STATUS_BIT(WINSHM_E_RANGE) | CORRUPT | ended(index);
    if (end > BENCH_ROOM)
        return outside;
    return end <= BENCH_BYTES && index < BENCH_VICTIMS ? OK : OK | outside;
}

/** @param size 0: it could not be told. */
static bool inside(const void *data, uint64_t size)
{
    /* Read through a volatile pointer, or the loads would be dropped. */
    const volatile uint8_t *bytes = data;
    return bytes == NULL || size == 0 || (bytes[0] | bytes[size - 1]) <= 255;
}

winshm_status bench_try_open(uint32_t how, const char *name, uint64_t size,
                             uint32_t flags, winshm_region **out)
{
    /* Only an opening can be an observer's, and only it can find no more than
     * reading granted. */
    uint64_t allowed = OPENING | (bench_denies ? ACCESS : 0);
    struct call call = bench_call("winshm_open", allowed, OPEN_MS);
    winshm_status status;
    winshm_options options = {
        .struct_size = sizeof options,
        .flags = flags,
        .disposition = how % 3 == 0 ? WINSHM_OPEN_EXISTING : WINSHM_OPEN_OR_CREATE,
        .name = name,
        .size = size,
        .layout = BENCH_LAYOUT};
    if ((how & 0x40) != 0 && size != 1) {
        call.text = "winshm_open_with";
        status = winshm_open_with(&options, out);
    } else if (how % 3 == 0) {
        status = winshm_open(name, flags, out);
    } else if (how % 3 == 1) {
        call.text = "winshm_create";
        status = winshm_create(name, size, flags, out);
    } else {
        call.text = "winshm_open_or_create";
        status = winshm_open_or_create(name, size, flags, out);
    }
    bench_done(&call, status);
    if ((status == WINSHM_OK) != (*out != NULL))
        bench_fail("%s: the handle and the status disagree", call.text);
    if (status == WINSHM_OK && !inside(winshm_data(*out), winshm_size(*out)))
        bench_fail("%s: no access", call.text);
    return status;
}

void bench_release(winshm_region *handle)
{
    while (winshm_unlock(handle, WINSHM_SHARED) == WINSHM_OK) {
    }
    winshm_unlock(handle, WINSHM_EXCLUSIVE);
}

void bench_try_close(winshm_region *handle)
{
    bench_release(handle);
    struct call call = bench_call("winshm_close", OK, CLOSE_MS);
    bench_done(&call, winshm_close(handle));
}

static void try_info(uint32_t index)
{
    winshm_region *h = bench_handles[index];
    winshm_info info = {.struct_size = sizeof info};
    struct call call =
        bench_call("winshm_get_info", OK | CORRUPT | ended(index), 0);
    if (bench_done(&call, winshm_get_info(h, &info)) == WINSHM_OK &&
        (info.participants > WINSHM_PARTICIPANTS_MAX ||
         info.size == 0 || info.size > info.capacity ||
         info.capacity > BENCH_ROOM))
        bench_fail("winshm_get_info tells what cannot be");
}

static void try_participants(uint32_t index)
{
    winshm_region *h = bench_handles[index];
    /* On the heap, with nothing behind it. */
    winshm_participant *list = calloc(CAPACITY, sizeof *list);
    uint32_t count = 0;
    list[0].struct_size = sizeof *list;
    struct call call =
        bench_call("winshm_get_participants", OK | CORRUPT | ended(index), 0);
    bench_done(&call, winshm_get_participants(h, list, CAPACITY, &count));
    if (count > WINSHM_PARTICIPANTS_MAX)
        bench_fail("%u participants", count);
    free(list);
}

static void try_layout(uint32_t index)
{
    char text[32];
    uint32_t length = 0;
    struct call call =
        bench_call("winshm_get_layout",
                   OK | CORRUPT | STATUS_BIT(WINSHM_E_RANGE) | ended(index), 0);
    winshm_status status =
        bench_done(&call, winshm_get_layout(bench_handles[index], text,
                                            sizeof text, &length));
    if (status == WINSHM_OK && length != strlen(text))
        bench_fail("a layout of %u bytes: %s", length, text);
    if (length > WINSHM_LAYOUT_MAX)
        bench_fail("a layout of %u bytes", length);
}

static void try_copy(uint32_t index, bool in, uint64_t offset, uint64_t length,
                     uint32_t timeout_ms)
{
    winshm_region *h = bench_handles[index];
    uint64_t allowed = CORRUPT | DEAD | FAULT | TIMEOUT | (in ? DEADLOCK : 0) |
                       (kind_of(index) & (NOT_FOUND | ACCESS));
    allowed |= range(index, offset + length);
    if (in && index == BENCH_READER)
        allowed = (allowed & ~OK) | ACCESS;
    uint8_t *bytes = calloc(1, length + 1);
    struct call call =
        bench_call(in ? "winshm_write" : "winshm_read", allowed, timeout_ms);
    bench_done(&call, in ? winshm_write(h, offset, bytes, length, timeout_ms)
                         : winshm_read(h, offset, bytes, length, timeout_ms));
    free(bytes);
}

/** Copies under a lock that somebody may hold through the handle. */
static void try_held(uint32_t index, bool in, uint64_t offset, uint64_t length)
{
    winshm_region *h = bench_handles[index];
    uint64_t allowed = NOT_OWNER | CORRUPT | FAULT | (kind_of(index) & ACCESS);
    allowed |= range(index, offset + length);
    if (in && index == BENCH_READER)
        allowed = (allowed & ~OK) | ACCESS;
    uint8_t *bytes = calloc(1, length + 1);
    struct call call =
        bench_call(in ? "winshm_copy_in" : "winshm_copy_out", allowed, 0);
    bench_done(&call, in ? winshm_copy_in(h, offset, bytes, length)
                         : winshm_copy_out(h, offset, bytes, length));
    free(bytes);
}

static void try_map(uint32_t index, uint64_t offset, uint64_t length)
{
    winshm_region *h = bench_handles[index];
    winshm_view *view;
    struct call call =
        bench_call("winshm_map", range(index, offset + length), 0);
    if (bench_done(&call, winshm_map(h, offset, length, 0, &view)) != WINSHM_OK)
        return;
    if (!inside(winshm_view_data(view), winshm_view_size(view)))
        bench_fail("winshm_map: no access");
    call = bench_call("winshm_unmap", OK, CLOSE_MS);
    bench_done(&call, winshm_unmap(view));
}

/** The life lock is had at once: whoever has it does not attack. */
static void try_resize(uint32_t index, uint64_t size)
{
    uint64_t allowed = OK | CORRUPT | STATUS_BIT(WINSHM_E_SIZE) |
                       (size == 0 ? STATUS_BIT(WINSHM_E_INVALID) : 0);
    if (index >= BENCH_READER)
        allowed |= ACCESS;
    if (index >= BENCH_VICTIMS) /* it may say that it was adopted */
        allowed |= UNSUPPORTED;
    if (index == BENCH_READER || index == BENCH_OBSERVER || size > BENCH_ROOM)
        allowed &= ~OK;
    struct call call = bench_call("winshm_resize", allowed, 0);
    bench_done(&call, winshm_resize(bench_handles[index], size, 0));
}

static void try_wait(uint32_t index, bool changes, uint32_t timeout_ms)
{
    winshm_region *h = bench_handles[index];
    uint32_t now = 0;
    struct call call = bench_call("winshm_change_count", OK | ended(index), 0);
    bench_done(&call, winshm_change_count(h, &now));
    call = bench_call("winshm_wait", OK | TIMEOUT | ended(index), timeout_ms);
    bench_done(&call,
               winshm_wait(h, changes ? now + 1 : now, timeout_ms, &now));
}

static void try_lock(uint32_t index, uint32_t mode, uint32_t timeout_ms)
{
    struct call call = bench_call("winshm_lock",
                                  OK | TIMEOUT | DEAD | DEADLOCK | CORRUPT |
                                      (kind_of(index) & (ACCESS | UNSUPPORTED)),
                                  timeout_ms);
    bench_done(&call, winshm_lock(bench_handles[index], mode, timeout_ms));
}

static void try_holding(uint32_t index, uint32_t which)
{
    winshm_region *h = bench_handles[index];
    uint64_t kind = kind_of(index) & (ACCESS | UNSUPPORTED);
    struct call call =
        bench_call("winshm_unlock", OK | NOT_OWNER | CORRUPT | kind, 0);
    if (which < 2) {
        bench_done(&call, winshm_unlock(h, which + 1));
    } else {
        call.text = "winshm_make_consistent";
        bench_done(&call, winshm_make_consistent(h));
    }
}

/** Saves the region, or loads what was saved. */
static void try_file(uint32_t index, bool in, uint32_t timeout_ms)
{
    winshm_region *h = bench_handles[index];
    char path[80];
    uint64_t allowed =
        OK | CORRUPT | DEAD | TIMEOUT | (kind_of(index) & NOT_FOUND);
    snprintf(path, sizeof path, "/dev/shm/%s-file", bench_name);
    /* Of what an opener was told the size and the tag may be other ones. */
    if (in)
        allowed = OK | CORRUPT | DEADLOCK | TIMEOUT | NOT_FOUND | ACCESS |
                  STATUS_BIT(WINSHM_E_SIZE) | STATUS_BIT(WINSHM_E_TAG);
    struct call call =
        bench_call(in ? "winshm_load" : "winshm_save", allowed, timeout_ms);
    bench_done(&call, in ? winshm_load(h, path, timeout_ms)
                         : winshm_save(h, path, timeout_ms));
}

void bench_use(uint32_t index, uint32_t which, struct input *in)
{
    winshm_region *h = bench_handles[index];
    struct call call;
    uint64_t offset;
    if (h == NULL)
        return;
    switch (which % 18) {
    case 0:
    case 1:
        try_lock(index, which % 18 + 1, input_timeout(in));
        break;
    case 2:
    case 3:
    case 4:
        try_holding(index, which % 18 - 2);
        break;
    case 5:
    case 6:
        offset = input_byte(in) * 50;
        try_copy(index, which % 18 == 6, offset, input_byte(in) & 31,
                 input_timeout(in));
        break;
    case 7:
        call = bench_call("winshm_notify",
                          OK | (kind_of(index) & (ACCESS | UNSUPPORTED)), 0);
        bench_done(&call, winshm_notify(h));
        break;
    case 8:
        try_wait(index, (input_byte(in) & 1) != 0, input_timeout(in));
        break;
    case 9:
        try_info(index);
        break;
    case 10:
        try_participants(index);
        break;
    case 11:
    case 12:
        offset = input_byte(in) * 50;
        try_held(index, which % 18 == 12, offset, input_byte(in) & 31);
        break;
    case 13:
    case 14:
        try_file(index, which % 18 == 14, input_timeout(in));
        break;
    case 15:
        try_resize(index, input_byte(in) * 50);
        break;
    case 16:
        try_layout(index);
        break;
    default:
        offset = input_byte(in) * 50;
        try_map(index, offset, 1 + (input_byte(in) & 31));
    }
}

void bench_use_all(uint32_t index, uint32_t timeout_ms)
{
    if (bench_handles[index] == NULL)
        return;
    try_info(index);
    try_participants(index);
    try_layout(index);
    try_copy(index, false, 0, 16, timeout_ms);
    try_copy(index, true, 0, 16, timeout_ms);
    for (uint32_t mode = WINSHM_SHARED; mode <= WINSHM_EXCLUSIVE; mode++) {
        try_lock(index, mode, timeout_ms);
        try_held(index, false, 0, 16);
        try_held(index, true, 0, 16);
        try_holding(index, 2);
        try_holding(index, mode - 1);
    }
    try_wait(index, false, timeout_ms);
    try_map(index, 0, 16);
    try_resize(index, BENCH_BYTES + 1000);
    try_copy(index, true, BENCH_BYTES, 16, timeout_ms);
    try_resize(index, BENCH_ROOM);
    try_copy(index, false, BENCH_ROOM - 16, 16, timeout_ms);
}

void bench_check_name(const char *name)
{
    char *bare = malloc(WINSHM_NAME_MAX + 1);
    bool global;
    winshm_status status = wshm_name_parse(name, bare, &global);
    if (status == WINSHM_OK) {
        size_t length = strlen(bare);
        if (length == 0 || length > WINSHM_NAME_MAX ||
            strpbrk(bare, "/\\\n\x7F") != NULL || strcmp(bare, "..") == 0 ||
            strcmp(bare, ".") == 0 || strcasestr(bare, ".winshm.") != NULL ||
            (length >= 7 && strcasecmp(bare + length - 7, ".winshm") == 0))
            bench_fail("an illegal name was accepted");
    } else if (status != WINSHM_E_NAME) {
        bench_fail("%s for a name", winshm_status_name(status));
    }
    free(bare);
}
