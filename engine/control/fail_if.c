/* See fail_if.h. A reader by recursive descent; the first error is kept and stops everything. */
#include "control/fail_if.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD = 256, DEPTH_MOST = 32 };

typedef struct Reader {
	const char *text, *at;
	FailIfLookup *lookup;
	void *arg;
	int code, depth;
	bool is_unknown; /* a value of the comparisons so far is not known */
	Error *err;
} Reader;

static void fail(Reader *r, const char *what)
{
	if (!r->code)
		r->code = error_set(r->err, ERR_USAGE, "--fail-if: %s at \"%.40s\"", what, *r->at ? r->at : "the end");
}

static void skip_blanks(Reader *r)
{
	while (isspace((unsigned char) *r->at))
		r->at++;
}

static bool take(Reader *r, const char *token)
{
	skip_blanks(r);
	size_t len = strlen(token);
	if (strncmp(r->at, token, len) != 0)
		return false;
	r->at += len;
	return true;
}

static void read_word(Reader *r, const char *stop, char word[WORD])
{
	size_t len = strcspn(r->at, stop);
	if (len >= WORD)
		fail(r, "a word is too long");
	(void) snprintf(word, WORD, "%.*s", (int) (len < WORD ? len : WORD - 1), r->at);
	r->at += len;
}

/* KEY, KEY(WORD), KEY(WORD,WORD), and .lo or .hi behind. */
static double read_figure(Reader *r)
{
	char name[WORD], first[WORD] = "", second[WORD] = "", end[WORD] = "";
	double value = NAN;
	size_t len = 0;
	while (isalnum((unsigned char) r->at[len]) || r->at[len] == '_')
		len++;
	(void) snprintf(name, sizeof name, "%.*s", (int) len, r->at);
	r->at += len;
	if (!len)
		fail(r, "a number or a figure is missing");
	if (*r->at == '(') {
		r->at++;
		read_word(r, ",)", first);
		if (*r->at == ',') {
			r->at++;
			read_word(r, ")", second);
		}
		if (*r->at++ != ')') {
			r->at--;
			fail(r, "a parenthesis is open");
		}
	}
	if (!strncmp(r->at, ".lo", 3) || !strncmp(r->at, ".hi", 3)) {
		(void) snprintf(end, sizeof end, "%.2s", r->at + 1);
		r->at += 3;
	}
	if (!r->code)
		r->code = r->lookup(r->arg, name, first, second, end, &value, r->err);
	return value;
}

static double read_sum(Reader *r);

static double read_factor(Reader *r)
{
	skip_blanks(r);
	if (take(r, "-"))
		return -read_factor(r);
	if (!isdigit((unsigned char) *r->at) && *r->at != '.')
		return read_figure(r);
	char *end;
	double value = strtod(r->at, &end);
	r->at = end;
	return value;
}

static double read_product(Reader *r)
{
	double value = read_factor(r);
	while (!r->code) {
		if (take(r, "*"))
			value *= read_factor(r);
		else if (take(r, "/"))
			value /= read_factor(r);
		else
			break;
	}
	return value;
}

static double read_sum(Reader *r)
{
	double value = read_product(r);
	while (!r->code) {
		if (take(r, "+"))
			value += read_product(r);
		else if (take(r, "-"))
			value -= read_product(r);
		else
			break;
	}
	return value;
}

static bool compare(Reader *r)
{
	static const char *const operators[] = { "<=", ">=", "==", "!=", "<", ">" };
	double left = read_sum(r), right;
	int op = 0;
	while (op < 6 && !take(r, operators[op]))
		op++;
	if (op == 6) {
		fail(r, "a comparison is missing");
		return false;
	}
	right = read_sum(r);
	r->is_unknown = r->is_unknown || isnan(left) || isnan(right);
	switch (op) {
	case 0: return left <= right;
	case 1: return left >= right;
	case 2: return !(left < right) && !(left > right);
	case 3: return left < right || left > right;
	case 4: return left < right;
	default: return left > right;
	}
}

static bool read_or(Reader *r);

static bool read_claim(Reader *r)
{
	skip_blanks(r);
	if (*r->at != '(')
		return compare(r);
	r->at++;
	if (++r->depth > DEPTH_MOST)
		fail(r, "too many parentheses");
	bool value = !r->code && read_or(r);
	if (!r->code && !take(r, ")"))
		fail(r, "a parenthesis is open");
	r->depth--;
	return value;
}

static bool read_and(Reader *r)
{
	bool value = read_claim(r);
	while (!r->code && take(r, "&&"))
		value = read_claim(r) && value;
	return value;
}

static bool read_or(Reader *r)
{
	bool value = read_and(r);
	while (!r->code && take(r, "||"))
		value = read_and(r) || value;
	return value;
}

int fail_if_eval(const char *text, FailIfLookup *lookup, void *arg, bool *ret_fails, Error *err)
{
	Reader r = { .text = text, .at = text, .lookup = lookup, .arg = arg, .err = err };
	bool value = read_or(&r);
	skip_blanks(&r);
	if (!r.code && *r.at)
		fail(&r, "something is left over");
	if (!r.code)
		*ret_fails = value || r.is_unknown;
	return r.code;
}
