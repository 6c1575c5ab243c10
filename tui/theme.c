/* See theme.h. */
#include "tui/theme.h"

#include <stdbool.h>

enum { RED = 1, GREEN, YELLOW, BLUE, MAGENTA, CYAN, WHITE, GREY };

static const ThemeRow ROWS[ROLE_COUNT] = {
	[ROLE_TEXT] = { -1, -1, -1, 0, 0 },
	[ROLE_STRONG] = { -1, -1, -1, ATTR_BOLD, ATTR_BOLD },
	[ROLE_LABEL] = { 0x949494, 246, WHITE, 0, 0 },
	[ROLE_FRAME] = { 0x585858, 240, GREY, 0, ATTR_DIM },
	[ROLE_FRAME_FOCUS] = { 0x56B4E9, 74, CYAN, 0, ATTR_BOLD },
	[ROLE_TITLE] = { -1, -1, -1, ATTR_BOLD, ATTR_BOLD },
	[ROLE_KEY] = { 0x56B4E9, 74, CYAN, ATTR_BOLD, ATTR_BOLD },
	[ROLE_OK] = { 0x009E73, 36, GREEN, 0, 0 },
	[ROLE_WARN] = { 0xE69F00, 214, YELLOW, 0, ATTR_BOLD },
	[ROLE_BAD] = { 0xD55E00, 166, RED, ATTR_BOLD, ATTR_BOLD | ATTR_REVERSE },
	[ROLE_INFO] = { 0x56B4E9, 74, CYAN, 0, ATTR_UNDERLINE },
	[ROLE_BADGE_OK] = { 0x009E73, 36, GREEN, ATTR_REVERSE | ATTR_BOLD, ATTR_REVERSE },
	[ROLE_BADGE_WARN] = { 0xE69F00, 214, YELLOW, ATTR_REVERSE | ATTR_BOLD, ATTR_REVERSE },
	[ROLE_BADGE_BAD] = { 0xD55E00, 166, RED, ATTR_REVERSE | ATTR_BOLD, ATTR_REVERSE | ATTR_BOLD },
	[ROLE_BADGE_INFO] = { 0x56B4E9, 74, CYAN, ATTR_REVERSE | ATTR_BOLD, ATTR_REVERSE },
	[ROLE_SELECTED] = { 0x56B4E9, 74, CYAN, ATTR_REVERSE, ATTR_REVERSE },
	[ROLE_INPUT] = { -1, -1, -1, ATTR_UNDERLINE, ATTR_UNDERLINE },
	[ROLE_SERIES_A] = { 0x2E8BC9, 32, BLUE, 0, 0 },
	[ROLE_SERIES_B] = { 0xE69F00, 214, YELLOW, 0, 0 },
	[ROLE_SERIES_C] = { 0x009E73, 36, GREEN, 0, 0 },
	[ROLE_SERIES_D] = { 0xCC79A7, 175, MAGENTA, 0, 0 },
	[ROLE_SERIES_E] = { 0x56B4E9, 74, CYAN, 0, 0 },
	[ROLE_SERIES_F] = { 0xD55E00, 166, RED, 0, 0 },
	[ROLE_SERIES_G] = { 0xF0E442, 227, WHITE, 0, 0 },
	[ROLE_SERIES_H] = { 0x999999, 246, GREY, 0, 0 },
	[ROLE_FILL_A] = { 0x1B4F72, 24, BLUE, ATTR_DIM, ATTR_DIM },
	[ROLE_FILL_B] = { 0x7A5500, 94, YELLOW, ATTR_DIM, ATTR_DIM },
	[ROLE_FILL_C] = { 0x005A42, 23, GREEN, ATTR_DIM, ATTR_DIM },
	[ROLE_FILL_D] = { 0x6E4159, 96, MAGENTA, ATTR_DIM, ATTR_DIM },
	[ROLE_FILL_WARN] = { 0x7A5500, 94, YELLOW, ATTR_DIM, ATTR_DIM },
	[ROLE_FILL_BAD] = { 0x7A3600, 88, RED, ATTR_DIM, ATTR_DIM },
	[ROLE_GHOST] = { 0x767676, 243, GREY, 0, ATTR_DIM },
	/* cividis (Nunez, Anderton, Renslow 2018), painted by reversing; 16 colours have the characters alone */
	[ROLE_HEAT_0 + 0] = { 0x00224E, 17, -1, ATTR_REVERSE, 0 },
	[ROLE_HEAT_0 + 1] = { 0x1A386F, 24, -1, ATTR_REVERSE, 0 },
	[ROLE_HEAT_0 + 2] = { 0x3F4D6B, 60, -1, ATTR_REVERSE, 0 },
	[ROLE_HEAT_0 + 3] = { 0x5A616E, 241, -1, ATTR_REVERSE, 0 },
	[ROLE_HEAT_0 + 4] = { 0x737475, 243, -1, ATTR_REVERSE, 0 },
	[ROLE_HEAT_0 + 5] = { 0x8F8B77, 245, -1, ATTR_REVERSE, 0 },
	[ROLE_HEAT_0 + 6] = { 0xADA36F, 143, -1, ATTR_REVERSE, 0 },
	[ROLE_HEAT_0 + 7] = { 0xCEBE60, 185, -1, ATTR_REVERSE, 0 },
	[ROLE_HEAT_0 + 8] = { 0xF1DA42, 221, -1, ATTR_REVERSE, 0 },
};

