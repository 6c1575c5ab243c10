/* See option.h. */
#include "base/option.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;
	return m < c ? m : c;
}

/* Levenshtein's distance, one row at a time. */
static size_t distance(const char *a, const char *b)
{
	size_t row[OPT_WORD_MAX + 1], n = strnlen(b, OPT_WORD_MAX);
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t above = row[j];
			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[n];
}

const char *opts_nearest(const char *word, const char *const *candidates)
{
	const char *best = NULL;
	size_t least = strlen(word) / 3 + 2;
	for (; *candidates; candidates++) {
		size_t d = distance(word, *candidates);
		if (d < least) {
			least = d;
			best = *candidates;
		}
	}
	return best;
}

bool opts_duration(const char *text, double *ret_s)
{
	static const struct {
		const char *unit;
		double seconds;
	} units[] = { { "", 1 }, { "s", 1 }, { "ms", .001 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 } };
	char *end;
	double value = strtod(text, &end);
	if (end == text || !isfinite(value) || value < 0)
		return false;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (!strcmp(end, units[i].unit)) {
			*ret_s = value * units[i].seconds;
			return true;
		}
	return false;
}

const char *opt_nearest(const char *word, const Opt *table)
{
	const char *known[OPT_WORD_MAX * 2];
	size_t n = 0;
	for (const Opt *o = table; o->name && n + 1 < sizeof known / sizeof *known; o++)
		known[n++] = o->name;
	known[n] = NULL;
	return opts_nearest(word, known);
}

const Opt *opt_find(const Opt *table, const char *name, size_t len)
{
	for (const Opt *o = table; o->name; o++)
		if (strlen(o->name) == len && !strncmp(o->name, name, len))
			return o;
	return NULL;
}

static bool parse_number(const Opt *o, const char *text, double *ret)
{
	if (o->kind == OPT_DURATION)
		return opts_duration(text, ret);
	char *end;
	double value = strtod(text, &end);
	if (end == text || *end || !isfinite(value))
		return false;
	if (o->kind != OPT_DOUBLE && floor(value) != value)
		return false;
	*ret = value;
	return true;
}

static int set_number(const Opt *o, const char *text, char *at, Error *err)
{
	double value;
	if (!parse_number(o, text, &value))
		return error_set(err, ERR_USAGE, "%s wants %s, not \"%.60s\"", o->name, o->arg, text);
	bool is_bounded = o->min != 0 || o->max != 0;
	if (is_bounded && (value < o->min || value > o->max))
		return error_set(err, ERR_USAGE, "%s must be in %g..%g, not %.60s", o->name, o->min, o->max, text);
	double most = o->kind == OPT_INT ? 2147483647.0 : o->kind == OPT_INT64 ? 9007199254740992.0 : (double) INFINITY;
	if (fabs(value) > most)
		return error_set(err, ERR_USAGE, "%s is too large", o->name);
	if (o->kind == OPT_INT)
		*(int32_t *) (void *) at = (int32_t) value;
	else if (o->kind == OPT_INT64)
		*(int64_t *) (void *) at = (int64_t) value;
	else
		*(double *) (void *) at = value;
	return 0;
}

static int set_flag(const Opt *o, const char *text, bool *flag, Error *err)
{
	if (!text || !strcmp(text, "true") || !strcmp(text, "on") || !strcmp(text, "1"))
		*flag = true;
	else if (!strcmp(text, "false") || !strcmp(text, "off") || !strcmp(text, "0"))
		*flag = false;
	else
		return error_set(err, ERR_USAGE, "%s takes true or false, on or off, or nothing", o->name);
	return 0;
}

int opt_set(const Opt *o, const char *text, void *target, Error *err)
{
	char *at = (char *) target + o->offset;
	if (o->kind == OPT_FLAG)
		return set_flag(o, text, (bool *) (void *) at, err);
	if (o->kind == OPT_STRING) {
		*(const char **) (void *) at = text;
		return 0;
	}
	if (o->kind != OPT_LIST)
		return set_number(o, text, at, err);
	OptList *list = (OptList *) (void *) at;
	if (list->n == OPT_LIST_MAX)
		return error_set(err, ERR_USAGE, "%s is given too often", o->name);
	list->item[list->n++] = text;
	return 0;
}
