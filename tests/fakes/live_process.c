/* See live_process.h. */
#include "live_process.h"

#include "base/mem.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS = 48, WAIT_MS = 30000, LOOK_MS = 20 };

void live_process_init(LiveProcess *process)
{
	const char *build = getenv("MAESTRO_TEST_BUILD");
	*process = (LiveProcess) { .dir = "/tmp/maestro-live-XXXXXX" };
	if (!mkdtemp(process->dir))
		abort();
	(void) snprintf(process->db, sizeof process->db, "%s/maestro.db", process->dir);
	(void) snprintf(process->log, sizeof process->log, "%s/log", process->dir);
	(void) snprintf(process->program, sizeof process->program, "%s/maestro", build ? build : "build");
	fake_cluster_start(&process->cluster);
}

void live_process_done(LiveProcess *process)
{
	char command[96];
	fake_cluster_stop(&process->cluster);
	(void) snprintf(command, sizeof command, "rm -r %s", process->dir);
	if (system(command))
		abort();
}

void live_process_start(LiveProcess *process, const char *const *args)
{
	const char *argv[ARGS] = { process->program };
	size_t n = 1;
	for (; *args && n + 7 < ARGS; args++)
		argv[n++] = *args;
	const char *const own[] = { "--kubeconfig", process->cluster.kubeconfig, "--prometheus", fake_cluster_url(&process->cluster), "--db", process->db };
	memcpy(argv + n, own, sizeof own);
	process->pid = fork();
	if (process->pid < 0)
		abort();
	if (process->pid)
		return;
	(void) prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing behind */
	int fd = open(process->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	(void) dup2(fd, 1);
	(void) dup2(fd, 2);
	(void) execv(process->program, (char *const *) (uintptr_t) argv);
	_exit(127);
}

int live_process_ended(LiveProcess *process)
{
	int status;
	if (waitpid(process->pid, &status, 0) != process->pid)
		abort();
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool live_process_says(LiveProcess *process, const char *text)
{
	StrBuf log = { 0 };
	bool is_there = false;
	for (int ms = 0; ms < WAIT_MS && !is_there; ms += LOOK_MS) {
		(void) usleep(LOOK_MS * 1000);
		strbuf_clear(&log);
		is_there = !mem_read_file(process->log, 1 << 20, &log, NULL) && log.data && strstr(log.data, text);
	}
	if (!is_there)
		(void) fprintf(stderr, "no \"%s\" in: %s\n", text, log.data ? log.data : "");
	strbuf_done(&log);
	return is_there;
}
