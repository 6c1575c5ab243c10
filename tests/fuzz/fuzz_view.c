/* A target's view as a console that is attached gets it from somewhere, read and drawn. */
#include "base/json.h"
#include "base/shape.h"
#include "base/view.h"
#include "../fakes/fake_feed.h"
#include "fuzz.h"
#include "tui/ui.h"

#include <stdlib.h>

static void draw(const LiveView *view)
{
	FakeFeed fake;
	StrBuf text = { 0 };
	fake_feed_init(&fake, NULL, view);
	(void) ui_render_text(&fake.feed, SCREEN_LIVE, 30, 100, &text);
	strbuf_done(&text);
}

void fuzz_view(const char *bytes, size_t len)
{
	Json *root = NULL;
	LiveView *view = calloc(1, sizeof *view);
	if (!view)
		abort();
	if (!json_parse(bytes, len, &root, NULL)) {
		shape_read(&shape_live, view, root);
		if (view->n_rows < 0 || view->n_rows > VIEW_ROWS || view->n_history < 0 || view->n_history > VIEW_HISTORY ||
		    view->answers.n < 0 || view->answers.n > VIEW_ANSWERS || (unsigned) view->state >= STATE_COUNT)
			abort();
		draw(view);
	}
	json_free(root);
	free(view);
}

void seed_view(StrBuf *to)
{
	LiveView *view = calloc(1, sizeof *view);
	Json *root = json_new_object();
	if (!view)
		abort();
	view->n_rows = 2;
	view->n_history = 2;
	shape_write(&shape_live, view, root);
	char *text = json_print(root);
	if (text)
		strbuf_addf(to, "%s", text);
	free(text);
	json_free(root);
	free(view);
}
