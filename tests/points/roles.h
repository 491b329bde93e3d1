/* What the files of victims share. Each victim is a process of its own. A part
 * counts its points from role_arm() on: what comes before belongs to another
 * part. */
#ifndef ROLES_H
#define ROLES_H

#include "points.h"

struct part {
    const char *name;
    void (*run)(void);
};

/** Each ends with a NULL name. */
extern const struct part parts_of_life[];
extern const struct part parts_of_lock[];
extern const struct part parts_of_change[];
extern const struct part parts_of_save[];

extern const char *role_region;
extern struct board *role_board;

void role_arm(void);
winshm_region *role_joined(void);
/** Joins while the world is in order, and waits until it is not. */
winshm_region *role_joined_early(void);

#endif
