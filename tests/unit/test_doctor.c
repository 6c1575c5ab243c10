/* `maestro doctor` over a scripted cluster: what is wrong is found, and what is right is called so. */
#include "cluster/doctor.h"

#include "base/http.h"
#include "base/mem.h"
#include "tests/fakes/fake_cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LINES = 64 };

typedef struct Fixture {
	FakeCluster cluster;
	KubeConfig kubeconfig;
	KubeClient *kube;
	Clock clock;
	Target target;
	DoctorLine line[LINES];
	size_t n;
	int fails;
} Fixture;

static void note(void *arg, const DoctorLine *line)
{
	Fixture *f = arg;
	assert_true(f->n < LINES);
	f->line[f->n++] = *line;
}

#define REVIEWS "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
static const char *const HEALTHY[][2] = {
	{ "/version", "{\"gitVersion\":\"v1.34.4\"}" },
	{ REVIEWS, "{\"status\":{\"allowed\":true}}" },
	{ "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers", "{\"items\":[]}" },
	{ "/apis/policy/v1/namespaces/shop/poddisruptionbudgets", "{\"items\":[]}" },
};

static void begin(Fixture *f)
{
	*f = (Fixture) { .target = { .namespace_ = "shop", .name = "web", .min_replicas = 1, .max_replicas = 9, .latency_soft_ms = 250 } };
	fake_cluster_start(&f->cluster);
	f->cluster.extra = (const char *_Atomic (*)[2]) (uintptr_t) HEALTHY;
	f->cluster.n_extra = sizeof HEALTHY / sizeof *HEALTHY;
	clock_init_system(&f->clock);
	f->kubeconfig.server = strdup(fake_cluster_url(&f->cluster));
	assert_int_equal(kube_client_new(&f->kubeconfig, &f->clock, &f->kube, NULL), 0);
}

static void examine(Fixture *f)
{
	PromConfig prometheus;
	prom_config_default(&prometheus);
	prometheus.url = fake_cluster_url(&f->cluster);
	f->n = 0;
	Doctor doctor = { .kube = f->kube, .target = &f->target, .prometheus = &prometheus, .clock = &f->clock, .tell = note, .arg = f };
	f->fails = doctor_run(&doctor);
}

static void end(Fixture *f)
{
	kube_client_free(f->kube);
	kubeconfig_done(&f->kubeconfig);
	fake_cluster_stop(&f->cluster);
}

/* The first line of a check at a level whose text holds word; NULL: none. */
static const DoctorLine *find(const Fixture *f, const char *check, DoctorLevel level, const char *word)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->line[i].check, check) && f->line[i].level == level && strstr(f->line[i].text, word))
			return &f->line[i];
	return NULL;
}

static void a_healthy_cluster_has_nothing_to_fix(void **state)
{
	Fixture f;
	(void) state;
	begin(&f);
	examine(&f);
	for (size_t i = 0; i < f.n; i++)
		if (f.line[i].level == DOCTOR_FAIL || (f.line[i].level == DOCTOR_WARN && !strstr(f.line[i].text, "secrets")))
			fail_msg("%s: %s", f.line[i].check, f.line[i].text);
	assert_int_equal(f.fails, 0);
	assert_non_null(find(&f, "api", DOCTOR_OK, "v1.34.4"));
	assert_non_null(find(&f, "rbac", DOCTOR_OK, "all"));
	assert_non_null(find(&f, "rbac", DOCTOR_WARN, "secrets")); /* the scripted API allows everything */
	assert_non_null(find(&f, "p95", DOCTOR_OK, "200 ms"));
	end(&f);
}

