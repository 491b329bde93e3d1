/* Frames over sockets and named pipes of Windows. */
#include <winsock2.h>

#include <windows.h>

#include "frames.h"

#include <string.h>

struct stream {
    SOCKET listener;
    SOCKET sockets[JOB_CONSUMERS];
    HANDLE pipes[JOB_CONSUMERS];
};

static void taken(struct job *job)
{
    (void)job;
}

/* ---- TCP to this machine ---- */

static struct stream *with_sockets(struct job *job)
{
    WSADATA data;
    BENCH_REQUIRE(WSAStartup(MAKEWORD(2, 2), &data) == 0);
    return job->state = job_new(sizeof(struct stream));
}

static struct sockaddr_in local_port(const char *number)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_port = htons((u_short)strtoul(number, NULL, 10));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void make_tcp(struct job *job)
{
    struct stream *stream = with_sockets(job);
    struct sockaddr_in address = local_port("0");
    int size = sizeof address;
    stream->listener = socket(AF_INET, SOCK_STREAM, 0);
    BENCH_REQUIRE(bind(stream->listener, (struct sockaddr *)&address, size) ==
                  0);
    BENCH_REQUIRE(listen(stream->listener, JOB_CONSUMERS) == 0);
    BENCH_REQUIRE(getsockname(stream->listener, (struct sockaddr *)&address,
                              &size) == 0);
    snprintf(job->name, sizeof job->name, "%u",
             (unsigned)ntohs(address.sin_port));
}

static void meet_tcp(struct job *job)
{
    struct stream *stream = job->state;
    BOOL yes = TRUE;
    for (uint32_t i = 0; i < job->consumers; i++) {
        stream->sockets[i] = accept(stream->listener, NULL, NULL);
        BENCH_REQUIRE(stream->sockets[i] != INVALID_SOCKET);
        setsockopt(stream->sockets[i], IPPROTO_TCP, TCP_NODELAY,
                   (const char *)&yes, sizeof yes);
    }
    closesocket(stream->listener);
}

static void give_tcp(struct job *job)
{
    struct stream *stream = job->state;
    for (uint32_t i = 0; i < job->consumers; i++) {
        const char *at = (const char *)job->frame;
        for (uint64_t left = job->bytes; left != 0;) {
            int sent = send(stream->sockets[i], at, (int)left, 0);
            BENCH_REQUIRE(sent > 0);
            at += sent;
            left -= (uint64_t)sent;
        }
    }
}

static void end_tcp(struct job *job)
{
    struct stream *stream = job->state;
    char none;
    for (uint32_t i = 0; i < job->consumers; i++) {
        /* Until the consumer has closed its end. */
        BENCH_REQUIRE(recv(stream->sockets[i], &none, 1, 0) == 0);
        closesocket(stream->sockets[i]);
    }
}

static void join_tcp(struct job *job)
{
    struct stream *stream = with_sockets(job);
    struct sockaddr_in address = local_port(job->name);
    stream->sockets[0] = socket(AF_INET, SOCK_STREAM, 0);
    BENCH_REQUIRE(connect(stream->sockets[0], (struct sockaddr *)&address,
                          sizeof address) == 0);
}

static const uint64_t *take_tcp(struct job *job)
{
    struct stream *stream = job->state;
    char *at = (char *)job->frame;
    for (uint64_t left = job->bytes; left != 0;) {
        int came = recv(stream->sockets[0], at, (int)left, 0);
        BENCH_REQUIRE(came > 0);
        at += came;
        left -= (uint64_t)came;
    }
    return job->frame;
}

static void leave_tcp(struct job *job)
{
    struct stream *stream = job->state;
    closesocket(stream->sockets[0]);
}

const struct way way_tcp = {"tcp",    make_tcp, meet_tcp, give_tcp, end_tcp,
                            join_tcp, take_tcp, taken,    leave_tcp};

/* ---- Named pipes ---- */

enum { PIPE_BUFFER = 65536 };

static const char *pipe_name(const struct job *job)
{
    static char name[160];
    snprintf(name, sizeof name, "\\\\.\\pipe\\%s", job->name);
    return name;
}

static void make_pipe(struct job *job)
{
    struct stream *stream = job->state = job_new(sizeof *stream);
    for (uint32_t i = 0; i < job->consumers; i++) {
        stream->pipes[i] = CreateNamedPipeA(
            pipe_name(job), PIPE_ACCESS_OUTBOUND, PIPE_TYPE_BYTE | PIPE_WAIT,
            JOB_CONSUMERS, PIPE_BUFFER, PIPE_BUFFER, 0, NULL);
        BENCH_REQUIRE(stream->pipes[i] != INVALID_HANDLE_VALUE);
    }
}

static void meet_pipe(struct job *job)
{
    struct stream *stream = job->state;
    for (uint32_t i = 0; i < job->consumers; i++)
        BENCH_REQUIRE(ConnectNamedPipe(stream->pipes[i], NULL) ||
                      GetLastError() == ERROR_PIPE_CONNECTED);
}

static void give_pipe(struct job *job)
{
    struct stream *stream = job->state;
    for (uint32_t i = 0; i < job->consumers; i++) {
        DWORD written;
        BENCH_REQUIRE(WriteFile(stream->pipes[i], job->frame,
                                (DWORD)job->bytes, &written, NULL) &&
                      written == job->bytes);
    }
}

static void end_pipe(struct job *job)
{
    struct stream *stream = job->state;
    for (uint32_t i = 0; i < job->consumers; i++) {
        FlushFileBuffers(stream->pipes[i]);
        CloseHandle(stream->pipes[i]);
    }
}

static void join_pipe(struct job *job)
{
    struct stream *stream = job->state = job_new(sizeof *stream);
    stream->pipes[0] = CreateFileA(pipe_name(job), GENERIC_READ, 0, NULL,
                                   OPEN_EXISTING, 0, NULL);
    BENCH_REQUIRE(stream->pipes[0] != INVALID_HANDLE_VALUE);
}

static const uint64_t *take_pipe(struct job *job)
{
    struct stream *stream = job->state;
    char *at = (char *)job->frame;
    for (uint64_t left = job->bytes; left != 0;) {
        DWORD came;
        BENCH_REQUIRE(
            ReadFile(stream->pipes[0], at, (DWORD)left, &came, NULL) &&
            came != 0);
        at += came;
        left -= came;
    }
    return job->frame;
}

static void leave_pipe(struct job *job)
{
    struct stream *stream = job->state;
    CloseHandle(stream->pipes[0]);
}

const struct way way_local = {"local",   make_pipe, meet_pipe, give_pipe, end_pipe,
                              join_pipe, take_pipe, taken,     leave_pipe};
