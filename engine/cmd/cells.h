/*
 * Stored rows on stdout: as JSON objects, CSV lines, padded text.
 *
 * Row functions answer 0, ERR_NOMEM, or ERR_CLOSED once stdout takes no more (errno says why), which ends the query.
 */
#ifndef MAESTRO_CMD_CELLS_H
#define MAESTRO_CMD_CELLS_H

#include "base/json.h"
#include "storage/runs.h"

/* 0, or ERR_CLOSED after a failed write to stdout. */
int cells_written(void);

/* RFC 3339. */
void cells_add_time(Json *to, const char *key, int64_t wall_ms);
/* A stored JSON text as the value that it is; a string where it is none. */
void cells_add_json(Json *to, const char *key, const char *text);
/* Prints the object and frees it; without_end leaves the closing brace to the caller. */
int cells_print_object(Json *object, bool without_end);

/* RunCellFn: a row as an object. context is a const char *: what to print before it, "," afterwards. */
int cells_print_json(void *context, const RunCell *cell, size_t n);
/* RunCellFn: a row, quoted as RFC 4180 does and ended by LF, behind the columns' names while the bool in context is
 * true. */
int cells_print_csv(void *context, const RunCell *cell, size_t n);

/* A cell as text: for programs (exact, NULL is empty) or for people (six digits, NULL is "-"). text is room for it, at
 * least CLOCK_TEXT bytes. */
const char *cells_text(const RunCell *cell, bool is_exact, char *text, size_t size);
/* Text in at least `width` columns; what would steer a terminal is printed as '?'. */
void cells_print_padded(const char *text, int width);

#endif
