/*
 * The autoscaler as a process among failing peers: a scripted cluster (tests/fakes/fake_cluster.h) whose parts are made sick while every
 * write of the scale is looked at.
 *   fault_storm MAESTRO kills N       kill -9 at random moments: no double step, no down after a change (fault 21)
 *   fault_storm MAESTRO stop N        SIGTERM and SIGINT at random moments: gone within 5 s (fault 34)
 *   fault_storm MAESTRO store         a store that cannot be had, or is garbage: scaling goes on (fault 22)
 *   fault_storm MAESTRO reload        SIGHUP with a model file that is garbage, then whole: the old one stays, then the new one (10)
 *   fault_storm MAESTRO soak SECONDS [SEED [nostore]]  faults 1, 2, 12, 14, 17 at random: no down on bad data, no growth of memory or descriptors
 * Prints `ok` and `not ok` lines; exit 1 where there is one of the latter.
 */
#include "base/mem.h"
#include "base/rng.h"
#include "tests/fakes/fake_cluster.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { POLL_US = 500, COOLDOWN_MS = 60000, RACE_MS = 2500, EXIT_MS = 5000 };

typedef struct Storm {
	const char *maestro;
	FakeCluster cluster;
	const char *_Atomic suggestion[1][2]; /* path, body */
	char dir[64], db[128], log[128];
	Rng rng;
	int bad;
	int32_t seen;          /* replicas */
	int64_t changed_ms;    /* when they last changed; 0: never */
	int64_t sick_ms;       /* since when something is sick; 0: nothing */
	int ups, downs;
} Storm;

static const char *const ACTIONS[] = { "{\"action\":0}", "{\"action\":1}", "{\"action\":2}" };

static int64_t now_ms(void)
{
	struct timespec at;
	(void) clock_gettime(CLOCK_MONOTONIC, &at);
	return (int64_t) at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

static int say(Storm *s, bool ok, const char *name, const char *why)
{
	printf("%s %s%s%s\n", ok ? "ok" : "not ok", name, ok ? "" : ": ", ok ? "" : why);
	(void) fflush(stdout);
	s->bad += !ok;
	return ok ? 0 : 1;
}

/* ---- the world ---- */

static void open_storm(Storm *s)
{
	str_copy(s->dir, sizeof s->dir, "/tmp/maestro-storm-XXXXXX");
	if (!mkdtemp(s->dir))
		exit(1);
	(void) snprintf(s->db, sizeof s->db, "%s/maestro.db", s->dir);
	(void) snprintf(s->log, sizeof s->log, "%s/log", s->dir);
	fake_cluster_start(&s->cluster);
	atomic_store(&s->suggestion[0][0], "/suggestion");
	atomic_store(&s->suggestion[0][1], ACTIONS[1]);
	s->cluster.extra = s->suggestion;
	s->cluster.n_extra = 1;
	s->seen = 2;
}

static void close_storm(Storm *s)
{
	char command[128];
	fake_cluster_stop(&s->cluster);
	(void) snprintf(command, sizeof command, "rm -rf %s", s->dir);
	(void) !system(command);
}

static pid_t start_with(const Storm *s, const char *db, const char *prometheus)
{
	const char *url = fake_cluster_url(&s->cluster);
	pid_t pid = fork();
	if (pid)
		return pid;
	int out = open(s->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	(void) dup2(out, STDOUT_FILENO);
	(void) dup2(out, STDERR_FILENO);
	(void) execl(s->maestro, s->maestro, "autoscaler", "--suggestion-url", url, "--prometheus", prometheus, "--kubeconfig", s->cluster.kubeconfig,
	             "--deployment", "shop/web", "--max-replicas", "9", "--interval", "1s", "--scale-down-window", "0s", "--listen", "127.0.0.1:0",
	             "--db", db, (char *) NULL);
	_exit(127);
}

static pid_t start(const Storm *s, const char *db)
{
	return start_with(s, db, fake_cluster_url(&s->cluster));
}

/* Where connections are taken and nothing is ever said. */
static void deaf_url(char *url, size_t size)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *) &address, len) || listen(fd, 64) || getsockname(fd, (struct sockaddr *) &address, &len))
		exit(1);
	(void) snprintf(url, size, "http://127.0.0.1:%d", ntohs(address.sin_port));
}

