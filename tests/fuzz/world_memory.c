/* The world in memory: the contract of platform.h without an operating system,
 * so that an execution costs no system call.
 *
 * Everything above that contract is the library's own code. What is missing is
 * in the Linux and Windows backends, of which none knows what the bytes of a
 * control block mean. There is no fault of the memory here: every block keeps
 * its size. It lies between guards, as in world_linux.c. */
#define _GNU_SOURCE
#include <sanitizer/asan_interface.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"
#include "platform.h"

bool bench_denies;

enum { BLOCKS = 8, GUARD = 4 << 20, DATA_ROOM = 16384, VOLUME = 7 };

/** What one name leads to. */
struct block {
    char name[WINSHM_NAME_MAX + 1];
    uint32_t users; /* handles that have opened any of it */
    uint8_t *control;
    uint32_t control_bytes;
    bool control_named;
    const struct platform_region *locks[1 + WINSHM_PARTICIPANTS_MAX];
    uint8_t *data;
    uint64_t data_bytes;
    uint64_t file; /* the data's number; 0: none */
    bool data_named;
};

static struct block blocks[BLOCKS];
static uint64_t files;
static uint32_t mapped;

static bool free_block(const struct block *b)
{
    return b->users == 0 && !b->control_named && !b->data_named;
}

static struct block *find(const char *name)
{
    for (int i = 0; i < BLOCKS; i++)
        if (!free_block(&blocks[i]) && strcmp(blocks[i].name, name) == 0)
            return &blocks[i];
    return NULL;
}

