/* How urgent a thread is beside the others of this machine. What the system refuses is left as it was: these are wishes. */
#ifndef MAESTRO_BASE_SCHED_H
#define MAESTRO_BASE_SCHED_H

#include <stdbool.h>

/* The calling thread computes, and lets every other go first. Threads that it starts do the same. */
void sched_step_aside(void);
/* The calling thread mostly waits and is to run at once when it wakes: it asks for short turns, which Linux (6.12 and later) gives
 * before the long ones of others; false: no longer. Threads and processes that it starts in between do the same. */
void sched_be_prompt(bool is_prompt);

#endif
