/*
 * The fake cluster as a program, for tests of the real console: an API and a Prometheus that say what reaches them.
 *   fake_api DIR STORE      until it is killed
 * DIR/kubeconfig names it, DIR/url is Prometheus's. DIR/requests gets a line a request: method, path, and how many writes the audit
 * of STORE had pending at that moment. A number in DIR/kill is of a process that gets SIGKILL instead of the answer to its next
 * write of a scale.
 */
#include "tests/fakes/fake_cluster.h"
#include "tests/fakes/store_room.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Api {
	FakeCluster cluster;
	const char *dir, *store;
	FILE *log;
} Api;

static const char PENDING[] = "SELECT (SELECT count(*) FROM audit WHERE result = 'pending') - (SELECT count(*) FROM audit WHERE result <> 'pending')";

static void kill_instead(const Api *api)
{
	char path[512];
	int pid = 0;
	(void) snprintf(path, sizeof path, "%s/kill", api->dir);
	FILE *file = fopen(path, "r");
	if (!file)
		return;
	if (fscanf(file, "%d", &pid) == 1 && pid > 1)
		(void) kill(pid, SIGKILL);
	(void) fclose(file);
	(void) unlink(path);
}

static void on_request(void *arg, const FakeRequest *request)
{
	Api *api = arg;
	char pending[64] = "-";
	bool is_get = !strcmp(request->method, "GET");
	if (!is_get)
		(void) store_sql(api->store, PENDING, pending, sizeof pending);
	(void) fprintf(api->log, "%s %s %s\n", request->method, request->path, pending);
	(void) fflush(api->log);
	if (!is_get && strstr(request->path, "/scale"))
		kill_instead(api);
}

static void put(const char *dir, const char *name, const char *text)
{
	char path[512];
	(void) snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *file = fopen(path, "w");
	if (!file || fputs(text, file) < 0 || fclose(file)) {
		perror(path);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	static Api api; /* lives as long as the process */
	char path[512], text[4096] = "";
	if (argc != 3)
		return 2;
	api.dir = argv[1];
	api.store = argv[2];
	(void) snprintf(path, sizeof path, "%s/requests", api.dir);
	api.log = fopen(path, "w");
	fake_cluster_start(&api.cluster);
	api.cluster.annotations = "\"maestro.io/min-replicas\":\"1\",\"maestro.io/max-replicas\":\"9\"";
	api.cluster.arg = &api;
	api.cluster.on_request = on_request;
	FILE *config = fopen(api.cluster.kubeconfig, "r");
	size_t len = config ? fread(text, 1, sizeof text - 1, config) : 0;
	text[len] = '\0';
	(void) unlink(api.cluster.kubeconfig);
	put(api.dir, "kubeconfig", text);
	put(api.dir, "url", fake_cluster_url(&api.cluster));
	for (;;)
		(void) pause();
}
