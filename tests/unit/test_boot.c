/* Interquartile means and bootstrap intervals: numpy's and scipy's answers on the same draws, and a known null. */
#include "base/boot.h"
#include "base/json.h"
#include "base/mem.h"
#include "tui/compare.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 64 };

typedef struct Drawn {
	const Json *next;
} Drawn;

static size_t draw_recorded(void *state, size_t n)
{
	Drawn *drawn = state;
	int64_t i = -1;
	assert_true(json_int(drawn->next, &i) && i >= 0 && (size_t) i < n);
	drawn->next = json_next(drawn->next);
	return (size_t) i;
}

static size_t read_values(const Json *array, double *x)
{
	size_t n = 0;
	for (const Json *v = json_first(array); v; v = json_next(v))
		assert_true(json_number(v, &x[n++]));
	return n;
}

static size_t read_sizes(const Json *array, size_t *size)
{
	size_t n = 0;
	for (const Json *v = json_first(array); v; v = json_next(v)) {
		int64_t value;
		assert_true(json_int(v, &value));
		size[n++] = (size_t) value;
	}
	return n;
}

static void assert_near(double got, const Json *c, const char *name)
{
	double want = json_number_or(c, name, NAN);
	if (!(fabs(got - want) <= 1e-9))
		fail_msg("%s: %.12g, not %.12g", name, got, want);
}

static void intervals_are_those_of_numpy_on_the_same_draws(void **state)
{
	(void) state;
	StrBuf text = { 0 };
	Json *root = NULL;
	Error err = { 0 };
	assert_int_equal(mem_read_file("tests/fixtures/boot.json", 1 << 20, &text, &err), 0);
	assert_int_equal(json_parse(text.data, text.len, &root, &err), 0);
	int n_cases = 0;
	for (const Json *c = json_first(json_get(root, "cases")); c; c = json_next(c), n_cases++) {
		double a[MOST], b[MOST], p;
		size_t sa[MOST], sb[MOST];
		(void) read_values(json_get(c, "a"), a);
		(void) read_values(json_get(c, "b"), b);
		BootSample x = { a, sa, read_sizes(json_get(c, "sizes_a"), sa) }, y = { b, sb, read_sizes(json_get(c, "sizes_b"), sb) };
		size_t reps = (size_t) json_int_or(c, "reps", 0);
		Estimate e;
		Drawn drawn = { json_first(json_get(c, "draws_a")) };
		assert_int_equal(boot_estimate(&x, reps, draw_recorded, &drawn, &e), 0);
		assert_near(e.value, c, "iqm_a");
		assert_near(e.lo, c, "lo_a");
		assert_near(e.hi, c, "hi_a");
		drawn.next = json_first(json_get(c, "draws_both"));
		assert_int_equal(boot_difference(&x, &y, reps, draw_recorded, &drawn, &e, &p), 0);
		assert_near(e.value, c, "difference");
		assert_near(e.lo, c, "lo");
		assert_near(e.hi, c, "hi");
		assert_near(p, c, "p_greater");
		drawn.next = json_first(json_get(c, "draws_both"));
		assert_int_equal(boot_better(&x, &y, reps, draw_recorded, &drawn, &e), 0);
		assert_null(drawn.next);
		assert_near(e.value, c, "better");
		assert_near(e.lo, c, "better_lo");
		assert_near(e.hi, c, "better_hi");
	}
	assert_int_equal(n_cases, 4);
	json_free(root);
	strbuf_done(&text);
}

static void two_values_have_no_interval(void **state)
{
	(void) state;
	Rng rng;
	Estimate e;
	double x[] = { 1, 2 };
	size_t size = 2;
	rng_init(&rng, 1, 0, RNG_BOOTSTRAP);
	assert_int_equal(boot_estimate(&(BootSample) { x, &size, 1 }, 100, boot_draw, &rng, &e), 0);
	assert_true(e.value == 1.5 && isnan(e.lo) && isnan(e.hi));
}

/* How often two samples of the same kind are told apart. */
static int count_shown(int seeds, int trials, size_t reps)
{
	enum { SEEDS_MOST = 20 };
	Rng rng;
	int shown = 0;
	size_t size = (size_t) seeds;
	rng_init(&rng, 5, 0, RNG_BOOTSTRAP);
	for (int t = 0; t < trials; t++) {
		double a[SEEDS_MOST], b[SEEDS_MOST], p;
		Estimate e;
		for (int i = 0; i < seeds; i++) {
			a[i] = rng_normal(&rng);
			b[i] = rng_normal(&rng);
		}
		assert_int_equal(boot_difference(&(BootSample) { a, &size, 1 }, &(BootSample) { b, &size, 1 }, reps, boot_draw, &rng, &e,
		                                 &p), 0);
		shown += e.lo > 0 || e.hi < 0;
	}
	return shown;
}

/* An interval of 95 % leaves 0 out about one time in twenty, a little more with few seeds. `make boot-null`: ten thousand trials, and
 * what smaller samples do. */
