/* The real program as a process that works on a FakeCluster until it ends or is ended, its words in a log. */
#ifndef MAESTRO_TESTS_LIVE_PROCESS_H
#define MAESTRO_TESTS_LIVE_PROCESS_H

#include "tests/fakes/fake_cluster.h"

#include <sys/types.h>

typedef struct LiveProcess {
	FakeCluster cluster;
	char dir[64];                        /* its own; the store is in it */
	char db[96], log[96], program[512];
	pid_t pid;
} LiveProcess;

void live_process_init(LiveProcess *process);
/* Removes the folder. */
void live_process_done(LiveProcess *process);

/* args: without the program's name, NULL at the end; --kubeconfig, --prometheus and --db are added. Its output goes on in the log. */
void live_process_start(LiveProcess *process, const char *const *args);
/* Waits for its end. The exit status, 128 + n where signal n ended it. */
int live_process_ended(LiveProcess *process);
/* Whether text comes into the log within half a minute; prints the log where it does not. */
bool live_process_says(LiveProcess *process, const char *text);

#endif
