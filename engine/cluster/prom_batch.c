/* See prom_batch.h. */
#include "cluster/prom_batch.h"

#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { QUERY_MS = 2000, JOINED_MAX = 100 };

const char *prom_template(const PromQueries *queries, int v, PromKind kind)
{
	return kind == PROM_SCRAPED ? queries->scraped : kind == PROM_NEWEST ? queries->newest[v] : queries->query[v];
}

static bool is_by_pod(int v, PromKind kind)
{
	return v == PROM_CPU || v == PROM_MEMORY || kind == PROM_SCRAPED;
}

/* Whether one query with all names in it gives rows by pod. */
static bool is_one_pattern(const char *template)
{
	return strstr(template, "$POD") && !strstr(template, "$NAME");
}

/* ---- groups ---- */

void prom_batch_clear(PromBatch *batch)
{
	for (size_t g = 0; g < batch->n; g++)
		batch->group[g].n = 0;
	batch->n = 0;
}

void prom_batch_done(PromBatch *batch)
{
	for (size_t g = 0; g < batch->size; g++) {
		free(batch->group[g].member);
		for (int v = 0; v < PROM_VALUES; v++)
			for (int k = 0; k < PROM_KINDS; k++)
				prom_rows_done(&batch->group[g].answer[v][k].rows);
	}
	free(batch->group);
	*batch = (PromBatch) { 0 };
}

static PromGroup *group_of(PromBatch *batch, const Target *target, const PromQueries *queries)
{
	for (size_t g = 0; g < batch->n; g++)
		if (batch->group[g].queries == queries && !strcmp(batch->group[g].first->namespace_, target->namespace_))
			return &batch->group[g];
	PromGroup *group = mem_room(batch->group, batch->n, &batch->size, sizeof *group);
	if (!group)
		return NULL;
	batch->group = group;
	group += batch->n++;
	group->first = target;
	group->queries = queries;
	group->n = 0;
	return group;
}

int prom_batch_add(PromBatch *batch, const Target *target, size_t i, const PromQueries *queries)
{
	PromGroup *group = group_of(batch, target, queries);
	if (!group)
		return -1;
	size_t *member = mem_room(group->member, group->n, &group->size, sizeof *member);
	if (!member)
		return -1;
	group->member = member;
	group->member[group->n++] = i;
	return (int) (group - batch->group);
}

/* ---- asking ---- */

typedef struct Ask { /* what a thread asks: one value of every group */
	PromBatch *batch;
	PromMetrics *prom;
	const Target *target;
	PromGroup *group;
	PromLane *lane;
	int v;
	int64_t now_ms, deadline_ms;
} Ask;

/* "(a|b|c)" for $POD. */
static int fill_pattern(const Ask *ask, const char *template, StrBuf *promql)
{
	StrBuf names = { 0 };
	for (size_t i = 0; i < ask->group->n; i++) {
		strbuf_addf(&names, "%s", i ? "|" : "(");
		prom_expand(&names, "$POD", &ask->target[ask->group->member[i]], 0, 0);
	}
	strbuf_addf(&names, ")");
	prom_expand_pods(promql, template, ask->group->first, names.failed ? "" : names.data, ask->prom->config.rate_window_s,
	                 ask->prom->config.latency_window_s);
	int code = names.failed || promql->failed ? ERR_NOMEM : 0;
	strbuf_done(&names);
	return code;
}

/* The targets from the first on, at most JOINED_MAX. */
static int fill_joined(const Ask *ask, const char *template, size_t first, StrBuf *promql)
{
	for (size_t i = first; i < ask->group->n && i < first + JOINED_MAX; i++) {
		const Target *target = &ask->target[ask->group->member[i]];
		strbuf_addf(promql, "%slabel_replace((", i > first ? " or " : "");
		prom_expand(promql, template, target, ask->prom->config.rate_window_s, ask->prom->config.latency_window_s);
		strbuf_addf(promql, "), \"maestro_target\", \"%s\", \"\", \"\")", target->name);
	}
	return promql->failed ? ERR_NOMEM : 0;
}

