/*
 * The fake cluster as a program, for tests of the real console: an API and a Prometheus that say what reaches them.
 *   fake_api DIR STORE      until it is killed
 * DIR/kubeconfig names it, DIR/url is Prometheus's. DIR/requests gets a line a request: method, path, and how many writes the audit
 * of STORE had pending at that moment. A number in DIR/kill is of a process that gets SIGKILL instead of the answer to its next
 * write of a scale. DIR/headers gets the headers of all requests, DIR/bodies what they bring; where there is a file DIR/echo, every answer
 * is its number as a status, and says credentials back.
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
	FILE *log, *headers, *bodies;
} Api;

static const char PENDING[] = "SELECT (SELECT count(*) FROM audit WHERE result = 'pending') - (SELECT count(*) FROM audit WHERE result <> 'pending')";

/* The number in a file of the folder; 0: there is none. */
static int number_in(const Api *api, const char *name)
{
	char path[512];
	int number = 0;
	(void) snprintf(path, sizeof path, "%s/%s", api->dir, name);
	FILE *file = fopen(path, "r");
	if (!file)
		return 0;
	if (fscanf(file, "%d", &number) != 1)
		number = 0;
	(void) fclose(file);
	return number;
}

static void kill_instead(const Api *api)
{
	char path[512];
	int pid = number_in(api, "kill");
	(void) snprintf(path, sizeof path, "%s/kill", api->dir);
	if (pid > 1)
		(void) kill(pid, SIGKILL);
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
	(void) fprintf(api->headers, "%s\n", request->headers);
	(void) fprintf(api->bodies, "%s\n", request->body);
	(void) fflush(NULL);
	atomic_store(&api->cluster.echo_status, number_in(api, "echo"));
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

static FILE *begin_log(const char *dir, const char *name)
{
	char path[512];
	(void) snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *file = fopen(path, "w");
	if (!file) {
		perror(path);
		exit(1);
	}
	return file;
}

int main(int argc, char **argv)
{
	static Api api; /* lives as long as the process */
	char text[4096] = "";
	if (argc != 3)
		return 2;
	api.dir = argv[1];
	api.store = argv[2];
	api.log = begin_log(api.dir, "requests");
	api.headers = begin_log(api.dir, "headers");
	api.bodies = begin_log(api.dir, "bodies");
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
