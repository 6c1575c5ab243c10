/* See train_child.h. A thread a child: it starts it, reads its lines to the end, and waits for it. */
#include "cmd/train_child.h"

#include "base/json.h"
#include "base/mem.h"
#include "cmd/session.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { SIDE_BY_SIDE_MAX = 64 };

typedef struct Crew {
	TrainChild *child;
	size_t n, next;
	pid_t pid[SIDE_BY_SIDE_MAX]; /* 0: none runs */
	pthread_mutex_t lock;
	TrainChildLine *on_line;
	void *arg;
	bool is_stopping;
	int64_t n_left;              /* workers */
	int wake[2];                 /* a byte when the last worker ends */
} Crew;

typedef struct Worker {
	Crew *crew;
	size_t slot;
	pthread_t thread;
} Worker;

static void add(TrainChild *child, const char *word)
{
	if (child->n_args < CHILD_ARGS)
		child->arg[child->n_args++] = word;
	else
		child->is_cut = true;
}

void train_child_add(TrainChild *child, const char *option, const char *value)
{
	add(child, option);
	if (value)
		add(child, value);
}

void train_child_copy(TrainChild *child, int argc, char **argv, const char *const *without)
{
	for (int i = 1; i < argc; i++) {
		bool is_left_out = false;
		for (size_t k = 0; without[k] && !is_left_out; k++) {
			size_t len = strlen(without[k]);
			is_left_out = !strncmp(argv[i], without[k], len) && (argv[i][len] == '=' || !argv[i][len]);
			i += is_left_out && !argv[i][len]; /* its value is the next word */
		}
		if (!is_left_out)
			add(child, argv[i]);
	}
}

int train_children_check(const TrainChild *child, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (child[i].is_cut) {
			(void) fprintf(stderr, "maestro: train: a training's command line has at most %d words, and this one has more; put options "
			               "into a file (maestro config)\n", CHILD_ARGS);
			return ERR_USAGE;
		}
	return 0;
}

size_t train_cores(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	return cores < 1 ? 1 : cores > SIDE_BY_SIDE_MAX ? SIDE_BY_SIDE_MAX : (size_t) cores;
}

/* ---- one child ---- */

void train_child_note_reward(TrainChild *child, double mean_reward)
{
	child->mean_reward = mean_reward;
	child->best_reward = isnan(child->best_reward) ? mean_reward : fmax(child->best_reward, mean_reward);
}

void train_child_note(TrainChild *child, const char *line)
{
	Json *root = NULL;
	double reward;
	if (json_parse(line, strlen(line), &root, NULL))
		return;
	const char *event = json_string(json_get(root, "event"));
	if (event && !strcmp(event, "start"))
		child->run = json_int_or(root, "run", 0);
	if (event && !strcmp(event, "eval") && json_number(json_get(root, "mean_reward"), &reward))
		train_child_note_reward(child, reward);
	if (event && !strcmp(event, "end")) {
		child->steps = json_int_or(root, "steps", 0);
		const char *best = json_string(json_get(root, "best_model"));
		str_copy(child->model, sizeof child->model, json_string_or(root, "model", ""));
		if (best)
			str_copy(child->best_model, sizeof child->best_model, best);
	}
	json_free(root);
}

static int start(const TrainChild *child, pid_t *ret_pid, FILE **ret_lines)
{
	char *argv[CHILD_ARGS + 6] = { (char *) "maestro", (char *) "train" };
	size_t n = 2;
	for (size_t i = 0; i < child->n_args; i++)
		argv[n++] = (char *) (uintptr_t) child->arg[i];
	argv[n++] = (char *) "--json";
	int ends[2];
	if (pipe(ends))
		return ERR_IO;
	posix_spawn_file_actions_t files;
	(void) posix_spawn_file_actions_init(&files);
	(void) posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
	(void) posix_spawn_file_actions_addclose(&files, ends[0]);
	(void) posix_spawn_file_actions_addclose(&files, ends[1]);
	int code = posix_spawn(ret_pid, "/proc/self/exe", &files, NULL, argv, environ) ? ERR_FAILED : 0;
	(void) posix_spawn_file_actions_destroy(&files);
	(void) close(ends[1]);
	*ret_lines = code ? NULL : fdopen(ends[0], "r");
	if (!*ret_lines)
		(void) close(ends[0]);
	return code;
}

