/* See doctor.h. The store's volume is in doctor_store.c. */
#include "cluster/doctor.h"

#include "base/json.h"
#include "cluster/shard.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Visit {
	const Doctor *doctor;
	int fails;
	KubeDeployment deployment;
	bool has_deployment;
} Visit;

const char *doctor_level_text(DoctorLevel level)
{
	static const char *const texts[] = { "ok", "warn", "fail", "skip" };
	return texts[level];
}

static void tell(Visit *visit, const DoctorLine *line)
{
	visit->fails += line->level == DOCTOR_FAIL;
	visit->doctor->tell(visit->doctor->arg, line);
}

__attribute__((format(printf, 5, 6)))
static void say(Visit *visit, const char *check, DoctorLevel level, const char *remedy, const char *format, ...)
{
	DoctorLine line = { .check = check, .level = level };
	va_list args;
	va_start(args, format);
	(void) vsnprintf(line.text, sizeof line.text, format, args);
	va_end(args);
	str_copy(line.remedy, sizeof line.remedy, remedy);
	tell(visit, &line);
}

/* ---- the API and our rights ---- */

static bool look_at_api(Visit *visit)
{
	Json *root = NULL;
	Error err = { 0 };
	if (kube_request(visit->doctor->kube, "the API's version", "GET", "/version", NULL, &root, &err)) {
		say(visit, "api", DOCTOR_FAIL, err.code == ERR_UNAUTHORIZED ? "get a new token, or another --context"
		    : "look at the kubeconfig's server and its certificate, and whether the API is up", "%s", err.text);
		return false;
	}
	say(visit, "api", DOCTOR_OK, "", "Kubernetes %s answers", json_string_or(root, "gitVersion", "?"));
	json_free(root);
	return true;
}

typedef struct Right {
	const char *group, *resource, *subresource, *verb;
	DoctorLevel without;  /* how bad it is not to have it */
	bool is_own;          /* in the autoscaler's own namespace */
	const char *what_for;
} Right;

static const Right RIGHTS[] = { /* CONTROL C, RBAC */
	{ "apps", "deployments", NULL, "get", DOCTOR_FAIL, false, "to read the target" },
	{ "apps", "deployments", NULL, "list", DOCTOR_WARN, false, "for more than 3 targets" },
	{ "apps", "deployments", NULL, "watch", DOCTOR_WARN, false, "for more than 3 targets" },
	{ "apps", "deployments", "scale", "get", DOCTOR_FAIL, false, "to read its replicas" },
	{ "apps", "deployments", "scale", "update", DOCTOR_FAIL, false, "to scale it" },
	{ "apps", "deployments", NULL, "patch", DOCTOR_WARN, false, "to show its conditions in maestro.io/status" },
	{ "", "pods", NULL, "list", DOCTOR_FAIL, false, "to count what is ready" },
	{ "", "pods", NULL, "watch", DOCTOR_WARN, false, "for more than 3 targets" },
	{ "autoscaling", "horizontalpodautoscalers", NULL, "list", DOCTOR_FAIL, false, "to see whether an HPA has the target" },
	{ "keda.sh", "scaledobjects", NULL, "list", DOCTOR_WARN, false, "to see whether KEDA has the target" },
	{ "", "events", NULL, "create", DOCTOR_WARN, false, "to tell what it does" },
	{ "", "events", NULL, "patch", DOCTOR_WARN, false, "to count what repeats" },
	{ "coordination.k8s.io", "leases", NULL, "create", DOCTOR_WARN, false, "to keep a target to one process; or act with --no-lease" },
	{ "coordination.k8s.io", "leases", NULL, "update", DOCTOR_WARN, false, "to keep a target to one process; or act with --no-lease" },
	{ "coordination.k8s.io", "leases", NULL, "list", DOCTOR_WARN, false, "to see that another process keeps a target" },
	{ "coordination.k8s.io", "leases", NULL, "create", DOCTOR_WARN, true, "for more than 3 targets, --leader-elect, and --lease-namespace" },
	{ "coordination.k8s.io", "leases", NULL, "update", DOCTOR_WARN, true, "for more than 3 targets, --leader-elect, and --lease-namespace" },
};

