/* `maestro runs compare ID ID...`: what the Compare screen shows, as a table or as objects. */
#include "cmd/cells.h"
#include "cmd/runs.h"

#include "base/json.h"
#include "storage/compare.h"
#include "tui/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void print_number(double value, int width, const char *unit)
{
	if (isnan(value))
		printf("%*s%s", width, "?", *unit ? "  " : "");
	else
		printf("%*.2f%s", width, value, unit);
}

static void print_entry(const CompareView *view, const CompareEntry *e)
{
	printf("%c  ", e->letter);
	cells_print_padded(e->name, 30);
	print_number(view->refusal[0] ? (double) NAN : e->iqm.value, 9, "");
	if (isnan(e->iqm.lo) || view->refusal[0])
		printf("  %-20s", "no interval");
	else
		printf("  [%8.2f %8.2f] ", e->iqm.lo, e->iqm.hi);
	print_number(e->median, 9, "");
	print_number(e->worst, 9, "");
	print_number(e->mean.v_pct, 8, " %");
	print_number(e->mean.pod_hours, 8, "");
	print_number(e->mean.flips, 7, "");
	printf("\n");
}

static void print_diff(const CompareView *view)
{
	printf("\n%d of %d options differ\n", view->n_differ, view->n_keys);
	for (int k = 0; k < view->n_keys; k++) {
		if (!view->diff[k].differs)
			continue;
		printf("  %-24s", view->diff[k].key);
		for (int e = 0; e < view->n; e++) {
			printf(" %c ", view->entry[e].letter);
			cells_print_padded(view->diff[k].value[e][0] ? view->diff[k].value[e] : "-", 16);
		}
		printf("\n");
	}
}

static void print_table(const CompareView *view)
{
	char verdict[200];
	printf("%-33s%9s  %-20s%9s%9s%10s%8s%7s\n", "", "IQM", "95 % CI", "median", "worst", "viol", "pod-h", "flips");
	for (int e = 0; e < view->n; e++)
		print_entry(view, &view->entry[e]);
	if (view->rule.n)
		print_entry(view, &view->rule);
	printf("\n");
	for (int e = 0; e < view->n && !view->refusal[0]; e++) {
		compare_verdict(view, e, verdict, sizeof verdict);
		printf("%s\n", verdict);
	}
	if (view->refusal[0])
		printf("%s\n", view->refusal);
	print_diff(view);
}

static void add_estimate(Json *to, const char *key, const Estimate *e)
{
	Json *object = json_add_object(to, key);
	json_add_number(object, "value", e->value);
	json_add_number(object, "lo", e->lo);
	json_add_number(object, "hi", e->hi);
}

static int print_object(const CompareView *view, const ArchiveAnswer *answer, int i)
{
	const CompareEntry *e = i < view->n ? &view->entry[i] : &view->rule;
	Json *object = json_new_object();
	char letter[2] = { e->letter, '\0' }, verdict[200];
	json_add_string(object, "entry", letter);
	json_add_string(object, "name", e->name);
	Json *runs = json_add_array(object, "runs");
	for (int r = 0; r < e->n; r++)
		json_add_int(runs, NULL, answer->compared[e->run[r]].row.id);
	json_add_string(object, "trace", answer->compared[e->run[0]].trace);
	if (!view->refusal[0])
		add_estimate(object, "iqm", &e->iqm);
	else
		json_add_string(object, "refused", view->refusal);
	json_add_number(object, "median", e->median);
	json_add_number(object, "worst", e->worst);
	json_add_number(object, "v_pct", e->mean.v_pct);
	json_add_number(object, "pod_hours", e->mean.pod_hours);
	json_add_number(object, "flips", e->mean.flips);
	if (i < view->n && !view->refusal[0]) {
		compare_verdict(view, i, verdict, sizeof verdict);
		add_estimate(object, "difference", &e->difference);
		json_add_number(object, "p_greater", e->p_greater);
		add_estimate(object, "p_better", &e->better);
		json_add_string(object, "verdict", verdict);
	}
	int code = cells_print_object(object, false);
	(void) putchar('\n');
	return code;
}

int runs_compare(const Request *request)
{
	if (request->n_ids < 2 || request->n_ids > ARCHIVE_COMPARE)
		return error_set(request->err, ERR_USAGE, "runs compare: write 2 to %d runs", ARCHIVE_COMPARE);
	ArchiveAnswer *answer = calloc(1, sizeof *answer);
	CompareView *view = calloc(1, sizeof *view);
	int code = answer && view ? 0 : error_set(request->err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	for (size_t i = 0; i < request->n_ids && !code; i++)
		code = compare_read(request->db, request->id[i], &answer->compared[answer->n_compared++], request->err);
	if (!code) {
		view->reps = COMPARE_REPS_MANY;
		compare_build(view, answer);
		if (!request->options->json)
			print_table(view);
		for (int i = 0; request->options->json && i < view->n + (view->rule.n > 0) && !code; i++)
			code = print_object(view, answer, i);
	}
	free(answer);
	free(view);
	return code ? code : cells_written();
}
