/* The data of a fit: rows in memory, and as a CSV file. See fit.h. */
#include "sim/fit.h"

#include "base/mem.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX_BYTES = 256 << 20, COLUMNS = 16 + FIT_BOUNDS };

static const struct {
	const char *name;
	size_t offset;
} FIELD[] = {
	{ "t_s", offsetof(FitRow, t_s) }, { "rps", offsetof(FitRow, rps) }, { "error_rps", offsetof(FitRow, error_rps) },
	{ "cpu_cores", offsetof(FitRow, cpu_cores) }, { "ready", offsetof(FitRow, ready) },
	{ "mem_bytes", offsetof(FitRow, mem_bytes) }, { "restarts", offsetof(FitRow, restarts) },
};
static const struct {
	const char *name;
	size_t offset;
} TOLD[] = {
	{ "scrape_interval_s", offsetof(FitData, scrape_interval_s) }, { "cpu_limit", offsetof(FitData, cpu_limit) },
	{ "cpu_request", offsetof(FitData, cpu_request) }, { "mem_limit_bytes", offsetof(FitData, mem_limit_bytes) },
};
enum { FIELDS = sizeof FIELD / sizeof *FIELD, TOLDS = sizeof TOLD / sizeof *TOLD };

void fit_data_init(FitData *data)
{
	*data = (FitData) { .scrape_interval_s = NAN, .cpu_limit = NAN, .cpu_request = NAN, .mem_limit_bytes = NAN };
}

void fit_data_done(FitData *data)
{
	free(data->row);
	free(data->start);
	fit_data_init(data);
}

FitRow *fit_data_add(FitData *data, double t_s)
{
	FitRow *row = mem_room(data->row, data->n, &data->size, sizeof *row);
	if (!row)
		return NULL;
	data->row = row;
	row += data->n++;
	for (size_t i = 0; i < sizeof *row / sizeof(double); i++)
		((double *) (void *) row)[i] = NAN;
	row->t_s = t_s;
	return row;
}

int fit_data_add_start(FitData *data, const FitStart *start)
{
	FitStart *grown = mem_room(data->start, data->n_starts, &data->starts_size, sizeof *grown);
	if (!grown)
		return ERR_NOMEM;
	data->start = grown;
	grown[data->n_starts++] = *start;
	return 0;
}

/* ---- reading ---- */

typedef struct Reader {
	const char *path;
	int line;
	FitData *data;
	size_t column[COLUMNS]; /* offsets into FitRow */
	char name[COLUMNS][20];
	size_t n_columns;
	Error *err;
} Reader;

__attribute__((format(printf, 2, 3))) static int bad(const Reader *reader, const char *format, ...)
{
	char what[160];
	va_list args;
	va_start(args, format);
	(void) vsnprintf(what, sizeof what, format, args);
	va_end(args);
	return error_set(reader->err, ERR_INVALID, "%.80s:%d: %s", reader->path, reader->line, what);
}

/* A number up to a comma or the end, where it leaves *at; an empty one is NAN. False: no number, or a negative one. */
static bool take_number(const char **at, double *ret)
{
	char *end;
	*ret = NAN;
	if (!**at || **at == ',')
		return true;
	*ret = strtod(*at, &end);
	if (end == *at || !(*ret >= 0.0) || isinf(*ret) || (*end && *end != ','))
		return false;
	*at = end;
	return true;
}

static bool take_comma(const char **at)
{
	return *(*at)++ == ',';
}

static int read_comment(Reader *reader, const char *line)
{
	char key[32];
	int len = 0;
	if (sscanf(line, "# %31[^:\n]: %n", key, &len) != 1 || !len)
		return 0;
	const char *at = line + len;
	if (!strcmp(key, "pod")) {
		FitStart start;
		if (!take_number(&at, &start.created_s) || !take_comma(&at) || !take_number(&at, &start.scheduled_s) ||
		    !take_comma(&at) || !take_number(&at, &start.running_s) || !take_comma(&at) ||
		    !take_number(&at, &start.ready_s) || *at)
			return bad(reader, "pod: not four times");
		return fit_data_add_start(reader->data, &start) ? error_set(reader->err, ERR_NOMEM, "out of memory") : 0;
	}
	for (int i = 0; i < TOLDS; i++)
		if (!strcmp(TOLD[i].name, key) &&
		    (!take_number(&at, (double *) (void *) ((char *) reader->data + TOLD[i].offset)) || *at))
			return bad(reader, "%s is not a number >= 0", key);
	return 0;
}

