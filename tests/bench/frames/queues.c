/* Frames through message queues: ZeroMQ and Boost. Each consumer has a queue of its
 * own, since none may lose a frame. */
#include "frames.h"

#include <string.h>
#include <zmq.h>

static void nothing(struct job *job)
{
    (void)job;
}

/* ---- ZeroMQ ---- */

struct zmq {
    void *context;
    void *sockets[JOB_CONSUMERS];
    zmq_msg_t message;
};

/** Sockets that close take along what a receiver with a full queue has not read yet. So
 * those of a producer stay until it makes the next ones, when all has been taken. */
static struct zmq kept;

static void zmq_let_go(void)
{
    if (kept.context == NULL)
        return;
    for (uint32_t i = 0; i < JOB_CONSUMERS; i++)
        if (kept.sockets[i] != NULL)
            zmq_close(kept.sockets[i]);
    zmq_ctx_term(kept.context);
    memset(&kept, 0, sizeof kept);
}

/** A name that begins with tcp is an address; otherwise both are of C or Python, and
 * use what is faster. */
static void zmq_make(struct job *job)
{
    struct zmq *zmq = job->state = job_new(sizeof *zmq);
    char name[128];
    int most = (int)job->boxes;
    zmq_let_go();
    strcpy(name, job->name);
    job->name[0] = '\0';
    zmq->context = zmq_ctx_new();
    for (uint32_t i = 0; i < job->consumers; i++) {
        char address[160];
        size_t size = sizeof address;
        if (strncmp(name, "tcp", 3) == 0)
            strcpy(address, "tcp://127.0.0.1:*");
        else
            snprintf(address, sizeof address, "ipc://@%s-%u", name,
                     (unsigned)i);
        zmq->sockets[i] = zmq_socket(zmq->context, ZMQ_PUSH);
        zmq_setsockopt(zmq->sockets[i], ZMQ_SNDHWM, &most, sizeof most);
        BENCH_REQUIRE(zmq_bind(zmq->sockets[i], address) == 0);
        BENCH_REQUIRE(zmq_getsockopt(zmq->sockets[i], ZMQ_LAST_ENDPOINT, address,
                                     &size) == 0);
        size_t used = strlen(job->name);
        snprintf(job->name + used, sizeof job->name - used, "%s%s",
                 i == 0 ? "" : ",", address);
    }
}

static void zmq_give(struct job *job)
{
    struct zmq *zmq = job->state;
    for (uint32_t i = 0; i < job->consumers; i++)
        BENCH_REQUIRE(zmq_send(zmq->sockets[i], job->frame, job->bytes, 0) ==
                      (int)job->bytes);
}

static void zmq_end(struct job *job)
{
    kept = *(struct zmq *)job->state;
}

static void zmq_join(struct job *job)
{
    struct zmq *zmq = job->state = job_new(sizeof *zmq);
    int most = (int)job->boxes;
    char *address = job->name;
    for (uint32_t i = 0; i < job->number; i++)
        address = strchr(address, ',') + 1;
    address[strcspn(address, ",")] = '\0';
    zmq->context = zmq_ctx_new();
    zmq->sockets[0] = zmq_socket(zmq->context, ZMQ_PULL);
    zmq_setsockopt(zmq->sockets[0], ZMQ_RCVHWM, &most, sizeof most);
    BENCH_REQUIRE(zmq_connect(zmq->sockets[0], address) == 0);
}

static const uint64_t *zmq_take(struct job *job)
{
    struct zmq *zmq = job->state;
    zmq_msg_init(&zmq->message);
    BENCH_REQUIRE(zmq_msg_recv(&zmq->message, zmq->sockets[0], 0) ==
                  (int)job->bytes);
    return zmq_msg_data(&zmq->message);
}

static void zmq_taken(struct job *job)
{
    struct zmq *zmq = job->state;
    zmq_msg_close(&zmq->message);
}

static void zmq_leave(struct job *job)
{
    struct zmq *zmq = job->state;
    zmq_close(zmq->sockets[0]);
    zmq_ctx_term(zmq->context);
}

const struct way way_zmq = {"zmq",    zmq_make, nothing,   zmq_give, zmq_end,
                            zmq_join, zmq_take, zmq_taken, zmq_leave};

/* ---- Boost ---- */

struct boost {
    void *queues[JOB_CONSUMERS];
};

static const char *queue_name(const struct job *job, uint32_t number)
{
    static char name[160];
    snprintf(name, sizeof name, "%s-%u", job->name, (unsigned)number);
    return name;
}

static void boost_make(struct job *job)
{
    struct boost *boost = job->state = job_new(sizeof *boost);
    for (uint32_t i = 0; i < job->consumers; i++) {
        boost_frames_make(queue_name(job, i), job->bytes, job->boxes);
        boost->queues[i] = boost_frames_open(queue_name(job, i));
    }
}

static void boost_give(struct job *job)
{
    struct boost *boost = job->state;
    for (uint32_t i = 0; i < job->consumers; i++)
        boost_frames_send(boost->queues[i], job->frame, job->bytes);
}

/** What is mapped stays, so the consumers need not be waited for. */
static void boost_end(struct job *job)
{
    struct boost *boost = job->state;
    for (uint32_t i = 0; i < job->consumers; i++)
        boost_frames_close(boost->queues[i], queue_name(job, i));
}

static void boost_join(struct job *job)
{
    struct boost *boost = job->state = job_new(sizeof *boost);
    boost->queues[0] = boost_frames_open(queue_name(job, job->number));
}

static const uint64_t *boost_take(struct job *job)
{
    struct boost *boost = job->state;
    boost_frames_receive(boost->queues[0], job->frame, job->bytes);
    return job->frame;
}

static void boost_leave(struct job *job)
{
    struct boost *boost = job->state;
    boost_frames_close(boost->queues[0], NULL);
}

const struct way way_boost = {"boost",    boost_make, nothing, boost_give, boost_end,
                              boost_join, boost_take, nothing, boost_leave};
