/* Trainings as the pods of an Indexed Job, in place of processes of this machine: the same children, another place. */
#ifndef MAESTRO_CMD_TRAIN_JOB_H
#define MAESTRO_CMD_TRAIN_JOB_H

#include "cmd/train_child.h"
#include "cmd/train_opts.h"

/* The words of the command line, and of the environment what is a setting: a pod has another environment. As opts_with_environment. */
char **train_job_argv(int argc, char **argv, int *ret_argc);

/* The words of the command line that are this process's alone, besides `without`; as train_child_copy. */
void train_job_copy(TrainChild *child, int argc, char **argv, const char *const *without);

/* ERR_USAGE (said on stderr) for an --on that is none, or settings that a pod cannot have. *ret_is_job: kubernetes. */
int train_job_check(const TrainOptions *options, bool *ret_is_job);

/* For --threads of a pod: whole cores. */
size_t train_job_threads(const TrainOptions *options);

/*
 * As train_children: writes a Job of n indices (or follows the one that the same trainings had before: its name is made of them), and
 * imports each run as its pod ends, with its models, into the store of the options. run, best_model and model are then of this store.
 * A signal leaves the Job to itself.
 */
int train_job(const TrainOptions *options, TrainChild *child, size_t n, TrainChildLine *on_line, void *arg);

#endif
