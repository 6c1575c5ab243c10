/* The mouse over the console: what a press at a place of the last drawing does, and that no single one writes. */
#include "tests/fakes/desk.h"
#include "tui/screen_live.h"

#include <string.h>

static ConsoleResult mouse(Desk *desk, MouseButton button, int row, int col)
{
	ConsoleResult result = console_mouse(&desk->console, &(MouseEvent) { button, row, col }, 1000);
	console_draw(&desk->console);
	return result;
}

/* The place where a text stands on the screen. */
static void place_of(Desk *desk, const char *text, int *row, int *col)
{
	const char *screen = screen_text(desk), *at = strstr(screen, text);
	*row = *col = 0;
	if (!at)
		fail_msg("\"%s\" is not on the screen:\n%s", text, screen);
	for (const char *c = screen; c < at; c++) {
		*col = *c == '\n' ? 0 : *col + 1;
		*row += *c == '\n';
	}
}

static ConsoleResult click(Desk *desk, const char *text)
{
	int row, col;
	place_of(desk, text, &row, &col);
	return mouse(desk, MOUSE_LEFT, row, col);
}

static void start_with_targets(Desk *desk, ScreenId screen)
{
	enum { N = 40 };
	static LiveView target[N];
	static const LiveView *targets[N];
	for (int i = 0; i < N; i++) {
		views_fill_target(&target[i], i);
		targets[i] = &target[i];
	}
	desk->fake.frame.target = targets;
	desk->fake.frame.n_targets = N;
	desk->fake.frame.live = targets[0];
	desk->fake.has_store = true;
	start(desk, screen, false);
}

/* ---- left ---- */

static void a_click_gives_a_pane_the_focus(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_LIVE, false);
	click(desk, "Replicas");
	int replicas = desk->console.layout.focus;
	click(desk, "Health");
	assert_int_not_equal(desk->console.layout.focus, replicas);
	click(desk, "Signals");
	assert_int_equal(desk->console.layout.focus, 0);
	mouse(desk, MOUSE_LEFT, 0, 3); /* row 0 is no pane */
	assert_int_equal(desk->console.layout.focus, 0);
}

static void a_click_selects_a_row(void **state)
{
	Desk *desk = *state;
	int row, col;
	start_with_targets(desk, SCREEN_TARGETS);
	place_of(desk, "namespace", &row, &col);
	for (int i = 1; i < 9; i++) {
		mouse(desk, MOUSE_LEFT, row + i, col);
		assert_int_equal(desk->console.targets.selected, i - 1);
	}
	press(desk, KEY_END_); /* scrolled, rows count on from the selected one */
	int last = desk->console.targets.selected;
	place_of(desk, "namespace", &row, &col);
	mouse(desk, MOUSE_LEFT, row + 1, col);
	assert_true(desk->console.targets.selected < last && desk->console.targets.selected > 8);
}

static void a_click_on_a_heading_sorts_and_again_reverses(void **state)
{
	Desk *desk = *state;
	start_with_targets(desk, SCREEN_TARGETS);
	click(desk, "p95/soft/hard");
	assert_non_null(strstr(screen_text(desk), "sort p95  "));
	click(desk, "p95/soft/hard");
	assert_non_null(strstr(screen_text(desk), "sort p95 reversed"));
	click(desk, "want");
	assert_non_null(strstr(screen_text(desk), "no sorting by that column"));
}

/* However slow a target is, its row's mark is not cut off. */
static void a_p95_of_many_digits_keeps_its_mark(void **state)
{
	Desk *desk = *state;
	start_with_targets(desk, SCREEN_TARGETS);
	LiveView *slow = (LiveView *) (void *) desk->fake.frame.target[0];
	slow->last.sample.valid = SAMPLE_ALL;
	slow->last.sample.latency_ms = 12345;
	slow->target.latency_soft_ms = 2500;
	slow->target.latency_hard_ms = 5000;
	assert_non_null(strstr(screen_text(desk), " 12345/2500/5000 H "));
	slow->last.sample.latency_ms = 120400;
	assert_non_null(strstr(screen_text(desk), " 120 s/2500/5000 H "));
}

