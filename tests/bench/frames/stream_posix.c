/* Frames over sockets: TCP to this machine, and Unix sockets. */
#define _GNU_SOURCE
#include "frames.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct stream {
    int listener;
    int sockets[JOB_CONSUMERS];
};

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_un un;
};

/** Of TCP the name is a port. */
static socklen_t address_of(const struct job *job, bool tcp,
                            union address *address)
{
    memset(address, 0, sizeof *address);
    if (tcp) {
        address->in.sin_family = AF_INET;
        address->in.sin_port = htons((uint16_t)strtoul(job->name, NULL, 10));
        address->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return sizeof address->in;
    }
    address->un.sun_family = AF_UNIX;
    /* In the abstract name space, so that nothing is left behind. */
    size_t length = strlen(job->name);
    BENCH_REQUIRE(length < sizeof address->un.sun_path);
    memcpy(address->un.sun_path + 1, job->name, length);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
                       length);
}

static void make(struct job *job, bool tcp)
{
    struct stream *stream = job->state = job_new(sizeof *stream);
    union address address;
    if (tcp)
        strcpy(job->name, "0");
    socklen_t size = address_of(job, tcp, &address);
    stream->listener = socket(address.any.sa_family, SOCK_STREAM, 0);
    BENCH_REQUIRE(bind(stream->listener, &address.any, size) == 0);
    BENCH_REQUIRE(listen(stream->listener, JOB_CONSUMERS) == 0);
    if (tcp) {
        BENCH_REQUIRE(getsockname(stream->listener, &address.any, &size) == 0);
        snprintf(job->name, sizeof job->name, "%u",
                 (unsigned)ntohs(address.in.sin_port));
    }
}

static void make_tcp(struct job *job)
{
    make(job, true);
}

static void make_local(struct job *job)
{
    make(job, false);
}

static void meet(struct job *job)
{
    struct stream *stream = job->state;
    int yes = 1;
    for (uint32_t i = 0; i < job->consumers; i++) {
        stream->sockets[i] = accept(stream->listener, NULL, NULL);
        BENCH_REQUIRE(stream->sockets[i] >= 0);
        /* As anybody does who cares; a Unix socket has no such option. */
        setsockopt(stream->sockets[i], IPPROTO_TCP, TCP_NODELAY, &yes,
                   sizeof yes);
    }
    close(stream->listener);
}

static void give(struct job *job)
{
    struct stream *stream = job->state;
    for (uint32_t i = 0; i < job->consumers; i++) {
        const char *at = (const char *)job->frame;
        for (uint64_t left = job->bytes; left != 0;) {
            ssize_t sent = send(stream->sockets[i], at, left, 0);
            BENCH_REQUIRE(sent > 0);
            at += sent;
            left -= (uint64_t)sent;
        }
    }
}

static void end(struct job *job)
{
    struct stream *stream = job->state;
    char none;
    for (uint32_t i = 0; i < job->consumers; i++) {
        /* Until the consumer has closed its end. */
        BENCH_REQUIRE(recv(stream->sockets[i], &none, 1, 0) == 0);
        close(stream->sockets[i]);
    }
}

static void join(struct job *job, bool tcp)
{
    struct stream *stream = job->state = job_new(sizeof *stream);
    union address address;
    socklen_t size = address_of(job, tcp, &address);
    stream->sockets[0] = socket(address.any.sa_family, SOCK_STREAM, 0);
    BENCH_REQUIRE(connect(stream->sockets[0], &address.any, size) == 0);
}

static void join_tcp(struct job *job)
{
    join(job, true);
}

static void join_local(struct job *job)
{
    join(job, false);
}

static const uint64_t *take(struct job *job)
{
    struct stream *stream = job->state;
    BENCH_REQUIRE(recv(stream->sockets[0], job->frame, job->bytes,
                       MSG_WAITALL) == (ssize_t)job->bytes);
    return job->frame;
}

static void taken(struct job *job)
{
    (void)job;
}

static void leave(struct job *job)
{
    struct stream *stream = job->state;
    close(stream->sockets[0]);
}

const struct way way_tcp = {"tcp",    make_tcp, meet,  give, end,
                            join_tcp, take,     taken, leave};
const struct way way_local = {"local",    make_local, meet,  give, end,
                              join_local, take,       taken, leave};
