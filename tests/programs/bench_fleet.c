/*
 * What many targets in one process cost (NFR1, NFR3): starts `maestro run -l bench=yes` against an API server and a Prometheus of its own
 * making, and reads the process's time, memory and cycle durations while it runs.
 *   bench_fleet MAESTRO [TARGETS] [SECONDS] [INTERVAL] [console]
 * With `console` it has a terminal of 100x30, shows Live, and what it sends there is counted. One JSON object on stdout. The servers'
 * own time is not counted: they are this process.
 */
#include "base/json.h"
#include "base/mem.h"
#include "fakes/terminal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PODS = 3, REQUEST_MAX = 1 << 20, WARM_S = 20 };

static int n_targets;
static const char *interval = "15s";

/* ---- bodies ---- */

static void add_deployment(StrBuf *to, int i)
{
	strbuf_addf(to, "%s{\"metadata\":{\"name\":\"t%d\",\"namespace\":\"bench\",\"uid\":\"u%d\",\"resourceVersion\":\"%d\",\"annotations\":{"
	            "\"maestro.io/max-replicas\":\"3\"}},\"spec\":{\"replicas\":%d,\"selector\":{\"matchLabels\":{\"app\":\"t%d\"}},"
	            "\"template\":{\"spec\":{\"containers\":[{\"name\":\"a\",\"resources\":{\"requests\":{\"cpu\":\"500m\"}}}]}}}}",
	            i ? "," : "", i, i, i + 1, PODS, i);
}

static void add_pod(StrBuf *to, int i, int p)
{
	strbuf_addf(to, "%s{\"metadata\":{\"name\":\"t%d-%d\",\"resourceVersion\":\"1\",\"labels\":{\"app\":\"t%d\"}},\"spec\":{\"containers\":[{"
	            "\"resources\":{\"requests\":{\"cpu\":\"500m\"}}}]},\"status\":{\"phase\":\"Running\",\"startTime\":\"2026-01-01T00:00:00Z\","
	            "\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"lastTransitionTime\":\"2026-01-01T00:00:00Z\"}]}}",
	            i || p ? "," : "", i, p, i);
}

static void list(StrBuf *body, const char *path)
{
	bool is_pods = strstr(path, "/pods") != NULL, is_deployments = strstr(path, "/deployments") != NULL;
	strbuf_addf(body, "{\"metadata\":{\"resourceVersion\":\"5\"},\"items\":[");
	for (int i = 0; i < n_targets && (is_pods || is_deployments); i++)
		for (int p = 0; p < (is_pods ? PODS : 1); p++) {
			if (is_pods)
				add_pod(body, i, p);
			else
				add_deployment(body, i);
		}
	strbuf_addf(body, "]}");
}

static void unescape(char *text)
{
	char *to = text;
	for (const char *at = text; *at; to++) {
		char hex[3] = { 0 };
		if (*at == '%' && at[1] && at[2]) {
			memcpy(hex, at + 1, 2);
			*to = (char) strtol(hex, NULL, 16);
			at += 3;
		} else {
			*to = *at++;
		}
	}
	*to = '\0';
}

static void prometheus(StrBuf *body, char *query)
{
	unescape(query);
	const char *value = strstr(query, "_bucket") ? "120" : strstr(query, "requests_total") ? "50" : strstr(query, "memory") ? "100000000"
	                  : strstr(query, "up{") ? "1" : "0.2";
	char now[32];
	(void) snprintf(now, sizeof now, "%ld", (long) time(NULL) - 5);
	value = strstr(query, "timestamp(") ? now : value;
	strbuf_addf(body, "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[");
	const char *comma = "";
	if (strstr(query, "pod=~\"")) {
		for (int i = 0; i < n_targets; i++)
			for (int p = 0; p < PODS; p++, comma = ",")
				strbuf_addf(body, "%s{\"metric\":{\"pod\":\"t%d-%d\"},\"value\":[%s,\"%s\"]}", comma, i, p, now, value);
	} else {
		static const char mark[] = "\"maestro_target\", \"";
		for (const char *at = query; (at = strstr(at, mark)); comma = ",") {
			at += sizeof mark - 1;
			strbuf_addf(body, "%s{\"metric\":{\"maestro_target\":\"%.*s\"},\"value\":[%s,\"%s\"]}", comma, (int) strcspn(at, "\""), at, now, value);
		}
	}
	strbuf_addf(body, "]}}");
}

