/* The questions and the roles, for the table of each. */
#ifndef SMOKE_QUESTIONS_H
#define SMOKE_QUESTIONS_H

#include "smoke.h"

/* machine.c */
void ask_system(struct answer *answer);
void ask_session(struct answer *answer);
void ask_shadow_stack(struct answer *answer);
void ask_name_spaces(struct answer *answer);
void ask_letters(struct answer *answer);
void ask_presence(struct answer *answer);

/* faults.c */
void ask_fault(struct answer *answer);
void ask_fault_strict(struct answer *answer);
void ask_fault_dotnet(struct answer *answer);
int role_touch(const char *argument, uint32_t number);

/* deaths.c */
void ask_killed(struct answer *answer);
void ask_crashed(struct answer *answer);
void ask_other_user(struct answer *answer);
int role_holds(const char *name, uint32_t how);

/* users.c */
void ask_elevated_first(struct answer *answer);
void ask_plain_first(struct answer *answer);
void ask_privilege(struct answer *answer);
void ask_service_observed(struct answer *answer);
void ask_service_locked(struct answer *answer);
int role_keeps(const char *name, uint32_t how);
int role_joins(const char *name, uint32_t how);
int role_creates(const char *name, uint32_t how);

/* times.c */
void ask_wait_1(struct answer *answer);
void ask_wait_10(struct answer *answer);

/* ends.c */
void ask_unloaded(struct answer *answer);
void ask_exit(struct answer *answer);
void ask_destructor(struct answer *answer);
int role_unloads(const char *module, uint32_t number);
int role_exits(const char *name, uint32_t number);
int role_destroys(const char *module, uint32_t number);

/* torture.c */
void ask_torture(struct answer *answer);
int role_tortures(const char *name, uint32_t number);

#endif
