#include "tui/screen_policy.h"
static const PaneSpec PANES[] = { { "Policy", .band = 0, .share = 1, .min_rows = 8, .grow = 1 } };
static bool is_there(const Console *console)
{
	(void) console;
	return false;
}
static void head(const Scene *scene, Pen *pen)
{
	(void) scene, (void) pen;
}
static void draw(const Scene *scene, int pane, Rect rect)
{
	(void) scene, (void) pane, (void) rect;
}
void policy_fix(Console *console, const char *text)
{
	(void) console, (void) text;
}
const ScreenOps screen_policy = {
	.name = "Policy", .key = '5', .pane = PANES, .n_panes = 1, .is_there = is_there, .head = head, .draw = draw,
};
