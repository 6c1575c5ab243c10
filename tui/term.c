/*
 * See term.h.
 *
 * The state that a crash handler needs cannot be handed to it, so it stands in one static struct here: the terminal's
 * modes before we came and the bytes that end ours. Handlers only read it and call write and tcsetattr.
 */
#include "tui/term.h"

#include <curses.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

enum { ESCAPE_MS = 25, N_CRASHES = 6, MOUSE_CODE = KEY_MAX + 1, FOCUS_IN_CODE, FOCUS_OUT_CODE };

/* Presses and releases in decimal (SGR 1006), and the focus (1004); xterm's, which all others have copied. */
static const char MOUSE_ON[] = "\033[?1000h\033[?1006h\033[?1004h", MOUSE_OFF[] = "\033[?1004l\033[?1006l\033[?1000l";

static const int CRASHES[N_CRASHES] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT };

static struct Rescue {
	volatile sig_atomic_t is_armed;
	struct termios modes;
	char bytes[256];
	size_t len;
	struct sigaction before[N_CRASHES];
} rescue;

static void on_crash(int signal_number)
{
	static const char NOTE[] = "\r\nmaestro: crashed; the run is kept up to its last record, and --resume goes on from "
	                           "its last checkpoint\r\n";
	if (rescue.is_armed) {
		rescue.is_armed = 0;
		ssize_t wrote = write(STDOUT_FILENO, rescue.bytes, rescue.len);
		(void) tcsetattr(STDIN_FILENO, TCSANOW, &rescue.modes);
		if (signal_number != SIGQUIT) /* that one was wished for */
			wrote = write(STDERR_FILENO, NOTE, sizeof NOTE - 1);
		(void) wrote;
	}
	for (int i = 0; i < N_CRASHES; i++)
		if (CRASHES[i] == signal_number)
			(void) sigaction(signal_number, &rescue.before[i], NULL);
	(void) raise(signal_number);
}

static void keep_bytes(const char *capability)
{
	char *text = tigetstr(capability);
	if (!text || text == (char *) -1)
		return;
	size_t len = strlen(text);
	if (rescue.len + len <= sizeof rescue.bytes) {
		memcpy(rescue.bytes + rescue.len, text, len);
		rescue.len += len;
	}
}

static void arm(const struct termios *modes, bool has_mouse)
{
	rescue.modes = *modes;
	rescue.len = has_mouse ? sizeof MOUSE_OFF - 1 : 0;
	memcpy(rescue.bytes, MOUSE_OFF, rescue.len);
	keep_bytes("sgr0");
	keep_bytes("op");
	keep_bytes("rmkx");
	keep_bytes("rmcup");
	keep_bytes("cnorm");
	struct sigaction action = { .sa_handler = on_crash, .sa_flags = SA_NODEFER };
	(void) sigemptyset(&action.sa_mask);
	for (int i = 0; i < N_CRASHES; i++)
		(void) sigaction(CRASHES[i], &action, &rescue.before[i]);
	rescue.is_armed = 1;
}

static void disarm(void)
{
	rescue.is_armed = 0;
	for (int i = 0; i < N_CRASHES; i++)
		(void) sigaction(CRASHES[i], &rescue.before[i], NULL);
}

/* ---- life ---- */

static void send(const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDOUT_FILENO, bytes, len);
		if (n < 0 && errno == EAGAIN)
			(void) poll(&(struct pollfd) { STDOUT_FILENO, POLLOUT, 0 }, 1, -1);
		else if (n < 0 && errno != EINTR)
			return; /* the terminal is gone: the loop hears of it from its own side */
		bytes += n > 0 ? n : 0;
		len -= n > 0 ? (size_t) n : 0;
	}
}

/* What is not drawn by curses must not be in force when it goes. */
static void send_plain_look(const Term *term)
{
	const char *plain = term->paint.look[ROLE_TEXT].all;
	send(plain, strlen(plain));
}

static void choose_depth(Term *term, ColorMode color)
{
	bool has_rgb = tigetflag("RGB") > 0;
	term->depth = theme_depth(color, tigetnum("colors"), has_rgb, getenv("NO_COLOR"));
}

static void set_modes(void)
{
	(void) raw(); /* Ctrl-C and Ctrl-Z are keys of the table */
	(void) noecho();
	(void) nonl();
	(void) keypad(stdscr, TRUE);
	(void) nodelay(stdscr, TRUE);
	(void) curs_set(0);
	(void) set_escdelay(ESCAPE_MS);
}

/* Where terminfo knows of no mouse, nothing is asked for. */
static bool open_mouse(void)
{
	char *mouse = tigetstr("kmous");
	if (!mouse || mouse == (char *) -1)
		return false;
	(void) define_key("\033[<", MOUSE_CODE); /* read here, not by curses, whose own decoding depends on the terminal's entry */
	(void) define_key("\033[I", FOCUS_IN_CODE);
	(void) define_key("\033[O", FOCUS_OUT_CODE);
	return true;
}

