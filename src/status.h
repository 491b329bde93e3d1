/* Names and texts of statuses, and what a thread knows of its last failure. */
#ifndef WINSHM_STATUS_H
#define WINSHM_STATUS_H

#include "system.h"
#include "winshm.h"

/** Forget what was noted earlier; at the start of calls that ask the system. */
void wshm_error_clear(void);

/** Keep what is noted, until it is cleared or reported: the calls from here on
 * tidy up after the failure and are not its cause. */
void wshm_error_keep(void);

/**
 * Note the system call that refused. Remembered until the failure is reported.
 *
 * @param call a literal, such as "OpenFileMappingW".
 * @return status.
 */
winshm_status wshm_error_os(winshm_status status, const char *call,
                            int32_t os_code);

/**
 * Note what exactly is wrong, for people to read. Remembered until a failure is
 * reported, and told if that has the same status.
 *
 * @param what literal, goes on after the status's text: {a}, {b} and {c} stand
 *             for the numbers, {xa} and {xb} for them in hexadecimal, {process}
 *             for the process of number a, {text} for what wshm_error_text()
 * has noted.
 * @param cure literal, one or more sentences; NULL: the status's own.
 * @return status.
 */
PLATFORM_COLD winshm_status wshm_error_detail(winshm_status status,
                                              const char *what,
                                              const char *cure, uint64_t a,
                                              uint64_t b, uint64_t c);

/** The same without numbers. */
PLATFORM_COLD winshm_status wshm_error_because(winshm_status status,
                                               const char *what,
                                               const char *cure);

/** Note a text of the caller's that the next detail speaks of. */
void wshm_error_text(const char *text);

/**
 * Make status this thread's last failure. WINSHM_OK changes nothing.
 *
 * @param function a literal, the exported function.
 * @param object   the region's name, copied; NULL: none.
 * @return status.
 */
winshm_status wshm_error_report(const char *function, const char *object,
                                winshm_status status);

const char *wshm_error_message(void);
int32_t wshm_error_os_code(void);

const char *wshm_status_name(winshm_status status);
const char *wshm_status_text(winshm_status status);

#endif
