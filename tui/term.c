/*
 * See term.h.
 *
 * The state that a crash handler needs cannot be handed to it, so it stands in one static struct here: the terminal's
 * modes before we came and the bytes that end ours. Handlers only read it and call write and tcsetattr.
 */
#include "tui/term.h"
#include "tui/keys.h"

#include <curses.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

enum { ESCAPE_MS = 25, N_CRASHES = 6 };

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

static void arm(const struct termios *modes)
{
	rescue.modes = *modes;
	rescue.len = 0;
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

static void open_colors(Term *term, ColorMode color, Theme theme)
{
	bool has_rgb = tigetflag("RGB") > 0;
	term->depth = theme_depth(color, tigetnum("colors"), has_rgb, getenv("NO_COLOR"));
	if (term->depth == COLOR_NEVER)
		return;
	(void) start_color();
	(void) use_default_colors();
	for (int role = 0; role < ROLE_COUNT; role++) {
		int own = theme_color((Role) role, term->depth, theme), ink = theme_ink((Role) role, term->depth);
		(void) init_extended_pair(role + 1, ink < 0 ? own : ink, ink < 0 ? -1 : own);
	}
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

int term_open(Term *term, ColorMode color, Theme theme, Error *err)
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
	open_colors(term, color, theme);
	(void) endwin(); /* before its first return from the shell, curses writes at each move of the cursor */
	arm(&modes);
	set_modes(); /* after it: else the arrows would not be told apart until curses is asked for the first key */
	return 0;
}

void term_close(Term *term)
{
	if (!term->screen)
		return;
	(void) endwin();
	disarm();
	delscreen(term->screen);
	canvas_done(&term->shown);
	term->screen = NULL;
}

void term_leave(Term *term)
{
	(void) term;
	rescue.is_armed = 0;
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
	int code = canvas_resize(&term->shown, rows, cols);
	if (!code)
		term_forget(term);
	return code;
}

/* ---- drawing ---- */

void term_forget(Term *term)
{
	(void) clearok(stdscr, TRUE);
	for (size_t i = 0; i < (size_t) term->shown.rows * (size_t) term->shown.cols; i++)
		term->shown.cell[i] = (Cell) { UINT32_MAX, 0 };
}

static attr_t attributes(Role role, ColorMode depth)
{
	const ThemeRow *row = theme_row(role);
	bool is_bare = depth == COLOR_NEVER || (depth == COLOR_16 && row->rgb >= 0 && row->c16 < 0); /* no such colour there */
	uint8_t bits = is_bare ? row->attr_mono : row->attr;
	if (depth != COLOR_NEVER && depth != COLOR_16)
		bits &= (uint8_t) ~ATTR_DIM; /* the colour is dim itself */
	if (theme_ink(role, depth) >= 0)
		bits &= (uint8_t) ~ATTR_REVERSE; /* the colour is the background itself */
	return (bits & ATTR_BOLD ? A_BOLD : 0) | (bits & ATTR_DIM ? A_DIM : 0) | (bits & ATTR_REVERSE ? A_REVERSE : 0) |
	       (bits & ATTR_UNDERLINE ? A_UNDERLINE : 0);
}

/* How the roles look at the terminal's depth. */
typedef struct Looks {
	cchar_t cell[ROLE_COUNT];    /* a blank */
	bool is_bare[ROLE_COUNT];    /* a blank of it shows nothing */
} Looks;

static void looks_init(Looks *looks, ColorMode depth)
{
	for (int role = 0; role < ROLE_COUNT; role++) {
		attr_t attr = attributes((Role) role, depth);
		(void) setcchar(&looks->cell[role], L" ", attr, depth == COLOR_NEVER ? 0 : (short) (role + 1), NULL);
		looks->is_bare[role] = !(attr & (A_REVERSE | A_UNDERLINE)) && theme_ink((Role) role, depth) < 0;
	}
}

/*
 * Each change of look costs the terminal a sequence, so a short gap between two words takes the look before it. A
 * longer one is cheaper as a jump over default blanks.
 */
static void settle_blanks(Cell *row, int cols, const Looks *looks)
{
	enum { SHORT = 4 };
	for (int c = 0; c < cols; c++) {
		int end = c;
		while (end < cols && row[end].ch == ' ' && looks->is_bare[row[end].role])
			end++;
		bool is_short = c > 0 && end < cols && end - c <= SHORT && looks->is_bare[row[c - 1].role];
		for (uint32_t role = is_short ? row[c - 1].role : ROLE_TEXT; c < end; c++)
			row[c].role = role;
	}
}

/* Cells of a row from first on that differ from what is shown and are one column wide each; answers how many. */
static int take_run(const Cell *now, Cell *shown, int first, int cols, const Looks *looks, cchar_t *run, int most)
{
	int n = 0;
	for (int c = first; c < cols && n < most; c++, n++) {
		bool is_same = now[c].ch == shown[c].ch && now[c].role == shown[c].role;
		if (is_same || !now[c].ch || (c + 1 < cols && !now[c + 1].ch))
			break;
		shown[c] = now[c];
		run[n] = looks->cell[now[c].role];
		run[n].chars[0] = (wchar_t) now[c].ch;
	}
	return n;
}

static void show_row(const Cell *now, Cell *shown, int row, int cols, const Looks *looks)
{
	enum { RUN = 128 };
	cchar_t run[RUN];
	for (int c = 0; c < cols;) {
		int n = take_run(now, shown, c, cols, looks, run, RUN);
		if (n > 0)
			(void) mvadd_wchnstr(row, c, run, n);
		c += n;
		if (n > 0 || c >= cols)
			continue;
		if ((now[c].ch != shown[c].ch || now[c].role != shown[c].role) && now[c].ch) { /* a wide one */
			cchar_t cell = looks->cell[now[c].role];
			cell.chars[0] = (wchar_t) now[c].ch;
			(void) mvadd_wch(row, c, &cell);
		}
		shown[c] = now[c];
		c++;
	}
}

void term_show(Term *term, Canvas *canvas)
{
	Looks looks;
	looks_init(&looks, term->depth);
	for (int r = 0; r < canvas->rows; r++) {
		size_t at = (size_t) r * (size_t) canvas->cols;
		settle_blanks(&canvas->cell[at], canvas->cols, &looks);
		show_row(&canvas->cell[at], &term->shown.cell[at], r, canvas->cols, &looks);
	}
	(void) refresh();
}

void term_copy(const char *base64)
{
	(void) printf("\033]52;c;%s\a", base64);
	if (getenv("TMUX")) /* for a tmux that keeps that one to itself, the same past it */
		(void) printf("\033Ptmux;\033\033]52;c;%s\a\033\\", base64);
	(void) fflush(stdout);
}

/* ---- keys ---- */

int term_key(Term *term)
{
	static const struct { int theirs, ours; } NAMES[] = {
		{ KEY_UP, KEY_UP_ }, { KEY_DOWN, KEY_DOWN_ }, { KEY_LEFT, KEY_LEFT_ }, { KEY_RIGHT, KEY_RIGHT_ },
		{ KEY_PPAGE, KEY_PAGE_UP }, { KEY_NPAGE, KEY_PAGE_DOWN }, { KEY_HOME, KEY_HOME_ }, { KEY_END, KEY_END_ },
		{ KEY_BTAB, KEY_BACK_TAB }, { KEY_BACKSPACE, KEY_RUBOUT }, { KEY_ENTER, KEY_ENTER_ },
	};
	(void) term;
	wint_t key;
	int kind = get_wch(&key);
	if (kind == ERR)
		return -1;
	if (kind != KEY_CODE_YES)
		return key == '\r' ? KEY_ENTER_ : key == '\b' ? KEY_RUBOUT : (int) key;
	for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
		if (NAMES[i].theirs == (int) key)
			return NAMES[i].ours;
	return 0; /* a key that means nothing here */
}
