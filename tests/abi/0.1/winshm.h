/* SPDX-License-Identifier: MIT
 * Copyright (c) 2026 the winshm authors
 *
 * winshm: one named block of memory shared by processes of any language.
 *
 * A region is a block of bytes with a name. A managed region also has a robust
 * reader/writer lock, a change counter that can be waited for, and a list of
 * its participants. The user's bytes begin at offset 0 of the object that
 * carries exactly the region's name; all bookkeeping lives in a second object,
 * so a program that never heard of winshm can share the data as they are. A
 * raw region is only such a block, without bookkeeping.
 *
 * A managed region exists exactly as long as at least one participant does. A
 * participant is one open handle; it may be used by any number of threads,
 * which then exclude each other at the lock as if each had a handle of its own.
 *
 * Rules that hold for every function:
 *  - Strings are UTF-8 and end with NUL. Sizes and offsets are bytes.
 *  - Pointers must not be NULL unless the parameter says so.
 *  - Arguments come in the order object, inputs, outputs. On failure an output
 *    is set to NULL or 0, unless the parameter says otherwise, and a struct is
 *    left as it is.
 *  - A function that can fail returns a winshm_status: WINSHM_OK or a negative
 *    WINSHM_E_* code. Any function may also return WINSHM_E_INVALID for a bad
 *    argument, and every function that takes a handle WINSHM_E_HANDLE,
 *    WINSHM_E_CLOSED or WINSHM_E_FORKED; winshm_last_message() explains.
 *  - A function that returns an address or a size gives NULL or 0 for a bad
 *    handle, and winshm_last_message() tells why.
 *  - Unknown flag bits are refused with WINSHM_E_INVALID.
 *  - A struct with struct_size may come from an older or a newer header.
 *    Members that an older one lacks count as 0. Members that only a newer one
 *    has must be 0 on input, and are set to 0 on output. No struct has more than
 *    4,096 bytes.
 *  - Time-outs are milliseconds on a monotonic clock: 0 tries once,
 *    WINSHM_FOREVER waits without limit. A wait ends when the process that it
 *    waits for dies, and no live process ever loses its lock for being slow.
 *    On Windows a wait may end up to two ticks of the system's clock late, 31
 *    ms as it is set at first: the library does not set it.
 *  - Functions may be called from any thread. None is async-signal-safe, and no
 *    signal handler may call fork() while it interrupts one. If exit() is called
 *    by such a handler, or while other threads are inside a call, what is open
 *    may be left as by a crash.
 *  - A thread is never cancelled (POSIX) inside a call: not even a wait without
 *    limit ends by that.
 *  - After fork() the child's handles and views still belong to the parent:
 *    calls on them give WINSHM_E_FORKED, except for winshm_close() and
 *    winshm_unmap(), which release what the child has of them. Until then the
 *    memory stays mapped in the child. If a child runs out of handles, new ones
 *    take the places of inherited ones; these give WINSHM_E_CLOSED from then
 *    on, and their memory stays mapped until the child ends. A child made by
 *    _Fork(), vfork() or clone() must not use inherited handles at all, and
 *    winshm_close() gives WINSHM_E_FORKED there; as long as such a child lives,
 *    its parent seems to live to others. Fork hooks that were set before
 *    the library was loaded must not call it in the child.
 *  - On Linux the system reports missing pages with SIGBUS, which the library
 *    handles. If a thread blocks that signal, the system ends the process. On
 *    Windows it is an exception, which debuggers and vectored handlers see
 *    before the library does; they shall leave it to others.
 *  - From version 1.0 on everything here stays source and binary compatible
 *    within a major version. Until then a new minor version may change it.
 */
#ifndef WINSHM_H
#define WINSHM_H

/* A resource compiler reads this header for the version numbers only. */
#ifndef RC_INVOKED
#include <stdint.h>
#endif

/** The version of this header; the only place where it is written. */
#define WINSHM_VERSION_MAJOR 0
#define WINSHM_VERSION_MINOR 1
#define WINSHM_VERSION_PATCH 0

#ifndef RC_INVOKED

/* Clang's -Wdocumentation does not know @threadsafety and the like. */
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdocumentation-unknown-command"
#endif

/** Lets a compiler warn of a call whose result is ignored. */
#if defined(__GNUC__)
#define WINSHM_MUST_CHECK __attribute__((warn_unused_result))
#elif defined(_MSC_VER)
#include <sal.h>
#define WINSHM_MUST_CHECK _Check_return_
#else
#define WINSHM_MUST_CHECK
#endif

#if defined(_WIN32)
#define WINSHM_CALL __cdecl
#define WINSHM_API
#elif defined(__GNUC__)
#define WINSHM_CALL
#define WINSHM_API __attribute__((visibility("default")))
#else
#define WINSHM_CALL
#define WINSHM_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Result of a call: WINSHM_OK or a negative WINSHM_E_* code. */
typedef int32_t winshm_status;

/** A participant's handle to a region. Opaque: looked up, never followed. */
typedef struct winshm_region winshm_region;

/** A mapped part of a region. Opaque: looked up, never followed. */
typedef struct winshm_view winshm_view;

/**
 * Every status: XX(name, value, what happened, what to do).
 * Values are pinned for ever; new ones may appear.
 */
#define WINSHM_STATUS_MAP(XX)                                                  \
    XX(WINSHM_OK, 0, "success", "")                                            \
    XX(WINSHM_E_INVALID, -1, "invalid argument",                               \
       "Check the arguments against winshm.h.")                                \
    XX(WINSHM_E_NAME, -2, "malformed or too long name",                        \
       "A name has 1 to 200 bytes of UTF-8 after an optional Local\\ or "      \
       "Global\\, no slash or backslash, and neither ends in .winshm nor "     \
       "contains .winshm. anywhere.")                                          \
    XX(WINSHM_E_NOT_FOUND, -3, "no such region or file",                       \
       "Nobody has created it yet, or its last participant has left. Start "   \
       "the creator first, or wait for it with winshm_options.timeout_ms.")    \
    XX(WINSHM_E_EXISTS, -4, "the region exists already",                       \
       "Somebody has it open. Use winshm_open_or_create() to join it.")   \
    XX(WINSHM_E_ACCESS, -5, "access denied",                                   \
       "The region belongs to another user or is shared read-only. Open it "   \
       "with WINSHM_READ, or let its creator grant more with "                 \
       "winshm_options.security.")                                             \
    XX(WINSHM_E_PRIVILEGE, -6, "privilege missing for the global name space",  \
       "Creating in Global\\ needs SeCreateGlobalPrivilege: create it in a "   \
       "service or an elevated process, or use Local\\.")                      \
    XX(WINSHM_E_KIND, -7, "the name is taken by another sort of object",       \
       "A mutex, event or file of another program has this name. Choose "      \
       "another one.")                                                         \
    XX(WINSHM_E_NOT_MANAGED, -8, "the block is a plain one",           \
       "Open it with WINSHM_RAW to use it as a plain block without a lock.")   \
    XX(WINSHM_E_SIZE, -9, "wrong size",                                        \
       "The region has another size than asked for, or the size is more than " \
       "this system can share. Size 0 opens any size.")                        \
    XX(WINSHM_E_RANGE, -10, "out of range",                                    \
       "Keep offset + length within winshm_size().")                           \
    XX(WINSHM_E_FOREIGN, -11, "the bookkeeping belongs to something else",     \
       "Another program or user holds the name with .winshm appended. Choose " \
       "another name or end that program.")                                    \
    XX(WINSHM_E_LAYOUT, -12, "made by an incompatible winshm",                 \
       "Let all programs that share the region use one major version.")        \
    XX(WINSHM_E_TAG, -13, "another layout",                                    \
       "The programs disagree on the structure of the data: rebuild the "      \
       "older one.")                                                           \
    XX(WINSHM_E_HELD, -14, "the name is taken by a block without winshm",           \
       "Close the program that holds a block of this name, remove what a "     \
       "crash has left of it, or take it over with winshm_open_or_create().")                                     \
    XX(WINSHM_E_REPLACED, -15, "the region was removed or replaced",           \
       "Something outside winshm removed the region's file. Close every "      \
       "handle to it and create it again.")                                    \
    XX(WINSHM_E_NO_MEMORY, -16, "out of memory or address space",              \
       "Ask for less, free memory, close files or, where address space is "    \
       "short, map parts with WINSHM_NO_MAP. On Linux the size of /dev/shm is a limit "   \
       "too.")                                                                 \
    XX(WINSHM_E_TOO_MANY, -17, "too many participants or handles",             \
       "A region has at most WINSHM_PARTICIPANTS_MAX participants: share one " \
       "handle between threads, and close what is not needed.")                \
    XX(WINSHM_E_TIMEOUT, -18, "the time-out ran out",                          \
       "Whoever is in the way is alive but slow or stopped; "                  \
       "winshm_get_info() names it.")                                          \
    XX(WINSHM_E_OWNER_DEAD, -19, "the lock's owner died or gave up in its section",       \
       "The data may be half written. Lock exclusively, repair them, call "    \
       "winshm_make_consistent(), unlock.")                                    \
    XX(WINSHM_E_NOT_OWNER, -20, "this thread does not hold the lock",          \
       "Lock first, and unlock in the mode that was locked, on the thread "     \
       "that has locked. A handle opened with WINSHM_TASK lets any thread "    \
       "unlock.")             \
    XX(WINSHM_E_DEADLOCK, -21, "this thread holds the lock already",           \
       "The lock is neither recursive nor upgradable: unlock first. Tasks "    \
       "that take turns on a thread need a handle opened with WINSHM_TASK.")   \
    XX(WINSHM_E_BUSY, -22, "the handle holds the lock or is in use",           \
       "Unlock, and let the threads that use the handle return, then close.")  \
    XX(WINSHM_E_HANDLE, -23, "not a handle",                                   \
       "The value was never a handle of this kind in this process.")           \
    XX(WINSHM_E_CLOSED, -24, "the handle is closed",                           \
       "Keep the handle open until the last call on it has returned.")         \
    XX(WINSHM_E_FORKED, -25, "the handle belongs to the parent process",       \
       "Open the region again in the child after fork(). Closing the "         \
       "inherited handle gives its memory back.")                              \
    XX(WINSHM_E_FAULT, -26, "the memory could not be touched",                 \
       "Something outside cut the block short or took its pages away.")        \
    XX(WINSHM_E_CORRUPT, -27, "the bookkeeping is damaged",                    \
       "A program has overwritten the control block: close every handle to "   \
       "the region and create it again.")                                      \
    XX(WINSHM_E_UNSUPPORTED, -28, "not supported here",                        \
       "This region or platform does not have what was asked for.")            \
    XX(WINSHM_E_SYSTEM, -29, "the operating system refused",                   \
       "Its reason is in parentheses.")                                        \
    XX(WINSHM_E_TOKEN, -30, "not a token",                                     \
       "Pass on what winshm_export() has given, whole and unchanged.")         \
    XX(WINSHM_E_FORMAT, -31, "not a saved region",                             \
       "Save the region again with winshm_save(), or load an older copy.")

