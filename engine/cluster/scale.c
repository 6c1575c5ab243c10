/* See scale.h. The API leaves a count of 0 out ("spec":{}): here, and only here, an absent number is 0. */
#include "cluster/scale.h"

#include "base/http.h"
#include "base/mem.h"
#include "cluster/cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct KubeActuator {
	Actuator base;
	KubeClient *client;
	bool is_refused; /* the last write met a conflict: what is cached is old */
} KubeActuator;

enum { WHAT = NAMESPACE_MAX + NAME_MAX_K8S + 32 };

static void describe(const Target *target, char what[WHAT])
{
	(void) snprintf(what, WHAT, "deployment %s/%s: scale", target->namespace_, target->name);
}

static int scale_path(const Target *target, StrBuf *path)
{
	strbuf_addf(path, "/apis/apps/v1/namespaces/");
	http_escape(path, target->namespace_);
	strbuf_addf(path, "/deployments/");
	http_escape(path, target->name);
	strbuf_addf(path, "/scale");
	return path->failed ? ERR_NOMEM : 0;
}

/* A count that the API leaves out when it is 0. */
static bool count_of(const Json *root, const char *path, int32_t *ret)
{
	const Json *value = json_get(root, path);
	int64_t count = 0;
	if (value && (!json_int(value, &count) || count < 0 || count > INT32_MAX))
		return false;
	*ret = (int32_t) count;
	return true;
}

static int read_scale(const Json *root, const char *what, Scale *ret_scale, Error *err)
{
	Scale scale = { 0 };
	if (strcmp(json_string_or(root, "kind", ""), "Scale") || !json_is_object(json_get(root, "spec")) ||
	    !count_of(root, "spec.replicas", &scale.replicas) || !count_of(root, "status.replicas", &scale.status_replicas))
		return error_set(err, ERR_PARSE, "%s: the answer is not a Scale", what);
	if (!*json_string_or(root, "metadata.resourceVersion", "")) /* a write without it would be unconditional */
		return error_set(err, ERR_PARSE, "%s: the answer has no resourceVersion", what);
	str_copy(scale.resource_version, sizeof scale.resource_version, json_string_or(root, "metadata.resourceVersion", ""));
	str_copy(scale.uid, sizeof scale.uid, json_string_or(root, "metadata.uid", ""));
	*ret_scale = scale;
	return 0;
}

/* Scale and Deployment are one object: they share replicas, uid and resourceVersion. */
static int get_cached(KubeActuator *kube, const Target *target, Scale *ret_scale, Error *err)
{
	KubeDeployment deployment;
	int code = kube_cache_deployment(kube_client_cached(kube->client), target, &deployment, err);
	if (code)
		return code;
	*ret_scale = (Scale) { .replicas = deployment.replicas, .status_replicas = deployment.status_replicas };
	str_copy(ret_scale->resource_version, sizeof ret_scale->resource_version, deployment.resource_version);
	str_copy(ret_scale->uid, sizeof ret_scale->uid, deployment.uid);
	return 0;
}

static int get_scale(Actuator *actuator, const Target *target, Scale *ret_scale, Error *err)
{
	KubeActuator *kube = (KubeActuator *) actuator;
	char what[WHAT];
	StrBuf path = { 0 };
	Json *root = NULL;
	if (kube_client_cached(kube->client) && !kube->is_refused)
		return get_cached(kube, target, ret_scale, err);
	kube->is_refused = false;
	describe(target, what);
	int code = scale_path(target, &path);
	code = code ? error_set(err, code, "%s: out of memory", what)
	            : kube_request(kube->client, what, "GET", path.data, NULL, &root, err);
	if (!code)
		code = read_scale(root, what, ret_scale, err);
	json_free(root);
	strbuf_done(&path);
	return code;
}

static char *scale_body(const Target *target, const Scale *want)
{
	Json *root = json_new_object();
	json_add_string(root, "kind", "Scale");
	json_add_string(root, "apiVersion", "autoscaling/v1");
	Json *metadata = json_add_object(root, "metadata");
	json_add_string(metadata, "name", target->name);
	json_add_string(metadata, "namespace", target->namespace_);
	if (want->resource_version[0])
		json_add_string(metadata, "resourceVersion", want->resource_version);
	json_add_int(json_add_object(root, "spec"), "replicas", want->replicas);
	char *body = json_print(root);
	json_free(root);
	return body;
}

static int set_scale(Actuator *actuator, const Target *target, const Scale *want, Scale *ret_scale, Error *err)
{
	KubeActuator *kube = (KubeActuator *) actuator;
	char what[WHAT];
	StrBuf path = { 0 };
	Json *root = NULL;
	describe(target, what);
	char *body = scale_body(target, want);
	int code = scale_path(target, &path);
	if (code || !body)
		code = error_set(err, ERR_NOMEM, "%s: out of memory", what);
	else
		code = kube_request(kube->client, what, "PUT", path.data, body, &root, err);
	kube->is_refused = code == ERR_CONFLICT;
	if (code == ERR_CONFLICT)
		code = error_set(err, code, "%s: 409 conflict at resourceVersion %s", what, want->resource_version);
	Scale now;
	if (!code)
		code = read_scale(root, what, &now, err);
	if (!code && kube_client_cached(kube->client))
		kube_cache_scaled(kube_client_cached(kube->client), target, now.replicas, now.resource_version);
	if (!code && ret_scale)
		*ret_scale = now;
	json_free(root);
	free(body);
	strbuf_done(&path);
	return code;
}

static void actuator_done(Actuator *actuator)
{
	free(actuator);
}

static const ActuatorOps OPS = { "kubernetes", get_scale, set_scale, actuator_done };

int kube_actuator_new(KubeClient *client, Actuator **ret_actuator, Error *err)
{
	KubeActuator *kube = calloc(1, sizeof *kube);
	if (!kube)
		return error_set(err, ERR_NOMEM, "out of memory");
	kube->base.ops = &OPS;
	kube->client = client;
	*ret_actuator = &kube->base;
	return 0;
}
