/* See server.h; how it works is in server_inside.h. */
#include "sim/server_inside.h"

uint32_t server_jobs(const Service *service)
{
	return (uint32_t) (service->concurrency + fmax(service->queue_max, 1.0));
}

void server_init(Server *server, const Service *service, double now_s, double phase, Job *job)
{
	bool is_free = service->cpu_limit <= 0.0 || service->cpu_limit >= service->threads;
	*server = (Server) {
		.now_s = now_s,
		.quota_s = is_free ? INFINITY : service->cpu_limit * service->cfs_period,
		.period_s = service->cfs_period,
		.cores = service->threads,
		.concurrency = (uint32_t) service->concurrency,
		.queue_max = (uint32_t) service->queue_max,
		.heap = job,
		.wait = job + (uint32_t) service->concurrency,
	};
	server->quota_left_s = server->quota_s;
	server->boundary_s = is_free ? INFINITY : now_s + phase * server->period_s;
}

bool server_arrive(Server *server, double demand_s)
{
	return server_take(server, demand_s, false);
}

bool server_next(Server *server, double until_s, Job *ret_done)
{
	return server_live(server, until_s, ret_done, false);
}

Sizes sizes_of(const Service *service)
{
	double variance = log(1.0 + service->service_cv * service->service_cv);
	return (Sizes) { service->service_mean, service->service_cv, service->service_overhead, -.5 * variance,
	                 sqrt(variance) };
}

double sizes_draw(const Sizes *sizes, Rng *rng)
{
	if (sizes->cv == 0.0)
		return sizes->mean + sizes->overhead;
	if (sizes->cv == 1.0)
		return sizes->mean * rng_exponential(rng) + sizes->overhead;
	return sizes->mean * exp(sizes->mu + sizes->sigma * rng_normal(rng)) + sizes->overhead;
}

void sizes_draw_each(const Sizes *sizes, Rng *rng, double *ret, uint32_t n)
{
	bool is_exponential = sizes->cv == 1.0;
	if (is_exponential)
		rng_exponentials(rng, ret, n);
	for (uint32_t k = 0; k < n; k++)
		ret[k] = is_exponential ? sizes->mean * ret[k] + sizes->overhead : sizes_draw(sizes, rng);
}