/* ---- a server of a thread a connection ---- */

static bool read_request(int fd, char *text, size_t *len)
{
	for (;;) {
		char *end = strstr(text, "\r\n\r\n");
		const char *length = end ? strcasestr(text, "content-length:") : NULL;
		size_t need = end ? (size_t) (end - text) + 4 + (length && length < end ? strtoul(length + 15, NULL, 10) : 0) : REQUEST_MAX;
		if (end && *len >= need)
			return true;
		ssize_t got = *len + 1 < REQUEST_MAX ? read(fd, text + *len, REQUEST_MAX - 1 - *len) : -1;
		if (got <= 0)
			return false;
		*len += (size_t) got;
		text[*len] = '\0';
	}
}

static bool send_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		data += sent;
		len -= (size_t) sent;
	}
	return true;
}

/* A watch that says nothing until the client goes. */
static void hold(int fd)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
	char nothing[64];
	(void) send_all(fd, head, sizeof head - 1);
	while (read(fd, nothing, sizeof nothing) > 0)
		continue;
}

static void *serve(void *arg)
{
	int fd = (int) (intptr_t) arg;
	char *text = malloc(REQUEST_MAX);
	size_t len = 0;
	while (text && (len = 0, text[0] = '\0', read_request(fd, text, &len))) {
		StrBuf body = { 0 }, head = { 0 };
		char *query = strstr(text, "query=");
		if (strstr(text, "watch=1")) {
			hold(fd);
			break;
		}
		if (strstr(text, "/api/v1/query_range")) {
			strbuf_addf(&body, "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[]}}");
		} else if (strstr(text, "/api/v1/query") && query) {
			if (!strncmp(text, "GET", 3))
				query[strcspn(query, " ")] = '\0';
			prometheus(&body, query);
		} else {
			text[strcspn(text, "\r")] = '\0';
			list(&body, text);
		}
		strbuf_addf(&head, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", body.len);
		bool ok = send_all(fd, head.data, head.len) && send_all(fd, body.data, body.len);
		strbuf_done(&head);
		strbuf_done(&body);
		if (!ok)
			break;
	}
	free(text);
	(void) close(fd);
	return NULL;
}

static void *accept_all(void *arg)
{
	int listener = (int) (intptr_t) arg, one = 1;
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		pthread_t thread;
		if (fd < 0)
			continue;
		(void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		if (!pthread_create(&thread, NULL, serve, (void *) (intptr_t) fd))
			(void) pthread_detach(thread);
	}
	return NULL;
}

static int listen_somewhere(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof address;
	pthread_t thread;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *) &address, sizeof address) || listen(fd, 64) ||
	    getsockname(fd, (struct sockaddr *) &address, &size) || pthread_create(&thread, NULL, accept_all, (void *) (intptr_t) fd))
		exit(1);
	return ntohs(address.sin_port);
}

/* ---- the process ---- */

