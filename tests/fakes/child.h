/* The real program as a child: a server that says on stderr where it listens. */
#ifndef MAESTRO_TESTS_FAKES_CHILD_H
#define MAESTRO_TESTS_FAKES_CHILD_H

#include <sys/types.h>

typedef struct Child {
	pid_t pid;
	int port;
	int err_fd;       /* its stderr */
	char heard[4096]; /* of it, what no wait has passed yet; the oldest goes where it is more */
} Child;

/* Runs $MAESTRO_TEST_BUILD/maestro with args (NULL at the end, without the program's name) and waits for "listening on HOST:PORT".
 * Aborts the test program when that does not come. */
Child child_start(const char *const *args);
/* Sends a signal and answers the exit status (128 + n where n ended it); SIGKILL after 10 s. */
int child_end(Child *child, int number);
/* Waits until a line with text is on its stderr: one since the line of the last wait, be it from before it listened. Aborts with what
 * it said instead when it is silent for 10 s. */
void child_wait_log(Child *child, const char *text);

#endif
