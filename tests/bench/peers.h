/* What several cases need of the peers. */
#ifndef PEERS_H
#define PEERS_H

#include "bench.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Boost is a C++ library: see boost.cpp. It is compared on Linux. */
void boost_exclusive(struct bench_block *block);
void boost_shared(struct bench_block *block);
void *boost_queue_open(const char *name, bool make);
void boost_queue_send(void *queue, const void *bytes);
void boost_queue_receive(void *queue, void *bytes);
/** remove: the name, for the one who made it, or NULL. */
void boost_queue_close(void *queue, const char *remove);
void boost_managed_make(const char *name);
/** Opens it, finds the object in it, closes it. */
void boost_managed_use(const char *name);
void boost_managed_remove(const char *name);

#ifdef __cplusplus
}
#elif defined(_WIN32)
#include <windows.h>

/** A mutex that the block's two processes find by its name. */
static inline HANDLE peer_mutex(const struct bench_block *block)
{
    char name[80];
    snprintf(name, sizeof name, "%s-mutex", block->name);
    HANDLE mutex = CreateMutexA(NULL, FALSE, name);
    BENCH_REQUIRE(mutex != NULL);
    return mutex;
}

/** An auto-reset event, one of several. */
static inline HANDLE peer_event(const struct bench_block *block, int number)
{
    char name[80];
    snprintf(name, sizeof name, "%s-event-%d", block->name, number);
    HANDLE event = CreateEventA(NULL, FALSE, FALSE, name);
    BENCH_REQUIRE(event != NULL);
    return event;
}
#else
#include <pthread.h>

static inline pthread_mutex_t *peer_mutex_make(struct bench_block *block)
{
    pthread_mutex_t *mutex = (pthread_mutex_t *)block->space;
    pthread_mutexattr_t attributes;
    BENCH_REQUIRE(pthread_mutexattr_init(&attributes) == 0);
    BENCH_REQUIRE(
        pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0);
    BENCH_REQUIRE(
        pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0);
    BENCH_REQUIRE(pthread_mutex_init(mutex, &attributes) == 0);
    pthread_mutexattr_destroy(&attributes);
    return mutex;
}

static inline pthread_rwlock_t *peer_rwlock_make(struct bench_block *block)
{
    pthread_rwlock_t *lock = (pthread_rwlock_t *)block->space;
    pthread_rwlockattr_t attributes;
    BENCH_REQUIRE(pthread_rwlockattr_init(&attributes) == 0);
    BENCH_REQUIRE(pthread_rwlockattr_setpshared(&attributes,
                                                PTHREAD_PROCESS_SHARED) == 0);
    BENCH_REQUIRE(pthread_rwlock_init(lock, &attributes) == 0);
    pthread_rwlockattr_destroy(&attributes);
    return lock;
}
#endif

/** Where a peer keeps its data: away from its lock, as winshm keeps them. */
static inline void *peer_data(struct bench_block *block)
{
    return (char *)block->space + 4096;
}

#endif
