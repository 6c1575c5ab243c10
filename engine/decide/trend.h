/*
 * The observation `trend` (CONTROL F.2): what one target's past and present say, free of the service's scale, so that one policy
 * serves many services. A TrendState remembers; it is flat, so a copy of it is a snapshot. One state a target, fed once an interval,
 * in training, evaluation and serving alike.
 */
#ifndef MAESTRO_DECIDE_TREND_H
#define MAESTRO_DECIDE_TREND_H

#include "base/types.h"

enum {
	TREND_DIM = 36,       /* CONTROL's 28, then those of this product: see the table in trend.c */
	TREND_WINDOW = 20,    /* intervals of the long slope */
	TREND_SHORT = 4,      /* of the short one */
	TREND_HISTORY = 240,  /* of what is remembered on average: an hour at 15 s */
	TREND_STACK_MAX = 8,  /* --stack K: features 0, 10 and 12 of the K-1 intervals before */
	TREND_STACKED = 3,
};

/* Places of features that others than trend.c read. */
enum {
	TREND_RHO = 0, TREND_SLOPE_SHORT = 2, TREND_SLOPE_LONG = 3, TREND_LATENCY = 12, TREND_SPEC = 14, TREND_COMING = 15,
	TREND_STARTUP = 17, TREND_IMPUTED = 27, TREND_PRICE = 28, TREND_NOISE = 29, TREND_PEAK = 30, TREND_PODS = 31,
	TREND_MEAN_LONG = 32, TREND_RISE_LONG = 33, TREND_PEAK_LONG = 34, TREND_RISE_PEAK = 35,
};

typedef struct TrendState { /* zeroed: nothing seen yet */
	float rps[TREND_WINDOW];                        /* ring */
	float stacked[TREND_STACK_MAX][TREND_STACKED];  /* ring of features that --stack repeats */
	int32_t n, at;                                  /* intervals seen, at most TREND_WINDOW; place of the newest in rps */
	int32_t stack_at;
	int32_t n_long;                                 /* intervals in what follows, at most TREND_HISTORY */
	float mean_rps, rise_rps;                       /* running means of the rate, and of its rise over a start-up time where it rose */
	float peak_rps, rise_peak_rps;                  /* the most of both, fading */
	int32_t replicas;                               /* of the interval before; 0: none */
	int32_t action;                                 /* the last interval's change of replicas, as an ACTION_ */
	float up_s, down_s;                             /* since the last change of that direction; long ago at first */
	float rho, ln_p95;                              /* features 0 and 12 of the interval before */
	float capacity_rps, startup_s;                  /* last known, where the target does not say */
	int64_t wall_ms;                                /* of the last sample */
} TrendState;

/* The name of feature i of a vector with `stack`; "?" outside. */
const char *trend_feature(int32_t i, int32_t stack);
/* What it is, in a few words; "" outside. */
const char *trend_meaning(int32_t i, int32_t stack);
int32_t trend_dim(int32_t stack); /* stack 1: no earlier intervals */

/*
 * Takes in the sample of an interval of interval_s, and writes the vector [trend_dim(stack)] that it ends with; x may be NULL (history
 * that is filled in). All in [-5, 5]; what is not known is 0, a rate as before, and feature 27 says so. The sample's replicas must be known. A gap is
 * filled with the new rate.
 */
void trend_step(TrendState *state, const Target *target, const Sample *sample, float interval_s, int32_t stack, float *ret_x);

/* Takes in the rates of n past intervals, oldest first, for a state that has seen nothing yet. */
void trend_fill(TrendState *state, const Target *target, float interval_s, const float *rps, int32_t n);

/*
 * A rule on the same vector, that training starts from: pods for the load that is coming at the horizon of a start, at a utilisation that
 * rises with the pod price, with a dead band. x as trend_step writes it; an action of the set that the mask allows, nearest to that number.
 */
int32_t trend_rule(const float *x, ActionSet actions, uint32_t mask, int32_t max_replicas);

#endif