enum {
#define WINSHM_STATUS_VALUE(name, value, text, cure) name = value,
    WINSHM_STATUS_MAP(WINSHM_STATUS_VALUE)
#undef WINSHM_STATUS_VALUE
};

/** A time-out that never runs out. */
#define WINSHM_FOREVER 0xFFFFFFFFu

/** Longest name in bytes, not counting the prefix and the NUL. */
#define WINSHM_NAME_MAX 200u
/** Most participants that a region can have at once. */
#define WINSHM_PARTICIPANTS_MAX 128u
/** Longest token in bytes, not counting the NUL. */
#define WINSHM_TOKEN_MAX 1000u
/** Longest layout text in bytes, not counting the NUL. */
#define WINSHM_LAYOUT_MAX 8191u

/* Flags for creating and opening. With neither READ nor WRITE, both apply. */

/** Read access. Alone, it maps the data read-only; the system enforces it. */
#define WINSHM_READ 0x00000001u
/** Write access; implies read access. Needed to create. */
#define WINSHM_WRITE 0x00000002u
/** A plain block of the operating system: no lock, no notification. */
#define WINSHM_RAW 0x00000004u
/** Creates a managed region without a lock; makes no difference to a join. */
#define WINSHM_NO_LOCK 0x00000008u
/** Does not map the region: winshm_data() is NULL, winshm_map() maps parts. */
#define WINSHM_NO_MAP 0x00000010u
/** The lock belongs to the handle, not to threads: see winshm_lock(). */
#define WINSHM_TASK 0x00000020u
/** A call that creates the region returns with the lock held: see
 * winshm_create(). */
#define WINSHM_CREATE_LOCKED 0x00000040u

/* winshm_options.disposition */

/** The region must not exist. */
#define WINSHM_CREATE_NEW 1u
/** The region must exist; nothing is ever created. */
#define WINSHM_OPEN_EXISTING 2u
/** Joins the region or creates it. */
#define WINSHM_OPEN_OR_CREATE 3u

/* Lock modes. */

/** Any number of readers. */
#define WINSHM_SHARED 1u
/** One writer and no reader. */
#define WINSHM_EXCLUSIVE 2u

/* winshm_info.kind */

#define WINSHM_KIND_MANAGED 1u
#define WINSHM_KIND_RAW 2u

/* winshm_info.lock_kind */

/** No lock: a raw region, or one created with WINSHM_NO_LOCK. */
#define WINSHM_LOCK_NONE 0u
/** The robust reader/writer lock. */
#define WINSHM_LOCK_ROBUST 1u

/* winshm_info.lock_state, bits; none set: free. */

/** Held or being taken exclusively. */
#define WINSHM_STATE_EXCLUSIVE 1u
/** At least one reader holds it. */
#define WINSHM_STATE_SHARED 2u
/** An owner died in its section, or a WINSHM_CREATE_LOCKED creator has not filled
 * the region, and nobody has repaired the data yet. */
#define WINSHM_STATE_INCONSISTENT 4u

/* winshm_info.origin: what this handle's open call did. */

#define WINSHM_ORIGIN_OPENED 1u
#define WINSHM_ORIGIN_CREATED 2u
/** Created over a block that another program held; its contents are kept. */
#define WINSHM_ORIGIN_ADOPTED 3u

/* winshm_participant.flags, bits. */

/** The handle that was asked. */
#define WINSHM_PARTICIPANT_SELF 1u
/** Created the present life of the region. */
#define WINSHM_PARTICIPANT_CREATOR 2u
/** Holds or is taking the lock exclusively. */
#define WINSHM_PARTICIPANT_EXCLUSIVE 4u
/** Holds the lock shared. */
#define WINSHM_PARTICIPANT_SHARED 8u
/** Sleeps, waiting for the lock or for a change. */
#define WINSHM_PARTICIPANT_WAITING 16u

/* winshm_field.kind: numbers are little-endian, as everywhere here. */

/** Fields of its own. */
#define WINSHM_FIELD_STRUCT 1u
/** Integers without and with a sign, of 8 to 64 bits. */
#define WINSHM_FIELD_U8 2u
#define WINSHM_FIELD_I8 3u
#define WINSHM_FIELD_U16 4u
#define WINSHM_FIELD_I16 5u
#define WINSHM_FIELD_U32 6u
#define WINSHM_FIELD_I32 7u
#define WINSHM_FIELD_U64 8u
#define WINSHM_FIELD_I64 9u
/** Floating point of IEEE 754: float and double. */
#define WINSHM_FIELD_F32 10u
#define WINSHM_FIELD_F64 11u
/** One byte, 0 or 1. */
#define WINSHM_FIELD_BOOL 12u
/** One byte; an array of them is UTF-8, filled up with NUL. */
#define WINSHM_FIELD_CHAR 13u
/** Two bytes; an array of them is UTF-16, filled up with NUL. */
#define WINSHM_FIELD_CHAR16 14u

/** How to create or open, for winshm_open_with(). Set all to zero first. */
typedef struct winshm_options {
    uint32_t struct_size; /**< sizeof(winshm_options). */
    uint32_t flags;       /**< WINSHM_READ, WINSHM_WRITE, ... */
    uint32_t disposition; /**< WINSHM_CREATE_NEW, ... */
    uint32_t timeout_ms;  /**< For the whole call: see winshm_open_with(). */
    uint64_t size;        /**< Bytes; 0 when opening: any. */
    uint64_t capacity;    /**< >= size: how far the region can grow with
                               winshm_resize(); 0: not at all. */
    uint64_t layout_tag;  /**< 0: none; refused when it differs. */
    const char *name;     /**< As for winshm_create(); NULL: see there. */
    const char *security; /**< Who may use it: see winshm_open_with(). */
    const char *layout;   /**< What the bytes are; NULL: not said. The text
                               of winshm_format_layout(). */
} winshm_options;

/** Information about a region, from winshm_get_info(). */
typedef struct winshm_info {
    uint32_t struct_size;     /**< In: sizeof(winshm_info). */
    uint32_t kind;            /**< WINSHM_KIND_*. */
    uint32_t access;          /**< WINSHM_READ, or READ | WRITE. */
    uint32_t lock_kind;       /**< WINSHM_LOCK_*. */
    uint64_t size;            /**< As winshm_size(). */
    uint64_t capacity;        /**< As given by the creator: how far it can
                                   grow. As size: not at all. */
    uint8_t id[16];           /**< Random, one for each life of the region. */
    uint64_t layout_tag;      /**< As given by the creator. */
    uint64_t member;          /**< This handle's number within the life. */
    int64_t creator_start_us; /**< Its process's start, Unix microseconds; 0:
                                   not known, on Linux without /proc. */
    uint32_t creator_pid;     /**< For people to read. */
    uint32_t creator_present; /**< 1 while the creator's handle is open. */
    uint32_t participants;    /**< Handles open now. */
    uint32_t lock_state;      /**< WINSHM_STATE_* bits. */
    uint32_t owner_pid;       /**< Exclusive owner's process, or 0. */
    uint32_t change_count;    /**< As winshm_change_count(). */
    uint32_t origin;          /**< WINSHM_ORIGIN_*. */
    uint32_t observer;        /**< 1: may not lock, reads by version check. */
} winshm_info;

/** One participant, from winshm_get_participants(). */
typedef struct winshm_participant {
    uint32_t struct_size; /**< In, first element: sizeof(winshm_participant). */
    uint32_t flags;       /**< WINSHM_PARTICIPANT_* bits. */
    uint64_t member;      /**< Its number within the region's life. */
    int64_t start_us;     /**< As winshm_info.creator_start_us. */
    uint32_t pid;         /**< Its process. */
    uint32_t slot;        /**< Its place in the control block. */
} winshm_participant;

/** A field of a struct, for winshm_format_layout(). The macros at the end of this
 * header make it from a struct's declaration. */
typedef struct winshm_field {
    const char *name;
    const struct winshm_field *fields; /**< Of a struct; otherwise NULL. */
    uint64_t offset;                   /**< Bytes from the struct's start. */
    uint64_t count;       /**< Elements of an array; 0: not an array. */
    uint64_t element;     /**< Bytes of a struct, or of one in an array of
                               them. Other kinds have their own. */
    uint32_t field_count; /**< How many the struct has. */
    uint32_t kind;        /**< WINSHM_FIELD_*. */
} winshm_field;

/* ---- Library ---- */

/**
 * Get the version of the loaded library.
 *
 * @return major << 16 | minor << 8 | patch. A caller that was built with
 *         another major version, or a newer minor one, should refuse to run.
 * @threadsafety any thread.
 * @since 0.1
 */
WINSHM_API uint32_t WINSHM_CALL winshm_version(void);

/**
 * Get the version of the loaded library as text.
 *
 * @return a literal such as "0.1.0"; never NULL, never freed.
 * @threadsafety any thread.
 * @since 0.1
 */
WINSHM_API const char *WINSHM_CALL winshm_version_string(void);

