/* A target's own Lease: its name, who sees it, and whole processes that want one target, or each its own. */
#include "base/http.h"
#include "base/mem.h"
#include "cluster/claims.h"
#include "cluster/shard.h"
#include "fakes/child.h"
#include "fakes/fake_cluster.h"
#include "serve/exposition.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void its_name_fits_and_is_no_shared_ones(void **state)
{
	(void) state;
	char name[NAME_MAX_K8S], other[NAME_MAX_K8S], deployment[NAME_MAX_K8S], shared[NAME_MAX_K8S];
	target_lease_name("web", name, sizeof name);
	assert_string_equal(name, "maestro-for-web");
	target_lease_name("autoscaler-0", name, sizeof name);
	shard_lease_name(0, shared, sizeof shared);
	assert_string_not_equal(name, shared);
	assert_true(target_lease_is(name) && !target_lease_is(shared));
	for (size_t len = 1; len < NAME_MAX_K8S; len++) {
		memset(deployment, 'a', len);
		deployment[len] = '\0';
		target_lease_name(deployment, name, sizeof name);
		deployment[len - 1] = 'b';
		target_lease_name(deployment, other, sizeof other);
		assert_true(strlen(name) < NAME_MAX_K8S);
		assert_string_not_equal(name, other);
	}
}

/* ---- claims ---- */

typedef struct ClaimBench {
	FakeLeases leases;
	int status; /* of a list; 0: as it is */
	FakeServer *server;
	Clock clock;
	KubeConfig kube;
	KubeClient *client;
	Claims claims;
} ClaimBench;

static void claim_answer(void *context, const FakeRequest *request, FakeReply *reply)
{
	ClaimBench *b = context;
	if (b->status)
		reply->status = b->status;
	else
		assert_true(fake_leases_answer(&b->leases, request, reply));
}

static ClaimBench *claim_begin(void)
{
	ClaimBench *b = calloc(1, sizeof *b);
	Error err = { 0 };
	b->server = fake_server_start(claim_answer, b);
	b->kube.server = (char *) (uintptr_t) fake_server_url(b->server);
	clock_init_system(&b->clock);
	assert_int_equal(kube_client_new(&b->kube, &b->clock, &b->client, &err), 0);
	return b;
}

static void claim_end(ClaimBench *b)
{
	claims_done(&b->claims);
	kube_client_free(b->client);
	fake_server_stop(b->server);
	free(b);
}

static int claim_look(ClaimBench *b)
{
	Error err = { 0 };
	return claims_look(&b->claims, b->client, &b->clock, "shop", &err);
}

static void who_renews_has_the_target_and_nobody_else(void **state)
{
	(void) state;
	ClaimBench *b = claim_begin();
	fake_leases_hold(&b->leases, "shop", "maestro-for-web", "laptop");
	fake_leases_hold(&b->leases, "shop", "maestro-for-gone", "laptop");
	fake_leases_hold(&b->leases, "shop", "maestro-autoscaler", "pod");
	fake_leases_hold(&b->leases, "shop", "maestro-for-free", "");
	fake_leases_hold(&b->leases, "other", "maestro-for-cart", "laptop");
	char *time = strstr(b->leases.lease[1].spec, "renewTime\":\"");
	memcpy(time + 12, "2020", 4);
	assert_int_equal(claim_look(b), 0);
	assert_string_equal(claims_holder(&b->claims, &b->clock, "web"), "laptop");
	assert_null(claims_holder(&b->claims, &b->clock, "gone")); /* of years ago, and never seen to renew */
	assert_null(claims_holder(&b->claims, &b->clock, "free"));
	assert_null(claims_holder(&b->claims, &b->clock, "cart"));
	assert_null(claims_holder(&b->claims, &b->clock, "autoscaler"));
	memcpy(time + 12, "2019", 4); /* its clock is wrong, but it renews */
	assert_int_equal(claim_look(b), 0);
	assert_string_equal(claims_holder(&b->claims, &b->clock, "gone"), "laptop");
	fake_leases_hold(&b->leases, "shop", "maestro-for-web", "");
	assert_int_equal(claim_look(b), 0);
	assert_null(claims_holder(&b->claims, &b->clock, "web"));
	fake_leases_hold(&b->leases, "shop", "maestro-for-web", "desk"); /* since the last look, whatever its clock says */
	memcpy(strstr(b->leases.lease[0].spec, "renewTime\":\"") + 12, "2020", 4);
	assert_int_equal(claim_look(b), 0);
	assert_string_equal(claims_holder(&b->claims, &b->clock, "web"), "desk");
	claim_end(b);
}