static void a_click_on_a_word_of_the_last_row_is_its_key(void **state)
{
	Desk *desk = *state;
	int row, col;
	desk->fake.has_store = true;
	start(desk, SCREEN_LIVE, false);
	click(desk, "z zoom");
	assert_true(desk->console.is_zoomed);
	click(desk, "zoom"); /* its name is enough */
	assert_false(desk->console.is_zoomed);
	click(desk, "2 3 4");
	assert_int_equal(desk->console.screen, SCREEN_TRAIN);
	click(desk, "? help");
	assert_true(desk->console.is_helping);
	press(desk, KEY_ESC);
	desk->console.keymap.key[keys_row(ACT_TRAIN_PAUSE, SCREEN_TRAIN)] = 'P';
	click(desk, "P pause");
	assert_int_equal(desk->fake.n_sent, 1);
	place_of(desk, "? help", &row, &col);
	mouse(desk, MOUSE_LEFT, row, col - 3); /* between two words */
	assert_int_equal(desk->fake.n_sent, 1);
	assert_int_equal(click(desk, "q quit"), CONSOLE_QUIT);
}

static void a_screen_without_a_key_is_no_button(void **state)
{
	Desk *desk = *state;
	start(desk, SCREEN_LIVE, false);
	desk->console.keymap.key[keys_row(ACT_SCREEN_FIRST + SCREEN_TRAIN, SCREEN_LIVE)] = -1;
	click(desk, "Train");
	assert_int_equal(desk->console.screen, SCREEN_LIVE);
}

/* ---- layers ---- */

static void dialogs_are_pressed_and_nothing_below_them(void **state)
{
	Desk *desk = *state;
	int row, col;
	start(desk, SCREEN_LIVE, false);
	click(desk, "o override");
	assert_int_equal(desk->console.dialog.kind, DIALOG_OVERRIDE);
	mouse(desk, MOUSE_LEFT, desk->console.canvas.rows - 1, 2); /* keys below it */
	mouse(desk, MOUSE_WHEEL_DOWN, 24, 10);
	mouse(desk, MOUSE_RIGHT, 4, 20);
	assert_int_equal(desk->console.dialog.kind, DIALOG_OVERRIDE);
	assert_int_equal(desk->console.cursor_ms, 0);
	type(desk, "5");
	click(desk, "reason ");
	assert_int_equal(desk->console.dialog.focus, OVERRIDE_REASON);
	type(desk, "sale");
	click(desk, "[ Apply ]");
	assert_int_equal(desk->fake.n_sent, 1);
	assert_int_equal(desk->fake.sent[0].u.override_.replicas, 5);
	assert_string_equal(desk->fake.sent[0].u.override_.reason, "sale");
	press(desk, 'p');
	click(desk, "[ Cancel ]");
	assert_int_equal(desk->console.dialog.kind, DIALOG_NONE);
	assert_int_equal(desk->fake.n_sent, 1);
	press(desk, ':');
	type(desk, "zoom");
	place_of(desk, "the focused pane alone", &row, &col);
	mouse(desk, MOUSE_LEFT, 1, 5); /* beside the palette */
	assert_int_equal(desk->console.prompt.kind, PROMPT_PALETTE);
	mouse(desk, MOUSE_LEFT, row, col);
	assert_int_equal(desk->console.prompt.kind, PROMPT_NONE);
	assert_true(desk->console.is_zoomed);
}

static void no_single_press_writes_to_a_target(void **state)
{
	Desk *desk = *state;
	for (int screen = 0; screen < SCREEN_COUNT; screen++) {
		start_with_targets(desk, (ScreenId) screen);
		for (int at = 0; at < 30 * 100; at++) {
			(void) press(desk, KEY_ESC);
			(void) press(desk, KEY_ESC);
			console_go(&desk->console, (ScreenId) screen);
			desk->fake.n_sent = 0;
			console_draw(&desk->console);
			(void) console_mouse(&desk->console, &(MouseEvent) { MOUSE_LEFT, at / 100, at % 100 }, 1000);
			for (int s = 0; s < desk->fake.n_sent; s++)
				assert_true(desk->fake.sent[s].kind < COMMAND_LIVE_OVERRIDE);
			desk->console.is_leaving = false;
		}
		if (screen + 1 < SCREEN_COUNT)
			console_done(&desk->console);
	}
}

/* ---- wheel and right button ---- */

static void the_wheel_moves_what_it_is_over(void **state)
{
	Desk *desk = *state;
	int row, col;
	start_with_targets(desk, SCREEN_TARGETS);
	place_of(desk, "namespace", &row, &col);
	mouse(desk, MOUSE_WHEEL_DOWN, row + 2, col);
	assert_int_equal(desk->console.targets.selected, 3);
	mouse(desk, MOUSE_WHEEL_UP, row + 2, col);
	mouse(desk, MOUSE_WHEEL_UP, row + 2, col);
	assert_int_equal(desk->console.targets.selected, 0);
	mouse(desk, MOUSE_WHEEL_DOWN, 0, 0); /* over nothing */
	assert_int_equal(desk->console.targets.selected, 0);
	press(desk, '?');
	assert_int_equal(console_resize(&desk->console, 16, 100), 0);
	console_draw(&desk->console);
	mouse(desk, MOUSE_WHEEL_DOWN, 5, 50);
	assert_int_equal(desk->console.help_top, 3);
	mouse(desk, MOUSE_WHEEL_UP, 5, 50);
	assert_int_equal(desk->console.help_top, 0);
}

