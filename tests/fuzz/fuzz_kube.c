/* An object of a watch or a list, as Deployment and as pod: in the cache it is what its parser says, and bad ones are left out. */
#include "fuzz.h"
#include "base/json.h"
#include "cluster/cache.h"

#include <stdlib.h>
#include <string.h>

void fuzz_kube(const char *bytes, size_t len)
{
	static const Target WEB = { .namespace_ = "default", .name = "web" };
	Json *object = NULL;
	Error err = { 0 };
	KubeDeployment deployment = { 0 }, cached = { 0 };
	KubeCache *cache = NULL;
	PodList pods = { 0 };
	if (json_parse(bytes, len, &object, &err))
		return;
	if (kube_cache_new(&cache, &err))
		abort();
	int code = kube_deployment_parse(object, &WEB, &deployment, &err);
	fuzz_check(code, &err);
	for (CacheKind kind = CACHE_DEPLOYMENTS; kind < CACHE_KINDS; kind++) {
		if (kube_cache_put(cache, kind, "default", object))
			abort();
		kube_cache_state(cache, kind, "default", 0, NULL);
	}
	if (!kube_cache_deployment(cache, &WEB, &cached, &err) && !code && cached.replicas != deployment.replicas)
		abort();
	(void) kube_cache_pods(cache, &WEB, deployment.selector, 0, &pods, &err);
	pod_list_done(&pods);
	kube_cache_free(cache);
	json_free(object);
}

void seed_kube(StrBuf *to)
{
	fuzz_read("tests/fixtures/deployment.json", to);
}