/* le_5, le_0.5, le_inf: bounds in rising order, the infinite one last. */
static int add_bound(Reader *reader, const char *name)
{
	FitData *data = reader->data;
	char *end;
	double bound = strtod(name, &end);
	size_t place = data->n_bounds;
	bool has_all = reader->n_columns > 0 && reader->column[reader->n_columns - 1] == offsetof(FitRow, within[FIT_BOUNDS]);
	if (end == name || *end || !(bound > 0.0) || has_all || (place && bound <= data->bound_ms[place - 1]))
		return bad(reader, "column le_%s: bounds must rise", name);
	if (isinf(bound)) {
		reader->column[reader->n_columns++] = offsetof(FitRow, within[FIT_BOUNDS]); /* moved when all bounds are known */
		return 0;
	}
	if (place == FIT_BOUNDS)
		return bad(reader, "more than %d bounds", FIT_BOUNDS);
	data->bound_ms[data->n_bounds++] = bound;
	reader->column[reader->n_columns++] = offsetof(FitRow, within) + place * sizeof(double);
	return 0;
}

static int add_column(Reader *reader, const char *name)
{
	if (reader->n_columns == COLUMNS)
		return bad(reader, "more than %d columns", COLUMNS);
	str_copy(reader->name[reader->n_columns], sizeof reader->name[0], name);
	if (!strncmp(name, "le_", 3))
		return add_bound(reader, name + 3);
	for (int i = 0; i < FIELDS; i++)
		if (!strcmp(FIELD[i].name, name)) {
			for (size_t c = 0; c < reader->n_columns; c++)
				if (reader->column[c] == FIELD[i].offset)
					return bad(reader, "column \"%.40s\" is there twice", name);
			reader->column[reader->n_columns++] = FIELD[i].offset;
			return 0;
		}
	return bad(reader, "unknown column \"%.40s\"", name);
}

static int read_header(Reader *reader, char *line)
{
	for (char *name = line; name;) {
		char *comma = strchr(name, ',');
		if (comma)
			*comma = '\0';
		int code = add_column(reader, name);
		if (code)
			return code;
		name = comma ? comma + 1 : NULL;
	}
	for (size_t i = 0; i < reader->n_columns; i++)
		if (reader->column[i] == offsetof(FitRow, t_s))
			return 0;
	return bad(reader, "no column t_s");
}

static int check_row(const Reader *reader, const FitRow *row)
{
	const FitData *data = reader->data;
	if (isnan(row->t_s))
		return bad(reader, "t_s is empty");
	double before = 0.0;
	for (size_t b = 0; b <= data->n_bounds; b++) {
		if (row->within[b] < before * (1.0 - 1e-6) - 1e-9)
			return bad(reader, "the counts fall with the bound");
		before = isnan(row->within[b]) ? before : row->within[b];
	}
	if (data->n < 2)
		return 0;
	double step = row->t_s - data->row[data->n - 2].t_s;
	if (!(step > 0.0))
		return bad(reader, "t_s does not rise");
	if (data->n > 2 && fabs(step - (data->row[1].t_s - data->row[0].t_s)) > 1e-6 * step)
		return bad(reader, "rows are not evenly spaced: a row is missing, or too many");
	return 0;
}

