/* Row 0, panes, keys, overlays. */
#include "tui/console.h"
#include "tui/fmt.h"
#include "tui/screen_live.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { HELP_KEY_COLS = 8, HELP_COLS = 76, ABSENT_TEXT = 320 };

/* A cursor before the first record, or in a gap, is at a moment of which nothing is known: that is no number, and not now. */
static const HistoryPoint *point_at(Console *console, const LiveView *live)
{
	int64_t reach_ms = live_interval_ms(live) * console->window * 5 / 2;
	const HistoryPoint *point = live_cursor_point(live, console->cursor_ms, reach_ms);
	if (point || !console->cursor_ms)
		return point;
	console->nowhere = (HistoryPoint) { console->cursor_ms, NAN, NAN, NAN, NAN, -1, -1, -1 };
	return &console->nowhere;
}

static Scene console_scene(Console *console)
{
	const FeedFrame *frame = &console->frame;
	const ArchiveAnswer *list = talk_answer(&console->talk, SLOT_RUNS);
	const LiveView *live = live_shown(console);
	Scene scene = { .canvas = &console->canvas, .console = console, .train = frame->train, .live = live,
		        .wall_ms = frame->wall_ms, .smoothing = console->smoothing, .window = console->window,
		        .runs = { list, talk_answer(&console->talk, SLOT_RUN), list != NULL, console->runs.offset,
		        console->runs.selected }, .focus = console->layout.focus, .layout = &console->layout };
	if (live) {
		const double most_ms = 1e15; /* a view from elsewhere may say anything */
		int64_t since_s = (frame->wall_ms - console->live_seen_ms) / 1000; /* ages need no more than a frame a second */
		double speed = live->speed > 0 ? live->speed : 1, since_ms = fmin((double) since_s * 1000 * speed, most_ms);
		scene.target_ms = live->wall_ms + (since_s > 0 ? (int64_t) since_ms : 0);
		scene.row = live_cursor_row(live, console->cursor_ms);
		scene.point = point_at(console, live);
	}
	return scene;
}

/* Work goes on where the store takes nothing, so somebody must say it. */
static bool has_lost(const Console *console)
{
	const FeedFrame *frame = &console->frame;
	return console->not_begun[0] || (frame->train && frame->train->sink_dropped > 0) || (frame->live && frame->live->sink_dropped > 0);
}

static void draw_status(Console *console, const Scene *scene)
{
	char clock[FMT_TEXT];
	int cols = console->canvas.cols, end = cols;
	int64_t held_ms = console->is_frozen ? console->now_ms - console->taken_ms : 0; /* the clock goes on */
	canvas_text_right(&console->canvas, 0, cols, 9, ROLE_LABEL, fmt_clock(clock, scene->wall_ms + held_ms));
	end -= 10;
	if (console->screen == SCREEN_LIVE && scene->point) {
		char past[FMT_TEXT + 8];
		(void) snprintf(past, sizeof past, " PAST %s ", fmt_clock(clock, console->cursor_ms));
		canvas_text_right(&console->canvas, 0, end, 15, ROLE_BADGE_INFO, past);
		end -= 16;
	}
	if (console_is_readonly(console)) {
		canvas_text_right(&console->canvas, 0, end, 4, ROLE_BADGE_INFO, " RO ");
		end -= 5;
	}
	if (console->is_frozen) {
		canvas_text_right(&console->canvas, 0, end, 8, ROLE_BADGE_WARN, " FROZEN ");
		end -= 9;
	}
	if (has_lost(console)) {
		canvas_text_right(&console->canvas, 0, end, 12, ROLE_BADGE_BAD, " NOT STORED ");
		end -= 13;
	}
	Pen pen = { &console->canvas, 0, 0, end };
	screen_ops(console->screen)->head(scene, &pen);
}

/* ---- keys ---- */

/* The key of an action on the screen that is shown, as loaded; -1: none. */
static int key_of(const Console *console, UiAction action)
{
	int row = keys_row(action, console->screen);
	return row < 0 ? -1 : console->keymap.key[row];
}

