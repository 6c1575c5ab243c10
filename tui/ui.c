/*
 * The console's loop: one poll on the keyboard, the feed's wake descriptor and a pipe that signals write to.
 *
 * pace.h says when new data are drawn, and when what a key changed is drawn. Nothing is drawn where
 * nothing is due. Frames of data come half as often while they have sent more bytes than their budget. Signals are turned into bytes of a pipe, whose writing end must be
 * reachable from a handler: the one static of this file.
 */
#include "tui/ui.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/sched.h"
#include "base/snap.h"
#include "tui/console.h"
#include "tui/export.h"
#include "tui/pace.h"
#include "tui/term.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <unistd.h>

enum { TICK_MS = 500, N_SIGNALS = 6, SAVED_S = 2, OWED_S = 20 };

static const int SIGNALS[N_SIGNALS] = { SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT, SIGWINCH };

static volatile sig_atomic_t signal_pipe = -1;

typedef struct Ui {
	Console console;
	Term term;
	Clock clock;
	int pipe[2];
	struct sigaction before[N_SIGNALS];
	sigset_t mask_before;
	bool has_handlers;
	Pace pace;
	double debt;             /* bytes that frames of data have sent beyond the budget; < 0: saved */
	int64_t debt_ms;         /* reckoned up to here */
	bool is_over;
	int result;              /* a UiResult, or ERR_* */
} Ui;

bool ui_can_run(void)
{
	const char *name = getenv("TERM");
	int problem;
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || !name || !*name || strcmp(name, "dumb") == 0)
		return false;
	if (setupterm(NULL, STDOUT_FILENO, &problem) == ERR)
		return false;
	bool can_move = cursor_address != NULL;
	(void) del_curterm(cur_term);
	return can_move;
}

/* ---- signals ---- */

static void on_signal(int number)
{
	int saved = errno;
	char byte = (char) number;
	ssize_t wrote = write(signal_pipe, &byte, 1); /* full: plenty of them are on the way */
	(void) wrote;
	errno = saved;
}

static int open_signals(Ui *ui, Error *err)
{
	if (pipe2(ui->pipe, O_NONBLOCK | O_CLOEXEC))
		return error_set(err, ERR_IO, "pipe: %s", strerror(errno));
	signal_pipe = ui->pipe[1];
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	(void) sigemptyset(&action.sa_mask);
	sigset_t ours;
	(void) sigemptyset(&ours);
	for (int i = 0; i < N_SIGNALS; i++) {
		(void) sigaction(SIGNALS[i], &action, &ui->before[i]);
		(void) sigaddset(&ours, SIGNALS[i]);
	}
	(void) pthread_sigmask(SIG_UNBLOCK, &ours, &ui->mask_before); /* the caller keeps them from its workers */
	ui->has_handlers = true;
	return 0;
}

static void close_signals(Ui *ui)
{
	if (ui->has_handlers)
		(void) pthread_sigmask(SIG_SETMASK, &ui->mask_before, NULL);
	for (int i = 0; ui->has_handlers && i < N_SIGNALS; i++)
		(void) sigaction(SIGNALS[i], &ui->before[i], NULL);
	for (int i = 0; i < 2; i++)
		if (ui->pipe[i] >= 0)
			(void) close(ui->pipe[i]);
	signal_pipe = -1;
}

static void end(Ui *ui, int result)
{
	ui->is_over = true;
	ui->result = result;
}

static void resize(Ui *ui)
{
	int rows, cols;
	term_size(&rows, &cols);
	if (console_resize(&ui->console, rows, cols) || term_resize(&ui->term, rows, cols))
		end(ui, ERR_NOMEM);
	ui->pace.is_asked = true;
}

/* Curses anew; the window may have changed while nobody told us. */
static void take_back(Ui *ui)
{
	term_return(&ui->term);
	resize(ui);
}

/*
 * Stops as the terminal's own Ctrl-Z would: the whole process group, since a make that waits for us is the shell's job.
 * Goes on when the job does.
 */
