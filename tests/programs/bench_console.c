/*
 * What the console costs whoever looks at it, in a pseudo-terminal of 100x30, as lines of JSON: how long the first screen takes, what
 * frames of data send, and how long after a key the changed screen has been sent.
 *   bench_console FOLDER SECONDS KEYS NAME COMMAND...     FOLDER is HOME; KEYS two characters, pressed in turn
 */
#include "fakes/terminal.h"

#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STARTS = 7, PRESSES = 60, QUIET_MS = 25, SCREEN_BYTES = 2000 };

static double now_ms(void)
{
	struct timespec t;
	(void) clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

static double cpu_ms(pid_t pid)
{
	clockid_t id;
	struct timespec t = { 0, 0 };
	if (!clock_getcpuclockid(pid, &id))
		(void) clock_gettime(id, &t);
	return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

typedef struct Heard { /* from a terminal, until it was silent */
	double first_ms, last_ms; /* of the machine; NAN: nothing came */
	long bytes;
} Heard;

/* Reads until nothing came for quiet_ms after something did, or until patience_ms are over. */
static Heard listen_to(int master, double quiet_ms, double patience_ms)
{
	Heard heard = { NAN, NAN, 0 };
	double start = now_ms();
	for (;;) {
		static char text[1 << 16];
		double now = now_ms(), left = isnan(heard.last_ms) ? start + patience_ms - now : heard.last_ms + quiet_ms - now;
		struct pollfd fd = { master, POLLIN, 0 };
		left = fmin(left, start + patience_ms - now);
		if (left <= 0 || poll(&fd, 1, (int) ceil(left)) <= 0)
			return heard;
		ssize_t n = read(master, text, sizeof text);
		if (n <= 0)
			return heard;
		heard.last_ms = now_ms();
		heard.first_ms = isnan(heard.first_ms) ? heard.last_ms : heard.first_ms;
		heard.bytes += n;
	}
}

static pid_t start(char **command, const char *home, int *ret_master)
{
	int slave;
	terminal_open(30, 100, ret_master, &slave);
	pid_t pid = fork();
	if (!pid) {
		terminal_take(slave);
		(void) setenv("HOME", home, 1);
		(void) setenv("XDG_CACHE_HOME", home, 1);
		(void) execv(command[0], command);
		_exit(127);
	}
	(void) close(slave);
	return pid;
}

static void stop(pid_t pid, int master)
{
	(void) kill(pid, SIGKILL);
	(void) waitpid(pid, NULL, 0);
	(void) close(master);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;
	return (x > y) - (x < y);
}

static double rank(double *x, int n, double q)
{
	qsort(x, (size_t) n, sizeof *x, by_value);
	int at = (int) ceil(q * n) - 1;
	return n ? x[at < 0 ? 0 : at] : (double) NAN;
}

static void measure_start(const char *name, char **command, const char *home)
{
	double wall[STARTS], cpu[STARTS];
	int n = 0;
	for (int i = 0; i <= STARTS; i++) {
		int master;
		double began = now_ms();
		pid_t pid = start(command, home, &master);
		Heard all = { NAN, NAN, 0 };
		while (all.bytes < SCREEN_BYTES && now_ms() - began < 5000) {
			Heard more = listen_to(master, 2, 200);
			all.bytes += more.bytes;
			all.last_ms = isnan(more.last_ms) ? all.last_ms : more.last_ms;
		}
		if (i && all.bytes >= SCREEN_BYTES) { /* the first makes files and warms caches */
			cpu[n] = cpu_ms(pid);
			wall[n++] = all.last_ms - began;
		}
		stop(pid, master);
	}
	printf("{\"bench\":\"console\",\"name\":\"%s: first screen\",\"ms\":%.1f,\"worst_ms\":%.1f,\"cpu_ms\":%.1f}\n", name, rank(wall, n, .5),
	       rank(wall, n, 1), rank(cpu, n, .5));
}

static void measure_data(const char *name, pid_t pid, int master, int seconds)
{
	double began = now_ms(), cpu = cpu_ms(pid);
	long bytes = 0, frames = 0;
	while (now_ms() - began < seconds * 1e3) {
		Heard heard = listen_to(master, 15, began + seconds * 1e3 - now_ms());
		bytes += heard.bytes;
		frames += heard.bytes > 0;
	}
	double s = (now_ms() - began) / 1e3;
	printf("{\"bench\":\"console\",\"name\":\"%s: data\",\"bytes_per_s\":%.0f,\"frames_per_s\":%.2f,\"cpu_percent_of_core\":%.3f}\n", name,
	       (double) bytes / s, (double) frames / s, (cpu_ms(pid) - cpu) / s / 10);
}

static void measure_keys(const char *name, int master, const char *keys)
{
	double last[PRESSES];
	int n = 0;
	for (int i = 0; i < PRESSES; i++) {
		(void) usleep((useconds_t) (60000 + i * 7919 % 160 * 1000));
		while (listen_to(master, 1e3, 40).bytes)
			; /* a key is pressed after 40 ms of silence */
		double pressed = now_ms();
		if (write(master, &keys[i % 2], 1) < 0)
			break;
		Heard heard = listen_to(master, QUIET_MS, 1000);
		if (heard.bytes)
			last[n++] = heard.last_ms - pressed;
	}
	double worst = rank(last, n, .99), middle = rank(last, n, .5);
	printf("{\"bench\":\"console\",\"name\":\"%s: key\",\"ms\":%.2f,\"p99_ms\":%.2f,\"missed\":%d}\n", name, middle, worst, PRESSES - n);
}

int main(int argc, char **argv)
{
	if (argc < 6 || strlen(argv[3]) != 2) {
		(void) fprintf(stderr, "usage: bench_console FOLDER SECONDS KEYS NAME COMMAND...\n");
		return 2;
	}
	const char *home = argv[1], *name = argv[4];
	char **command = argv + 5;
	int master;
	measure_start(name, command, home);
	pid_t pid = start(command, home, &master);
	(void) listen_to(master, 1e6, 3000);
	measure_data(name, pid, master, atoi(argv[2]));
	measure_keys(name, master, argv[3]);
	stop(pid, master);
	return 0;
}
