/* See groups.h. */
#include "storage/groups.h"

#include "base/boot.h"
#include "base/mem.h"
#include "storage/db.h"

#include <ctype.h>
#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is alike ---- */

/* Behind a value, a string or a key: at the ',', '}' or ':' of its own level, or at the end of the text. */
static const char *skip_value(const char *at)
{
	int depth = 0;
	bool is_quoted = false;
	for (; *at; at++) {
		if (is_quoted) {
			if (*at == '\\' && at[1])
				at++;
			else
				is_quoted = *at != '"';
		} else if (*at == '"') {
			is_quoted = true;
		} else if (*at == '{' || *at == '[') {
			depth++;
		} else if (!depth && (*at == ',' || *at == '}' || *at == ':')) {
			break;
		} else if (*at == '}' || *at == ']') {
			depth--;
		}
	}
	return at;
}

static uint32_t add_text(uint32_t hash, const char *from, const char *to)
{
	for (; from < to; from++) /* FNV-1a */
		hash = isspace((unsigned char) *from) ? hash : (hash ^ (unsigned char) *from) * 16777619u;
	return hash;
}

static bool is_text(const char *from, const char *to, const char *text)
{
	size_t len = strlen(text);
	return (size_t) (to - from) == len && !memcmp(from, text, len);
}

uint32_t groups_key(const char *config)
{
	static const char *const APART[] = { "\"seed\"", "\"name\"", "\"out\"" };
	uint32_t hash = 2166136261u;
	const char *at = config + strspn(config, " \t\n");
	if (*at != '{')
		return 0;
	while (*at && *at != '}') {
		const char *key = at + 1 + strspn(at + 1, " \t\n"), *colon = skip_value(key);
		if (*colon != ':')
			break;
		const char *value = colon + 1 + strspn(colon + 1, " \t\n"), *end = skip_value(value);
		bool is_apart = is_text(value, end, "null");
		for (size_t i = 0; i < sizeof APART / sizeof *APART; i++)
			is_apart |= is_text(key, colon, APART[i]);
		if (!is_apart)
			hash = add_text(hash, key, end);
		at = end;
	}
	return hash ? hash : 1;
}

/* ---- runs into groups ---- */

typedef struct Member {
	int64_t run;
	uint64_t seed;
	double eval; /* best; NAN: none; once sorted, of those of one seed the mean at one of them */
	int32_t group;
} Member;

typedef struct Heap { /* a group while it is gathered */
	uint32_t key;
	int32_t n, first; /* members, the first of them */
	int32_t n_seeds;
	double iqm;
} Heap;

typedef struct Gathering {
	Member *member;
	Heap *heap;
	int32_t *slot;   /* of the keys, open addressing: heap + 1; 0: free */
	int32_t n_members, n_heaps, room, n_slots;
} Gathering;

static bool grow(Gathering *g)
{
	int32_t room = g->room ? g->room * 2 : 1024, n_slots = room * 4;
	Member *member = realloc(g->member, (size_t) room * sizeof *member);
	g->member = member ? member : g->member;
	Heap *heap = realloc(g->heap, (size_t) room * sizeof *heap);
	g->heap = heap ? heap : g->heap;
	int32_t *slot = calloc((size_t) n_slots, sizeof *slot);
	if (!member || !heap || !slot) {
		free(slot);
		return false;
	}
	for (int32_t h = 0; h < g->n_heaps; h++) {
		uint32_t at = heap[h].key % (uint32_t) n_slots;
		while (heap[h].key && slot[at])
			at = (at + 1) % (uint32_t) n_slots;
		if (heap[h].key)
			slot[at] = h + 1;
	}
	free(g->slot);
	g->slot = slot;
	g->room = room;
	g->n_slots = n_slots;
	return true;
}

