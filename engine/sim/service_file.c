/* See service_file.h. Reading goes by three tables of keys: the parameters, the words of the top, the numbers of `fit`. */
#include "sim/service_file.h"

#include "base/yaml.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FILE_MAX_BYTES = 1 << 20 };

static const char FORMAT[] = "maestro-service/1";
const char *const SIM_BALANCE_NAME[] = { "random", "rr", "least", NULL };

static const struct {
	const char *name, *help;
	size_t offset;
} NUMBER[] = {
#define NUMBER_ROW(field, help) { #field, help, offsetof(ServiceFit, field) }
	NUMBER_ROW(window_s, "s of data"),
	NUMBER_ROW(interval_s, "s each"),
	NUMBER_ROW(intervals, "that could be used"),
	NUMBER_ROW(held_out, "of them not used for the fit, for the errors below"),
	NUMBER_ROW(requests, "seen"),
	NUMBER_ROW(dispersion, "of latencies over what the model explains; 1: all of it"),
	NUMBER_ROW(p50_error, "median relative error of an interval's median latency"),
	NUMBER_ROW(p95_error, "the same of its p95"),
	NUMBER_ROW(p95_error_p90, "one interval in ten is beyond"),
	NUMBER_ROW(cpu_error, "median relative error of an interval's cpu"),
	NUMBER_ROW(p50_chance, "of p50_error, what the fitted service's own intervals have: they hold few requests"),
	NUMBER_ROW(p95_chance, "of p95_error"),
	NUMBER_ROW(cpu_chance, "of cpu_error"),
};
enum { NUMBERS = sizeof NUMBER / sizeof *NUMBER };

void service_file_default(ServiceFile *file)
{
	*file = (ServiceFile) { .balance = SIM_RANDOM };
	service_default(&file->service);
	for (int i = 0; i < FIT_KEYS; i++)
		file->fit.standard_error[i] = NAN;
	for (int i = 0; i < NUMBERS; i++)
		*(double *) (void *) ((char *) &file->fit + NUMBER[i].offset) = NAN;
}

static const char *key_name(int key)
{
	return key == FIT_BALANCE ? "lb" : SERVICE_PARAMETER[key].name;
}

static int find_key(const char *name)
{
	return strcmp(name, "lb") ? service_find(name) : FIT_BALANCE;
}

/* ---- reading ---- */

typedef struct Reader {
	const char *text, *path;
	size_t len;
	ServiceFile *file;
	Error *err;
} Reader;

/* "FILE:LINE: KEY: what" */
__attribute__((format(printf, 3, 4))) static int bad(const Reader *reader, const char *key, const char *format, ...)
{
	char what[160];
	va_list args;
	va_start(args, format);
	(void) vsnprintf(what, sizeof what, format, args);
	va_end(args);
	return error_set(reader->err, ERR_INVALID, "%.60s:%zu: %s: %s", reader->path,
	                 yaml_line_of(reader->text, reader->len, key), key, what);
}

static int read_number(const Reader *reader, const Json *value, const char *path, double min, double max, const char *unit,
                       double *ret)
{
	double number;
	if (!json_number(value, &number))
		return bad(reader, path, "not a number");
	if (!(number >= min && number <= max))
		return bad(reader, path, "%g%s%s, must be %g to %g", number, *unit ? " " : "", unit, min, max);
	*ret = number;
	return 0;
}

static int read_balance(const Reader *reader, const Json *value)
{
	const char *word = json_string(value);
	for (int i = 0; word && SIM_BALANCE_NAME[i]; i++)
		if (!strcmp(SIM_BALANCE_NAME[i], word)) {
			reader->file->balance = (SimBalance) i;
			return 0;
		}
	return bad(reader, "lb", "must be random, rr or least");
}

/* Of an object, whose items all have keys. */
static int check_twice(const Reader *reader, const Json *object, const char *prefix)
{
	for (const Json *a = json_first(object); a; a = json_next(a))
		for (const Json *b = json_next(a); b; b = json_next(b))
			if (!strcmp(json_key(a), json_key(b))) {
				char path[128];
				(void) snprintf(path, sizeof path, "%s%.80s", prefix, json_key(a));
				return bad(reader, path, "is there twice");
			}
	return 0;
}

static int read_errors(const Reader *reader, const Json *object)
{
	if (!json_is_object(object) && !json_is_null(object))
		return bad(reader, "fit.standard_error", "must be a list of KEY: NUMBER");
	int code = check_twice(reader, object, "fit.standard_error.");
	for (const Json *item = json_first(object); item && !code; item = json_next(item)) {
		char path[128];
		int key = find_key(json_key(item));
		(void) snprintf(path, sizeof path, "fit.standard_error.%.80s", json_key(item));
		if (key < 0)
			return bad(reader, path, "unknown parameter");
		code = read_number(reader, item, path, 0.0, 1e15, "", &reader->file->fit.standard_error[key]);
		reader->file->fit.source[key] = FIT_ESTIMATED;
	}
	return code;
}

