/* Where panes go, and which key means what. */
#include "tui/keys.h"
#include "tui/layout.h"
#include "tui/screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static Layout lay_out(ScreenId id, int rows, int cols, int focus, bool zoom)
{
	Layout layout;
	const ScreenOps *ops = screen_ops(id);
	layout_compute(ops->pane, ops->n_panes, rows, cols, focus, zoom, &layout);
	return layout;
}

static void panes_stay_inside_and_do_not_overlap(void **state)
{
	(void) state;
	for (int id = 0; id < SCREEN_COUNT; id++) {
		const ScreenOps *ops = screen_ops((ScreenId) id);
		for (int rows = 1; rows <= 70; rows += 3) {
			for (int cols = 1; cols <= 240; cols += 7) {
				Layout layout = lay_out((ScreenId) id, rows, cols, 0, false);
				unsigned char used[70][240] = { { 0 } };
				for (int i = 0; i < ops->n_panes; i++) {
					Rect p = layout.pane[i];
					for (int r = 0; r < p.rows; r++) {
						for (int c = 0; c < p.cols; c++) {
							assert_in_range(p.row + r, 1, rows - 2);
							assert_in_range(p.col + c, 0, cols - 1);
							assert_int_equal(used[p.row + r][p.col + c]++, 0);
						}
					}
				}
			}
		}
	}
}

static void a_pane_without_room_is_a_tab_of_its_neighbour(void **state)
{
	(void) state;
	enum { OPTIONS = 3, FRONTIER = 4 };
	const ScreenOps *ops = screen_ops(SCREEN_COMPARE);
	Layout wide = lay_out(SCREEN_COMPARE, 30, 100, OPTIONS, false), narrow = lay_out(SCREEN_COMPARE, 24, 80, OPTIONS, false);
	assert_true(wide.pane[OPTIONS].rows && wide.pane[FRONTIER].rows);
	assert_true(narrow.pane[OPTIONS].rows && !narrow.pane[FRONTIER].rows);
	assert_int_equal(layout_next(ops->pane, ops->n_panes, &narrow, 1), FRONTIER);
	Layout other = lay_out(SCREEN_COMPARE, 24, 80, FRONTIER, false);
	assert_memory_equal(&other.pane[FRONTIER], &narrow.pane[OPTIONS], sizeof(Rect));
	assert_int_equal(other.pane[OPTIONS].rows, 0);
	assert_int_equal(layout_next(ops->pane, ops->n_panes, &other, -1), OPTIONS); /* and back */
}

static void grid_uses_every_row(void **state)
{
	(void) state;
	static const int SIZES[][2] = { { 24, 80 }, { 30, 100 }, { 40, 120 }, { 60, 200 } };
	for (int id = 0; id < SCREEN_COUNT; id++) {
		for (size_t s = 0; s < sizeof SIZES / sizeof *SIZES; s++) {
			Layout layout = lay_out((ScreenId) id, SIZES[s][0], SIZES[s][1], 0, false);
			int last = 0;
			for (int i = 0; i < screen_ops((ScreenId) id)->n_panes; i++)
				if (layout.pane[i].rows && layout.pane[i].row + layout.pane[i].rows > last)
					last = layout.pane[i].row + layout.pane[i].rows;
			assert_int_equal(last, SIZES[s][0] - 1);
		}
	}
}

static void no_pane_is_smaller_than_its_least_height(void **state)
{
	(void) state;
	for (int id = 0; id < SCREEN_COUNT; id++) {
		const ScreenOps *ops = screen_ops((ScreenId) id);
		for (int rows = 24; rows <= 60; rows++) {
			Layout layout = lay_out((ScreenId) id, rows, 100, 0, false);
			for (int i = 0; i < ops->n_panes; i++)
				if (layout.pane[i].rows)
					assert_true(layout.pane[i].rows >= ops->pane[i].min_rows);
		}
	}
}

static void class_follows_size(void **state)
{
	(void) state;
	static const struct { int rows, cols; LayoutClass want; } CASES[] = {
		{ 15, 100, LAYOUT_COLUMN }, { 30, 59, LAYOUT_COLUMN }, { 1, 1, LAYOUT_COLUMN }, { 16, 60, LAYOUT_SINGLE },
		{ 23, 100, LAYOUT_SINGLE }, { 30, 79, LAYOUT_SINGLE }, { 24, 80, LAYOUT_GRID }, { 60, 200, LAYOUT_GRID },
	};
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
		assert_int_equal(lay_out(SCREEN_LIVE, CASES[i].rows, CASES[i].cols, 0, false).class_, CASES[i].want);
}

static void zoom_gives_the_focused_pane_everything(void **state)
{
	(void) state;
	Layout layout = lay_out(SCREEN_TRAIN, 30, 100, 1, true);
	assert_int_equal(layout.focus, 1);
	assert_int_equal(layout.pane[1].rows, 28);
	assert_int_equal(layout.pane[1].cols, 100);
	assert_int_equal(layout.pane[0].rows, 0);
}

static void tab_visits_every_pane_that_is_shown_once(void **state)
{
	(void) state;
	for (int id = 0; id < SCREEN_COUNT; id++) {
		const ScreenOps *ops = screen_ops((ScreenId) id);
		Layout layout = lay_out((ScreenId) id, 60, 200, 0, false);
		bool seen[PANES_MAX] = { false };
		int at = layout.focus, n = 0;
		do {
			assert_false(seen[at]);
			seen[at] = true;
			n++;
			layout.focus = at;
			at = layout_next(ops->pane, ops->n_panes, &layout, 1);
		} while (!seen[at]);
		for (int i = 0; i < ops->n_panes; i++)
			assert_int_equal(seen[i], !ops->pane[i].is_bare);
		assert_true(n > 1 || ops->n_panes == 1);
	}
}

