/* What Policy does: asks the loop for the map every second, moves a cursor over it, fixes inputs, finds odd cells. */
#include "tui/console.h"
#include "tui/screen_policy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVERY_MS = 1000, PATIENCE_MS = 5000 };

const PolicyView *policy_view(const Console *console)
{
	const PolicyView *view = console->policy.view;
	return view && !view->code ? view : NULL;
}

int policy_cell(const PolicyView *view, int col, int row)
{
	return row * view->nx + col;
}

int policy_place(const PolicyInput *input, int n)
{
	double at = (double) (input->now - input->lo) / (double) (input->hi - input->lo) * (n - 1);
	return isnan(at) ? 0 : at < 0 ? 0 : at > n - 1 ? n - 1 : (int) lround(at);
}

void policy_cursor(const Console *console, int *col, int *row)
{
	const PolicyView *view = policy_view(console);
	*col = console->policy.has_cursor ? console->policy.col : policy_place(&view->input[view->x], view->nx);
	*row = console->policy.has_cursor ? console->policy.row : policy_place(&view->input[view->y], view->ny);
	*col = *col >= view->nx ? view->nx - 1 : *col;
	*row = *row >= view->ny ? view->ny - 1 : *row;
}

/* ---- what is asked ---- */

bool policy_is_there(const Console *console)
{
	return (console->frame.live || console->feed->can_begin) && console->feed->ops->inspect;
}

static void take(Console *console)
{
	PolicyLook *look = &console->policy;
	const PolicyView *view = console->frame.policy;
	if (!view || !look->asked_id || view->query_id != look->asked_id)
		return;
	look->asked_id = 0;
	look->at_ms = console->now_ms;
	if (!look->view)
		look->view = malloc(sizeof *look->view);
	if (look->view)
		*look->view = *view;
}

/* Cells that the map has room for. */
static void room_for(const Console *console, int32_t *ret_nx, int32_t *ret_ny)
{
	const ScreenOps *ops = screen_ops(console->screen);
	Layout layout; /* the console's own is of what was drawn, which may have been another screen */
	layout_compute(ops->pane, ops->n_panes, console->canvas.rows, console->canvas.cols, console->focus[console->screen], console->is_zoomed, &layout);
	Rect pane = layout.pane[POLICY_PANE_MAP].cols ? layout.pane[POLICY_PANE_MAP] : layout.body;
	int room = pane.cols - 4 - POLICY_AXIS_COLS, cols = room >= 24 * 4 ? room / 4 : room >= 30 * 2 ? room / 2 : room;
	*ret_nx = cols < 8 ? 8 : cols;
	*ret_ny = pane.rows - 5 < 4 ? 4 : pane.rows - 5;
}

static void ask(Console *console)
{
	PolicyLook *look = &console->policy;
	if (!look->has_query)
		look->query = (PolicyQuery) { .x = -1, .y = -1 };
	look->has_query = true;
	room_for(console, &look->query.nx, &look->query.ny);
	target_full_name(&console->frame.live->target, look->query.target, sizeof look->query.target);
	if (console->feed->ops->inspect(console->feed, &look->query, &look->asked_id))
		look->asked_id = 0;
	look->asked_at_ms = console->now_ms;
}

void policy_refresh(Console *console)
{
	PolicyLook *look = &console->policy;
	take(console);
	bool is_waiting = look->asked_id && console->now_ms - look->asked_at_ms < PATIENCE_MS;
	int32_t nx, ny;
	room_for(console, &nx, &ny);
	bool is_due = !look->view || console->now_ms - look->asked_at_ms >= EVERY_MS || nx != look->query.nx || ny != look->query.ny;
	if (console->frame.live && policy_is_there(console) && !is_waiting && is_due)
		ask(console);
}

bool policy_is_settled(const Console *console)
{
	return console->policy.view != NULL;
}

static void ask_anew(Console *console)
{
	console->policy.asked_id = 0;
	if (console->frame.live && policy_is_there(console))
		ask(console);
}

static void place_cursor(Console *console)
{
	PolicyLook *look = &console->policy;
	if (!look->has_cursor)
		policy_cursor(console, &look->col, &look->row);
	look->has_cursor = true;
}

static void move_cursor(Console *console, int by_col, int by_row)
{
	const PolicyView *view = policy_view(console);
	PolicyLook *look = &console->policy;
	if (!view)
		return;
	place_cursor(console);
	look->col = look->col + by_col < 0 ? 0 : look->col + by_col >= view->nx ? view->nx - 1 : look->col + by_col;
	look->row = look->row + by_row < 0 ? 0 : look->row + by_row >= view->ny ? view->ny - 1 : look->row + by_row;
}

