/* See kube_list.h. */
#include "cluster/kube_list.h"

#include "base/http.h"

#include <stdio.h>

int kube_deployments_list(KubeClient *client, const char *namespace_, const char *selector,
                          int (*found)(void *arg, const char *name), void *arg, Error *err)
{
	char what[96];
	StrBuf path = { 0 };
	Json *root = NULL;
	(void) snprintf(what, sizeof what, "deployments of %.60s", namespace_);
	strbuf_addf(&path, "/apis/apps/v1/namespaces/");
	http_escape(&path, namespace_);
	strbuf_addf(&path, "/deployments?labelSelector=");
	http_escape(&path, selector);
	int code = path.failed ? error_set(err, ERR_NOMEM, "%s: out of memory", what)
	                       : kube_request(client, what, "GET", path.data, NULL, &root, err);
	for (const Json *item = code ? NULL : json_first(json_get(root, "items")); item && !code; item = json_next(item))
		code = found(arg, json_string_or(item, "metadata.name", ""));
	json_free(root);
	strbuf_done(&path);
	return code;
}
