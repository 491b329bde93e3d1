/* Kill points: what victims, the scenes around them and the driver share.
 *
 * A point is a place in the library where it calls the operating system or is
 * about to store to shared memory. A victim is a process that plays one part
 * and ends, without any last words, when it passes its point for the n-th
 * time; or it stops there and is killed from outside, or goes on after a while.
 * What a victim says of itself stands on the board, a plain block of shared
 * memory that the library under test has no part in. */
#ifndef POINTS_H
#define POINTS_H

#include <stddef.h>

#include "check.h"
#include "child.h"
#include "plain.h"

enum {
    POINTS_MAX = 1024,
    BLOCK = 4096,
    STEP = 5000,        /* by so much a victim makes the region larger, */
    CAPACITY = 1 << 20, /* which it can be up to this */
    LIMIT_MS = 5000, /* what takes longer after a death hangs */
    NAME_BYTES = 48
};

/** The region under test. But for an exclusive section, first is equal to
 * second, and so are the bytes of the block. */
struct data {
    volatile uint64_t first;
    volatile uint64_t second;
    volatile uint64_t done; /* the victim's updates */
    volatile uint64_t others;
    volatile unsigned char block[BLOCK];
};

/** What its creator says that the bytes are. */
#define ROLE_LAYOUT "both:{first:u64@0; second:u64@8; size 16}@0; size 16"

/** What the victim is doing, as it sees it. */
enum state {
    OUTSIDE,
    TAKING,
    INSIDE, /* an exclusive section */
    RELEASING,
    WRITING,
    READING /* inside a shared section */
};

/** Points of the victims themselves, beside those of the library. */
enum mark {
    MARK_JOINED,
    MARK_LOCKED,
    MARK_HALF,
    MARK_WHOLE,
    MARK_READING,
    MARK_END,
    MARKS
};

/** What happens to a victim at its point. */
enum fate {
    DIES,
    STOPS,   /* and is killed from outside */
    RESUMES, /* is only slow: others come and go, then it goes on */
    FATES
};

struct board {
    /* The plan. */
    uint32_t target; /* point + 1; 0: only count */
    uint32_t passing;
    uint32_t fate; /* what happens there: enum fate */
    /* What the victim says. */
    volatile uint32_t fired;
    volatile uint32_t state;
    volatile uint32_t written;  /* winshm_write() calls that returned */
    volatile uint32_t notified; /* notifications that returned */
    volatile uint32_t repaired; /* what another had left torn */
    volatile uint64_t acknowledged;
    volatile uint64_t grown; /* by winshm_resize() calls that returned */
    _Atomic uint32_t passed[POINTS_MAX];
    volatile uint8_t hidden[POINTS_MAX]; /* stores that nobody else can see */
};

/* points.c: the points, and what happens there. */

uint32_t points_count(void);
/** As in "lock.c:123:&lock->word"; overwritten by the next call. */
const char *point_text(uint32_t point);
/** Ask, once, for a point that has not fired. @return true if that is
 * explained. */
bool point_excused(uint32_t point);
/** In a victim: what it passes from here on, or until here, counts. */
void points_arm(struct board *board);
void points_disarm(void);
void points_mark(enum mark mark);

/** In the driver: the lock's words. @return false if it has no region open. */
bool words_read(uint32_t *word, uint32_t *version);

/* roles.c: what runs in a child. */

struct child role_start(const char *part, const char *name);
void role_part(const char *name, uint32_t number);
bool data_whole(const struct data *data);
/** Makes the invariant true again. */
void data_repair(struct data *data);

/** Where victims save the region. */
const char *points_file(const char *region);

/* scenes.c: what surrounds a victim. */

enum errand { ERRAND_EXCLUSIVE, ERRAND_WAIT, ERRAND_OPEN };

/** Another participant, which does one thing in a thread of its own. */
struct actor {
    struct scene *scene;
    winshm_region *h;
    enum errand errand;
    uint32_t seen;
    struct thread thread;
    bool sent;
    volatile uint32_t ended;
};

struct scene {
    const char *name;
    const struct script *script;
    struct board *board;
    winshm_region *keeper; /* a participant that stays */
    struct actor actor;
    struct child victim;
    int heard;   /* from the victim: -2 nothing yet, -1 dead, 's' stopped */
    bool joined; /* and it is ready for what it has to wait for */
    struct child prop;
    bool prop_lives;
    bool torn;          /* the prop died in its section */
    struct plain plain; /* a block of a program without winshm */
    intptr_t obstacle;
    uint32_t told; /* how often OWNER_DEAD was returned to us */
    bool exact;    /* it is known how often it has to be: */
    uint32_t cut_off;
    uint32_t sections; /* of ours, that returned */
};

/** Traits of a script. */
enum {
    ALONE = 1,      /* nobody else is in the region */
    LINUX_ONLY = 2, /* nothing like it on Windows */
    WINDOWS_ONLY = 4,
    OUTSIDER = 8,    /* a program without winshm holds the data */
    NEIGHBOURS = 16, /* other names are meant, too */
    RAW = 32,
    READ_ONLY = 64, /* others may not write */
    FORKS = 128,    /* a stopped child of it could not be killed from outside */
    MEMBER = 256,   /* a participant all the time, which needs nobody else */
    GROWS = 512,    /* the region can */
    SAVES = 1024    /* there is a file */
};

struct script {
    const char *name;
    const char *part;
    void (*before)(struct scene *s); /* may be NULL */
    void (*during)(struct scene *s); /* may be NULL */
    uint32_t traits;
};

/** Ends with a NULL name. */
extern const struct script scripts[];

/** Lets all enter the stage, the victim last; returns when it is dead.
 * @return its exit code; -1 if it was killed. */
int scene_play(struct scene *s);

/* oracle.c */

/** Takes the lock exclusively, mends what it has to, releases it. */
void scene_section(struct scene *s, winshm_region *h);

/** Judges what the victim has left behind, and clears the stage. */
void oracle(struct scene *s);

#endif