/**
 * Get the name of a status.
 *
 * @param status any value.
 * @return a literal such as "WINSHM_E_NOT_FOUND"; "WINSHM_E_UNKNOWN" for a
 *         value that this version does not know. Never NULL.
 * @threadsafety any thread.
 * @since 0.1
 */
WINSHM_API const char *WINSHM_CALL winshm_status_name(winshm_status status);

/**
 * Get a description of a status in a few words.
 *
 * @param status any value.
 * @return a literal; never NULL.
 * @threadsafety any thread.
 * @since 0.1
 */
WINSHM_API const char *WINSHM_CALL winshm_status_text(winshm_status status);

/**
 * Explain the calling thread's last failure.
 *
 * @return one or more sentences: the function, the object, the system call and
 *         its code, the likely cause and the cure. "" before any failure.
 *         Valid until this thread's next failure or the thread's end. Success
 *         leaves it as it is.
 * @threadsafety any thread; each has its own.
 * @since 0.1
 */
WINSHM_API const char *WINSHM_CALL winshm_last_message(void);

/**
 * Get the operating system's code for the calling thread's last failure.
 *
 * @return GetLastError() or errno of the call that failed; 0 if no system call
 *         failed. It is for people and logs; programs should use the status.
 * @threadsafety any thread; each has its own.
 * @since 0.1
 */
WINSHM_API int32_t WINSHM_CALL winshm_last_os_code(void);

/* ---- Life ---- */

/**
 * Create a region, which must not exist, and become its first participant.
 *
 * All bytes are zero. Whatever an earlier life of the region left behind,
 * however it ended, does not get in the way.
 *
 * With WINSHM_CREATE_LOCKED the calling thread, or with WINSHM_TASK the handle,
 * holds the lock exclusively when the call returns, and has held it since
 * before anybody could join. So it can fill the region before others read, who
 * wait for the lock. The data count as inconsistent until
 * winshm_make_consistent(): call it when they are complete, then unlock. If the
 * creator dies before it has unlocked, or unlocks without the call, the next one
 * to lock gets WINSHM_E_OWNER_DEAD and can fill the region in its place.
 *
 * On Linux an orderly end of the last participant's process removes what it has
 * left open. If it crashes, is killed or calls _exit(), the region's two files
 * stay in /dev/shm and take up memory until somebody next creates or opens the
 * region. Besides, each process that creates managed regions removes such files
 * of its own user, for up to sixteen regions at the first time and then at most
 * once a second. Raw blocks and adopted ones stay: until somebody removes the
 * file, creating a raw block of that name gives WINSHM_E_EXISTS, and a managed
 * region WINSHM_E_HELD. Names in /dev/shm that end in .winshm belong to the
 * library.
 *
 * @param name   1 to WINSHM_NAME_MAX bytes, optionally after "Local\" (the
 *               default) or "Global\". No other backslash, no slash, no
 *               control character; not "."
 *               or ".."; not ending in ".winshm" nor containing ".winshm.",
 *               in upper or lower case.
 *               Names are case-sensitive.
 *               NULL creates an unnamed region: the library draws a name at
 *               random, in Local\, which winshm_get_name() tells. That no other
 *               region has it is all that it is good for: who may use the
 *               region is decided by its security, and never by secrecy.
 * @param size   bytes, at least 1. Any number: nothing is rounded.
 * @param flags  0, or WINSHM_WRITE with WINSHM_READ, WINSHM_RAW,
 *               WINSHM_NO_LOCK, WINSHM_NO_MAP, WINSHM_TASK,
 *               WINSHM_CREATE_LOCKED.
 * @param out    [out] the handle; free with winshm_close().
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_INVALID   size 0, no write access, RAW with NO_LOCK,
 *                            CREATE_LOCKED with RAW or NO_LOCK, an unknown flag
 *         WINSHM_E_NAME      the name breaks a rule above
 *         WINSHM_E_EXISTS    somebody has the region open
 *         WINSHM_E_HELD      an outside program keeps a block of this name
 *         WINSHM_E_FOREIGN   the derived name belongs to something else
 *         WINSHM_E_KIND      the name is taken by another sort of object
 *         WINSHM_E_ACCESS    the system denies it
 *         WINSHM_E_PRIVILEGE Global\ without the privilege
 *         WINSHM_E_LAYOUT    left by an incompatible version that still runs
 *         WINSHM_E_SIZE      more than the system can share: on Linux than
 *                            /dev/shm could hold, or this process may write
 *                            (RLIMIT_FSIZE)
 *         WINSHM_E_NO_MEMORY no memory, address space or descriptors; on Linux
 *                            also more than is free in /dev/shm
 *         WINSHM_E_TOO_MANY  no free handle in this process
 *         WINSHM_E_TIMEOUT   for 5 s another process was inside create, open or
 *                            resize of this region: it is stopped, or busy with
 *                            a block of gigabytes
 *         WINSHM_E_CORRUPT   the control file was truncated during the call
 *         WINSHM_E_SYSTEM    anything else, such as a /dev/shm that is missing
 *                            or read-only; see winshm_last_message()
 *
 * @threadsafety any thread.
 * @platform Windows has a name space for each session, Local\, and one for all,
 *           Global\. In session 0, where services run, they are the same, and
 *           no privilege is needed. In an AppContainer Local\ is the container's
 *           own, and Global\ is closed.
 *           Linux has one name space: both prefixes mean it. A raw region's
 *           name is removed when the handle that created it is closed, whatever
 *           views and other handles there are, or when its process ends in an
 *           orderly way; what is mapped stays. The call needs /proc or, from
 *           Linux 6.10 on, no more than that /dev/shm may be written.
 * @since 0.1
 * @see winshm_open, winshm_open_or_create
 */
WINSHM_MUST_CHECK WINSHM_API winshm_status WINSHM_CALL winshm_create(
    const char *name, uint64_t size, uint32_t flags, winshm_region **out);

/**
 * Join a region that exists. Never creates anything.
 *
 * With WINSHM_READ alone the data are mapped read-only. Such a handle takes
 * part in locks and notification if the creator's security lets it write the
 * control block; otherwise it is an observer: lock calls give WINSHM_E_ACCESS,
 * winshm_read() checks a version instead of locking, and winshm_wait() polls.
 * An observer does not keep the region alive. Within 0.2 s after the last
 * participant has left or died, winshm_read(), winshm_wait(),
 * winshm_change_count(), winshm_get_info() and winshm_get_participants() give
 * WINSHM_E_NOT_FOUND.
 *
 * @param name   as for winshm_create().
 * @param flags  0, WINSHM_READ, WINSHM_WRITE, WINSHM_RAW, WINSHM_NO_MAP,
 *               WINSHM_TASK.
 * @param out    [out] the handle; free with winshm_close().
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_INVALID     an unknown flag
 *         WINSHM_E_NAME        the name breaks a rule of winshm_create()
 *         WINSHM_E_NOT_FOUND   nobody has such a region open
 *         WINSHM_E_NOT_MANAGED a block of this name exists, without winshm;
 *                              WINSHM_RAW opens it
 *         WINSHM_E_ACCESS      it exists, and more is asked than is granted
 *         WINSHM_E_FOREIGN     the derived name belongs to something else
 *         WINSHM_E_KIND        the name is taken by another sort of object
 *         WINSHM_E_LAYOUT      made by an incompatible version
 *         WINSHM_E_SIZE        raw: the block is empty
 *         WINSHM_E_HELD        an outside program keeps a block of this name
 *         WINSHM_E_REPLACED    the data file was removed from outside
 *         WINSHM_E_CORRUPT     the control block contradicts the system
 *         WINSHM_E_NO_MEMORY   no memory, address space or descriptors
 *         WINSHM_E_TOO_MANY    all places of the region, or all handles of
 *                              this process, are taken
 *         WINSHM_E_TIMEOUT     for 5 s another process was inside create, open
 *                              or resize of this region: see winshm_create()
 *         WINSHM_E_SYSTEM      anything else; see winshm_last_message()
 *
 * @threadsafety any thread.
 * @since 0.1
 * @see winshm_open_with to wait for a region
 */
WINSHM_MUST_CHECK WINSHM_API winshm_status WINSHM_CALL
winshm_open(const char *name, uint32_t flags, winshm_region **out);

/**
 * Join a region, or create it if nobody has it open.
 *
 * If an outside program holds a plain block of this name that is large enough,
 * the block is adopted with its contents: winshm_info.origin says so.
 *
 * With WINSHM_CREATE_LOCKED, a caller that creates the region or adopts the
 * block holds the lock when the call returns, and winshm_info.origin is not
 * WINSHM_ORIGIN_OPENED. A caller that joins does not hold it.
 *
 * @param name   as for winshm_create().
 * @param size   bytes. 0 joins a region of any size but cannot create one.
 * @param flags  as for winshm_create().
 * @param out    [out] the handle; free with winshm_close().
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_SIZE      it exists with another size, or the block to
 *                            adopt is smaller
 *         WINSHM_E_NOT_FOUND size is 0 and nobody has it open
 *         or any code of winshm_create() and winshm_open() except
 *         WINSHM_E_EXISTS and WINSHM_E_NOT_MANAGED
 *
 * @threadsafety any thread.
 * @since 0.1
 */
WINSHM_MUST_CHECK WINSHM_API winshm_status WINSHM_CALL winshm_open_or_create(
    const char *name, uint64_t size, uint32_t flags, winshm_region **out);

