/*
 * The bytes that turn what a terminal shows into a canvas: cursor moves, looks and characters, from terminfo.
 *
 * Curses knows windows, scrolling and terminals that none of us has seen, and takes a millisecond for a large screen.
 * A canvas is compared cell by cell with what is shown instead; what differs is written, and nothing else.
 */
#ifndef MAESTRO_TUI_PAINT_H
#define MAESTRO_TUI_PAINT_H

#include "tui/canvas.h"

enum { LOOK_BYTES = 72 };

typedef struct Look {
	char all[LOOK_BYTES];    /* from any look before */
	char color[LOOK_BYTES];  /* from one with the same attributes and no background; empty: only `all` does it */
	uint8_t attr;
	bool has_ground;         /* a background of its own */
	bool is_bare;            /* a blank of it shows nothing */
} Look;

typedef struct Paint {
	Look look[ROLE_COUNT];
	bool is_utf8;
	bool is_ecma;            /* the cursor moves as ECMA-48 says */
	bool can_fill_corner;    /* a character in the last cell does not scroll */
	bool is_empty;           /* the terminal is to be cleared first */
	int row, col;            /* of the cursor; -1: not known */
	Role role;               /* in force */
	StrBuf out;              /* of the last frame */
} Paint;

/* After setupterm or newterm, in the locale to draw in. */
void paint_init(Paint *paint, ColorMode depth, Theme theme);
void paint_done(Paint *paint);
/* Nothing is known of the terminal: the next frame clears it. */
void paint_forget(Paint *paint, Canvas *shown);

/* Writes into out what makes the terminal, which shows `shown`, show `canvas`, and makes them equal. Both of one size.
 * False: out of memory, shown is to be forgotten. */
bool paint_frame(Paint *paint, const Canvas *canvas, Canvas *shown);

#endif