void policy_point(Console *console, int col, int r, int rows)
{
	const PolicyView *view = policy_view(console);
	if (!view)
		return;
	console->policy.has_cursor = true;
	console->policy.col = console->policy.row = 0;
	move_cursor(console, col, view->ny <= rows ? r * view->ny / rows : rows > 1 ? r * (view->ny - 1) / (rows - 1) : 0);
}

static void next_axes(Console *console)
{
	const PolicyView *view = policy_view(console);
	PolicyLook *look = &console->policy;
	if (!view)
		return;
	int x = view->x, y = view->y;
	do {
		y++;
		if (y >= view->n_inputs) {
			y = 0;
			x = (x + 1) % view->n_inputs;
		}
	} while (x == y);
	look->query.x = x;
	look->query.y = y;
	look->has_cursor = false;
	ask_anew(console);
}

static void next_odd(Console *console)
{
	const PolicyView *view = policy_view(console);
	if (!view)
		return;
	place_cursor(console);
	int from = policy_cell(view, console->policy.col, console->policy.row);
	for (int i = 1; i <= view->n_cells; i++) {
		int at = (from + i) % view->n_cells;
		if (!(view->flag[at] & CELL_ODD))
			continue;
		console->policy.col = at % view->nx;
		console->policy.row = at / view->nx;
		return;
	}
	console_say(console, ROLE_OK, "no odd cell: nowhere does more load make up less likely");
}

void policy_fix(Console *console, const char *text)
{
	const PolicyView *view = policy_view(console);
	char name[INPUT_NAME] = "", value[32] = "", *end;
	int n = sscanf(text, "%31s %31s", name, value);
	for (int i = 0; view && i < view->n_inputs && n > 0; i++) {
		if (strncmp(view->input[i].name, name, strlen(name)) != 0)
			continue;
		float x = strtof(value, &end);
		console->policy.query.fixed &= ~(UINT64_C(1) << i);
		if (n == 2 && !*end && isfinite(x)) {
			console->policy.query.fixed |= UINT64_C(1) << i;
			console->policy.query.value[i] = x;
		}
		ask_anew(console);
		return;
	}
	console_say(console, ROLE_WARN, "write an input's name and a value, such as rps 800; the name alone lets it go");
}

/* Whether a cell knows what is to be shown: a rule has no value, and the HPA rule reads what not every model's inputs name. */
static bool is_known(const PolicyView *view, PolicyShow show)
{
	bool has_any = !view || (show != SHOW_HPA && show != SHOW_VALUE);
	for (int at = 0; view && !has_any && at < view->n_cells; at++)
		has_any = show == SHOW_HPA ? view->hpa[at] >= 0 : !isnan(view->value[at]);
	return has_any;
}

static void show_next(Console *console)
{
	PolicyLook *look = &console->policy;
	do
		look->show = (PolicyShow) ((look->show + 1) % SHOW_COUNT);
	while (!is_known(policy_view(console), look->show)); /* the first is always known */
}

static void show_rule(Console *console)
{
	PolicyLook *look = &console->policy;
	if (look->show != SHOW_HPA && !is_known(policy_view(console), SHOW_HPA))
		console_say(console, ROLE_WARN, "no map of the HPA rule: it reads cpu, which this model's inputs do not give in cores");
	else
		look->show = look->show == SHOW_HPA ? SHOW_UP : SHOW_HPA;
}

bool policy_offers(const Console *console, UiAction action)
{
	return action != ACT_RULE || is_known(policy_view(console), SHOW_HPA);
}

bool policy_act(Console *console, UiAction action)
{
	switch (action) {
	case ACT_SHOW_NEXT: show_next(console); return true;
	case ACT_RULE: show_rule(console); return true;
	case ACT_AXES: next_axes(console); return true;
	case ACT_FIX: console_prompt(console, PROMPT_FIX, "fix input (NAME VALUE)", ""); return true;
	case ACT_ODD: next_odd(console); return true;
	case ACT_LEFT: move_cursor(console, -1, 0); return true;
	case ACT_RIGHT: move_cursor(console, 1, 0); return true;
	case ACT_UP: move_cursor(console, 0, 1); return true;
	case ACT_DOWN: move_cursor(console, 0, -1); return true;
	case ACT_TARGET_NEXT:
	case ACT_TARGET_BACK: {
		int n = console->frame.n_targets;
		console->target = n ? (console->target + (action == ACT_TARGET_NEXT ? 1 : n - 1)) % n : 0;
		console->frame.live = n ? console->frame.target[console->target] : console->frame.live;
		ask_anew(console);
		return true;
	}
	default: return false;
	}
}

bool policy_back(Console *console)
{
	bool had_cursor = console->policy.has_cursor;
	console->policy.has_cursor = false;
	return had_cursor;
}