/**
 * Create or open with all options.
 *
 * timeout_ms limits all waiting in the call. With WINSHM_OPEN_EXISTING the call
 * waits for the region to appear, also while a block made without winshm has
 * its name. With any disposition, it waits while another process is inside
 * create, open or resize of the same managed region. 0 looks for the region
 * once, and gives such a process 5 s. Two things are not counted: finding out whether a
 * block was made without winshm, which takes up to 31 ms, and creating a block.
 *
 * layout_tag is stored at creation. A joiner is refused if its tag differs from
 * the region's and neither is 0.
 *
 * layout says in words what the bytes are: see winshm_format_layout(). It is
 * stored at creation, and winshm_get_layout() hands it to everybody. A joiner
 * that gives one, too, is refused if the two differ in a field's offset, kind,
 * count or name, or in the size of a struct; winshm_last_message() names the
 * first difference. The order in which the fields are told does not count, nor
 * do upper case and underscores in names, since languages differ in these. Nor
 * does it count which of u8, i8, bool and char a field is, or which of u16 and
 * char16. Without a layout on either side nothing is compared.
 *
 * capacity says how far winshm_resize() may make the region grow. It is fixed
 * at creation, and every handle maps all of it, so that growth changes no
 * address. It takes up address space, but memory for size alone. Where the
 * address space is too small for it, as in programs of 32 bits,
 * WINSHM_NO_MAP opens the region all the same. A joiner's size is compared with
 * the size at creation, whatever the region has grown to; its capacity says
 * nothing, nor does an adopted block ever grow. To a program without winshm the
 * block has the capacity's size: on Linux what is beyond size reads as zeros, on
 * Windows it cannot be touched until the region has grown.
 *
 * security, when creating, says who may use the region besides the system:
 *   NULL, "owner"       the current user
 *   "session"           everybody in this logon session
 *   "interactive-read"  the current user, and all interactive users to read
 *   "everyone-read"     the current user, and everybody to read
 *   with a colon        a security descriptor in SDDL (Windows only); its
 *                       integrity label applies to the lock and events, too
 * and when opening, whose region may be joined:
 *   NULL                one of this user, the administrators or the system; on
 *                       Linux root joins anybody's. SYSTEM on Windows does not,
 *                       since a user may take a name before a service opens it.
 *                       In a Linux user namespace, users without an id there
 *                       are strangers; its root joins those who have one.
 *   "anyone"            anybody's: the owner is trusted, whoever it is
 *
 * WINSHM_OPEN_OR_CREATE joins as with NULL, whatever security says. On Windows
 * a thread that impersonates a user counts as that user, both for what it
 * creates and for what it joins.
 *
 * @param options struct_size must be set, unused members 0.
 * @param out     [out] the handle; free with winshm_close().
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_INVALID     struct_size less than any released one, or a
 *                              newer header's members that are not 0; an unknown
 *                              disposition; capacity less than size; malformed
 *                              security; a malformed layout, or one of more
 *                              bytes than size
 *         WINSHM_E_TAG         the region has another layout tag or layout
 *         WINSHM_E_SIZE        size is not 0 and differs from that at the
 *                              region's creation; raw: the block has less; the
 *                              region has fewer bytes than layout
 *         WINSHM_E_UNSUPPORTED an SDDL string on Linux; "session" where the
 *                              token names no logon session, as in a service
 *                              that runs as SYSTEM; capacity or layout with
 *                              WINSHM_RAW
 *         WINSHM_E_TIMEOUT     timeout_ms, or without one 5 s, ran out while
 *                              another process was inside create, open or
 *                              resize of the region: it is stopped, or busy with
 *                              a block of gigabytes
 *         or a code of the function for the disposition
 *
 * @threadsafety any thread.
 * @platform Windows: "everyone-read" does not include AppContainers.
 *           Linux: "session" is as "owner", "interactive-read" as
 *           "everyone-read".
 * @since 0.1
 */
WINSHM_MUST_CHECK WINSHM_API winshm_status WINSHM_CALL
winshm_open_with(const winshm_options *options, winshm_region **out);

/**
 * Leave a region and free the handle.
 *
 * Threads of this process that wait in a call on the handle return with
 * WINSHM_E_CLOSED before this call returns. When Windows unloads a DLL because
 * the process ends, no other threads exist any more, and none is waited for.
 * Views from winshm_map() stay valid and keep the participant present until
 * they are unmapped; the memory at winshm_data() is unmapped with the handle.
 *
 * In a child of fork(), closing a handle of the parent unmaps the memory at
 * winshm_data() in the child and gives WINSHM_OK; the parent and the region are
 * not affected.
 *
 * @param region the handle; NULL does nothing.
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_BUSY   the handle holds the lock, or a thread did not
 *                         return from a call within ten seconds; nothing is
 *                         freed, and it may be tried again (but waiting
 *                         threads may have returned)
 *         WINSHM_E_CLOSED it was closed before
 *
 * @threadsafety any thread.
 * @since 0.1
 */
WINSHM_API winshm_status WINSHM_CALL winshm_close(winshm_region *region);

/* ---- Look ---- */

/**
 * Get the address of the region's first byte.
 *
 * The address stays the same until winshm_close(), is page-aligned, and differs
 * between processes. Of a region that can grow the whole capacity is mapped
 * there, of which only the first winshm_size() bytes may be touched. Writing to
 * the memory of a read-only handle faults.
 *
 * @param region the handle.
 * @return the address, or NULL for a bad handle or one with WINSHM_NO_MAP.
 * @threadsafety any thread; callers must order access to the bytes.
 * @since 0.1
 */
WINSHM_API void *WINSHM_CALL winshm_data(winshm_region *region);

/**
 * Get the region's size.
 *
 * It never falls. Whoever has been notified of a winshm_resize() sees its size,
 * and may touch the new bytes.
 *
 * @param region the handle.
 * @return bytes, exactly as created or resized; for a raw region what the system
 *         says, on Windows a whole number of pages. 0 for a bad handle and, where
 *         the region can grow, for a damaged control block or an observer whose
 *         region has ended.
 * @threadsafety any thread.
 * @since 0.1
 */
WINSHM_API uint64_t WINSHM_CALL winshm_size(winshm_region *region);

/**
 * Get information about a region.
 *
 * @param region the handle.
 * @param info   [in, out] struct_size must be set; the rest is filled. The
 *               members that change are a snapshot.
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_INVALID   info is NULL, or struct_size less than any
 *                            released one
 *         WINSHM_E_NOT_FOUND an observer's region has ended
 *         WINSHM_E_CORRUPT   the control block is damaged
 *
 * @threadsafety any thread.
 * @since 0.1
 */
WINSHM_API winshm_status WINSHM_CALL winshm_get_info(winshm_region *region,
                                                     winshm_info *info);

/**
 * List the participants that are alive.
 *
 * @param region   the handle.
 * @param array    [in, out] room for capacity elements; struct_size of the
 *                 first must be set. NULL if capacity is 0.
 * @param capacity elements.
 * @param count    [out] participants alive; may be more than capacity, of
 *                 which only the first ones are then filled.
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_INVALID     array, count or struct_size is bad
 *         WINSHM_E_UNSUPPORTED a raw region has no list
 *         WINSHM_E_NOT_FOUND   an observer's region has ended
 *         WINSHM_E_CORRUPT     the control block is damaged
 *
 * @threadsafety any thread.
 * @since 0.1
 */
WINSHM_API winshm_status WINSHM_CALL
winshm_get_participants(winshm_region *region, winshm_participant *array,
                        uint32_t capacity, uint32_t *count);

/**
 * Get the layout text that the region's creator has given.
 *
 * @param region   the handle.
 * @param buffer   [out] room for capacity bytes: the text in the form that
 *                 winshm_format_layout() gives it, and a NUL. "" on failure or
 *                 if the creator has given none. NULL if capacity is 0.
 * @param capacity bytes; WINSHM_LAYOUT_MAX + 1 always suffice.
 * @param length   [out] bytes of the text, not counting the NUL, also after
 *                 WINSHM_E_RANGE; 0: none.
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_INVALID     buffer or length is NULL
 *         WINSHM_E_RANGE       capacity is too small
 *         WINSHM_E_UNSUPPORTED a raw region
 *         WINSHM_E_NOT_FOUND   an observer's region has ended
 *         WINSHM_E_CORRUPT     the text is damaged
 *
 * @threadsafety any thread.
 * @since 0.1
 */
WINSHM_MUST_CHECK WINSHM_API winshm_status WINSHM_CALL
winshm_get_layout(winshm_region *region, char *buffer, uint32_t capacity,
                  uint32_t *length);

/**
 * Say in words what the bytes of a struct are, for winshm_options.layout.
 *
 * The text has the same form for every language, and can be written by hand:
 *
 *     layout = { name ":" kind [ "[" count "]" ] "@" offset ";" } "size" bytes
 *     kind   = "u8" | "i8" | "u16" | "i16" | "u32" | "i32" | "u64" | "i64" |
 *              "f32" | "f64" | "bool" | "char" | "char16" | "{" layout "}"
 *
 * as in
 *
 *     score:u32@0; lives:u8@4; name:char[16]@5; pos:{x:f32@0; y:f32@4; size 8}@24; size 32
 *
 * Kinds are those of WINSHM_FIELD_*. Offsets count from the start of the struct
 * that the field is in; fields may overlap, and may leave gaps, but do not reach
 * beyond the struct's size. A name has up to 63 of A-Z, a-z, 0-9 and _, and does
 * not begin with a digit. No two names of a struct may be the same without
 * regard to upper case and underscores. Numbers are decimal, without leading
 * zeros, and less than 2^63; a count is at least 1. Structs lie in structs up to
 * 8 deep below the outermost. The whole has at most WINSHM_LAYOUT_MAX bytes.
 *
 * Spaces, tabs and line ends may stand between any two of these words, numbers
 * and signs. What the library hands out has one space after each semicolon and
 * after "size", and no other.
 *
 *     struct game { uint32_t score; uint8_t lives; struct point pos[2]; };
 *     static const winshm_field point[] = {
 *         WINSHM_FIELD(struct point, x), WINSHM_FIELD(struct point, y)};
 *     static const winshm_field game[] = {
 *         WINSHM_FIELD(struct game, score), WINSHM_FIELD(struct game, lives),
 *         WINSHM_NESTED_ARRAY(struct game, pos, point)};
 *     char text[WINSHM_LAYOUT_MAX + 1];
 *     uint32_t length;
 *     winshm_format_layout(game, 3, sizeof(struct game), text, sizeof text,
 *                          &length);
 *
 * @param fields   count elements, in any order. NULL if count is 0.
 * @param count    elements.
 * @param size     bytes of the whole struct.
 * @param buffer   [out] room for capacity bytes: the text and a NUL; "" on
 *                 failure. NULL if capacity is 0.
 * @param capacity bytes; WINSHM_LAYOUT_MAX + 1 always suffice.
 * @param length   [out] bytes of the text, not counting the NUL, also after
 *                 WINSHM_E_RANGE.
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_INVALID fields, buffer or length is NULL; a field breaks a
 *                          rule above; the text gets too long
 *         WINSHM_E_RANGE   capacity is too small
 *
 * @threadsafety any thread.
 * @since 0.1
 */
