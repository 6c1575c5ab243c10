/*
 * Colour: which role each cell of a screen has (tests/golden/looks/NAME.txt, a letter a cell), how each role looks at each depth and
 * theme (tests/golden/looks.txt), and that nothing is told by colour alone. Together with test_tui_paint, which shows that what is sent
 * is the look of a cell's role, these are the screens in 16 and 256 colours, truecolour and none. GOLDEN=rewrite writes them.
 */
#include "tests/fakes/desk.h"
#include "tests/fakes/golden.h"
#include "tui/feed_file.h"
#include "tui/paint.h"
#include "tui/screen_live.h"

#include <curses.h> /* for term.h */
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <term.h>
#include <time.h>

static const struct RoleName {
	char letter;
	const char *name;
} ROLES[ROLE_COUNT] = {
	[ROLE_TEXT] = { '.', "text" }, [ROLE_STRONG] = { 's', "strong" }, [ROLE_LABEL] = { 'l', "label" }, [ROLE_FRAME] = { '-', "frame" },
	[ROLE_FRAME_FOCUS] = { '=', "frame in focus" }, [ROLE_TITLE] = { 't', "title" }, [ROLE_KEY] = { 'k', "key" }, [ROLE_OK] = { 'o', "ok" },
	[ROLE_WARN] = { 'w', "warning" }, [ROLE_BAD] = { 'b', "bad" }, [ROLE_INFO] = { 'i', "information" },
	[ROLE_BADGE_OK] = { 'O', "badge ok" }, [ROLE_BADGE_WARN] = { 'W', "badge warning" }, [ROLE_BADGE_BAD] = { 'B', "badge bad" },
	[ROLE_BADGE_INFO] = { 'I', "badge information" }, [ROLE_SELECTED] = { 'S', "selected" }, [ROLE_INPUT] = { '_', "input" },
	[ROLE_SERIES_A] = { '1', "series A" }, [ROLE_SERIES_B] = { '2', "series B" }, [ROLE_SERIES_C] = { '3', "series C" },
	[ROLE_SERIES_D] = { '4', "series D" }, [ROLE_SERIES_E] = { '5', "series E" }, [ROLE_SERIES_F] = { '6', "series F" },
	[ROLE_SERIES_G] = { '7', "series G" }, [ROLE_SERIES_H] = { '8', "series H" }, [ROLE_FILL_A] = { '!', "area A" },
	[ROLE_FILL_B] = { '"', "area B" }, [ROLE_FILL_C] = { '$', "area C" }, [ROLE_FILL_D] = { '%', "area D" },
	[ROLE_FILL_WARN] = { '^', "area over soft" }, [ROLE_FILL_BAD] = { '~', "area over hard" }, [ROLE_GHOST] = { 'g', "hidden, raw" },
	[ROLE_HEAT_0] = { '(', "heat 0" }, [ROLE_HEAT_0 + 1] = { ')', "heat 1" }, [ROLE_HEAT_0 + 2] = { '[', "heat 2" },
	[ROLE_HEAT_0 + 3] = { ']', "heat 3" }, [ROLE_HEAT_0 + 4] = { '{', "heat 4" }, [ROLE_HEAT_0 + 5] = { '}', "heat 5" },
	[ROLE_HEAT_0 + 6] = { '<', "heat 6" }, [ROLE_HEAT_0 + 7] = { '>', "heat 7" }, [ROLE_HEAT_8] = { '@', "heat 8" },
};

/* ---- roles of screens ---- */

/* A blank that shows nothing is a blank here too. */
static void roles_of(const Canvas *canvas, StrBuf *text)
{
	for (int r = 0; r < canvas->rows; r++) {
		size_t len = text->len;
		for (int c = 0; c < canvas->cols; c++) {
			const Cell *cell = &canvas->cell[r * canvas->cols + c];
			bool shows = cell->ch != ' ' || theme_row((Role) cell->role)->attr & (ATTR_REVERSE | ATTR_UNDERLINE);
			strbuf_addf(text, "%c", shows ? ROLES[cell->role].letter : ' ');
			len = shows ? text->len : len;
		}
		text->len = len;
		strbuf_addf(text, "\n");
	}
}

static const struct {
	const char *name, *feed;
	ScreenId screen;
	const char *keys;
} SCREENS[] = {
	{ "live", "all", SCREEN_LIVE, "" }, { "live_past", "all", SCREEN_LIVE, "jj<" }, { "train", "all", SCREEN_TRAIN, "" },
	{ "runs", "all", SCREEN_RUNS, "jj " }, { "compare", "all", SCREEN_RUNS, "gg  =" }, { "policy", "all", SCREEN_POLICY, "n" },
	{ "targets", "targets", SCREEN_TARGETS, " j" }, { "events", "all", SCREEN_EVENTS, "jj" }, { "help", "all", SCREEN_LIVE, "?" },
	{ "palette", "all", SCREEN_LIVE, ":hold wbe 8\n" }, { "override", "all", SCREEN_LIVE, "o99" },
};

