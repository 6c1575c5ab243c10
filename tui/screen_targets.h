/* The part of Targets that others use. */
#ifndef MAESTRO_TUI_SCREEN_TARGETS_H
#define MAESTRO_TUI_SCREEN_TARGETS_H

#include "tui/console.h"

/* The marked targets in the feed's order, else the selected one; answers how many. */
int targets_picked(const Console *console, int *target, int most);

#endif
