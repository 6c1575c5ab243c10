/* What a press of the mouse does: the zones of the last drawing say what stands where. */
#include "tui/console.h"
#include "tui/screen_live.h"
#include "tui/screen_policy.h"

enum { WHEEL_ROWS = 3 };

static bool holds(Rect rect, int row, int col)
{
	return row >= rect.row && row < rect.row + rect.rows && col >= rect.col && col < rect.col + rect.cols;
}

static void focus_pane(Console *console, int row, int col)
{
	const ScreenOps *ops = screen_ops(console->screen);
	for (int i = 0; i < ops->n_panes && console->layout.class_ == LAYOUT_GRID; i++)
		if (!ops->pane[i].is_bare && holds(console->layout.pane[i], row, col))
			console->focus[console->screen] = i;
}

static void move_by(Console *console, int by)
{
	const ScreenOps *ops = screen_ops(console->screen);
	if (by && ops->move)
		ops->move(console, by);
}

static void sort_by(Console *console, const char *title)
{
	const ScreenOps *ops = screen_ops(console->screen);
	if (title[0] && ops->sort && !ops->sort(console, title))
		console_say(console, ROLE_WARN, "there is no sorting by that column");
}

/* A button is pressed, any other field takes the focus. */
static ConsoleResult press_field(Console *console, int field, int64_t now_ms)
{
	console->dialog.focus = field;
	if (console->dialog.field[field].kind != FIELD_BUTTON)
		return CONSOLE_STAYS;
	return console_key(console, KEY_ENTER_, now_ms);
}

static ConsoleResult left(Console *console, const Zone *zone, const MouseEvent *event, int64_t now_ms)
{
	if (!console->is_helping)
		focus_pane(console, event->row, event->col);
	if (!zone)
		return CONSOLE_STAYS;
	switch (zone->kind) {
	case ZONE_KEY: /* -1: the key was taken away by a keys.yaml */
		return zone->from >= 0 ? console_key(console, (int) zone->from, now_ms) : CONSOLE_STAYS;
	case ZONE_FIELD: return press_field(console, (int) zone->from, now_ms);
	case ZONE_ROWS: move_by(console, (int) zone->from + event->row - zone->rect.row); break;
	case ZONE_COLUMN: sort_by(console, zone->text); break;
	case ZONE_MATCH:
		console->prompt.row = (int) zone->from + event->row - zone->rect.row;
		return console_key(console, KEY_ENTER_, now_ms);
	default: break;
	}
	return CONSOLE_STAYS;
}

static void right(Console *console, const Zone *zone, const MouseEvent *event)
{
	const LiveView *live = live_shown(console);
	int down = event->row - zone->rect.row, across = event->col - zone->rect.col;
	if (zone->kind == ZONE_TIME && live && live->n_history) {
		int64_t at = (int64_t) (zone->from + zone->step * across), first = live->history[0].wall_ms;
		at = at < first ? first : at; /* left of what is drawn there is nothing to look at */
		console->cursor_ms = at < console->frame.live->wall_ms ? at : 0;
	} else if (zone->kind == ZONE_CELL) {
		policy_point(console, across / (int) zone->step, zone->rect.rows - 1 - down, zone->rect.rows);
	} else {
		return;
	}
	focus_pane(console, event->row, event->col);
	console_refresh(console, console->now_ms);
}

static void turn_wheel(Console *console, const Zone *zone, int by)
{
	if (console->is_helping)
		console->help_top = console->help_top + by > 0 ? console->help_top + by : 0;
	else if (zone && zone->kind == ZONE_ROWS)
		move_by(console, by);
}

ConsoleResult console_mouse(Console *console, const MouseEvent *event, int64_t now_ms)
{
	const Zone *zone = canvas_zone_at(&console->canvas, event->row, event->col);
	bool has_layer = console->dialog.kind != DIALOG_NONE || console->prompt.kind != PROMPT_NONE;
	console->now_ms = now_ms;
	switch (event->button) {
	case MOUSE_LEFT:
		/* under a layer only what is part of it is pressed */
		if (has_layer && !(zone && (zone->kind == ZONE_FIELD || zone->kind == ZONE_MATCH)))
			return CONSOLE_STAYS;
		return left(console, zone, event, now_ms);
	case MOUSE_RIGHT:
		if (zone && !has_layer)
			right(console, zone, event);
		break;
	default:
		if (!has_layer)
			turn_wheel(console, zone, event->button == MOUSE_WHEEL_UP ? -WHEEL_ROWS : WHEEL_ROWS);
		break;
	}
	return CONSOLE_STAYS;
}
