/* What the files of the Linux backend share. */
#ifndef WINSHM_POSIX_H
#define WINSHM_POSIX_H

#include <sys/stat.h>
#include <time.h>

#include "platform.h"

#define POSIX_DIRECTORY "/dev/shm"
#define POSIX_CONTROL_SUFFIX ".winshm"

/** Room for any path that is made here. */
enum {
    POSIX_PATH_BYTES =
        sizeof POSIX_DIRECTORY + WINSHM_NAME_MAX + sizeof POSIX_CONTROL_SUFFIX
};

/** The status that an errno means. */
winshm_status wshm_posix_translate(int code);

/** Note the call that refused. @return the status that its code means. */
winshm_status wshm_posix_refused(const char *call, int code);

/** The same for a call that should have made a file. */
winshm_status wshm_posix_not_made(const char *call, int code);

void wshm_posix_path(const struct platform_region *p, const char *suffix,
                     char *path);

/** Put winshm_options.security into permissions. */
winshm_status wshm_posix_mode(const char *security, mode_t *mode);

/** True if the file that is open as fd is this user's. */
bool wshm_posix_own(int fd, const struct stat *file);

/** Refuse a file that may not be trusted for its owner's sake, or because it
 * has a second name: somebody could have led us to a file that is for another
 * use. */
winshm_status wshm_posix_trust(int fd, const struct stat *file);

/** Open into a field that a forked child knows, so that it can close it.
 * @return 0 or an errno. */
int wshm_posix_open(platform_object *object, const char *path, int flags,
                    mode_t mode);
void wshm_posix_close(platform_object *object);

/** The same for files of the user's, relative to a folder that is open, or to
 * the working directory where that is PLATFORM_NONE. What is made is this
 * user's alone. */
int wshm_posix_open_at(platform_object *object, platform_object folder,
                       const char *path, int flags);

/** Open the folder that a path is in. Names are to be looked up there, so that
 * it is the same one whatever becomes of the working directory and the path. */
int wshm_posix_open_folder(platform_object *object, const char *path,
                           int flags);

/** What follows the last slash of a path. */
const char *wshm_posix_base(const char *path);

/** Make a file that has no name yet. */
winshm_status wshm_posix_make(platform_object *object, mode_t mode);

/** Give it one. @return 0 or an errno; EEXIST: another file has the name. */
int wshm_posix_link(int fd, const char *path);

/**
 * Open up a control file that its owner is shut out of: whoever made it under a
 * strict mask was killed before it could say what others may. It is empty and
 * this user's; no life has begun in it. The caller has the lock of descriptors.
 *
 * @return true if it can be opened now.
 */
bool wshm_posix_unshut(const char *path);

/** Refuse files that this process may not make so large: going beyond that
 * limit would be a signal. */
winshm_status wshm_posix_check_limit(uint64_t bytes);

/** Set a file's size. */
winshm_status wshm_posix_resize(int fd, uint64_t bytes);

/** Give a file room from one place to another, so that touching it never
 * fails. On failure part of it may have been given. */
winshm_status wshm_posix_reserve(int fd, uint64_t from, uint64_t to);

/** Lock a byte of the control file, without waiting. @return false, with errno,
 * if another description has it. */
bool wshm_posix_lock_byte(const struct platform_region *p, uint32_t byte);

void wshm_posix_unlock_bytes(const struct platform_region *p, uint32_t first,
                             uint32_t count);

/** Install the handler of faults in mapped files. */
void wshm_posix_copy_init(void);

/** Have p->control_view put out of use when its file is cut short. */
void wshm_posix_control_watch(struct platform_region *p);

/** Before it is unmapped: what is mapped there next is not ours. */
void wshm_posix_control_unwatch(struct platform_region *p);

/** Register with the kernel for wshm_platform_barrier_process(). */
void wshm_posix_time_init(void);

/** Find out when this process began. */
void wshm_posix_process_init(void);

/** In a child of fork(): forget the locks that this thread held, which are the
 * parent's. */
void wshm_posix_thread_forked(void);

/** In a child of fork(): close the descriptor of wait loops, which no thread
 * watches for here. */
void wshm_posix_watcher_forget(struct platform_region *p);

/** In a child of fork(): close the files that the parent is saving and loading.
 */
void wshm_posix_files_forget(void);

/** The system call of this name, which keeps threads asleep and wakes them. */
long wshm_posix_futex(_Atomic uint32_t *word, int operation, uint32_t value,
                      const struct timespec *timeout);

struct timespec wshm_posix_timespec(uint64_t nanoseconds);

/** Stop and resume opening and closing of descriptors, around fork(). */
void wshm_posix_descriptors_lock(void);
void wshm_posix_descriptors_unlock(void);

/** See wshm_platform_mutex_free(). */
bool wshm_posix_descriptors_free(void);

#endif
