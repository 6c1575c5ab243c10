/* See fake_leases.h. */
#include "tests/fakes/fake_leases.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char ROOT[] = "/apis/coordination.k8s.io/v1/namespaces/";

static FakeLease *find(FakeLeases *leases, const char *namespace_, const char *name)
{
	FakeLease *free_one = NULL;
	for (int i = 0; i < FAKE_LEASES; i++) {
		FakeLease *lease = &leases->lease[i];
		if (lease->version && !strcmp(lease->namespace_, namespace_) && !strcmp(lease->name, name))
			return lease;
		if (!lease->version && !free_one)
			free_one = lease;
	}
	if (!free_one)
		abort();
	return free_one;
}

static void put(FakeLease *lease, const char *namespace_, const char *name, const char *spec)
{
	str_copy(lease->namespace_, sizeof lease->namespace_, namespace_);
	str_copy(lease->name, sizeof lease->name, name);
	str_copy(lease->spec, sizeof lease->spec, spec);
	lease->version++;
}

static char *text_of(const FakeLease *lease)
{
	return fake_text("{\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\",\"resourceVersion\":\"%d\"},\"spec\":%s}", lease->name, lease->namespace_,
	                 lease->version, lease->spec);
}

static char *list_of(const FakeLeases *leases, const char *namespace_)
{
	StrBuf all = { 0 };
	for (int i = 0; i < FAKE_LEASES; i++) {
		const FakeLease *lease = &leases->lease[i];
		if (!lease->version || strcmp(lease->namespace_, namespace_))
			continue;
		char *text = text_of(lease);
		strbuf_addf(&all, "%s%s", all.len ? "," : "", text);
		free(text);
	}
	char *list = fake_text("{\"items\":[%s]}", all.data ? all.data : "");
	strbuf_done(&all);
	return list;
}

static void write_it(FakeLeases *leases, const FakeRequest *request, const char *namespace_, FakeReply *reply)
{
	Json *root = NULL;
	if (json_parse(request->body, strlen(request->body), &root, NULL))
		abort();
	const char *name = json_string_or(root, "metadata.name", "");
	FakeLease *lease = find(leases, namespace_, name);
	char *spec = json_print(json_get(root, "spec"));
	if (atoi(json_string_or(root, "metadata.resourceVersion", "0")) != lease->version || !spec) {
		reply->status = 409;
	} else {
		put(lease, namespace_, name, spec);
		reply->body = text_of(lease);
	}
	free(spec);
	json_free(root);
}

bool fake_leases_answer(FakeLeases *leases, const FakeRequest *request, FakeReply *reply)
{
	char namespace_[64];
	const char *at = strncmp(request->path, ROOT, sizeof ROOT - 1) ? NULL : request->path + sizeof ROOT - 1;
	const char *end = at ? strstr(at, "/leases") : NULL;
	if (!end)
		return false;
	(void) snprintf(namespace_, sizeof namespace_, "%.*s", (int) (end - at), at);
	const char *name = end + strlen("/leases");
	if (strcmp(request->method, "GET")) {
		write_it(leases, request, namespace_, reply);
	} else if (!*name) {
		reply->body = list_of(leases, namespace_);
	} else {
		const FakeLease *lease = find(leases, namespace_, name + 1);
		if (lease->version)
			reply->body = text_of(lease);
		else
			reply->status = 404;
	}
	return true;
}

void fake_leases_hold(FakeLeases *leases, const char *namespace_, const char *name, const char *holder)
{
	Clock clock;
	char now[CLOCK_TEXT], spec[512];
	clock_init_system(&clock);
	clock_format(clock_wall_ms(&clock), now);
	(void) snprintf(spec, sizeof spec, "{\"holderIdentity\":\"%s\",\"leaseDurationSeconds\":%d,\"renewTime\":\"%s\"}", holder, *holder ? 15 : 1, now);
	put(find(leases, namespace_, name), namespace_, name, spec);
}
