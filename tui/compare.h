/*
 * The entries of Compare: runs grouped by configuration, their aggregates and verdicts. Pure but for its resampling,
 * whose seed is fixed, so that the same runs give the same intervals.
 */
#ifndef MAESTRO_TUI_COMPARE_H
#define MAESTRO_TUI_COMPARE_H

#include "base/archive.h"
#include "base/boot.h"

#include <stdatomic.h>

enum { COMPARE_ENTRIES = 8, COMPARE_REPS = 2000, COMPARE_REPS_MANY = 50000, COMPARE_KEYS = 96 };

/* What an evaluation measures; all but the reward of the one episode that it stores. */
typedef enum CompareFigure { FIGURE_REWARD, FIGURE_VIOLATION /* % */, FIGURE_HOURS, FIGURE_FLIPS, FIGURE_P95 /* ms */, FIGURE_COUNT } CompareFigure;

typedef struct CompareCurve { /* over the entry's x; NAN: not known there */
	double middle[COMPARE_POINTS], lo[COMPARE_POINTS], hi[COMPARE_POINTS];
} CompareCurve;

typedef struct CompareEntry {
	char letter;              /* 'A'.., 'H' for the rule's */
	char name[80];
	int n;                    /* runs */
	int n_seeds;              /* of theirs, each counted once */
	int run[ARCHIVE_COMPARE]; /* in the answer */
	bool is_hidden;
	Estimate iqm;             /* of the last evaluations' mean rewards */
	double median, worst;
	Estimate difference;      /* from the baseline; of the baseline: from the rule on the same traffic */
	double p_greater;         /* how often a resample is greater than the baseline's; NAN: not known */
	Estimate better;          /* how often a run of it is better than one of the baseline's */
	Estimate over_rule;       /* how often its evaluation episode is better than the rule's on that traffic */
	EpisodeFigures mean;      /* over its runs */
	int n_points;             /* a common grid of the axis */
	double x[COMPARE_POINTS];
	CompareCurve curve[FIGURE_COUNT];
} CompareEntry;

typedef struct CompareDiff { /* an option and what each entry has */
	char key[40];
	char value[COMPARE_ENTRIES][32];
	bool differs;
} CompareDiff;

typedef enum CompareAxis { AXIS_STEPS, AXIS_WALL /* s */, AXIS_EPISODES, AXIS_SHARE /* % of the run */, AXIS_COUNT } CompareAxis;

typedef struct CompareView {
	int64_t id[ARCHIVE_COMPARE]; /* runs to compare */
	int n_ids;
	bool is_asked;               /* the answer for these has come */
	int n;
	CompareEntry entry[COMPARE_ENTRIES];
	CompareEntry rule;           /* the HPA on the evaluation traffic of all runs; n 0: not recorded */
	CompareDiff diff[COMPARE_KEYS];
	int n_keys, n_differ;
	char refusal[160];           /* why there are no aggregates; "" */
	int baseline, selected;
	bool is_single, shows_all, hides_rule;
	CompareAxis axis;
	double smoothing;            /* of the curves' middle; 0: none */
	int cursor;                  /* 1..COMPARE_POINTS over the axis; 0: none */
	size_t reps;                 /* of the figures above; 0: COMPARE_REPS */
	bool wants_many;             /* COMPARE_REPS_MANY are to follow */
	bool shows_replay;           /* in the place of curves and options */
	int64_t replay_id;           /* the question; 0: none */
	int32_t replay_trace;
} CompareView;

/* Fills entries, aggregates and the diff from an answer to ARCHIVE_PAIR. What a person chose (hidden, baseline) stays where
 * the entries are the same as before. */
void compare_build(CompareView *view, const ArchiveAnswer *answer);

/* The intervals alone, with so many resamples; is_unwanted (NULL: never) cuts it short. Reads and writes nothing but its arguments. */
void compare_resample(CompareView *view, const ArchiveAnswer *answer, size_t reps, const atomic_bool *is_unwanted);

/* The curves alone, over another axis. */
void compare_set_axis(CompareView *view, const ArchiveAnswer *answer, CompareAxis axis);

/* The middle of an entry's curve at x, between its points; NAN outside of them. */
double compare_at(const CompareEntry *entry, CompareFigure figure, double x);

/* "yes", "no", "not shown" and what for, of entry i against the baseline (i the baseline: against the rule). */
void compare_verdict(const CompareView *view, int i, char *text, size_t size);

#endif
