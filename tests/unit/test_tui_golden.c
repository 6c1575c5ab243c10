/*
 * Golden screens: recorded feeds drawn as text and compared with the files of tests/golden. With GOLDEN=rewrite in the
 * environment they are written instead; the diff is then reviewed like code.
 */
#include "tests/fakes/fake_feed.h"
#include "tests/fakes/golden.h"
#include "tests/fakes/views.h"
#include "tui/console.h"
#include "tui/feed_file.h"
#include "tui/ui.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

typedef struct Golden {
	const char *name, *feed;
	ScreenId screen;
	GlyphMode glyphs;
	int rows, cols;
	const char *keys; /* pressed before */
} Golden;

static const Golden GOLDENS[] = {
	{ "train_16x60", "all", SCREEN_TRAIN, GLYPHS_ASCII, 16, 60, "" },
	{ "train_24x80", "all", SCREEN_TRAIN, GLYPHS_ASCII, 24, 80, "" },
	{ "train_30x100", "all", SCREEN_TRAIN, GLYPHS_ASCII, 30, 100, "" },
	{ "train_60x200", "all", SCREEN_TRAIN, GLYPHS_ASCII, 60, 200, "" },
	{ "train_30x100_braille", "all", SCREEN_TRAIN, GLYPHS_BRAILLE, 30, 100, "" },
	{ "train_30x100_block", "all", SCREEN_TRAIN, GLYPHS_BLOCK, 30, 100, "" },
	{ "train_12x40", "all", SCREEN_TRAIN, GLYPHS_ASCII, 12, 40, "" },
	{ "train_start", "start", SCREEN_TRAIN, GLYPHS_ASCII, 30, 100, "" },
	{ "live_16x60", "all", SCREEN_LIVE, GLYPHS_ASCII, 16, 60, "" },
	{ "live_24x80", "all", SCREEN_LIVE, GLYPHS_ASCII, 24, 80, "" },
	{ "live_30x100", "all", SCREEN_LIVE, GLYPHS_ASCII, 30, 100, "" },
	{ "live_60x200", "all", SCREEN_LIVE, GLYPHS_ASCII, 60, 200, "" },
	{ "live_30x100_braille", "all", SCREEN_LIVE, GLYPHS_BRAILLE, 30, 100, "" },
	{ "live_12x40", "all", SCREEN_LIVE, GLYPHS_ASCII, 12, 40, "" },
	{ "live_start", "start", SCREEN_LIVE, GLYPHS_ASCII, 30, 100, "" },
	{ "live_zoomed", "all", SCREEN_LIVE, GLYPHS_ASCII, 30, 100, "\t\tz" },
	{ "live_past", "all", SCREEN_LIVE, GLYPHS_ASCII, 30, 100, "jj<" },
	{ "runs_16x60", "all", SCREEN_RUNS, GLYPHS_ASCII, 16, 60, "" },
	{ "runs_24x80", "all", SCREEN_RUNS, GLYPHS_ASCII, 24, 80, "" },
	{ "runs_30x100", "all", SCREEN_RUNS, GLYPHS_ASCII, 30, 100, "jj" },
	{ "runs_control", "all", SCREEN_RUNS, GLYPHS_ASCII, 30, 100, "jjj" },
	{ "runs_open", "all", SCREEN_RUNS, GLYPHS_ASCII, 30, 100, "jj\n" },
	{ "runs_60x200", "all", SCREEN_RUNS, GLYPHS_ASCII, 60, 200, "" },
	{ "compare_16x60", "all", SCREEN_RUNS, GLYPHS_ASCII, 16, 60, "gg  =" },
	{ "compare_24x80", "all", SCREEN_RUNS, GLYPHS_ASCII, 24, 80, "gg  =" },
	{ "compare_30x100", "all", SCREEN_RUNS, GLYPHS_ASCII, 30, 100, "gg  =" },
	{ "compare_60x200", "all", SCREEN_RUNS, GLYPHS_ASCII, 60, 200, "gg  =" },
	{ "compare_30x100_braille", "all", SCREEN_RUNS, GLYPHS_BRAILLE, 30, 100, "gg  =" },
	{ "events_16x60", "all", SCREEN_EVENTS, GLYPHS_ASCII, 16, 60, "" },
	{ "events_24x80", "all", SCREEN_EVENTS, GLYPHS_ASCII, 24, 80, "jj" },
	{ "events_30x100", "all", SCREEN_EVENTS, GLYPHS_ASCII, 30, 100, "l" },
	{ "events_60x200", "all", SCREEN_EVENTS, GLYPHS_ASCII, 60, 200, "" },
	{ "targets_16x60", "targets", SCREEN_TARGETS, GLYPHS_ASCII, 16, 60, "" },
	{ "targets_24x80", "targets", SCREEN_TARGETS, GLYPHS_ASCII, 24, 80, " j " },
	{ "targets_30x100", "targets", SCREEN_TARGETS, GLYPHS_ASCII, 30, 100, "" },
	{ "targets_60x200", "targets", SCREEN_TARGETS, GLYPHS_ASCII, 60, 200, "" },
	{ "targets_bulk", "targets", SCREEN_TARGETS, GLYPHS_ASCII, 30, 100, " j o8" },
	{ "policy_16x60", "all", SCREEN_POLICY, GLYPHS_ASCII, 16, 60, "" },
	{ "policy_24x80", "all", SCREEN_POLICY, GLYPHS_ASCII, 24, 80, "" },
	{ "policy_30x100", "all", SCREEN_POLICY, GLYPHS_ASCII, 30, 100, "n" },
	{ "policy_60x200", "all", SCREEN_POLICY, GLYPHS_ASCII, 60, 200, "h" },
	{ "runs_30x100_braille", "all", SCREEN_RUNS, GLYPHS_BRAILLE, 30, 100, "" },
	{ "events_30x100_braille", "all", SCREEN_EVENTS, GLYPHS_BRAILLE, 30, 100, "" },
	{ "targets_30x100_braille", "targets", SCREEN_TARGETS, GLYPHS_BRAILLE, 30, 100, "" },
	{ "policy_30x100_braille", "all", SCREEN_POLICY, GLYPHS_BRAILLE, 30, 100, "" },
	{ "override_braille", "all", SCREEN_LIVE, GLYPHS_BRAILLE, 30, 100, "o2" },
	{ "palette", "all", SCREEN_LIVE, GLYPHS_ASCII, 30, 100, ":hol" },
	{ "override", "all", SCREEN_LIVE, GLYPHS_ASCII, 24, 80, "o2" },
	{ "help", "all", SCREEN_LIVE, GLYPHS_ASCII, 30, 100, "?" },
};

