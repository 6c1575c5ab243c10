/* See opts.h. */
#include "cmd/opts.h"

#include "base/mem.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int usage_error(const OptCommand *command, const char *what, const char *name, const char *more, Error *err)
{
	int len = *command->usage == '[' ? 0 : (int) strcspn(command->usage, " "); /* the console is no command's */
	return error_set(err, ERR_USAGE, "%.*s%s%s%.150s%s; see maestro%s%.*s --help", len, command->usage, len ? ": " : "", what, name, more,
	                 len ? " " : "", len, command->usage);
}

static int set(const OptCommand *command, const Opt *o, const char *text, void *target, Error *err)
{
	Error why = { 0 };
	return opt_set(o, text, target, &why) ? usage_error(command, "--", why.text, "", err) : 0;
}

const char *opts_environment(const char *option)
{
	char name[OPT_WORD_MAX + 8] = "MAESTRO_";
	size_t len = strlen(name);
	for (const char *c = option; *c && len + 1 < sizeof name; c++)
		name[len++] = *c == '-' ? '_' : (char) toupper((unsigned char) *c);
	name[len] = '\0';
	const char *text = getenv(name);
	return text && *text ? text : NULL;
}

static int read_environment(const OptCommand *command, void *target, Error *err)
{
	for (const Opt *o = command->opt; o->name; o++) {
		const char *text = opts_environment(o->name);
		if (!text)
			continue;
		int code = set(command, o, text, target, err);
		if (code)
			return code;
	}
	return 0;
}

static bool is_on_command_line(const char *name, int argc, char **argv)
{
	size_t len = strlen(name);
	for (int i = 1; i < argc; i++) {
		const char *word = !strncmp(argv[i], "--no-", 5) && strncmp(name, "no-", 3) != 0 ? argv[i] + 5 : argv[i] + 2;
		if (!strncmp(argv[i], "--", 2) && !strncmp(word, name, len) && (!word[len] || word[len] == '='))
			return true;
	}
	return false;
}

bool opts_is_given(const char *name, int argc, char **argv)
{
	return is_on_command_line(name, argc, argv) || opts_environment(name);
}

char **opts_with_environment(const Opt *opt, int argc, char **argv, int *ret_argc)
{
	size_t n = (size_t) argc + 1, bytes = 0;
	for (const Opt *o = opt; o->name; o++) {
		const char *text = o->is_setting && !is_on_command_line(o->name, argc, argv) ? opts_environment(o->name) : NULL;
		n += text != NULL;
		bytes += text ? strlen(o->name) + strlen(text) + 4 : 0; /* "--", "=", the end */
	}
	char **all = malloc(n * sizeof *all + bytes), *at = (char *) (all + n);
	if (!all)
		return NULL;
	memcpy(all, argv, (size_t) argc * sizeof *all);
	*ret_argc = argc;
	for (const Opt *o = opt; o->name; o++) {
		const char *text = o->is_setting && !is_on_command_line(o->name, argc, argv) ? opts_environment(o->name) : NULL;
		if (!text)
			continue;
		all[(*ret_argc)++] = at;
		at += sprintf(at, "--%s=%s", o->name, text) + 1;
	}
	all[*ret_argc] = NULL;
	return all;
}

