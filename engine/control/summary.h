/* What a contest says: interquartile means with intervals, and families against each other. */
#ifndef MAESTRO_CONTROL_SUMMARY_H
#define MAESTRO_CONTROL_SUMMARY_H

#include "control/contest.h"
#include "control/measures.h"

enum { RESAMPLES = 10000 };

typedef struct Span {
	double iqm, lo, hi;          /* interval over seeds, stratified by trace */
	double traces_lo, traces_hi; /* over traces and seeds: for traces like these */
} Span;

/* Kinds of traffic that are summed up apart: what helps on one may hurt on the other. */
typedef enum Group { GROUP_ALL, GROUP_BURSTY, GROUP_SMOOTH, GROUPS } Group;
const char *group_name(Group group); /* "all", "bursty", "smooth" */
/* Whether a trace belongs to it, by trace_roughness. */
bool group_has(const Contest *contest, Group group, int32_t trace);
int32_t group_size(const Contest *contest, Group group);


/* A figure of a family at its settings for one lambda, over all traces. ERR_NOMEM. */
int summary_figure(const Contest *contest, int32_t family, int32_t lambda, Figure figure, Span *ret);

typedef struct VersusGroup {
	Span v_change, pod_hours_ratio;
	double pod_hours_median, pod_hours_worst; /* over the traces' means of that ratio */
	double worst_change;          /* v_change of the trace where it is largest, mean over seeds */
} VersusGroup;

typedef struct VersusSummary {
	VersusGroup group[GROUPS];
	Interval improvement;         /* probability that a run costs less, by pod-hours + lambda V-hours at the settings tuned for it */
	double cheapest, dearest;     /* shares of cells that were compared at an end of the front */
	double unreached;             /* share of cells whose violation the front cannot reach */
	double trace_change[CONTEST_TRACES]; /* means over seeds */
	double trace_ratio[CONTEST_TRACES];
	double *v_change;             /* [n_traces][seeds] of each cell, for a profile; freed by versus_done */
} VersusSummary;

/* family against another, at the other's settings for one lambda. ERR_NOMEM. */
int summary_versus(const Contest *contest, int32_t family, int32_t against, int32_t lambda, VersusSummary *ret);
void versus_done(VersusSummary *versus);

/* A value by the names of fail_if.h. arg: the Contest. */
int summary_lookup(void *arg, const char *name, const char *first, const char *second, const char *end, double *ret, Error *err);

#endif
