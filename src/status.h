/* Names and texts of statuses, and what a thread knows of its last failure. */
#ifndef WINSHM_STATUS_H
#define WINSHM_STATUS_H

#include "winshm.h"

/** Forget a system call noted earlier; at the start of calls that make some. */
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
