/* Boost.Interprocess, in the same shared memory as the other peers. */
#include "peers.h"
#include "tails.h"

#include <new>

#include <boost/interprocess/ipc/message_queue.hpp>
#include <boost/interprocess/managed_shared_memory.hpp>
#include <boost/interprocess/sync/interprocess_mutex.hpp>
#include <boost/interprocess/sync/interprocess_sharable_mutex.hpp>

using namespace boost::interprocess;

void boost_exclusive(struct bench_block *block)
{
    interprocess_mutex *mutex = new (block->space) interprocess_mutex;
    BENCH_LOOP(block, 2048, {
        mutex->lock();
        mutex->unlock();
    });
    mutex->~interprocess_mutex();
}

void boost_shared(struct bench_block *block)
{
    interprocess_sharable_mutex *mutex =
        new (block->space) interprocess_sharable_mutex;
    BENCH_LOOP(block, 2048, {
        mutex->lock_sharable();
        mutex->unlock_sharable();
    });
    mutex->~interprocess_sharable_mutex();
}

void *boost_queue_open(const char *name, bool make)
{
    if (make)
        return new message_queue(create_only, name, 16, BENCH_PAYLOAD);
    return new message_queue(open_only, name);
}

void boost_queue_send(void *queue, const void *bytes)
{
    static_cast<message_queue *>(queue)->send(bytes, BENCH_PAYLOAD, 0);
}

void boost_queue_receive(void *queue, void *bytes)
{
    message_queue::size_type size;
    unsigned priority;
    static_cast<message_queue *>(queue)->receive(bytes, BENCH_PAYLOAD, size,
                                                 priority);
    BENCH_REQUIRE(size == BENCH_PAYLOAD);
}

void boost_queue_close(void *queue, const char *remove)
{
    delete static_cast<message_queue *>(queue);
    if (remove != nullptr)
        message_queue::remove(remove);
}

/* The object is found by its name, as the mutex of a managed block is. */

void boost_managed_make(const char *name)
{
    managed_shared_memory memory(create_only, name, 65536);
    memory.construct<interprocess_mutex>("mutex")();
}

void boost_managed_use(const char *name)
{
    managed_shared_memory memory(open_only, name);
    BENCH_REQUIRE(memory.find<interprocess_mutex>("mutex").first != nullptr);
}

void boost_managed_remove(const char *name)
{
    shared_memory_object::remove(name);
}

void *boost_sharable_open(const char *, void *space, bool make)
{
    if (make)
        return new (space) interprocess_sharable_mutex;
    return space;
}

void boost_sharable_lock(void *handle, bool exclusive)
{
    auto *mutex = static_cast<interprocess_sharable_mutex *>(handle);
    if (exclusive)
        mutex->lock();
    else
        mutex->lock_sharable();
}

void boost_sharable_unlock(void *handle, bool exclusive)
{
    auto *mutex = static_cast<interprocess_sharable_mutex *>(handle);
    if (exclusive)
        mutex->unlock();
    else
        mutex->unlock_sharable();
}