/* "1 Live  2 Train  3 Runs |"; where that leaves little room for keys, the others' keys alone: "1  2 Train  3 |". */
static void draw_screens(const Console *console, Pen *pen)
{
	enum { ROOM = 44 };
	char name[32];
	int cols = 2;
	for (int i = 0; i < SCREEN_COUNT; i++)
		cols += console_has(console, (ScreenId) i) ? canvas_width(pen->canvas, screen_ops((ScreenId) i)->name) + 4 : 0;
	bool is_short = pen->col + cols + ROOM > pen->end;
	for (int i = 0; i < SCREEN_COUNT; i++) {
		const ScreenOps *ops = screen_ops((ScreenId) i);
		bool is_here = console->screen == (ScreenId) i;
		if (!console_has(console, (ScreenId) i))
			continue;
		int start = pen->col, key = key_of(console, (UiAction) (ACT_SCREEN_FIRST + i));
		if (key >= 0)
			(void) pen_item(pen, is_here ? ROLE_SELECTED : ROLE_KEY, is_here ? " %s" : "%s", keys_name(key, name));
		if (is_here || !is_short || key < 0)
			(void) pen_item(pen, is_here ? ROLE_SELECTED : ROLE_TEXT, is_here ? " %s " : " %s", ops->name);
		canvas_zone(pen->canvas, (Zone) { ZONE_KEY, { pen->row, start, 1, pen->col - start }, key, 0, NULL });
		(void) pen_item(pen, ROLE_TEXT, " ");
	}
	if (pen->col + 2 < pen->end)
		canvas_put(pen->canvas, pen->row, pen->col, pen->canvas->glyphs->vertical, ROLE_FRAME);
	pen->col += 2;
}

static bool draw_key(Pen *pen, int key, const char *label)
{
	char name[32];
	(void) keys_name(key, name);
	int width = canvas_width(pen->canvas, name) + 1 + canvas_width(pen->canvas, label);
	if (pen->col + width > pen->end)
		return false;
	canvas_zone(pen->canvas, (Zone) { ZONE_KEY, { pen->row, pen->col, 1, width }, key, 0, NULL });
	(void) pen_item(pen, ROLE_KEY, "%s", name);
	(void) pen_item(pen, ROLE_TEXT, " %s", label);
	pen->col += 2;
	return true;
}

/* The way to help and the way out are there at every width, on the right, where they have a key. */
static void draw_last_keys(const Console *console, Pen *pen)
{
	static const struct { UiAction action; const char *label; } LAST[] = { { ACT_HELP, "help" }, { ACT_QUIT, "quit" } };
	enum { N = sizeof LAST / sizeof *LAST };
	char name[32];
	int cols = 0, key[N];
	for (int i = 0; i < N; i++) {
		key[i] = key_of(console, LAST[i].action);
		cols += key[i] < 0 ? 0 : canvas_width(pen->canvas, keys_name(key[i], name)) + 1 + (int) strlen(LAST[i].label) + (cols ? 2 : 0);
	}
	Pen last = { pen->canvas, pen->row, pen->end > cols ? pen->end - cols : 0, pen->end };
	pen->end = cols ? last.col - 2 : pen->end;
	for (int i = 0; i < N; i++)
		if (key[i] >= 0)
			(void) draw_key(&last, key[i], LAST[i].label);
}

/* To another pane where one is shown at a time. */
static bool draw_next_pane(const Console *console, Pen *pen)
{
	int next = key_of(console, ACT_FOCUS_NEXT), back = key_of(console, ACT_FOCUS_BACK);
	if (console->layout.class_ != LAYOUT_SINGLE || console->is_zoomed || (next < 0 && back < 0))
		return true;
	return draw_key(pen, next >= 0 ? next : back, next >= 0 ? "next pane" : "other pane");
}

/* The keys of this screen in the table's order, until one does not fit. */
static void draw_keys(const Console *console, Pen *pen)
{
	size_t n;
	const KeyRow *table = keys_table(&n);
	const ScreenOps *ops = screen_ops(console->screen);
	if (!draw_next_pane(console, pen))
		return;
	for (size_t i = 0; i < n; i++) {
		bool is_off = (table[i].is_write && console_is_readonly(console)) || (ops->offers && !ops->offers(console, table[i].action));
		bool is_here = table[i].label && table[i].screens & 1u << console->screen;
		bool is_last = table[i].action == ACT_HELP || table[i].action == ACT_QUIT;
		if (is_here && !is_off && !is_last && console->keymap.key[i] >= 0 &&
		    !draw_key(pen, console->keymap.key[i], table[i].label))
			return;
	}
}

