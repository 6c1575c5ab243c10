/* See export.h. */
#include "tui/export.h"

#include "tui/feed_file.h"

#include <stdio.h>
#include <string.h>

typedef struct Writer {
	StrBuf *text;
	bool is_csv;
	bool is_tabs;
	bool has_any;
} Writer;

/* RFC 4180 quotes what it must; a Markdown cell must not hold its own bar. */
static void add_cell(Writer *w, const char *cell)
{
	bool is_quoted = w->is_csv && !w->is_tabs && strpbrk(cell, ",\"\n") != NULL;
	strbuf_addf(w->text, "%s", is_quoted ? "\"" : "");
	for (const char *c = cell; *c; c++) {
		if (*c == '"' && is_quoted)
			strbuf_add(w->text, "\"\"", 2);
		else if (*c == '|' && !w->is_csv)
			strbuf_add(w->text, "\\|", 2);
		else
			strbuf_add(w->text, c, 1);
	}
	strbuf_addf(w->text, "%s", is_quoted ? "\"" : "");
}

static void add_separator(Writer *w, int i, int n)
{
	if (w->is_tabs)
		strbuf_addf(w->text, "%s", i < n ? i ? "\t" : "" : "\n");
	else if (w->is_csv)
		strbuf_addf(w->text, "%s", i < n ? i ? "," : "" : "\n");
	else
		strbuf_addf(w->text, "%s", i < n ? i ? " | " : "| " : " |\n");
}

static const char *trimmed(char *text)
{
	size_t len = strlen(text);
	while (len && text[len - 1] == ' ')
		text[--len] = '\0';
	return text + strspn(text, " ");
}

static void write_table(void *context, const Column *column, int n_columns, const void *data, int n_rows)
{
	Writer *w = context;
	char cell[CELL_TEXT];
	w->has_any = true;
	for (int r = w->is_csv ? -1 : -2; r < n_rows; r++) {
		for (int c = 0; c < n_columns; c++) {
			add_separator(w, c, n_columns);
			cell[0] = '\0';
			if (r < 0) /* the heading, and in Markdown the line below it */
				(void) snprintf(cell, sizeof cell, "%s", r == -1 && !w->is_csv ? column[c].is_right ? "--:" : "---"
				                : column[c].title[0] ? column[c].title : "mark");
			else
				(void) column[c].cell(data, r, cell, sizeof cell);
			add_cell(w, trimmed(cell));
		}
		add_separator(w, n_columns, n_columns);
	}
}

static bool ends_with(const char *path, const char *end)
{
	size_t len = strlen(path), n = strlen(end);
	return len > n && !strcmp(path + len - n, end);
}

static int add_json(const Console *console, StrBuf *text)
{
	FeedFrame frame = console->frame;
	frame.archive = NULL;
	int code = feed_record(&frame, text);
	for (int i = 0; i < SLOT_COUNT && !code; i++) {
		const ArchiveAnswer *answer = talk_answer(&console->talk, (SlotId) i);
		if (answer)
			code = feed_record(&(FeedFrame) { .archive = answer, .wall_ms = frame.wall_ms }, text);
	}
	return code;
}

int export_text(const Console *console, const char *path, StrBuf *text)
{
	bool is_tabs = ends_with(path, ".tsv");
	Writer w = { text, is_tabs || ends_with(path, ".csv"), is_tabs, false };
	const ScreenOps *ops = screen_ops(console->screen);
	if (ends_with(path, ".json"))
		return add_json(console, text);
	if (w.is_csv || ends_with(path, ".md")) {
		if (ops->table)
			ops->table(console, write_table, &w);
		return !w.has_any ? ERR_NOT_FOUND : text->failed ? ERR_NOMEM : 0;
	}
	canvas_to_text(&console->canvas, text);
	return text->failed ? ERR_NOMEM : 0;
}

void export_shown(Console *console)
{
	StrBuf text = { 0 };
	Error err = { 0 };
	char said[200];
	console_draw(console); /* without the prompt */
	int code = export_text(console, console->export_path, &text);
	if (code)
		(void) error_set(&err, code, code == ERR_NOT_FOUND ? "%s has no table to write; .txt and .json do" : "%s: out of memory",
		                 screen_ops(console->screen)->name);
	else
		code = mem_write_file(console->export_path, text.data, text.len, &err);
	(void) snprintf(said, sizeof said, code ? "export: %.150s" : "written to %.150s", code ? err.text : console->export_path);
	console_say(console, code ? ROLE_BAD : ROLE_OK, said);
	strbuf_done(&text);
}
