/* See filter.h: recursive descent over the text; fields are a table. */
#include "storage/filter.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MOST = 16 };

typedef enum FieldForm { FIELD_TEXT_LIKE, FIELD_TEXT_EXACT, FIELD_NUMBER, FIELD_AGE, FIELD_TOOK } FieldForm;

static const struct Field {
	const char *name;
	FieldForm form;
	const char *sql;
} FIELDS[] = {
	{ "name", FIELD_TEXT_LIKE, "r.name" }, { "note", FIELD_TEXT_LIKE, "r.note" }, { "notes", FIELD_TEXT_LIKE, "r.note" },
	{ "tag", FIELD_TEXT_EXACT, "tag" }, { "tags", FIELD_TEXT_LIKE, "r.tags" },
	{ "status", FIELD_TEXT_EXACT, "r.status" }, { "kind", FIELD_TEXT_EXACT, "r.kind" },
	{ "host", FIELD_TEXT_LIKE, "r.host" }, { "id", FIELD_NUMBER, "r.id" }, { "seed", FIELD_NUMBER, "r.seed" },
	{ "steps", FIELD_NUMBER, "r.steps" }, { "eval", FIELD_NUMBER, "e.mean_reward" },
	{ "reward", FIELD_NUMBER, "u.ep_rew_mean" }, { "length", FIELD_NUMBER, "u.ep_len_mean" },
	{ "age", FIELD_AGE, "r.start" }, { "trash", FIELD_AGE, "r.deleted" }, { "took", FIELD_TOOK, "(r.ended - r.start)" },
};

static const struct Flag {
	const char *name, *sql;
} FLAGS[] = {
	{ "has:note", "r.note != ''" }, { "has:notes", "r.note != ''" }, { "has:tags", "r.tags != ''" }, { "has:tag", "r.tags != ''" },
	{ "has:eval", "e.mean_reward IS NOT NULL" }, { "is:locked", "r.locked" }, { "is:trash", "r.deleted IS NOT NULL" },
	{ "is:running", "r.status = 'running'" },
};

/* Short names of options. */
static const struct Alias {
	const char *name, *option;
} ALIASES[] = { { "lr", "learning-rate" }, { "ent", "ent-coef" }, { "clip", "clip-range" }, { "net", "net-arch" } };

typedef struct Parser {
	const char *text;
	size_t at;
	int64_t wall_ms;
	Filter *out;
	Error *err;
	bool has_trash;
} Parser;

static int fault(Parser *p, size_t at, const char *what)
{
	p->out->fault_col = (int) at;
	return error_set(p->err, ERR_PARSE, "filter, column %zu: %s", at + 1, what);
}

static void skip_blanks(Parser *p)
{
	while (isspace((unsigned char) p->text[p->at]))
		p->at++;
}

/* A word up to a blank or bracket, quotes kept together; its length. */
static size_t word_length(const char *at)
{
	size_t n = 0;
	bool is_quoted = false;
	for (; at[n] && (is_quoted || (!isspace((unsigned char) at[n]) && at[n] != '(' && at[n] != ')')); n++)
		is_quoted ^= at[n] == '"';
	return n;
}

static bool next_is(const Parser *p, const char *word)
{
	size_t n = strlen(word);
	return word_length(p->text + p->at) == n && !strncmp(p->text + p->at, word, n);
}

static int add_value(Parser *p, size_t at, FilterValue value)
{
	if (p->out->n_values == FILTER_VALUES)
		return fault(p, at, "too many conditions");
	p->out->value[p->out->n_values++] = value;
	return 0;
}

static int add_text(Parser *p, size_t at, const char *from, size_t len, bool is_like)
{
	FilterValue value = { .is_number = false };
	if (len >= 2 && from[0] == '"' && from[len - 1] == '"') {
		from++;
		len -= 2;
	}
	if (len + 3 > sizeof value.text)
		return fault(p, at, "a word is too long");
	char *to = value.text;
	*to = '%';
	to += is_like;
	memcpy(to, from, len);
	to[len] = is_like ? '%' : '\0';
	to[len + is_like] = '\0';
	return add_value(p, at, value);
}

/* Seconds of "90s", "5m", "2h", "3d". */
static bool parse_span(const char *text, size_t len, double *ret_s)
{
	char *end;
	double value = strtod(text, &end);
	if (end == text || end + 1 != text + len)
		return false;
	double unit = *end == 's' ? 1 : *end == 'm' ? 60 : *end == 'h' ? 3600 : *end == 'd' ? 86400 : 0;
	*ret_s = value * unit;
	return unit > 0;
}

