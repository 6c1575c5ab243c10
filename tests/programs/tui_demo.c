/*
 * The console over a recording: for screenshots and for looking at it without a worker.
 *   tui_demo FILE [screen=train] [glyphs=ascii] [color=256] [readonly] [text=24x80]
 */
#include "tui/feed_file.h"
#include "tui/ui.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int print_text(Feed *feed, const UiOptions *opts, const char *size)
{
	int rows = atoi(size), cols = strchr(size, 'x') ? atoi(strchr(size, 'x') + 1) : 80;
	StrBuf text = { 0 };
	int code = ui_render_text(feed, opts->screen, rows, cols, &text);
	if (!code)
		(void) fwrite(text.data, 1, text.len, stdout);
	strbuf_done(&text);
	return code;
}

int main(int argc, char **argv)
{
	UiOptions opts = { .who = "demo" };
	const char *text_size = NULL;
	Feed *feed = NULL;
	Error err = { 0 };
	if (argc < 2)
		return 2;
	int code = feed_file_open(argv[1], &feed, &err);
	for (int i = 2; i < argc && !code; i++) {
		char *value = strchr(argv[i], '=');
		if (strcmp(argv[i], "readonly") == 0)
			opts.is_readonly = true;
		else if (strncmp(argv[i], "text=", 5) == 0)
			text_size = value + 1;
		else if (value) {
			*value = '\0';
			code = ui_option_set(&opts, argv[i], value + 1, &err);
		}
	}
	if (!code && text_size)
		code = print_text(feed, &opts, text_size);
	else if (!code && !ui_can_run())
		code = error_set(&err, ERR_IO, "no terminal");
	else if (!code)
		code = ui_run(feed, &opts, &err);
	feed_free(feed);
	if (code < 0)
		(void) fprintf(stderr, "tui_demo: %s\n", err.text[0] ? err.text : err_text(code));
	return code < 0 ? err_exit_status(code) : code;
}
