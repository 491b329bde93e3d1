/* The contract with the operating system. Everything above this header is
 * portable; everything that includes an OS header is below it.
 *
 * Rules that hold for every function here:
 *  - Arguments are valid: names obey name.h, pointers are not NULL, offsets
 *    and lengths lie inside the object.
 *  - A function that can fail returns a winshm_status and, where a system call
 *    refused, has told wshm_error_os() about it. Outputs are written last.
 *  - Nothing is allocated for the caller. What a struct platform_region holds
 *    is released by wshm_platform_leave() alone, on every path.
 *  - No function knows what the bytes of the control block mean. None waits for
 *    another process but park, the life lock and, on Windows, the making of
 *    data whose name is about to become free; each of these has an end.
 */
#ifndef WINSHM_PLATFORM_H
#define WINSHM_PLATFORM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "system.h"
#include "winshm.h"

/** An object of the operating system: a HANDLE or a file descriptor. */
typedef intptr_t platform_object;
#define PLATFORM_NONE ((platform_object)-1)

/** What one open handle holds of the operating system. */
struct platform_region {
    char name[WINSHM_NAME_MAX + 1]; /* without prefix */
    bool global;                    /* the prefix was Global\ */
    bool writable;                  /* the data are mapped for writing */
    bool removes;                   /* raw: this handle made the name */
    uint32_t id[4];                 /* names of presences are made from it */
    platform_object control;        /* Linux: carries the locks, never mapped */
    platform_object life;           /* Windows: the life lock, while held */
    platform_object data;
    platform_object presence; /* Windows: exists as long as this handle */
    void *control_view;       /* control_bytes, or NULL */
    uint64_t control_bytes;
    _Atomic uint32_t control_lost; /* 1: the view is all ones, and private */
    void *park; /* Windows: events and what waits at them; Linux: the watcher */
};

/** What tells one data object from another of the same name (Linux). */
struct platform_identity {
    uint64_t volume;
    uint64_t file; /* 0: nothing */
};

/** How wshm_platform_enter() shall come by the control block. */
enum platform_entry {
    PLATFORM_JOIN,   /* it must exist */
    PLATFORM_CREATE, /* it is made, all zeros, where it does not exist */
    PLATFORM_OBSERVE /* it must exist; read-only and without the life lock */
};

/* The life of a region. */

/** Set the fields to "holds nothing". */
static inline void wshm_platform_reset(struct platform_region *p)
{
    memset(p->id, 0, sizeof p->id);
    p->removes = false;
    atomic_store(&p->control_lost, 0);
    p->control = p->life = p->data = p->presence = PLATFORM_NONE;
    p->control_view = NULL;
    p->control_bytes = 0;
    p->park = NULL;
}

/**
 * Open or make the control block of p->name, take the life lock, make sure
 * that the name still leads to this block, and map it.
 *
 * @param security as in winshm_options; not NULL unless creating: the block
 *                 may belong to anybody, not only to this user or the system.
 * @return WINSHM_E_NOT_FOUND when joining a name without control block,
 *         WINSHM_E_TIMEOUT when the life lock was not had by deadline_ns.
 */
winshm_status wshm_platform_enter(struct platform_region *p,
                                  enum platform_entry entry, uint64_t bytes,
                                  const char *security, uint64_t deadline_ns);

/**
 * Make sure that a new life may be built upon the control block, and that its
 * permissions are what security says, also where an earlier life has left it.
 * Life lock held, nobody present.
 *
 * @return WINSHM_E_FOREIGN if it is not this user's to that extent.
 */
winshm_status wshm_platform_control_own(const struct platform_region *p,
                                        const char *security);

/** What to say of a word of winshm_options.security that is none. */
#define PLATFORM_SECURITY_WORDS                                                \
    "It is \"owner\", the default, \"session\", \"interactive-read\", "        \
    "\"everyone-read\", or on Windows a security descriptor in SDDL."

/** What to say when the life lock was not had in time. */
#define PLATFORM_OTHERS_INSIDE                                                 \
    "somebody else was inside create, open or resize of it all the time"
#define PLATFORM_OTHERS_CURE                                                   \
    "Whoever it is is stopped, or makes a very large block."

/**
 * Take the life lock again, of a region that was entered. One thread of a handle
 * at a time: on Linux the locks of one description do not exclude each other.
 *
 * @return WINSHM_E_TIMEOUT when it was not had by deadline_ns.
 */
winshm_status wshm_platform_reenter(struct platform_region *p,
                                    uint64_t deadline_ns);

/** Give the life lock back. */
void wshm_platform_entered(struct platform_region *p);

/** Tell what has the region's plain name. @return WINSHM_OK: a block;
 * WINSHM_E_KIND: something else; WINSHM_E_NOT_FOUND. */