static void suspend(Ui *ui)
{
	struct sigaction ours, stop = { .sa_handler = SIG_DFL };
	term_leave(&ui->term);
	(void) sigaction(SIGTSTP, &stop, &ours);
	(void) kill(0, SIGTSTP);
	(void) sigaction(SIGTSTP, &ours, NULL);
	take_back(ui);
}

static void copy(Ui *ui)
{
	StrBuf text = { 0 }, code = { 0 };
	bool is_pane = !ui->console.copied[0];
	console_copy_text(&ui->console, &text);
	if (!text.failed)
		base64_encode(text.data, text.len, &code);
	bool has_failed = text.failed || code.failed;
	if (!has_failed)
		term_copy(code.data);
	console_say(&ui->console, has_failed ? ROLE_BAD : ROLE_OK,
	            has_failed ? "copy: out of memory" : is_pane ? "copied the pane to the clipboard, if the terminal takes OSC 52"
	                       : "copied the command line, if the terminal takes OSC 52");
	strbuf_done(&text);
	strbuf_done(&code);
}

static void handle(Ui *ui, ConsoleResult result)
{
	switch (result) {
	case CONSOLE_QUIT: end(ui, UI_QUIT); break;
	case CONSOLE_HEADLESS: end(ui, UI_HEADLESS); break;
	case CONSOLE_TRAIN: end(ui, UI_TRAIN); break;
	case CONSOLE_SUSPEND: suspend(ui); break;
	case CONSOLE_COPY: copy(ui); break;
	case CONSOLE_EXPORT: export_shown(&ui->console); break;
	case CONSOLE_REDRAW: term_forget(&ui->term); break;
	case CONSOLE_STAYS: break;
	}
	ui->pace.is_asked = true;
}

static void read_signals(Ui *ui)
{
	char byte;
	bool has_resized = false;
	while (read(ui->pipe[0], &byte, 1) == 1) {
		switch (byte) {
		case SIGINT: end(ui, UI_INTERRUPTED); break;
		case SIGTERM: end(ui, UI_TERMINATED); break;
		case SIGHUP: end(ui, UI_HEADLESS); break;
		case SIGTSTP: handle(ui, console_suspend(&ui->console)); break;
		case SIGCONT: term_leave(&ui->term); take_back(ui); break;
		default: has_resized = true; break;
		}
	}
	if (has_resized)
		resize(ui);
}

static void read_keys(Ui *ui)
{
	int key;
	while (!ui->is_over && (key = term_key(&ui->term)) >= 0) {
		int64_t now = clock_mono_ms(&ui->clock);
		if (key == KEY_MOUSE_)
			handle(ui, console_mouse(&ui->console, &ui->term.mouse, now));
		else if (key == KEY_FOCUS_IN)
			handle(ui, CONSOLE_REDRAW);
		else
			handle(ui, console_key(&ui->console, key, now));
	}
}

/* ---- loop ---- */

/* What frames of data may send a second on average: a little under 600 bytes at 100x30, 1,200 at 200x60. */
static double budget(const Ui *ui)
{
	return 380 + (double) ui->console.canvas.rows * ui->console.canvas.cols / 16;
}

static void reckon(Ui *ui, int64_t now_ms, size_t bytes)
{
	double rate = budget(ui), debt = ui->debt + (double) bytes - rate * (double) (now_ms - ui->debt_ms) / 1000;
	ui->debt = fmin(fmax(debt, -rate * SAVED_S), rate * OWED_S);
	ui->debt_ms = now_ms;
}

static void draw(Ui *ui, int64_t now_ms)
{
	console_draw(&ui->console);
	size_t bytes = term_show(&ui->term, &ui->console.canvas);
	if (!ui->pace.is_asked)
		reckon(ui, now_ms, bytes);
}

static int64_t tick_ms(const Ui *ui)
{
	const Console *console = &ui->console;
	bool is_awaited = console->message.pending_id != 0;
	int64_t own = is_awaited ? 0 : screen_ops(console->screen)->tick_ms;
	return (own ? own : TICK_MS) * (ui->debt > 0 && !is_awaited ? 2 : 1);
}

