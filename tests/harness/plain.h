/* Blocks of shared memory as programs without winshm have them. */
#ifndef PLAIN_H
#define PLAIN_H

#include <stdbool.h>
#include <stdint.h>

struct plain {
    void *data;
    intptr_t object;
    uint64_t size;
};
bool plain_create(struct plain *plain, const char *name, uint64_t size);
/** The same over a file on a disk, of which there is one at a time. */
bool plain_create_on_disk(struct plain *plain, const char *name, uint64_t size);
/** size 0: all of it, where the system can tell. */
bool plain_open(struct plain *plain, const char *name, uint64_t size);
/** Lets go; the name stays where names outlive their users. */
void plain_close(struct plain *plain);
/** Removes the name where names outlive their users. */
void plain_remove(const char *name);
/** Cuts the block short. @return false where that cannot be done. */
bool plain_truncate(const char *name, uint64_t size);
/** Takes the access to a page from this process. @return as above. */
bool plain_protect(void *page, bool protect);
/** How many names begin with this; -1 where it cannot be told. */
int plain_count(const char *prefix);
/** Puts something of another sort in a block's place: 0 directory or mutex,
 * 1 FIFO or event, 2 symbolic link or semaphore. */
intptr_t plain_obstruct(const char *name, int sort);
void plain_clear(const char *name, intptr_t obstacle);

#endif
