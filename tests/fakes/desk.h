/* A console over a fake feed, its keys pressed and its screen read: the fixture of the tests of the console. */
#ifndef MAESTRO_TESTS_DESK_H
#define MAESTRO_TESTS_DESK_H

#include "tests/fakes/fake_feed.h"
#include "tests/fakes/views.h"
#include "tui/console.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

typedef struct Desk {
	TrainView train;
	LiveView live;
	ArchiveAnswer answer;
	FakeFeed fake;
	Console console;
	StrBuf text;
} Desk;

static inline int open_desk(void **state)
{
	Desk *desk = calloc(1, sizeof *desk);
	if (!desk)
		return -1;
	views_fill_train(&desk->train, .5);
	views_fill_live(&desk->live, 120);
	desk->live.last.sample.replicas = 4;
	desk->live.last.decision.is_applied = false;
	fake_feed_init(&desk->fake, &desk->train, &desk->live);
	*state = desk;
	return 0;
}

static inline void start(Desk *desk, ScreenId screen, bool is_readonly)
{
	UiOptions opts = { .screen = screen, .who = "alice", .is_readonly = is_readonly };
	assert_int_equal(console_init(&desk->console, &desk->fake.feed, &opts, GLYPHS_ASCII, 30, 100), 0);
	console_draw(&desk->console);
}

static inline int close_desk(void **state)
{
	Desk *desk = *state;
	console_done(&desk->console);
	assert_int_equal(desk->fake.lent, 0); /* every frame was given back */
	strbuf_done(&desk->text);
	free(desk);
	return 0;
}

static inline ConsoleResult press(Desk *desk, int key)
{
	ConsoleResult result = console_key(&desk->console, key, 1000);
	console_draw(&desk->console);
	return result;
}

static inline void type(Desk *desk, const char *text)
{
	while (*text)
		(void) press(desk, *text++);
}

static inline const char *screen_text(Desk *desk)
{
	strbuf_clear(&desk->text);
	console_draw(&desk->console);
	canvas_to_text(&desk->console.canvas, &desk->text);
	return desk->text.data;
}

/* Tab until the button has the focus. */
static inline void focus_on(Desk *desk, int field)
{
	for (int i = 0; i < 20 && desk->console.dialog.focus != field; i++)
		(void) press(desk, KEY_TAB_);
	assert_int_equal(desk->console.dialog.focus, field);
}

#define DESK_TEST(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)

#endif