/* A list of parameters' names, all of one source. */
static int read_names(const Reader *reader, const Json *list, const char *path, FitOrigin source)
{
	if (!json_is_array(list))
		return bad(reader, path, "must be a list of parameters");
	for (const Json *item = json_first(list); item; item = json_next(item)) {
		int key = json_string(item) ? find_key(json_string(item)) : -1;
		if (key < 0)
			return bad(reader, path, "unknown parameter \"%.60s\"", json_string(item) ? json_string(item) : "?");
		reader->file->fit.source[key] = source;
	}
	return 0;
}

static int read_fit_number(const Reader *reader, const Json *item)
{
	char path[128];
	(void) snprintf(path, sizeof path, "fit.%.80s", json_key(item));
	for (int i = 0; i < NUMBERS; i++)
		if (!strcmp(NUMBER[i].name, json_key(item)))
			return json_is_null(item) ? 0 : read_number(reader, item, path, 0.0, 1e18, "",
				(double *) (void *) ((char *) &reader->file->fit + NUMBER[i].offset));
	return bad(reader, path, "unknown key");
}

static int read_fit(const Reader *reader, const Json *fit)
{
	if (!json_is_object(fit))
		return bad(reader, "fit", "must be a list of KEY: VALUE");
	int code = check_twice(reader, fit, "fit.");
	reader->file->fit.is_there = true;
	for (const Json *item = json_first(fit); item && !code; item = json_next(item)) {
		const char *key = json_key(item);
		if (!strcmp(key, "standard_error"))
			code = read_errors(reader, item);
		else if (!strcmp(key, "unidentified"))
			code = read_names(reader, item, "fit.unidentified", FIT_UNIDENTIFIED);
		else if (!strcmp(key, "told_by_the_cluster"))
			code = read_names(reader, item, "fit.told_by_the_cluster", FIT_READ);
		else
			code = read_fit_number(reader, item);
	}
	return code;
}

static int read_key(const Reader *reader, const Json *item)
{
	const char *key = json_key(item), *word = json_string(item);
	int parameter = service_find(key);
	if (parameter >= 0) {
		const ServiceParameter *row = &SERVICE_PARAMETER[parameter];
		return read_number(reader, item, key, row->min, row->max, row->unit, service_at(&reader->file->service, parameter));
	}
	if (!strcmp(key, "lb"))
		return read_balance(reader, item);
	if (!strcmp(key, "fit"))
		return read_fit(reader, item);
	if (!strcmp(key, "format"))
		return word && !strcmp(word, FORMAT) ? 0 : bad(reader, key, "must be %s", FORMAT);
	if (strcmp(key, "name"))
		return bad(reader, key, "unknown key");
	if (!word)
		return bad(reader, key, "must be a word");
	str_copy(reader->file->name, sizeof reader->file->name, word);
	return 0;
}

