/* See config_check.h. */
#include "cmd/config_check.h"
#include "cmd/config_file.h"
#include "cmd/run_target.h"
#include "cmd/subcommands.h"

#include "base/yaml.h"

#include <stdio.h>
#include <string.h>

enum { NAMES_MAX = 1024 };

typedef struct Check {
	const char *path;
	StrBuf text;
	Error *err; /* the last fault */
	int faults;
} Check;

typedef union Value { /* whatever an option may be */
	bool flag;
	int32_t i;
	int64_t i64;
	double number;
	const char *text;
	OptList list;
} Value;

/* section NULL: the top, for all commands. */
static void fault(Check *check, const char *section, const char *key, const char *what)
{
	char at[200];
	if (check->faults++)
		(void) fprintf(stderr, "maestro: %s\n", check->err->text);
	(void) snprintf(at, sizeof at, "%.90s%s%.90s", section ? section : "", section ? "." : "", key);
	(void) error_set(check->err, ERR_INVALID, "%s:%zu: %s: %s", check->path, yaml_line_of(check->text.data, check->text.len, at), at, what);
}

/* The options that a name may be of, one table after the other: of its section, or at the top of all commands. NULL: no more. */
static const Opt *table_of(const char *section, size_t i)
{
	if (section)
		return i ? NULL : subcommand_options(section);
	if (!i)
		return subcommand_options("console");
	return i <= SUBCOMMANDS_MAX && subcommands()[i - 1].name ? subcommands()[i - 1].command->opt : NULL;
}

static void say_unknown(Check *check, const char *section, const char *key)
{
	const char *known[NAMES_MAX + 1];
	char what[200];
	size_t n = 0;
	const Opt *opt;
	for (size_t i = 0; (opt = table_of(section, i)); i++)
		for (; opt->name && n < NAMES_MAX; opt++)
			known[n++] = opt->name;
	known[n] = NULL;
	const char *near = opts_nearest(key, known);
	(void) snprintf(what, sizeof what, "%s%s has no such option%s%s; maestro %s --help lists them", section ? "maestro " : "", section ? section : "maestro",
	                near ? ", did you mean " : "", near ? near : "", section && strcmp(section, "console") ? section : "COMMAND");
	fault(check, section, key, what);
}

static void check_value(Check *check, const char *section, const char *key, const Json *value)
{
	char room[64];
	bool is_known = false;
	const char *text = config_value(value, room, sizeof room);
	Error why = { 0 };
	const Opt *table;
	for (size_t i = 0; (table = table_of(section, i)); i++) {
		const Opt *found = opt_find(table, key, strlen(key));
		if (!found)
			continue;
		Opt opt = *found;
		Value to = { 0 };
		opt.offset = 0;
		is_known = true;
		if (json_is_null(value) || (text && !opt_set(&opt, text, &to, &why)))
			return;
	}
	if (!is_known)
		say_unknown(check, section, key);
	else
		fault(check, section, key, text ? why.text : "a value is wanted, not a list or a map");
}

static void check_section(Check *check, const Json *section)
{
	const char *name = json_key(section);
	if (subcommand_options(name)) {
		for (const Json *m = json_first(section); m; m = json_next(m))
			check_value(check, name, json_key(m), m);
		return;
	}
	const char *known[SUBCOMMANDS_MAX + 2] = { "console" };
	char what[160];
	for (size_t i = 0; i < SUBCOMMANDS_MAX && subcommands()[i].name; i++)
		known[i + 1] = subcommands()[i].name;
	const char *near = opts_nearest(name, known);
	(void) snprintf(what, sizeof what, "is no command%s%s; maestro --help lists them", near ? ", did you mean " : "", near ? near : "");
	fault(check, NULL, name, what);
}

static int check_names(Check *check, const Json *root)
{
	if (!json_is_object(root) && !json_is_null(root))
		return error_set(check->err, ERR_INVALID, "%s: write names and values, such as db: FILE", check->path);
	for (const Json *m = json_first(root); m; m = json_next(m)) {
		if (json_is_object(m))
			check_section(check, m);
		else if (strcmp(json_key(m), "targets")) /* a list of that name is run_target.c's */
			check_value(check, NULL, json_key(m), m);
	}
	return check->faults ? ERR_INVALID : 0;
}

int config_check(const char *path, Error *err)
{
	Check check = { .path = path, .err = err };
	Json *root = NULL;
	int code = config_read(path, &check.text, &root, err);
	if (!code)
		code = check_names(&check, root);
	TargetList list = { 0 };
	if (!code)
		code = target_list_read(&(RunOptions) { .config = path }, "default", &list, err);
	target_list_done(&list);
	json_free(root);
	strbuf_done(&check.text);
	return code;
}
