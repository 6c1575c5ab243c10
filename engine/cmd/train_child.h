/*
 * Trainings side by side, each a `maestro train` process of its own: what one of them does to itself, the others do not feel, and each
 * is a run of the store that can be looked at, stopped and resumed alone.
 */
#ifndef MAESTRO_CMD_TRAIN_CHILD_H
#define MAESTRO_CMD_TRAIN_CHILD_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CHILD_ARGS = 1024 };

typedef struct TrainChild {
	const char *arg[CHILD_ARGS]; /* of `maestro train`; strings stay the caller's */
	size_t n_args;
	bool is_cut;                 /* there were more than that: it is not started */
	/* filled in by train_children */
	int64_t run, steps;
	double mean_reward;          /* of its last evaluation; NAN: none */
	double best_reward;
	char best_model[512];        /* "" without an evaluation */
	char model[512];
	int status;                  /* exit status; -1: was not started */
} TrainChild;

/* Adds an option and its value; value NULL: a flag. */
void train_child_add(TrainChild *child, const char *option, const char *value);
/* The words of argv[1..] but for the options named in `without` (NULL-terminated, each with a value). */
void train_child_copy(TrainChild *child, int argc, char **argv, const char *const *without);

/* Takes over what a line of a child says. */
void train_child_note(TrainChild *child, const char *line);

/* The mean reward of a further evaluation. */
void train_child_note_reward(TrainChild *child, double mean_reward);

/* On the thread that reads the child. line: without its newline. */
typedef void TrainChildLine(void *arg, size_t i, const char *line);

/*
 * Runs n children with --json, at most `side_by_side` at once, and hands out their lines one at a time. Waits for all; a
 * signal that ends this process ends them too (each leaves a checkpoint). The worst exit status; > 128: by that signal.
 */
int train_children(TrainChild *child, size_t n, size_t side_by_side, TrainChildLine *on_line, void *arg);

/* Says on stderr that a child has more words than fit: ERR_USAGE. A child that has is not to be started. */
int train_children_check(const TrainChild *child, size_t n);

/* The worst exit status of them. */
int train_children_status(const TrainChild *child, size_t n);

/* How many trainings this machine runs at once, and the threads that leaves each of n. */
size_t train_cores(void);

#endif
