/* Row 0, panes, keys, overlays. */
#include "tui/console.h"
#include "tui/fmt.h"
#include "tui/screen_live.h"

#include <stdio.h>
#include <string.h>

enum { HELP_KEY_COLS = 8, HELP_COLS = 66 };

static bool is_readonly(const Console *console)
{
	return console->opts.is_readonly || (console->frame.live && console->frame.live->is_readonly);
}

static Scene scene_of(Console *console)
{
	const FeedFrame *frame = &console->frame;
	Scene scene = { .canvas = &console->canvas, .train = frame->train, .live = frame->live, .wall_ms = frame->wall_ms,
		        .smoothing = console->smoothing, .window = console->window,
		        .runs = { console->ask.list, console->ask.run, console->ask.has_list, console->runs_offset,
		        console->selected_run }, .focus = console->layout.focus, .layout = &console->layout };
	if (frame->live) {
		double since = (double) (frame->wall_ms - console->live_seen_ms);
		double speed = frame->live->speed > 0 ? frame->live->speed : 1;
		scene.target_ms = frame->live->wall_ms + (int64_t) (since > 0 ? since * speed : 0);
		scene.row = live_cursor_row(frame->live, console->cursor_ms);
		scene.point = live_cursor_point(frame->live, console->cursor_ms);
	}
	return scene;
}

static void draw_status(Console *console, const Scene *scene)
{
	char clock[FMT_TEXT];
	int cols = console->canvas.cols, end = cols;
	canvas_text_right(&console->canvas, 0, cols, 9, ROLE_LABEL, fmt_clock(clock, scene->wall_ms));
	end -= 10;
	if (console->screen == SCREEN_LIVE && scene->point) {
		char past[FMT_TEXT + 8];
		(void) snprintf(past, sizeof past, " PAST %s ", fmt_clock(clock, scene->point->wall_ms));
		canvas_text_right(&console->canvas, 0, end, 15, ROLE_BADGE_INFO, past);
		end -= 16;
	}
	if (is_readonly(console)) {
		canvas_text_right(&console->canvas, 0, end, 4, ROLE_BADGE_INFO, " RO ");
		end -= 5;
	}
	if (console->is_frozen) {
		canvas_text_right(&console->canvas, 0, end, 8, ROLE_BADGE_WARN, " FROZEN ");
		end -= 9;
	}
	Pen pen = { &console->canvas, 0, 0, end };
	screen_ops(console->screen)->head(scene, &pen);
}

/* ---- keys ---- */

/* "1 Live  2 Train  3 Runs |", as many as fit whole. */
static void draw_screens(const Console *console, Pen *pen)
{
	for (int i = 0; i < SCREEN_COUNT; i++) {
		const ScreenOps *ops = screen_ops((ScreenId) i);
		bool is_here = console->screen == (ScreenId) i;
		if (!console_has(console, (ScreenId) i) || pen->col + canvas_width(pen->canvas, ops->name) + 4 > pen->end)
			continue;
		(void) pen_item(pen, is_here ? ROLE_SELECTED : ROLE_KEY, is_here ? " %c" : "%c", ops->key);
		(void) pen_item(pen, is_here ? ROLE_SELECTED : ROLE_TEXT, is_here ? " %s " : " %s", ops->name);
		(void) pen_item(pen, ROLE_TEXT, " ");
	}
	if (pen->col + 2 < pen->end)
		canvas_put(pen->canvas, pen->row, pen->col, pen->canvas->glyphs->vertical, ROLE_FRAME);
	pen->col += 2;
}

static bool draw_key(Pen *pen, const char *name, const char *label)
{
	int width = canvas_width(pen->canvas, name) + 1 + canvas_width(pen->canvas, label);
	if (pen->col + width > pen->end)
		return false;
	(void) pen_item(pen, ROLE_KEY, "%s", name);
	(void) pen_item(pen, ROLE_TEXT, " %s", label);
	pen->col += 2;
	return true;
}

/* The way to help and the way out are there at every width, on the right. */
static void draw_last_keys(Pen *pen)
{
	enum { COLS = sizeof "? help  q quit" - 1 };
	Pen last = { pen->canvas, pen->row, pen->end > COLS ? pen->end - COLS : 0, pen->end };
	pen->end = last.col - 2;
	(void) draw_key(&last, "?", "help");
	(void) draw_key(&last, "q", "quit");
}

