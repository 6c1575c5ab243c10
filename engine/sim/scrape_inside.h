/*
 * cAdvisor's visits and the scrapes since the last query, of eight pods side by side: nobody can foresee whose visits come when, so
 * that branches would be guessed wrong. The compiler keeps eight numbers in the widest registers that the caller may use. A comparison
 * gives -1 where it holds, 0 elsewhere.
 */
#ifndef MAESTRO_SIM_SCRAPE_INSIDE_H
#define MAESTRO_SIM_SCRAPE_INSIDE_H

#include "sim/history.h"

enum { EIGHT = 8 };

typedef int32_t Ints __attribute__((vector_size(EIGHT * sizeof(int32_t))));
typedef uint32_t Parts __attribute__((vector_size(EIGHT * sizeof(uint32_t)))); /* in HOUSE_PARTS of a sub-step, modulo 2^32 */
typedef int64_t Pairs __attribute__((vector_size(EIGHT * sizeof(int32_t))));
typedef double Doubles __attribute__((vector_size(EIGHT * sizeof(double))));

static ALWAYS Ints either(Ints is_first, Ints a, Ints b)
{
	return b ^ ((a ^ b) & is_first);
}

static ALWAYS bool is_any(Ints is)
{
	const Pairs pair = (Pairs) is;
	return (pair[0] | pair[1] | pair[2] | pair[3]) != 0;
}

static ALWAYS Ints has_come(Parts at, Parts until)
{
	return (Ints) (until - at) >= 0;
}

enum { KEPT_STAMPS = 2 }; /* metrics-server looks at the last two, however old */

typedef struct Query { /* what all of them look at */
	const SimModel *model;
	SimRow *row;
	const SimView *view;
	double now_s;
	double old_s;      /* who was ready by then took traffic before anything that is still known */
	int32_t tick, rate_ticks; /* now; in the window of rates */
	int32_t every;     /* sub-steps between scrapes */
	int32_t stamps, house_every, house_jitter, depth, columns; /* the model's */
	int32_t at;        /* where the history has now */
	int32_t outage_from, outage_to;
	bool is_stale;     /* an outage has lasted so long that instant values are none any more */
} Query;

typedef struct Visits { /* cAdvisor's, as they go on */
	Parts next, chance;
} Visits;

/*
 * The next of each that `is_come` holds for. Their jitter is bytes of a pod's own, the best bits of a linear congruential generator:
 * in 256ths, to the nearest.
 */
static ALWAYS void visit(const Query *q, Ints is_come, Visits *v)
{
	Parts chance = v->chance * 747796405u + 2891336453u;
	Parts later = (uint32_t) q->house_every + ((uint32_t) q->house_jitter * (chance / (1u << 24)) + 128u) / 256u;
	v->next += later & (Parts) is_come;
	v->chance = (Parts) either(is_come, (Ints) chance, (Ints) v->chance);
}

typedef struct Samples { /* of the pods' cpu */
	Ints n, oldest, newest; /* how many, and how many sub-steps ago */
} Samples;

typedef struct Batch { /* so many pods, in their order */
	int32_t n;
	Pod *pod[EIGHT];
	int16_t *stamp[EIGHT];
	Visits visits;
	Ints at, until;    /* of the next scrape, of the last one */
	Ints n_stamps, newest, newest_stamp;
	Pod nobody;        /* stands for those beyond n */
} Batch;

