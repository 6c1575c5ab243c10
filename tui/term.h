/*
 * The terminal: the only file that calls curses, which opens it, reads its keys and gives it back; paint.h draws. It is
 * given back whole also when the program crashes.
 */
#ifndef MAESTRO_TUI_TERM_H
#define MAESTRO_TUI_TERM_H

#include "base/err.h"
#include "tui/keys.h"
#include "tui/paint.h"

typedef struct Term {
	void *screen;      /* curses' own; NULL: closed */
	ColorMode depth;
	bool has_mouse;    /* it is asked for presses, and to tell when it gets the focus */
	MouseEvent mouse;  /* of the last KEY_MOUSE_ */
	bool is_away;      /* given back: curses has to take it before anything is drawn */
	Paint paint;
	Canvas shown;      /* what the terminal shows */
} Term;

/* ERR_IO: no terminal that terminfo knows. Installs handlers for SEGV, BUS, FPE, ILL, ABRT and QUIT that restore the
 * terminal and then let the earlier handler, or the default, have the signal. One at a time in a process. */
int term_open(Term *term, ColorMode color, Theme theme, bool wants_mouse, Error *err);
/* Accepts a closed one. */
void term_close(Term *term);

void term_size(int *ret_rows, int *ret_cols);
/* After a size change; the next show draws everything. ERR_NOMEM. */
int term_resize(Term *term, int rows, int cols);

/* Sends the cells that differ from what is shown; one write, of so many bytes. */
size_t term_show(Term *term, const Canvas *canvas);
/* The next show draws everything anew, whatever is on the screen. */
void term_forget(Term *term);
/* Puts text, in base64, on the clipboard of whoever shows the terminal (OSC 52); nothing tells whether it was taken. */
void term_copy(const char *base64);
/* The next key in keys.h's numbers, or -1. KEY_MOUSE_: a press, in term->mouse; KEY_FOCUS_IN: whatever was on the screen
 * may be gone. */
int term_key(Term *term);

/* Gives the terminal back for a while, and takes it again. */
void term_leave(Term *term);
void term_return(Term *term);

#endif
