/* What the two files of the Linux backend share. */
#ifndef WINSHM_PLATFORM_POSIX_H
#define WINSHM_PLATFORM_POSIX_H

/** Installs the handler behind wshm_platform_copy(). */
void wshm_posix_guard_init(void);

/** Registers with the kernel for wshm_platform_barrier(). */
void wshm_posix_wait_init(void);

/** Stop and resume opening and closing of descriptors, around fork(). */
void wshm_posix_descriptors_lock(void);
void wshm_posix_descriptors_unlock(void);

#endif
