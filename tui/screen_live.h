/* Parts of the Live screen that stand in a file of their own. */
#ifndef MAESTRO_TUI_SCREEN_LIVE_H
#define MAESTRO_TUI_SCREEN_LIVE_H

#include "tui/screen.h"

/* How old a value of the newest sample is in the target's time, in seconds; NAN: the value is not there. */
double live_age_s(const Scene *scene, uint32_t field);
/* A value of the newest sample; NAN where it is missing or older than two intervals. */
double live_value(const Scene *scene, uint32_t field);

/* Inside of the Signals pane: each signal's figure and graph, then ages. */
void live_draw_signals(const Scene *scene, Rect in);
/* Inside of the Replicas pane. */
void live_draw_replicas(const Scene *scene, Rect in);
/* "32 m, 1 column 30 s" for a graph of so many columns. */
void live_window_note(const Scene *scene, int cols, char *text, size_t size);
/* Columns of the graphs inside a Signals or Replicas pane. */
int live_graph_cols(int inner_cols);
/* Inside of the Last decisions pane. */
void live_draw_decisions(const Scene *scene, Rect in);
/* Names of the guards in the set, "-" for none. */
void live_guards(uint32_t guards, char *text, size_t size);

#endif