static int32_t heap_of(Gathering *g, uint32_t key)
{
	uint32_t at = key % (uint32_t) g->n_slots;
	while (key && g->slot[at] && g->heap[g->slot[at] - 1].key != key)
		at = (at + 1) % (uint32_t) g->n_slots;
	if (key && g->slot[at])
		return g->slot[at] - 1;
	g->heap[g->n_heaps] = (Heap) { .key = key, .first = g->n_members };
	if (key)
		g->slot[at] = g->n_heaps + 1;
	return g->n_heaps++;
}

static int take(void *context, int64_t run, uint64_t seed, const char *config, double eval)
{
	Gathering *g = context;
	if (g->n_members == g->room && (g->n_members > INT32_MAX / 16 || !grow(g)))
		return ERR_NOMEM;
	int32_t h = heap_of(g, groups_key(config));
	g->heap[h].n++;
	g->member[g->n_members++] = (Member) { run, seed, eval, h };
	return 0;
}

/* ---- figures ---- */

static int newest_first(const void *a, const void *b)
{
	const Member *x = a, *y = b;
	return (x->run < y->run) - (x->run > y->run);
}

static int by_seed(const void *a, const void *b)
{
	const Member *x = a, *y = b;
	return (x->seed > y->seed) - (x->seed < y->seed);
}

/* Runs of one seed are one draw and not several. */
static void join_seeds(Heap *heap, Member *member)
{
	qsort(member, (size_t) heap->n, sizeof *member, by_seed);
	for (int32_t from = 0, to; from < heap->n; from = to) {
		double sum = 0;
		int32_t n = 0;
		for (to = from; to < heap->n && member[to].seed == member[from].seed; to++) {
			sum += isnan(member[to].eval) ? 0 : member[to].eval;
			n += !isnan(member[to].eval);
			member[to].eval = NAN;
		}
		member[from].eval = n ? sum / n : (double) NAN;
		heap->n_seeds++;
	}
}

/* The members by group, the newest first within each: heap.first is where a group's begin from then on. */
static int sort_members(Gathering *g)
{
	Member *sorted = malloc((size_t) (g->n_members ? g->n_members : 1) * sizeof *sorted);
	if (!sorted)
		return ERR_NOMEM;
	int32_t at = 0;
	for (int32_t h = 0; h < g->n_heaps; h++) {
		g->heap[h].first = at;
		at += g->heap[h].n;
		g->heap[h].n = 0;
	}
	for (int32_t m = 0; m < g->n_members; m++) {
		Heap *heap = &g->heap[g->member[m].group];
		sorted[heap->first + heap->n++] = g->member[m];
	}
	for (int32_t h = 0; h < g->n_heaps; h++) {
		join_seeds(&g->heap[h], sorted + g->heap[h].first);
		qsort(sorted + g->heap[h].first, (size_t) g->heap[h].n, sizeof *sorted, newest_first);
	}
	free(g->member);
	g->member = sorted;
	g->room = g->n_members;
	return 0;
}

/* The evaluations of a group's seeds that have one, into x, which holds all. */
static size_t evals_of(const Gathering *g, const Heap *heap, double *x)
{
	size_t n = 0;
	for (int32_t m = 0; m < heap->n; m++)
		if (!isnan(g->member[heap->first + m].eval))
			x[n++] = g->member[heap->first + m].eval;
	return n;
}

static int more_first(const void *a, const void *b)
{
	double x = ((const Heap *) a)->iqm, y = ((const Heap *) b)->iqm;
	return isnan(x) || isnan(y) ? isnan(x) - isnan(y) : (x < y) - (x > y);
}

static int less_first(const void *a, const void *b)
{
	double x = ((const Heap *) a)->iqm, y = ((const Heap *) b)->iqm;
	return isnan(x) || isnan(y) ? isnan(x) - isnan(y) : (x > y) - (x < y);
}

static void sort_heaps(Gathering *g, const RunSelection *s, double *x)
{
	for (int32_t h = 0; h < g->n_heaps; h++)
		g->heap[h].iqm = boot_iqm(x, evals_of(g, &g->heap[h], x));
	if (s->sort == SORT_EVAL)
		qsort(g->heap, (size_t) g->n_heaps, sizeof *g->heap, s->is_ascending ? less_first : more_first);
}

