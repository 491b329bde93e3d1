/* Names and texts of statuses, and what a thread knows of its last failure.
 *
 * A failure is noted in pieces and put into words only when somebody asks, so
 * that a caller that polls with short time-outs does not pay for sentences. */
#include "status.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

/** Room for the longest message, and for the longest piece of it that is not
 * the library's own. */
enum { MESSAGE_BYTES = 1024, TEXT_BYTES = 400 };

struct entry {
    winshm_status status;
    const char *name;
    const char *text;
    const char *cure;
};

static const struct entry entries[] = {
#define STATUS_ENTRY(name, value, text, cure) {value, #name, text, cure},
    WINSHM_STATUS_MAP(STATUS_ENTRY)
#undef STATUS_ENTRY
};

static const struct entry unknown = {1, "WINSHM_E_UNKNOWN", "unknown status",
                                     ""};

static const struct entry *find(winshm_status status)
{
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++)
        if (entries[i].status == status)
            return &entries[i];
    return &unknown;
}

const char *wshm_status_name(winshm_status status)
{
    return find(status)->name;
}

const char *wshm_status_text(winshm_status status)
{
    return find(status)->text;
}

/** What exactly was wrong: see wshm_error_detail(). */
struct detail {
    winshm_status status;
    const char *what; /* NULL: nothing was noted */
    const char *cure;
    uint64_t numbers[3];
};

/** One thread's last failure. What is pending belongs to it only when the
 * exported function reports. */
struct failure {
    const char *pending_call;
    int32_t pending_code;
    bool kept;
    struct detail pending;
    winshm_status status;
    int32_t os_code;
    const char *os_call;
    const char *function;
    struct detail detail;
    bool worded;
    char text[TEXT_BYTES];
    char object[WINSHM_NAME_MAX + 8];
    char message[MESSAGE_BYTES];
};
_Static_assert(sizeof(struct failure) <=
                   sizeof((struct platform_thread *)0)->failure,
               "a failure fits into the thread's block");

/** This thread's. @return NULL: no memory. */
static struct failure *own_failure(void)
{
    struct platform_thread *thread = wshm_platform_thread_block();
    return thread == NULL ? NULL : (void *)thread->failure;
}

static void forget(struct failure *f)
{
    f->pending_call = NULL;
    f->pending.what = NULL;
    f->kept = false;
}

void wshm_error_clear(void)
{
    struct failure *f = own_failure();
    if (f != NULL)
        forget(f);
}

void wshm_error_keep(void)
{
    struct failure *f = own_failure();
    if (f != NULL)
        f->kept = true;
}

winshm_status wshm_error_os(winshm_status status, const char *call,
                            int32_t os_code)
{
    struct failure *f = own_failure();
    if (f != NULL && !f->kept) {
        f->pending_call = call;
        f->pending_code = os_code;
    }
    return status;
}

winshm_status wshm_error_detail(winshm_status status, const char *what,
                                const char *cure, uint64_t a, uint64_t b,
                                uint64_t c)
{
    struct failure *f = own_failure();
    if (f != NULL && !f->kept)
        f->pending = (struct detail){status, what, cure, {a, b, c}};
    return status;
}

winshm_status wshm_error_because(winshm_status status, const char *what,
                                 const char *cure)
{
    return wshm_error_detail(status, what, cure, 0, 0, 0);
}

void wshm_error_text(const char *text)
{
    struct failure *f = own_failure();
    if (f != NULL)
        wshm_text_quote(f->text, sizeof f->text, text);
}

winshm_status wshm_error_report(const char *function, const char *object,
                                winshm_status status)
{
    if (status == WINSHM_OK)
        return status;
    struct failure *f = own_failure();
    if (f == NULL)
        return status;
    f->status = status;
    f->function = function;
    f->os_call = f->pending_call;
    f->os_code = f->pending_call != NULL ? f->pending_code : 0;
    f->detail = f->pending;
    if (f->detail.status != status)
        f->detail.what = NULL;
    forget(f);
    f->worded = false;
    f->object[0] = '\0';
    if (object != NULL)
        wshm_text_quote(f->object, sizeof f->object, object);
    return status;
}