/* The object that a right is for, where it is for one. */
static const char *name_of(const Visit *visit, const Right *right, char text[NAME_MAX_K8S])
{
	text[0] = '\0';
	if (strcmp(right->resource, "leases") || strcmp(right->verb, "update"))
		return text;
	if (right->is_own)
		return "maestro-autoscaler";
	target_lease_name(visit->doctor->target->name, text, NAME_MAX_K8S);
	return text;
}

/* 1: may, 0: may not, -1: cannot be asked. */
static int may(Visit *visit, const Right *right, const char *ns, Error *err)
{
	Json *root = json_new_object(), *answer = NULL;
	char room[NAME_MAX_K8S];
	const char *name = name_of(visit, right, room);
	json_add_string(root, "apiVersion", "authorization.k8s.io/v1");
	json_add_string(root, "kind", "SelfSubjectAccessReview");
	Json *attributes = json_add_object(json_add_object(root, "spec"), "resourceAttributes");
	json_add_string(attributes, "namespace", ns);
	json_add_string(attributes, "group", right->group);
	json_add_string(attributes, "resource", right->resource);
	json_add_string(attributes, "verb", right->verb);
	if (right->subresource)
		json_add_string(attributes, "subresource", right->subresource);
	if (*name)
		json_add_string(attributes, "name", name);
	char *body = json_print(root);
	bool is_allowed = false;
	int code = body ? kube_request(visit->doctor->kube, "the question for our rights", "POST",
	                               "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body, &answer, err)
	                : error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	if (!code && !json_bool(json_get(answer, "status.allowed"), &is_allowed))
		code = error_set(err, ERR_PARSE, "the question for our rights: the answer says nothing");
	free(body);
	json_free(root);
	json_free(answer);
	return code ? -1 : is_allowed;
}

static void look_at_rights(Visit *visit)
{
	static const Right secrets = { "", "secrets", NULL, "get", DOCTOR_WARN, false, "" };
	static const char remedy[] = "kubectl apply -k manifests/base, or add the rule to the account's Role";
	const char *ns = visit->doctor->target->namespace_;
	int granted = 0;
	char room[NAME_MAX_K8S];
	Error err = { 0 };
	for (size_t i = 0; i < sizeof RIGHTS / sizeof *RIGHTS; i++) {
		const Right *right = &RIGHTS[i];
		const char *where = right->is_own && visit->doctor->own_namespace ? visit->doctor->own_namespace : ns;
		int answer = may(visit, right, where, &err);
		if (answer < 0) {
			say(visit, "rbac", DOCTOR_FAIL, "", "%s", err.text);
			return;
		}
		const char *part = right->subresource ? right->subresource : name_of(visit, right, room);
		if (!answer)
			say(visit, "rbac", right->without, remedy, "may not %s %s%s%s in %s, wanted %s", right->verb, right->resource,
			    *part ? "/" : "", part, where, right->what_for);
		granted += answer;
	}
	if (granted == (int) (sizeof RIGHTS / sizeof *RIGHTS))
		say(visit, "rbac", DOCTOR_OK, "", "all %d rights in %s", granted, ns);
	if (may(visit, &secrets, ns, &err) == 1)
		say(visit, "rbac", DOCTOR_WARN, "run it under an account of its own: manifests/base has one", "may read secrets, which it never needs");
}

/* ---- the target ---- */

static void look_at_deployment(Visit *visit)
{
	const Target *target = visit->doctor->target;
	KubeDeployment *d = &visit->deployment;
	Error err = { 0 };
	if (kube_deployment_read(visit->doctor->kube, target, d, &err)) {
		say(visit, "deployment", DOCTOR_FAIL, "look at the name and the namespace", "%s", err.text);
		return;
	}
	visit->has_deployment = true;
	say(visit, "deployment", DOCTOR_OK, "", "%s/%s has %d replicas", target->namespace_, target->name, d->replicas);
	if (!d->max_replicas && !target->max_replicas)
		say(visit, "bounds", DOCTOR_FAIL, "annotate maestro.io/max-replicas, or give --max-replicas", "nothing says how far it may scale");
	else
		say(visit, "bounds", DOCTOR_OK, "", "min %d, max %d", d->min_replicas ? d->min_replicas : target->min_replicas,
		    d->max_replicas ? d->max_replicas : target->max_replicas);
	if (d->latency_soft_ms <= 0 && target->latency_soft_ms <= 0)
		say(visit, "limits", DOCTOR_WARN, "annotate latencySoftConstraint and latencyHardConstraint (ms), or give --latency-soft and "
		    "--latency-hard", "no latency limit: nothing says what is too slow, and no down is held back for it");
	if (d->cpu_request_cores <= 0)
		say(visit, "requests", DOCTOR_WARN, "set resources.requests.cpu on every container",
		    "a container has no CPU request: neither the HPA rule nor the fallback can be had");
}

/* ---- others who scale it ---- */

static bool is_ours(const Json *ref, const Target *target)
{
	return !strcmp(json_string_or(ref, "kind", "Deployment"), "Deployment") && !strcmp(json_string_or(ref, "name", ""), target->name);
}

typedef struct Rival {
	const char *check, *kind, *path, *ref;
	DoctorLevel level;
	const char *remedy;
} Rival;

static const Rival RIVALS[] = {
	{ "hpa", "HorizontalPodAutoscaler", "/apis/autoscaling/v2/namespaces/%s/horizontalpodautoscalers", "spec.scaleTargetRef", DOCTOR_FAIL,
	  "delete it, or keep it and run with --actuate hpa-floor" },
	{ "keda", "ScaledObject", "/apis/keda.sh/v1alpha1/namespaces/%s/scaledobjects", "spec.scaleTargetRef", DOCTOR_FAIL,
	  "delete it, or annotate it with autoscaling.keda.sh/paused: \"true\"" },
	{ "vpa", "VerticalPodAutoscaler", "/apis/autoscaling.k8s.io/v1/namespaces/%s/verticalpodautoscalers", "spec.targetRef", DOCTOR_WARN,
	  "set updatePolicy.updateMode to Off for CPU: it changes what a pod can carry" },
};

static void look_for_rival(Visit *visit, const Rival *rival)
{
	const Target *target = visit->doctor->target;
	char path[256];
	Json *root = NULL;
	Error err = { 0 };
	int found = 0;
	(void) snprintf(path, sizeof path, rival->path, target->namespace_);
	int code = kube_request(visit->doctor->kube, rival->kind, "GET", path, NULL, &root, &err);
	if (code == ERR_NOT_FOUND)
		return; /* not installed */
	if (code) {
		say(visit, rival->check, DOCTOR_WARN, "grant list on it, so that a conflict is seen", "%s", err.text);
		return;
	}
	for (const Json *item = json_first(json_get(root, "items")); item; item = json_next(item)) {
		const char *mode = json_string_or(item, "spec.updatePolicy.updateMode", "");
		if (!is_ours(json_get(item, rival->ref), target) || !strcmp(mode, "Off"))
			continue;
		say(visit, rival->check, rival->level, rival->remedy, "%s %s/%s has the same target", rival->kind, target->namespace_,
		    json_string_or(item, "metadata.name", "?"));
		found++;
	}
	if (!found)
		say(visit, rival->check, DOCTOR_OK, "", "no %s has the target", rival->kind);
	json_free(root);
}

/* Whether every label that the budget asks for is in "k=v,k=v". */
static bool selects(const Json *labels, const char *selector)
{
	size_t n = 0;
	for (const Json *label = json_first(labels); label; label = json_next(label), n++) {
		char term[256];
		int len = snprintf(term, sizeof term, "%s=%s", json_key(label), json_string(label) ? json_string(label) : "");
		const char *at = strstr(selector, term);
		if (!at || (at != selector && at[-1] != ',') || (at[len] && at[len] != ','))
			return false;
	}
	return n > 0;
}

static void look_at_budgets(Visit *visit)
{
	const Target *target = visit->doctor->target;
	int32_t min = visit->deployment.min_replicas ? visit->deployment.min_replicas : target->min_replicas;
	char path[256];
	Json *root = NULL;
	(void) snprintf(path, sizeof path, "/apis/policy/v1/namespaces/%s/poddisruptionbudgets", target->namespace_);
	if (kube_request(visit->doctor->kube, "PodDisruptionBudgets", "GET", path, NULL, &root, &(Error) { 0 })) {
		say(visit, "pdb", DOCTOR_SKIP, "", "PodDisruptionBudgets may not be listed with this account");
		return;
	}
	for (const Json *item = json_first(json_get(root, "items")); item; item = json_next(item)) {
		int64_t least;
		if (!selects(json_get(item, "spec.selector.matchLabels"), visit->deployment.selector) ||
		    !json_int(json_get(item, "spec.minAvailable"), &least) || least <= min)
			continue;
		char remedy[160];
		(void) snprintf(remedy, sizeof remedy, "annotate maestro.io/min-replicas: \"%d\"", (int) least);
		say(visit, "pdb", DOCTOR_WARN, remedy, "PodDisruptionBudget %s asks for %d pods, but the minimum is %d: a budget does not restrain a "
		    "scale-down, only the minimum does", json_string_or(item, "metadata.name", "?"), (int) least, min);
	}
	json_free(root);
}

/* ---- Prometheus ---- */

static void look_at_values(Visit *visit, const Sample *sample)
{
	static const struct {
		const char *check, *unit;
		uint32_t bit;
		size_t age;
	} values[] = {
		{ "cpu", "cores", SAMPLE_CPU, 0 }, { "memory", "bytes", SAMPLE_MEM, 1 }, { "p95", "ms", SAMPLE_LATENCY, 2 }, { "rps", "requests/s", SAMPLE_RPS, 3 },
	};
	const double value[] = { sample->cpu_cores, sample->mem_bytes, sample->latency_ms, sample->rps };
	bool is_idle = (sample->valid & SAMPLE_RPS) && sample->rps <= 0.0;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		if (sample->valid & values[i].bit)
			say(visit, values[i].check, DOCTOR_OK, "", "%.4g %s, %.0f s old", value[i], values[i].unit, (double) sample->age_ms[values[i].age] / 1e3);
		else if (values[i].bit == SAMPLE_LATENCY && is_idle)
			say(visit, values[i].check, DOCTOR_OK, "", "no traffic, so no latency");
		else
			say(visit, values[i].check, DOCTOR_FAIL, "try the query in Prometheus; other names: --queries or the annotation maestro.io/queries",
			    "missing: %s", sample->missing);
}

static void look_at_prometheus(Visit *visit)
{
	const Doctor *doctor = visit->doctor;
	PromConfig config = *doctor->prometheus;
	Metrics *metrics = NULL;
	Sample sample = { 0 };
	Error err = { 0 };
	config.kube = doctor->kube;
	config.clock = doctor->clock;
	int code = prom_metrics_new(&config, &metrics, &err);
	if (!code && visit->has_deployment)
		code = metrics->ops->fetch(metrics, doctor->target, 1, clock_wall_ms(doctor->clock), &sample, &err);
	else if (!code)
		code = prom_reachable(metrics, clock_wall_ms(doctor->clock), &err);
	if (code) {
		say(visit, "prometheus", DOCTOR_FAIL, code == ERR_UNAUTHORIZED || code == ERR_FORBIDDEN
		    ? "see --prometheus-token-file, --prometheus-user, --prometheus-header" : "look at --prometheus and whether it is up", "%s", err.text);
	} else {
		say(visit, "prometheus", DOCTOR_OK, "", "answers at %s", strchr(config.url, '@') ? "its URL" : config.url);
		if (visit->has_deployment)
			look_at_values(visit, &sample);
	}
	metrics_free(metrics);
}

int doctor_run(const Doctor *doctor)
{
	Visit visit = { .doctor = doctor };
	bool is_there = doctor->kube && look_at_api(&visit);
	if (is_there)
		look_at_rights(&visit);
	if (is_there && doctor->target->name[0])
		look_at_deployment(&visit);
	for (size_t i = 0; visit.has_deployment && i < sizeof RIVALS / sizeof *RIVALS; i++)
		look_for_rival(&visit, &RIVALS[i]);
	if (visit.has_deployment)
		look_at_budgets(&visit);
	if (doctor->prometheus)
		look_at_prometheus(&visit);
	else
		say(&visit, "prometheus", DOCTOR_SKIP, "", "no --prometheus was given");
	if (doctor->db) {
		DoctorLine line = doctor_store(doctor->db);
		tell(&visit, &line);
	}
	return visit.fails;
}