WINSHM_MUST_CHECK WINSHM_API winshm_status WINSHM_CALL winshm_format_layout(
    const winshm_field *fields, uint32_t count, uint64_t size, char *buffer,
    uint32_t capacity, uint32_t *length);

/* ---- Growth ---- */

/**
 * Make a region larger.
 *
 * The new bytes are zero. Neither the address nor what is mapped changes:
 * winshm_data() has had the room from the start. Others see the new size in
 * winshm_size() at once, and are notified.
 *
 * The region's lock is not needed: whoever holds it may call this, and so may
 * whoever does not. Growing never lets anybody see half of something, and the
 * calls of several processes take turns.
 *
 * If the process dies in the call, the region has the old size or the new one,
 * and nothing needs repair. Nor does anything change if the call fails; it can
 * be made again.
 *
 * A region never gets smaller.
 *
 * @param region     the handle.
 * @param size       bytes, at least winshm_size(), with which nothing is done,
 *                   and at most winshm_info.capacity.
 * @param timeout_ms how long to wait for others that are inside create, open or
 *                   resize of this region.
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_INVALID     size is 0
 *         WINSHM_E_SIZE        less than the region has, which another process
 *                              may have made larger meanwhile; more than its
 *                              capacity; on Linux also more than /dev/shm could
 *                              hold, or this process may write (RLIMIT_FSIZE)
 *         WINSHM_E_ACCESS      the handle is read-only, or the system denies it
 *         WINSHM_E_UNSUPPORTED a raw region, or an adopted block
 *         WINSHM_E_NO_MEMORY   no memory; on Linux more than is free in /dev/shm
 *         WINSHM_E_TIMEOUT     others were inside all the time
 *         WINSHM_E_CORRUPT     the control block is damaged
 *         WINSHM_E_KIND        another object has the name of the mutex that
 *                              orders these calls (Windows)
 *         WINSHM_E_SYSTEM      anything else; see winshm_last_message()
 *
 * @threadsafety any thread.
 * @platform Windows cannot take back what a call that failed, or died, has
 *           committed in a 32-bit program; the next call uses it.
 * @since 0.1
 * @see winshm_options.capacity
 */
WINSHM_MUST_CHECK WINSHM_API winshm_status WINSHM_CALL
winshm_resize(winshm_region *region, uint64_t size, uint32_t timeout_ms);

/* ---- Parts and copies ---- */

/**
 * Map a part of a region.
 *
 * @param region the handle.
 * @param offset first byte; it need not be aligned.
 * @param length bytes, at least 1.
 * @param flags  0: as the region; WINSHM_READ: read-only; WINSHM_WRITE.
 * @param out    [out] the view; free with winshm_unmap(). It may outlive the
 *               handle.
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_INVALID   length is 0, an unknown flag
 *         WINSHM_E_RANGE     the part is not inside the region
 *         WINSHM_E_ACCESS    WINSHM_WRITE on a read-only handle
 *         WINSHM_E_NOT_FOUND the part is beyond the size when this handle was
 *                            opened, and an observer's region has ended
 *         WINSHM_E_NO_MEMORY no address space
 *         WINSHM_E_TOO_MANY  no free view in this process
 *         WINSHM_E_CORRUPT   likewise, and the control block is damaged
 *
 * @threadsafety any thread.
 * @since 0.1
 */
WINSHM_MUST_CHECK WINSHM_API winshm_status WINSHM_CALL
winshm_map(winshm_region *region, uint64_t offset, uint64_t length,
           uint32_t flags, winshm_view **out);

/**
 * Get the address of a view's first byte.
 *
 * @param view the view.
 * @return the address of the byte at the offset that was mapped; NULL for a
 *         bad view.
 * @threadsafety any thread.
 * @since 0.1
 */
WINSHM_API void *WINSHM_CALL winshm_view_data(winshm_view *view);

/**
 * Get a view's length.
 *
 * @param view the view.
 * @return bytes as asked for; 0 for a bad view.
 * @threadsafety any thread.
 * @since 0.1
 */
WINSHM_API uint64_t WINSHM_CALL winshm_view_size(winshm_view *view);

/**
 * Unmap a view and free it. In a child of fork() this works for a view of the
 * parent, too, and unmaps it in the child alone.
 *
 * @param view the view; NULL does nothing.
 *
 * @return WINSHM_OK, or WINSHM_E_CLOSED if it was unmapped before.
 *
 * @threadsafety any thread.
 * @since 0.1
 */
WINSHM_API winshm_status WINSHM_CALL winshm_unmap(winshm_view *view);

/**
 * Copy bytes out of a region, never torn by a writer that locks.
 *
 * Up to 4,096 bytes are copied without the lock if no writer is in its section
 * during the copy; otherwise the lock is taken shared for the copy. If this
 * thread holds the lock through winshm_lock(), or there is no lock, the call
 * just copies. An observer never takes the lock. With WINSHM_TASK no thread
 * owns the lock: whoever holds it copies with winshm_copy_out().
 *
 * @param region     the handle.
 * @param offset     first byte.
 * @param buffer     [out] room for length bytes; undefined after a failure.
 *                   NULL if length is 0.
 * @param length     bytes.
 * @param timeout_ms how long to wait for the lock.
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_RANGE      not inside the region; nothing is copied
 *         WINSHM_E_TIMEOUT    the lock was not free in time
 *         WINSHM_E_OWNER_DEAD a writer died in its section and the data are
 *                             not repaired; nothing is copied
 *         WINSHM_E_NOT_FOUND  an observer's region has ended
 *         WINSHM_E_NO_MEMORY  no address space, with WINSHM_NO_MAP
 *         WINSHM_E_FAULT      the pages are gone
 *         WINSHM_E_CORRUPT    the control block is damaged
 *
 * @threadsafety any thread.
 * @since 0.1
 */
WINSHM_MUST_CHECK WINSHM_API winshm_status WINSHM_CALL
winshm_read(winshm_region *region, uint64_t offset, void *buffer,
            uint64_t length, uint32_t timeout_ms);

/**
 * Copy bytes into a region and notify those who wait for a change.
 *
 * Takes the lock exclusively for the copy. If this thread holds the lock
 * exclusively through winshm_lock(), or there is no lock, the call just copies
 * and notifies. With WINSHM_TASK no thread owns the lock: whoever holds it
 * copies with winshm_copy_in().
 *
 * @param region     the handle.
 * @param offset     first byte.
 * @param buffer     length bytes. NULL if length is 0.
 * @param length     bytes.
 * @param timeout_ms how long to wait for the lock.
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_RANGE      not inside the region; nothing is copied
 *         WINSHM_E_ACCESS     the handle is read-only
 *         WINSHM_E_TIMEOUT    the lock was not free in time
 *         WINSHM_E_OWNER_DEAD a writer died in its section and the data are
 *                             not repaired; nothing is copied
 *         WINSHM_E_DEADLOCK   this thread holds the lock shared through this
 *                             handle
 *         WINSHM_E_NO_MEMORY  no address space, with WINSHM_NO_MAP
 *         WINSHM_E_FAULT      the pages are gone; part may be written
 *         WINSHM_E_CORRUPT    the control block is damaged
 *
 * @threadsafety any thread.
 * @since 0.1
 */
WINSHM_MUST_CHECK WINSHM_API winshm_status WINSHM_CALL
winshm_write(winshm_region *region, uint64_t offset, const void *buffer,
             uint64_t length, uint32_t timeout_ms);

/**
 * Copy bytes out of a region under a lock that the caller holds.
 *
 * Like winshm_read(), but never takes the lock. It is for a task that holds the
 * lock through a handle with WINSHM_TASK, and for a thread that works on behalf
 * of the one that holds the lock. Callers must see to it that the lock is not
 * released during the copy.
 *
 * @param region the handle.
 * @param offset first byte.
 * @param buffer [out] room for length bytes; undefined after a failure. NULL if
 *               length is 0.
 * @param length bytes.
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_RANGE     not inside the region; nothing is copied
 *         WINSHM_E_NOT_OWNER nobody has locked through this handle; nothing is
 *                            copied
 *         WINSHM_E_ACCESS    the handle is an observer
 *         WINSHM_E_NO_MEMORY no address space, with WINSHM_NO_MAP
 *         WINSHM_E_FAULT     the pages are gone
 *         WINSHM_E_CORRUPT   the control block is damaged
 *
 * @threadsafety any thread.
 * @since 0.1
 */
WINSHM_MUST_CHECK WINSHM_API winshm_status WINSHM_CALL winshm_copy_out(
    winshm_region *region, uint64_t offset, void *buffer, uint64_t length);

/**
 * Copy bytes into a region under a lock that the caller holds exclusively, and
 * notify those who wait for a change.
 *
 * Like winshm_write(), but never takes the lock: see winshm_copy_out().
 *
 * @param region the handle.
 * @param offset first byte.
 * @param buffer length bytes. NULL if length is 0.
 * @param length bytes.
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_RANGE     not inside the region; nothing is copied
 *         WINSHM_E_ACCESS    the handle is read-only
 *         WINSHM_E_NOT_OWNER nobody has locked exclusively through this handle;
 *                            nothing is copied
 *         WINSHM_E_NO_MEMORY no address space, with WINSHM_NO_MAP
 *         WINSHM_E_FAULT     the pages are gone; part may be written
 *         WINSHM_E_CORRUPT   the control block is damaged
 *
 * @threadsafety any thread.
 * @since 0.1
 */