static void what_is_wrong_is_named_with_a_remedy(void **state)
{
	static const char *const sick[][2] = {
		{ "/version", "{\"gitVersion\":\"v1.34.4\"}" },
		{ REVIEWS, "{\"status\":{\"allowed\":false}}" },
		{ "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers",
		  "{\"items\":[{\"metadata\":{\"name\":\"other\"},\"spec\":{\"scaleTargetRef\":{\"kind\":\"Deployment\",\"name\":\"cart\"}}},"
		  "{\"metadata\":{\"name\":\"webs\"},\"spec\":{\"scaleTargetRef\":{\"kind\":\"Deployment\",\"name\":\"web\"}}}]}" },
		{ "/apis/keda.sh/v1alpha1/namespaces/shop/scaledobjects",
		  "{\"items\":[{\"metadata\":{\"name\":\"so\"},\"spec\":{\"scaleTargetRef\":{\"name\":\"web\"}}}]}" },
		{ "/apis/policy/v1/namespaces/shop/poddisruptionbudgets",
		  "{\"items\":[{\"metadata\":{\"name\":\"pdb\"},\"spec\":{\"minAvailable\":3,\"selector\":{\"matchLabels\":{\"app\":\"web\"}}}},"
		  "{\"metadata\":{\"name\":\"cart\"},\"spec\":{\"minAvailable\":9,\"selector\":{\"matchLabels\":{\"app\":\"we\"}}}}]}" },
	};
	Fixture f;
	(void) state;
	begin(&f);
	f.cluster.extra = (const char *_Atomic (*)[2]) (uintptr_t) sick;
	f.cluster.n_extra = sizeof sick / sizeof *sick;
	atomic_store(&f.cluster.missing, "_bucket");
	examine(&f);
	assert_true(f.fails > 0);
	assert_non_null(find(&f, "rbac", DOCTOR_FAIL, "may not update deployments/scale in shop"));
	assert_non_null(find(&f, "rbac", DOCTOR_WARN, "may not create leases in shop"));
	assert_non_null(find(&f, "rbac", DOCTOR_WARN, "may not update leases/maestro-for-web in shop"));
	assert_non_null(find(&f, "rbac", DOCTOR_WARN, "may not list leases in shop"));
	assert_non_null(find(&f, "hpa", DOCTOR_FAIL, "shop/webs"));
	assert_null(find(&f, "hpa", DOCTOR_FAIL, "shop/other"));
	assert_non_null(find(&f, "keda", DOCTOR_FAIL, "shop/so"));
	const DoctorLine *pdb = find(&f, "pdb", DOCTOR_WARN, "asks for 3 pods, but the minimum is 1");
	assert_non_null(pdb);
	assert_string_equal(pdb->remedy, "annotate maestro.io/min-replicas: \"3\"");
	assert_null(find(&f, "pdb", DOCTOR_WARN, "cart"));
	assert_non_null(find(&f, "p95", DOCTOR_FAIL, "empty result"));
	assert_non_null(find(&f, "cpu", DOCTOR_OK, "0.3 cores"));
	for (size_t i = 0; i < f.n; i++)
		if (f.line[i].level == DOCTOR_FAIL && !f.line[i].remedy[0])
			fail_msg("%s: \"%s\" says not what to do", f.line[i].check, f.line[i].text);
	end(&f);
}

static void what_cannot_be_reached_is_said(void **state)
{
	Fixture f;
	(void) state;
	begin(&f);
	atomic_store(&f.cluster.prometheus_status, 503);
	examine(&f);
	assert_non_null(find(&f, "prometheus", DOCTOR_FAIL, "503"));
	f.target.name[0] = '\0'; /* no target: nothing about one */
	f.target.max_replicas = 0;
	atomic_store(&f.cluster.prometheus_status, 200);
	examine(&f);
	assert_int_equal(f.fails, 0);
	assert_null(find(&f, "deployment", DOCTOR_OK, ""));
	f.cluster.n_extra = 0;
	examine(&f);
	assert_non_null(find(&f, "api", DOCTOR_FAIL, "404"));
	end(&f);
}

static void the_store_says_what_it_lies_on(void **state)
{
	(void) state;
	DoctorLine line = doctor_store("/etc/passwd/nosuch/maestro.db");
	assert_int_equal(line.level, DOCTOR_FAIL);
	line = doctor_store("/dev/shm/nosuch/deeper/maestro.db");
	assert_int_equal(line.level, DOCTOR_WARN);
	assert_non_null(strstr(line.text, "tmpfs"));
	assert_true(line.remedy[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_healthy_cluster_has_nothing_to_fix),
		cmocka_unit_test(what_is_wrong_is_named_with_a_remedy),
		cmocka_unit_test(what_cannot_be_reached_is_said),
		cmocka_unit_test(the_store_says_what_it_lies_on),
	};
	if (http_global_init())
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	http_global_done();
	return failed;
}