static bool is_over(void *arg)
{
	ClaimBench *b = arg;
	assert_int_equal(claim_look(b), 0);
	return !claims_holder(&b->claims, &b->clock, "web");
}

static void who_stops_renewing_has_it_for_the_duration(void **state)
{
	(void) state;
	ClaimBench *b = claim_begin();
	int64_t before = clock_mono_ms(&b->clock);
	fake_leases_hold(&b->leases, "shop", "maestro-for-web", "laptop");
	char *duration = strstr(b->leases.lease[0].spec, "Seconds\":15");
	memcpy(duration, "Seconds\":1 ", 11);
	assert_int_equal(claim_look(b), 0);
	assert_non_null(claims_holder(&b->claims, &b->clock, "web"));
	assert_true(fake_comes(is_over, b));
	assert_true(clock_mono_ms(&b->clock) - before >= 1000);
	claim_end(b);
}

static void what_may_not_be_listed_is_nobodys_and_what_fails_is_not_known(void **state)
{
	(void) state;
	ClaimBench *b = claim_begin();
	fake_leases_hold(&b->leases, "shop", "maestro-for-web", "laptop");
	b->status = 403;
	assert_int_equal(claim_look(b), 0);
	assert_null(claims_holder(&b->claims, &b->clock, "web"));
	b->status = 404;
	assert_int_equal(claim_look(b), 0);
	b->status = 500;
	assert_int_equal(claim_look(b), ERR_HTTP);
	claim_end(b);
}

/* ---- who needs several ---- */

static Shards *stand_for(ClaimBench *b, const char *identity, const char *first, const char *second, bool is_all, bool is_shared, Telemetry *telemetry)
{
	Target target[2] = { { .namespace_ = "shop" }, { .namespace_ = "shop" } };
	LeaseConfig config;
	Shards *shards = NULL;
	Error err = { 0 };
	str_copy(target[0].name, sizeof target[0].name, first);
	str_copy(target[1].name, sizeof target[1].name, second);
	lease_config_default(&config);
	config.kube = &b->kube;
	config.clock = &b->clock;
	config.namespace_ = "shop";
	config.identity = identity;
	config.retry_ms = 20;
	config.telemetry = telemetry;
	assert_int_equal(shards_start_each(&config, target, 2, is_all, is_shared, &shards, &err), 0);
	return shards;
}

static bool has_holder(ClaimBench *b, const char *name, const char *holder)
{
	char text[64];
	bool is = false;
	(void) snprintf(text, sizeof text, "\"holderIdentity\":\"%s\"", holder);
	fake_server_lock(b->server);
	for (int i = 0; i < FAKE_LEASES; i++)
		is |= !strcmp(b->leases.lease[i].name, name) && strstr(b->leases.lease[i].spec, text);
	fake_server_unlock(b->server);
	return is;
}

static void hold_by(ClaimBench *b, const char *name, const char *holder)
{
	fake_server_lock(b->server);
	fake_leases_hold(&b->leases, "shop", name, holder);
	fake_server_unlock(b->server);
}

static bool has_all(void *arg)
{
	return shards_hold_all(arg);
}

static bool has_none(void *arg)
{
	Shards *shards = arg;
	return !shards_hold(shards, &(Target) { .namespace_ = "shop", .name = "cart" }) && !shards_hold(shards, &(Target) { .namespace_ = "shop", .name = "web" });
}

static bool one_has_all(void *arg)
{
	Shards *const *pair = arg;
	bool first = shards_hold_all(pair[0]), second = shards_hold_all(pair[1]);
	assert_false(first && second);
	return first || second;
}

/* Not once, over sixty requests. */
static void neither_is_held_by(ClaimBench *b, const char *who)
{
	for (int n = fake_server_requests(b->server) + 60; fake_server_requests(b->server) < n;) {
		assert_false(has_holder(b, "maestro-for-cart", who) || has_holder(b, "maestro-for-web", who));
		(void) usleep(2000);
	}
}