int term_open(Term *term, ColorMode color, Theme theme, bool wants_mouse, Error *err)
{
	struct termios modes;
	*term = (Term) { 0 };
	if (tcgetattr(STDIN_FILENO, &modes))
		return error_set(err, ERR_IO, "stdin is not a terminal");
	SCREEN *screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return error_set(err, ERR_IO, "terminal %.60s is not known to terminfo", getenv("TERM") ? getenv("TERM") : "");
	term->screen = screen;
	(void) set_term(screen);
	choose_depth(term, color);
	paint_init(&term->paint, term->depth, theme);
	term->is_away = true;
	(void) endwin(); /* before its first return from the shell, curses writes at each move of the cursor */
	term->has_mouse = wants_mouse && open_mouse();
	arm(&modes, term->has_mouse);
	set_modes(); /* after it: else the arrows would not be told apart until curses is asked for the first key */
	return 0;
}

void term_close(Term *term)
{
	if (!term->screen)
		return;
	term_leave(term);
	disarm();
	delscreen(term->screen);
	paint_done(&term->paint);
	canvas_done(&term->shown);
	term->screen = NULL;
}

void term_leave(Term *term)
{
	rescue.is_armed = 0;
	if (!term->is_away && term->has_mouse)
		send(MOUSE_OFF, sizeof MOUSE_OFF - 1);
	if (!term->is_away)
		send_plain_look(term);
	term->is_away = true;
	(void) endwin();
}

void term_return(Term *term)
{
	rescue.is_armed = 1;
	set_modes();
	term_forget(term);
}

void term_size(int *ret_rows, int *ret_cols)
{
	struct winsize size;
	bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0;
	*ret_rows = is_known ? size.ws_row : LINES;
	*ret_cols = is_known ? size.ws_col : COLS;
}

int term_resize(Term *term, int rows, int cols)
{
	(void) resizeterm(rows, cols);
	(void) untouchwin(stdscr); /* else curses would clear the screen at the next key */
	int code = canvas_resize(&term->shown, rows, cols);
	if (!code)
		term_forget(term);
	return code;
}

/* ---- drawing ---- */

void term_forget(Term *term)
{
	paint_forget(&term->paint, &term->shown);
}

size_t term_show(Term *term, const Canvas *canvas)
{
	if (term->is_away) {
		(void) refresh(); /* of its empty window: curses takes the terminal */
		term->is_away = false;
		if (term->has_mouse)
			send(MOUSE_ON, sizeof MOUSE_ON - 1);
	}
	if (!paint_frame(&term->paint, canvas, &term->shown)) {
		term_forget(term); /* out of memory: the next frame tries again */
		return 0;
	}
	send(term->paint.out.data, term->paint.out.len);
	return term->paint.out.len;
}

void term_copy(const char *base64)
{
	(void) printf("\033]52;c;%s\a", base64);
	if (getenv("TMUX")) /* for a tmux that keeps that one to itself, the same past it */
		(void) printf("\033Ptmux;\033\033]52;c;%s\a\033\\", base64);
	(void) fflush(stdout);
}

/* ---- keys ---- */

/* The rest of a report, "BUTTON;COLUMN;ROW" and M for a press or m for a release; KEY_MOUSE_, or 0 where it means nothing
 * here: a release, a button with Ctrl, rubbish. */
static int read_mouse(Term *term)
{
	enum { RIGHT = 2, WHEEL = 64, MOST = 100000 };
	int number[3] = { 0 }, n = 0;
	wint_t ch = 0;
	timeout(ESCAPE_MS); /* the rest is on its way */
	while (get_wch(&ch) == OK && n < 3) {
		if (ch >= '0' && ch <= '9' && number[n] < MOST)
			number[n] = number[n] * 10 + (int) (ch - '0');
		else if (ch != ';')
			break;
		else
			n++;
	}
	nodelay(stdscr, TRUE);
	static const struct { int theirs; MouseButton ours; } BUTTONS[] = { { 0, MOUSE_LEFT }, { RIGHT, MOUSE_RIGHT },
		{ WHEEL, MOUSE_WHEEL_UP }, { WHEEL + 1, MOUSE_WHEEL_DOWN } };
	for (size_t i = 0; ch == 'M' && n == 2 && i < sizeof BUTTONS / sizeof *BUTTONS; i++) {
		if (BUTTONS[i].theirs != number[0])
			continue;
		term->mouse = (MouseEvent) { BUTTONS[i].ours, number[2] - 1, number[1] - 1 };
		return KEY_MOUSE_;
	}
	return 0;
}

int term_key(Term *term)
{
	static const struct { int theirs, ours; } NAMES[] = {
		{ KEY_UP, KEY_UP_ }, { KEY_DOWN, KEY_DOWN_ }, { KEY_LEFT, KEY_LEFT_ }, { KEY_RIGHT, KEY_RIGHT_ },
		{ KEY_PPAGE, KEY_PAGE_UP }, { KEY_NPAGE, KEY_PAGE_DOWN }, { KEY_HOME, KEY_HOME_ }, { KEY_END, KEY_END_ },
		{ KEY_BTAB, KEY_BACK_TAB }, { KEY_BACKSPACE, KEY_RUBOUT }, { KEY_ENTER, KEY_ENTER_ },
	};
	wint_t key;
	int kind = get_wch(&key);
	if (kind == ERR)
		return -1;
	if (kind != KEY_CODE_YES)
		return key == '\r' ? KEY_ENTER_ : key == '\b' ? KEY_RUBOUT : (int) key;
	if (key == MOUSE_CODE)
		return read_mouse(term);
	if (key == FOCUS_IN_CODE)
		return KEY_FOCUS_IN;
	for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
		if (NAMES[i].theirs == (int) key)
			return NAMES[i].ours;
	return 0; /* a key that means nothing here */
}
