/* A request of 64 bytes and its response, as fast as they come. The client
 * looks at every response: it is the request with 1 added to its first word.
 *
 * winshm spins for some microseconds and then blocks, as a program would use
 * it; pipes and sockets block. The processor time beside tells what that
 * costs, the floor what the processors themselves take. */
#include "peers.h"
#include "stage.h"

enum { WORDS = BENCH_PAYLOAD / 8, PATIENCE = 20000 };

/** In the client. */
#define REQUESTS(block, chunk, send, receive)                                  \
    do {                                                                       \
        uint64_t words_[WORDS];                                                \
        uint64_t number_ = 1;                                                  \
        bool wrong_ = false;                                                   \
        BENCH_LOOP(block, chunk, {                                             \
            for (int j_ = 0; j_ < WORDS; j_++)                                 \
                words_[j_] = number_;                                          \
            send;                                                              \
            receive;                                                           \
            wrong_ |=                                                          \
                words_[0] != ++number_ || words_[WORDS - 1] != number_ - 1;    \
        });                                                                    \
        BENCH_REQUIRE(!wrong_);                                                \
        words_[0] = 0;                                                         \
        send;                                                                  \
    } while (0)

/** In the server, until a request that begins with 0. */
#define RESPONSES(block, receive, send)                                        \
    do {                                                                       \
        uint64_t words_[WORDS];                                                \
        stage_ready(block);                                                    \
        for (;;) {                                                             \
            receive;                                                           \
            if (words_[0] == 0)                                                \
                break;                                                         \
            words_[0]++;                                                       \
            send;                                                              \
        }                                                                      \
    } while (0)

static void ours_send(winshm_region *region, void *data, const void *words)
{
    memcpy(data, words, BENCH_PAYLOAD);
    BENCH_REQUIRE(winshm_notify(region) == WINSHM_OK);
}

static void ours_receive(winshm_region *region, const void *data, void *words,
                         uint32_t *seen)
{
    BENCH_REQUIRE(winshm_wait(region, *seen, PATIENCE, seen) == WINSHM_OK);
    memcpy(words, data, BENCH_PAYLOAD);
}

static void ours(struct bench_block *block)
{
    winshm_region *there = bench_create(block, 4096);
    winshm_region *back;
    uint32_t seen = 0;
    BENCH_REQUIRE(winshm_create(stage_back_name(block), 4096, 0, &back) ==
                  WINSHM_OK);
    void *out = winshm_data(there);
    const void *in = winshm_data(back);
    stage_start(block);
    REQUESTS(block, 32, ours_send(there, out, words_),
             ours_receive(back, in, words_, &seen));
    stage_finish(block);
    BENCH_REQUIRE(winshm_close(back) == WINSHM_OK);
    BENCH_REQUIRE(winshm_close(there) == WINSHM_OK);
}

static void ours_child(struct bench_block *block)
{
    winshm_region *there = bench_join(block);
    winshm_region *back;
    uint32_t seen = 0;
    BENCH_REQUIRE(winshm_open(stage_back_name(block), 0, &back) == WINSHM_OK);
    const void *in = winshm_data(there);
    void *out = winshm_data(back);
    RESPONSES(block, ours_receive(there, in, words_, &seen),
              ours_send(back, out, words_));
    BENCH_REQUIRE(winshm_close(back) == WINSHM_OK);
    BENCH_REQUIRE(winshm_close(there) == WINSHM_OK);
}

#ifdef _WIN32
static const char *pipe_name(const struct bench_block *block)
{
    static char name[120];
    snprintf(name, sizeof name, "\\\\.\\pipe\\%s", block->name);
    return name;
}

static void pipe_write(HANDLE pipe, const void *words)
{
    DWORD done;
    BENCH_REQUIRE(WriteFile(pipe, words, BENCH_PAYLOAD, &done, NULL) &&
                  done == BENCH_PAYLOAD);
}

static void pipe_read(HANDLE pipe, void *words)
{
    DWORD done;
    BENCH_REQUIRE(ReadFile(pipe, words, BENCH_PAYLOAD, &done, NULL) &&
                  done == BENCH_PAYLOAD);
}

static void named_pipe(struct bench_block *block)
{
    HANDLE pipe =
        CreateNamedPipeA(pipe_name(block), PIPE_ACCESS_DUPLEX,
                         PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_WAIT,
                         1, 4096, 4096, 0, NULL);
    BENCH_REQUIRE(pipe != INVALID_HANDLE_VALUE);
    stage_start(block);
    REQUESTS(block, 8, pipe_write(pipe, words_), pipe_read(pipe, words_));
    stage_finish(block);
    CloseHandle(pipe);
}

