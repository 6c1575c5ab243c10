/* Parts of the Policy screen: screen_policy.c draws, policy_act.c asks and moves. */
#ifndef MAESTRO_TUI_SCREEN_POLICY_H
#define MAESTRO_TUI_SCREEN_POLICY_H

#include "tui/console.h"

enum { POLICY_PANE_MAP = 0, POLICY_AXIS_COLS = 10 /* beside the map, of its y axis */ };

/* The last answer; NULL: none yet, or it failed. */
const PolicyView *policy_view(const Console *console);
/* The index of a cell in the view's arrays. */
int policy_cell(const PolicyView *view, int col, int row);
/* The cell of an input's value as it is now, the nearest of n. */
int policy_place(const PolicyInput *input, int n);
/* The cell of the cursor, or of the live point where there is none; there must be a view. */
void policy_cursor(const Console *console, int *col, int *row);

/* The cursor to a column, and to the r-th of the map's screen rows, counted from below. */
void policy_point(Console *console, int col, int r, int rows);
/* "NAME VALUE" from the prompt: gives an input a value; "NAME" alone gives it back its own. */
void policy_fix(Console *console, const char *text);

bool policy_is_there(const Console *console);
bool policy_is_settled(const Console *console);
void policy_refresh(Console *console);
bool policy_offers(const Console *console, UiAction action);
bool policy_act(Console *console, UiAction action);
bool policy_back(Console *console);

#endif