static void screens_have_their_roles(void **state)
{
	(void) state;
	for (size_t i = 0; i < sizeof SCREENS / sizeof *SCREENS; i++) {
		char path[128];
		Feed *feed = NULL;
		Console console;
		StrBuf text = { 0 };
		Error err = { 0 };
		UiOptions opts = { .screen = SCREENS[i].screen };
		(void) snprintf(path, sizeof path, "tests/golden/feeds/%s.ndjson", SCREENS[i].feed);
		assert_int_equal(feed_file_open(path, &feed, &err), 0);
		assert_int_equal(console_init(&console, feed, &opts, GLYPHS_ASCII, 30, 100), 0);
		for (int round = 0; round < 3; round++)
			console_refresh(&console, round);
		console_draw(&console);
		for (const char *key = SCREENS[i].keys; *key; key++) {
			(void) console_key(&console, *key, 10);
			console_refresh(&console, 10);
			console_refresh(&console, 11);
			console_draw(&console);
		}
		roles_of(&console.canvas, &text);
		(void) snprintf(path, sizeof path, "tests/golden/looks/%s.txt", SCREENS[i].name);
		golden_expect(path, &text);
		console_done(&console);
		feed_free(feed);
		strbuf_done(&text);
	}
}

/* ---- looks of roles ---- */

static const char *readable(const char *bytes, char *text, size_t size)
{
	size_t len = 0;
	for (const char *c = bytes; *c && len + 2 < size; c++)
		text[len++] = *c == '\033' ? '^' : *c;
	text[len] = '\0';
	return text;
}

static void add_look(StrBuf *text, Role role, ColorMode depth, Theme theme)
{
	Paint paint;
	char look[LOOK_BYTES];
	paint_init(&paint, depth, theme);
	strbuf_addf(text, " %-18s", readable(paint.look[role].all, look, sizeof look));
	paint_done(&paint);
}

/* A terminal with direct colour takes the number itself. */
static void add_true_look(StrBuf *text, Role role, Theme theme)
{
	Paint paint;
	char attr[8] = "";
	int color = theme_color(role, COLOR_TRUE, theme), ink = theme_ink(role, COLOR_TRUE);
	paint_init(&paint, COLOR_TRUE, theme);
	for (size_t i = 0; i < 4; i++)
		if (paint.look[role].attr & 1 << i)
			(void) snprintf(attr + strlen(attr), sizeof attr - strlen(attr), "%c", "bdru"[i]);
	paint_done(&paint);
	if (color < 0)
		strbuf_addf(text, " -       %-8s", attr);
	else if (ink < 0)
		strbuf_addf(text, " #%06X %-8s", (unsigned) color, attr);
	else
		strbuf_addf(text, " #%06X/%-8X", (unsigned) color, (unsigned) ink);
}

static void roles_have_their_looks_at_each_depth(void **state)
{
	(void) state;
	int problem;
	StrBuf text = { 0 };
	if (setupterm("xterm-256color", 1, &problem) != OK)
		fail_msg("terminfo has no xterm-256color");
	strbuf_addf(&text, "  role              theme  16 colours         256 colours        truecolour        none\n");
	for (int role = 0; role < ROLE_COUNT; role++)
		for (int theme = THEME_DARK; theme <= THEME_LIGHT; theme++) {
			strbuf_addf(&text, "%c %-17s %-6s", ROLES[role].letter, ROLES[role].name, theme == THEME_LIGHT ? "light" : "dark");
			add_look(&text, (Role) role, COLOR_16, (Theme) theme);
			add_look(&text, (Role) role, COLOR_256, (Theme) theme);
			add_true_look(&text, (Role) role, (Theme) theme);
			add_look(&text, (Role) role, COLOR_NEVER, (Theme) theme);
			while (text.data[text.len - 1] == ' ')
				text.len--;
			strbuf_addf(&text, "\n");
		}
	golden_expect("tests/golden/looks.txt", &text);
	strbuf_done(&text);
}

/* ---- without colour ---- */

/* The screen's text as often as there are states: no two alike. */
static void expect_all_differ(char **text, int n, const char *what)
{
	for (int i = 0; i < n; i++)
		for (int k = i + 1; k < n; k++)
			if (strcmp(text[i], text[k]) == 0)
				fail_msg("%s %d and %d look alike:\n%s", what, i, k, text[i]);
	for (int i = 0; i < n; i++)
		free(text[i]);
}

static char *text_of(Desk *desk)
{
	console_refresh(&desk->console, 1000);
	return strdup(screen_text(desk));
}