/* Draws what is due; answers how long to wait. */
static int64_t draw_due(Ui *ui)
{
	int64_t now = clock_mono_ms(&ui->clock);
	PaceStep step = pace_step(&ui->pace, now, tick_ms(ui));
	if (step.takes_data)
		console_refresh(&ui->console, now);
	if (step.draws) {
		draw(ui, now);
		pace_drawn(&ui->pace, &step, now);
		step = pace_step(&ui->pace, now, tick_ms(ui));
	}
	return step.wait_ms;
}

static void loop(Ui *ui)
{
	int wake_fd = ui->console.feed->wake_fd;
	while (!ui->is_over) {
		int64_t wait = draw_due(ui);
		struct pollfd fds[] = { { STDIN_FILENO, POLLIN, 0 }, { ui->pipe[0], POLLIN, 0 }, { wake_fd, POLLIN, 0 } };
		int n = poll(fds, wake_fd >= 0 ? 3 : 2, (int) wait);
		if (n < 0 && errno != EINTR)
			end(ui, ERR_IO);
		if (n <= 0)
			continue;
		if (fds[1].revents)
			read_signals(ui);
		if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
			end(ui, UI_HEADLESS); /* the terminal is gone */
		else if (fds[0].revents)
			read_keys(ui);
		if (wake_fd >= 0 && fds[2].revents) {
			wake_drain(&(Wake) { wake_fd });
			ui->pace.is_awaited |= console_awaits(&ui->console); /* all else is taken at the next tick */
		}
	}
}

static GlyphMode glyphs_here(GlyphMode asked, const char *terminal)
{
	(void) setlocale(LC_CTYPE, "");
	return glyphs_choose(asked, nl_langinfo(CODESET), terminal);
}

int ui_run(Feed *feed, const UiOptions *opts, Error *err)
{
	Ui ui = { .pipe = { -1, -1 } };
	int rows = 24, cols = 80;
	clock_init_system(&ui.clock);
	GlyphMode glyphs = glyphs_here(opts->glyphs, getenv("TERM"));
	int code = console_init(&ui.console, feed, opts, glyphs, rows, cols);
	if (code) {
		(void) error_set(err, code, code == ERR_NOT_FOUND ? "nothing to show: no training, no target, no store" :
			"console: %s",
		                 err_text(code));
		goto out;
	}
	code = open_signals(&ui, err);
	if (!code)
		code = term_open(&ui.term, opts->color, opts->theme, !opts->has_no_mouse, err);
	if (code)
		goto out;
	resize(&ui);
	sched_be_prompt(true);
	loop(&ui);
	sched_be_prompt(false);
	code = ui.result;
	if (code < 0)
		(void) error_set(err, code, "console: %s", err_text(code));
out:
	term_close(&ui.term);
	close_signals(&ui);
	console_done(&ui.console);
	return code;
}

/* One picture has no later frame to show the answer in. */
static void wait_for_store(Console *console)
{
	for (int i = 0; i < 100 && !console_is_settled(console); i++) {
		struct pollfd fd = { console->feed->wake_fd, POLLIN, 0 };
		if (i > 0 && poll(&fd, fd.fd >= 0, 10) > 0)
			wake_drain(&(Wake) { fd.fd });
		console_refresh(console, i * 10);
	}
}

int ui_render_text(Feed *feed, ScreenId screen, int rows, int cols, StrBuf *text)
{
	Console console;
	UiOptions opts = { .screen = screen, .is_once = true };
	int code = console_init(&console, feed, &opts, glyphs_here(GLYPHS_AUTO, NULL), rows, cols);
	if (!code && console.screen != screen)
		code = ERR_NOT_FOUND;
	if (!code) {
		wait_for_store(&console);
		console_draw(&console);
		canvas_to_text(&console.canvas, text);
		code = text->failed ? ERR_NOMEM : 0;
	}
	console_done(&console);
	return code;
}