static void the_right_button_puts_the_cursor_on_a_graph(void **state)
{
	Desk *desk = *state;
	LiveView *live = &desk->live;
	int row, col;
	start(desk, SCREEN_LIVE, false);
	place_of(desk, "soft 250", &row, &col);
	mouse(desk, MOUSE_RIGHT, row, col - 10);
	int64_t at = desk->console.cursor_ms;
	assert_true(at > live->history[0].wall_ms && at < live->wall_ms);
	assert_non_null(strstr(screen_text(desk), " PAST "));
	mouse(desk, MOUSE_RIGHT, row, col - 11); /* one column back is the time of one column */
	int64_t step = at - desk->console.cursor_ms;
	assert_true(step > 0 && step <= 2 * 15000);
	mouse(desk, MOUSE_RIGHT, row, 3); /* beside the graph */
	assert_true(desk->console.cursor_ms == at - step);
	mouse(desk, MOUSE_RIGHT, row, col - 2); /* its right edge */
	assert_true(desk->console.cursor_ms == 0 || desk->console.cursor_ms > live->history[live->n_history - 3].wall_ms);
}

static void the_right_button_left_of_a_young_history_is_its_start(void **state)
{
	Desk *desk = *state;
	int row, col;
	views_fill_live(&desk->live, 6);
	start(desk, SCREEN_LIVE, false);
	place_of(desk, "soft 250", &row, &col);
	for (int c = 17; c < col - 8; c += 5) {
		mouse(desk, MOUSE_RIGHT, row, c);
		assert_true(desk->console.cursor_ms >= desk->live.history[0].wall_ms || desk->console.cursor_ms == 0);
	}
}

/* A few rows are drawn high: any of a cell's screen rows is that cell. Its key is not offered where the rule's map is not known. */
static void a_press_on_the_policy_map_is_its_cell(void **state)
{
	enum { ROWS = 5, LEFT = 20 };
	Desk *desk = *state;
	static PolicyView view;
	views_fill_policy(&view);
	view.ny = ROWS;
	view.n_cells = view.nx * ROWS;
	view.input[view.y].hi = view.input[view.y].lo + ROWS - 1;
	start(desk, SCREEN_POLICY, false);
	view.query_id = desk->fake.n_inspected;
	desk->fake.frame.policy = &view;
	console_refresh(&desk->console, 1000);
	assert_non_null(strstr(screen_text(desk), "HPA diff"));
	int row = 0, col;
	place_of(desk, "replicas", &row, &col);
	int last = ROWS, n = 0;
	for (int r = row + 1; r < 30 && (last > 0 || n < 2); r++) {
		mouse(desk, MOUSE_RIGHT, r, LEFT);
		assert_true(desk->console.policy.has_cursor);
		assert_true(desk->console.policy.row == last || desk->console.policy.row == last - 1);
		n = desk->console.policy.row == last ? n + 1 : 1;
		last = desk->console.policy.row;
	}
	assert_int_equal(last, 0);
	for (int at = 0; at < view.n_cells; at++)
		view.hpa[at] = -1;
	view.query_id = desk->fake.n_inspected;
	console_refresh(&desk->console, 5000);
	view.query_id = desk->fake.n_inspected;
	console_refresh(&desk->console, 5010);
	assert_null(strstr(screen_text(desk), "HPA diff"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DESK_TEST(a_click_gives_a_pane_the_focus),
		DESK_TEST(a_click_selects_a_row),
		DESK_TEST(a_p95_of_many_digits_keeps_its_mark), DESK_TEST(a_click_on_a_heading_sorts_and_again_reverses),
		DESK_TEST(a_click_on_a_word_of_the_last_row_is_its_key),
		DESK_TEST(a_screen_without_a_key_is_no_button),
		DESK_TEST(dialogs_are_pressed_and_nothing_below_them),
		DESK_TEST(no_single_press_writes_to_a_target),
		DESK_TEST(the_wheel_moves_what_it_is_over),
		DESK_TEST(the_right_button_puts_the_cursor_on_a_graph),
		DESK_TEST(a_press_on_the_policy_map_is_its_cell),
		DESK_TEST(the_right_button_left_of_a_young_history_is_its_start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
