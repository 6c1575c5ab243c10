/*
 * Colours by role, never by hue: drawing code says what a cell means, the theme says how that looks.
 *
 * One table, a row a role, with a colour for each depth of a terminal and the attributes that carry the meaning
 * where there is no colour. The background is never painted, so that dark and transparent terminals work; for light
 * ones there is a darker set of the same hues.
 */
#ifndef MAESTRO_TUI_THEME_H
#define MAESTRO_TUI_THEME_H

#include <stdint.h>

typedef enum Role {
	ROLE_TEXT,
	ROLE_STRONG,      /* figures that a glance should catch */
	ROLE_LABEL,       /* names beside figures, units, axes */
	ROLE_FRAME,
	ROLE_FRAME_FOCUS,
	ROLE_TITLE,
	ROLE_KEY,         /* a key's name in the footer */
	ROLE_OK,
	ROLE_WARN,        /* soft limit, pending */
	ROLE_BAD,         /* hard limit, failed */
	ROLE_INFO,        /* cursor, evaluation */
	ROLE_BADGE_OK,    /* state words in row 0, reversed */
	ROLE_BADGE_WARN,
	ROLE_BADGE_BAD,
	ROLE_BADGE_INFO,
	ROLE_SELECTED,    /* row of a table, focused button */
	ROLE_INPUT,       /* field of a dialog */
	ROLE_SERIES_A,
	ROLE_SERIES_B,
	ROLE_SERIES_C,
	ROLE_SERIES_D,
	ROLE_SERIES_E,
	ROLE_SERIES_F,
	ROLE_SERIES_G,
	ROLE_SERIES_H,
	ROLE_FILL_A,      /* area under a series' edge */
	ROLE_FILL_B,
	ROLE_FILL_C,
	ROLE_FILL_D,
	ROLE_FILL_WARN,
	ROLE_FILL_BAD,
	ROLE_GHOST,       /* raw curve under the smoothed one, what is hidden or outside */
	ROLE_HEAT_0,      /* of a heat map, least to most: HEAT_STEPS of them */
	ROLE_HEAT_8 = ROLE_HEAT_0 + 8,
	ROLE_COUNT
} Role;

/* UX 5's order of choice: the option, MAESTRO_COLOR (the caller's business), NO_COLOR, then the terminal. */
typedef enum ColorMode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER, COLOR_16, COLOR_256, COLOR_TRUE } ColorMode;

typedef enum Theme { THEME_DARK, THEME_LIGHT } Theme; /* of the terminal's background */

enum { HEAT_STEPS = ROLE_HEAT_8 - ROLE_HEAT_0 + 1 };

enum { ATTR_BOLD = 1, ATTR_DIM = 2, ATTR_REVERSE = 4, ATTR_UNDERLINE = 8 };

typedef struct ThemeRow {
	int32_t rgb;       /* 0xRRGGBB; -1: the terminal's own colour, at every depth */
	int16_t c256;
	int8_t c16;
	uint8_t attr;      /* with colour */
	uint8_t attr_mono; /* without */
} ThemeRow;

/* The row of a role; the depths' numbers are those of UX 5. */
const ThemeRow *theme_row(Role role);

/* The depth to draw in: COLOR_NEVER, COLOR_16, COLOR_256 or COLOR_TRUE.
 * n_colors is terminfo's `colors` (<= 0: none), has_rgb its `RGB`, no_color the variable's value or NULL. */
ColorMode theme_depth(ColorMode asked, int n_colors, int has_rgb, const char *no_color);

/* The colour number for curses at that depth; -1: the terminal's own. */
int theme_color(Role role, ColorMode depth, Theme theme);
/* The colour of text on a role whose colour is its background, as the heat map's is; -1: the role is no such one. */
int theme_ink(Role role, ColorMode depth);

#endif
