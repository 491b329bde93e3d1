/* Names and texts of statuses, and what a thread knows of its last failure.
 *
 * A failure is noted in pieces and put into words only when somebody asks, so
 * that a caller that polls with short time-outs does not pay for sentences. */
#include "status.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "name.h"
#include "platform.h"

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

/** One thread's last failure. A call that refused is pending until the
 * exported function reports; only then it belongs to the failure. */
struct failure {
    const char *pending_call;
    int32_t pending_code;
    bool kept;
    winshm_status status;
    int32_t os_code;
    const char *os_call;
    const char *function;
    bool worded;
    char object[WINSHM_NAME_MAX + 8];
    char message[720];
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

void wshm_error_clear(void)
{
    struct failure *f = own_failure();
    if (f == NULL)
        return;
    f->pending_call = NULL;
    f->kept = false;
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
    f->pending_call = NULL;
    f->kept = false;
    f->worded = false;
    f->object[0] = '\0';
    if (object != NULL)
        wshm_name_quote(f->object, sizeof f->object, object);
    return status;
}

const char *wshm_error_message(void)
{
    struct failure *f = own_failure();
    if (f == NULL || f->function == NULL)
        return "";
    if (f->worded)
        return f->message;
    char object[sizeof f->object + 4] = "";
    char call[96] = "";
    if (f->object[0] != '\0')
        snprintf(object, sizeof object, " '%s'", f->object);
    if (f->os_call != NULL)
        snprintf(call, sizeof call, " (%s failed with %ld)", f->os_call,
                 (long)f->os_code);
    const struct entry *entry = find(f->status);
    snprintf(f->message, sizeof f->message, "%s%s: %s%s [%s]. %s", f->function,
             object, entry->text, call, entry->name, entry->cure);
    f->worded = true;
    return f->message;
}

int32_t wshm_error_os_code(void)
{
    struct failure *f = own_failure();
    return f == NULL ? 0 : f->os_code;
}
