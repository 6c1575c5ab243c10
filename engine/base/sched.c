/* See sched.h. */
#include "base/sched.h"

#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/syscall.h>
#endif

enum { NICENESS = 10, TURN_NS = 700000 /* a frame fits into it */, KEEP_POLICY = 8 };

void sched_step_aside(void)
{
	/* of this thread alone, on Linux; below the first one, which may be under nice(1) itself and is never stepped before */
	(void) setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, (id_t) getpid()) + NICENESS);
}

void sched_be_prompt(bool is_prompt)
{
#ifdef SYS_sched_setattr
	/* the kernel's struct sched_attr, first version; the C library has it only since 2.41 */
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime_ns, deadline_ns, period_ns;
	} attr = { .size = sizeof attr, .flags = KEEP_POLICY, .nice = getpriority(PRIO_PROCESS, 0), .runtime_ns = is_prompt ? TURN_NS : 0 };
	(void) syscall(SYS_sched_setattr, 0, &attr, 0);
#else
	(void) is_prompt;
#endif
}