static int send(const Ask *ask, Error *err)
{
	int64_t left_ms = ask->deadline_ms - clock_mono_ms(ask->prom->config.clock);
	if (left_ms <= 0)
		return error_set(err, ERR_TIMEOUT, "prometheus: its answers took too long");
	return prom_query(&ask->lane->query, ask->lane->promql.data, ask->now_ms, left_ms < QUERY_MS ? left_ms : QUERY_MS, &ask->lane->rows,
	                  err);
}

static int append(PromRows *to, const PromRows *from)
{
	if (to->n + from->n > to->size) {
		size_t size = (to->n + from->n) * 2;
		PromRow *row = realloc(to->row, size * sizeof *row);
		if (!row)
			return ERR_NOMEM;
		to->row = row;
		to->size = size;
	}
	if (from->n)
		memcpy(to->row + to->n, from->row, from->n * sizeof *from->row);
	to->n += from->n;
	return 0;
}

static int compare_rows(const void *a, const void *b)
{
	const PromRow *x = a, *y = b;
	int by_target = strcmp(x->target, y->target);
	return by_target ? by_target : strcmp(x->pod, y->pod);
}

static int fill(const Ask *ask, const char *template, bool is_pattern, size_t first, StrBuf *promql)
{
	if (ask->group->n > 1)
		return is_pattern ? fill_pattern(ask, template, promql) : fill_joined(ask, template, first, promql);
	prom_expand(promql, template, ask->group->first, ask->prom->config.rate_window_s, ask->prom->config.latency_window_s);
	return promql->failed ? ERR_NOMEM : 0;
}

static void ask_one(const Ask *ask, PromKind kind)
{
	PromAnswer *answer = &ask->group->answer[kind == PROM_SCRAPED ? 0 : ask->v][kind];
	const char *template = prom_template(ask->group->queries, ask->v, kind);
	bool is_pattern = is_by_pod(ask->v, kind) && is_one_pattern(template);
	answer->code = 0;
	for (size_t first = 0; first < ask->group->n && !answer->code; first += is_pattern ? ask->group->n : JOINED_MAX) {
		strbuf_clear(&ask->lane->promql);
		answer->code = fill(ask, template, is_pattern, first, &ask->lane->promql);
		if (!answer->code)
			answer->code = send(ask, &answer->err);
		if (!answer->code)
			answer->code = append(&answer->rows, &ask->lane->rows);
	}
	if (!answer->code && answer->rows.n && ask->group->n > 1)
		qsort(answer->rows.row, answer->rows.n, sizeof *answer->rows.row, compare_rows);
}

/* Where there is no value, its newest sample and whether its pods are scraped are hardly ever wanted: one target alone asks then. */
static void ask_group(const Ask *ask)
{
	bool is_many = ask->group->n > 1;
	ask_one(ask, PROM_VALUE);
	if (is_many || ask->group->answer[ask->v][PROM_VALUE].rows.n)
		ask_one(ask, PROM_NEWEST);
	if (is_many && ask->v == PROM_RPS)
		ask_one(ask, PROM_SCRAPED);
}

static void *ask_all(void *arg)
{
	Ask ask = *(const Ask *) arg;
	for (size_t g = 0; g < ask.batch->n; g++) {
		ask.group = &ask.batch->group[g];
		ask_group(&ask);
	}
	return NULL;
}

static void forget_answers(PromBatch *batch)
{
	for (size_t g = 0; g < batch->n; g++)
		for (int v = 0; v < PROM_VALUES; v++)
			for (int k = 0; k < PROM_KINDS; k++) {
				PromAnswer *answer = &batch->group[g].answer[v][k];
				answer->rows.n = 0;
				answer->code = ERR_NOT_FOUND;
				answer->err = (Error) { 0 };
			}
}