int service_file_parse(const char *text, size_t len, const char *path, ServiceFile *ret, Error *err)
{
	ServiceFile file;
	const Reader reader = { .text = text, .path = path, .len = len, .file = &file, .err = err };
	Json *root = NULL;
	Error cause = { 0 };
	service_file_default(&file);
	str_copy(file.name, sizeof file.name, strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
	int code = yaml_parse(text, len, &root, &cause);
	if (code)
		return error_set(err, code, "%.80s: %s", path, cause.text);
	if (!json_is_object(root))
		code = error_set(err, ERR_INVALID, "%.80s:1: not a list of KEY: VALUE", path);
	if (!code)
		code = check_twice(&reader, root, "");
	for (const Json *item = json_first(root); item && !code; item = json_next(item))
		code = read_key(&reader, item);
	if (!code && service_check(&file.service, &cause)) /* what single bounds do not say */
		code = error_set(err, ERR_INVALID, "%.80s: %s", path, cause.text);
	json_free(root);
	if (!code)
		*ret = file;
	return code;
}

int service_file_read(const char *path, ServiceFile *ret, Error *err)
{
	StrBuf text = { 0 };
	int code = mem_read_file(path, FILE_MAX_BYTES, &text, err);
	if (!code)
		code = service_file_parse(text.data ? text.data : "", text.len, path, ret, err);
	strbuf_done(&text);
	return code;
}

/* ---- use ---- */

/* In tenths of a second, which a sub-step is at least. */
static int64_t common_divisor(int64_t a, int64_t b)
{
	while (b) {
		int64_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

bool service_file_apply(const ServiceFile *file, SimConfig *sim)
{
	int64_t interval = llround(10.0 * (double) sim->interval_s), scrape = llround(10.0 * file->service.scrape_interval);
	int64_t whole = common_divisor(interval, scrape), parts = 1;
	while (parts < whole && ((double) whole / (double) parts > 10.0 * (double) sim->substep_s + 1e-6 || whole % parts))
		parts++;
	sim->service = file->service;
	sim->substep_s = (float) ((double) whole / (double) parts / 10.0);
	bool is_able = sim->level == SIM_REQUEST || file->balance == SIM_RANDOM;
	sim->balance = is_able ? file->balance : SIM_RANDOM;
	return is_able && (sim->level == SIM_REQUEST || file->service.keepalive_conns <= 0.0);
}

/* ---- writing ---- */

static void print_string(StrBuf *to, const char *text)
{
	strbuf_addf(to, "\"");
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			strbuf_addf(to, "\\");
		strbuf_addf(to, "%c", (unsigned char) *text < ' ' ? '?' : *text);
	}
	strbuf_addf(to, "\"");
}

/* "0.0203", padded with "# CPU s; mean CPU demand of a request; standard error 0.0004" */
static void print_parameter(StrBuf *to, const ServiceFile *file, int key)
{
	static const char *const SOURCE[] = { "", "", "; told by the cluster", "; NOT IDENTIFIED by the data: the default" };
	const ServiceFit *fit = &file->fit;
	char value[80];
	if (key == FIT_BALANCE) {
		(void) snprintf(value, sizeof value, "lb: %s", SIM_BALANCE_NAME[file->balance]);
		strbuf_addf(to, "%-32s # of requests over pods: random, rr or least", value);
	} else {
		const ServiceParameter *row = &SERVICE_PARAMETER[key];
		const char *value_of = (const char *) &file->service + row->offset;
		(void) snprintf(value, sizeof value, "%s: %.10g", row->name, *(const double *) (const void *) value_of);
		strbuf_addf(to, "%-32s # %s%s%s", value, row->unit, *row->unit ? "; " : "", row->help);
	}
	if (fit->is_there)
		strbuf_addf(to, "%s", SOURCE[fit->source[key]]);
	if (fit->is_there && !isnan(fit->standard_error[key]))
		strbuf_addf(to, "; standard error %.3g", fit->standard_error[key]);
	strbuf_addf(to, "\n");
}

static void print_names(StrBuf *to, const ServiceFit *fit, const char *key, FitOrigin source)
{
	bool is_first = true;
	strbuf_addf(to, "  %s: [", key);
	for (int i = 0; i < FIT_KEYS; i++)
		if (fit->source[i] == source) {
			strbuf_addf(to, "%s%s", is_first ? "" : ", ", key_name(i));
			is_first = false;
		}
	strbuf_addf(to, "]\n");
}

static void print_fit(StrBuf *to, const ServiceFit *fit)
{
	strbuf_addf(to, "\n# What the estimation says. Relative errors are of single intervals that it had not seen.\nfit:\n");
	for (int i = 0; i < NUMBERS; i++) {
		double value = *(const double *) (const void *) ((const char *) fit + NUMBER[i].offset);
		char text[80];
		(void) snprintf(text, sizeof text, isnan(value) ? "%s: null" : "%s: %.6g", NUMBER[i].name, value);
		strbuf_addf(to, "  %-30s # %s\n", text, NUMBER[i].help);
	}
	print_names(to, fit, "unidentified", FIT_UNIDENTIFIED);
	print_names(to, fit, "told_by_the_cluster", FIT_READ);
	strbuf_addf(to, "  standard_error:\n");
	for (int i = 0; i < FIT_KEYS; i++)
		if (!isnan(fit->standard_error[i]))
			strbuf_addf(to, "    %s: %.6g\n", key_name(i), fit->standard_error[i]);
}

void service_file_print(const ServiceFile *file, StrBuf *to)
{
	strbuf_addf(to, "# A simulated service for `maestro train --service` and `maestro evaluate --service`.\n"
	                "# What is not here keeps its default.\nformat: %s\nname: ", FORMAT);
	print_string(to, file->name);
	strbuf_addf(to, "\n\n");
	for (int key = 0; key < FIT_KEYS; key++)
		print_parameter(to, file, key);
	if (file->fit.is_there)
		print_fit(to, &file->fit);
}

int service_file_write(const ServiceFile *file, const char *path, Error *err)
{
	StrBuf text = { 0 };
	service_file_print(file, &text);
	int code = text.failed ? error_set(err, ERR_NOMEM, "out of memory") : mem_write_file(path, text.data, text.len, err);
	strbuf_done(&text);
	return code;
}