static void run_child(Crew *crew, size_t slot, size_t i)
{
	TrainChild *child = &crew->child[i];
	FILE *lines = NULL;
	pid_t pid = 0;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	(void) pthread_mutex_lock(&crew->lock);
	int code = start(child, &pid, &lines); /* under the lock: no other child inherits the pipe */
	crew->pid[slot] = code ? 0 : pid;
	(void) pthread_mutex_unlock(&crew->lock);
	if (code)
		return;
	while (lines && (len = getline(&line, &size, lines)) > 0) {
		line[len - (line[len - 1] == '\n')] = '\0';
		(void) pthread_mutex_lock(&crew->lock);
		train_child_note(child, line);
		if (crew->on_line)
			crew->on_line(crew->arg, i, line);
		(void) pthread_mutex_unlock(&crew->lock);
	}
	int status = 0;
	(void) waitpid(pid, &status, 0);
	child->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	(void) pthread_mutex_lock(&crew->lock);
	crew->pid[slot] = 0;
	(void) pthread_mutex_unlock(&crew->lock);
	free(line);
	if (lines)
		(void) fclose(lines);
}

static void *work(void *arg)
{
	Worker *worker = arg;
	Crew *crew = worker->crew;
	for (;;) {
		(void) pthread_mutex_lock(&crew->lock);
		size_t i = crew->is_stopping ? crew->n : crew->next;
		crew->next += i < crew->n;
		bool is_last = i >= crew->n && --crew->n_left == 0;
		(void) pthread_mutex_unlock(&crew->lock);
		if (is_last && write(crew->wake[1], "", 1) < 0)
			return NULL;
		if (i >= crew->n)
			return NULL;
		run_child(crew, worker->slot, i);
	}
}

/* ---- all of them ---- */

static void stop_all(Crew *crew, int number)
{
	(void) pthread_mutex_lock(&crew->lock);
	crew->is_stopping = true;
	for (size_t s = 0; s < SIDE_BY_SIDE_MAX; s++)
		if (crew->pid[s] > 0)
			(void) kill(crew->pid[s], number);
	(void) pthread_mutex_unlock(&crew->lock);
}

int train_children_status(const TrainChild *child, size_t n)
{
	int worst = 0;
	for (size_t i = 0; i < n; i++)
		worst = child[i].status > worst ? child[i].status : child[i].status < 0 && !worst ? 1 : worst;
	return worst;
}

int train_children(TrainChild *child, size_t n, size_t side_by_side, TrainChildLine *on_line, void *arg)
{
	Crew crew = { .child = child, .n = n, .on_line = on_line, .arg = arg };
	Worker worker[SIDE_BY_SIDE_MAX];
	size_t hands = side_by_side < n ? side_by_side : n, started = 0;
	hands = hands > SIDE_BY_SIDE_MAX ? SIDE_BY_SIDE_MAX : hands;
	if (train_children_check(child, n))
		return err_exit_status(ERR_USAGE);
	for (size_t i = 0; i < n; i++) {
		child[i].mean_reward = child[i].best_reward = NAN;
		child[i].status = -1;
	}
	if (pipe(crew.wake))
		return err_exit_status(ERR_IO);
	(void) pthread_mutex_init(&crew.lock, NULL);
	crew.n_left = (int64_t) hands;
	for (; started < hands; started++) {
		worker[started] = (Worker) { .crew = &crew, .slot = started };
		if (pthread_create(&worker[started].thread, NULL, work, &worker[started]))
			break;
	}
	(void) pthread_mutex_lock(&crew.lock);
	crew.n_left -= (int64_t) (hands - started); /* those that could not be had */
	bool has_any = crew.n_left > 0;
	(void) pthread_mutex_unlock(&crew.lock);
	int number = has_any ? session_wait_fd(crew.wake[0]) : 0;
	if (number)
		stop_all(&crew, number);
	for (size_t i = 0; i < started; i++)
		(void) pthread_join(worker[i].thread, NULL);
	(void) pthread_mutex_destroy(&crew.lock);
	(void) close(crew.wake[0]);
	(void) close(crew.wake[1]);
	return number ? 128 + number : train_children_status(child, n);
}
