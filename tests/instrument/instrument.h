/* What stands between the library and everything that others can see of it:
 * each call to the operating system, each atomic store, and each copy.
 *
 * The library's sources are compiled once more with this header in front of
 * them (see CMakeLists.txt here). Each place that calls or stores is then a
 * site, known to the program even if it is never reached, and says so to the
 * program's hook before anything happens. What happens between two sites
 * nobody else can see, so "after a site" is "before the next one". */
#ifndef INSTRUMENT_H
#define INSTRUMENT_H

/* As the sources say themselves, but too late for the headers below. */
#if defined(INSTRUMENT_SOURCES) && !defined(_WIN32)
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#endif

#include <stddef.h>
#include <stdint.h>

enum instrument_kind { INSTRUMENT_CALL, INSTRUMENT_STORE };

struct instrument_site {
    enum instrument_kind kind;
    int line;
    const char *file;     /* from src on */
    const char *name;     /* the function called, or the object stored to */
    const int32_t *codes; /* how the call may be refused; ends with 0 */
    /* An inline function of a header is in many objects: the first of them
     * stands for all. */
    struct instrument_site *first;
    uint32_t index; /* in instrument_sites() */
};

/**
 * Called before a site does its work, by any thread.
 *
 * @param address what is stored to; NULL for a call.
 * @return 0, or the code with which the call shall be refused: it is not made,
 *         and its caller sees what it would see if the system had refused.
 *         Ignored for stores, and for calls without codes.
 */
typedef int32_t instrument_hook(struct instrument_site *site,
                                const volatile void *address);

/** Set the hook; NULL: none, as at first. Other threads may still be in the
 * one before. */
void instrument_set_hook(instrument_hook *hook);

/** All sites, sorted by file and line. */
struct instrument_site *const *instrument_sites(uint32_t *count);

/** Called by the sites. @return the code of a refusal, which is the thread's
 * last error then. */
int32_t instrument_call(struct instrument_site *site);
void instrument_store(struct instrument_site *site,
                      const volatile void *address);

void *instrument_copy(struct instrument_site *whole,
                      struct instrument_site *half, void *to, const void *from,
                      size_t length);

/** Ends the process at once, as _Exit() does, but with its counts of what has
 * run, if there are any. */
_Noreturn void instrument_exit(int status);

#define INSTRUMENT_LIST(...) __VA_ARGS__

/** A site, for enumeration by its pointer in a section of its own: of structs
 * nobody knows how far the linker lays them apart. */
#define INSTRUMENT_SITE(kind, name, codes)                                     \
    __extension__({                                                            \
        static const int32_t codes_[] = {INSTRUMENT_LIST codes};               \
        static struct instrument_site site_ = {                                \
            kind, __LINE__, __FILE__, name, codes_, 0, 0};                     \
        static struct instrument_site *const place_                            \
            __attribute__((section("instrument"), used)) = &site_;             \
        (void)place_;                                                          \
        &site_;                                                                \
    })

/** What stands in for a function that can be refused: a function as well, so
 * that the caller's line has no more branches than without. @param value what
 * it returns then; `refusal` is the code. */
#define INSTRUMENT_STAND_IN(type, function, value, parameters, arguments)      \
    static inline type instrument_##function(struct instrument_site *site,     \
                                             INSTRUMENT_LIST parameters)       \
    {                                                                          \
        int32_t refusal = instrument_call(site);                               \
        return refusal != 0 ? (value) : function(INSTRUMENT_LIST arguments);   \
    }

/** A call of it, and the codes with which it can fail. */
#define INSTRUMENT_FAILS(function, codes, ...)                                 \
    instrument_##function(INSTRUMENT_SITE(INSTRUMENT_CALL, #function, codes),  \
                          __VA_ARGS__)

