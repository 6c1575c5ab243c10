/* See claims.h. */
#include "cluster/claims.h"

#include "base/http.h"
#include "base/mem.h"
#include "cluster/quantity.h"
#include "cluster/shard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct Claim {
	char name[NAME_MAX_K8S], holder[128], renewed[40];
	int64_t until_ms; /* monotonic */
};

static const Claim *find(const Claims *claims, const char *name)
{
	for (size_t i = 0; i < claims->n; i++)
		if (!strcmp(claims->claim[i].name, name))
			return &claims->claim[i];
	return NULL;
}

static void read_claim(const Claims *before, const Json *item, Clock *clock, Claim *ret)
{
	int64_t renewed_ms, duration_ms = json_int_or(item, "spec.leaseDurationSeconds", 0) * 1000;
	*ret = (Claim) { .until_ms = clock_mono_ms(clock) + duration_ms };
	str_copy(ret->name, sizeof ret->name, json_string_or(item, "metadata.name", ""));
	str_copy(ret->holder, sizeof ret->holder, json_string_or(item, "spec.holderIdentity", ""));
	str_copy(ret->renewed, sizeof ret->renewed, json_string_or(item, "spec.renewTime", ""));
	const Claim *was = find(before, ret->name);
	if (was && !strcmp(was->renewed, ret->renewed) && !strcmp(was->holder, ret->holder))
		ret->until_ms = was->until_ms;
	else if (!was && !before->is_known && (!time_parse(ret->renewed, &renewed_ms) || clock_wall_ms(clock) - renewed_ms >= duration_ms))
		ret->until_ms = 0; /* of one that ended long ago, by its clock and ours */
}

int claims_look(Claims *claims, KubeClient *client, Clock *clock, const char *namespace_, Error *err)
{
	StrBuf path = { 0 };
	Json *root = NULL;
	char what[96];
	Claims now = { .may_not_list = claims->may_not_list, .is_known = true };
	(void) snprintf(what, sizeof what, "leases of %.60s", namespace_);
	strbuf_addf(&path, "/apis/coordination.k8s.io/v1/namespaces/");
	http_escape(&path, namespace_);
	strbuf_addf(&path, "/leases");
	int code = path.failed ? error_set(err, ERR_NOMEM, "%s: out of memory", what) : kube_request(client, what, "GET", path.data, NULL, &root, err);
	strbuf_done(&path);
	if (code == ERR_FORBIDDEN && !claims->may_not_list)
		(void) fprintf(stderr, "maestro: %s: may not be listed, so a `maestro run` that has a target by a Lease of its own is not seen; allow it to "
		               "(manifests/rbac.yaml)\n", what);
	claims->may_not_list |= code == ERR_FORBIDDEN;
	if (code)
		return code == ERR_FORBIDDEN || code == ERR_NOT_FOUND ? 0 : code;
	const Json *items = json_get(root, "items");
	size_t size = 0;
	for (const Json *item = json_first(items); item; item = json_next(item))
		size++;
	now.claim = calloc(size ? size : 1, sizeof *now.claim);
	for (const Json *item = json_first(items); item && now.claim; item = json_next(item))
		if (*json_string_or(item, "spec.holderIdentity", "") && target_lease_is(json_string_or(item, "metadata.name", "")))
			read_claim(claims, item, clock, &now.claim[now.n++]);
	json_free(root);
	if (!now.claim)
		return error_set(err, ERR_NOMEM, "%s: out of memory", what);
	claims_done(claims);
	*claims = now;
	return 0;
}

const char *claims_holder(const Claims *claims, Clock *clock, const char *deployment)
{
	char name[NAME_MAX_K8S];
	target_lease_name(deployment, name, sizeof name);
	const Claim *claim = find(claims, name);
	return claim && clock_mono_ms(clock) < claim->until_ms ? claim->holder : NULL;
}

void claims_done(Claims *claims)
{
	free(claims->claim);
	*claims = (Claims) { 0 };
}