static void a_null_is_mostly_not_shown(void **state)
{
	(void) state;
	const char *asked = getenv("BOOT_TRIALS");
	int trials = asked ? atoi(asked) : 600, shown = count_shown(20, trials, asked ? COMPARE_REPS : 200);
	assert_true(shown > 0);
	assert_true(shown <= trials * (asked ? 7 : 10) / 100);
	static const int SEEDS[] = { 20, 10, 5, 3 };
	for (size_t i = 0; asked && i < sizeof SEEDS / sizeof *SEEDS; i++)
		print_message("%d seeds: \"not shown\" in %.2f %% of %d null comparisons\n", SEEDS[i],
		              100.0 - 100.0 * (i ? count_shown(SEEDS[i], trials, COMPARE_REPS) : shown) / trials, trials);
}

/* ---- Compare's entries ---- */

typedef struct Desk { /* large */
	ArchiveAnswer answer;
	CompareView view;
} Desk;

static int set_up(void **state)
{
	*state = calloc(1, sizeof(Desk));
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static void fill(CompareRun *run, int64_t id, uint32_t group, const char *trace, double reward)
{
	*run = (CompareRun) { .row = { .id = id, .group = group, .seed = (uint64_t) id }, .last_eval = reward, .eval = { reward, 1, 3, 2, 200 },
		.hpa = { reward - 5, 2, 4, 3, 300 } };
	str_copy(run->trace, sizeof run->trace, trace);
	(void) strcpy(run->config, group == 1 ? "{\"learning-rate\":\"3e-4\",\"seed\":1,\"gamma\":0.99}"
	                                      : "{\"learning-rate\":\"1e-3\",\"seed\":2,\"gamma\":0.99}");
}

static void runs_of_one_configuration_are_one_entry(void **state)
{
	ArchiveAnswer *answer = &((Desk *) *state)->answer;
	CompareView *view = &((Desk *) *state)->view;
	char verdict[200];
	for (int i = 0; i < 6; i++)
		fill(&answer->compared[i], i + 1, i < 3 ? 1 : 2, "t.csv", i < 3 ? 50 + i : 30 + i);
	answer->n_compared = 6;
	compare_build(view, answer);
	assert_int_equal(view->n, 2);
	assert_int_equal(view->entry[0].n, 3);
	assert_true(fabs(view->entry[0].iqm.value - 51) < 1e-9);
	assert_int_equal(view->n_differ, 1);
	assert_int_equal(view->n_keys, 2); /* the seed is none */
	compare_verdict(view, 1, verdict, sizeof verdict);
	assert_non_null(strstr(verdict, "B better than A: no, worse"));
	compare_verdict(view, 0, verdict, sizeof verdict);
	assert_non_null(strstr(verdict, "A better than HPA: yes (+5.00"));
	view->is_single = true;
	compare_build(view, answer);
	assert_int_equal(view->n, 6);
	compare_verdict(view, 1, verdict, sizeof verdict);
	assert_non_null(strstr(verdict, "not shown (n=1, no interval)"));
}

/* The same seed again is the same draw: it makes no interval. */
static void runs_of_one_seed_are_one_value(void **state)
{
	ArchiveAnswer *answer = &((Desk *) *state)->answer;
	CompareView *view = &((Desk *) *state)->view;
	char verdict[200];
	for (int i = 0; i < 4; i++) {
		fill(&answer->compared[i], i + 1, 1, "t.csv", i < 3 ? 40 + i : 61);
		answer->compared[i].row.seed = i < 3 ? 7 : 8;
	}
	answer->n_compared = 4;
	compare_build(view, answer);
	assert_int_equal(view->entry[0].n, 4);
	assert_int_equal(view->entry[0].n_seeds, 2);
	assert_non_null(strstr(view->entry[0].name, "(2 seeds)"));
	assert_true(view->entry[0].median == (41 + 61) / 2.0); /* of 40, 41, 42 the mean */
	assert_true(isnan(view->entry[0].iqm.lo));
	assert_true(fabs(view->entry[0].mean.reward - (41 + 61) / 2.0) < 1e-9); /* its figures too are of two draws */
	compare_verdict(view, 0, verdict, sizeof verdict);
	assert_non_null(strstr(verdict, "not shown (n=2, no interval)"));
	answer->n_compared = 3;
	compare_build(view, answer);
	assert_non_null(strstr(view->entry[0].name, "(3 runs, one seed)"));
}

static void unequal_traces_are_refused(void **state)
{
	ArchiveAnswer *answer = &((Desk *) *state)->answer;
	CompareView *view = &((Desk *) *state)->view;
	fill(&answer->compared[0], 1, 1, "a.csv", 50);
	fill(&answer->compared[1], 2, 2, "b.csv", 40);
	answer->n_compared = 2;
	compare_build(view, answer);
	assert_string_equal(view->refusal, "no aggregate: run 1 is on a.csv, run 2 on b.csv");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intervals_are_those_of_numpy_on_the_same_draws),
		cmocka_unit_test(two_values_have_no_interval),
		cmocka_unit_test(a_null_is_mostly_not_shown),
		cmocka_unit_test_setup_teardown(runs_of_one_configuration_are_one_entry, set_up, tear_down),
		cmocka_unit_test_setup_teardown(runs_of_one_seed_are_one_value, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unequal_traces_are_refused, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
