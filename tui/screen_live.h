/* Parts of the Live screen that stand in a file of their own. */
#ifndef MAESTRO_TUI_SCREEN_LIVE_H
#define MAESTRO_TUI_SCREEN_LIVE_H

#include "tui/screen.h"

/* Between two decisions; 1000 where the view says what no interval is: one from elsewhere may say anything. */
int64_t live_interval_ms(const LiveView *live);
/* The decision at a time of the target, 0 being now: its row, or -1 where none so old is kept. */
int live_cursor_row(const LiveView *live, int64_t cursor_ms);
/* The newest history point that is not after it and not older than reach_ms; NULL: now, or nothing is known of that moment. */
const HistoryPoint *live_cursor_point(const LiveView *live, int64_t cursor_ms, int64_t reach_ms);
/* The cursor moved by rows of the table (down is older) or by points of the history (up is newer). */
int64_t live_cursor_by_rows(const LiveView *live, int64_t cursor_ms, int by);
int64_t live_cursor_by_points(const LiveView *live, int64_t cursor_ms, int by); /* past the oldest: by intervals */

/* live_act.c: the screen's own actions, and the past from the store where memory ends. */
bool live_act(struct Console *console, UiAction action);
void live_move(struct Console *console, int by);
bool live_back(struct Console *console);
void live_refresh(struct Console *console);
/* What is shown: the chosen target as it is, or with the store's history around the cursor. */
const LiveView *live_shown(const struct Console *console);

/* A history point's value; NAN where it is missing. */
double live_point_value(const HistoryPoint *point, uint32_t field);

/* How old a value of the newest sample is in the target's time, in seconds; NAN: the value is not there. */
double live_age_s(const Scene *scene, uint32_t field);
/* The value at the cursor; NAN where it is missing, or now older than two intervals. */
double live_value(const Scene *scene, uint32_t field);

/* Inside of the Signals pane: each signal's figure and graph, then ages. */
void live_draw_signals(const Scene *scene, Rect in);
/* Inside of the Replicas pane. */
void live_draw_replicas(const Scene *scene, Rect in);
/* "32 m, 1 column 30 s" for a graph of so many columns. */
void live_window_note(const Scene *scene, int cols, char *text, size_t size);
/* Columns of the graphs inside a Signals or Replicas pane. */
int live_graph_cols(int inner_cols);
enum { LIVE_COLUMNS = 13 };
extern const Column live_columns[LIVE_COLUMNS]; /* of the Last decisions */
/* live_pods.c: inside of the Pods and Events panes, which wide terminals have. */
void live_draw_pods(const Scene *scene, Rect in);
void live_draw_news(const Scene *scene, Rect in);
/* Asks the store for the target's events, now and then. */
void live_ask_news(struct Console *console);
/* Inside of the Last decisions pane. */
void live_draw_decisions(const Scene *scene, Rect in);
/* Names of the guards in the set, "-" for none. */
void live_guards(uint32_t guards, char *text, size_t size);

#endif
