/* The measures of control quality, on courses that can be worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/figures.h"

#include <math.h>

static const FiguresInput PLAIN = { .interval_s = 15, .soft_ms = 250, .hard_ms = 500, .min_replicas = 1, .max_replicas = 10,
	.first_replicas = 2, .lambda = 10 };

static EvalStep step_of(double p95_ms, int replicas, int ready, int demand)
{
	return (EvalStep) { .p95_ms = (float) p95_ms, .rps = 100, .pod_s = (float) (15 * replicas), .replicas = (int16_t) replicas,
		.ready = (int16_t) ready, .demand = (int16_t) demand };
}

static bool is_near(double a, double b)
{
	return fabs(a - b) <= 1e-9 * fmax(1, fabs(b));
}

static void measure(FiguresInput in, const EvalStep *step, int32_t n, double *f)
{
	in.step = step;
	in.n = n;
	figures_of(&in, f);
}

/* Four intervals: fine, over soft, over hard, no traffic. A hard second counts twice. */
static void a_hard_second_counts_twice(void **state)
{
	(void) state;
	double f[FIGURE_COUNT];
	EvalStep step[] = { step_of(100, 2, 2, 2), step_of(300, 2, 2, 2), step_of(600, 2, 2, 2), step_of(NAN, 2, 2, 2) };
	step[2].slow_hard = .5f;
	step[3].rps = 0;
	measure(PLAIN, step, 4, f);
	assert_true(is_near(f[FIGURE_SLO_SOFT_S], 30) && is_near(f[FIGURE_SLO_S], 15));
	assert_true(is_near(f[FIGURE_V_PCT], 75));
	assert_true(is_near(f[FIGURE_SLO_FRAC], .5 / 3));           /* of the requests, not of the time */
	assert_true(is_near(f[FIGURE_POD_HOURS], 4 * 30 / 3600.0));
	assert_true(is_near(f[FIGURE_COST], 4 * 30 / 3600.0 + 10 * 15 / 3600.0));
	assert_true(is_near(f[FIGURE_P95_MAX], 600) && is_near(f[FIGURE_P95_MEAN], 1000 / 3.0));
}

/* Demand 4, 4, 2, 2 against ready 2, 4, 4, 2: a half lacking in one quarter of the time, as much again to spare. */
static void elasticity_is_the_spec_groups(void **state)
{
	(void) state;
	double f[FIGURE_COUNT];
	const EvalStep step[] = { step_of(100, 4, 2, 4), step_of(100, 4, 4, 4), step_of(100, 2, 4, 2), step_of(100, 2, 2, 2) };
	measure(PLAIN, step, 4, f);
	assert_true(is_near(f[FIGURE_THETA_U], 12.5) && is_near(f[FIGURE_THETA_O], 25));
	assert_true(is_near(f[FIGURE_TAU_U], 25) && is_near(f[FIGURE_TAU_O], 25));
	assert_true(is_near(f[FIGURE_UNDER], 2 * 15 / 3600.0) && is_near(f[FIGURE_OVER], 2 * 15 / 3600.0));
	assert_true(is_near(f[FIGURE_INSTABILITY], 100)); /* supply moved when demand did not, each time */
	const EvalStep beyond[] = { step_of(100, 10, 10, 40), step_of(100, 10, 10, 40) };
	measure(PLAIN, beyond, 2, f);
	assert_true(is_near(f[FIGURE_TAU_U], 0)); /* demand is within [min, max] */
}

/* 2 -> 4 -> 3 -> 3 ... -> 5: three changes, two of them reversals, one within 10 minutes of the change before. */
static void changes_and_reversals_are_counted(void **state)
{
	(void) state;
	double f[FIGURE_COUNT];
	EvalStep step[60];
	for (int t = 0; t < 60; t++)
		step[t] = step_of(100, t < 2 ? 4 : t < 50 ? 3 : 5, 4, 4);
	measure(PLAIN, step, 60, f);
	assert_true(is_near(f[FIGURE_ACTIONS], 3) && is_near(f[FIGURE_REVERSALS], 2) && is_near(f[FIGURE_REVERSALS_10M], 1));
}