WINSHM_MUST_CHECK WINSHM_API winshm_status WINSHM_CALL
winshm_copy_in(winshm_region *region, uint64_t offset, const void *buffer,
               uint64_t length);

/* ---- Save and load ----
 *
 * A saved region is a file that any program can read: src/saved.h describes it.
 * It is the same for 32- and 64-bit programs on Windows and Linux. Pages of
 * zeros take up no room where the file system can leave them out.
 *
 * A path is 1 to 4,000 bytes of UTF-8, absolute or relative to the working
 * directory. The calls need about 64 KiB of the thread's stack.
 */

/**
 * Save a consistent copy of a region in a file.
 *
 * The lock is held shared while the copy is made, and not while the system brings
 * it to the disk. If this thread holds the lock through winshm_lock(), or there
 * is no lock, as in a raw region, the call just copies, and it is the caller who
 * sees to it that nobody writes meanwhile. An observer never takes the lock:
 * it copies again if a writer came in between. With WINSHM_TASK no thread owns
 * the lock: whoever holds it must release it before.
 *
 * Whatever happens, path is the old file or the new one, whole: the copy is made
 * in a file beside it, "<path>.winshm-part", brought to the disk and renamed.
 * A crash leaves that file, as does a file system that denies to lock it; the
 * next call for this path uses it again.
 * If another process or thread is saving to the same path, the call waits for it.
 *
 * @param region     the handle; it may be read-only.
 * @param path       a file, which is replaced, or none yet. A symbolic link is
 *                   replaced itself, and not what it leads to.
 * @param timeout_ms how long to wait for the lock and for others that save to
 *                   this path. The time to copy and to write is not counted.
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_INVALID    path is empty, not UTF-8 or too long
 *         WINSHM_E_TIMEOUT    the lock or the file was not free in time; for
 *                             an observer, somebody wrote during each copy
 *         WINSHM_E_OWNER_DEAD a writer died in its section and the data are
 *                             not repaired
 *         WINSHM_E_NOT_FOUND  an observer's region has ended
 *         WINSHM_E_ACCESS     this user may not write there
 *         WINSHM_E_KIND       path, or the name of the file beside it, is
 *                             taken by a folder, a device or the like, the
 *                             latter also by a symbolic link or another
 *                             user's file
 *         WINSHM_E_SIZE       more than the file system or this process
 *                             (RLIMIT_FSIZE) takes as one file
 *         WINSHM_E_CLOSED     the handle was closed meanwhile
 *         WINSHM_E_NO_MEMORY  no memory, address space or descriptors, or 64
 *                             threads of this process save and load already
 *         WINSHM_E_FAULT      the region's pages are gone
 *         WINSHM_E_CORRUPT    the control block is damaged
 *         WINSHM_E_SYSTEM     anything else, such as a full disk or no such
 *                             folder; see winshm_last_message()
 *
 *         After a failure path is as it was. There is one exception: if the
 *         system fails to bring the folder to the disk, the new file is there
 *         already, but a power cut may yet bring back the old one.
 *
 * @threadsafety any thread.
 * @platform Linux: the file can be read and written by this user alone, since a
 *           region is, too, unless its creator says otherwise. Windows: it has
 *           the rights that the folder gives.
 * @since 0.1
 */
WINSHM_MUST_CHECK WINSHM_API winshm_status WINSHM_CALL
winshm_save(winshm_region *region, const char *path, uint32_t timeout_ms);

/**
 * Replace a region's bytes by a saved copy, and notify those who wait for a
 * change.
 *
 * The file is checked from the first byte to the last before anything changes.
 * If the region is smaller than what was saved, it grows; if it is larger, the
 * bytes behind become zero.
 * The lock is taken exclusively for the copy. If this thread holds the lock
 * exclusively through winshm_lock(), or there is no lock, the call just copies.
 * With WINSHM_TASK no thread owns the lock: whoever holds it must release it
 * before.
 *
 * Loading repairs: where an owner has died in its section, and this call takes
 * the lock, the data are consistent again afterwards. From the first byte that
 * changes to the last they are not: if the process dies or the call fails in
 * between, it is as if any owner had died, and the next one to lock gets
 * WINSHM_E_OWNER_DEAD. A caller who holds the lock decides, as one that got
 * WINSHM_E_OWNER_DEAD does: when the data are whole again, be it by another
 * load, it calls winshm_make_consistent() before it unlocks.
 *
 * @param region     the handle.
 * @param path       the file.
 * @param timeout_ms how long to wait for the lock. The time to read and to copy
 *                   is not counted.
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_INVALID    path is empty, not UTF-8 or too long
 *         WINSHM_E_NOT_FOUND  there is no such file
 *         WINSHM_E_FORMAT     the file is none of winshm_save(), was cut short
 *                             or changed, or has a newer format
 *         WINSHM_E_SIZE       the file holds more bytes than the region's
 *                             capacity, or fewer than the size at creation;
 *                             for a raw region no number is too small
 *         WINSHM_E_TAG        the file has another layout tag or layout than
 *                             the region; one that either lacks says nothing
 *         WINSHM_E_ACCESS     the handle is read-only, or this user may not
 *                             read the file
 *         WINSHM_E_DEADLOCK   this thread holds the lock shared through this
 *                             handle
 *         WINSHM_E_TIMEOUT    the lock or the file was not free in time, or the
 *                             region was to grow and others were inside create,
 *                             open or winshm_resize()
 *         WINSHM_E_CLOSED     the handle was closed meanwhile
 *         WINSHM_E_KIND       path leads to a folder, a device or the like
 *         WINSHM_E_NO_MEMORY  no memory, address space or descriptors, or 64
 *                             threads of this process save and load already
 *         WINSHM_E_FAULT      the region's pages are gone; part may be written
 *         WINSHM_E_CORRUPT    the control block is damaged
 *         WINSHM_E_SYSTEM     anything else; see winshm_last_message()
 *
 *         Nothing is changed, except with WINSHM_E_FAULT; with WINSHM_E_FORMAT
 *         and WINSHM_E_SYSTEM if the file changed or could not be read any more
 *         after it was checked; and with WINSHM_E_NO_MEMORY and WINSHM_E_CORRUPT
 *         if memory or the control block went away meanwhile. The region may
 *         have grown then.
 *
 * @threadsafety any thread.
 * @since 0.1
 */
WINSHM_MUST_CHECK WINSHM_API winshm_status WINSHM_CALL
winshm_load(winshm_region *region, const char *path, uint32_t timeout_ms);

/* ---- Lock ---- */

/**
 * Take the region's lock.
 *
 * The lock belongs to the thread that took it, and only that thread can release
 * it. Threads that share a handle exclude each other as handles do. If a thread
 * ends while it holds the lock, the lock stays held until the process ends.
 *
 * With WINSHM_TASK the lock belongs to the handle instead. This is for holders
 * that move between threads: coroutines, or a thread that locks and another
 * that unlocks. Any thread can release it, deadlocks are not detected, and a
 * second request through the same handle waits like any other.
 *
 * If an owner died inside its section, an exclusive caller gets
 * WINSHM_E_OWNER_DEAD and *holds* the lock: it should repair the data, call
 * winshm_make_consistent() and unlock. A shared caller gets WINSHM_E_OWNER_DEAD
 * *without* the lock.
 *
 * @param region     the handle.
 * @param mode       WINSHM_SHARED or WINSHM_EXCLUSIVE.
 * @param timeout_ms how long to wait.
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_INVALID     an unknown mode
 *         WINSHM_E_TIMEOUT     not free in time; with timeout_ms 0 also where
 *                              others try it at the same moment
 *         WINSHM_E_OWNER_DEAD  see above
 *         WINSHM_E_DEADLOCK    this thread holds it already through this
 *                              handle, in either mode; never with WINSHM_TASK
 *         WINSHM_E_ACCESS      the handle is an observer; an exclusive lock
 *                              on a read-only handle is allowed
 *         WINSHM_E_UNSUPPORTED the region has no lock
 *         WINSHM_E_NO_MEMORY   no memory to record what this thread holds
 *         WINSHM_E_CORRUPT     the control block is damaged
 *
 * @threadsafety any thread.
 * @since 0.1
 */
WINSHM_MUST_CHECK WINSHM_API winshm_status WINSHM_CALL
winshm_lock(winshm_region *region, uint32_t mode, uint32_t timeout_ms);

/**
 * Release the region's lock. Never waits.
 *
 * If the owner got WINSHM_E_OWNER_DEAD and did not call
 * winshm_make_consistent(), the data stay marked inconsistent, and the next
 * exclusive owner gets WINSHM_E_OWNER_DEAD again.
 *
 * @param region the handle.
 * @param mode   the mode that was locked.
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_INVALID     an unknown mode
 *         WINSHM_E_NOT_OWNER   this thread, or with WINSHM_TASK the handle,
 *                              does not hold it in this mode. A lock that
 *                              winshm_read() or winshm_write() holds on another
 *                              thread is never released.
 *         WINSHM_E_ACCESS      the handle is an observer
 *         WINSHM_E_UNSUPPORTED the region has no lock
 *         WINSHM_E_CORRUPT     the control block is damaged
 *
 * @threadsafety the thread that locked; any thread with WINSHM_TASK.
 * @since 0.1
 */
WINSHM_API winshm_status WINSHM_CALL winshm_unlock(winshm_region *region,
                                                   uint32_t mode);

/**
 * Declare the data consistent again after WINSHM_E_OWNER_DEAD.
 *
 * @param region the handle.
 *
 * @return WINSHM_OK (also if nothing was inconsistent), or
 *         WINSHM_E_NOT_OWNER   this thread, or with WINSHM_TASK the handle,
 *                              does not hold the lock exclusively
 *         WINSHM_E_ACCESS      the handle is an observer
 *         WINSHM_E_UNSUPPORTED the region has no lock
 *         WINSHM_E_CORRUPT     the control block is damaged
 *
 * @threadsafety the thread that has locked; any thread with WINSHM_TASK.
 * @since 0.1
 */