winshm_status wshm_platform_data_look(const struct platform_region *p);

/**
 * Open the existing data object.
 *
 * @param known NULL: whatever has the name; else it must be this one.
 * @return WINSHM_E_NOT_FOUND, or WINSHM_E_REPLACED if it is another one.
 */
winshm_status wshm_platform_data_open(struct platform_region *p,
                                      const struct platform_identity *known);

/**
 * Make a zeroed data object, of which the first bytes can be touched. On Linux it
 * has no name yet, so that its identity can be recorded before anybody can see
 * it.
 *
 * @return WINSHM_E_HELD if an object has the name and does not go away.
 */
winshm_status wshm_platform_data_make(struct platform_region *p, uint64_t bytes,
                                      uint64_t capacity, const char *security,
                                      struct platform_identity *identity);

/** Give the new data object its name. @return WINSHM_E_HELD if it is taken. */
winshm_status wshm_platform_data_publish(struct platform_region *p);

/** Close the data object, so that another one can be opened or made. */
void wshm_platform_data_close(struct platform_region *p);

/** What is open as data object. */
winshm_status wshm_platform_data_identity(const struct platform_region *p,
                                          struct platform_identity *identity);

/** True if the region's plain name still leads to the data object. */
bool wshm_platform_data_named(const struct platform_region *p);

/** @return WINSHM_E_FOREIGN if the data object belongs to neither this user nor
 * the system, or why it could not be told. */
winshm_status wshm_platform_data_trusted(const struct platform_region *p);

/**
 * Set more of the data object aside, so that it can be touched. Life lock held.
 *
 * @param from what the first bytes may be touched of; nothing beyond is used.
 * @return why not; then no more of it is set aside than before, but where the
 *         system takes nothing back.
 */
winshm_status wshm_platform_data_grow(const struct platform_region *p,
                                      uint64_t from, uint64_t to);

/** Bytes of the data object as the kernel has them. */
winshm_status wshm_platform_data_bytes(const struct platform_region *p,
                                       uint64_t *bytes);

/** How many of them, from the first one on, can be touched now. */
winshm_status wshm_platform_data_usable(const struct platform_region *p,
                                        uint64_t *bytes);

/**
 * Remove the recorded data object of a region without participants, if the
 * name still leads to it. Life lock held. Nothing to do on Windows.
 */
winshm_status
wshm_platform_data_remove(const struct platform_region *p,
                          const struct platform_identity *recorded);

/** Remove the control block's name. Life lock held. Nothing on Windows. */
void wshm_platform_control_remove(const struct platform_region *p);

/**
 * Name regions that a crash may have left behind: control blocks of this user's
 * that are empty or of this size, and that nobody is present in or has the life
 * lock of at a glance. Nothing is changed by it but the permissions of an empty
 * one that shuts its owner out, and how much is looked at has a bound, begins
 * anywhere, and does not depend on how many files there are. Whoever wants to
 * remove one has to enter it and look again.
 *
 * @return how many, at most `most`; always 0 on Windows, where nothing outlives
 *         its users.
 */
uint32_t wshm_platform_leftovers(char (*names)[WINSHM_NAME_MAX + 1],
                                 uint32_t most, uint64_t bytes);

/** Make a plain block, to be published, or open one. */
winshm_status wshm_platform_raw(struct platform_region *p, bool create,
                                uint64_t bytes, const char *security);

/** Remove the name of a plain block that this handle has made, if it still
 * leads to it. Nothing on Windows. */
void wshm_platform_unname(const struct platform_region *p);

/**
 * Try to take the life lock for leaving, at least once. On Windows there is
 * nothing to do under it, and the answer is always false.
 */
bool wshm_platform_leaving(struct platform_region *p, uint64_t deadline_ns);

/** Release everything that p holds, the presence before the data. */
void wshm_platform_leave(struct platform_region *p);

/** In a child of fork(): drop what p holds, and leave it to the parent. What is
 * mapped of the data stays mapped. */
void wshm_platform_abandon(struct platform_region *p);

/* Presence: exists exactly as long as the one who took it. */

/** True unless slot's presence is known not to exist. Holds nothing. */
bool wshm_platform_present(struct platform_region *p, uint32_t slot);

/**
 * Tell whether any of the slots below count but except is present.
 *
 * @return why it cannot be told.
 */
winshm_status wshm_platform_anybody(struct platform_region *p, uint32_t count,
                                    uint32_t except, bool *anybody);

/**
 * Take slot's presence.
 *
 * @param taken [out] what wshm_platform_absent() wants back.
 * @return WINSHM_E_BUSY if it exists, or why it cannot be made.
 */
winshm_status wshm_platform_take(struct platform_region *p, uint32_t slot,
                                 platform_object *taken);

