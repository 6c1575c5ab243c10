/* Runs: the columns of its table, for runs and for groups of them. */
#include "base/clock.h"
#include "tui/console.h"
#include "tui/fmt.h"
#include "tui/screen_runs.h"

#include <math.h>
#include <stdio.h>

static const RunRow *run_of(const void *data, int row)
{
	return &((const RunTable *) data)->list->row[row];
}

/* What the row stands for; NULL: one run. */
static const RunGroup *group_of(const void *data, int row)
{
	const ArchiveAnswer *list = ((const RunTable *) data)->list;
	return row < list->n_groups ? &list->group[row] : NULL;
}

/* Whether the runs of a group differ in that: then the newest's is not all of theirs. */
static bool is_mixed(const void *data, int row, int32_t what, char *text, size_t size)
{
	const RunGroup *group = group_of(data, row);
	bool is_so = group && (group->mixed & what);
	if (is_so)
		(void) snprintf(text, size, "mixed");
	return is_so;
}

static Role cell_mark(const void *data, int row, char *text, size_t size)
{
	const RunTable *table = data;
	bool is_marked = runs_is_marked(table->console, run_of(data, row)->id);
	(void) snprintf(text, size, "%s", is_marked ? "*" : run_of(data, row)->deleted_ms ? "-" : "");
	return is_marked ? ROLE_INFO : ROLE_LABEL;
}

static Role cell_lock(const void *data, int row, char *text, size_t size)
{
	if (is_mixed(data, row, MIXED_LOCK | MIXED_TRASH, text, size))
		return ROLE_LABEL;
	const RunRow *run = run_of(data, row);
	const RunTable *table = data;
	int64_t gone_days = run->deleted_ms ? (table->console->frame.wall_ms - run->deleted_ms) / 86400000 : 0;
	if (run->deleted_ms)
		(void) snprintf(text, size, "trash %dd", (int) (TRASH_DAYS - gone_days > 0 ? TRASH_DAYS - gone_days : 0));
	else
		(void) snprintf(text, size, "%s", run->is_locked ? "LOCK" : "");
	return run->deleted_ms ? ROLE_LABEL : ROLE_WARN;
}

static Role cell_group(const void *data, int row, char *text, size_t size)
{
	uint32_t group = run_of(data, row)->group;
	if (group)
		(void) snprintf(text, size, "%03x", group & 0xfff);
	return ROLE_LABEL;
}

/* In one unit: finer would change, and be sent, each second in every row. */
static Role cell_age(const void *data, int row, char *text, size_t size)
{
	const RunTable *table = data;
	long s = (long) ((table->console->frame.wall_ms - run_of(data, row)->start_ms) / 1000);
	long n = s < 60 ? s : s < 3600 ? s / 60 : s < 86400 ? s / 3600 : s / 86400;
	(void) snprintf(text, size, "%ld %s", n > 0 ? n : 0, s < 60 ? "s" : s < 3600 ? "m" : s < 86400 ? "h" : "d");
	return ROLE_LABEL;
}

static Role cell_tags(const void *data, int row, char *text, size_t size)
{
	if (is_mixed(data, row, MIXED_TAGS, text, size))
		return ROLE_LABEL;
	(void) snprintf(text, size, "%s", run_of(data, row)->tags);
	return ROLE_INFO;
}

static Role cell_note(const void *data, int row, char *text, size_t size)
{
	if (is_mixed(data, row, MIXED_NOTE, text, size))
		return ROLE_LABEL;
	(void) snprintf(text, size, "%s", run_of(data, row)->note);
	return ROLE_LABEL;
}

static Role cell_id(const void *data, int row, char *text, size_t size)
{
	(void) snprintf(text, size, "%lld", (long long) run_of(data, row)->id);
	return ROLE_TEXT;
}

static Role cell_kind(const void *data, int row, char *text, size_t size)
{
	(void) snprintf(text, size, "%s", run_kind_text(run_of(data, row)->kind));
	return ROLE_LABEL;
}

static Role cell_name(const void *data, int row, char *text, size_t size)
{
	(void) snprintf(text, size, "%s", run_of(data, row)->name);
	return ROLE_TEXT;
}

