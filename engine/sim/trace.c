/* See trace.h. */
#include "sim/trace.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX_BYTES = 64 << 20 };

typedef struct Reader {
	const char *path;
	int line;
	size_t size;      /* allocated rows */
	double last_t;
	Trace trace;
	Error *err;
} Reader;

static int bad(const Reader *reader, const char *what)
{
	return error_set(reader->err, ERR_INVALID, "%s:%d: %s", reader->path, reader->line, what);
}

static int read_comment(Reader *reader, const char *line)
{
	char key[32], value[64];
	if (sscanf(line, "# %31[^:]: %63[^\n]", key, value) != 2)
		return 0;
	if (!strcmp(key, "name")) {
		str_copy(reader->trace.name, sizeof reader->trace.name, value);
	} else if (!strcmp(key, "peak_rps")) {
		char *end;
		double peak = strtod(value, &end);
		if (end == value || !isfinite(peak) || peak < 0.0)
			return bad(reader, "peak_rps is not a number >= 0");
		reader->trace.peak_rps = peak;
	}
	return 0;
}

static int add_row(Reader *reader, double rate)
{
	double *grown = mem_room(reader->trace.rate, reader->trace.n, &reader->size, sizeof *grown);
	if (!grown)
		return error_set(reader->err, ERR_NOMEM, "%s: out of memory", reader->path);
	reader->trace.rate = grown;
	grown[reader->trace.n++] = rate;
	return 0;
}

static int read_row(Reader *reader, const char *line)
{
	char *end;
	double t = strtod(line, &end);
	if (end == line || *end != ',' || !isfinite(t))
		return bad(reader, "t_s is not a number before a comma");
	const char *second = end + 1;
	double rate = strtod(second, &end);
	if (end == second || !isfinite(rate) || (*end && *end != '\r'))
		return bad(reader, "rps is not a number");
	if (rate < 0.0)
		return bad(reader, "rps is negative");
	Trace *trace = &reader->trace;
	if (trace->n && t <= reader->last_t)
		return bad(reader, "t_s does not rise");
	if (trace->n == 1)
		trace->step_s = t - reader->last_t;
	else if (trace->n > 1 && fabs(t - reader->last_t - trace->step_s) > 1e-6 * trace->step_s)
		return bad(reader, "rows are not evenly spaced: a row is missing, or too many");
	reader->last_t = t;
	return add_row(reader, rate);
}

static int read_lines(Reader *reader, char *text)
{
	bool has_header = false;
	for (char *line = text, *next; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		reader->line++;
		int code = 0;
		if (*line == '#')
			code = read_comment(reader, line);
		else if (!has_header && (has_header = !strncmp(line, "t_s,rps", 7)))
			continue;
		else if (*line && *line != '\r')
			code = read_row(reader, line);
		if (code)
			return code;
	}
	return 0;
}

static int scale_to_peak(Reader *reader)
{
	Trace *trace = &reader->trace;
	double peak = 0.0;
	for (size_t i = 0; i < trace->n; i++)
		peak = fmax(peak, trace->rate[i]);
	if (trace->n < 2)
		return bad(reader, "no rows: at least two `t_s,rps` are needed");
	if (peak <= 0.0)
		return bad(reader, "every rate is 0");
	for (size_t i = 0; i < trace->n; i++)
		trace->rate[i] /= peak;
	return 0;
}

int trace_load(const char *path, Trace *ret_trace, Error *err)
{
	StrBuf text = { 0 };
	Reader reader = { .path = path, .err = err };
	const char *slash = strrchr(path, '/');
	str_copy(reader.trace.name, sizeof reader.trace.name, slash ? slash + 1 : path);
	int code = mem_read_file(path, FILE_MAX_BYTES, &text, err);
	if (!code)
		code = read_lines(&reader, text.data);
	if (!code)
		code = scale_to_peak(&reader);
	strbuf_done(&text);
	if (code)
		trace_done(&reader.trace);
	else
		*ret_trace = reader.trace;
	return code;
}

void trace_done(Trace *trace)
{
	free(trace->rate);
	*trace = (Trace) { 0 };
}

double trace_roughness(const Trace *trace)
{
	double change = 0.0, sum = trace->rate[0];
	for (size_t i = 1; i < trace->n; i++) {
		change += fabs(trace->rate[i] - trace->rate[i - 1]);
		sum += trace->rate[i];
	}
	return change / (double) (trace->n - 1) / (sum / (double) trace->n);
}

double trace_rate(const Trace *trace, double t_s)
{
	double at = fmod(t_s / trace->step_s, (double) trace->n);
	if (at < 0.0)
		at += (double) trace->n;
	size_t i = (size_t) at % trace->n;
	size_t next = i + 1 < trace->n ? i + 1 : 0;
	return trace->rate[i] + (at - floor(at)) * (trace->rate[next] - trace->rate[i]);
}
