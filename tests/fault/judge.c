/* Judges what came of a fault. */
#include <errno.h>
#include <stdarg.h>

#include "run.h"

uint32_t fault_complaints;
uint64_t fault_survived;

void fault_describe(void)
{
    static const char *const words[] = {"", " for good", ", then all others"};
    fprintf(stderr, "%s %u %u (", run.scenario->name, (unsigned)run.number,
            (unsigned)run.fault.code);
    const struct instrument_site *site =
        run.shown != NULL ? run.shown : run.site;
    if (site != NULL)
        fprintf(stderr, "%s at %s:%d refused with %ld%s): ", site->name,
                site->file, site->line, (long)run.codes[0],
                words[run.fault.mode]);
    else
        fprintf(stderr, "nothing refused): ");
}

void fault_expect(bool condition, const char *format, ...)
{
    va_list arguments;
    if (condition)
        return;
    fault_describe();
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    if (++fault_complaints == COMPLAINTS_MAX) {
        fprintf(stderr, "and so on\n");
        _Exit(1);
    }
}

void fault_expect_status(const char *call, winshm_status actual,
                         winshm_status expected)
{
    fault_expect(actual == expected, "%s gave %s, not %s: %s", call,
                 winshm_status_name(actual), winshm_status_name(expected),
                 actual != WINSHM_OK ? winshm_last_message() : "");
}

static const struct {
    const char *function;
    winshm_status statuses[20];
} documented[] = {
#define OPENING                                                                \
    WINSHM_E_ACCESS, WINSHM_E_FOREIGN, WINSHM_E_KIND, WINSHM_E_LAYOUT,         \
        WINSHM_E_SIZE, WINSHM_E_HELD, WINSHM_E_NO_MEMORY, WINSHM_E_TOO_MANY,   \
        WINSHM_E_TIMEOUT, WINSHM_E_SYSTEM
    {"winshm_create", {OPENING, WINSHM_E_EXISTS, WINSHM_E_PRIVILEGE}},
    {"winshm_open_with", {OPENING, WINSHM_E_EXISTS, WINSHM_E_PRIVILEGE}},
    {"winshm_open",
     {OPENING, WINSHM_E_NOT_FOUND, WINSHM_E_NOT_MANAGED, WINSHM_E_REPLACED,
      WINSHM_E_CORRUPT}},
    {"winshm_open_or_create",
     {OPENING, WINSHM_E_PRIVILEGE, WINSHM_E_NOT_FOUND, WINSHM_E_REPLACED,
      WINSHM_E_CORRUPT}},
    {"winshm_close", {WINSHM_E_BUSY}},
    {"winshm_get_info", {WINSHM_E_CORRUPT}},
    {"winshm_get_participants", {WINSHM_E_CORRUPT}},
    {"winshm_get_layout", {WINSHM_E_CORRUPT}},
    {"winshm_resize",
     {WINSHM_E_ACCESS, WINSHM_E_KIND, WINSHM_E_SIZE, WINSHM_E_NO_MEMORY,
      WINSHM_E_TIMEOUT, WINSHM_E_CORRUPT, WINSHM_E_SYSTEM}},
    {"winshm_map", {WINSHM_E_ACCESS, WINSHM_E_NO_MEMORY, WINSHM_E_TOO_MANY}},
    {"winshm_read",
     {WINSHM_E_TIMEOUT, WINSHM_E_OWNER_DEAD, WINSHM_E_NOT_FOUND,
      WINSHM_E_NO_MEMORY, WINSHM_E_FAULT, WINSHM_E_CORRUPT}},
    {"winshm_write",
     {WINSHM_E_ACCESS, WINSHM_E_TIMEOUT, WINSHM_E_OWNER_DEAD,
      WINSHM_E_NO_MEMORY, WINSHM_E_FAULT, WINSHM_E_CORRUPT}},
    {"winshm_copy_out", {WINSHM_E_NO_MEMORY, WINSHM_E_FAULT}},
    {"winshm_copy_in", {WINSHM_E_NO_MEMORY, WINSHM_E_FAULT}},
    {"winshm_lock",
     {WINSHM_E_TIMEOUT, WINSHM_E_OWNER_DEAD, WINSHM_E_NO_MEMORY,
      WINSHM_E_CORRUPT}},
    {"winshm_import",
     {OPENING, WINSHM_E_NOT_FOUND, WINSHM_E_REPLACED, WINSHM_E_TOKEN,
      WINSHM_E_CORRUPT}},
    {"winshm_link",
     {WINSHM_E_EXISTS, WINSHM_E_ACCESS, WINSHM_E_UNSUPPORTED, WINSHM_E_KIND,
      WINSHM_E_TIMEOUT, WINSHM_E_NO_MEMORY, WINSHM_E_TOO_MANY, WINSHM_E_SIZE,
      WINSHM_E_CORRUPT, WINSHM_E_SYSTEM}},
    {"winshm_open_link",
     {OPENING, WINSHM_E_NOT_FOUND, WINSHM_E_REPLACED, WINSHM_E_TOKEN,
      WINSHM_E_CORRUPT}},
    {"winshm_save",
     {WINSHM_E_INVALID, WINSHM_E_TIMEOUT, WINSHM_E_ACCESS, WINSHM_E_KIND,
      WINSHM_E_SIZE, WINSHM_E_NO_MEMORY, WINSHM_E_SYSTEM}},
    {"winshm_load",
     {WINSHM_E_INVALID, WINSHM_E_NOT_FOUND, WINSHM_E_ACCESS, WINSHM_E_KIND,
      WINSHM_E_TIMEOUT, WINSHM_E_NO_MEMORY, WINSHM_E_SYSTEM}},
    {"winshm_wait_fd", {WINSHM_E_NO_MEMORY, WINSHM_E_SYSTEM}},
    {"winshm_wait_handle",
     {WINSHM_E_ACCESS, WINSHM_E_KIND, WINSHM_E_NO_MEMORY, WINSHM_E_SYSTEM}},
};

