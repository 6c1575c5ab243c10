/*
 * The Live screen's place in time: now, or the moment of a decision or of a history point. It is kept as a time, so
 * that it stays where it is while newer data come in.
 */
#include "tui/screen_live.h"

int64_t live_interval_ms(const LiveView *live)
{
	const double most = 1e9;
	double ms = (double) live->interval_s * 1000;
	return ms >= 1 && ms <= most ? (int64_t) ms : 1000;
}

int live_cursor_row(const LiveView *live, int64_t cursor_ms)
{
	int row = 0;
	while (cursor_ms && row < live->n_rows && live->row[row].wall_ms > cursor_ms)
		row++;
	return row < live->n_rows ? row : -1;
}

static int point_of(const LiveView *live, int64_t cursor_ms)
{
	int at = live->n_history - 1;
	while (cursor_ms && at > 0 && live->history[at].wall_ms > cursor_ms)
		at--;
	return at;
}

const HistoryPoint *live_cursor_point(const LiveView *live, int64_t cursor_ms, int64_t reach_ms)
{
	int at = point_of(live, cursor_ms);
	if (!cursor_ms || at < 0)
		return NULL;
	int64_t age_ms = cursor_ms - live->history[at].wall_ms;
	return age_ms >= 0 && age_ms <= reach_ms ? &live->history[at] : NULL;
}

static int clamp(int value, int most)
{
	return value > most ? most : value < 0 ? 0 : value;
}

int64_t live_cursor_by_rows(const LiveView *live, int64_t cursor_ms, int by)
{
	int row = live_cursor_row(live, cursor_ms), last = live->n_rows - 1;
	int to = clamp((row < 0 ? last : row) + by, last);
	return last < 0 || to == 0 ? 0 : live->row[to].wall_ms;
}

int64_t live_cursor_by_points(const LiveView *live, int64_t cursor_ms, int by)
{
	int last = live->n_history - 1, to = point_of(live, cursor_ms) + by;
	if (last < 0 || to >= last)
		return 0;
	bool is_before = cursor_ms && cursor_ms < live->history[0].wall_ms; /* further back than these reach */
	if (is_before)
		return cursor_ms + by * live_interval_ms(live);
	return to >= 0 ? live->history[to].wall_ms : live->history[0].wall_ms + to * live_interval_ms(live);
}