static Role cell_status(const void *data, int row, char *text, size_t size)
{
	if (is_mixed(data, row, MIXED_STATUS, text, size))
		return ROLE_LABEL;
	static const Role ROLES[RUN_STATUS_COUNT] = { ROLE_INFO, ROLE_OK, ROLE_WARN, ROLE_BAD, ROLE_BAD };
	RunStatus status = run_of(data, row)->status;
	(void) snprintf(text, size, "%s", run_status_text(status));
	return status < RUN_STATUS_COUNT ? ROLES[status] : ROLE_TEXT;
}

static Role cell_seed(const void *data, int row, char *text, size_t size)
{
	(void) snprintf(text, size, "%llu", (unsigned long long) run_of(data, row)->seed);
	return ROLE_TEXT;
}

/* Of a group the mean. */
static Role cell_steps(const void *data, int row, char *text, size_t size)
{
	const RunGroup *group = group_of(data, row);
	(void) size;
	(void) fmt_count(text, group ? group->mean_steps : (double) run_of(data, row)->steps);
	return ROLE_TEXT;
}

/* A figure of a training run; control runs have no such thing, "-". */
static Role figure(const RunRow *run, char *text, size_t size, double value)
{
	if (run->kind != RUN_TRAIN)
		(void) snprintf(text, size, "-");
	else
		(void) fmt_number(text, value);
	return isnan(value) ? ROLE_LABEL : ROLE_TEXT;
}

static Role cell_reward(const void *data, int row, char *text, size_t size)
{
	return figure(run_of(data, row), text, size, run_of(data, row)->ep_rew_mean);
}

static Role cell_length(const void *data, int row, char *text, size_t size)
{
	return figure(run_of(data, row), text, size, run_of(data, row)->ep_len_mean);
}

static Role cell_eval(const void *data, int row, char *text, size_t size)
{
	const RunGroup *group = run_of(data, row)->kind == RUN_TRAIN ? group_of(data, row) : NULL;
	if (group) {
		(void) fmt_number(text, group->iqm);
		return isnan(group->iqm) ? ROLE_LABEL : ROLE_STRONG;
	}
	Role role = figure(run_of(data, row), text, size, run_of(data, row)->eval_mean);
	return role == ROLE_TEXT ? ROLE_STRONG : role;
}

static Role cell_std(const void *data, int row, char *text, size_t size)
{
	return figure(run_of(data, row), text, size, run_of(data, row)->eval_std);
}

static Role cell_interval(const void *data, int row, char *text, size_t size)
{
	const RunGroup *group = run_of(data, row)->kind == RUN_TRAIN ? group_of(data, row) : NULL;
	char lo[FMT_TEXT], hi[FMT_TEXT];
	if (group && isnan(group->lo))
		(void) snprintf(text, size, "n=%d, none", group->n_seeds);
	else if (group)
		(void) snprintf(text, size, "[%s %s]", fmt_number(lo, group->lo), fmt_number(hi, group->hi));
	return group && isnan(group->lo) ? ROLE_LABEL : ROLE_TEXT;
}

static Role cell_n(const void *data, int row, char *text, size_t size)
{
	const RunGroup *group = group_of(data, row);
	(void) snprintf(text, size, "%d", group ? group->n : 1);
	return ROLE_TEXT;
}

static Role cell_viol(const void *data, int row, char *text, size_t size)
{
	const RunRow *run = run_of(data, row);
	if (run->kind != RUN_TRAIN)
		(void) snprintf(text, size, "-");
	else
		(void) fmt_percent(text, run->last.v_pct / 100);
	return isnan(run->last.v_pct) ? ROLE_LABEL : ROLE_TEXT;
}

static Role cell_hours(const void *data, int row, char *text, size_t size)
{
	return figure(run_of(data, row), text, size, run_of(data, row)->last.pod_hours);
}

static Role cell_flips(const void *data, int row, char *text, size_t size)
{
	const RunRow *run = run_of(data, row);
	(void) snprintf(text, size, run->kind != RUN_TRAIN ? "-" : isnan(run->last.flips) ? "?" : "%.0f", run->last.flips);
	return isnan(run->last.flips) ? ROLE_LABEL : ROLE_TEXT;
}

