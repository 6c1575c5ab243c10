/*
 * Whether the palette can be seen: contrast by WCAG 2.1, and distances under three kinds of colour blindness by the
 * matrices of Machado, Oliveira and Fernandes, "A physiologically-based model for simulation of color vision deficiency",
 * IEEE TVCG 15(6), 2009 (severity 1).
 */
#ifndef MAESTRO_TUI_COLORS_H
#define MAESTRO_TUI_COLORS_H

#include "base/mem.h"
#include "tui/theme.h"

#include <stdbool.h>

/* Of two colours 0xRRGGBB: 1..21. */
double colors_contrast(int32_t a, int32_t b);

/* A line a role and theme with its contrast in truecolour and of 256 colours, then the nearest pairs of series and states; answers how
 * many fail: text under 4.5:1, marks under 3:1, two of the first four series, or states that look alike without colour, nearer than 10. */
int colors_check(StrBuf *report);

#endif
