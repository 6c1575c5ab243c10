/*
 * When the console takes new data and when it draws: pure, of times alone.
 *
 * What a key or a new size changed is drawn at once, up to ten frames a second with a few in advance. Data are taken at their tick, but not
 * right behind such a frame: whoever presses a key waits for one burst of bytes, not for two. A key's own frame takes the data that are
 * due with it, so that held keys starve nothing.
 */
#ifndef MAESTRO_TUI_PACE_H
#define MAESTRO_TUI_PACE_H

#include <stdbool.h>
#include <stdint.h>

enum { PACE_FRAME_MS = 100, PACE_BURST = 5, PACE_QUIET_MS = 60, PACE_LATE_MS = 300 };

typedef struct Pace { /* times are of one clock that never goes back; 0 is long past */
	bool is_asked;    /* what a key or a new size changed is not drawn yet */
	bool is_awaited;  /* what a key asked for has come, and waits for no tick */
	int64_t asked_ms; /* when such a change was drawn last */
	int64_t data_ms;  /* when data were taken last */
	int64_t paid_ms;  /* such frames cost PACE_FRAME_MS each and are paid for up to here, PACE_BURST of them in advance */
} Pace;

typedef struct PaceStep {
	bool takes_data, draws;
	int64_t wait_ms; /* until there may be something to do; 0 where it draws */
} PaceStep;

/* What is to be done now, data being due each tick_ms. */
PaceStep pace_step(const Pace *pace, int64_t now_ms, int64_t tick_ms);
/* A step that draws was taken. */
void pace_drawn(Pace *pace, const PaceStep *step, int64_t now_ms);

#endif
