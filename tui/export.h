/* What is shown, as a file. */
#ifndef MAESTRO_TUI_EXPORT_H
#define MAESTRO_TUI_EXPORT_H

#include "tui/console.h"

/*
 * Writes the screen to console->export_path, in the form that its extension names, and says so: .json the views and answers
 * behind it, .csv, .tsv and .md its table with all columns (:cols chooses), anything else the screen as text.
 */
void export_shown(Console *console);

/* The same into memory; ERR_NOT_FOUND: the screen has no table. ERR_NOMEM. */
int export_text(const Console *console, const char *path, StrBuf *text);

#endif