/* It would keep others from what it does not use itself. */
static void who_needs_all_holds_none_while_somebody_has_one(void **state)
{
	(void) state;
	ClaimBench *b = claim_begin();
	hold_by(b, "maestro-for-web", "run");
	Shards *shards = stand_for(b, "trainer", "cart", "web", true, false, NULL);
	neither_is_held_by(b, "trainer");
	assert_false(shards_hold_all(shards));
	hold_by(b, "maestro-for-web", "");
	assert_true(fake_comes(has_all, shards));
	assert_true(has_holder(b, "maestro-for-cart", "trainer") && has_holder(b, "maestro-for-web", "trainer"));
	shards_stop(shards);
	assert_true(has_holder(b, "maestro-for-cart", "") && has_holder(b, "maestro-for-web", ""));
	claim_end(b);
}

/* A replica that was given a namespace for the shared Lease keeps the targets' own, in whose sight others stand by. */
static void a_shared_lease_goes_with_the_targets_own(void **state)
{
	(void) state;
	ClaimBench *b = claim_begin();
	hold_by(b, "maestro-autoscaler", "replica");
	Shards *shards = stand_for(b, "run", "cart", "web", false, true, NULL);
	neither_is_held_by(b, "run");
	hold_by(b, "maestro-autoscaler", "");
	assert_true(fake_comes(has_all, shards));
	assert_true(has_holder(b, "maestro-autoscaler", "run") && has_holder(b, "maestro-for-cart", "run") && has_holder(b, "maestro-for-web", "run"));
	const Target cart = { .namespace_ = "shop", .name = "cart" };
	assert_true(shards_hold(shards, &cart));
	hold_by(b, "maestro-autoscaler", "replica");
	assert_true(fake_comes(has_none, shards));
	shards_stop(shards);
	claim_end(b);
}

static void two_that_need_the_same_do_not_wait_for_one_another(void **state)
{
	(void) state;
	for (int round = 0; round < 5; round++) {
		ClaimBench *b = claim_begin();
		Shards *pair[2] = { stand_for(b, "a", "cart", "web", true, false, NULL), stand_for(b, "b", "web", "cart", true, false, NULL) };
		assert_true(fake_comes(one_has_all, pair));
		int first = shards_hold_all(pair[1]);
		shards_stop(pair[first]);
		assert_true(fake_comes(has_all, pair[!first]));
		shards_stop(pair[!first]);
		claim_end(b);
	}
}

static bool leads_for_one(void *arg)
{
	StrBuf text = { 0 };
	exposition_telemetry(&text, arg);
	bool is = strstr(text.data, "\nmaestro_leader 0\n") && !strstr(text.data, "maestro_leader_transitions_total") &&
	          strstr(text.data, "\nmaestro_lease_held{lease_namespace=\"shop\",lease=\"maestro-for-cart\"} 1\n") &&
	          strstr(text.data, "\nmaestro_lease_held{lease_namespace=\"shop\",lease=\"maestro-for-web\"} 0\n") &&
	          strstr(text.data, "\nmaestro_lease_transitions_total{lease_namespace=\"shop\",lease=\"maestro-for-cart\"} 1\n") &&
	          !strstr(text.data, "maestro_lease_transitions_total{lease_namespace=\"shop\",lease=\"maestro-for-web\"}");
	strbuf_done(&text);
	return is;
}

static bool leads_for_all(void *arg)
{
	StrBuf text = { 0 };
	exposition_telemetry(&text, arg);
	bool is = strstr(text.data, "\nmaestro_leader 1\n") && strstr(text.data, "\nmaestro_leader_transitions_total 1\n") &&
	          strstr(text.data, "\n# TYPE maestro_leader gauge\n") && strstr(text.data, "\n# TYPE maestro_lease_held gauge\n");
	strbuf_done(&text);
	return is;
}

static void each_lease_is_told_apart(void **state)
{
	(void) state;
	ClaimBench *b = claim_begin();
	Telemetry *telemetry = telemetry_new();
	hold_by(b, "maestro-for-web", "another");
	Shards *shards = stand_for(b, "run", "web", "cart", false, false, telemetry);
	assert_true(fake_comes(leads_for_one, telemetry));
	hold_by(b, "maestro-for-web", "");
	assert_true(fake_comes(leads_for_all, telemetry));
	shards_stop(shards);
	telemetry_free(telemetry);
	claim_end(b);
}

/* ---- processes ---- */