static void states_of_a_target_are_told_by_text(void **state)
{
	Desk *desk = *state;
	char *text[STATE_COUNT], *in_table[STATE_COUNT];
	const LiveView *targets[] = { &desk->live };
	desk->fake.frame.target = targets;
	desk->fake.frame.n_targets = 1;
	start(desk, SCREEN_LIVE, false);
	for (int s = 0; s < STATE_COUNT; s++) {
		desk->live.state = (TargetState) s;
		press(desk, '1');
		text[s] = text_of(desk);
		press(desk, '6');
		in_table[s] = text_of(desk);
	}
	expect_all_differ(text, STATE_COUNT, "Live: state");
	expect_all_differ(in_table, STATE_COUNT, "Targets: state");
}

static void health_and_alarms_are_told_by_text(void **state)
{
	Desk *desk = *state;
	enum { N = 7 };
	char *text[N], *in_table[N];
	const LiveView *targets[] = { &desk->live }, well = desk->live;
	desk->fake.frame.target = targets;
	desk->fake.frame.n_targets = 1;
	start(desk, SCREEN_LIVE, false);
	for (int i = 0; i < N; i++) {
		LiveView *live = &desk->live;
		*live = well;
		switch (i) {
		case 1: live->last.sample.latency_ms = 300; break;                  /* over soft */
		case 2: live->last.sample.latency_ms = 700; break;                  /* over hard */
		case 3: live->last.sample.valid &= ~(uint32_t) SAMPLE_LATENCY; break;
		case 4: live->metrics.is_ok = false; break;
		case 5: live->api.is_ok = false; break;
		case 6: live->model.is_known = live->model.is_ok = false; break;
		default: break;
		}
		live->row[0] = live->last;
		press(desk, '1');
		text[i] = text_of(desk);
		press(desk, '6');
		in_table[i] = text_of(desk);
	}
	assert_non_null(strstr(text[1], "! over soft"));
	assert_non_null(strstr(text[2], "!! over hard"));
	expect_all_differ(text, N, "Live: health");
	expect_all_differ(in_table, N, "Targets: health");
}

static void phases_of_training_are_told_by_text(void **state)
{
	Desk *desk = *state;
	char *text[TRAIN_FAILED + 1];
	start(desk, SCREEN_TRAIN, false);
	for (int p = 0; p <= TRAIN_FAILED; p++) {
		desk->train.phase = (TrainPhase) p;
		text[p] = text_of(desk);
	}
	expect_all_differ(text, TRAIN_FAILED + 1, "Train: phase");
}

/* What the focus, a selection, a mark, a frozen picture, read-only mode and a layer are is told by text too. */
static void what_is_chosen_is_told_by_text(void **state)
{
	Desk *desk = *state;
	enum { N = 8 };
	char *text[N];
	int n = 0;
	start(desk, SCREEN_LIVE, false);
	for (int pane = 0; pane < 4; pane++) { /* the focus goes round */
		text[n++] = text_of(desk);
		press(desk, KEY_TAB_);
	}
	press(desk, 'o');
	for (int i = 0; i < 3; i++) { /* a dialog's buttons and choices */
		text[n++] = text_of(desk);
		press(desk, KEY_TAB_);
	}
	press(desk, KEY_ESC);
	press(desk, 'f');
	text[n++] = text_of(desk);
	expect_all_differ(text, n, "Live: what is chosen,");
}

static void events_tell_their_level_by_text(void **state)
{
	Desk *desk = *state;
	char *text[EVENT_LEVELS];
	desk->fake.has_store = true;
	start(desk, SCREEN_EVENTS, false);
	for (int level = 0; level < EVENT_LEVELS; level++) {
		desk->answer = (ArchiveAnswer) { .ask = ARCHIVE_LOG, .query_id = desk->console.talk.asked_id, .n_events = 1,
			.event = { { .wall_ms = 1, .level = (EventLevel) level, .source = "web", .text = "x" } } };
		desk->fake.frame.archive = &desk->answer;
		console_refresh(&desk->console, 3000 * (level + 1));
		text[level] = strdup(screen_text(desk));
		console_refresh(&desk->console, 3000 * (level + 1) + 2500); /* asks again */
	}
	expect_all_differ(text, EVENT_LEVELS, "Events: level");
}

int main(void)
{
	(void) setlocale(LC_CTYPE, "C.UTF-8");
	(void) setenv("TZ", "UTC", 1);
	tzset();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(screens_have_their_roles),
		cmocka_unit_test(roles_have_their_looks_at_each_depth),
		DESK_TEST(states_of_a_target_are_told_by_text),
		DESK_TEST(health_and_alarms_are_told_by_text),
		DESK_TEST(phases_of_training_are_told_by_text),
		DESK_TEST(what_is_chosen_is_told_by_text),
		DESK_TEST(events_tell_their_level_by_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