static void screens_look_as_recorded(void **state)
{
	(void) state;
	for (size_t i = 0; i < sizeof GOLDENS / sizeof *GOLDENS; i++) {
		const Golden *golden = &GOLDENS[i];
		char path[128];
		Feed *feed = NULL;
		Console console;
		StrBuf text = { 0 };
		UiOptions opts = { .screen = golden->screen };
		Error err = { 0 };
		(void) snprintf(path, sizeof path, "tests/golden/feeds/%s.ndjson", golden->feed);
		assert_int_equal(feed_file_open(path, &feed, &err), 0);
		assert_int_equal(console_init(&console, feed, &opts, golden->glyphs, golden->rows, golden->cols), 0);
		for (int round = 0; round < 3; round++) /* the store's list, then the run */
			console_refresh(&console, round);
		console_draw(&console);
		for (const char *key = golden->keys; *key; key++) {
			(void) console_key(&console, *key, 10);
			console_refresh(&console, 10);
			console_refresh(&console, 11);
			console_draw(&console);
		}
		canvas_to_text(&console.canvas, &text);
		(void) snprintf(path, sizeof path, "tests/golden/%s.txt", golden->name);
		golden_expect(path, &text);
		console_done(&console);
		feed_free(feed);
		strbuf_done(&text);
	}
}

static void recording_gives_back_what_was_recorded(void **state)
{
	(void) state;
	static TrainView train;
	static LiveView live;
	char path[] = "/tmp/maestro-feed-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	views_fill_train(&train, .3);
	views_fill_live(&live, 90);
	StrBuf lines = { 0 };
	Error err = { 0 };
	assert_int_equal(feed_record(&(FeedFrame) { .train = &train, .live = &live, .wall_ms = 77 }, &lines), 0);
	assert_int_equal(mem_write_file(path, lines.data, lines.len, &err), 0);
	Feed *feed = NULL;
	assert_int_equal(feed_file_open(path, &feed, &err), 0);
	FeedFrame frame;
	assert_int_equal(feed->ops->next(feed, &frame), 0);
	assert_int_equal(frame.wall_ms, 77);
	StrBuf again = { 0 };
	assert_int_equal(feed_record(&frame, &again), 0);
	assert_string_equal(again.data, lines.data);
	assert_int_equal(frame.train->n_points, train.n_points);
	assert_memory_equal(frame.live->history, live.history, sizeof live.history[0] * 10);
	int64_t id;
	assert_int_equal(feed->ops->send(feed, &(Command) { 0 }, &id), ERR_REFUSED);
	feed->ops->release(feed, &frame);
	feed_free(feed);
	strbuf_done(&again);
	strbuf_done(&lines);
	(void) remove(path);
}