static void draw_footer(Console *console)
{
	int row = console->canvas.rows - 1;
	const Message *m = &console->message;
	Pen pen = { &console->canvas, row, 0, console->canvas.cols };
	canvas_fill(&console->canvas, (Rect) { row, 0, 1, console->canvas.cols }, ' ', ROLE_TEXT);
	if (console->prompt.kind != PROMPT_NONE) {
		prompt_draw(&console->prompt, &console->canvas, row, 0, console->canvas.cols);
		return;
	}
	draw_last_keys(console, &pen);
	if (m->pending_id || m->until_ms) {
		canvas_put(&console->canvas, row, 0, console->canvas.glyphs->pointer, m->role);
		(void) canvas_text(&console->canvas, row, 2, pen.end - 2, m->role, m->text);
		return;
	}
	draw_screens(console, &pen);
	draw_keys(console, &pen);
}

/* ---- help ---- */

static bool is_here(const Console *console, const KeyRow *key)
{
	return key->screens & 1u << console->screen;
}

/* What is searched for may be another screen's. */
static bool is_helped(const Console *console, size_t row)
{
	size_t n;
	char keys[32];
	const KeyRow *key = &keys_table(&n)[row];
	(void) keys_names(&console->keymap, row, keys);
	if (!key->id || (!is_here(console, key) && !console->help_search[0]))
		return false;
	const char *search = console->help_search;
	return !search[0] || strcasestr(key->help, search) || strcasestr(key->id, search) || strcasestr(keys, search);
}

/* "Live: hold replicas ..." where the key is not this screen's. */
static void help_text(const Console *console, const KeyRow *key, bool is_off, char *text, size_t size)
{
	int screen = 0;
	while (screen < SCREEN_COUNT - 1 && !(key->screens & 1u << screen))
		screen++;
	char said[160], name[32];
	int row = keys_row((UiAction) (ACT_SCREEN_FIRST + screen), console->screen);
	(void) keys_say(&console->keymap, key->help, said, sizeof said);
	if (is_here(console, key))
		(void) snprintf(text, size, "%s%.140s", is_off ? "read-only: " : "", said);
	else
		(void) snprintf(text, size, "on %s (%s): %.120s", screen_ops((ScreenId) screen)->name,
		                keys_name(console->keymap.key[row], name), said);
}

/* How to move and leave; the mark of changed keys where there is one. */
static const char *help_note(const Console *console, bool is_long, char *note, size_t size)
{
	char back[64];
	bool is_changed = false;
	size_t n;
	(void) keys_table(&n);
	for (size_t i = 0; i < n; i++)
		is_changed |= keys_is_changed(&console->keymap, i);
	(void) snprintf(note, size, "%s%s%s closes", is_changed ? "* keys.yaml, " : "", is_long ? "Up Down, " : "",
	                keys_say(&console->keymap, "{all.back}", back, sizeof back));
	return note;
}

static void draw_help(Console *console)
{
	Canvas *canvas = &console->canvas;
	size_t n;
	char name[32], title[80], help[160];
	const KeyRow *table = keys_table(&n);
	int lines = 0;
	for (size_t i = 0; i < n; i++)
		lines += is_helped(console, i);
	int cols = HELP_COLS < canvas->cols ? HELP_COLS : canvas->cols;
	int shown = lines ? lines : 1, rows = shown + 2 < canvas->rows - 1 ? shown + 2 : canvas->rows - 1;
	Rect rect = { (canvas->rows - rows) / 2, (canvas->cols - cols) / 2, rows, cols };
	canvas_fill(canvas, rect, ' ', ROLE_TEXT);
	(void) snprintf(title, sizeof title, console->help_search[0] ? "Help: %s, with \"%s\"" : "Help: %s (type to search)",
	                screen_ops(console->screen)->name, console->help_search);
	Rect in = canvas_box(canvas, rect, title, help_note(console, lines + 2 > rows, help, sizeof help), true);
	if (!lines)
		(void) canvas_text(canvas, in.row, in.col, in.cols, ROLE_LABEL, 
		                   keys_say(&console->keymap, "no key does that; {all.palette} finds commands by their names", help, sizeof help));
	canvas_zone(canvas, (Zone) { .kind = ZONE_COVER, .rect = rect });
	int most = lines > in.rows ? lines - in.rows : 0;
	console->help_top = console->help_top > most ? most : console->help_top;
	int line = -console->help_top;
	for (size_t k = 0; k < n && line < in.rows; k++) {
		size_t i = (k + SCREEN_COUNT) % n; /* the screens' keys are the table's first; the screen's own are wanted sooner */
		if (!is_helped(console, i))
			continue;
		bool is_off = table[i].is_write && console_is_readonly(console);
		if (line >= 0) {
			int wide = canvas_text(canvas, in.row + line, in.col, HELP_KEY_COLS - 1, ROLE_KEY, keys_names(&console->keymap, i, name));
			if (keys_is_changed(&console->keymap, i))
				canvas_put(canvas, in.row + line, in.col + wide, '*', ROLE_WARN);
			help_text(console, &table[i], is_off, help, sizeof help);
			(void) canvas_text(canvas, in.row + line, in.col + HELP_KEY_COLS, in.cols - HELP_KEY_COLS,
			                   is_off ? ROLE_LABEL : ROLE_TEXT, help);
		}
		line++;
	}
}

