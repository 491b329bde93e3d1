/* Linux: permissions, and whose a file is. */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "posix.h"
#include "status.h"

winshm_status wshm_posix_mode(const char *security, mode_t *mode)
{
    *mode = 0600;
    if (security == NULL || strcmp(security, "owner") == 0 ||
        strcmp(security, "session") == 0)
        return WINSHM_OK;
    if (strcmp(security, "interactive-read") == 0 ||
        strcmp(security, "everyone-read") == 0) {
        *mode = 0644;
        return WINSHM_OK;
    }
    wshm_error_text(security);
    return strchr(security, ':') != NULL
               ? wshm_error_because(WINSHM_E_UNSUPPORTED,
                                    "security is '{text}'",
                                    "Security descriptors are for Windows.")
               : wshm_error_because(WINSHM_E_INVALID, "security is '{text}'",
                                    PLATFORM_SECURITY_WORDS);
}

/** What a user namespace shows in place of every owner that it has no number
 * for, and of this process's own user if that has none. */
enum { OVERFLOW_UID = 65534 };

/** Asks the kernel, who knows users by other numbers than it shows here,
 * whether this user owns the file or may do what its owner may. */
static bool owner_or_capable(int fd)
{
    int flags = fcntl(fd, F_GETFL, 0);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NOATIME) != 0)
        return false;
    fcntl(fd, F_SETFL, flags);
    return true;
}

bool wshm_posix_own(int fd, const struct stat *file)
{
    return file->st_uid == geteuid() &&
           (file->st_uid != OVERFLOW_UID || owner_or_capable(fd));
}

static bool owner_is_trusted(int fd, const struct stat *file)
{
    if (file->st_uid == 0 || wshm_posix_own(fd, file))
        return true;
    /* The super-user of a namespace is none for the users outside it. */
    return geteuid() == 0 &&
           (file->st_uid != OVERFLOW_UID || owner_or_capable(fd));
}

winshm_status wshm_posix_trust(int fd, const struct stat *file)
{
    if (!owner_is_trusted(fd, file))
        return wshm_error_detail(
            WINSHM_E_FOREIGN, "it belongs to the user with number {a}",
            "If you trust that user, open it with \"anyone\" for "
            "winshm_options.security.",
            file->st_uid, 0, 0);
    return file->st_nlink > 1 ? WINSHM_E_FOREIGN : WINSHM_OK;
}
