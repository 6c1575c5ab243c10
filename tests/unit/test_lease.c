/* The Lease against an API that counts versions. */
#include "base/http.h"
#include "cluster/lease.h"
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

typedef struct LeaseApi {
	bool exists;
	int version;
	char spec[1024];      /* of the object, as last written */
	char deaf_to[128];    /* writes of this holder are refused */
	int n_overtaken;      /* so many writes come just after another's */
	int conflicts, writes;
} LeaseApi;

static void lease_answer(const LeaseApi *api, FakeReply *reply)
{
	reply->body = fake_text("{\"metadata\":{\"name\":\"l\",\"resourceVersion\":\"%d\"},\"spec\":%s}", api->version, api->spec);
}

static void lease_answer_to(void *context, const FakeRequest *request, FakeReply *reply)
{
	LeaseApi *api = context;
	Json *root = NULL;
	if (!strcmp(request->method, "GET")) {
		if (api->exists)
			lease_answer(api, reply);
		else
			reply->status = 404;
		return;
	}
	assert_int_equal(json_parse(request->body, strlen(request->body), &root, NULL), 0);
	const char *version = json_string_or(root, "metadata.resourceVersion", "");
	char mine[16];
	if (api->n_overtaken > 0) {
		api->n_overtaken--;
		api->version++;
	}
	(void) snprintf(mine, sizeof mine, "%d", api->version);
	if (api->deaf_to[0] && !strcmp(json_string_or(root, "spec.holderIdentity", ""), api->deaf_to)) {
		reply->status = 500;
	} else if (api->exists ? strcmp(version, mine) != 0 : strcmp(request->method, "POST") != 0) {
		api->conflicts++;
		reply->status = 409;
	} else {
		const char *spec = strstr(request->body, "\"spec\":");
		(void) snprintf(api->spec, sizeof api->spec, "%.*s", (int) strlen(spec) - 8, spec + 7);
		api->exists = true;
		api->version++;
		api->writes++;
		lease_answer(api, reply);
	}
	json_free(root);
}

typedef struct LeaseBench {
	LeaseApi api;
	FakeServer *server;
	Clock clock;
	KubeConfig kube;
	Lease *one, *two;
} LeaseBench;

static LeaseBench *lease_begin(void)
{
	LeaseBench *b = calloc(1, sizeof *b);
	b->server = fake_server_start(lease_answer_to, &b->api);
	b->kube.server = (char *) (uintptr_t) fake_server_url(b->server);
	clock_init_system(&b->clock);
	return b;
}

static bool has_spec(const LeaseBench *b, const char *text)
{
	fake_server_lock(b->server);
	bool has = strstr(b->api.spec, text) != NULL;
	fake_server_unlock(b->server);
	return has;
}

static Lease *candidate(LeaseBench *b, const char *identity)
{
	LeaseConfig config;
	Lease *lease;
	Error err = { 0 };
	lease_config_default(&config);
	config.kube = &b->kube;
	config.clock = &b->clock;
	config.namespace_ = "maestro";
	config.identity = identity;
	config.duration_ms = 1000;
	config.renew_ms = 700;
	config.retry_ms = 20;
	assert_int_equal(lease_start(&config, &lease, &err), 0);
	return lease;
}

static void lease_end(LeaseBench *b)
{
	lease_stop(b->one);
	lease_stop(b->two);
	fake_server_stop(b->server);
	free(b);
}

static bool one_holds(void *arg)
{
	return lease_is_held(((LeaseBench *) arg)->one);
}

static bool two_holds(void *arg)
{
	LeaseBench *b = arg;
	assert_false(lease_is_held(b->one) && lease_is_held(b->two)); /* at no moment that anybody looked */
	return lease_is_held(b->two);
}

static bool either_holds(void *arg)
{
	return two_holds(arg) || one_holds(arg);
}

static void one_candidate_holds_and_releases(void **state)
{
	(void) state;
	LeaseBench *b = lease_begin();
	b->one = candidate(b, "one");
	assert_true(fake_comes(one_holds, b));
	assert_true(has_spec(b, "\"holderIdentity\":\"one\""));
	assert_true(has_spec(b, "\"leaseDurationSeconds\":1,"));
	fake_server_lock(b->server);
	const char *renewed = strstr(b->api.spec, "\"renewTime\":\"");
	assert_true(renewed && renewed[13 + 19] == '.' && renewed[13 + 26] == 'Z'); /* MicroTime */
	fake_server_unlock(b->server);
	b->two = candidate(b, "two");
	for (int i = 0; i < 100; i++) {
		assert_false(two_holds(b));
		(void) usleep(1000);
	}
	lease_stop(b->one);
	assert_true(has_spec(b, "holderIdentity")); /* "", or already two's */
	b->one = candidate(b, "three");
	assert_true(fake_comes(either_holds, b));
	lease_end(b);
}