static Child start_by(bool has_word, const FakeCluster *cluster, const char *db, const char *more)
{
	return child_start(!has_word + (const char *const[]) { "run", "--headless", "--listen", "127.0.0.1:0", "--prometheus", fake_cluster_url(cluster), "--kubeconfig",
	                   cluster->kubeconfig, "--deployment", "shop/web", "--max-replicas", "4", "--interval", "1s", "--policy", "hpa", "--db", db, more,
	                   NULL });
}

static Child start_run(const FakeCluster *cluster, const char *db, const char *more)
{
	return start_by(true, cluster, db, more);
}

typedef struct ProcessBench {
	FakeCluster cluster;
	char db[2][40];
	int n_asked; /* requests for Leases */
} ProcessBench;

static void note_request(void *arg, const FakeRequest *request)
{
	ProcessBench *b = arg;
	b->n_asked += strstr(request->path, "/leases") != NULL;
}

static ProcessBench *process_begin(void)
{
	ProcessBench *b = calloc(1, sizeof *b);
	fake_cluster_start(&b->cluster);
	b->cluster.has_leases = true;
	b->cluster.arg = b;
	b->cluster.on_request = note_request;
	for (int i = 0; i < 2; i++) {
		str_copy(b->db[i], sizeof b->db[i], "/tmp/test_own_lease_XXXXXX");
		int fd = mkstemp(b->db[i]);
		assert_true(fd >= 0);
		(void) close(fd);
	}
	return b;
}

static void process_end(ProcessBench *b)
{
	fake_cluster_stop(&b->cluster);
	for (int i = 0; i < 2; i++)
		(void) unlink(b->db[i]);
	free(b);
}

static void hold(ProcessBench *b, const char *holder)
{
	fake_server_lock(b->cluster.server);
	fake_leases_hold(&b->cluster.leases, "shop", "maestro-for-web", holder);
	fake_server_unlock(b->cluster.server);
}

static void two_runs_of_one_target_are_one_that_acts(void **state)
{
	(void) state;
	ProcessBench *b = process_begin();
	Child first = start_run(&b->cluster, b->db[0], NULL);
	child_wait_log(&first, "this process has the Lease of shop/web");
	Child second = start_by(false, &b->cluster, b->db[1], NULL); /* the console's form of the same, here without a terminal */
	child_wait_log(&second, "has the Lease shop/maestro-for-web: this process stands by");
	assert_int_equal(child_end(&first, SIGTERM), 128 + SIGTERM);
	child_wait_log(&second, "this process has the Lease of shop/web");
	assert_int_equal(child_end(&second, SIGTERM), 128 + SIGTERM);
	process_end(b);
}

typedef struct Wanted {
	const Child *child;
	const char *state;
} Wanted;

static bool is_in_state(void *arg)
{
	const Wanted *w = arg;
	HttpClient *client = NULL;
	HttpResponse response = { 0 };
	char url[64], line[64];
	(void) snprintf(url, sizeof url, "http://127.0.0.1:%d/status", w->child->port);
	(void) snprintf(line, sizeof line, "\"state\":\"%s\"", w->state);
	assert_int_equal(http_client_new(NULL, &client, NULL), 0);
	bool is = !http_request(client, &(HttpRequest) { .method = "GET", .url = url }, &response, NULL) && response.body.data &&
	          strstr(response.body.data, line);
	http_response_done(&response);
	http_client_free(client);
	return is;
}

static bool comes_to(const Child *child, const char *state)
{
	return fake_comes(is_in_state, &(Wanted) { child, state });
}

/* Whoever acts under another Lease, or under none, sees the target's own as another autoscaler's. */
static void a_shared_lease_gives_way_to_a_targets_own(void **state)
{
	(void) state;
	ProcessBench *b = process_begin();
	hold(b, "laptop_1");
	Child child = start_run(&b->cluster, b->db[0], "--leader-elect");
	child_wait_log(&child, "this process leads");
	assert_true(comes_to(&child, "Conflict"));
	assert_int_equal(atomic_load(&b->cluster.writes), 0);
	hold(b, "");
	assert_true(comes_to(&child, "Active"));
	hold(b, "laptop_2");
	assert_true(comes_to(&child, "Conflict"));
	assert_int_equal(child_end(&child, SIGTERM), 128 + SIGTERM);
	process_end(b);
}