static void pick_action(Storm *s)
{
	atomic_store(&s->suggestion[0][1], ACTIONS[rng_below(&s->rng, 3)]);
}

/* Somebody sets the scale by hand. */
static void set_by_hand(Storm *s, int32_t replicas)
{
	atomic_store(&s->cluster.replicas, replicas);
	atomic_store(&s->cluster.changed_s, (long) time(NULL));
	s->seen = replicas;
	s->changed_ms = now_ms();
}

/* Looks at the scale once. The only two pods are ready from the start, so nothing is ever asked for beyond a third. */
static void look(Storm *s)
{
	int32_t now = atomic_load(&s->cluster.replicas);
	char text[120];
	if (now == s->seen)
		return;
	int64_t at_ms = now_ms();
	(void) snprintf(text, sizeof text, "%d -> %d, %lld ms after the change before", s->seen, now, (long long) (at_ms - s->changed_ms));
	if (now < 1 || now > 9 || abs(now - s->seen) > 1 || now > 3)
		(void) say(s, false, "one step within the bounds", text);
	if (now < s->seen && s->changed_ms && at_ms - s->changed_ms < COOLDOWN_MS - RACE_MS)
		(void) say(s, false, "no down after a change", text);
	if (now < s->seen && s->sick_ms && at_ms - s->sick_ms > RACE_MS)
		(void) say(s, false, "no down on bad data", text);
	s->ups += now > s->seen;
	s->downs += now < s->seen;
	s->seen = now;
	s->changed_ms = at_ms;
}

static void look_for(Storm *s, int64_t ms)
{
	for (int64_t until = now_ms() + ms; now_ms() < until; (void) usleep(POLL_US))
		look(s);
}

/* ---- kills ---- */

static void kills(Storm *s, int n)
{
	char text[64];
	for (int i = 0; i < n; i++) {
		if (i % 4 == 0)
			set_by_hand(s, 2);
		atomic_store(&s->suggestion[0][1], ACTIONS[i % 4 == 3 ? 0 : 2]); /* ups, and a down that must not come */
		pid_t pid = start(s, s->db);
		look_for(s, 20 + (int64_t) rng_below(&s->rng, 350));
		(void) kill(pid, SIGKILL);
		(void) waitpid(pid, NULL, 0);
		look(s);
	}
	(void) snprintf(text, sizeof text, "%d ups in %d lives", s->ups, n);
	(void) say(s, s->ups > n / 20, "kills come after writes too", text);
	if (!s->bad)
		(void) say(s, true, "no double step and no down after a change, however it is killed", "");
	char command[300];
	(void) snprintf(command, sizeof command, "%s runs list --db %s --json >%s/runs 2>&1", s->maestro, s->db, s->dir);
	(void) say(s, system(command) == 0, "the store is whole after it", "runs list fails");
}

/* ---- signals ---- */

static bool ends(pid_t pid, int number, int64_t within_ms, int *ret_status)
{
	int status = 0;
	(void) kill(pid, number);
	for (int64_t until = now_ms() + within_ms; now_ms() < until; (void) usleep(POLL_US))
		if (waitpid(pid, &status, WNOHANG) == pid) {
			*ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
			return true;
		}
	(void) kill(pid, SIGKILL);
	(void) waitpid(pid, &status, 0);
	return false;
}

static void stop(Storm *s, int n)
{
	char deaf[64];
	deaf_url(deaf, sizeof deaf);
	for (int i = 0; i < n; i++) {
		static const int numbers[] = { SIGTERM, SIGINT };
		char text[80];
		int number = numbers[i % 2], status = -1;
		atomic_store(&s->cluster.prometheus_status, i % 3 == 2 ? 500 : 200);
		pid_t pid = start_with(s, s->db, i % 4 == 1 ? deaf : fake_cluster_url(&s->cluster));
		look_for(s, (int64_t) rng_below(&s->rng, 1200));
		bool has_ended = ends(pid, number, EXIT_MS, &status);
		(void) snprintf(text, sizeof text, "signal %d: %s, status %d", number, has_ended ? "ended" : "still there after 5 s", status);
		if (!has_ended || status != 128 + number)
			(void) say(s, false, "a signal ends it in time", text);
	}
	if (!s->bad)
		(void) say(s, true, "a signal ends it within 5 s, whatever it does", "");
}

