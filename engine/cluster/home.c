/* See home.h. */
#include "cluster/home.h"

#include "base/mem.h"
#include "cluster/scale.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char ANNOTATION[] = "maestro.io/training-replicas";
enum { TRIES = 5, WHAT = 400, PATH = 512 };

static void name_it(const Target *target, char what[WHAT], char path[PATH])
{
	(void) snprintf(what, WHAT, "deployment %s/%s: %s", target->namespace_, target->name, ANNOTATION);
	(void) snprintf(path, PATH, "/apis/apps/v1/namespaces/%s/deployments/%s", target->namespace_, target->name);
}

/* A merge patch; replicas < 0: takes it away. */
static int annotate(KubeClient *client, const Target *target, int32_t replicas, Error *err)
{
	char what[WHAT], path[PATH], number[16], body[160];
	name_it(target, what, path);
	(void) snprintf(number, sizeof number, replicas < 0 ? "null" : "\"%d\"", replicas);
	(void) snprintf(body, sizeof body, "{\"metadata\":{\"annotations\":{\"%s\":%s}}}", ANNOTATION, number);
	return kube_request(client, what, "PATCH", path, body, NULL, err);
}

static bool read_annotation(const Json *deployment, int32_t *ret)
{
	for (const Json *a = json_first(json_get(deployment, "metadata.annotations")); a; a = json_next(a)) {
		char *end;
		const char *text = !strcmp(json_key(a), ANNOTATION) ? json_string(a) : NULL;
		long n = text ? strtol(text, &end, 10) : -1;
		if (text && end != text && !*end && n >= 0 && n <= 10000) {
			*ret = (int32_t) n;
			return true;
		}
	}
	return false;
}

int home_note(KubeClient *client, const Target *target, int32_t *ret_replicas, bool *ret_was_left, Error *err)
{
	char what[WHAT], path[PATH];
	Json *root = NULL;
	name_it(target, what, path);
	int code = kube_request(client, what, "GET", path, NULL, &root, err);
	if (code)
		return code;
	int64_t present;
	*ret_was_left = read_annotation(root, ret_replicas);
	if (!*ret_was_left && !json_int(json_get(root, "spec.replicas"), &present)) {
		code = error_set(err, ERR_PARSE, "%s: no spec.replicas", what);
	} else if (!*ret_was_left) {
		*ret_replicas = (int32_t) present;
		code = annotate(client, target, *ret_replicas, err);
	}
	json_free(root);
	return code;
}

static int set_replicas(Actuator *actuator, const Target *target, int32_t replicas, Error *err)
{
	int code = 0;
	for (int i = 0; i < TRIES; i++) {
		Scale scale;
		code = actuator->ops->get_scale(actuator, target, &scale, err);
		if (code || scale.replicas == replicas)
			return code;
		scale.replicas = replicas;
		code = actuator->ops->set_scale(actuator, target, &scale, NULL, err);
		if (code != ERR_CONFLICT)
			return code;
	}
	return code;
}

int home_set(KubeClient *client, const Target *target, int32_t replicas, Error *err)
{
	Actuator *actuator;
	int code = kube_actuator_new(client, &actuator, err);
	if (code)
		return code;
	code = set_replicas(actuator, target, replicas, err);
	actuator_free(actuator);
	return code;
}

int home_return(KubeClient *client, const Target *target, int32_t replicas, Error *err)
{
	int code = home_set(client, target, replicas, err);
	if (!code)
		code = annotate(client, target, -1, err);
	return code == ERR_NOT_FOUND ? 0 : code;
}