static void named_pipe_child(struct bench_block *block)
{
    HANDLE pipe = CreateFileA(pipe_name(block), GENERIC_READ | GENERIC_WRITE, 0,
                              NULL, OPEN_EXISTING, 0, NULL);
    DWORD mode = PIPE_READMODE_MESSAGE;
    BENCH_REQUIRE(pipe != INVALID_HANDLE_VALUE);
    BENCH_REQUIRE(SetNamedPipeHandleState(pipe, &mode, NULL, NULL));
    RESPONSES(block, pipe_read(pipe, words_), pipe_write(pipe, words_));
    CloseHandle(pipe);
}

const struct bench_case bench_request[] = {
    {.name = "request/named-pipe",
     .title = "request + response of 64 bytes",
     .peer_name = "named pipe",
     .waits = "winshm spins, then blocks; the peer blocks",
     .aim = 250,
     .floor_aim = 1.4,
     .bytes = BENCH_PAYLOAD,
     .talks = true,
     .ours = ours,
     .peer = named_pipe,
     .ours_child = ours_child,
     .peer_child = named_pipe_child},
    {.name = NULL}};
#else
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void file_write(intptr_t file, const void *words)
{
    BENCH_REQUIRE(write((int)file, words, BENCH_PAYLOAD) == BENCH_PAYLOAD);
}

static void file_read(intptr_t file, void *words)
{
    BENCH_REQUIRE(read((int)file, words, BENCH_PAYLOAD) == BENCH_PAYLOAD);
}

/* Parent and child have a pair of pipes anyhow. */

static void pipes(struct bench_block *block)
{
    const struct child *child = &block->process->child;
    stage_start(block);
    REQUESTS(block, 8, file_write(child->to, words_),
             file_read(child->from, words_));
    stage_finish(block);
}

static void pipes_child(struct bench_block *block)
{
    RESPONSES(block, file_read(0, words_), file_write(1, words_));
}

/** In Linux's name space without files. */
static struct sockaddr_un address_of(const struct bench_block *block)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%s",
             block->name);
    return address;
}

static void sockets(struct bench_block *block)
{
    struct sockaddr_un address = address_of(block);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    BENCH_REQUIRE(bind(listener, (struct sockaddr *)&address, sizeof address) ==
                  0);
    BENCH_REQUIRE(listen(listener, 1) == 0);
    stage_start(block);
    int connection = accept(listener, NULL, NULL);
    BENCH_REQUIRE(connection >= 0);
    REQUESTS(block, 8, file_write(connection, words_),
             file_read(connection, words_));
    stage_finish(block);
    close(connection);
    close(listener);
}

static void sockets_child(struct bench_block *block)
{
    struct sockaddr_un address = address_of(block);
    int connection = socket(AF_UNIX, SOCK_STREAM, 0);
    BENCH_REQUIRE(
        connect(connection, (struct sockaddr *)&address, sizeof address) == 0);
    RESPONSES(block, file_read(connection, words_),
              file_write(connection, words_));
}

static void queues(struct bench_block *block)
{
    void *there = boost_queue_open(block->name, true);
    void *back = boost_queue_open(stage_back_name(block), true);
    stage_start(block);
    REQUESTS(block, 8, boost_queue_send(there, words_),
             boost_queue_receive(back, words_));
    stage_finish(block);
    boost_queue_close(back, stage_back_name(block));
    boost_queue_close(there, block->name);
}

static void queues_child(struct bench_block *block)
{
    void *there = boost_queue_open(block->name, false);
    void *back = boost_queue_open(stage_back_name(block), false);
    RESPONSES(block, boost_queue_receive(there, words_),
              boost_queue_send(back, words_));
    boost_queue_close(back, NULL);
    boost_queue_close(there, NULL);
}

const struct bench_case bench_request[] = {
    {.name = "request/pipe",
     .title = "request + response of 64 bytes",
     .peer_name = "pair of pipes",
     .waits = "winshm spins, then blocks; the peer blocks",
     .aim = 20,
     .floor_aim = 1.4,
     .bytes = BENCH_PAYLOAD,
     .talks = true,
     .ours = ours,
     .peer = pipes,
     .ours_child = ours_child,
     .peer_child = pipes_child},
    {.name = "request/socket",
     .title = "request + response of 64 bytes",
     .peer_name = "Unix socket",
     .waits = "winshm spins, then blocks; the peer blocks",
     .floor_aim = 1.4,
     .bytes = BENCH_PAYLOAD,
     .talks = true,
     .ours = ours,
     .peer = sockets,
     .ours_child = ours_child,
     .peer_child = sockets_child},
    {.name = "request/boost-queue",
     .title = "request + response of 64 bytes",
     .peer_name = "Boost message queues",
     .waits = "winshm spins, then blocks; the peer blocks",
     .floor_aim = 1.4,
     .bytes = BENCH_PAYLOAD,
     .talks = true,
     .ours = ours,
     .peer = queues,
     .ours_child = ours_child,
     .peer_child = queues_child},
    {.name = NULL}};
#endif