static bool is_documented(const char *function, winshm_status status)
{
    for (size_t i = 0; i < sizeof documented / sizeof documented[0]; i++) {
        const winshm_status *known = documented[i].statuses;
        if (strcmp(documented[i].function, function) == 0)
            for (; *known != WINSHM_OK; known++)
                if (*known == status)
                    return true;
    }
    return false;
}

static bool was_given(int32_t code)
{
    for (uint32_t i = 0; i < run.codes_given; i++)
        if (run.codes[i] == code)
            return true;
    return false;
}

/** True if the system says so that something has run out. */
static bool means_no_memory(const char *function, int32_t code)
{
#ifdef _WIN32
    static const int32_t codes[] = {4, 8, 14, 1450, 1455};
    (void)function;
#else
    /* It is a disk that is full. */
    if ((strcmp(function, "winshm_save") == 0 ||
         strcmp(function, "winshm_load") == 0) &&
        (code == ENOSPC || code == EDQUOT))
        return false;
    static const int32_t codes[] = {EAGAIN, EDQUOT, EMFILE,
                                    ENFILE, ENOMEM, ENOSPC};
#endif
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (code == codes[i])
            return true;
    return false;
}

/** A full disk is no lack of memory. Which of the two it is depends on the file,
 * and a link is made where one is on a disk and others are memory. */
static bool means_either(int32_t code)
{
#ifdef _WIN32
    (void)code;
    return false;
#else
    return strcmp(run.scenario->function, "winshm_link") == 0 &&
           (code == ENOSPC || code == EDQUOT);
#endif
}

/** Whoever cannot be asked counts as alive, and is waited for. */
static bool asks_for_owners(const char *function)
{
    return strcmp(function, "winshm_lock") == 0 ||
           strcmp(function, "winshm_read") == 0 ||
           strcmp(function, "winshm_write") == 0;
}