/* ---- the store ---- */

static void store(Storm *s)
{
	atomic_store(&s->suggestion[0][1], ACTIONS[2]);
	FILE *garbage = fopen(s->db, "w");
	if (garbage) {
		for (int i = 0; i < 20000; i++)
			(void) fputc((int) rng_below(&s->rng, 256), garbage);
		(void) fclose(garbage);
	}
	const char *const paths[] = { "/dev/null/no.db", s->db };
	static const char *const names[] = { "without a store it scales", "with a damaged store it scales" };
	for (int i = 0; i < 2; i++) {
		int status;
		set_by_hand(s, 2);
		pid_t pid = start(s, paths[i]);
		for (int64_t until = now_ms() + 20000; now_ms() < until && atomic_load(&s->cluster.replicas) == 2; (void) usleep(POLL_US))
			continue;
		(void) say(s, atomic_load(&s->cluster.replicas) == 3, names[i], "nothing was written in 20 s");
		(void) ends(pid, SIGTERM, EXIT_MS, &status);
	}
	char command[200];
	(void) snprintf(command, sizeof command, "ls %s | grep -q corrupt", s->dir);
	(void) say(s, system(command) == 0, "a damaged store is set aside, not deleted", "there is no *.corrupt-*");
}

/* ---- reload ---- */

static bool logs(const Storm *s, const char *text)
{
	char command[400];
	(void) snprintf(command, sizeof command, "grep -q '%s' %s", text, s->log);
	for (int i = 0; i < 200; i++, (void) usleep(50000))
		if (system(command) == 0)
			return true;
	return false;
}

