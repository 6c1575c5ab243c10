/*
 * The console for a screen reader: no alternate screen, no boxes, no graphs. A numbered menu on stdin; the chosen screen as
 * lines, then one line a change, in an order that does not move.
 */
#ifndef MAESTRO_TUI_PLAIN_H
#define MAESTRO_TUI_PLAIN_H

#include "tui/ui.h"

/* Until q or the end of stdin; a UiResult, or ERR_*. */
int ui_run_plain(Feed *feed, const UiOptions *opts, Error *err);

/* One screen on stdout in the form of a file that :export writes: "txt", "json" (the views and answers behind it, an object a line),
 * "csv", "tsv" or "md". ERR_NOT_FOUND, ERR_NOMEM. */
int ui_print(Feed *feed, const UiOptions *opts, const char *form, Error *err);

#endif
