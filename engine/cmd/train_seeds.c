/* `maestro train --seeds K`: the same training under K seeds side by side, and how much they differ. */
#include "cmd/train_seeds.h"

#include "cmd/session.h"
#include "cmd/train_child.h"
#include "cmd/train_job.h"
#include "control/measures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS_MAX = 64, WORD = 512 };

typedef struct Seeds {
	const TrainOptions *options;
	bool is_job;
	TrainChild child[SEEDS_MAX];
	char seed[SEEDS_MAX][32], name[SEEDS_MAX][96], out[SEEDS_MAX][WORD], threads[16];
} Seeds;

/* A child's object with its seed before all else; or a line for a person at its evaluations and its end. */
static void print_line(void *arg, size_t i, const char *line)
{
	const Seeds *seeds = arg;
	const TrainChild *child = &seeds->child[i];
	if (seeds->options->is_json)
		printf("{\"of_seed\":%s,%s\n", seeds->seed[i], line + (*line == '{'));
	else if (strstr(line, "\"event\":\"eval\""))
		printf("seed %-4s run %-4lld mean reward %.2f\n", seeds->seed[i], (long long) child->run, child->mean_reward);
	else if (strstr(line, "\"event\":\"end\""))
		printf("seed %-4s run %-4lld %lld steps done, best mean reward %.2f  %s\n", seeds->seed[i], (long long) child->run,
		       (long long) child->steps, child->best_reward, child->best_model);
	(void) fflush(stdout);
}

/* NAME.ext becomes NAME.seed3.ext. */
static void name_out(char *to, const char *out, const char *seed)
{
	const char *slash = strrchr(out, '/'), *dot = strrchr(out, '.');
	size_t stem = dot && (!slash || dot > slash + 1) ? (size_t) (dot - out) : strlen(out);
	(void) snprintf(to, WORD, "%.*s.seed%s%s", (int) (stem < 400 ? stem : 400), out, seed, out + stem);
}

static void describe(Seeds *seeds, size_t i, int argc, char **argv)
{
	static const char *const own[] = { "--seed", "--seeds", "--name", "--out", "-o", "--threads", NULL };
	const TrainOptions *o = seeds->options;
	TrainChild *child = &seeds->child[i];
	(seeds->is_job ? train_job_copy : train_child_copy)(child, argc, argv, own);
	(void) snprintf(seeds->seed[i], sizeof seeds->seed[i], "%lld", (long long) (o->sim.seed + (int64_t) i));
	(void) snprintf(seeds->name[i], sizeof seeds->name[i], "%.60s-seed%s", o->name, seeds->seed[i]);
	train_child_add(child, "--seeds", "1");
	train_child_add(child, "--seed", seeds->seed[i]);
	train_child_add(child, "--name", seeds->name[i]);
	train_child_add(child, "--threads", seeds->threads);
	if (o->out) {
		name_out(seeds->out[i], o->out, seeds->seed[i]);
		train_child_add(child, "--out", seeds->out[i]);
	}
}

/* The interquartile mean over seeds: one seed proves nothing. */
static void summarise(const Seeds *seeds, size_t n)
{
	double reward[SEEDS_MAX];
	size_t count = 0;
	for (size_t i = 0; i < n; i++)
		if (isfinite(seeds->child[i].mean_reward))
			reward[count++] = seeds->child[i].mean_reward;
	if (count && !seeds->options->is_json)
		printf("%zu seeds: mean reward of the last evaluation %.2f +- %.2f\n", count, mean_of(reward, count), std_of(reward, count));
}

int train_seeds(const TrainOptions *options, int argc, char **argv)
{
	size_t n = (size_t) options->seeds, cores = train_cores();
	bool is_job;
	int code = train_job_check(options, &is_job);
	if (code)
		return err_exit_status(code);
	Seeds *seeds = calloc(1, sizeof *seeds);
	char **words = is_job ? train_job_argv(argc, argv, &argc) : NULL;
	if (!seeds || (is_job && !words)) {
		free(seeds);
		free(words);
		return err_exit_status(ERR_NOMEM);
	}
	seeds->options = options;
	seeds->is_job = is_job;
	size_t at_once = cores < n ? cores : n;
	(void) snprintf(seeds->threads, sizeof seeds->threads, "%zu", is_job ? train_job_threads(options) : cores / at_once);
	for (size_t i = 0; i < n; i++)
		describe(seeds, i, argc, words ? words : argv);
	session_catch_signals();
	int status = is_job ? train_job(options, seeds->child, n, print_line, seeds)
	                    : train_children(seeds->child, n, at_once, print_line, seeds);
	summarise(seeds, n);
	free(words);
	free(seeds);
	return status;
}