static void reload(Storm *s)
{
	char model[100], command[700], word[120];
	const char *url = fake_cluster_url(&s->cluster);
	int status = -1;
	(void) snprintf(model, sizeof model, "%.60s/web.safetensors", s->dir);
	(void) snprintf(word, sizeof word, "model:%s", model);
	(void) snprintf(command, sizeof command, "%s model convert --model default --out %s >/dev/null 2>&1 && cp %s %s.whole", s->maestro, model,
	                model, model);
	if (system(command))
		(void) say(s, false, "a model is written", "model convert fails");
	pid_t pid = fork();
	if (!pid) {
		int out = open(s->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
		(void) dup2(out, STDOUT_FILENO);
		(void) dup2(out, STDERR_FILENO);
		(void) execl(s->maestro, s->maestro, "run", "--headless", "--policy", word, "--force", "--prometheus", url, "--kubeconfig",
		             s->cluster.kubeconfig, "--deployment", "shop/web", "--max-replicas", "9", "--interval", "1s", "--db", s->db, (char *) NULL);
		_exit(127);
	}
	(void) say(s, logs(s, "shop/web"), "it runs on a model's file", "no line");
	(void) snprintf(command, sizeof command, "head -c 5000 %s.whole >%s", model, model);
	(void) !system(command);
	(void) kill(pid, SIGHUP);
	(void) say(s, logs(s, "not reloaded, the old one stays"), "half a file keeps the old model", "no line says so");
	(void) snprintf(command, sizeof command, "cp %s.whole %s", model, model);
	(void) !system(command);
	(void) kill(pid, SIGHUP);
	(void) say(s, logs(s, ": reloaded"), "a whole file is taken", "no line says so");
	(void) say(s, ends(pid, SIGTERM, EXIT_MS, &status) && status == 128 + SIGTERM, "and a hang-up does not end it", "it was gone");
}

/* ---- soak ---- */

static double rss_kib(pid_t pid)
{
	char path[64], line[256];
	double kib = 0;
	(void) snprintf(path, sizeof path, "/proc/%d/status", pid);
	FILE *file = fopen(path, "r");
	while (file && fgets(line, sizeof line, file))
		if (!strncmp(line, "VmRSS:", 6))
			kib = strtod(line + 6, NULL);
	if (file)
		(void) fclose(file);
	return kib;
}

static int descriptors(pid_t pid)
{
	char path[64];
	int n = 0;
	(void) snprintf(path, sizeof path, "/proc/%d/fd", pid);
	DIR *dir = opendir(path);
	while (dir && readdir(dir))
		n++;
	if (dir)
		(void) closedir(dir);
	return n;
}

static void heal(Storm *s)
{
	atomic_store(&s->cluster.prometheus_status, 200);
	atomic_store(&s->cluster.missing, NULL);
	atomic_store(&s->cluster.forbidden, NULL);
	s->sick_ms = 0;
}

static void make_sick(Storm *s)
{
	static const char *const missing[] = { "container_cpu", "container_memory", "_bucket", "istio_requests_total" };
	static const char *const forbidden[] = { "/scale", "/suggestion", "/apis/apps", "/pods" };
	uint32_t what = rng_below(&s->rng, 9);
	if (what == 0)
		atomic_store(&s->cluster.prometheus_status, 503);
	else if (what < 5)
		atomic_store(&s->cluster.missing, missing[what - 1]);
	else
		atomic_store(&s->cluster.forbidden, forbidden[what - 5]);
	s->sick_ms = now_ms();
}

/* A twentieth of the time in a fault, and at least two seconds, so that several cycles fall into it. */
static void soak(Storm *s, int seconds, bool has_store)
{
	pid_t pid = start(s, has_store ? s->db : "/dev/null/no.db");
	int64_t began = now_ms(), total_ms = (int64_t) seconds * 1000;
	double base_kib = 0, kib = 0;
	int base_fds = 0, fds = 0, faults = 0;
	char text[160];
	while (now_ms() - began < total_ms && waitpid(pid, NULL, WNOHANG) == 0) {
		pick_action(s);
		look_for(s, 1000 + (int64_t) rng_below(&s->rng, 3000));
		make_sick(s);
		faults++;
		look_for(s, 2000 + (int64_t) rng_below(&s->rng, 3000));
		heal(s);
		look_for(s, 2000);
		kib = rss_kib(pid);
		fds = descriptors(pid);
		if (!base_fds && now_ms() - began > total_ms / 3) {
			base_kib = kib;
			base_fds = fds;
		}
	}
	bool alive = kill(pid, 0) == 0 && kib > 0;
	int status = -1;
	(void) snprintf(text, sizeof text, "memory %.0f -> %.0f KiB, descriptors %d -> %d, %d faults, %d ups, %d downs", base_kib, kib, base_fds, fds,
	                faults, s->ups, s->downs);
	(void) fprintf(stderr, "soak of %d s: %s\n", seconds, text);
	(void) say(s, alive, "it lives through all faults", text);
	(void) say(s, kib <= base_kib * 1.01, "memory does not grow", text);
	(void) say(s, fds <= base_fds, "descriptors do not grow", text);
	(void) say(s, ends(pid, SIGTERM, EXIT_MS, &status) && status == 128 + SIGTERM, "and ends when it is told to", text);
	if (!s->bad)
		(void) say(s, true, "no write breaks a rail under faults", "");
}

int main(int argc, char **argv)
{
	static Storm storm;
	int n = argc > 3 ? atoi(argv[3]) : 0;
	if (argc < 3)
		return 2;
	(void) signal(SIGPIPE, SIG_IGN);
	(void) signal(SIGINT, SIG_DFL); /* what a caller in the background or under nohup ignores, its children would too */
	(void) signal(SIGHUP, SIG_DFL);
	storm.maestro = argv[1];
	rng_init(&storm.rng, (uint64_t) (argc > 4 ? atoll(argv[4]) : 1), 0, RNG_CHAOS);
	open_storm(&storm);
	if (!strcmp(argv[2], "kills"))
		kills(&storm, n);
	else if (!strcmp(argv[2], "stop"))
		stop(&storm, n);
	else if (!strcmp(argv[2], "store"))
		store(&storm);
	else if (!strcmp(argv[2], "reload"))
		reload(&storm);
	else if (!strcmp(argv[2], "soak"))
		soak(&storm, n, argc < 6);
	if (storm.bad) {
		char command[200];
		(void) snprintf(command, sizeof command, "tail -n 5 %s >&2", storm.log);
		(void) !system(command);
	}
	close_storm(&storm);
	return storm.bad > 0;
}