static bool parse_number(const char *text, size_t len, double *ret)
{
	char *end;
	*ret = strtod(text, &end);
	return len && end == text + len;
}

/* ---- terms ---- */

typedef struct Term {
	const char *name, *value;
	size_t name_len, value_len;
	char op[3];
} Term;

static int add_field(Parser *p, size_t at, const struct Field *field, const Term *term)
{
	StrBuf *sql = &p->out->sql;
	double number;
	bool is_equal = !strcmp(term->op, "=") || !strcmp(term->op, "!=");
	switch (field->form) {
	case FIELD_TEXT_LIKE:
	case FIELD_TEXT_EXACT:
		if (!is_equal)
			return fault(p, at, "words know : = and != alone");
		if (!strcmp(field->sql, "tag")) {
			int code = add_text(p, at, term->value, term->value_len, false);
			strbuf_addf(sql, "%s(instr(' ' || r.tags || ' ', ' ' || ?%d || ' ') > 0)", *term->op == '!' ? "NOT " : "",
			            p->out->n_values);
			return code;
		}
		int code = add_text(p, at, term->value, term->value_len, field->form == FIELD_TEXT_LIKE);
		strbuf_addf(sql, "%s %s%s ?%d", field->sql, *term->op == '!' ? "NOT " : "",
		            field->form == FIELD_TEXT_LIKE ? "LIKE" : "IN (", p->out->n_values);
		if (field->form == FIELD_TEXT_EXACT)
			strbuf_addf(sql, ")");
		return code;
	case FIELD_NUMBER:
		if (!parse_number(term->value, term->value_len, &number))
			return fault(p, at, "a number is wanted");
		strbuf_addf(sql, "%s %s ?%d", field->sql, term->op, p->out->n_values + 1);
		return add_value(p, at, (FilterValue) { .is_number = true, .number = number });
	default:
		if (!parse_span(term->value, term->value_len, &number))
			return fault(p, at, "a time is wanted, such as 90s, 5m, 2h or 3d");
		if (field->form == FIELD_AGE)
			strbuf_addf(sql, "(%lld - %s) / 1000.0 %s ?%d", (long long) p->wall_ms, field->sql, term->op,
			            p->out->n_values + 1);
		else
			strbuf_addf(sql, "%s / 1000.0 %s ?%d", field->sql, term->op, p->out->n_values + 1);
		return add_value(p, at, (FilterValue) { .is_number = true, .number = number });
	}
}

/* An option of the run, by the name under which its configuration has it. */
static int add_option(Parser *p, size_t at, const Term *term)
{
	char path[128] = "$.\"";
	const char *name = term->name;
	size_t len = term->name_len;
	for (size_t i = 0; i < sizeof ALIASES / sizeof *ALIASES; i++)
		if (strlen(ALIASES[i].name) == len && !strncmp(ALIASES[i].name, name, len)) {
			name = ALIASES[i].option;
			len = strlen(name);
			break;
		}
	if (len + 6 > sizeof path)
		return fault(p, at, "a name is too long");
	memcpy(path + 3, name, len);
	memcpy(path + 3 + len, "\"", 2);
	double number;
	bool is_number = parse_number(term->value, term->value_len, &number);
	int code = add_text(p, at, path, strlen(path), false);
	if (code)
		return code;
	strbuf_addf(&p->out->sql, is_number ? "CAST(json_extract(r.config, ?%d) AS REAL) %s ?%d"
	            : "CAST(json_extract(r.config, ?%d) AS TEXT) %s ?%d", p->out->n_values,
	            is_number ? term->op : *term->op == '!' ? "NOT LIKE" : "LIKE", p->out->n_values + 1);
	if (!is_number && term->op[0] != '=' && term->op[0] != '!')
		return fault(p, at, "a number is wanted");
	return is_number ? add_value(p, at, (FilterValue) { .is_number = true, .number = number })
	                 : add_text(p, at, term->value, term->value_len, true);
}

static bool split(const char *word, size_t len, Term *ret)
{
	size_t i = 0;
	while (i < len && (isalnum((unsigned char) word[i]) || word[i] == '-' || word[i] == '_'))
		i++;
	if (!i || i == len || !strchr(":=!<>", word[i]))
		return false;
	size_t op = i;
	*ret = (Term) { .name = word, .name_len = i };
	ret->op[0] = word[i] == ':' ? '=' : word[i];
	i++;
	if (i < len && word[i] == '=' && word[op] != ':' && word[op] != '=')
		ret->op[1] = word[i++];
	ret->value = word + i;
	ret->value_len = len - i;
	return strcmp(ret->op, "!") != 0;
}