/* On a light background; a role without a row here keeps its own. 16 colours are the terminal's to choose, but its
 * white would vanish. */
typedef struct LightRow {
	int32_t rgb;
	int16_t c256;
	int8_t c16;
} LightRow;

static const LightRow LIGHT[ROLE_COUNT] = {
	[ROLE_LABEL] = { 0x5F5F5F, 59, GREY },
	[ROLE_FRAME] = { 0x949494, 246, GREY },
	[ROLE_FRAME_FOCUS] = { 0x1F78A8, 24, CYAN },
	[ROLE_KEY] = { 0x1F78A8, 24, CYAN },
	[ROLE_OK] = { 0x00755A, 29, GREEN },
	[ROLE_WARN] = { 0x8A5A00, 94, YELLOW },
	[ROLE_BAD] = { 0xB04A00, 130, RED },
	[ROLE_INFO] = { 0x1F78A8, 24, CYAN },
	[ROLE_BADGE_OK] = { 0x00755A, 29, GREEN },
	[ROLE_BADGE_WARN] = { 0x8A5A00, 94, YELLOW },
	[ROLE_BADGE_BAD] = { 0xB04A00, 130, RED },
	[ROLE_BADGE_INFO] = { 0x1F78A8, 24, CYAN },
	[ROLE_SELECTED] = { 0x1F78A8, 24, CYAN },
	[ROLE_SERIES_A] = { 0x0072B2, 25, BLUE },
	[ROLE_SERIES_B] = { 0x8A5A00, 94, YELLOW },
	[ROLE_SERIES_C] = { 0x00755A, 29, GREEN },
	[ROLE_SERIES_D] = { 0xA8467F, 132, MAGENTA },
	[ROLE_SERIES_E] = { 0x1F78A8, 31, CYAN },
	[ROLE_SERIES_F] = { 0xB04A00, 130, RED },
	[ROLE_SERIES_G] = { 0x6E6600, 58, YELLOW },
	[ROLE_SERIES_H] = { 0x666666, 241, GREY },
	[ROLE_FILL_A] = { 0x9CC7E3, 152, BLUE },
	[ROLE_FILL_B] = { 0xE6CF9C, 187, YELLOW },
	[ROLE_FILL_C] = { 0x9AD1C0, 151, GREEN },
	[ROLE_FILL_D] = { 0xE0BCD2, 182, MAGENTA },
	[ROLE_FILL_WARN] = { 0xE6CF9C, 187, YELLOW },
	[ROLE_FILL_BAD] = { 0xE8B79A, 216, RED },
	[ROLE_GHOST] = { 0x767676, 243, GREY },
};

const ThemeRow *theme_row(Role role)
{
	return &ROWS[role < ROLE_COUNT ? role : ROLE_TEXT];
}

ColorMode theme_depth(ColorMode asked, int n_colors, int has_rgb, const char *no_color)
{
	if (asked == COLOR_NEVER || n_colors < 8)
		return COLOR_NEVER;
	if (asked == COLOR_AUTO && no_color && *no_color)
		return COLOR_NEVER;
	ColorMode most = has_rgb ? COLOR_TRUE : n_colors >= 256 ? COLOR_256 : COLOR_16;
	if (asked == COLOR_AUTO || asked == COLOR_ALWAYS)
		return most;
	if (has_rgb && asked != COLOR_TRUE) /* colour numbers of such a terminal are RGB past the first eight */
		return asked == COLOR_16 ? COLOR_16 : COLOR_TRUE;
	return asked < most ? asked : most;
}

int theme_color(Role role, ColorMode depth, Theme theme)
{
	const ThemeRow *row = theme_row(role);
	const LightRow *light = &LIGHT[role < ROLE_COUNT ? role : ROLE_TEXT];
	bool is_light = theme == THEME_LIGHT && light->rgb;
	int c16 = is_light ? light->c16 : row->c16;
	switch (depth) {
	case COLOR_TRUE: return is_light ? light->rgb : row->rgb;
	case COLOR_256: return is_light ? light->c256 : row->c256;
	case COLOR_16: return c16 == GREY ? -1 : c16;
	default: return -1;
	}
}

int theme_ink(Role role, ColorMode depth)
{
	int step = (int) role - ROLE_HEAT_0;
	if (step < 0 || step >= HEAT_STEPS || (depth != COLOR_256 && depth != COLOR_TRUE))
		return -1;
	bool is_bright = step > HEAT_STEPS / 2; /* black tells itself from it better than white does */
	return is_bright ? (depth == COLOR_TRUE ? 0x000000 : 16) : depth == COLOR_TRUE ? 0xFFFFFF : 231;
}
