/* Boost.Interprocess, in the same shared memory as the other peers. */
#include "peers.h"

#include <new>

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