/* In what the runs of a group differ, and how far they are on average. */
static int read_mixed(struct sqlite3 *db, RunGroup *group, Error *err)
{
	static const char SQL[] =
		"SELECT count(DISTINCT status), count(DISTINCT tags), count(DISTINCT note), count(DISTINCT host), count(DISTINCT locked),"
		" count(DISTINCT deleted IS NULL), avg(steps) FROM runs WHERE id IN (SELECT value FROM json_each(?1))";
	sqlite3_stmt *stmt;
	StrBuf ids = { 0 };
	for (int32_t i = 0; i < group->n && i < ARCHIVE_COMPARE; i++)
		strbuf_addf(&ids, "%c%lld", i ? ',' : '[', (long long) group->id[i]);
	strbuf_addf(&ids, "]");
	int code = ids.failed ? ERR_NOMEM : sqlite3_prepare_v2(db, SQL, -1, &stmt, NULL) ? db_error(db, err) : 0;
	if (!code) {
		(void) sqlite3_bind_text(stmt, 1, ids.data, -1, SQLITE_STATIC);
		bool has_row = sqlite3_step(stmt) == SQLITE_ROW;
		for (int i = 0; has_row && i < 6; i++) /* in the order of MIXED_* */
			group->mixed |= sqlite3_column_int(stmt, i) > 1 ? 1 << i : 0;
		group->mean_steps = has_row ? sqlite3_column_double(stmt, 6) : (double) NAN;
		code = sqlite3_finalize(stmt) ? db_error(db, err) : 0;
	}
	strbuf_done(&ids);
	return code;
}

static int fill(struct sqlite3 *db, const Gathering *g, const Heap *heap, double *x, RunRow *row, RunGroup *group, Error *err)
{
	enum { SEED = 20211, REPS = 2000 }; /* Compare's */
	Rng rng;
	Estimate estimate;
	size_t n = evals_of(g, heap, x);
	BootSample sample = { x, &n, n ? 1 : 0 };
	rng_init(&rng, SEED, 0, RNG_BOOTSTRAP);
	*group = (RunGroup) { .n = heap->n, .n_seeds = heap->n_seeds, .iqm = NAN, .lo = NAN, .hi = NAN };
	for (int32_t m = 0; m < heap->n && m < ARCHIVE_COMPARE; m++)
		group->id[m] = g->member[heap->first + m].run;
	if (n && boot_estimate(&sample, REPS, boot_draw, &rng, &estimate))
		return error_set(err, ERR_NOMEM, "groups: out of memory");
	if (n) {
		group->iqm = estimate.value;
		group->lo = estimate.lo;
		group->hi = estimate.hi;
	}
	int code = read_mixed(db, group, err);
	return code ? code : runs_get(db, group->id[0], row, NULL, err);
}

int groups_select(struct sqlite3 *db, const RunSelection *s, RunRow *row, RunGroup *group, int32_t *ret_n, int64_t *ret_matched,
                  int32_t *ret_fault_col, Error *err)
{
	Gathering g = { .n_members = 0 };
	int code = grow(&g) ? runs_configs(db, s, take, &g, ret_fault_col, err) : ERR_NOMEM;
	code = code ? code : sort_members(&g);
	double *x = malloc((size_t) (g.n_members ? g.n_members : 1) * sizeof *x);
	if (!code && x)
		sort_heaps(&g, s, x);
	*ret_n = 0;
	for (int64_t h = s->offset; !code && x && h < g.n_heaps && *ret_n < s->limit; h++, ++*ret_n)
		code = fill(db, &g, &g.heap[h], x, &row[*ret_n], &group[*ret_n], err);
	*ret_matched = g.n_heaps;
	if (code == ERR_NOMEM || (!code && !x))
		code = error_set(err, ERR_NOMEM, "groups: out of memory");
	free(x);
	free(g.member);
	free(g.heap);
	free(g.slot);
	return code;
}
