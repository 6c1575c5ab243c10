/* See cells.h. */
#include "cmd/cells.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int cells_written(void)
{
	return ferror(stdout) ? ERR_CLOSED : 0;
}

void cells_add_time(Json *to, const char *key, int64_t wall_ms)
{
	char text[CLOCK_TEXT];
	clock_format(wall_ms, text);
	json_add_string(to, key, text);
}

void cells_add_json(Json *to, const char *key, const char *text)
{
	Json *value;
	if (json_parse(text, strlen(text), &value, NULL))
		json_add_string(to, key, text);
	else
		json_add(to, key, value);
}

int cells_print_object(Json *object, bool without_end)
{
	char *text = json_print(object);
	json_free(object);
	if (!text)
		return ERR_NOMEM;
	(void) fwrite(text, 1, strlen(text) - without_end, stdout);
	free(text);
	return cells_written();
}

int cells_print_json(void *context, const RunCell *cell, size_t n)
{
	const char **separator = context;
	Json *row = json_new_object();
	for (size_t i = 0; i < n; i++) {
		const RunCell *c = &cell[i];
		switch (c->kind) {
		case CELL_NULL: json_add_null(row, c->name); break;
		case CELL_INT: json_add_int(row, c->name, c->integer); break;
		case CELL_REAL: json_add_number(row, c->name, c->real); break;
		case CELL_BOOL: json_add_bool(row, c->name, c->integer != 0); break;
		case CELL_TIME: cells_add_time(row, c->name, c->integer); break;
		case CELL_TEXT: json_add_string(row, c->name, c->text); break;
		case CELL_JSON: cells_add_json(row, c->name, c->text); break;
		}
	}
	(void) fputs(*separator, stdout);
	*separator = ",";
	return cells_print_object(row, false);
}

/* Exact: the shortest text that reads back as the value. */
static void format_real(double value, bool is_exact, char *text, size_t size)
{
	(void) snprintf(text, size, is_exact ? "%.15g" : "%.6g", value);
	if (is_exact && (strtod(text, NULL) < value || strtod(text, NULL) > value))
		(void) snprintf(text, size, "%.17g", value);
}

const char *cells_text(const RunCell *cell, bool is_exact, char *text, size_t size)
{
	const char *unknown = is_exact ? "" : "-";
	switch (cell->kind) {
	case CELL_NULL: return unknown;
	case CELL_INT: (void) snprintf(text, size, "%lld", (long long) cell->integer); return text;
	case CELL_REAL: format_real(cell->real, is_exact, text, size); return text;
	case CELL_BOOL: return cell->integer ? "true" : "false";
	case CELL_TIME: clock_format(cell->integer, text); return text;
	case CELL_TEXT:
	case CELL_JSON: return cell->text;
	}
	return unknown;
}

static void print_csv_field(const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		(void) fputs(text, stdout);
		return;
	}
	(void) putchar('"');
	for (; *text; text++) {
		if (*text == '"')
			(void) putchar('"');
		(void) putchar(*text);
	}
	(void) putchar('"');
}

int cells_print_csv(void *context, const RunCell *cell, size_t n)
{
	bool *is_first = context;
	char text[CLOCK_TEXT];
	for (size_t i = 0; *is_first && i < n; i++)
		printf("%s%s", cell[i].name, i + 1 < n ? "," : "\n");
	*is_first = false;
	for (size_t i = 0; i < n; i++) {
		print_csv_field(cells_text(&cell[i], true, text, sizeof text));
		(void) fputs(i + 1 < n ? "," : "\n", stdout);
	}
	return cells_written();
}

void cells_print_padded(const char *text, int width)
{
	char *plain = strdup(text);
	if (plain)
		utf8_make_plain(plain);
	for (const char *at = plain ? plain : ""; *at; width--) /* a UTF-8 character counts once */
		(void) utf8_take(&at);
	(void) printf("%s%*s", plain ? plain : "", width > 0 ? width : 0, "");
	free(plain);
}
