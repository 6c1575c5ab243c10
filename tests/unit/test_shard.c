/* Replicas that share targets by a Lease a shard, against an API that counts versions. */
#include "base/http.h"
#include "base/mem.h"
#include "cluster/shard.h"
#include "fakes/http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { N = 3 };

typedef struct Stored { /* a Lease as last written; version 0: none */
	int version;
	char holder[64];
	char *text;
} Stored;

typedef struct ShardBench {
	Stored lease[N];
	FakeServer *server;
	Clock clock;
	KubeConfig kube;
	Shards *replica[N];
	bool is_deaf[N]; /* writes of replica r are refused, as if it were gone */
} ShardBench;

static void read_lease(const Stored *stored, FakeReply *reply)
{
	if (!stored->version) {
		reply->status = 404;
		return;
	}
	/* the object as it was written, with its new version in place of the old one */
	const char *metadata = strstr(stored->text, "\"metadata\":{") + 12;
	char *plain = fake_text("%s", metadata), *old = strstr(plain, "\"resourceVersion\"");
	if (old)
		old[1] = '_';
	reply->body = fake_text("{\"metadata\":{\"resourceVersion\":\"%d\",%s", stored->version, plain);
	free(plain);
}

static void write_lease(ShardBench *b, Stored *stored, const FakeRequest *request, FakeReply *reply)
{
	Json *root = NULL;
	assert_int_equal(json_parse(request->body, strlen(request->body), &root, NULL), 0);
	const char *holder = json_string_or(root, "spec.holderIdentity", "");
	int version = atoi(json_string_or(root, "metadata.resourceVersion", "0"));
	for (int r = 0; r < N; r++)
		if (b->is_deaf[r] && holder[0] == 'a' + r)
			reply->status = 500;
	if (reply->status == 500) {
		json_free(root);
		return;
	}
	if (version != stored->version) {
		reply->status = 409;
	} else {
		stored->version++;
		str_copy(stored->holder, sizeof stored->holder, holder);
		free(stored->text);
		stored->text = fake_text("%s", request->body);
		read_lease(stored, reply);
	}
	json_free(root);
}

static void answer(void *context, const FakeRequest *request, FakeReply *reply)
{
	ShardBench *b = context;
	const char *at = strstr(request->path, "maestro-autoscaler-");
	if (!at && request->body)
		at = strstr(request->body, "maestro-autoscaler-");
	assert_non_null(at);
	Stored *stored = &b->lease[atoi(at + strlen("maestro-autoscaler-"))];
	if (!strcmp(request->method, "GET"))
		read_lease(stored, reply);
	else
		write_lease(b, stored, request, reply);
}

static ShardBench *bench_new(void)
{
	ShardBench *b = calloc(1, sizeof *b);
	b->server = fake_server_start(answer, b);
	b->kube.server = (char *) (uintptr_t) fake_server_url(b->server);
	clock_init_system(&b->clock);
	return b;
}

static void start(ShardBench *b, int r)
{
	const char identity[] = { (char) ('a' + r), '\0' };
	LeaseConfig config;
	Error err = { 0 };
	lease_config_default(&config);
	config.kube = &b->kube;
	config.clock = &b->clock;
	config.namespace_ = "maestro";
	config.identity = identity;
	config.duration_ms = 1000;
	config.renew_ms = 700;
	config.retry_ms = 20;
	assert_int_equal(shards_start(&config, r, N, &b->replica[r], &err), 0);
}

static void bench_free(ShardBench *b)
{
	for (int r = 0; r < N; r++)
		shards_stop(b->replica[r]);
	fake_server_stop(b->server);
	for (int i = 0; i < N; i++)
		free(b->lease[i].text);
	free(b);
}

/* A target of shard i. */
static Target target_of(int i)
{
	Target target = { .namespace_ = "shop" };
	for (int k = 0; k < 1000; k++) {
		(void) snprintf(target.name, sizeof target.name, "t%d", k);
		if (shard_of(target.namespace_, target.name, N) == i)
			break;
	}
	return target;
}

/* Who decides for shard i: -1 nobody. Never two, at any moment that anybody looks. */
static int decider(ShardBench *b, int i)
{
	Target target = target_of(i);
	int who = -1;
	for (int r = 0; r < N; r++)
		if (b->replica[r] && shards_hold(b->replica[r], &target)) {
			assert_int_equal(who, -1);
			who = r;
		}
	return who;
}

