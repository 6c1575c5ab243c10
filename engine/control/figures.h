/*
 * The measures of control quality (CONTROL E): what an episode was like, as numbers. theta, tau and instability follow the
 * elasticity measures of the SPEC Research Group (Herbst et al. 2018).
 */
#ifndef MAESTRO_CONTROL_FIGURES_H
#define MAESTRO_CONTROL_FIGURES_H

#include "control/evaluate.h"

/* name, key in JSON, decimals in a table. The first ten are the contract's, in its order. */
#define FIGURE_TABLE(X)                                                                                     \
	X(V_PCT, "v_pct", 3) X(SLO_S, "slo_violation_s", 0) X(SLO_SOFT_S, "slo_violation_soft_s", 0)         \
	X(SLO_FRAC, "slo_violation_frac", 5) X(POD_HOURS, "pod_hours", 2) X(P95_MAX, "p95_ms_max", 0)        \
	X(ACTIONS, "scale_actions", 0) X(REVERSALS, "reversals", 0) X(REWARD, "reward", 1) X(STEPS, "steps", 0) \
	X(P95, "p95_ms", 1) X(P99, "p99_ms", 1) X(P95_MEAN, "p95_ms_mean", 1)                                \
	X(REVERSALS_10M, "reversals_10m", 0) X(RECOVERY, "recovery_s", 0) X(RECOVERY_MAX, "recovery_s_max", 0) \
	X(UNRECOVERED, "unrecovered", 0)                                                                     \
	X(THETA_U, "theta_u", 2) X(THETA_O, "theta_o", 2) X(TAU_U, "tau_u", 2) X(TAU_O, "tau_o", 2)          \
	X(INSTABILITY, "instability", 2) X(UNDER, "under_area", 3) X(OVER, "over_area", 3)                   \
	X(COST, "cost", 2) X(REGRET, "regret", 2)                                                            \
	X(LEAD, "lead_s", 0) X(LEAD_SHARE, "lead_share", 3) X(RAMPS, "ramps", 0)                             \
	X(V_HOURS, "v_hours", 3)                                                                             \
	X(V_SHORT, "v_short_pct", 3) X(V_DRAIN, "v_drain_pct", 3) X(V_ENOUGH, "v_enough_pct", 3)

typedef enum Figure {
#define WORD(name, key, decimals) FIGURE_##name,
	FIGURE_TABLE(WORD)
#undef WORD
	FIGURE_COUNT
} Figure;

const char *figure_key(Figure figure); /* "v_pct" */
int figure_decimals(Figure figure);

typedef struct FiguresInput {
	const EvalStep *step; /* [n] */
	int32_t n;
	double interval_s;
	double soft_ms, hard_ms;          /* <= 0: off */
	int32_t min_replicas, max_replicas;
	int32_t first_replicas;           /* before the first decision */
	double lambda;                    /* of cost */
} FiguresInput;

/*
 * All but reward, p95, p99 and regret, which the steps do not tell: those are NAN. recovery_s: from an interval whose p95 is over
 * soft until p95 has been at or under it for 60 s, that minute not counted; what is still over at the end is censored there and
 * counted in unrecovered. lead_s: see figures_leads. v_short, v_drain and v_enough add up to v: while demand exceeds what is ready, within
 * the minute behind such a time, and with as many pods ready as the demand asks for. NAN: nothing to measure.
 */
void figures_of(const FiguresInput *in, double ret[FIGURE_COUNT]);
/* Of these only those of violation and of pods: all that tuning asks. */
void figures_of_use(const FiguresInput *in, double ret[FIGURE_COUNT]);

/*
 * Per ramp, the seconds between the first scale-up and the moment when demand exceeds the capacity that was ready before; negative: the
 * scale-up came after it. A ramp is a rise of the demand by at least two pods and a fifth above its last trough; ready before is the
 * least of the 5 minutes up to the trough, from which on scale-ups count, those after the last scale-down. A ramp that stays within
 * what was ready is none; one without a scale-up counts up to its end. Answers the number of ramps; at most room are written.
 */
int32_t figures_leads(const FiguresInput *in, double *ret_lead_s, int32_t room);

#endif
