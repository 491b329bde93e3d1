/* Boost's message queue, for queues.c. */
#include "frames.h"

#include <boost/interprocess/ipc/message_queue.hpp>

using boost::interprocess::message_queue;

void boost_frames_make(const char *name, uint64_t bytes, uint32_t boxes)
{
    message_queue(boost::interprocess::create_only, name, boxes, bytes);
}

void *boost_frames_open(const char *name)
{
    return new message_queue(boost::interprocess::open_only, name);
}

void boost_frames_send(void *queue, const void *frame, uint64_t bytes)
{
    static_cast<message_queue *>(queue)->send(frame, bytes, 0);
}

void boost_frames_receive(void *queue, void *frame, uint64_t bytes)
{
    message_queue::size_type size;
    unsigned priority;
    static_cast<message_queue *>(queue)->receive(frame, bytes, size, priority);
    BENCH_REQUIRE(size == bytes);
}

void boost_frames_close(void *queue, const char *remove)
{
    delete static_cast<message_queue *>(queue);
    if (remove != nullptr)
        message_queue::remove(remove);
}