static Role cell_host(const void *data, int row, char *text, size_t size)
{
	if (is_mixed(data, row, MIXED_HOST, text, size))
		return ROLE_LABEL;
	(void) snprintf(text, size, "%s", run_of(data, row)->host);
	return ROLE_LABEL;
}

static Role cell_start(const void *data, int row, char *text, size_t size)
{
	char stamp[CLOCK_TEXT];
	clock_format(run_of(data, row)->start_ms, stamp);
	(void) snprintf(text, size, "%.10s %.5s", stamp, stamp + 11);
	return ROLE_LABEL;
}

static Role cell_took(const void *data, int row, char *text, size_t size)
{
	const RunRow *run = run_of(data, row);
	if (run->end_ms)
		(void) fmt_duration(text, (double) (run->end_ms - run->start_ms) / 1000);
	else
		(void) snprintf(text, size, "-");
	return ROLE_LABEL;
}

static Role cell_policy(const void *data, int row, char *text, size_t size)
{
	(void) snprintf(text, size, "%s", run_of(data, row)->policy);
	return ROLE_LABEL;
}

const Column runs_columns[N_RUNS_COLUMNS] = {
	{ "", 1, 0, false, false, cell_mark },
	{ "id", 5, 0, true, false, cell_id },
	{ "kind", 8, 14, false, false, cell_kind },
	{ "name", 16, 0, false, true, cell_name },
	{ "status", 8, 0, false, false, cell_status },
	{ "lock", 9, 7, false, false, cell_lock },
	{ "grp", 3, 10, false, false, cell_group },
	{ "seed", 4, 5, true, false, cell_seed },
	{ "n", 3, 0, true, false, cell_n },
	{ "steps", 7, 2, true, false, cell_steps },
	{ "reward", 7, 8, true, false, cell_reward },
	{ "length", 6, 13, true, false, cell_length },
	{ "best eval", 9, 0, true, false, cell_eval },
	{ "std", 6, 11, true, false, cell_std },
	{ "95 % CI", 17, 1, false, false, cell_interval },
	{ "viol", 6, 2, true, false, cell_viol },
	{ "pod-h", 6, 1, true, false, cell_hours },
	{ "flips", 5, 9, true, false, cell_flips },
	{ "age", 5, 3, true, false, cell_age },
	{ "tags", 12, 8, false, false, cell_tags },
	{ "start (UTC)", 16, 15, false, false, cell_start },
	{ "took", 9, 16, true, false, cell_took },
	{ "host", 12, 18, false, false, cell_host },
	{ "policy", 16, 17, false, false, cell_policy },
	{ "note", 20, 12, false, true, cell_note },
};

typedef Role (*CellFn)(const void *data, int row, char *text, size_t size);

static bool is_of(CellFn cell, const CellFn *list, size_t n)
{
	while (n && list[n - 1] != cell)
		n--;
	return n > 0;
}

/* A group has the mean of these, and its own for the rest; what is a run's alone leaves. */
int runs_pick_columns(const Console *console, Column *column)
{
	static const CellFn OF_RUNS[] = { cell_group, cell_seed, cell_reward, cell_length, cell_std, cell_took, cell_policy },
	                    OF_GROUPS[] = { cell_n, cell_interval };
	const ArchiveAnswer *list = talk_answer(&console->talk, SLOT_RUNS);
	bool is_grouped = list && list->n_groups;
	Column all[COLUMNS_MAX];
	int n = 0, n_titled = 0, n_all = console_columns(console, SCREEN_RUNS, all);
	for (int i = 0; i < n_all; i++) {
		if (is_grouped ? is_of(all[i].cell, OF_RUNS, sizeof OF_RUNS / sizeof *OF_RUNS)
		               : is_of(all[i].cell, OF_GROUPS, sizeof OF_GROUPS / sizeof *OF_GROUPS))
			continue;
		column[n] = all[i];
		if (is_grouped && all[i].cell == cell_eval)
			column[n].title = "eval IQM";
		n_titled += column[n++].title[0] != '\0';
	}
	for (int i = 0; !n_titled && i < N_RUNS_COLUMNS; i++) /* all that were chosen have left */
		if (runs_columns[i].cell == cell_name)
			column[n++] = runs_columns[i];
	return n;
}