WINSHM_API winshm_status WINSHM_CALL
winshm_make_consistent(winshm_region *region);

/* ---- Change ---- */

/**
 * Wake everybody who waits for a change.
 *
 * Raises the change counter and wakes the waiters; without waiters it costs one
 * atomic addition. Those who wake see everything that was written before.
 *
 * @param region the handle.
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_ACCESS      the handle is an observer
 *         WINSHM_E_UNSUPPORTED a raw region
 *         WINSHM_E_CORRUPT     the control block is damaged
 *
 * @threadsafety any thread.
 * @since 0.1
 */
WINSHM_API winshm_status WINSHM_CALL winshm_notify(winshm_region *region);

/**
 * Wait until the change counter differs from a value seen before.
 *
 * No change is missed: take the counter, look at the data, then wait with it.
 * Several changes may cause a single wake.
 *
 * @param region     the handle.
 * @param seen       the value that the caller has already dealt with.
 * @param timeout_ms how long to wait.
 * @param now        [out] the counter, which is seen after WINSHM_E_TIMEOUT;
 *                   may be NULL.
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_TIMEOUT     no change in time
 *         WINSHM_E_CLOSED      the handle was closed while waiting
 *         WINSHM_E_NOT_FOUND   an observer's region has ended
 *         WINSHM_E_UNSUPPORTED a raw region
 *         WINSHM_E_CORRUPT     the control block is damaged
 *
 * @threadsafety any thread; several may wait on one handle.
 * @since 0.1
 */
WINSHM_API winshm_status WINSHM_CALL winshm_wait(winshm_region *region,
                                                 uint32_t seen,
                                                 uint32_t timeout_ms,
                                                 uint32_t *now);

/**
 * Get the change counter, which winshm_notify(), winshm_write(),
 * winshm_copy_in(), winshm_load() and winshm_resize() raise.
 *
 * @param region the handle.
 * @param now    [out] the counter; it wraps around.
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_UNSUPPORTED a raw region
 *         WINSHM_E_NOT_FOUND   an observer's region has ended
 *         WINSHM_E_CORRUPT     the control block is damaged
 *
 * @threadsafety any thread.
 * @since 0.1
 */
WINSHM_API winshm_status WINSHM_CALL winshm_change_count(winshm_region *region,
                                                         uint32_t *now);

/**
 * Get a file descriptor for loops with poll(), epoll or an event loop.
 *
 * The descriptor becomes readable at each change from now on. Read 8 bytes from
 * it, which empties it, then look at winshm_change_count(): several changes may
 * cause a single signal. It never blocks, is closed on exec, and belongs to the
 * region's handle: do not close it, and do not use it after winshm_close(). A
 * thread of the library watches the region for it until then. An observer's
 * also becomes readable when its region has ended.
 *
 * @param region the handle.
 * @param fd     [out] the descriptor; always the same for one region handle. -1
 *               on failure.
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_UNSUPPORTED a raw region, or Windows: see
 *                              winshm_wait_handle()
 *         WINSHM_E_NO_MEMORY   no descriptor, thread or memory
 *         WINSHM_E_NOT_FOUND   an observer's region has ended
 *         WINSHM_E_CORRUPT     the control block is damaged
 *         WINSHM_E_SYSTEM      anything else
 *
 * @threadsafety any thread.
 * @platform Linux only.
 * @since 0.1
 */
WINSHM_API winshm_status WINSHM_CALL winshm_wait_fd(winshm_region *region,
                                                    int32_t *fd);

/**
 * Get a Windows event for loops with WaitForMultipleObjects().
 *
 * The event is auto-reset and is set at each change from now on. When it fires,
 * look at winshm_change_count(), since several changes may cause a single
 * signal. It belongs to the region's handle: do not close it, and do not wait
 * for it after winshm_close().
 *
 * @param region the handle.
 * @param handle [out] a HANDLE; always the same for one region handle.
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_ACCESS      the handle is an observer, or the system denies
 *                              it
 *         WINSHM_E_UNSUPPORTED a raw region, or not Windows: see
 *                              winshm_wait_fd()
 *         WINSHM_E_KIND, WINSHM_E_NO_MEMORY, WINSHM_E_SYSTEM
 *
 * @threadsafety any thread.
 * @platform Windows only.
 * @since 0.1
 */
WINSHM_API winshm_status WINSHM_CALL winshm_wait_handle(winshm_region *region,
                                                        void **handle);

/* ---- Hand over ---- */

/**
 * Get the name by which a region can be opened.
 *
 * @param region   the handle.
 * @param buffer   [out] room for capacity bytes; the name with a NUL, or "" if
 *                 there is not room enough. NULL if capacity is 0.
 * @param capacity bytes. 8 + WINSHM_NAME_MAX are always enough.
 * @param length   [out] bytes of the name without the NUL, also after
 *                 WINSHM_E_RANGE.
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_INVALID buffer or length is NULL
 *         WINSHM_E_RANGE   the name and its NUL have more than capacity bytes
 *
 * @threadsafety any thread.
 * @platform the name begins with "Global\" where that was asked for, and
 *           otherwise has no prefix. In another session of Windows only the
 *           former can be opened.
 * @since 0.1
 */
WINSHM_API winshm_status WINSHM_CALL winshm_get_name(winshm_region *region,
                                                     char *buffer,
                                                     uint32_t capacity,
                                                     uint32_t *length);

/**
 * Make a token, which leads another process to exactly this life of a region.
 *
 * A token is ASCII text without spaces, such as
 * winshm1:n:NAME:ID:SIZE:w:CHECKSUM, and can be passed on in an argument, the
 * environment, a pipe or a file. It is no permission: who imports it must be
 * allowed to open the region, and nothing in it is secret. Nor does it keep the
 * region alive.
 *
 * @param region   the handle.
 * @param access   0: what the handle has; WINSHM_READ: the token opens
 *                 read-only; WINSHM_WRITE with or without WINSHM_READ: it opens
 *                 for writing.
 * @param buffer   [out] room for capacity bytes; the token with a NUL, or "" if
 *                 there is not room enough. NULL if capacity is 0.
 * @param capacity bytes. WINSHM_TOKEN_MAX + 1 are always enough.
 * @param length   [out] bytes of the token without the NUL, also after
 *                 WINSHM_E_RANGE.
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_INVALID     buffer or length is NULL, an unknown access
 *         WINSHM_E_RANGE       the token and its NUL have more than capacity
 *                              bytes
 *         WINSHM_E_ACCESS      writing is asked for, and the handle is read-only
 *         WINSHM_E_UNSUPPORTED a raw region, whose lives cannot be told apart
 *         WINSHM_E_NOT_FOUND   an observer's region has ended
 *         WINSHM_E_CORRUPT     the control block is damaged
 *
 * @threadsafety any thread.
 * @since 0.1
 * @see winshm_import
 */
WINSHM_API winshm_status WINSHM_CALL winshm_export(winshm_region *region,
                                                   uint32_t access,
                                                   char *buffer,
                                                   uint32_t capacity,
                                                   uint32_t *length);

/**
 * Join the very region that a token was made of. Never creates anything.
 *
 * All that winshm_open() checks is checked here, too: a token that was made up
 * opens nothing that could not be opened by name.
 *
 * @param token      what winshm_export() has given. Read to its NUL, and no
 *                   further than WINSHM_TOKEN_MAX + 1 bytes.
 * @param flags      0, or WINSHM_READ for less than the token grants,
 *                   WINSHM_NO_MAP, WINSHM_TASK. See winshm_open().
 * @param timeout_ms how long to wait while another process is inside create or
 *                   open of the region; 0: 5 s. A region that has ended is not
 *                   waited for, since it cannot come back.
 * @param out        [out] the handle; free with winshm_close().
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_INVALID   token or out is NULL, an unknown flag
 *         WINSHM_E_TOKEN     the text is no token, was altered or cut short, or
 *                            does not fit the region that it names
 *         WINSHM_E_LAYOUT    a token, or a region, of an incompatible version
 *         WINSHM_E_NOT_FOUND the region has ended
 *         WINSHM_E_REPLACED  the region has ended, and another one has its name;
 *                            or its data file was removed from outside
 *         or a code of winshm_open() except WINSHM_E_NAME and
 *         WINSHM_E_NOT_MANAGED
 *
 * @threadsafety any thread.
 * @platform Windows: in another session a token opens only regions in Global\.
 * @since 0.1
 */
WINSHM_MUST_CHECK WINSHM_API winshm_status WINSHM_CALL
winshm_import(const char *token, uint32_t flags, uint32_t timeout_ms,
              winshm_region **out);

/**
 * Put a token into a file, which exists no longer than the handle.
 *
 * The file has a token for what the handle may do, and a newline. It appears
 * with all its contents, and replaces nothing but a stale link: a file that has
 * a token of a region that has ended. It is removed when the handle is closed,
 * unless something else has come in its place. Whatever is at path that is no
 * link file, be it a symbolic link, stays as it is. A crash leaves a stale link.
 *
 * A handle has one link at most. The file is made under the name of path with
 * ".winshm-link" appended, and renamed; should a process be killed meanwhile,
 * that file stays until the next call with this path.
 *
 * @param region the handle.
 * @param path   UTF-8, 1 to 4,000 bytes; relative to the working directory at
 *               the time of the call.
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_INVALID     path is NULL, empty, too long, or not UTF-8
 *         WINSHM_E_EXISTS      a link of a region that lives, or another sort of
 *                              file, is at path; or the handle has a link
 *         WINSHM_E_ACCESS      the system denies it; or the handle is an
 *                              observer, which does not keep its region alive
 *         WINSHM_E_UNSUPPORTED a raw region; or on Linux a file system that
 *                              cannot rename without replacing
 *         WINSHM_E_KIND        the name with ".winshm-link" is taken by
 *                              something that is no file
 *         WINSHM_E_TIMEOUT     for 5 s another process was making a link at
 *                              path, or was inside create or open of a region
 *                              whose link is there
 *         WINSHM_E_NO_MEMORY   no memory or descriptors
 *         WINSHM_E_TOO_MANY    no handle in this process, or no place in its
 *                              region, is free to find out whether the link at
 *                              path is stale
 *         WINSHM_E_SIZE        on Linux, this process may not even write so small
 *                              a file (RLIMIT_FSIZE)
 *         WINSHM_E_CORRUPT     the control block is damaged
 *         WINSHM_E_SYSTEM      anything else, such as a folder that does not
 *                              exist or a full disk
 *
 * @threadsafety any thread.
 * @platform Linux: an orderly end of the process removes the file, too, and a
 *           child of fork() never does. An open link takes a descriptor, and
 *           its file is found by way of /proc; without that it stays.
 *           Windows: an end of the process without winshm_close() leaves a
 *           stale link. Until then the link's folder cannot be renamed, and
 *           the file, removed by somebody else, may keep its name.
 * @since 0.1
 * @see winshm_open_link
 */
