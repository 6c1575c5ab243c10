/* See kube_vpa.h. */
#include "cluster/kube_vpa.h"

#include "base/http.h"
#include "base/json.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Without a list of resources it is both. */
static bool names_cpu(const Json *resources)
{
	for (const Json *item = json_first(resources); item; item = json_next(item))
		if (json_string(item) && !strcmp(json_string(item), "cpu"))
			return true;
	return !resources;
}

/* One container whose cpu it may set is enough; "*" speaks for those that are not named. */
static bool changes_cpu(const Json *item)
{
	const Json *policies = json_get(item, "spec.resourcePolicy.containerPolicies");
	bool has_rest = false;
	if (!strcmp(json_string_or(item, "spec.updatePolicy.updateMode", "Auto"), "Off"))
		return false;
	for (const Json *policy = json_first(policies); policy; policy = json_next(policy)) {
		has_rest |= !strcmp(json_string_or(policy, "containerName", ""), "*");
		if (strcmp(json_string_or(policy, "mode", "Auto"), "Off") && names_cpu(json_get(policy, "controlledResources")))
			return true;
	}
	return !has_rest;
}

static void add(VpaList *list, const Json *item)
{
	Vpa *longer = realloc(list->vpa, (list->n + 1) * sizeof *longer);
	if (!longer)
		return;
	list->vpa = longer;
	Vpa *vpa = &longer[list->n++];
	*vpa = (Vpa) { 0 };
	str_copy(vpa->name, sizeof vpa->name, json_string_or(item, "metadata.name", ""));
	str_copy(vpa->target, sizeof vpa->target, json_string_or(item, "spec.targetRef.name", ""));
	str_copy(vpa->mode, sizeof vpa->mode, json_string_or(item, "spec.updatePolicy.updateMode", "Auto"));
}

void vpa_list_read(VpaList *list, KubeClient *client, const char *namespace_)
{
	StrBuf path = { 0 };
	Json *root = NULL;
	list->n = 0;
	strbuf_addf(&path, "/apis/autoscaling.k8s.io/v1/namespaces/");
	http_escape(&path, namespace_);
	strbuf_addf(&path, "/verticalpodautoscalers");
	if (!path.failed && !kube_request(client, "verticalpodautoscalers", "GET", path.data, NULL, &root, NULL))
		for (const Json *item = json_first(json_get(root, "items")); item; item = json_next(item))
			if (!strcmp(json_string_or(item, "spec.targetRef.kind", "Deployment"), "Deployment") && changes_cpu(item))
				add(list, item);
	json_free(root);
	strbuf_done(&path);
}

void vpa_list_warn(const VpaList *list, const Target *target, char *text, size_t size)
{
	*text = '\0';
	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->vpa[i].target, target->name))
			(void) snprintf(text, size, "VerticalPodAutoscaler %.60s/%.60s (%s) changes cpu requests", target->namespace_,
			                list->vpa[i].name, list->vpa[i].mode);
}

void vpa_list_done(VpaList *list)
{
	free(list->vpa);
	*list = (VpaList) { 0 };
}