/** Give slot's presence back. */
void wshm_platform_absent(struct platform_region *p, uint32_t slot,
                          platform_object taken);

/* Memory. */

/** Offsets of wshm_platform_map() are multiples of this power of two. */
uint64_t wshm_platform_granularity(void);

winshm_status wshm_platform_map(const struct platform_region *p,
                                uint64_t offset, uint64_t length, bool write,
                                void **address);
void wshm_platform_unmap(void *address, uint64_t length);

/**
 * Copy as memcpy() does, and survive that pages of the guarded range are gone.
 *
 * @return WINSHM_OK or WINSHM_E_FAULT.
 */
winshm_status wshm_platform_copy(void *to, const void *from, uint64_t length,
                                 const void *guarded, uint64_t guarded_length);

/* Link files: small ones, in any folder, that this process makes and removes. A
 * path is UTF-8, and no symbolic link at its end is followed. Whoever makes or
 * clears one has its part file meanwhile, which only one process can have. */

/** What a part file is called: its file's name with this appended. */
#define PLATFORM_LINK_PART ".winshm-link"

/** What is open for a link, where a forked child finds it. */
struct platform_link {
    platform_object file;   /* it stands for the file that was made */
    platform_object folder; /* Linux: during a call */
};

/**
 * Read the beginning of a file.
 *
 * @param text [out] room for so many bytes. @param length [out] bytes read.
 * @return WINSHM_E_NOT_FOUND, or WINSHM_E_KIND for what is no plain file.
 */
winshm_status wshm_platform_link_read(const char *path, char *text,
                                      uint32_t room, uint32_t *length);

/**
 * Make a file that appears whole where nothing is.
 *
 * @param link [in, out] both PLATFORM_NONE, as after a failure.
 * @return WINSHM_E_EXISTS if there is something, WINSHM_E_TIMEOUT if others had
 *         the part file until deadline_ns.
 */
winshm_status wshm_platform_link_make(const char *path, const char *text,
                                      uint32_t length, uint64_t deadline_ns,
                                      struct platform_link *link);

/** Remove the file at path if this is all that it has; it may be gone.
 * @param length at most PLATFORM_PATH_MAX.
 * @param link [in, out] both PLATFORM_NONE before and after. */
winshm_status wshm_platform_link_clear(const char *path, const char *text,
                                       uint32_t length, uint64_t deadline_ns,
                                       struct platform_link *link);

/** Remove the file that was made, wherever it has been moved to. */
void wshm_platform_link_remove(struct platform_link *link);

/** In a child of fork(): leave it to the parent. Nothing on Windows. */
void wshm_platform_link_abandon(struct platform_link *link);

/* Waiting. A waiter parks at a word of its slot that wakers have raised. */

enum platform_channel { PLATFORM_LOCK, PLATFORM_CHANGE, PLATFORM_CHANNELS };

/**
 * Sleep until the slot is woken, *word differs from seen, pid's process ends,
 * or the time is over; may also return for no reason.
 *
 * @param pid 0, or a process whose end is worth waking for.
 * @return true if the time was over.
 */
bool wshm_platform_park(struct platform_region *p, uint32_t slot,
                        enum platform_channel channel, _Atomic uint32_t *word,
                        uint32_t seen, uint32_t pid, uint64_t nanoseconds);

/**
 * Make sure that wakers can find this slot. Called before the slot says that
 * it is parked.
 */
winshm_status wshm_platform_park_prepare(struct platform_region *p,
                                         uint32_t slot,
                                         enum platform_channel channel);

/** Wake whoever is parked at the slot. *word has been raised. */
void wshm_platform_wake(struct platform_region *p, uint32_t slot,
                        enum platform_channel channel, _Atomic uint32_t *word);

/** The event of wait loops, made when first asked for, and setting it. Windows:
 * here whoever changes the region sets it. */
winshm_status wshm_platform_event(struct platform_region *p, uint32_t slot,
                                  void **handle);
void wshm_platform_event_set(struct platform_region *p, uint32_t slot);

/** Wait for the next change of what is watched. @param seen [in, out] the state
 * that is known. @param more [out] false: there will be none. @return true if
 * those who wait should look. */
typedef bool platform_watch(void *subject, uint32_t *seen, bool *more);

/**
 * The descriptor of wait loops, made when first asked for. Linux: here a thread
 * of this process calls watch() again and again, and raises the descriptor.
 */
winshm_status wshm_platform_descriptor(struct platform_region *p,
                                       platform_watch *watch, void *subject,
                                       uint32_t seen, int32_t *fd);

/** Wait for the end of that thread, whose watch() ends soon, and close the
 * descriptor. */
void wshm_platform_descriptor_close(struct platform_region *p);

#endif