WINSHM_MUST_CHECK WINSHM_API winshm_status WINSHM_CALL
winshm_link(winshm_region *region, const char *path);

/**
 * Join the region that a link file leads to. Never creates anything.
 *
 * @param path       as for winshm_link(). A file that winshm_link() has made, or
 *                   that has a token and at most one newline.
 * @param flags      as for winshm_import().
 * @param timeout_ms limits all waiting in the call, also for a file to appear
 *                   that leads to a region which lives. 0 looks once, and gives
 *                   others who are inside create or open of the region 5 s.
 * @param out        [out] the handle; free with winshm_close().
 *
 * @return WINSHM_OK, or
 *         WINSHM_E_INVALID   path is NULL, empty, too long, or not UTF-8; out is
 *                            NULL, an unknown flag
 *         WINSHM_E_NOT_FOUND no such file or folder, or the region has ended
 *         WINSHM_E_KIND      not a plain file: a symbolic link, a folder
 *         WINSHM_E_TOKEN     a file with anything else in it
 *         WINSHM_E_ACCESS    the system denies it, for the file or the region
 *         WINSHM_E_SYSTEM    the file cannot be read
 *         or a code of winshm_import()
 *
 * @threadsafety any thread.
 * @since 0.1
 */
WINSHM_MUST_CHECK WINSHM_API winshm_status WINSHM_CALL
winshm_open_link(const char *path, uint32_t flags, uint32_t timeout_ms,
                 winshm_region **out);

#ifdef __cplusplus
}
#endif

/* Fields of a struct, for winshm_format_layout(); from C11 or C++11 on. */

#if defined(_MSVC_LANG) && _MSVC_LANG >= 201103L
#define WINSHM_CPP
#elif defined(__cplusplus) && __cplusplus >= 201103L
#define WINSHM_CPP
#elif !defined(__cplusplus) && defined(__STDC_VERSION__) &&                    \
    __STDC_VERSION__ >= 201112L
#define WINSHM_C11
#endif

/* The next two tell a member's kind and the count of its elements. What is no
 * number, bool or char, nor an array of these, does not compile: a pointer means
 * nothing to another process. */

#define WINSHM_LONG(eight, four) (sizeof(long) == 8 ? (eight) : (four))

#ifdef WINSHM_CPP

#include <stddef.h>

template <class T>
struct winshm_kind_of : winshm_kind_of<__underlying_type(T)> {}; /* an enum */
#define WINSHM_KIND_IS(T, kind)                                                \
    template <> struct winshm_kind_of<T> {                                     \
        static constexpr uint32_t value = kind;                                \
    };
WINSHM_KIND_IS(unsigned char, WINSHM_FIELD_U8)
WINSHM_KIND_IS(signed char, WINSHM_FIELD_I8)
WINSHM_KIND_IS(unsigned short, WINSHM_FIELD_U16)
WINSHM_KIND_IS(short, WINSHM_FIELD_I16)
WINSHM_KIND_IS(unsigned, WINSHM_FIELD_U32)
WINSHM_KIND_IS(int, WINSHM_FIELD_I32)
WINSHM_KIND_IS(unsigned long, WINSHM_LONG(WINSHM_FIELD_U64, WINSHM_FIELD_U32))
WINSHM_KIND_IS(long, WINSHM_LONG(WINSHM_FIELD_I64, WINSHM_FIELD_I32))
WINSHM_KIND_IS(unsigned long long, WINSHM_FIELD_U64)
WINSHM_KIND_IS(long long, WINSHM_FIELD_I64)
WINSHM_KIND_IS(float, WINSHM_FIELD_F32)
WINSHM_KIND_IS(double, WINSHM_FIELD_F64)
WINSHM_KIND_IS(bool, WINSHM_FIELD_BOOL)
WINSHM_KIND_IS(char, WINSHM_FIELD_CHAR)
WINSHM_KIND_IS(char16_t, WINSHM_FIELD_CHAR16)
#undef WINSHM_KIND_IS

template <class T> struct winshm_member : winshm_kind_of<T> {
    static constexpr uint64_t count = 0;
};
template <class T> struct winshm_member<volatile T> : winshm_member<T> {};
template <class T, size_t n> struct winshm_member<T[n]> : winshm_kind_of<T> {
    static constexpr uint64_t count = n;
};
template <class T, size_t n>
struct winshm_member<volatile T[n]> : winshm_member<T[n]> {};

template <class T> struct winshm_type {
    typedef T is; /* "struct point::x" is none without it. */
};

#define WINSHM_NO_FIELDS nullptr
#define WINSHM_MEMBER(type, member) winshm_type<type>::is::member
#define WINSHM_MEMBER_KIND(type, member)                                       \
    winshm_member<decltype(WINSHM_MEMBER(type, member))>::value
#define WINSHM_MEMBER_COUNT(type, member)                                      \
    winshm_member<decltype(WINSHM_MEMBER(type, member))>::count

#elif defined(WINSHM_C11)

#include <stddef.h>

/* Pointers to each type that a member can have, and to arrays of as many as
 * there is room for in it. */
#if defined(__STDC_NO_ATOMICS__)
#define WINSHM_ATOMIC_IS(T, n, one, many)
#else
#define WINSHM_ATOMIC_IS(T, n, one, many)                                      \
    , _Atomic(T) * : one, _Atomic(T)(*)[n] : many
#endif
#define WINSHM_TYPE_IS(T, n, one, many)                                        \
    T * : one, T(*)[n] : many, volatile T * : one,                             \
          volatile T(*)[n] : many WINSHM_ATOMIC_IS(T, n, one, many)
#define WINSHM_ROOM(m, T) ((sizeof(m) + sizeof(T) - 1) / sizeof(T))
#define WINSHM_KIND_IS(m, T, kind) WINSHM_TYPE_IS(T, WINSHM_ROOM(m, T), kind, kind)
#define WINSHM_COUNT_IS(m, T, kind)                                            \
    WINSHM_TYPE_IS(T, WINSHM_ROOM(m, T), 0, WINSHM_ROOM(m, T))
#define WINSHM_MEMBER_IS(m, IS)                                                \
    _Generic(&(m), IS(m, unsigned char, WINSHM_FIELD_U8),                      \
             IS(m, signed char, WINSHM_FIELD_I8),                              \
             IS(m, unsigned short, WINSHM_FIELD_U16),                          \
             IS(m, short, WINSHM_FIELD_I16),                                   \
             IS(m, unsigned, WINSHM_FIELD_U32),                                \
             IS(m, int, WINSHM_FIELD_I32),                                     \
             IS(m, unsigned long,                                              \
                WINSHM_LONG(WINSHM_FIELD_U64, WINSHM_FIELD_U32)),              \
             IS(m, long, WINSHM_LONG(WINSHM_FIELD_I64, WINSHM_FIELD_I32)),     \
             IS(m, unsigned long long, WINSHM_FIELD_U64),                      \
             IS(m, long long, WINSHM_FIELD_I64),                               \
             IS(m, float, WINSHM_FIELD_F32), IS(m, double, WINSHM_FIELD_F64),  \
             IS(m, _Bool, WINSHM_FIELD_BOOL),                                  \
             IS(m, char, WINSHM_FIELD_CHAR))

#define WINSHM_NO_FIELDS NULL
#define WINSHM_MEMBER(type, member) ((type *)0)->member
#define WINSHM_MEMBER_KIND(type, member)                                       \
    WINSHM_MEMBER_IS(WINSHM_MEMBER(type, member), WINSHM_KIND_IS)
#define WINSHM_MEMBER_COUNT(type, member)                                      \
    WINSHM_MEMBER_IS(WINSHM_MEMBER(type, member), WINSHM_COUNT_IS)

#endif

#if defined(WINSHM_CPP) || defined(WINSHM_C11)

/** A member of a struct: a number, bool or char, or an array of these with one
 * dimension. In C, char16_t is u16. */
#define WINSHM_FIELD(type, member)                                             \
    {                                                                          \
        #member, WINSHM_NO_FIELDS, offsetof(type, member),                     \
            WINSHM_MEMBER_COUNT(type, member), 0, 0,                           \
            WINSHM_MEMBER_KIND(type, member)                                   \
    }
/** A member that is a struct, whose fields are in table, an array. */
#define WINSHM_NESTED(type, member, table)                                     \
    {                                                                          \
        #member, table, offsetof(type, member), 0,                             \
            sizeof(WINSHM_MEMBER(type, member)),                               \
            sizeof(table) / sizeof((table)[0]), WINSHM_FIELD_STRUCT            \
    }
/** A member that is an array of such structs. */
#define WINSHM_NESTED_ARRAY(type, member, table)                               \
    {                                                                          \
        #member, table, offsetof(type, member),                                \
            sizeof(WINSHM_MEMBER(type, member)) /                              \
                sizeof(WINSHM_MEMBER(type, member)[0]),                        \
            sizeof(WINSHM_MEMBER(type, member)[0]),                            \
            sizeof(table) / sizeof((table)[0]), WINSHM_FIELD_STRUCT            \
    }

#endif

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

#endif /* RC_INVOKED */
#endif /* WINSHM_H */