static void print_help(const OptCommand *command)
{
	printf("usage: maestro %s\n%s\n", command->usage, command->summary);
	if (command->opt->name)
		printf("\noptions:\n");
	for (const Opt *o = command->opt; o->name; o++) {
		char left[OPT_WORD_MAX];
		(void) snprintf(left, sizeof left, "%s%c%s--%s%s%s", o->letter ? "-" : " ", o->letter ? o->letter : ' ',
		                o->letter ? ", " : "  ", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
		printf("  %-32s %s\n", left, o->help);
	}
}

static int unknown(const OptCommand *command, const char *name, size_t len, Error *err)
{
	char word[OPT_WORD_MAX], more[160] = "";
	(void) snprintf(word, sizeof word, "%.*s", (int) len, name);
	const char *near = opt_nearest(word, command->opt);
	if (near)
		(void) snprintf(more, sizeof more, ", did you mean --%s", near);
	return usage_error(command, "unknown option --", word, more, err);
}

/* One option word; *i moves over its value. */
static int take(const OptCommand *command, int argc, char **argv, int *i, void *target, Error *err)
{
	const char *word = argv[*i], *value = NULL;
	const Opt *o = NULL;
	bool is_no = false;
	if (word[1] == '-') {
		size_t len = strcspn(word + 2, "=");
		value = word[2 + len] ? word + 3 + len : NULL;
		o = opt_find(command->opt, word + 2, len);
		if (!o && !strncmp(word, "--no-", 5)) {
			o = opt_find(command->opt, word + 5, len - 3);
			is_no = o && o->kind == OPT_FLAG;
			o = is_no ? o : NULL;
		}
		if (!o)
			return unknown(command, word + 2, len, err);
	} else {
		for (o = command->opt; o->name && o->letter != word[1]; o++)
			;
		if (!o->name)
			return usage_error(command, "unknown option ", word, "", err);
		value = word[2] ? word + 2 : NULL;
	}
	if (o->kind == OPT_FLAG) {
		int code = set(command, o, value, target, err);
		bool *flag = (bool *) (void *) ((char *) target + o->offset);
		*flag = !code && is_no ? !*flag : *flag;
		return code;
	}
	if (!value && *i + 1 >= argc)
		return usage_error(command, "--", o->name, " wants a value", err);
	return set(command, o, value ? value : argv[++*i], target, err);
}

int opts_read(const OptCommand *command, int argc, char **argv, void *target, int *ret_words, Error *err)
{
	int words = 0, code = 0;
	bool is_ended = false;
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			print_help(command);
			return OPTS_HELPED;
		}
	code = read_environment(command, target, err);
	/* a list from the command line replaces the variable's */
	for (const Opt *o = command->opt; !code && o->name; o++)
		if (o->kind == OPT_LIST)
			for (int i = 1; i < argc; i++)
				if (!strncmp(argv[i], "--", 2) && !strncmp(argv[i] + 2, o->name, strlen(o->name)))
					((OptList *) (void *) ((char *) target + o->offset))->n = 0;
	for (int i = 1; i < argc && !code; i++) {
		if (!is_ended && !strcmp(argv[i], "--"))
			is_ended = true;
		else if (!is_ended && argv[i][0] == '-' && argv[i][1])
			code = take(command, argc, argv, &i, target, err);
		else if ((size_t) words == command->n_positional)
			code = usage_error(command, "unexpected word \"", argv[i], "\"", err);
		else
			argv[1 + words++] = argv[i];
	}
	if (!code)
		*ret_words = words;
	return code;
}

int opts_parse(const OptCommand *command, int argc, char **argv, void *target, int *ret_words)
{
	Error err = { 0 };
	int code = opts_read(command, argc, argv, target, ret_words, &err);
	if (code && code != OPTS_HELPED)
		(void) fprintf(stderr, "maestro: %s\n", err.text);
	return code;
}

/* One word as itself, more as an array. */
static void save_list(Json *object, const char *name, const OptList *list)
{
	if (list->n == 1)
		json_add_string(object, name, list->item[0]);
	if (list->n < 2)
		return;
	Json *array = json_new_array();
	for (size_t i = 0; i < list->n; i++)
		json_add_string(array, NULL, list->item[i]);
	json_add(object, name, array);
}

static void load_list(const Json *value, OptList *list)
{
	const Json *item = json_is_array(value) ? json_first(value) : value;
	list->n = 0;
	for (; item && list->n < OPT_LIST_MAX; item = json_is_array(value) ? json_next(item) : NULL)
		if (json_string(item))
			list->item[list->n++] = json_string(item);
}

char *opts_save(const Opt *opt, const void *target)
{
	Json *object = json_new_object();
	for (const Opt *o = opt; o->name; o++) {
		const void *at = (const char *) target + o->offset;
		if (!o->is_setting)
			continue;
		if (o->kind == OPT_FLAG)
			json_add_bool(object, o->name, *(const bool *) at);
		else if (o->kind == OPT_INT)
			json_add_int(object, o->name, *(const int32_t *) at);
		else if (o->kind == OPT_INT64)
			json_add_int(object, o->name, *(const int64_t *) at);
		else if (o->kind == OPT_STRING)
			json_add_string(object, o->name, *(const char *const *) at);
		else if (o->kind == OPT_LIST)
			save_list(object, o->name, at);
		else
			json_add_number(object, o->name, *(const double *) at);
	}
	char *text = json_print(object);
	json_free(object);
	return text;
}

void opts_load(const Opt *opt, const Json *object, void *target)
{
	for (const Opt *o = opt; o->name; o++) {
		void *at = (char *) target + o->offset;
		const Json *value = o->is_setting ? json_get(object, o->name) : NULL;
		int64_t whole;
		if (o->kind == OPT_FLAG)
			(void) json_bool(value, at);
		else if (o->kind == OPT_INT && json_int(value, &whole))
			*(int32_t *) at = (int32_t) whole;
		else if (o->kind == OPT_INT64)
			(void) json_int(value, at);
		else if (o->kind == OPT_STRING && json_string(value))
			*(const char **) at = json_string(value);
		else if (o->kind == OPT_LIST && value)
			load_list(value, at);
		else if (o->kind == OPT_DOUBLE || o->kind == OPT_DURATION)
			(void) json_number(value, at);
	}
}
