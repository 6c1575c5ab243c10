/*
 * The protocol of an evaluation (CONTROL E): every family of policies on the same traffic, its knob tuned on the middle of each trace,
 * everything that is said measured on the last part.
 *
 *     tune      every setting of every family on each trace's tuning part; at the request level only those that a fluid tuning
 *               leaves in the running
 *     path      the settings that are best for some weight of violation, a family and trace
 *     choice    of the families, rolling over the tuning part: another than the calibrated rule is taken only where it would have violated
 *               less at the rule's pod-hours, by a margin (contest_choice.c)
 *     report    those settings on the report part, under each seed
 *
 * A cell is one episode: family, setting, trace, part, seed. Cells share nothing and are played by as many threads as asked for; each
 * writes its own place, so results do not depend on how many there are. The traffic of a cell depends on trace, part and seed alone
 * (common random numbers).
 */
#ifndef MAESTRO_CONTROL_CONTEST_H
#define MAESTRO_CONTROL_CONTEST_H

#include "control/family.h"
#include "control/figures.h"
#include "control/front.h"

#include <signal.h>

enum { CONTEST_LAMBDAS = 4, CONTEST_FAMILIES = 16, CONTEST_TRACES = 16, PATH_MAX_SETTINGS = 20, TUNE_BLOCKS = 4 };

typedef struct ContestConfig {
	Arena arena;
	const Trace *trace;      /* [n_traces], lent */
	int32_t n_traces;
	const Family *family;    /* [n_families], lent */
	int32_t n_families;
	int32_t seeds;           /* replays of each trace's report part */
	uint64_t seed;
	double report_from;      /* part of each trace at which the report begins; the tuning part is half as long before it as there is */
	double span_s;           /* most of a part that a cell plays; 0: all. Seeds then begin at evenly spread places. */
	double lambda[CONTEST_LAMBDAS]; /* weights of violation for which settings are chosen; the first one is that of cost */
	int32_t n_lambdas;
	int32_t threads;
	bool with_rails;         /* measures what each rail does */
	void (*progress)(void *arg, const char *stage, size_t done, size_t total); /* may be NULL; one call at a time */
	void *arg;
} ContestConfig;

typedef struct Path { /* of a family on a trace */
	int32_t setting[PATH_MAX_SETTINGS];
	int32_t n;
	int32_t best[CONTEST_LAMBDAS]; /* index into setting of what was picked for each lambda */
} Path;

typedef struct RailEffect { /* of one rail on a family of models at its settings for the first lambda; means over traces and seeds */
	bool is_there;     /* the rail can be switched off, and the family passes it */
	double v_pct, pod_hours; /* without it */
	double share;      /* of the decisions that it would change, were they made without knowing of it */
} RailEffect;

typedef struct Contest {
	ContestConfig config;
	Path *path;      /* [family][trace] */
	double *tuned;   /* [family][trace][setting of the largest family][TUNE_BLOCKS][2] pod-hours and V-hours of each quarter of the
	                    tuning part; NAN: not tuned */
	RailEffect *rail; /* [family][1 + GUARD_COUNT], first with all rails; NULL: not asked for */
	int32_t *choice; /* [trace] the family that a choice (family.h) takes; -1: none takes part */
	double *report;  /* [family][trace][PATH_MAX_SETTINGS][seed][FIGURE_COUNT] */
	int32_t most_settings;
	double floor_pct[CONTEST_TRACES]; /* half an interval of a cell, in percent of its time */
} Contest;

/* Plays it. ERR_* of a cell, with the policy and trace named; ERR_NOMEM; ERR_CANCELLED once *stop (may be NULL) is not 0. */
int contest_run(const ContestConfig *config, const volatile sig_atomic_t *stop, Contest *ret_contest, Error *err);
/* One cell, measured on the spot. */
typedef int ContestPlay(void *arg, int32_t family, int32_t trace, int32_t seed, double ret_figures[FIGURE_COUNT], Error *err);
/* The same of a live service: every cell by play, one after the other. Nothing is tuned, so every family has one setting; seed by seed
 * the families play forth and back (A B B A), so that what drifts falls on all of them alike. */
int contest_measure(const ContestConfig *config, ContestPlay *play, void *arg, const volatile sig_atomic_t *stop, Contest *ret_contest,
                    Error *err);
void contest_done(Contest *contest);

static inline const Path *contest_path(const Contest *c, int32_t family, int32_t trace)
{
	return &c->path[family * c->config.n_traces + trace];
}
/* [FIGURE_COUNT] of one reported cell; at: index into the path's settings. */
static inline double *contest_cell(const Contest *c, int32_t family, int32_t trace, int32_t at, int32_t seed)
{
	size_t row = (size_t) (family * c->config.n_traces + trace) * PATH_MAX_SETTINGS + (size_t) at;
	return c->report + (row * (size_t) c->config.seeds + (size_t) seed) * FIGURE_COUNT;
}

typedef struct Versus { /* a family against another, [trace][seed] each, at the other's setting for one lambda */
	double *v_change;        /* at its pod-hours: -.2 is a fifth less violation */
	double *pod_hours_ratio; /* at its violation */
	int32_t cheapest, dearest; /* cells in which the front's end was taken, since it ends before */
	int32_t unreached;       /* cells in which no point of the front violates so little: max replicas all the time stand for it */
} Versus;

/* Arrays of the caller, [n_traces * seeds]. */
void contest_compare(const Contest *contest, int32_t family, int32_t against, int32_t lambda, Versus *versus);

#endif