/* No Lease, no write; --no-lease is the way round, and not where another has it. */
static void without_the_right_it_stands_by_and_says_which(void **state)
{
	(void) state;
	ProcessBench *b = process_begin();
	atomic_store(&b->cluster.forbidden, "/leases");
	Child child = start_run(&b->cluster, b->db[0], NULL);
	child_wait_log(&child, "nothing is written without it; allow the account to create leases in shop, and to get and update the one named maestro-for-web");
	assert_true(comes_to(&child, "Standby"));
	assert_int_equal(atomic_load(&b->cluster.writes), 0);
	assert_int_equal(child_end(&child, SIGTERM), 128 + SIGTERM);
	child = start_run(&b->cluster, b->db[0], NULL);
	child_wait_log(&child, "(manifests/rbac.yaml), watch with --dry-run, or act without by --no-lease");
	assert_int_equal(child_end(&child, SIGTERM), 128 + SIGTERM);
	child = start_run(&b->cluster, b->db[0], "--leader-elect");
	child_wait_log(&child, "or act without by --no-lease in place of --leader-elect");
	assert_int_equal(child_end(&child, SIGTERM), 128 + SIGTERM);
	child = start_run(&b->cluster, b->db[0], "--no-lease");
	child_wait_log(&child, "leases of shop: may not be listed");
	assert_true(comes_to(&child, "Active"));
	assert_int_equal(child_end(&child, SIGTERM), 128 + SIGTERM);
	process_end(b);
}

static bool has_lease(ProcessBench *b, const char *namespace_, const char *name)
{
	bool is = false;
	fake_server_lock(b->cluster.server);
	for (int i = 0; i < FAKE_LEASES; i++) {
		const FakeLease *lease = &b->cluster.leases.lease[i];
		is |= !strcmp(lease->namespace_, namespace_) && !strcmp(lease->name, name) && lease->spec[0];
	}
	fake_server_unlock(b->cluster.server);
	return is;
}

/* The shared one is there, and the target's own beside it: an autoscaler elsewhere sees that somebody has the target. */
static void a_namespace_of_the_lease_is_obeyed(void **state)
{
	(void) state;
	ProcessBench *b = process_begin();
	hold(b, "another");
	Child child = start_run(&b->cluster, b->db[0], "--lease-namespace=ops");
	child_wait_log(&child, "has the Lease shop/maestro-for-web: this process stands by");
	assert_false(has_lease(b, "ops", "maestro-autoscaler"));
	hold(b, "");
	child_wait_log(&child, "this process has the Lease of shop/web");
	assert_true(has_lease(b, "ops", "maestro-autoscaler") && has_lease(b, "shop", "maestro-for-web"));
	assert_true(comes_to(&child, "Active"));
	assert_int_equal(child_end(&child, SIGTERM), 128 + SIGTERM);
	process_end(b);
}

static void who_writes_nothing_asks_for_no_lease(void **state)
{
	(void) state;
	ProcessBench *b = process_begin();
	hold(b, "laptop_1");
	Child child = start_run(&b->cluster, b->db[0], "--dry-run");
	assert_true(comes_to(&child, "Shadow"));
	assert_int_equal(child_end(&child, SIGTERM), 128 + SIGTERM);
	assert_int_equal(fake_server_seen(b->cluster.server, &b->n_asked), 0);
	process_end(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_name_fits_and_is_no_shared_ones),
		cmocka_unit_test(who_renews_has_the_target_and_nobody_else),
		cmocka_unit_test(who_stops_renewing_has_it_for_the_duration),
		cmocka_unit_test(what_may_not_be_listed_is_nobodys_and_what_fails_is_not_known),
		cmocka_unit_test(who_needs_all_holds_none_while_somebody_has_one),
		cmocka_unit_test(a_shared_lease_goes_with_the_targets_own),
		cmocka_unit_test(two_that_need_the_same_do_not_wait_for_one_another),
		cmocka_unit_test(each_lease_is_told_apart),
		cmocka_unit_test(two_runs_of_one_target_are_one_that_acts),
		cmocka_unit_test(a_shared_lease_gives_way_to_a_targets_own),
		cmocka_unit_test(without_the_right_it_stands_by_and_says_which),
		cmocka_unit_test(a_namespace_of_the_lease_is_obeyed),
		cmocka_unit_test(who_writes_nothing_asks_for_no_lease),
	};
	if (http_global_init())
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	http_global_done();
	return failed;
}