static int read_row(Reader *reader, const char *line)
{
	FitRow *row = fit_data_add(reader->data, NAN);
	if (!row)
		return error_set(reader->err, ERR_NOMEM, "out of memory");
	const char *at = line;
	for (size_t i = 0; i < reader->n_columns; i++) {
		if (i && !take_comma(&at))
			return bad(reader, "%zu columns, must be %zu", i, reader->n_columns);
		if (!take_number(&at, (double *) (void *) ((char *) row + reader->column[i])))
			return bad(reader, "column %zu (%s) is not a number >= 0", i + 1, reader->name[i]);
	}
	if (*at)
		return bad(reader, "more than %zu columns", reader->n_columns);
	row->within[reader->data->n_bounds] = row->within[FIT_BOUNDS];
	return check_row(reader, row);
}

static int read_lines(Reader *reader, char *text)
{
	bool has_header = false;
	for (char *line = text, *next; line && *line; line = next) {
		int code = 0;
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		line[strcspn(line, "\r")] = '\0';
		reader->line++;
		if (*line == '#') {
			code = read_comment(reader, line);
		} else if (*line && !has_header) {
			has_header = true;
			code = read_header(reader, line);
		} else if (*line) {
			code = read_row(reader, line);
		}
		if (code)
			return code;
	}
	return reader->data->n < 2 ? bad(reader, "no rows: at least two are needed") : 0;
}

int fit_data_parse(char *text, const char *path, FitData *data, Error *err)
{
	Reader reader = { .path = path, .data = data, .err = err };
	int code = read_lines(&reader, text);
	if (!code)
		data->step_s = data->row[1].t_s - data->row[0].t_s;
	return code;
}

int fit_data_read(const char *path, FitData *data, Error *err)
{
	StrBuf text = { 0 };
	int code = mem_read_file(path, FILE_MAX_BYTES, &text, err);
	if (!code)
		code = fit_data_parse(text.data, path, data, err);
	strbuf_done(&text);
	return code;
}

/* ---- writing ---- */

static void print_number(StrBuf *to, double value, const char *after)
{
	if (isnan(value))
		strbuf_addf(to, "%s", after);
	else
		strbuf_addf(to, "%.9g%s", value, after);
}

static void print_head(const FitData *data, StrBuf *to)
{
	strbuf_addf(to, "# What maestro fit reads: rates are a second over the interval that ends at t_s; le_N within N ms; empty: unknown.\n");
	for (int i = 0; i < TOLDS; i++) {
		double value = *(const double *) (const void *) ((const char *) data + TOLD[i].offset);
		if (!isnan(value))
			strbuf_addf(to, "# %s: %.9g\n", TOLD[i].name, value);
	}
	for (size_t i = 0; i < data->n_starts; i++) {
		const FitStart *start = &data->start[i];
		strbuf_addf(to, "# pod: ");
		print_number(to, start->created_s, ",");
		print_number(to, start->scheduled_s, ",");
		print_number(to, start->running_s, ",");
		print_number(to, start->ready_s, "\n");
	}
	for (int i = 0; i < FIELDS; i++)
		strbuf_addf(to, "%s,", FIELD[i].name);
	for (size_t b = 0; b < data->n_bounds; b++)
		strbuf_addf(to, "le_%g,", data->bound_ms[b]);
	strbuf_addf(to, "le_inf\n");
}

int fit_data_write(const FitData *data, const char *path, Error *err)
{
	StrBuf text = { 0 };
	print_head(data, &text);
	for (size_t i = 0; i < data->n && !text.failed; i++) {
		const FitRow *row = &data->row[i];
		for (int f = 0; f < FIELDS; f++) {
			double value = *(const double *) (const void *) ((const char *) row + FIELD[f].offset);
			if (f == 0)
				strbuf_addf(&text, "%.3f,", value);
			else
				print_number(&text, value, ",");
		}
		for (size_t b = 0; b <= data->n_bounds; b++)
			print_number(&text, row->within[b], b < data->n_bounds ? "," : "\n");
	}
	int code = text.failed ? error_set(err, ERR_NOMEM, "out of memory") : mem_write_file(path, text.data, text.len, err);
	strbuf_done(&text);
	return code;
}