static void hostile_recording_stays_within_its_arrays(void **state)
{
	(void) state;
	char path[] = "/tmp/maestro-feed-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	static const char TEXT[] = "{\"train\":{\"phase\":77,\"n_points\":99999,\"n_evals\":-5,"
	                           "\"last_eval\":{\"n\":70000,\"replicas\":[1,2]}},"
	                           "\"live\":{\"state\":-3,\"state_reason\":4000000000,\"last\":{\"decision\":{\"reason\":99}},\"n_rows\":4000,\"n_history\":1e9,\"target\":[1]}}\n";
	Error err = { 0 };
	Feed *feed = NULL;
	assert_int_equal(mem_write_file(path, TEXT, sizeof TEXT - 1, &err), 0);
	assert_int_equal(feed_file_open(path, &feed, &err), 0);
	FeedFrame frame;
	assert_int_equal(feed->ops->next(feed, &frame), 0);
	assert_int_equal(frame.train->n_points, VIEW_POINTS);
	assert_int_equal(frame.train->n_evals, 0);
	assert_int_equal(frame.train->last_eval.n, EPISODE_STEPS_MAX);
	assert_int_equal(frame.live->n_rows, VIEW_ROWS);
	assert_int_equal(frame.train->phase, TRAIN_STARTING);
	assert_int_equal(frame.live->state, 0);
	assert_int_equal(frame.live->state_reason, REASON_NONE);
	assert_int_equal(frame.live->last.decision.reason, REASON_NONE);
	feed_free(feed);
	assert_int_equal(mem_write_file(path, "{}\n{\"train\":", 12, &err), 0);
	assert_int_equal(feed_file_open(path, &feed, &err), ERR_PARSE);
	assert_non_null(strstr(err.text, "line 2"));
	(void) remove(path);
}

/* Numbers that no interval, speed or time of ours has: the screen is drawn all the same, with its words. */
static void a_view_may_say_anything(void **state)
{
	(void) state;
	static const int64_t FAR_MS = INT64_C(1) << 53; /* as far as JSON goes */
	const struct { float interval_s; double speed; int64_t first_ms, wall_ms; } ODD[] = {
		{ 3e38f, 1, 0, 0 }, { -3e38f, 1, 0, 0 }, { NAN, NAN, 0, 0 }, { 1e-30f, 1e300, 0, 0 }, { INFINITY, INFINITY, FAR_MS, -FAR_MS },
		{ 15, 1e300, -FAR_MS, FAR_MS }, { 15, -1, FAR_MS, 0 },
	};
	LiveView *live = calloc(1, sizeof *live);
	assert_non_null(live);
	for (size_t i = 0; i < sizeof ODD / sizeof *ODD; i++) {
		FakeFeed fake;
		StrBuf text = { 0 };
		views_fill_live(live, 200);
		live->interval_s = ODD[i].interval_s;
		live->speed = ODD[i].speed;
		live->history[0].wall_ms = ODD[i].first_ms;
		live->wall_ms = ODD[i].wall_ms;
		fake_feed_init(&fake, NULL, live);
		assert_int_equal(ui_render_text(&fake.feed, SCREEN_LIVE, 60, 200, &text), 0);
		assert_non_null(strstr(text.data, "HPA would set"));
		strbuf_done(&text);
	}
	free(live);
}

/* An older program wrote it: figures that it did not know are unknown, not 0. */
static void figures_that_a_recording_lacks_are_unknown(void **state)
{
	(void) state;
	static const char TEXT[] = "{\"archive\":{\"ask\":2,\"n_compared\":1,\"compared\":[{\"n_points\":2,\"reward\":[7]}]}}\n";
	char path[] = "/tmp/maestro-feed-XXXXXX";
	assert_true(mkstemp(path) >= 0);
	Error err = { 0 };
	Feed *feed = NULL;
	FeedFrame frame;
	int64_t id;
	assert_int_equal(mem_write_file(path, TEXT, sizeof TEXT - 1, &err), 0);
	assert_int_equal(feed_file_open(path, &feed, &err), 0);
	assert_int_equal(feed->ops->ask(feed, &(ArchiveQuery) { .ask = ARCHIVE_PAIR }, &id), 0);
	assert_int_equal(feed->ops->next(feed, &frame), 0);
	const CompareRun *run = &frame.archive->compared[0];
	assert_true(run->reward[0] == 7 && isnan(run->reward[1]));
	assert_true(isnan(run->episode[0].pod_hours) && isnan(run->episode[1].v_pct));
	feed->ops->release(feed, &frame);
	feed_free(feed);
	(void) remove(path);
}

int main(void)
{
	(void) setlocale(LC_CTYPE, "C.UTF-8");
	(void) setenv("TZ", "UTC", 1);
	tzset();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(screens_look_as_recorded),
		cmocka_unit_test(recording_gives_back_what_was_recorded),
		cmocka_unit_test(figures_that_a_recording_lacks_are_unknown),
		cmocka_unit_test(hostile_recording_stays_within_its_arrays),
		cmocka_unit_test(a_view_may_say_anything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
