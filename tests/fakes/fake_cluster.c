/* See fake_cluster.h. */
#include "tests/fakes/fake_cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

static const struct {
	const char *part, *value; /* of a query; values by pod have two rows */
	bool is_by_pod;
} QUERIES[] = {
	{ "container_cpu", "0.15", true }, { "container_memory", "67108864", true }, { "_bucket", "200", false },
	{ "istio_requests_total", NULL, false }, { "up{", "1", true },
};

static char *vector(FakeCluster *cluster, const char *query)
{
	const char *missing = atomic_load(&cluster->missing);
	char value[32] = "", row[2][160];
	bool is_by_pod = false;
	for (size_t i = 0; i < sizeof QUERIES / sizeof *QUERIES && !value[0]; i++)
		if (strstr(query, QUERIES[i].part)) {
			is_by_pod = QUERIES[i].is_by_pod;
			(void) snprintf(value, sizeof value, "%s", QUERIES[i].value ? QUERIES[i].value : atomic_load(&cluster->rps));
		}
	if (strstr(query, "timestamp("))
		(void) snprintf(value, sizeof value, "%ld", (long) time(NULL));
	bool is_empty = !value[0] || (missing && strstr(query, missing));
	for (int i = 0; i < 2; i++)
		(void) snprintf(row[i], sizeof row[i], "{\"metric\":{%s%s%s},\"value\":[%ld,\"%s\"]}", is_by_pod ? "\"pod\":\"web-" : "",
		                is_by_pod ? (i ? "2" : "1") : "", is_by_pod ? "\"" : "", (long) time(NULL), value);
	return fake_text("{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[%s%s%s]}}", is_empty ? "" : row[0],
	                 is_empty || !is_by_pod ? "" : ",", is_empty || !is_by_pod ? "" : row[1]);
}

static char *pods(void)
{
	static const char form[] =
		"{\"metadata\":{\"name\":\"web-%d\",\"namespace\":\"shop\",\"labels\":{\"app\":\"web\"}},\"spec\":{\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"200m\"}}}]},"
		"\"status\":{\"phase\":\"Running\",\"startTime\":\"2026-01-01T00:00:00Z\",\"conditions\":[{\"type\":\"Ready\","
		"\"status\":\"True\",\"lastTransitionTime\":\"2026-01-01T00:00:00Z\"}]}}";
	char one[512], two[512];
	(void) snprintf(one, sizeof one, form, 1);
	(void) snprintf(two, sizeof two, form, 2);
	return fake_text("{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[%s,%s]}", one, two);
}

static void managed_fields(FakeCluster *cluster, char *text, size_t size)
{
	time_t at = (time_t) atomic_load(&cluster->changed_s);
	struct tm tm;
	char when[40];
	text[0] = '\0';
	if (!at)
		return;
	(void) strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &tm));
	(void) snprintf(text, size, "\"managedFields\":[{\"manager\":\"maestro\",\"time\":\"%s\",\"fieldsV1\":{\"f:spec\":{\"f:replicas\":{}}}}],",
	                when);
}

static char *deployment(FakeCluster *cluster, const FakeRequest *request)
{
	char fields[256], note[64] = "";
	const char *patched = strcmp(request->method, "PATCH") ? NULL : strstr(request->body, "training-replicas\":");
	if (patched)
		atomic_store(&cluster->note, patched[19] == '"' ? atoi(patched + 20) : -1);
	int noted = atomic_load(&cluster->note);
	if (noted >= 0)
		(void) snprintf(note, sizeof note, "%s\"maestro.io/training-replicas\":\"%d\"", *atomic_load(&cluster->annotations) ? "," : "", noted);
	managed_fields(cluster, fields, sizeof fields);
	return fake_text("{\"kind\":\"Deployment\",\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"uid\":\"u\",\"resourceVersion\":\"7\","
	                 "%s\"annotations\":{%s%s}},\"spec\":{\"replicas\":%d,\"selector\":{\"matchLabels\":{\"app\":\"web\"}},\"template\":{"
	                 "\"spec\":{\"containers\":[{\"resources\":{\"requests\":{\"cpu\":\"200m\"},\"limits\":{\"memory\":\"512Mi\"}}}]}}}}",
	                 fields, atomic_load(&cluster->annotations), note, atomic_load(&cluster->replicas));
}

static char *scale(FakeCluster *cluster, const FakeRequest *request)
{
	const char *replicas = strcmp(request->method, "PUT") ? NULL : strstr(request->body, "\"replicas\":");
	if (replicas) {
		atomic_store(&cluster->replicas, atoi(replicas + 11));
		atomic_store(&cluster->changed_s, (long) time(NULL));
		(void) atomic_fetch_add(&cluster->writes, 1);
	}
	return fake_text("{\"kind\":\"Scale\",\"apiVersion\":\"autoscaling/v1\",\"metadata\":{\"name\":\"web\",\"namespace\":\"shop\",\"uid\":\"u\","
	                 "\"resourceVersion\":\"7\"},\"spec\":{\"replicas\":%d},\"status\":{\"replicas\":2}}", atomic_load(&cluster->replicas));
}

