/* See screen.h. */
#include "tui/console.h"

enum { SAID_TEXT = 256 };

const ScreenOps *screen_ops(ScreenId id)
{
#define OPS(id, word, key, help, said, shell) &screen_##word,
	static const ScreenOps *const OPS_OF[SCREEN_COUNT] = { SCREENS(OPS) };
	return OPS_OF[id];
}

void scene_empty(const Scene *scene, Rect in, const char *text)
{
	char said[SAID_TEXT];
	if (scene->console)
		text = keys_say(&scene->console->keymap, text, said, sizeof said);
	int lines = (canvas_width(scene->canvas, text) + in.cols - 1) / (in.cols > 0 ? in.cols : 1);
	int skip = in.rows > lines ? (in.rows - lines) / 2 : 0;
	(void) canvas_wrap(scene->canvas, (Rect) { in.row + skip, in.col, in.rows - skip, in.cols }, ROLE_LABEL, text);
}

Rect scene_box(const Scene *scene, int pane, const PaneSpec *spec, Rect rect, const char *note)
{
	char said[SAID_TEXT];
	if (scene->console && note)
		note = keys_say(&scene->console->keymap, note, said, sizeof said);
	Rect in = canvas_box(scene->canvas, rect, spec[pane].title, note, scene->focus == pane);
	if (scene->focus == pane && spec[pane].title) /* told without colour too */
		canvas_put(scene->canvas, rect.row, rect.col + 1, scene->canvas->glyphs->pointer, ROLE_FRAME_FOCUS);
	return in;
}

void scene_legend(Pen *pen, Role role, uint32_t glyph, char letter)
{
	if (pen->col + 2 > pen->end)
		return;
	canvas_put(pen->canvas, pen->row, pen->col, glyph ? glyph : (uint32_t) letter, role);
	pen->col += 2;
}

void scene_figure(Pen *pen, const char *name, Role role, const char *value)
{
	int width = canvas_width(pen->canvas, name) + 1 + canvas_width(pen->canvas, value);
	if (pen->col + width > pen->end)
		return;
	(void) pen_item(pen, ROLE_LABEL, "%s ", name);
	(void) pen_item(pen, role, "%s", value);
	(void) pen_item(pen, ROLE_TEXT, "  ");
}

int32_t live_replicas(const LiveView *live)
{
	const DecisionRow *last = &live->last;
	if (live->manual_replicas >= 0) /* written between two cycles */
		return live->manual_replicas;
	if (last->decision.is_applied)
		return last->decision.desired;
	return last->sample.valid & SAMPLE_REPLICAS ? last->sample.replicas : -1;
}
