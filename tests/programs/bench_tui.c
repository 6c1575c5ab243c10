/*
 * What a frame costs: drawing each screen of a recording into cells, and that with curses and a terminal that takes all
 * (a pseudo-terminal whose other end is drained), as lines of JSON.
 *   bench_tui [FEED] [draw]      with `draw`: the first alone
 */
#include "base/clock.h"
#include "tui/console.h"
#include "tui/feed_file.h"
#include "tui/term.h"

#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 400 };

static double cpu_ms(void)
{
	struct timespec t;
	(void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;
	return (x > y) - (x < y);
}

static void *drain(void *arg)
{
	char buffer[65536];
	while (read((int) (intptr_t) arg, buffer, sizeof buffer) > 0)
		;
	return NULL;
}

/* Median milliseconds of a full frame: drawn, and (with a terminal) sent from nothing. */
static double measure(Console *console, Term *term)
{
	static double took[ROUNDS];
	for (int i = 0; i < ROUNDS; i++) {
		if (term)
			term_forget(term);
		double start = cpu_ms();
		console_draw(console);
		if (term)
			term_show(term, &console->canvas);
		took[i] = cpu_ms() - start;
	}
	qsort(took, ROUNDS, sizeof *took, by_value);
	return took[ROUNDS / 2];
}

static int open_terminal(int rows, int cols)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master < 0 || grantpt(master) || unlockpt(master))
		return -1;
	int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	struct winsize size = { (unsigned short) rows, (unsigned short) cols, 0, 0 };
	if (slave < 0 || ioctl(slave, TIOCSWINSZ, &size))
		return -1;
	pthread_t thread;
	if (pthread_create(&thread, NULL, drain, (void *) (intptr_t) master))
		return -1;
	(void) pthread_detach(thread);
	return slave;
}

int main(int argc, char **argv)
{
	static const int SIZES[][2] = { { 24, 80 }, { 30, 100 }, { 60, 200 } };
	const char *path = argc > 1 ? argv[1] : "tests/golden/feeds/all.ndjson";
	bool is_draw = argc > 2 && !strcmp(argv[2], "draw");
	(void) setlocale(LC_CTYPE, "C.UTF-8");
	int out = dup(STDOUT_FILENO);
	FILE *report = fdopen(out, "w");
	for (size_t s = 0; s < sizeof SIZES / sizeof *SIZES; s++) {
		int rows = SIZES[s][0], cols = SIZES[s][1];
		for (int screen = 0; screen < SCREEN_COUNT; screen++) {
			Feed *feed = NULL;
			Error err = { 0 };
			Console console;
			Term term;
			UiOptions opts = { .screen = (ScreenId) screen };
			if (feed_file_open(path, &feed, &err) || console_init(&console, feed, &opts, GLYPHS_BRAILLE, rows, cols)) {
				(void) fprintf(stderr, "bench_tui: %s\n", err.text);
				return 1;
			}
			for (int i = 0; i < 4; i++)
				console_refresh(&console, i);
			double draw_ms = measure(&console, NULL), all_ms = 0;
			int slave = is_draw ? -1 : open_terminal(rows, cols);
			if (slave >= 0) {
				(void) dup2(slave, STDIN_FILENO);
				(void) dup2(slave, STDOUT_FILENO);
				(void) setenv("TERM", "xterm-256color", 1);
				if (term_open(&term, COLOR_256, THEME_DARK, false, &err) || term_resize(&term, rows, cols)) {
					(void) fprintf(stderr, "bench_tui: %s\n", err.text);
					return 1;
				}
				all_ms = measure(&console, &term);
				term_close(&term);
			}
			(void) fprintf(report, "{\"bench\":\"frame\",\"name\":\"%s\",\"size\":\"%dx%d\",\"ms\":%.3f,\"draw_ms\":%.3f}\n",
			               screen_ops((ScreenId) screen)->name, cols, rows, is_draw ? draw_ms : all_ms, draw_ms);
			(void) fflush(report);
			console_done(&console);
			feed_free(feed);
		}
	}
	(void) fclose(report);
	_Exit(0); /* the drains wait for ever */
}
