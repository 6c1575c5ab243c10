/* The table of err.h, read in three ways. */
#include "base/err.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

typedef struct ErrRow {
	const char *text;
	int exit_status;
} ErrRow;

static const ErrRow TABLE[ERR_ORD_COUNT] = {
	{ "ok", 0 },
#define ERR_ROW(name, text, exit_status) { text, exit_status },
	ERR_TABLE(ERR_ROW)
#undef ERR_ROW
};

static const ErrRow *row(int code)
{
	return code <= 0 && code > -ERR_ORD_COUNT ? &TABLE[-code] : &TABLE[ERR_ORD_FAILED];
}

const char *err_text(int code)
{
	return row(code)->text;
}

int err_exit_status(int code)
{
	return row(code)->exit_status;
}

int (error_set)(Error *err, int code, const char *format, ...) /* in parentheses: `make analyze` has a macro of its name */
{
	if (!err)
		return code;
	char text[sizeof err->text]; /* apart, since an argument may be err->text itself */
	va_list args;
	va_start(args, format);
	(void) vsnprintf(text, sizeof text, format, args);
	va_end(args);
	utf8_make_plain(text); /* a server's words go to a terminal */
	*err = (Error) { .code = code, .http_status = err->http_status };
	(void) snprintf(err->text, sizeof err->text, "%s", text);
	return code;
}
