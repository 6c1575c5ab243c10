/*
 * The inside of server.h, inline: request_run() lives through millions of events of a server whose state then stays in registers.
 * For server.c and request.c alone.
 *
 * Processor sharing by virtual time: V advances at R/n, the cores in use over the requests in service, so a request
 * of demand x that enters at V is done at V + x, and a binary heap of V + x gives the next completion. The quota
 * falls at R; at 0 the pod stops until the period's boundary. The next event is chosen by its kind and its
 * time is then taken over exactly, never derived anew by comparing times: late in a run the rounding of now_s is larger
 * than what is left of a period.
 */
#ifndef MAESTRO_SIM_SERVER_INSIDE_H
#define MAESTRO_SIM_SERVER_INSIDE_H

#include "sim/server.h"

#include <math.h>

#define INSIDE static inline __attribute__((always_inline))

typedef enum EventKind { EVENT_NONE, EVENT_COMPLETION, EVENT_QUOTA, EVENT_BOUNDARY } EventKind;

INSIDE void heap_push(Server *server, Job job)
{
	uint32_t at = server->n++;
	while (at > 0 && server->heap[(at - 1) / 2].finish_s > job.finish_s) {
		server->heap[at] = server->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	server->heap[at] = job;
}

INSIDE Job heap_pop(Server *server)
{
	Job top = server->heap[0], last = server->heap[--server->n];
	uint32_t at = 0;
	for (uint32_t child = 1; child < server->n; child = 2 * at + 1) {
		if (child + 1 < server->n) /* added, not branched on: which of two is less nobody can foresee */
			child += server->heap[child + 1].finish_s < server->heap[child].finish_s;
		if (last.finish_s <= server->heap[child].finish_s)
			break;
		server->heap[at] = server->heap[child];
		at = child;
	}
	server->heap[at] = last;
	return top;
}

/* An idle pod has no boundary events: it takes over at the next arrival what its periods would have given it. */
INSIDE void refill_idle(Server *server)
{
	if (server->now_s < server->boundary_s)
		return;
	server->boundary_s += (floor((server->now_s - server->boundary_s) / server->period_s) + 1.0) * server->period_s;
	server->quota_left_s = server->quota_s;
	server->is_hit = false;
}

/* server_arrive(); is_free: there is no quota. */
INSIDE bool server_take(Server *server, double demand_s, bool is_free)
{
	if (!is_free && !server->n)
		refill_idle(server);
	if (server->n < server->concurrency) {
		heap_push(server, (Job) { server->virtual_s + demand_s, server->now_s });
		return true;
	}
	if (server->waiting == server->queue_max)
		return false;
	server->wait[(server->wait_head + server->waiting++) % server->queue_max] = (Job) { demand_s, server->now_s };
	return true;
}

INSIDE Job take_completed(Server *server)
{
	Job done = heap_pop(server);
	if (server->waiting) {
		Job next = server->wait[server->wait_head];
		server->wait_head = (server->wait_head + 1) % server->queue_max;
		server->waiting--;
		next.finish_s += server->virtual_s;
		heap_push(server, next);
	}
	return done;
}

INSIDE void pass(Server *server, double step, double busy, bool is_free)
{
	if (busy > 0.0) {
		server->virtual_s += step * busy / server->n;
		if (!is_free)
			server->quota_left_s -= step * busy;
	}
	server->sums.in_pod_s += step * (server->n + server->waiting);
	server->sums.cpu_s += step * busy;
	server->sums.time_s += step;
}

/* The next event, not later than until_s, and the server moved to it. */
INSIDE EventKind advance(Server *server, double until_s, bool is_free)
{
	EventKind kind = EVENT_NONE;
	double step = until_s - server->now_s;
	double busy = server->n < server->cores ? (double) server->n : server->cores;
	if (!server->n || (!is_free && server->quota_left_s <= 0.0))
		busy = 0.0;
	if (!is_free && server->n && server->boundary_s - server->now_s <= step) {
		kind = EVENT_BOUNDARY;
		step = server->boundary_s - server->now_s;
	}
	if (busy > 0.0) {
		double to_finish = (server->heap[0].finish_s - server->virtual_s) * server->n / busy;
		if (!is_free && server->quota_left_s <= step * busy) {
			kind = EVENT_QUOTA;
			step = server->quota_left_s / busy;
		}
		if (to_finish <= step) {
			kind = EVENT_COMPLETION;
			step = to_finish;
		}
	}
	pass(server, step, busy, is_free);
	server->now_s = kind == EVENT_NONE ? until_s : kind == EVENT_BOUNDARY ? server->boundary_s : server->now_s + step;
	return kind;
}

INSIDE void begin_period(Server *server)
{
	server->sums.periods += 1.0;
	server->sums.throttled += server->is_hit ? 1.0 : 0.0;
	server->boundary_s += server->period_s;
	server->quota_left_s = server->quota_s;
	server->is_hit = false;
}

/* server_next() */
INSIDE bool server_live(Server *server, double until_s, Job *ret_done, bool is_free)
{
	for (;;) {
		EventKind kind = advance(server, until_s, is_free);
		server->sums.events += 1.0;
		switch (kind) {
		case EVENT_NONE:
			return false;
		case EVENT_BOUNDARY:
			begin_period(server);
			break;
		case EVENT_QUOTA:
			server->quota_left_s = 0.0;
			server->is_hit = true;
			break;
		case EVENT_COMPLETION:
			server->virtual_s = server->heap[0].finish_s;
			*ret_done = take_completed(server);
			if (!server->n)
				server->virtual_s = 0.0; /* starts afresh, so that V keeps its digits in a long run */
			return true;
		}
	}
}

#endif