/* Putting it into words. */

/** A text that grows in room of a given size, and is cut off at its end. */
struct words {
    char *room;
    size_t size;
    size_t used;
};

static void say(struct words *words, const char *text)
{
    size_t length = strlen(text);
    size_t left = words->size - words->used - 1;
    if (length > left)
        length = left;
    memcpy(words->room + words->used, text, length);
    words->used += length;
    words->room[words->used] = '\0';
}

static void say_number(struct words *words, const char *format, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof text, format, number);
    say(words, text);
}

static void say_process(struct words *words, uint64_t pid)
{
    char name[64];
    char quoted[64];
    say_number(words, "process %" PRIu64, pid);
    if (!wshm_platform_process_name((uint32_t)pid, name, sizeof name))
        return;
    wshm_text_quote(quoted, sizeof quoted, name);
    say(words, " (");
    say(words, quoted);
    say(words, ")");
}

/** What a placeholder stands for. */
static void say_value(struct words *words, const struct failure *f,
                      const char *key, size_t length)
{
    const uint64_t *numbers = f->detail.numbers;
    if (length == 1)
        say_number(words, "%" PRIu64, numbers[key[0] - 'a']);
    else if (length == 2)
        say_number(words, "0x%" PRIX64, numbers[key[1] - 'a']);
    else if (key[0] == 'p')
        say_process(words, numbers[0]);
    else
        say(words, f->text);
}

static void say_detail(struct words *words, const struct failure *f)
{
    const char *what = f->detail.what;
    say(words, ": ");
    while (*what != '\0') {
        size_t plain = strcspn(what, "{");
        char piece[128];
        snprintf(piece, sizeof piece, "%.*s", (int)plain, what);
        say(words, piece);
        what += plain;
        if (*what == '\0')
            break;
        size_t key = strcspn(what, "}");
        say_value(words, f, what + 1, key - 1);
        what += key + 1;
    }
}

static void say_call(struct words *words, const struct failure *f)
{
    char reason[160];
    say(words, " (");
    say(words, f->os_call);
    say(words, " failed with ");
    say_number(words, "%" PRId64, (uint64_t)(int64_t)f->os_code);
    if (wshm_platform_reason(f->os_code, reason, sizeof reason)) {
        say(words, ": ");
        say(words, reason);
    }
    say(words, ")");
}

static void put_into_words(struct failure *f)
{
    const struct entry *entry = find(f->status);
    bool detailed = f->detail.what != NULL;
    struct words words = {f->message, sizeof f->message, 0};
    say(&words, f->function);
    if (f->object[0] != '\0') {
        say(&words, " '");
        say(&words, f->object);
        say(&words, "'");
    }
    say(&words, ": ");
    say(&words, entry->text);
    if (detailed)
        say_detail(&words, f);
    if (f->os_call != NULL)
        say_call(&words, f);
    say(&words, " [");
    say(&words, entry->name);
    say(&words, "].");
    const char *cure =
        detailed && f->detail.cure != NULL ? f->detail.cure : entry->cure;
    if (cure[0] != '\0') {
        say(&words, " ");
        say(&words, cure);
    }
    f->worded = true;
}

const char *wshm_error_message(void)
{
    struct failure *f = own_failure();
    if (f == NULL || f->function == NULL)
        return "";
    if (!f->worded) {
        int cancellation = wshm_platform_uncancellable();
        put_into_words(f);
        wshm_platform_cancellable(cancellation);
    }
    return f->message;
}

int32_t wshm_error_os_code(void)
{
    struct failure *f = own_failure();
    return f == NULL ? 0 : f->os_code;
}