/** That there is no region is known before a plain block is looked for. */
static bool known_without(winshm_status status)
{
    return run.scenario->expected == WINSHM_E_NOT_MANAGED &&
           status == WINSHM_E_NOT_FOUND;
}

bool fault_no_room_for_thread(void)
{
    static const char *const calls[] = {
        "FlsAlloc", "FlsSetValue",        "HeapAlloc",
        "calloc",   "pthread_key_create", "pthread_setspecific"};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (fault_refused(calls[i]))
            return true;
    return false;
}

/** A failure that the refusal has caused must say so. */
void fault_judge(winshm_status status)
{
    const struct scenario *scenario = run.scenario;
    if (status == scenario->expected) {
        fault_survived++;
        return;
    }
    fault_expect(run.site != NULL, "gave %s: %s", winshm_status_name(status),
                 winshm_last_message());
    if (run.site == NULL || status == WINSHM_OK)
        return;
    const char *message = winshm_last_message();
    int32_t code = winshm_last_os_code();
    char call[32];
    snprintf(call, sizeof call, "failed with %ld", (long)code);
    fault_expect(is_documented(scenario->function, status),
                 "%s is not documented", winshm_status_name(status));
    /* Without memory for it nothing more is told. */
    if (message[0] == '\0' && fault_no_room_for_thread())
        return;
    if (code == 0 && status == WINSHM_E_TIMEOUT &&
        asks_for_owners(scenario->function))
        return;
    if (code == 0 && fault_refused("SystemFunction036")) /* it has none */
        return;
    fault_expect(was_given(code), "%s tells code %ld: %s",
                 winshm_status_name(status), (long)code, message);
    fault_expect((status == WINSHM_E_NO_MEMORY) == means_no_memory(code) ||
                     known_without(status) || means_either(code),
    fault_expect((status == WINSHM_E_NO_MEMORY) ==
                         means_no_memory(scenario->function, code) ||
                     known_without(status),
                 "%s for code %ld", winshm_status_name(status), (long)code);
    fault_expect(strstr(message, scenario->function) == message &&
                     strstr(message, winshm_status_name(status)) != NULL &&
                     strstr(message, call) != NULL,
                 "the message is: %s", message);
}

/** True if what finds and removes names was refused as well. Then they stay
 * for the next one who comes, as after a death. */
static bool cannot_tidy(void)
{
    return fault_refused("unlink") ||
           (run.fault.mode != ONCE &&
            (fault_refused("lstat") || fault_refused("fstat") ||
             fault_refused("fcntl")));
}

void fault_judge_holdings(const struct fault_holdings *before, bool midway)
{
    const char *when = midway ? "after the failure" : "at the end";
    struct fault_holdings now;
    if (!run.settled)
        return;
    fault_count(&now);
    fault_expect(now.handles == before->handles, "%+d handles %s",
                 now.handles - before->handles, when);
    fault_expect(now.mappings == before->mappings, "%+d mappings %s",
                 now.mappings - before->mappings, when);
    fault_expect(now.names == before->names ||
                     (midway && (now.names < before->names || cannot_tidy())),
                 "%+d names %s", now.names - before->names, when);
    fault_expect(now.blocks == before->blocks, "%+d blocks of memory %s",
                 now.blocks - before->blocks, when);
}

void fault_judge_other(const struct stage *stage)
{
    unsigned char text[16];
    if (stage->other == NULL)
        return;
    EXPECT_OK(winshm_read(stage->other, FAULT_SIZE - sizeof text, text,
                          sizeof text, 1000));
    fault_expect(memcmp(text, "0123456789abcdef", 16) == 0, "other data");
    EXPECT_OK(winshm_lock(stage->other, WINSHM_EXCLUSIVE, 1000));
    EXPECT_OK(winshm_unlock(stage->other, WINSHM_EXCLUSIVE));
}