static ALWAYS void gather(const Query *q, const int16_t *lane, int32_t n, Batch *b)
{
	b->n = n;
	b->nobody = (Pod) { .scrape_tick = INT32_MAX };
	for (int32_t k = 0; k < b->n; k++) {
		b->pod[k] = &q->view->pod[lane[k]];
		b->stamp[k] = q->view->stamp + lane[k] * q->stamps;
	}
	for (int32_t k = b->n; k < EIGHT; k++) {
		b->pod[k] = &b->nobody;
		b->stamp[k] = q->view->stamp; /* only read */
	}
	Ints at, until, n_stamps, newest, newest_stamp; /* in registers: a load of what eight stores wrote would wait for them */
	Parts next, chance;
	for (int32_t k = 0; k < EIGHT; k++) {
		const Pod *pod = b->pod[k];
		next[k] = pod->house_at;
		chance[k] = pod->chance;
		at[k] = pod->scrape_tick;
		until[k] = pod->gone_tick < q->tick ? pod->gone_tick : q->tick;
		n_stamps[k] = pod->n_stamps;
		newest[k] = pod->stamp;
		newest_stamp[k] = b->stamp[k][pod->stamp];
	}
	b->visits = (Visits) { next, chance };
	b->at = at;
	b->until = until;
	b->n_stamps = n_stamps;
	b->newest = newest;
	b->newest_stamp = newest_stamp;
}

/*
 * Scrapes up to the present: what cAdvisor has new becomes a sample. Between two scrapes there are one or two visits; where there are
 * more, the scrape waits for another turn.
 */
static ALWAYS void catch_up(const Query *q, Batch *b)
{
	for (Ints is_left = b->at <= b->until; is_any(is_left); is_left = b->at <= b->until) {
		Parts end = (Parts) b->at * HOUSE_PARTS;
		Ints is_scraped = is_left & ~((b->at >= q->outage_from) & (b->at < q->outage_to));
		Ints is_come = is_scraped & has_come(b->visits.next, end), is_again, is_new, next = b->newest + 1, last = (Ints) b->visits.next;
		visit(q, is_come, &b->visits);
		is_again = is_come & has_come(b->visits.next, end);
		last = either(is_again, (Ints) b->visits.next, last);
		visit(q, is_again, &b->visits);
		is_left &= ~(is_again & has_come(b->visits.next, end));
		is_new = is_come & is_left;
		b->newest_stamp = either(is_new, (Ints) (((Parts) last + (HOUSE_PARTS - 1)) / HOUSE_PARTS), b->newest_stamp); /* rounded up */
		b->newest = either(is_new, next & (next < q->stamps), b->newest);
		b->n_stamps -= is_new & (b->n_stamps < q->stamps);
		b->at += q->every & is_left;
		for (int32_t k = 0; k < b->n; k++) /* where there is none, what it has already */
			b->stamp[k][b->newest[k]] = (int16_t) b->newest_stamp[k];
	}
}

/* How many sub-steps ago stamps were. */
static ALWAYS Ints ages_of(const Query *q, Ints stamp)
{
	return (q->tick - stamp) & UINT16_MAX;
}

static ALWAYS Ints oldest_of(const Query *q, const Batch *b)
{
	Ints at = b->newest - b->n_stamps + 1, stamp;
	at += q->stamps & (at < 0);
	for (int32_t k = 0; k < EIGHT; k++)
		stamp[k] = b->stamp[k][at[k]];
	return ages_of(q, stamp);
}

/* What no window reaches is forgotten; what is left. */
static ALWAYS Samples samples_of(const Query *q, Batch *b)
{
	for (;;) {
		Ints oldest = oldest_of(q, b), is_over = (b->n_stamps > KEPT_STAMPS) & (oldest >= q->rate_ticks);
		if (!is_any(is_over))
			return (Samples) { b->n_stamps, oldest, ages_of(q, b->newest_stamp) };
		b->n_stamps += is_over;
	}
}

static ALWAYS void scatter(const Batch *b)
{
	for (int32_t k = 0; k < b->n; k++) {
		Pod *pod = b->pod[k];
		pod->house_at = b->visits.next[k];
		pod->chance = b->visits.chance[k];
		pod->scrape_tick = b->at[k];
		pod->n_stamps = (uint8_t) b->n_stamps[k];
		pod->stamp = (uint8_t) b->newest[k];
	}
}

#endif
