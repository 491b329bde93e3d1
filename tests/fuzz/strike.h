/* Put before the files of the library that know the block: the attacker may
 * strike before each load, so that a word which is checked in one load and used
 * from another is found at once and not by luck. */
#ifndef STRIKE_H
#define STRIKE_H

#include <stdatomic.h>
#include <stdint.h>

extern uint32_t bench_pending;
void bench_strike(const volatile void *from);

#define STRIKE(from) (bench_pending != 0 ? bench_strike(from) : (void)0)

#undef atomic_load
#undef atomic_load_explicit
#define atomic_load(from)                                                      \
    (STRIKE(from), __c11_atomic_load(from, __ATOMIC_SEQ_CST))
#define atomic_load_explicit(from, order)                                      \
    (STRIKE(from), __c11_atomic_load(from, order))

#endif