static void predict(FakeCluster *cluster, const FakeRequest *request, FakeReply *reply)
{
	(void) pthread_mutex_lock(&cluster->lock);
	(void) snprintf(cluster->asked, sizeof cluster->asked, "%s", request->body);
	(void) pthread_mutex_unlock(&cluster->lock);
	reply->delay_ms = atomic_load(&cluster->model_delay_ms);
	reply->status = atomic_load(&cluster->model_status);
	reply->body = fake_text("%s", atomic_load(&cluster->model_answer));
}

static void query(FakeCluster *cluster, const FakeRequest *request, FakeReply *reply)
{
	(void) pthread_mutex_lock(&cluster->lock);
	(void) snprintf(cluster->headers, sizeof cluster->headers, "%s", request->headers);
	(void) pthread_mutex_unlock(&cluster->lock);
	reply->status = atomic_load(&cluster->prometheus_status);
	if (reply->status == 200)
		reply->body = vector(cluster, request->query);
}

/* As a server or proxy might that is talkative about what it refuses: in the words of the API and of Prometheus. */
static void echo(const FakeRequest *request, FakeReply *reply)
{
	char said[1024] = "you sent ";
	for (const char *line = request->headers; line && *line; line = strstr(line, "\r\n") ? strstr(line, "\r\n") + 2 : NULL) {
		size_t len = strcspn(line, "\r"), at = strlen(said);
		if (!strncasecmp(line, "Authorization:", 14) || !strncasecmp(line, "X-Api-Key:", 10))
			(void) snprintf(said + at, sizeof said - at, "%.*s; ", (int) len, line);
	}
	reply->body = fake_text("{\"kind\":\"Status\",\"status\":\"error\",\"errorType\":\"auth\",\"error\":\"%s\",\"message\":\"%s\"}", said, said);
}

static void handle(void *context, const FakeRequest *request, FakeReply *reply)
{
	FakeCluster *cluster = context;
	const char *about = atomic_load(&cluster->model_about), *forbidden = atomic_load(&cluster->forbidden);
	if (cluster->on_request)
		cluster->on_request(cluster->arg, request);
	if (atomic_load(&cluster->echo_status)) {
		reply->status = atomic_load(&cluster->echo_status);
		echo(request, reply);
		return;
	}
	for (size_t i = 0; i < cluster->n_extra; i++)
		if (!strcmp(request->path, cluster->extra[i][0])) {
			reply->body = fake_text("%s", cluster->extra[i][1]);
			return;
		}
	if (forbidden && strstr(request->path, forbidden))
		reply->status = 403;
	else if (cluster->has_leases && fake_leases_answer(&cluster->leases, request, reply))
		return;
	else if (!strcmp(request->path, "/api/v1/query"))
		query(cluster, request, reply);
	else if (!strcmp(request->path, "/predict"))
		predict(cluster, request, reply);
	else if (!strcmp(request->path, "/model") && about)
		reply->body = fake_text("%s", about);
	else if (strstr(request->path, "/horizontalpodautoscalers"))
		reply->body = fake_text("{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[]}");
	else if (strstr(request->path, "/namespaces/shop/pods"))
		reply->body = pods();
	else if (strstr(request->path, "/deployments/web/scale"))
		reply->body = scale(cluster, request);
	else if (strstr(request->path, "/namespaces/shop/deployments/web"))
		reply->body = deployment(cluster, request);
	else
		reply->status = 404;
}

void fake_cluster_start(FakeCluster *cluster)
{
	*cluster = (FakeCluster) { .kubeconfig = "/tmp/fake_cluster_XXXXXX", .replicas = 2, .note = -1, .prometheus_status = 200, .model_status = 200,
	                           .rps = "100", .model_answer = "{\"action\":2}", .annotations = "" };
	(void) pthread_mutex_init(&cluster->lock, NULL);
	cluster->server = fake_server_start(handle, cluster);
	int fd = mkstemp(cluster->kubeconfig);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file)
		abort();
	(void) fprintf(file, "apiVersion: v1\nkind: Config\ncurrent-context: fake\n"
	               "contexts: [{name: fake, context: {cluster: fake, user: fake, namespace: shop}}]\n"
	               "clusters: [{name: fake, cluster: {server: \"%s\"}}]\nusers: [{name: fake, user: {}}]\n", fake_server_url(cluster->server));
	(void) fclose(file);
}

void fake_cluster_stop(FakeCluster *cluster)
{
	fake_server_stop(cluster->server);
	(void) unlink(cluster->kubeconfig);
	(void) pthread_mutex_destroy(&cluster->lock);
}

const char *fake_cluster_url(const FakeCluster *cluster)
{
	return fake_server_url(cluster->server);
}