/* Over soft at 2..4 and, before a minute has passed, at 7: one event of 90 s. Over at the end: censored there. */
static void recovery_ends_with_a_quiet_minute(void **state)
{
	(void) state;
	double f[FIGURE_COUNT];
	EvalStep step[20];
	for (int t = 0; t < 20; t++)
		step[t] = step_of((t >= 2 && t <= 4) || t == 7 || t >= 18 ? 300 : 100, 2, 2, 2);
	measure(PLAIN, step, 20, f);
	assert_true(is_near(f[FIGURE_RECOVERY_MAX], 90));
	assert_true(is_near(f[FIGURE_RECOVERY], (90 + 30) / 2.0));
	assert_true(is_near(f[FIGURE_UNRECOVERED], 1));
	measure(PLAIN, step, 2, f);
	assert_true(isnan(f[FIGURE_RECOVERY]) && is_near(f[FIGURE_UNRECOVERED], 0));
}

/* Over hard with a pod too few, over soft in the minute behind, over soft with enough of them five intervals later, and without a lack. */
static void violation_is_told_apart_by_what_was_lacking(void **state)
{
	(void) state;
	double f[FIGURE_COUNT];
	EvalStep step[20];
	for (int t = 0; t < 20; t++)
		step[t] = step_of(t == 3 ? 600 : t == 5 || t == 8 || t == 12 ? 300 : 100, 3, t == 3 || t == 4 ? 2 : 3, 3);
	measure(PLAIN, step, 20, f);
	assert_true(is_near(f[FIGURE_V_SHORT], 10) && is_near(f[FIGURE_V_DRAIN], 10) && is_near(f[FIGURE_V_ENOUGH], 5));
	step[7] = step[8];
	measure(PLAIN, step + 5, 15, f); /* no lack before: chance alone */
	assert_true(is_near(f[FIGURE_V_SHORT], 0) && is_near(f[FIGURE_V_DRAIN], 0) && is_near(f[FIGURE_V_ENOUGH], f[FIGURE_V_PCT]));
	FiguresInput off = PLAIN;
	off.hard_ms = -1;
	measure(off, step, 20, f);
	assert_true(isnan(f[FIGURE_V_SHORT]) && isnan(f[FIGURE_V_ENOUGH]));
}

/* Demand rises from 2 to 6 and passes the three that are ready in interval 12. */
static void lead_is_from_the_first_up_to_the_need(void **state)
{
	(void) state;
	for (int up = 6; up <= 20; up += 14) { /* six intervals ahead; eight behind */
		double lead[4];
		EvalStep step[40];
		for (int t = 0; t < 40; t++)
			step[t] = step_of(100, t < up ? 3 : 6, t < up + 2 ? 3 : 6, t < 10 ? 2 : t < 12 ? 3 : t < 14 ? 4 : 6);
		FiguresInput in = PLAIN;
		in.first_replicas = 3;
		in.step = step;
		in.n = 40;
		assert_int_equal(figures_leads(&in, lead, 4), 1);
		assert_true(is_near(lead[0], 15.0 * (12 - up)));
	}
}

static void a_rise_within_what_is_ready_is_no_ramp(void **state)
{
	(void) state;
	double f[FIGURE_COUNT];
	EvalStep step[20];
	for (int t = 0; t < 20; t++)
		step[t] = step_of(100, 8, 8, t < 10 ? 2 : 6);
	measure(PLAIN, step, 20, f);
	assert_true(is_near(f[FIGURE_RAMPS], 0) && isnan(f[FIGURE_LEAD]) && isnan(f[FIGURE_LEAD_SHARE]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hard_second_counts_twice),
		cmocka_unit_test(elasticity_is_the_spec_groups),
		cmocka_unit_test(changes_and_reversals_are_counted),
		cmocka_unit_test(recovery_ends_with_a_quiet_minute),
		cmocka_unit_test(violation_is_told_apart_by_what_was_lacking),
		cmocka_unit_test(lead_is_from_the_first_up_to_the_need),
		cmocka_unit_test(a_rise_within_what_is_ready_is_no_ramp),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