static int add_bare(Parser *p, size_t at, const char *word, size_t len)
{
	int code = add_text(p, at, word, len, true), n = p->out->n_values;
	strbuf_addf(&p->out->sql, "(r.name LIKE ?%d OR r.tags LIKE ?%d OR r.note LIKE ?%d OR CAST(r.id AS TEXT) LIKE ?%d)", n, n,
	            n, n);
	return code;
}

static int parse_term(Parser *p)
{
	size_t at = p->at, len = word_length(p->text + at);
	const char *word = p->text + at;
	Term term;
	p->at += len;
	if (!len)
		return fault(p, at, p->text[at] == ')' ? "a bracket closes that none opened" : "a condition is missing");
	for (size_t i = 0; i < sizeof FLAGS / sizeof *FLAGS; i++)
		if (strlen(FLAGS[i].name) == len && !strncmp(FLAGS[i].name, word, len)) {
			p->has_trash |= !strcmp(FLAGS[i].name, "is:trash");
			strbuf_addf(&p->out->sql, "(%s)", FLAGS[i].sql);
			return 0;
		}
	if (word[0] == '"' || !split(word, len, &term))
		return add_bare(p, at, word, len);
	if (!term.value_len)
		return fault(p, at + len, "a value is missing");
	if (!strncmp(word, "has:", 4) || !strncmp(word, "is:", 3))
		return fault(p, at, "has: takes note, tags or eval; is: takes locked, running or trash");
	for (size_t i = 0; i < sizeof FIELDS / sizeof *FIELDS; i++)
		if (strlen(FIELDS[i].name) == term.name_len && !strncmp(FIELDS[i].name, word, term.name_len)) {
			p->has_trash |= !strcmp(FIELDS[i].name, "trash");
			return add_field(p, at, &FIELDS[i], &term);
		}
	return add_option(p, at, &term);
}

static int parse_or(Parser *p, int depth);

static int parse_unary(Parser *p, int depth)
{
	skip_blanks(p);
	if (depth > DEPTH_MOST)
		return fault(p, p->at, "too many brackets");
	if (next_is(p, "not")) {
		p->at += 3;
		strbuf_addf(&p->out->sql, "NOT ifnull(");
		int code = parse_unary(p, depth + 1);
		strbuf_addf(&p->out->sql, ", 0)");
		return code;
	}
	if (p->text[p->at] != '(')
		return parse_term(p);
	size_t open = p->at++;
	strbuf_addf(&p->out->sql, "(");
	int code = parse_or(p, depth + 1);
	skip_blanks(p);
	if (!code && p->text[p->at] != ')')
		return fault(p, open, "this bracket is not closed");
	p->at += !code;
	strbuf_addf(&p->out->sql, ")");
	return code;
}

static int parse_and(Parser *p, int depth)
{
	int code = parse_unary(p, depth);
	for (;;) {
		skip_blanks(p);
		if (code || !p->text[p->at] || p->text[p->at] == ')' || next_is(p, "or"))
			return code;
		if (next_is(p, "and"))
			p->at += 3;
		strbuf_addf(&p->out->sql, " AND ");
		code = parse_unary(p, depth);
	}
}

static int parse_or(Parser *p, int depth)
{
	int code = parse_and(p, depth);
	while (!code && next_is(p, "or")) {
		p->at += 2;
		strbuf_addf(&p->out->sql, " OR ");
		code = parse_and(p, depth);
	}
	return code;
}

int filter_parse(const char *text, int64_t wall_ms, Filter *ret, Error *err)
{
	*ret = (Filter) { .fault_col = -1 };
	Parser p = { .text = text, .wall_ms = wall_ms, .out = ret, .err = err };
	int code = 0;
	strbuf_addf(&ret->sql, "(");
	skip_blanks(&p);
	if (p.text[p.at])
		code = parse_or(&p, 0);
	else
		strbuf_addf(&ret->sql, "1");
	skip_blanks(&p);
	if (!code && p.text[p.at])
		code = fault(&p, p.at, "a bracket closes that none opened");
	strbuf_addf(&ret->sql, p.has_trash ? ")" : ") AND r.deleted IS NULL");
	return !code && ret->sql.failed ? error_set(err, ERR_NOMEM, "filter: out of memory") : code;
}

void filter_done(Filter *filter)
{
	strbuf_done(&filter->sql);
}
