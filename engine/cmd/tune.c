/*
 * `maestro tune`: a small search over hyper-parameters by successive halving (Jamieson and Talwalkar 2016). Every candidate is a run of
 * the store; each round trains those that are left as far again as the round before, and keeps the better third by the mean reward of
 * their last evaluation, on traffic that none of them trains on and all of them share. What the command line or the environment says is
 * not searched over.
 */
#include "base/mem.h"
#include "base/rng.h"
#include "cmd/cmd.h"
#include "cmd/session.h"
#include "cmd/train_child.h"
#include "cmd/train_job.h"
#include "cmd/train_opts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CANDIDATES = 9, KEEP = 3, ROUNDS = 3, TEXT = 24, SPACE_VALUES = 4 };

/* What may differ, and what there is to choose from; the first is the preset's. */
static const struct {
	const char *option;
	const char *value[SPACE_VALUES];
} SPACE[] = {
	{ "--learning-rate", { "lin_1e-3", "lin_5e-4", "lin_2e-3", "lin_3e-3" } },
	{ "--gamma", { "0.95", "0.93", "0.97", "0.98" } },
	{ "--ent-coef", { "0.005", "0.002", "0.01", "0.02" } },
	{ "--gae-lambda", { "0.95", "0.9", "0.97", "0.8" } },
	{ "--clip-range", { "0.2", "0.1", "0.3", "0.2" } },
	{ "--n-steps", { "64", "32", "128", "64" } },
};
enum { N_SPACE = sizeof SPACE / sizeof *SPACE };

typedef struct Candidate {
	const char *value[N_SPACE];
	int64_t run;
	double reward;
	char best_model[512];
} Candidate;

typedef struct Tune {
	TrainOptions options;
	int argc;
	char **argv;
	Candidate candidate[CANDIDATES];
	bool is_job;        /* each round is one */
	bool is_given[N_SPACE]; /* by the user: not searched over */
	size_t n;           /* left, best first */
	size_t n_done;      /* of this round */
	int round;
	TrainChild child[CANDIDATES];
	char steps[TEXT], every[TEXT], run[CANDIDATES][TEXT], threads[TEXT], name[CANDIDATES][96];
} Tune;

/* What a search cannot have. The exit status' code, said. */
static int check(Tune *tune)
{
	const TrainOptions *o = &tune->options;
	size_t n_given = 0;
	for (size_t k = 0; k < N_SPACE; k++)
		n_given += tune->is_given[k] = opts_is_given(SPACE[k].option + 2, tune->argc, tune->argv);
	const char *why = strcmp(o->env, "sim") ? "--env live: candidates side by side need services of their own; search on the simulator, then train --env live --from the best"
		: o->resume || o->replay ? "--resume and --replay are train's: a search begins anew"
		: o->seeds > 1 ? "--seeds is train's: train --seeds with what was found says how much luck there is in it"
		: o->out ? "--out: each candidate's model stands beside its run, and the last line names the best"
		: n_given == N_SPACE ? "all options of the search are given: there is nothing to choose from" : NULL;
	if (why)
		(void) fprintf(stderr, "maestro: tune: %s\n", why);
	return why ? ERR_USAGE : train_job_check(o, &tune->is_job);
}

/* The preset is the first candidate; the others are drawn. */
static void draw(Tune *tune)
{
	Rng rng;
	rng_init(&rng, (uint64_t) tune->options.sim.seed, 0, RNG_PARAMETERS);
	tune->n = CANDIDATES;
	for (size_t i = 0; i < tune->n; i++)
		for (size_t k = 0; k < N_SPACE; k++)
			tune->candidate[i].value[k] = SPACE[k].value[i ? rng_below(&rng, SPACE_VALUES) : 0];
}

static void describe(Tune *tune, size_t i, bool is_first)
{
	static const char *const own[] = { "--steps", "--eval-every", "--name", "--resume", "--out", "-o", "--threads", "--seeds", NULL };
	TrainChild *child = &tune->child[i];
	Candidate *candidate = &tune->candidate[i];
	*child = (TrainChild) { 0 };
	(tune->is_job ? train_job_copy : train_child_copy)(child, tune->argc, tune->argv, own);
	for (size_t k = 0; k < N_SPACE; k++)
		if (!tune->is_given[k])
			train_child_add(child, SPACE[k].option, candidate->value[k]);
	train_child_add(child, "--steps", tune->steps);
	train_child_add(child, "--eval-every", tune->every);
	train_child_add(child, "--threads", tune->threads);
	(void) snprintf(tune->name[i], sizeof tune->name[i], "%.60s-%zu", tune->options.name, i);
	(void) snprintf(tune->run[i], sizeof tune->run[i], "%lld", (long long) candidate->run);
	train_child_add(child, is_first ? "--name" : "--resume", is_first ? tune->name[i] : tune->run[i]);
}

static int by_reward(const void *a, const void *b)
{
	double x = ((const Candidate *) a)->reward, y = ((const Candidate *) b)->reward;
	return isnan(x) ? !isnan(y) : isnan(y) ? -1 : x < y ? 1 : x > y ? -1 : 0;
}

