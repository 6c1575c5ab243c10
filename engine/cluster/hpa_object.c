/* See hpa_object.h. */
#include "cluster/hpa_object.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

enum { WHAT = 400, PATH = 640 };

static void name_it(const Target *target, bool is_there, char what[WHAT], char path[PATH])
{
	(void) snprintf(what, WHAT, "HorizontalPodAutoscaler %s/maestro-evaluate-%.200s", target->namespace_, target->name);
	(void) snprintf(path, PATH, "/apis/autoscaling/v2/namespaces/%s/horizontalpodautoscalers%s%s", target->namespace_,
	                is_there ? "/maestro-evaluate-" : "", is_there ? target->name : "");
}

int hpa_object_check(KubeClient *client, Error *err)
{
	return kube_request(client, "metrics.k8s.io", "GET", "/apis/metrics.k8s.io/v1beta1", NULL, NULL, err);
}

int hpa_object_delete(KubeClient *client, const Target *target, Error *err)
{
	char what[WHAT], path[PATH];
	name_it(target, true, what, path);
	int code = kube_request(client, what, "DELETE", path, NULL, NULL, err);
	return code == ERR_NOT_FOUND ? 0 : code;
}

static char *body_of(const Target *target, int32_t cpu_pct)
{
	char name[NAME_MAX_K8S + 20];
	Json *root = json_new_object();
	json_add_string(root, "apiVersion", "autoscaling/v2");
	json_add_string(root, "kind", "HorizontalPodAutoscaler");
	(void) snprintf(name, sizeof name, "maestro-evaluate-%.253s", target->name);
	json_add_string(json_add_object(root, "metadata"), "name", name);
	Json *spec = json_add_object(root, "spec"), *ref = json_add_object(spec, "scaleTargetRef");
	json_add_string(ref, "apiVersion", "apps/v1");
	json_add_string(ref, "kind", "Deployment");
	json_add_string(ref, "name", target->name);
	json_add_int(spec, "minReplicas", target->min_replicas);
	json_add_int(spec, "maxReplicas", target->max_replicas);
	Json *metric = json_add_object(json_add_array(spec, "metrics"), NULL);
	json_add_string(metric, "type", "Resource");
	Json *resource = json_add_object(metric, "resource");
	json_add_string(resource, "name", "cpu");
	Json *aim = json_add_object(resource, "target");
	json_add_string(aim, "type", "Utilization");
	json_add_int(aim, "averageUtilization", cpu_pct);
	char *text = json_print(root);
	json_free(root);
	return text;
}

int hpa_object_create(KubeClient *client, const Target *target, int32_t cpu_pct, Error *err)
{
	char what[WHAT], path[PATH];
	int code = hpa_object_delete(client, target, err);
	char *body = body_of(target, cpu_pct);
	name_it(target, false, what, path);
	if (!code)
		code = !body ? error_set(err, ERR_NOMEM, "%s: out of memory", what)
		             : kube_request(client, what, "POST", path, body, NULL, err);
	free(body);
	return code;
}