/* ---- keys ---- */

static void no_key_means_two_things_on_a_screen(void **state)
{
	(void) state;
	size_t n;
	const KeyRow *table = keys_table(&n);
	for (size_t i = 0; i < n; i++)
		for (size_t k = i + 1; k < n; k++)
			if (table[i].key == table[k].key)
				assert_int_equal(table[i].screens & table[k].screens, 0);
}

static void every_listed_key_has_its_help(void **state)
{
	(void) state;
	size_t n;
	const KeyRow *table = keys_table(&n);
	for (size_t i = 0; i < n; i++) {
		assert_true(table[i].action != ACT_NONE);
		if (table[i].id) {
			assert_non_null(table[i].help);
		} else { /* another name of the action above */
			assert_true(i > 0);
			assert_int_equal(table[i].action, table[i - 1].action);
		}
	}
}

static void no_write_is_on_a_control_chord(void **state)
{
	(void) state;
	size_t n;
	const KeyRow *table = keys_table(&n);
	for (size_t i = 0; i < n; i++)
		if (table[i].is_write)
			assert_true(table[i].key > ' ' && table[i].key < 0x110000);
}

static void readonly_takes_the_writing_keys_away(void **state)
{
	(void) state;
	Keymap keymap;
	keys_default(&keymap);
	assert_non_null(keys_find(&keymap, 'o', SCREEN_LIVE, false));
	assert_null(keys_find(&keymap, 'o', SCREEN_LIVE, true));
	assert_null(keys_find(&keymap, 'p', SCREEN_TRAIN, true));
	assert_non_null(keys_find(&keymap, 'q', SCREEN_TRAIN, true));
	assert_null(keys_find(&keymap, 'o', SCREEN_TRAIN, false)); /* of another screen */
}

static void every_row_has_a_name_of_its_own(void **state)
{
	(void) state;
	size_t n;
	const KeyRow *table = keys_table(&n);
	char a[48], b[48];
	for (size_t i = 0; i < n; i++) {
		for (size_t k = i + 1; k < n && table[i].id; k++) {
			if (!table[k].id)
				continue;
			keys_full_id(&table[i], a, sizeof a);
			keys_full_id(&table[k], b, sizeof b);
			assert_string_not_equal(a, b);
		}
	}
}

static int load(const char *text, Keymap *keymap, StrBuf *problems)
{
	Error err = { 0 };
	keys_default(keymap);
	strbuf_clear(problems);
	return keys_load(text, strlen(text), keymap, problems, &err);
}

static void keys_file_changes_keys(void **state)
{
	(void) state;
	Keymap keymap;
	StrBuf problems = { 0 };
	assert_int_equal(load("live.override = O\nlive.longer: null\nall.help: K\n", &keymap, &problems), 0);
	assert_int_equal(keys_find(&keymap, 'O', SCREEN_LIVE, false)->action, ACT_LIVE_OVERRIDE);
	assert_null(keys_find(&keymap, 'o', SCREEN_LIVE, false));
	assert_null(keys_find(&keymap, '-', SCREEN_LIVE, false));
	assert_int_equal(keys_find(&keymap, 'K', SCREEN_RUNS, false)->action, ACT_HELP);
	/* two that change places */
	assert_int_equal(load("train.learning-rate = h\ntrain.entropy = l\n", &keymap, &problems), 0);
	assert_int_equal(keys_find(&keymap, 'h', SCREEN_TRAIN, false)->action, ACT_TRAIN_LR);
	assert_int_equal(keys_find(&keymap, 'l', SCREEN_TRAIN, false)->action, ACT_TRAIN_ENT);
	strbuf_done(&problems);
}

static void bad_keys_file_names_the_line_and_keeps_the_default(void **state)
{
	(void) state;
	Keymap keymap;
	StrBuf problems = { 0 };
	assert_int_equal(load("# mine\nlive.override = z\nlive.overide = x\nruns.delete = Ctrl-D\ntrain.pause: Hyper-9\n", &keymap,
	                      &problems), 4);
	assert_non_null(strstr(problems.data, "line 2: live.override: the key is all.zoom's"));
	assert_non_null(strstr(problems.data, "line 3: live.overide: there is no such name"));
	assert_non_null(strstr(problems.data, "line 4: runs.delete: an action that writes is not put on Ctrl"));
	assert_non_null(strstr(problems.data, "line 5: train.pause: no such key"));
	Keymap plain;
	keys_default(&plain);
	assert_memory_equal(&plain, &keymap, sizeof plain);
	assert_true(load("- a list\n", &keymap, &problems) < 0);
	strbuf_done(&problems);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(panes_stay_inside_and_do_not_overlap),
		cmocka_unit_test(a_pane_without_room_is_a_tab_of_its_neighbour),
		cmocka_unit_test(grid_uses_every_row),
		cmocka_unit_test(no_pane_is_smaller_than_its_least_height),
		cmocka_unit_test(class_follows_size),
		cmocka_unit_test(zoom_gives_the_focused_pane_everything),
		cmocka_unit_test(tab_visits_every_pane_that_is_shown_once),
		cmocka_unit_test(no_key_means_two_things_on_a_screen),
		cmocka_unit_test(every_listed_key_has_its_help),
		cmocka_unit_test(no_write_is_on_a_control_chord),
		cmocka_unit_test(readonly_takes_the_writing_keys_away),
		cmocka_unit_test(every_row_has_a_name_of_its_own),
		cmocka_unit_test(keys_file_changes_keys),
		cmocka_unit_test(bad_keys_file_names_the_line_and_keeps_the_default),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