static double cpu_seconds(pid_t pid)
{
	clockid_t id;
	struct timespec t = { 0, 0 };
	if (!clock_getcpuclockid(pid, &id))
		(void) clock_gettime(id, &t);
	return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

/* Of the process's first thread alone, by the scheduler's count of nanoseconds. */
static double thread_seconds(pid_t pid)
{
	char path[64];
	unsigned long long ns = 0;
	(void) snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", pid, pid);
	FILE *file = fopen(path, "r");
	if (!file)
		return NAN;
	if (fscanf(file, "%llu", &ns) != 1)
		ns = 0;
	(void) fclose(file);
	return (double) ns / 1e9;
}

/* "VmHWM:" at its most, "VmRSS:" now. */
static double rss_mib(pid_t pid, const char *which)
{
	char path[64], line[256];
	double kib = 0;
	(void) snprintf(path, sizeof path, "/proc/%d/status", pid);
	FILE *file = fopen(path, "r");
	while (file && fgets(line, sizeof line, file))
		if (!strncmp(line, which, strlen(which)))
			kib = strtod(line + 6, NULL);
	if (file)
		(void) fclose(file);
	return kib / 1024;
}

/* ---- a terminal ---- */

static atomic_long sent_bytes;
static int terminal = -1; /* of the console; < 0: it has none */

static void *drain(void *arg)
{
	static char text[1 << 16];
	for (ssize_t n; (n = read((int) (intptr_t) arg, text, sizeof text)) != 0;)
		if (n > 0)
			(void) atomic_fetch_add(&sent_bytes, n);
		else
			(void) usleep(20000); /* the other end is not open yet */
	return NULL;
}

static void open_terminal(void)
{
	int master;
	pthread_t thread;
	terminal_open(30, 100, &master, &terminal);
	if (pthread_create(&thread, NULL, drain, (void *) (intptr_t) master))
		exit(1);
	(void) pthread_detach(thread);
}

static pid_t start(const char *maestro, const char *dir, int port)
{
	char url[64], config[128], db[128], out[128];
	(void) snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
	(void) snprintf(config, sizeof config, "%s/kubeconfig", dir);
	(void) snprintf(db, sizeof db, "%s/maestro.db", dir);
	(void) snprintf(out, sizeof out, "%s/out", dir);
	FILE *file = fopen(config, "w");
	if (!file)
		exit(1);
	(void) fprintf(file, "{\"current-context\":\"c\",\"contexts\":[{\"name\":\"c\",\"context\":{\"cluster\":\"c\",\"namespace\":\"bench\"}}],"
	               "\"clusters\":[{\"name\":\"c\",\"cluster\":{\"server\":\"%s\"}}]}", url);
	(void) fclose(file);
	pid_t pid = fork();
	if (pid)
		return pid;
	if (terminal >= 0)
		terminal_take(terminal);
	else if (!freopen(out, "w", stdout))
		_exit(127);
	const char *no_screen = terminal >= 0 ? (char *) NULL : "--headless";
	(void) execl(maestro, maestro, "run", "-l", "bench=yes", "--prometheus", url, "--kubeconfig", config, "--db", db,
	             "--interval", interval, "--policy", "default", "--force", no_screen, "--json", (char *) NULL);
	_exit(127);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;
	return x < y ? -1 : x > y;
}

/* Durations of cycles: from the first to the last line of a burst of lines. The lines carry when each was begun, alike for all of a
 * cycle, so a cycle's length is taken from when its lines were read here. */
typedef struct Bursts {
	double ms[4096];
	size_t n;
	long lines, acting;
} Bursts;

static double now_ms(void)
{
	struct timespec at;
	(void) clock_gettime(CLOCK_REALTIME, &at);
	return (double) at.tv_sec * 1e3 + (double) at.tv_nsec / 1e6;
}

static double begun_ms(const char *line)
{
	const char *at = strstr(line, "\"time\":\"");
	struct tm tm = { 0 };
	double ms = 0;
	if (!at || sscanf(at + 8, "%d-%d-%dT%d:%d:%lf", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &ms) != 6)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return (double) timegm(&tm) * 1e3 + ms * 1e3;
}

static void follow(FILE *out, Bursts *bursts)
{
	static char line[1 << 16];
	static double begun;
	while (fgets(line, sizeof line, out)) {
		double start = begun_ms(line), took = now_ms() - start;
		if (start <= 0)
			continue; /* the rest of a line that was read in two parts */
		bursts->lines++;
		bursts->acting += strstr(line, "\"state\":\"Active\"") != NULL;
		bool is_new = start > begun + 500;
		if (is_new && bursts->n < 4096)
			bursts->n++;
		if (bursts->n)
			bursts->ms[bursts->n - 1] = took > bursts->ms[bursts->n - 1] || is_new ? took : bursts->ms[bursts->n - 1];
		begun = is_new ? start : begun;
	}
	clearerr(out);
}

static void report(const Bursts *bursts, double cpu_pct, double mib, int seconds)
{
	static double sorted[4096];
	memcpy(sorted, bursts->ms, bursts->n * sizeof *sorted);
	qsort(sorted, bursts->n, sizeof *sorted, compare);
	printf("{\"bench\":\"fleet\",\"targets\":%d,\"interval\":\"%s\",\"seconds\":%d,\"cpu_percent_of_core\":%.2f,\"rss_mib\":%.1f,\"cycles\":%zu,"
	       "\"cycle_ms_p50\":%.1f,\"cycle_ms_p99\":%.1f,\"cycle_ms_max\":%.1f,\"lines\":%ld,\"active\":%ld}\n",
	       n_targets, interval, seconds, cpu_pct, mib, bursts->n, bursts->n ? sorted[bursts->n / 2] : -1,
	       bursts->n ? sorted[(bursts->n * 99 + 99) / 100 - 1] : -1, bursts->n ? sorted[bursts->n - 1] : -1, bursts->lines, bursts->acting);
}

static bool watch_cycles(pid_t pid, const char *out, int seconds)
{
	FILE *lines = fopen(out, "r");
	Bursts skipped = { 0 }, bursts = { 0 };
	if (!lines)
		return false;
	follow(lines, &skipped);
	double before = cpu_seconds(pid), began = now_ms();
	while (now_ms() - began < seconds * 1e3) {
		follow(lines, &bursts);
		(void) usleep(2000);
	}
	double cpu_pct = 100 * (cpu_seconds(pid) - before) / ((now_ms() - began) / 1e3);
	report(&bursts, cpu_pct, rss_mib(pid, "VmHWM:"), seconds);
	(void) fclose(lines);
	return true;
}

/* The main thread draws, and its share is told apart. */
static bool watch_console(pid_t pid, int seconds)
{
	long sent = atomic_load(&sent_bytes);
	double before = cpu_seconds(pid), drawing = thread_seconds(pid), began = now_ms();
	(void) sleep((unsigned) seconds);
	double s = (now_ms() - began) / 1e3;
	printf("{\"bench\":\"console\",\"name\":\"Live, %d targets\",\"size\":\"100x30\",\"interval\":\"%s\",\"seconds\":%.0f,\"bytes_per_s\":%.0f,"
	       "\"cpu_percent_of_core\":%.3f,\"drawing_percent_of_core\":%.3f,\"rss_mib\":%.1f}\n", n_targets, interval, s,
	       (double) (atomic_load(&sent_bytes) - sent) / s, 100 * (cpu_seconds(pid) - before) / s, 100 * (thread_seconds(pid) - drawing) / s,
	       rss_mib(pid, "VmRSS:"));
	return sent > 0;
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/maestro-fleet-XXXXXX", out[64], remove_all[96];
	n_targets = argc > 2 ? atoi(argv[2]) : 100;
	int seconds = argc > 3 ? atoi(argv[3]) : 60;
	interval = argc > 4 ? argv[4] : interval;
	if (argc < 2 || n_targets < 4 || !mkdtemp(dir))
		return 2;
	if (argc > 5)
		open_terminal();
	(void) signal(SIGPIPE, SIG_IGN);
	pid_t pid = start(argv[1], dir, listen_somewhere());
	(void) sleep(WARM_S); /* listing, loading, the first cycle with its range queries */
	(void) snprintf(out, sizeof out, "%s/out", dir);
	bool is_measured = terminal >= 0 ? watch_console(pid, seconds) : watch_cycles(pid, out, seconds);
	(void) kill(pid, SIGTERM);
	(void) waitpid(pid, NULL, 0);
	(void) snprintf(remove_all, sizeof remove_all, "rm -rf %s", dir);
	return system(remove_all) != 0 || !is_measured;
}