void prom_batch_ask(PromBatch *batch, PromMetrics *prom, const Target *target, int64_t now_ms, int64_t deadline_ms)
{
	Ask ask[PROM_VALUES];
	pthread_t thread[PROM_VALUES];
	bool is_started[PROM_VALUES] = { false };
	forget_answers(batch);
	for (int v = 0; v < PROM_VALUES; v++) {
		ask[v] = (Ask) { .batch = batch, .prom = prom, .target = target, .lane = &prom->lane[v], .v = v, .now_ms = now_ms,
		                 .deadline_ms = deadline_ms };
		is_started[v] = batch->n && v + 1 < PROM_VALUES && !pthread_create(&thread[v], NULL, ask_all, &ask[v]);
	}
	for (int v = PROM_VALUES - 1; v >= 0; v--) /* the last one here, and those that no thread was to be had for */
		if (!is_started[v])
			(void) ask_all(&ask[v]);
	for (int v = 0; v < PROM_VALUES; v++)
		if (is_started[v])
			(void) pthread_join(thread[v], NULL);
}

/* ---- answers ---- */

/* The first row that is not before (target, pod). */
static size_t lower_bound(const PromRows *rows, const char *target, const char *pod)
{
	size_t lo = 0, hi = rows->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int by_target = strcmp(rows->row[mid].target, target);
		if (by_target < 0 || (!by_target && strcmp(rows->row[mid].pod, pod) < 0))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int take(PromRows *rows, const PromRow *row)
{
	const PromRows one = { .row = (PromRow *) (uintptr_t) row, .n = 1 };
	return append(rows, &one);
}

/* Rows without a pod first, since each reader must see them; then those of the listed pods. */
static int take_pods(const PromRows *all, const char *target, const PodList *pods, PromRows *rows)
{
	int code = 0;
	for (size_t i = lower_bound(all, target, ""); i < all->n && !code && !strcmp(all->row[i].target, target) && !all->row[i].pod[0]; i++)
		code = take(rows, &all->row[i]);
	for (size_t p = 0; p < pods->n && !code; p++) {
		size_t i = lower_bound(all, target, pods->name[p]);
		if (i < all->n && !strcmp(all->row[i].target, target) && !strcmp(all->row[i].pod, pods->name[p]))
			code = take(rows, &all->row[i]);
	}
	return code;
}

int prom_batch_rows(const PromBatch *batch, int group, const Target *target, const PodList *pods, int v, PromKind kind, PromRows *rows,
                    Error *err)
{
	const PromGroup *of = group >= 0 && (size_t) group < batch->n ? &batch->group[group] : NULL;
	if (!of)
		return ERR_NOT_FOUND;
	const PromAnswer *answer = &of->answer[kind == PROM_SCRAPED ? 0 : v][kind];
	bool is_many = of->n > 1;
	if (answer->code == ERR_NOT_FOUND || (is_many && (answer->code == ERR_INVALID || answer->code == ERR_PARSE)))
		return ERR_NOT_FOUND; /* alone it may do, or else says what is wrong with it */
	if (answer->code)
		return error_set(err, answer->code, "%s", answer->err.text[0] ? answer->err.text : err_text(answer->code));
	bool is_pattern = is_by_pod(v, kind) && is_one_pattern(prom_template(of->queries, v, kind));
	const char *name = is_pattern ? "" : target->name;
	int code = 0;
	rows->n = 0;
	if (!is_many) {
		code = append(rows, &answer->rows);
	} else if (is_by_pod(v, kind)) {
		code = take_pods(&answer->rows, name, pods, rows);
	} else {
		for (size_t i = lower_bound(&answer->rows, name, ""); i < answer->rows.n && !code &&
		     !strcmp(answer->rows.row[i].target, name); i++)
			code = take(rows, &answer->rows.row[i]);
	}
	return code ? error_set(err, code, "%s", err_text(code)) : 0;
}
