/*
 * bench_sim
 *
 * Steps of the simulator a second and bytes of an environment, one JSON object a line (default service, constant traffic), what an
 * event of the request level costs, and a response table (in CPU time, as the machine may be busy);
 * and what a frame of the console costs, in milliseconds (Train at 30 x 100 from memory to text).
 */
#include "base/mem.h"
#include "base/rng.h"
#include "fakes/fake_feed.h"
#include "fakes/views.h"
#include "sim/sim.h"
#include "sim/server.h"
#include "sim/table.h"
#include "tui/ui.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { STEPS = 20480, ROUNDS = 20, FRAMES = 100 };

static double now(void)
{
	struct timespec time;
	(void) clock_gettime(CLOCK_MONOTONIC, &time);
	return (double) time.tv_sec + 1e-9 * (double) time.tv_nsec;
}

/* Of this process: another one's on a busy machine are not in it. */
static double cpu_now(void)
{
	struct timespec time;
	(void) clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double) time.tv_sec + 1e-9 * (double) time.tv_nsec;
}

/* Seconds of CPU of STEPS steps over all rows; < 0: failed. */
static double run(Env *env, EnvBuf *buf)
{
	Rng rng;
	rng_init(&rng, 1, 0, RNG_ACTION);
	if (env->ops->reset(env, 1, buf))
		return -1.0;
	double begin = cpu_now();
	for (size_t t = 0; t < STEPS / env->n; t++) {
		for (size_t e = 0; e < env->n; e++)
			buf->action[e] = (int32_t) rng_below(&rng, 3);
		if (env->ops->step(env, 0, env->n, buf))
			return -1.0;
	}
	return cpu_now() - begin;
}

typedef struct Case {
	const char *name;
	size_t n;
	int32_t min, max;  /* replicas, where random actions lead */
	float window_s;    /* of the latency query */
} Case;

static const Case CASES[] = {
	{ "sim_1_pod", 1, 1, 1, 60.0f },
	{ "sim_8_pods", 1, 8, 8, 60.0f },
	{ "sim_random", 1, 1, 15, 60.0f },
	{ "sim_random", 16, 1, 15, 60.0f },
	{ "sim_random", 1024, 1, 15, 60.0f },
	{ "sim_seed", 1, 1, 15, 300.0f },
};

static int bench_steps(const Case *c)
{
	size_t n = c->n;
	SimConfig config;
	Env *env = NULL;
	EnvSpec spec;
	EnvBuf buf = { 0 };
	Error err = { 0 };
	double best = -1.0;
	sim_config_default(&config);
	config.min_replicas = c->min;
	config.max_replicas = c->max;
	config.latency_window_s = c->window_s;
	int code = sim_env_new(&config, n, &env, &err);
	if (!code) {
		env->ops->spec(env, &spec);
		code = env_buf_init(&buf, n, &spec);
	}
	for (int round = 0; round < ROUNDS && !code; round++) {
		double took = run(env, &buf);
		code = took < 0.0 ? ERR_FAILED : 0;
		best = best < 0.0 || took < best ? took : best;
	}
	if (!code)
		printf("{\"bench\":\"%s\",\"envs\":%zu,\"steps\":%d,\"seconds\":%.4f,\"steps_per_s\":%.0f,\"bytes_per_env\":%zu}\n",
		       c->name, n, STEPS, best, STEPS / best, env->ops->state_size(env) / n);
	env_buf_done(&buf);
	env_free(env);
	return code;
}

static int bench_frame(void)
{
	FakeFeed fake;
	TrainView *train = calloc(1, sizeof *train);
	LiveView *live = calloc(1, sizeof *live);
	int code = train && live ? 0 : ERR_NOMEM;
	double best = 1e9;
	if (!code) {
		views_fill_train(train, 0.5);
		views_fill_live(live, 200);
		fake_feed_init(&fake, train, live);
	}
	for (int round = 0; round < ROUNDS && !code; round++) {
		double begin = now();
		for (int i = 0; i < FRAMES && !code; i++) {
			StrBuf text = { 0 };
			code = ui_render_text(&fake.feed, SCREEN_TRAIN, 30, 100, &text);
			strbuf_done(&text);
		}
		double took = (now() - begin) / FRAMES;
		best = took < best ? took : best;
	}
	if (!code)
		printf("{\"bench\":\"frame\",\"screen\":\"train\",\"size\":\"30x100\",\"ms\":%.3f}\n", best * 1e3);
	free(train);
	free(live);
	return code;
}

/* ---- the request level ---- */

enum { PODS_MOST = 15, ARRIVALS = 1000000 };

/* Requests to `pods` pods at random, at 80 % of what they can. */
static double live(Server *server, int32_t pods, const Service *service)
{
	Rng rng;
	Job done;
	const Sizes sizes = sizes_of(service);
	double t = 0.0, rate = .8 * pods * service_cores(service) / service_demand_s(service), events = 0.0;
	rng_init(&rng, 1, 0, RNG_ARRIVALS);
	for (int k = 0; k < ARRIVALS; k++) {
		t += rng_exponential(&rng) / rate;
		Server *to = &server[rng_below(&rng, (uint32_t) pods)];
		while (server_next(to, t, &done))
			;
		(void) server_arrive(to, sizes_draw(&sizes, &rng));
	}
	for (int32_t i = 0; i < pods; i++)
		events += server[i].sums.events;
	return events + ARRIVALS;
}

static int bench_events(int32_t pods)
{
	Service service;
	Server server[PODS_MOST];
	double best = 1e9, events = 0.0;
	service_default(&service);
	Job *job = mem_block(PODS_MOST * (size_t) server_jobs(&service), sizeof *job);
	for (int round = 0; round < ROUNDS && job; round++) {
		for (int32_t i = 0; i < pods; i++)
			server_init(&server[i], &service, 0.0, (i + 1.0) / pods, job + (size_t) i * server_jobs(&service));
		double begin = cpu_now();
		events = live(server, pods, &service);
		double took = cpu_now() - begin;
		best = took < best ? took : best;
	}
	if (job)
		printf("{\"bench\":\"request_level_event\",\"name\":\"%d pods\",\"ns\":%.1f,\"requests_ns\":%.1f}\n", pods, 1e9 * best / events,
		       1e9 * best / ARRIVALS);
	free(job);
	return job ? 0 : ERR_NOMEM;
}

static int bench_table(void)
{
	enum { REQUESTS = 100000 }; /* as response.c's */
	static ResponseTable table;
	Service service;
	service_default(&service);
	double begin = cpu_now();
	int code = table_build_settled(&service, REQUESTS, 1, &table);
	if (!code)
		printf("{\"bench\":\"response_table\",\"ms\":%.0f}\n", 1e3 * (cpu_now() - begin));
	return code;
}

int main(void)
{
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
		if (bench_steps(&CASES[i]))
			return 1;
	if (bench_events(1) || bench_events(8) || bench_events(PODS_MOST) || bench_table())
		return 1;
	return bench_frame() != 0;
}