/* Who asks for it writes beside the record, perhaps in the very moment in which its holder ends. */
static void it_is_given_back_though_another_writes_at_once(void **state)
{
	(void) state;
	LeaseBench *b = lease_begin();
	b->one = candidate(b, "one");
	assert_true(fake_comes(one_holds, b));
	fake_server_lock(b->server);
	b->api.n_overtaken = 3; /* the first may be a renewal's */
	fake_server_unlock(b->server);
	lease_stop(b->one);
	b->one = NULL;
	assert_true(has_spec(b, "\"holderIdentity\":\"\""));
	assert_int_equal(b->api.conflicts, 3);
	lease_end(b);
}

static void a_holder_that_cannot_renew_stops_before_another_begins(void **state)
{
	(void) state;
	LeaseBench *b = lease_begin();
	b->one = candidate(b, "one");
	assert_true(fake_comes(one_holds, b));
	b->two = candidate(b, "two");
	fake_server_lock(b->server);
	str_copy(b->api.deaf_to, sizeof b->api.deaf_to, "one");
	fake_server_unlock(b->server);
	assert_true(fake_comes(two_holds, b));
	assert_true(has_spec(b, "\"leaseTransitions\":1"));
	char holder[64];
	lease_holder(b->two, holder, sizeof holder);
	assert_string_equal(holder, "two");
	lease_end(b);
}

/* The time inside says that it expired long ago: only the own clock counts. */
static void a_record_with_an_old_time_is_not_taken_at_once(void **state)
{
	(void) state;
	LeaseBench *b = lease_begin();
	b->api = (LeaseApi) { .exists = true, .version = 5 };
	str_copy(b->api.spec, sizeof b->api.spec, "{\"holderIdentity\":\"somebody\",\"leaseDurationSeconds\":1,\"acquireTime\":"
	         "\"2001-01-01T00:00:00.000000Z\",\"renewTime\":\"2001-01-01T00:00:00.000000Z\",\"leaseTransitions\":3}");
	int64_t start = clock_mono_ms(&b->clock);
	b->one = candidate(b, "one");
	assert_true(fake_comes(one_holds, b));
	assert_true(clock_mono_ms(&b->clock) - start >= 1000);
	assert_true(has_spec(b, "\"leaseTransitions\":4"));
	lease_end(b);
}

static bool has_failed_often(void *arg)
{
	return fake_server_requests(((LeaseBench *) arg)->server) >= 20;
}

/* Tried every 20 ms here; one line, then silence until it goes well. */
/* CONTROL C: hostname_uuid, and another one for each process. */
static void identities_are_a_host_and_a_uuid(void **state)
{
	(void) state;
	char host[64] = "", one[128], two[128];
	(void) gethostname(host, sizeof host - 1);
	lease_identity(one, sizeof one);
	lease_identity(two, sizeof two);
	assert_string_not_equal(one, two);
	assert_memory_equal(one, host, strlen(host));
	assert_int_equal(one[strlen(host)], '_');
	assert_int_equal(strlen(one), strlen(host) + 1 + 36);
}

static void a_lease_that_cannot_be_had_is_said_once(void **state)
{
	(void) state;
	LeaseBench *b = lease_begin();
	str_copy(b->api.deaf_to, sizeof b->api.deaf_to, "one");
	int stderr_was = dup(STDERR_FILENO);
	FILE *said = tmpfile();
	char text[1024] = "";
	assert_non_null(said);
	(void) dup2(fileno(said), STDERR_FILENO);
	b->one = candidate(b, "one");
	bool has_failed = fake_comes(has_failed_often, b);
	(void) dup2(stderr_was, STDERR_FILENO);
	(void) close(stderr_was);
	assert_true(has_failed);
	lease_end(b);
	rewind(said);
	size_t len = fread(text, 1, sizeof text - 1, said);
	text[len] = '\0';
	assert_non_null(strstr(text, "maestro: lease maestro/maestro-autoscaler: "));
	assert_non_null(strstr(text, "trying again\n"));
	assert_ptr_equal(strchr(text, '\n'), text + len - 1);
	(void) fclose(said);
}

int main(void)
{
	assert_int_equal(http_global_init(), 0);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_candidate_holds_and_releases),
		cmocka_unit_test(it_is_given_back_though_another_writes_at_once),
		cmocka_unit_test(a_holder_that_cannot_renew_stops_before_another_begins),
		cmocka_unit_test(a_record_with_an_old_time_is_not_taken_at_once),
		cmocka_unit_test(identities_are_a_host_and_a_uuid),
		cmocka_unit_test(a_lease_that_cannot_be_had_is_said_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
