/* winshm-smoke: what nobody knows who has no Windows, asked of the machine on
 * which it runs. It is one file, which needs nothing but the system: its
 * processes are itself in roles, its DLL is a resource, and they talk through
 * regions and exit codes. */
#ifndef SMOKE_H
#define SMOKE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <windows.h>

#include "winshm.h"

/** How long anything may take that is sure to happen soon. */
enum { SMOKE_PATIENCE_MS = 30000 };

/* Questions. */

struct answer;

struct question {
    const char *name;
    const char *expected; /* NULL: nothing, whatever is seen is a fact */
    void (*ask)(struct answer *answer);
};

/** In the order in which they are asked; the last name is NULL. */
extern const struct question smoke_questions[];

enum smoke_verdict {
    SMOKE_EXPECTED,
    SMOKE_UNEXPECTED,
    SMOKE_FACT,
    SMOKE_SKIPPED
};

struct answer {
    enum smoke_verdict verdict;
    char seen[600];
};

/** Adds to what is seen. A question is answered by one of the three below. */
void smoke_see(struct answer *answer, const char *format, ...);
/** This is, or is not, what was expected. Once it is not, it stays so. */
void smoke_judge(struct answer *answer, bool as_expected);
/** What was seen is to be known, whatever it is. */
void smoke_fact(struct answer *answer);
/** This machine, or this way of running, cannot answer; unless something was
 * not as expected before. @return false. */
bool smoke_skip(struct answer *answer, const char *format, ...);

/** Sees the status, with the message that explains a failure. */
void smoke_see_status(struct answer *answer, winshm_status status);

/** Judges one call: if it is not as expected, that is seen. @return as given.
 */
bool smoke_expect(struct answer *answer, const char *call, winshm_status status,
                  winshm_status expected);

void smoke_report_add(const struct question *question,
                      const struct answer *answer);
/** @return how many answers were not as expected. */
int smoke_report_end(const char *file);

/* What was asked for on the command line. */

struct smoke_options {
    uint32_t torture_s;   /* 0: none */
    const char *partner;  /* this program with other bits, for the torture */
    const char *user;     /* another user's name; the password is in the */
    const char *password; /* environment */
    const char *report;
};
extern struct smoke_options smoke_options;

/* Processes. */

/** What a child does. @return its exit code. */
struct role {
    const char *name;
    int (*run)(const char *argument, uint32_t number);
};
extern const struct role smoke_roles[];

enum smoke_way {
    SMOKE_AS_SELF,
    SMOKE_AS_PLAIN,     /* without what elevation gives */
    SMOKE_SHADOW_STACK, /* with the strictest policy */
    SMOKE_AS_OTHER      /* smoke_options.user */
};

/** Starts this program in a role. @return NULL: the system refused. Then the
 * question is skipped; but no machine lacks what a process as this one needs.
 */
HANDLE smoke_start(struct answer *answer, enum smoke_way way, const char *role,
                   const char *argument, uint32_t number);
/** Starts another program, whose output goes to a file unless that is NULL. */
HANDLE smoke_start_program(struct answer *answer, const char *program,
                           char *line, HANDLE output);

enum { SMOKE_KILLED = 1000, SMOKE_LATE = 1001 };
/** Waits and closes. @return the exit code; SMOKE_LATE after the time-out, when
 * it is killed. */
int smoke_end(HANDLE process, uint32_t timeout_ms);

/** A token of this user without what elevation gives, for a new process. */
HANDLE smoke_plain_token(void);

bool smoke_token_tells(TOKEN_INFORMATION_CLASS what, void *answer, DWORD bytes);
bool smoke_is_elevated(void);
bool smoke_is_wine(void);
/** The policy's bits; 0 if there is no shadow stack, -1 if nobody can tell. */
int smoke_shadow_stack(void);
void smoke_own_path(char path[MAX_PATH]);

/* Small things. */

double smoke_ms(void);
typedef void smoke_any(void);
/** A function of a DLL that the process has, which older systems may lack. */
smoke_any *smoke_function(const char *module, const char *name);
HANDLE smoke_thread(DWORD(WINAPI *run)(void *), void *argument);
/** A name of this process's own, valid until the program's end. */
const char *smoke_name(const char *prefix, const char *part);
/** Waits until somebody holds the region's lock. */
bool smoke_held(winshm_region *region);
/** The DLL that is a resource of this program, written to a temporary file.
 * @return NULL: the question is skipped. */
const char *smoke_module(struct answer *answer);
void smoke_module_remove(void);

enum { SMOKE_CANNOT = -50 };
/** Takes a page of a region away and reads it. @return the status, or
 * SMOKE_CANNOT if the page could not be taken. */
int smoke_touch(void);

#endif