/** The block of a name that may not exist yet. */
static struct block *find_room(const char *name)
{
    struct block *b = find(name);
    for (int i = 0; i < BLOCKS && b == NULL; i++)
        if (free_block(&blocks[i]))
            b = &blocks[i];
    if (b == NULL)
        bench_fail("names are left over");
    if (b->control == NULL) {
        uint8_t *room =
            mmap(NULL, LAYOUT_BYTES + DATA_ROOM + 3 * (size_t)GUARD, PROT_NONE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        b->control = room + GUARD;
        b->data = b->control + LAYOUT_BYTES + GUARD;
        if (room == MAP_FAILED ||
            mprotect(b->control, LAYOUT_BYTES, PROT_READ | PROT_WRITE) != 0 ||
            mprotect(b->data, DATA_ROOM, PROT_READ | PROT_WRITE) != 0)
            bench_fail("no memory");
        ASAN_POISON_MEMORY_REGION(b->control + sizeof(struct layout_control),
                                  LAYOUT_BYTES - sizeof(struct layout_control));
    }
    strcpy(b->name, name);
    return b;
}

/** What a handle has open: its control block, or its data in the same place. */
static struct block *held(const struct platform_region *p)
{
    return &blocks[p->control != PLATFORM_NONE ? p->control : p->data];
}

static void hold(platform_object *object, struct block *b)
{
    *object = b - blocks;
    b->users++;
}

static void let_go(platform_object *object)
{
    if (*object != PLATFORM_NONE)
        blocks[*object].users--;
    *object = PLATFORM_NONE;
}

/* What the bench asks of its world. */

uint8_t *world_control(const char *name)
{
    return find_room(name)->control;
}

uint64_t world_data(const char *name)
{
    const struct block *b = find(name);
    return b != NULL && b->data_named ? b->file : 0;
}

bool world_has_control(const char *name)
{
    const struct block *b = find(name);
    return b != NULL && b->control_named;
}

static uint64_t make_file(struct block *b, uint64_t bytes)
{
    b->data_bytes = bytes;
    b->file = ++files;
    ASAN_UNPOISON_MEMORY_REGION(b->data, DATA_ROOM);
    memset(b->data, 0, bytes);
    ASAN_POISON_MEMORY_REGION(b->data + bytes, DATA_ROOM - bytes);
    return b->file;
}

uint64_t world_make_data(const char *name, uint64_t *volume)
{
    struct block *b = find_room(name);
    b->data_named = true;
    *volume = VOLUME;
    return make_file(b, BENCH_BYTES);
}

void world_make_control(const char *name, const uint8_t *from, uint32_t bytes)
{
    struct block *b = find_room(name);
    b->control_named = true;
    b->control_bytes = bytes;
    memcpy(b->control, from, sizeof(struct layout_control));
}

void world_remove(const char *name)
{
    struct block *b = find(name);
    if (b != NULL)
        b->control_named = b->data_named = false;
}

uint32_t world_descriptors(void)
{
    uint32_t count = 0;
    for (int i = 0; i < BLOCKS; i++)
        count += blocks[i].users;
    return count;
}

uint32_t world_mappings(void)
{
    return mapped;
}

void world_check_left_over(void)
{
    for (int i = 0; i < BLOCKS; i++)
        if (!free_block(&blocks[i]) && strcmp(blocks[i].name, bench_name) != 0)
            bench_fail("%s is left over", blocks[i].name);
}

/* The contract, in the order of platform.h. Waiting and what comes after it is
 * in world_memory_wait.c. */

winshm_status wshm_platform_init(void)
{
    return WINSHM_OK;
}

static winshm_status enter(struct platform_region *p, enum platform_entry entry,
                           uint64_t bytes)
{
    struct block *b = find(p->name);
    bool observe = entry == PLATFORM_OBSERVE;
    if ((b == NULL || !b->control_named) && entry != PLATFORM_CREATE)
        return WINSHM_E_NOT_FOUND;
    if (bench_denies && !observe)
        return WINSHM_E_ACCESS;
    if (b == NULL || !b->control_named) {
        b = find_room(p->name);
        b->control_named = true;
        b->control_bytes = 0;
    }
    hold(&p->control, b);
    if (!observe && b->locks[0] != NULL)
        bench_fail("the life lock was kept");
    if (!observe)
        b->locks[0] = p;
    if (b->control_bytes == 0 && !observe) {
        memset(b->control, 0, sizeof(struct layout_control));
        b->control_bytes = LAYOUT_BYTES;
    }
    if (b->control_bytes != bytes)
        return b->control_bytes == 0 ? WINSHM_E_NOT_FOUND : WINSHM_E_FOREIGN;
    p->control_view = b->control;
    p->control_bytes = bytes;
    mapped++;
    return WINSHM_OK;
}

winshm_status wshm_platform_enter(struct platform_region *p,
                                  enum platform_entry entry, uint64_t bytes,
                                  const char *security, uint64_t deadline_ns)
{
    (void)security;
    (void)deadline_ns;
    winshm_status status = enter(p, entry, bytes);
    if (status != WINSHM_OK)
        wshm_platform_leave(p);
    return status;
}

winshm_status wshm_platform_reenter(struct platform_region *p,
                                    uint64_t deadline_ns)
{
    wshm_platform_leaving(p, deadline_ns);
    return WINSHM_OK;
}

void wshm_platform_entered(struct platform_region *p)
{
    struct block *b = held(p);
    if (b->locks[0] == p)
        b->locks[0] = NULL;
}

winshm_status wshm_platform_data_look(const struct platform_region *p)
{
    return world_data(p->name) != 0 ? WINSHM_OK : WINSHM_E_NOT_FOUND;
}

winshm_status wshm_platform_data_open(struct platform_region *p,
                                      const struct platform_identity *known)
{
    struct block *b = find(p->name);
    bool there = b != NULL && b->data_named;
    if (known != NULL &&
        (!there || known->volume != VOLUME || known->file != b->file))
        return WINSHM_E_REPLACED;
    if (!there)
        return WINSHM_E_NOT_FOUND;
    hold(&p->data, b);
    return WINSHM_OK;
}

winshm_status wshm_platform_data_make(struct platform_region *p, uint64_t bytes,
                                      uint64_t capacity, const char *security,
                                      struct platform_identity *identity)
{
    struct block *b = find_room(p->name);
    (void)security;
    if (capacity > INT64_MAX)
        return WINSHM_E_SIZE;
    if (b->data_named)
        return WINSHM_E_HELD;
    if (bytes > DATA_ROOM || capacity > DATA_ROOM)
        return WINSHM_E_NO_MEMORY;
    hold(&p->data, b);
    identity->volume = VOLUME;
    identity->file = make_file(b, capacity);
    return WINSHM_OK;
}

winshm_status wshm_platform_data_publish(struct platform_region *p)
{
    blocks[p->data].data_named = true;
    return WINSHM_OK;
}

void wshm_platform_data_close(struct platform_region *p)
{
    let_go(&p->data);
}

winshm_status wshm_platform_data_identity(const struct platform_region *p,
                                          struct platform_identity *identity)
{
    identity->volume = VOLUME;
    identity->file = blocks[p->data].file;
    return WINSHM_OK;
}

bool wshm_platform_data_named(const struct platform_region *p)
{
    return blocks[p->data].data_named;
}

winshm_status wshm_platform_data_trusted(const struct platform_region *p)
{
    (void)p;
    return WINSHM_OK;
}

winshm_status wshm_platform_control_own(const struct platform_region *p,
                                        const char *security)
{
    (void)p;
    (void)security;
    return WINSHM_OK;
}

winshm_status wshm_platform_data_grow(const struct platform_region *p,
                                      uint64_t from, uint64_t to)
{
    if (from >= to || to > blocks[p->data].data_bytes)
        bench_fail("growth beyond the data");
    return WINSHM_OK;
}

winshm_status wshm_platform_data_usable(const struct platform_region *p,
                                        uint64_t *bytes)
{
    return wshm_platform_data_bytes(p, bytes);
}

winshm_status wshm_platform_data_bytes(const struct platform_region *p,
                                       uint64_t *bytes)
{
    *bytes = blocks[p->data].data_bytes;
    return WINSHM_OK;
}

winshm_status
wshm_platform_data_remove(const struct platform_region *p,
                          const struct platform_identity *recorded)
{
    struct block *b = find(p->name);
    if (b != NULL && recorded->file != 0 && recorded->file == b->file &&
        recorded->volume == VOLUME)
        b->data_named = false;
    return WINSHM_OK;
}

void wshm_platform_control_remove(const struct platform_region *p)
{
    blocks[p->control].control_named = false;
}

winshm_status wshm_platform_raw(struct platform_region *p, bool create,
                                uint64_t bytes, const char *security)
{
    struct platform_identity identity;
    if (!create)
        return wshm_platform_data_open(p, NULL);
    winshm_status status =
        wshm_platform_data_make(p, bytes, bytes, security, &identity);
    p->removes = status == WINSHM_OK;
    return status;
}

void wshm_platform_unname(const struct platform_region *p)
{
    if (p->removes && p->data != PLATFORM_NONE)
        blocks[p->data].data_named = false;
}

bool wshm_platform_leaving(struct platform_region *p, uint64_t deadline_ns)
{
    struct block *b = held(p);
    (void)deadline_ns;
    if (b->locks[0] != NULL)
        bench_fail("the life lock was kept");
    b->locks[0] = p;
    return true;
}

void wshm_platform_leave(struct platform_region *p)
{
    wshm_platform_unname(p);
    mapped -= p->control_view != NULL;
    for (uint32_t i = 0;
         p->control != PLATFORM_NONE && i <= WINSHM_PARTICIPANTS_MAX; i++)
        if (held(p)->locks[i] == p)
            held(p)->locks[i] = NULL;
    let_go(&p->control);
    let_go(&p->data);
    wshm_platform_reset(p);
}

void wshm_platform_abandon(struct platform_region *p)
{
    (void)p;
}

bool wshm_platform_present(struct platform_region *p, uint32_t slot)
{
    const struct platform_region *owner = held(p)->locks[1 + slot];
    return owner != NULL && owner != p;
}

winshm_status wshm_platform_anybody(struct platform_region *p, uint32_t count,
                                    uint32_t except, bool *anybody)
{
    *anybody = false;
    for (uint32_t slot = 0; slot < count; slot++)
        if (slot != except && wshm_platform_present(p, slot))
            *anybody = true;
    return WINSHM_OK;
}

winshm_status wshm_platform_take(struct platform_region *p, uint32_t slot,
                                 platform_object *taken)
{
    const struct platform_region **owner = &held(p)->locks[1 + slot];
    *taken = (platform_object)slot;
    if (*owner != NULL && *owner != p)
        return WINSHM_E_BUSY;
    *owner = p;
    return WINSHM_OK;
}

void wshm_platform_absent(struct platform_region *p, uint32_t slot,
                          platform_object taken)
{
    (void)taken;
    held(p)->locks[1 + slot] = NULL;
}

uint64_t wshm_platform_granularity(void)
{
    return 4096;
}

winshm_status wshm_platform_map(const struct platform_region *p,
                                uint64_t offset, uint64_t length, bool write,
                                void **address)
{
    (void)write;
    if (length > DATA_ROOM || offset > DATA_ROOM - length)
        bench_fail("a mapping outside the data");
    *address = blocks[p->data].data + offset;
    mapped++;
    return WINSHM_OK;
}

void wshm_platform_unmap(void *address, uint64_t length)
{
    (void)address;
    (void)length;
    mapped--;
}

winshm_status wshm_platform_copy(void *to, const void *from, uint64_t length,
                                 const void *guarded, uint64_t guarded_length)
{
    (void)guarded;
    (void)guarded_length;
    memcpy(to, from, length);
    return WINSHM_OK;
}