/** A call that cannot fail as it is used here. */
#define INSTRUMENT_SURE(function, ...)                                         \
    ((void)instrument_call(INSTRUMENT_SITE(INSTRUMENT_CALL, #function, (0))),  \
     function(__VA_ARGS__))

#ifdef INSTRUMENT_SOURCES

#ifdef _WIN32
#include "instrument_win32.h"
#else
#include "instrument_posix.h"
#endif

/* Stores. The compiler's own operations are what <stdatomic.h> is made of. */

#include <stdatomic.h>

#ifdef __clang__
#define INSTRUMENT_DO(operation) __c11_atomic_##operation
#define INSTRUMENT_DO_N(operation) __c11_atomic_##operation
#define INSTRUMENT_DO_EXCHANGE(object, expected, desired, order)               \
    __c11_atomic_compare_exchange_strong(object, expected, desired, order,     \
                                         order)
#else
#define INSTRUMENT_DO(operation) __atomic_##operation
#define INSTRUMENT_DO_N(operation) __atomic_##operation##_n
#define INSTRUMENT_DO_EXCHANGE(object, expected, desired, order)               \
    __atomic_compare_exchange_n(object, expected, desired, 0, order, order)
#endif

/** Announces a store. @return the object. */
#define INSTRUMENT_AT(object)                                                  \
    __extension__({                                                            \
        __auto_type object_ = (object);                                        \
        instrument_store(INSTRUMENT_SITE(INSTRUMENT_STORE, #object, (0)),      \
                         object_);                                             \
        object_;                                                               \
    })

/** A copy is made in two halves, so that it can also be met half done. */
#define memcpy(to, from, length)                                               \
    instrument_copy(INSTRUMENT_SITE(INSTRUMENT_STORE, "memcpy", (0)),          \
                    INSTRUMENT_SITE(INSTRUMENT_STORE, "memcpy half", (0)), to, \
                    from, length)

#undef atomic_store
#undef atomic_store_explicit
#undef atomic_exchange
#undef atomic_exchange_explicit
#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak
#undef atomic_compare_exchange_weak_explicit
#undef atomic_fetch_add
#undef atomic_fetch_add_explicit
#undef atomic_fetch_sub
#undef atomic_fetch_sub_explicit
#undef atomic_fetch_or
#undef atomic_fetch_or_explicit
#undef atomic_fetch_and
#undef atomic_fetch_and_explicit
#undef atomic_fetch_xor
#undef atomic_fetch_xor_explicit
#undef atomic_flag_test_and_set
#undef atomic_flag_clear

/* Those that are missing here would stop the build, should they be used. */
#define atomic_store_explicit(object, value, order)                            \
    INSTRUMENT_DO_N(store)(INSTRUMENT_AT(object), value, order)
#define atomic_exchange_explicit(object, value, order)                         \
    INSTRUMENT_DO_N(exchange)(INSTRUMENT_AT(object), value, order)
#define atomic_fetch_add_explicit(object, value, order)                        \
    INSTRUMENT_DO(fetch_add)(INSTRUMENT_AT(object), value, order)
#define atomic_fetch_sub_explicit(object, value, order)                        \
    INSTRUMENT_DO(fetch_sub)(INSTRUMENT_AT(object), value, order)
#define atomic_fetch_or_explicit(object, value, order)                         \
    INSTRUMENT_DO(fetch_or)(INSTRUMENT_AT(object), value, order)

#define atomic_store(object, value)                                            \
    atomic_store_explicit(object, value, memory_order_seq_cst)
#define atomic_exchange(object, value)                                         \
    atomic_exchange_explicit(object, value, memory_order_seq_cst)
#define atomic_fetch_add(object, value)                                        \
    atomic_fetch_add_explicit(object, value, memory_order_seq_cst)
#define atomic_fetch_sub(object, value)                                        \
    atomic_fetch_sub_explicit(object, value, memory_order_seq_cst)
#define atomic_fetch_or(object, value)                                         \
    atomic_fetch_or_explicit(object, value, memory_order_seq_cst)
#define atomic_compare_exchange_strong(object, expected, desired)              \
    INSTRUMENT_DO_EXCHANGE(INSTRUMENT_AT(object), expected, desired,           \
                           memory_order_seq_cst)

#endif
#endif