static void print_candidate(const Tune *tune, const Candidate *candidate)
{
	char reward[TEXT];
	bool is_json = tune->options.is_json;
	if (isnan(candidate->reward))
		str_copy(reward, sizeof reward, is_json ? "null" : "failed");
	else
		(void) snprintf(reward, sizeof reward, is_json ? "%.6g" : "%8.3f", candidate->reward);
	if (is_json)
		printf("{\"event\":\"candidate\",\"run\":%lld,\"steps\":%s,\"mean_reward\":%s", (long long) candidate->run, tune->steps, reward);
	else
		printf("run %-4lld %9s steps  mean reward %8s ", (long long) candidate->run, tune->steps, reward);
	for (size_t k = 0; k < N_SPACE; k++)
		if (!tune->is_given[k])
			printf(is_json ? ",\"%s\":\"%s\"" : " %s %s", SPACE[k].option + (is_json ? 2 : 0), candidate->value[k]);
	printf(is_json ? "}\n" : "\n");
	(void) fflush(stdout);
}

/* One that failed is out, as if its reward were the worst; the round fails where none is left. */
static int status_of(const Tune *tune, int status)
{
	for (size_t i = 0; i < tune->n; i++)
		if (!isnan(tune->candidate[i].reward))
			return 0;
	return status ? status : 1;
}

/* TrainChildLine: a round of long trainings says how far it is. */
static void count_line(void *arg, size_t i, const char *line)
{
	Tune *tune = arg;
	(void) i;
	if (strstr(line, "\"event\":\"end\""))
		(void) fprintf(stderr, "maestro: tune: round %d of %d, %s steps: %zu of %zu done\n", tune->round, ROUNDS, tune->steps, ++tune->n_done, tune->n);
}

/* Trains who is left to `steps`; sorts and prints them. The exit status. */
static int run_round(Tune *tune, int64_t steps, bool is_first)
{
	size_t cores = train_cores(), at_once = cores < tune->n ? cores : tune->n;
	(void) snprintf(tune->steps, sizeof tune->steps, "%lld", (long long) steps);
	(void) snprintf(tune->every, sizeof tune->every, "%lld", (long long) (steps > 4 ? steps / 4 : 1));
	(void) snprintf(tune->threads, sizeof tune->threads, "%zu", tune->is_job ? train_job_threads(&tune->options) : cores / at_once);
	tune->n_done = 0;
	tune->round++;
	for (size_t i = 0; i < tune->n; i++)
		describe(tune, i, is_first || tune->is_job); /* a pod leaves no checkpoint behind: its next round begins anew */
	int status = tune->is_job ? train_job(&tune->options, tune->child, tune->n, count_line, tune)
	                          : train_children(tune->child, tune->n, at_once, count_line, tune);
	for (size_t i = 0; i < tune->n; i++) {
		Candidate *candidate = &tune->candidate[i];
		candidate->reward = tune->child[i].status ? NAN : tune->child[i].mean_reward;
		candidate->run = tune->child[i].run;
		str_copy(candidate->best_model, sizeof candidate->best_model, tune->child[i].best_model);
	}
	if (status > 128) {
		const char *db = tune->options.db;
		(void) fprintf(stderr, "maestro: tune: ended by a signal");
		if (!tune->is_job)
			(void) fprintf(stderr, "; what its runs have so far is in the store (maestro runs list%s%s)", db ? " --db " : "", db ? db : "");
		(void) fprintf(stderr, "\n");
		return status;
	}
	qsort(tune->candidate, tune->n, sizeof *tune->candidate, by_reward);
	for (size_t i = 0; i < tune->n; i++)
		print_candidate(tune, &tune->candidate[i]);
	status = status_of(tune, status);
	while (tune->n > 1 && isnan(tune->candidate[tune->n - 1].reward))
		tune->n--;
	return status;
}

static int search(Tune *tune)
{
	int64_t steps = tune->options.sim.steps;
	for (int r = 1; r < ROUNDS; r++)
		steps /= KEEP;
	for (int r = 0; r < ROUNDS; r++) {
		int status = run_round(tune, steps > 0 ? steps : 1, r == 0);
		if (status)
			return status;
		size_t kept = CANDIDATES; /* of this round, whoever failed */
		for (int k = 0; k <= r; k++)
			kept /= KEEP;
		if (r + 1 < ROUNDS && tune->n > kept)
			tune->n = kept;
		steps *= KEEP;
	}
	if (!tune->options.is_json)
		printf("best: run %lld  %s\n", (long long) tune->candidate[0].run, tune->candidate[0].best_model);
	return 0;
}

int cmd_tune(int argc, char **argv)
{
	Tune *tune = calloc(1, sizeof *tune);
	if (!tune)
		return cmd_fail(ERR_NOMEM, NULL);
	int code = train_options_parse(&TUNE_COMMAND, &tune->options, argc, argv);
	tune->argc = argc;
	tune->argv = argv;
	if (!code)
		code = check(tune);
	char **words = !code && tune->is_job ? train_job_argv(argc, argv, &tune->argc) : NULL;
	if (code || (tune->is_job && !words)) {
		free(tune);
		return code == OPTS_HELPED ? 0 : err_exit_status(code ? code : ERR_NOMEM);
	}
	tune->argv = words ? words : argv;
	session_catch_signals();
	draw(tune);
	int status = search(tune);
	free(words);
	free(tune);
	return status;
}