static bool each_has_its_own(void *arg)
{
	return decider(arg, 0) == 0 && decider(arg, 1) == 1 && decider(arg, 2) == 2;
}

static bool first_has_all(void *arg)
{
	return decider(arg, 0) == 0 && decider(arg, 1) == 0 && decider(arg, 2) == 0;
}

static bool another_has_the_second(void *arg)
{
	int who = decider(arg, 1);
	return who == 0 || who == 2;
}

static void a_lone_replica_takes_all_and_gives_back_what_is_not_its_own(void **state)
{
	(void) state;
	ShardBench *b = bench_new();
	int64_t before = clock_mono_ms(&b->clock);
	start(b, 0);
	assert_true(fake_comes(first_has_all, b));
	assert_true(clock_mono_ms(&b->clock) - before >= 1000); /* those that belong to others it leaves to them for so long */
	start(b, 1);
	start(b, 2);
	assert_true(fake_comes(each_has_its_own, b));
	bench_free(b);
}

static void a_dead_replicas_shard_is_taken_over_and_given_back(void **state)
{
	(void) state;
	ShardBench *b = bench_new();
	for (int r = 0; r < N; r++)
		start(b, r);
	assert_true(fake_comes(each_has_its_own, b));
	fake_server_lock(b->server);
	b->is_deaf[1] = true;
	fake_server_unlock(b->server);
	assert_true(fake_comes(another_has_the_second, b));
	assert_true(decider(b, 0) == 0 && decider(b, 2) == 2);
	fake_server_lock(b->server);
	b->is_deaf[1] = false;
	fake_server_unlock(b->server);
	assert_true(fake_comes(each_has_its_own, b));
	bench_free(b);
}

/* Other programs must find the same shards, and later versions of this one too. */
static void shards_are_even_and_stay_where_they_are(void **state)
{
	(void) state;
	int count[N] = { 0 };
	for (int k = 0; k < 3000; k++) {
		char name[16];
		(void) snprintf(name, sizeof name, "web-%d", k);
		count[shard_of("shop", name, N)]++;
	}
	for (int i = 0; i < N; i++)
		assert_in_range(count[i], 900, 1100);
	assert_int_equal(shard_of("shop", "cart", 1), 0);
	/* FNV-1a 64 of "shop/cart" and "shop/web", worked out apart */
	assert_int_equal(shard_of("shop", "cart", 1000), 951);
	assert_int_equal(shard_of("shop", "web", 1000), 624);
}

static void the_word_is_read(void **state)
{
	(void) state;
	static const struct { const char *text, *host; int own, n; } cases[] = { /* n 0: refused */
		{ "0/1", "", 0, 1 }, { "2/3", "", 2, 3 }, { "31/32", "", 31, 32 }, { "auto/3", "autoscaler-2", 2, 3 },
		{ "3/3", "", 0, 0 }, { "1/0", "", 0, 0 }, { "-1/3", "", 0, 0 }, { "1", "", 0, 0 }, { "1/3x", "", 0, 0 }, { "/3", "", 0, 0 },
		{ "0/33", "", 0, 0 }, { "auto/3", "autoscaler-3", 0, 0 }, { "auto/3", "autoscaler", 0, 0 }, { "auto/3", "a-5f7c", 0, 0 },
		{ "", "", 0, 0 }, { "auto/", "a-0", 0, 0 }, { "99999999999999999999/3", "", 0, 0 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int own = -1, n = -1;
		Error err = { 0 };
		int code = shard_parse(cases[i].text, cases[i].host, &own, &n, &err);
		assert_int_equal(code, cases[i].n ? 0 : ERR_USAGE);
		assert_int_equal(own, cases[i].n ? cases[i].own : -1);
		assert_int_equal(n, cases[i].n ? cases[i].n : -1);
	}
}

int main(void)
{
	assert_int_equal(http_global_init(), 0);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lone_replica_takes_all_and_gives_back_what_is_not_its_own),
		cmocka_unit_test(a_dead_replicas_shard_is_taken_over_and_given_back),
		cmocka_unit_test(shards_are_even_and_stay_where_they_are),
		cmocka_unit_test(the_word_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