/* A screen without a column of its own shows its first pane, frame and all. */
static void draw_column(const ScreenOps *ops, const Scene *scene)
{
	if (ops->column)
		ops->column(scene, scene->layout->body);
	else
		ops->draw(scene, 0, scene->layout->body);
}

/* What is known of the target that is not there. */
static void say_absent(const Console *console, char *text, size_t size)
{
	const FeedFrame *frame = &console->frame;
	char clock[FMT_TEXT], age[FMT_TEXT];
	if (console->not_begun[0])
		(void) snprintf(text, size, "%s", console->not_begun);
	else if (console->feed->can_begin)
		(void) snprintf(text, size, "the simulated target is starting");
	else if (!frame->absent)
		(void) snprintf(text, size, "there is no target");
	else if (!frame->absent_since_ms)
		(void) snprintf(text, size, "%s", frame->absent);
	else
		(void) snprintf(text, size, "%s, since %s (%s)", frame->absent, fmt_clock(clock, frame->absent_since_ms),
		                fmt_age(age, (double) (frame->wall_ms - frame->absent_since_ms) / 1000));
}

/* All of a screen whose target is not there yet. */
static void draw_beginning(Console *console, const ScreenOps *ops)
{
	Scene scene = { .canvas = &console->canvas, .console = console };
	Pen pen = { &console->canvas, 0, 0, console->canvas.cols };
	(void) pen_item(&pen, ROLE_BADGE_INFO, " %s ", ops->name);
	char text[ABSENT_TEXT];
	say_absent(console, text, sizeof text);
	scene_empty(&scene, console->layout.body, text);
}

void console_draw(Console *console)
{
	Canvas *canvas = &console->canvas;
	const ScreenOps *ops = screen_ops(console->screen);
	canvas_clear(canvas);
	layout_compute(ops->pane, ops->n_panes, canvas->rows, canvas->cols, console->focus[console->screen],
	               console->is_zoomed, &console->layout);
	if (console_lacks_target(console)) {
		draw_beginning(console, ops);
	} else if (console_has(console, console->screen)) {
		Scene scene = console_scene(console);
		draw_status(console, &scene);
		if (console->layout.class_ == LAYOUT_COLUMN)
			draw_column(ops, &scene);
		for (int i = 0; i < ops->n_panes; i++)
			if (console->layout.pane[i].rows > 0)
				ops->draw(&scene, i, console->layout.pane[i]);
	}
	draw_footer(console);
	if (console->prompt.kind == PROMPT_PALETTE)
		palette_draw(console);
	if (console->is_helping)
		draw_help(console);
	if (console->dialog.kind != DIALOG_NONE)
		dialog_draw(&console->dialog, &console->keymap, canvas);
}

void console_copy_text(Console *console, StrBuf *text)
{
	if (console->copied[0]) {
		strbuf_add(text, console->copied, strlen(console->copied));
		console->copied[0] = '\0';
		return;
	}
	const Layout *layout = &console->layout;
	Rect pane = layout->class_ == LAYOUT_COLUMN ? layout->body : layout->pane[layout->focus];
	if (layout->class_ != LAYOUT_COLUMN)
		pane = (Rect) { pane.row + 1, pane.col + 2, pane.rows - 2, pane.cols - 4 };
	canvas_part_to_text(&console->canvas, pane, text);
}
