/*
 * Fault 23: the n-th allocation of a cycle fails, for each n. The cycle is dropped or done, nothing crashes, nothing is written on what
 * was not read, and the next cycle is as if nothing had been.
 *
 * malloc and its kin are this program's own here, over the C library's; sanitizers bring theirs, and then there is nothing to test.
 * A whole pass over all n is for `make faults` (MAESTRO_ALL_N=1); a slice takes every n of the first hundred and then some.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/http.h"
#include "base/mem.h"
#include "cluster/kube_cluster.h"
#include "cluster/prometheus.h"
#include "cluster/scale.h"
#include "fakes/fake_cluster.h"
#include "fakes/loop_fakes.h"
#include "control/loop.h"
#include "decide/hpa.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__ || !defined __GLIBC__
#define HAS_OWN_MALLOC 0
static _Thread_local long countdown;
#else
#define HAS_OWN_MALLOC 1
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static _Thread_local long countdown; /* > 0: so many allocations of this thread until one fails */

static bool must_fail(void)
{
	return countdown > 0 && --countdown == 0;
}

void *malloc(size_t size)
{
	return must_fail() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return must_fail() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	return must_fail() ? NULL : __libc_realloc(old, size);
}
#endif

typedef struct World {
	FakeCluster cluster;
	Clock clock;
	KubeConfig kube;
	KubeCache *cache;
	KubeClient *client;
	Cluster *side;
	Metrics *metrics;
	Actuator *actuator;
	Policy *hpa;
	FakePolicy policy;
	FakeSink sink;
	Loop *loop;
} World;

static World *world_new(void)
{
	World *w = calloc(1, sizeof *w);
	Error err = { 0 };
	PromConfig prom;
	HpaConfig rule;
	assert_non_null(w);
	fake_cluster_start(&w->cluster);
	w->kube.server = (char *) (uintptr_t) fake_cluster_url(&w->cluster);
	clock_init_system(&w->clock);
	assert_int_equal(kube_client_new(&w->kube, &w->clock, &w->client, &err), 0);
	kube_client_budget(w->client, NULL);
	assert_int_equal(kube_cache_new(&w->cache, &err), 0);
	kube_client_cache(w->client, w->cache);
	const KubeClusterConfig side = { .client = w->client, .clock = &w->clock };
	assert_int_equal(kube_cluster_new(&side, &w->side, &err), 0);
	prom_config_default(&prom);
	prom.url = fake_cluster_url(&w->cluster);
	prom.kube = w->client;
	prom.clock = &w->clock;
	assert_int_equal(prom_metrics_new(&prom, &w->metrics, &err), 0);
	assert_int_equal(kube_actuator_new(w->client, &w->actuator, &err), 0);
	hpa_config_default(&rule);
	assert_int_equal(hpa_policy_new(&rule, &w->hpa), 0);
	fake_policy_init(&w->policy, ACTION_UP);
	fake_sink_init(&w->sink);
	LoopConfig config = {
		.target = { .namespace_ = "shop", .name = "web", .min_replicas = 1, .max_replicas = 3 },
		.metrics = w->metrics, .actuator = w->actuator, .cluster = w->side, .policy = &w->policy.policy, .hpa = w->hpa,
		.observation = { OBS_SEED, 1, 0 }, .clock = &w->clock, .sink = &w->sink.sink, .interval_ms = 15000,
	};
	rails_config_default(&config.rails);
	config.rails.off = RAILS_OFF_SEED;
	assert_int_equal(loop_new(&config, &w->loop, &err), 0);
	return w;
}

static void world_free(World *w)
{
	loop_free(w->loop);
	policy_free(w->hpa);
	actuator_free(w->actuator);
	metrics_free(w->metrics);
	cluster_free(w->side);
	kube_client_free(w->client);
	kube_cache_free(w->cache);
	fake_cluster_stop(&w->cluster);
	free(w);
}

static void any_allocation_of_a_cycle_may_fail(void **state)
{
	(void) state;
	if (!HAS_OWN_MALLOC)
		skip();
	World *w = world_new();
	Error err = { 0 };
	assert_int_equal(fake_cycle(w->loop, &err), 0);
	bool has_all = getenv("MAESTRO_ALL_N") != NULL, is_done = false;
	long n = 1, failures = 0;
	for (; !is_done; n += has_all || n < 100 ? 1 : 1 + n / 20) {
		int32_t before = atomic_load(&w->cluster.replicas);
		err = (Error) { 0 };
		countdown = n;
		int code = fake_cycle(w->loop, &err);
		is_done = countdown > 0; /* the cycle needed fewer */
		countdown = 0;
		failures += code != 0;
		int32_t after = atomic_load(&w->cluster.replicas);
		assert_in_range(after, 1, 3);
		assert_true(after == before || after == before + 1);
		if (n % 10 == 0) { /* and then it goes on as before */
			atomic_store(&w->cluster.replicas, 2);
			(void) fake_cycle(w->loop, &err); /* somebody has set it: held for a cycle */
			err = (Error) { 0 };
			if (fake_cycle(w->loop, &err))
				fail_msg("after allocation %ld: %s", n, err.text);
		}
	}
	assert_true(n > 100 && failures > 5);
	world_free(w);
}

int main(void)
{
	assert_int_equal(http_global_init(), 0);
	const struct CMUnitTest tests[] = { cmocka_unit_test(any_allocation_of_a_cycle_may_fail) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
