/* What the files of the Windows backend share. */
#ifndef WINSHM_WIN32_H
#define WINSHM_WIN32_H

#include <windows.h>

#include "platform.h"

/** Room for any name that is made here: prefix, name, suffix and NUL. */
#define WIN32_NAME_CHARS 260

/** Room for any path of a file, what is appended to it, and NUL. */
#define WIN32_PATH_CHARS (PLATFORM_PATH_MAX + 16)

static inline HANDLE wshm_win32_handle(platform_object object)
{
    return (HANDLE)object;
}

/** Note the call that refused. @return the status that its code means. */
winshm_status wshm_win32_error(const char *call, DWORD code);

/** The wide name "P N suffix" of the region's own objects. */
void wshm_win32_name(const struct platform_region *p, const char *suffix,
                     wchar_t name[WIN32_NAME_CHARS]);

/** The wide name "P winshm.<id>.<slot>suffix" of what belongs to a slot. */
void wshm_win32_slot_name(const struct platform_region *p, uint32_t slot,
                          const char *suffix, wchar_t name[WIN32_NAME_CHARS]);

/** Called wherever something is made that belongs to the process and leads to
 * this code. Nobody would tell a static library that its module is unloaded. */
void wshm_win32_stay_loaded(void);

struct win32_security;

/** Open a section; with the rights to ask for its size and its owner too, where
 * they are granted. @return NULL with *code. */
HANDLE wshm_win32_section_open(const struct platform_region *p,
                               const char *suffix, DWORD access, DWORD *code);

/** Make a section. @param pages SEC_COMMIT, or SEC_RESERVE for one whose pages
 * are committed later. @return NULL with *code; else *code is 0, or
 * ERROR_ALREADY_EXISTS for a handle to the one that was there. */
HANDLE wshm_win32_section_make(const struct platform_region *p,
                               const char *suffix, DWORD pages, uint64_t bytes,
                               struct win32_security *security, DWORD *code);

/** Why wshm_win32_section_make() failed. */
winshm_status wshm_win32_section_refused(const struct platform_region *p,
                                         const char *suffix, DWORD code);

/** Ask how large a section is. @param reserved [out] true: perhaps not all of it
 * is committed. */
winshm_status wshm_win32_section_bytes(HANDLE section, uint64_t *bytes,
                                       bool *reserved);

/** Widen a path, which is known to be UTF-8 of a length that fits, and append a
 * suffix. */
void wshm_win32_path(const char *path, const wchar_t *suffix,
                     wchar_t wide[WIN32_PATH_CHARS]);

/** True if a folder has the name, which is opened in another way than files. */
bool wshm_win32_is_folder(const wchar_t *path);

/** Close what is open. */
void wshm_win32_close(platform_object *object);

/** A descriptor ready to be passed to a call that creates. All zeros: none. */
struct win32_security {
    SECURITY_ATTRIBUTES attributes;
    PSECURITY_DESCRIPTOR descriptor; /* from LocalAlloc */
    PACL list;                       /* from LocalAlloc, where it is apart */
    SECURITY_DESCRIPTOR absolute;
    union {
        ACL acl;
        BYTE room[sizeof(ACL) + sizeof(SYSTEM_MANDATORY_LABEL_ACE) +
                  SECURITY_MAX_SID_SIZE];
    } label;
};

/**
 * Put winshm_options.security into a descriptor for sections.
 *
 * @return WINSHM_E_INVALID for a word that is none or malformed SDDL.
 */
winshm_status wshm_win32_security_parse(const char *security,
                                        struct win32_security *made);

/**
 * Make the descriptor for the life lock and the park events of a region: who
 * may write its control section may use them, nobody else; and so it is with
 * integrity levels, too.
 *
 * @param section what wshm_win32_security_parse() made, or NULL.
 * @param control NULL, or a control section, whose own descriptor counts then.
 */
winshm_status wshm_win32_security_derive(const struct win32_security *section,
                                         HANDLE control,
                                         struct win32_security *made);

void wshm_win32_security_free(struct win32_security *made);

/** Attributes that deny everybody everything; never NULL, never freed. */
SECURITY_ATTRIBUTES *wshm_win32_deny_all(void);

/** What an object's descriptor holds. To be freed with LocalFree(). @return
 * NULL: refused. */
PSECURITY_DESCRIPTOR wshm_win32_security_read(HANDLE object,
                                              SECURITY_INFORMATION what);

/** A SID with the room for the longest one. */
union win32_sid {
    SID sid;
    BYTE room[SECURITY_MAX_SID_SIZE];
};

union win32_token {
    TOKEN_USER user;
    TOKEN_OWNER owner;
    BYTE room[256];
};

/** The user for whom this thread acts. @param room for an answer that is not
 * kept. @return NULL: it could not be told, see GetLastError(). */
PSID wshm_win32_user_sid(union win32_token *room);

/** That user's logon session, which is one of the token's groups. @return
 * WINSHM_E_UNSUPPORTED if none is. */
winshm_status wshm_win32_logon_sid(union win32_sid *logon);

/** Note the owner of an object. @return WINSHM_OK, WINSHM_E_FOREIGN if it is
 * neither this user nor the system, or why it could not be told. */
winshm_status wshm_win32_check_owner(HANDLE object);

/** Called once, in this order: when the process began, who this is,
 * descriptors, the clock, the number of this thread. */
void wshm_win32_process_init(void);
void wshm_win32_owner_init(void);
void wshm_win32_security_init(void);
void wshm_win32_time_init(void);
bool wshm_win32_thread_init(void);

/** Called when the library is unloaded from a process that goes on. */
void wshm_win32_thread_exit(void);

/** Rounded up: who waits to a deadline shall not come back before it. */
DWORD wshm_win32_milliseconds(uint64_t nanoseconds);

/** Close the events of a handle, and what waits at them. */
void wshm_win32_park_free(struct platform_region *p);

#endif
