/* Tails and fairness: how long the unlucky wait for a lock that many want. */
#ifndef TAILS_H
#define TAILS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { TAILS_LOCK_SPACE = 4096 };

/** A lock of any make, in shared memory that is the same for all, or behind a name. */
struct tails_lock {
    const char *name;
    /* space: TAILS_LOCK_SPACE bytes. The one that makes it is there before the others,
     * and leaves after them. @return what the others get as handle. */
    void *(*open)(const char *name, void *space, bool make);
    void (*lock)(void *handle, bool exclusive);
    void (*unlock)(void *handle, bool exclusive);
    void (*close)(void *handle);
};

/** Boost is a C++ library. */
void *boost_sharable_open(const char *name, void *space, bool make);
void boost_sharable_lock(void *handle, bool exclusive);
void boost_sharable_unlock(void *handle, bool exclusive);

/** Measures each lock with each number of writers and readers, in turn, and prints a
 * line of JSON for each block. only: a part of the names, or NULL. */
void tails_run(uint32_t blocks, uint64_t budget, const char *only);
void tails_child(const char *name, uint32_t number);

#ifdef __cplusplus
}
#endif

#endif