/* The keys of this screen in the table's order, until one does not fit. */
static void draw_keys(const Console *console, Pen *pen)
{
	size_t n;
	const KeyRow *table = keys_table(&n);
	if (console->layout.class_ == LAYOUT_SINGLE && !console->is_zoomed && !draw_key(pen, "Tab", "next pane"))
		return;
	for (size_t i = 0; i < n; i++) {
		bool is_off = table[i].is_write && is_readonly(console);
		bool is_here = table[i].label && table[i].screens & 1u << console->screen;
		bool is_last = table[i].action == ACT_HELP || table[i].action == ACT_QUIT;
		if (is_here && !is_off && !is_last && !draw_key(pen, table[i].name, table[i].label))
			return;
	}
}

static void draw_footer(Console *console)
{
	int row = console->canvas.rows - 1;
	const Message *m = &console->message;
	Pen pen = { &console->canvas, row, 0, console->canvas.cols };
	canvas_fill(&console->canvas, (Rect) { row, 0, 1, console->canvas.cols }, ' ', ROLE_TEXT);
	draw_last_keys(&pen);
	if (m->pending_id || m->until_ms) {
		canvas_put(&console->canvas, row, 0, console->canvas.glyphs->pointer, m->role);
		(void) canvas_text(&console->canvas, row, 2, pen.end - 2, m->role, m->text);
		return;
	}
	draw_screens(console, &pen);
	draw_keys(console, &pen);
}

/* ---- help ---- */

static void draw_help(Console *console)
{
	Canvas *canvas = &console->canvas;
	size_t n;
	const KeyRow *table = keys_table(&n);
	int lines = 0;
	for (size_t i = 0; i < n; i++)
		lines += table[i].name && table[i].screens & 1u << console->screen;
	int cols = HELP_COLS < canvas->cols ? HELP_COLS : canvas->cols;
	int rows = lines + 2 < canvas->rows - 1 ? lines + 2 : canvas->rows - 1;
	Rect rect = { (canvas->rows - rows) / 2, (canvas->cols - cols) / 2, rows, cols };
	canvas_fill(canvas, rect, ' ', ROLE_TEXT);
	char title[32];
	(void) snprintf(title, sizeof title, "Help: %s", screen_ops(console->screen)->name);
	Rect in = canvas_box(canvas, rect, title, lines + 2 > rows ? "Up Down scroll, Esc closes" : "Esc closes", true);
	int top = console->help_top > lines - in.rows ? lines - in.rows : console->help_top, line = -top;
	for (size_t i = 0; i < n && line < in.rows; i++) {
		if (!table[i].name || !(table[i].screens & 1u << console->screen))
			continue;
		bool is_off = table[i].is_write && is_readonly(console);
		if (line >= 0) {
			(void) canvas_text(canvas, in.row + line, in.col, HELP_KEY_COLS, ROLE_KEY, table[i].name);
			(void) canvas_text(canvas, in.row + line, in.col + HELP_KEY_COLS, in.cols - HELP_KEY_COLS,
			                   is_off ? ROLE_GHOST : ROLE_TEXT, table[i].help);
		}
		line++;
	}
}

void console_draw(Console *console)
{
	Canvas *canvas = &console->canvas;
	const ScreenOps *ops = screen_ops(console->screen);
	canvas_clear(canvas);
	layout_compute(ops->pane, ops->n_panes, canvas->rows, canvas->cols, console->focus[console->screen],
	               console->is_zoomed, &console->layout);
	if (console_has(console, console->screen)) {
		Scene scene = scene_of(console);
		draw_status(console, &scene);
		if (console->layout.class_ == LAYOUT_COLUMN)
			ops->column(&scene, console->layout.body);
		for (int i = 0; i < ops->n_panes; i++)
			if (console->layout.pane[i].rows > 0)
				ops->draw(&scene, i, console->layout.pane[i]);
	}
	draw_footer(console);
	if (console->is_helping)
		draw_help(console);
	if (console->dialog.kind != DIALOG_NONE)
		dialog_draw(&console->dialog, canvas);
}

void console_pane_text(const Console *console, StrBuf *text)
{
	const Layout *layout = &console->layout;
	Rect pane = layout->class_ == LAYOUT_COLUMN ? layout->body : layout->pane[layout->focus];
	if (layout->class_ != LAYOUT_COLUMN)
		pane = (Rect) { pane.row + 1, pane.col + 2, pane.rows - 2, pane.cols - 4 };
	canvas_part_to_text(&console->canvas, pane, text);
}
