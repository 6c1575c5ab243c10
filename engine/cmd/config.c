/* See config.h. `maestro config` prints a commented file or tests one. */
#include "cmd/config.h"
#include "cmd/cmd.h"
#include "cmd/config_check.h"
#include "cmd/config_file.h"
#include "cmd/opts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char DEFAULT[] =
	"# maestro: every option of a command may stand here under its name (maestro COMMAND --help lists them).\n"
	"# An option on the command line beats the variable MAESTRO_NAME, and that beats this file.\n"
	"\n"
	"# For all commands:\n"
	"# db: /var/lib/maestro/maestro.db    # the run store\n"
	"# prometheus: http://prometheus:9090\n"
	"# theme: dark                        # or light: of the terminal's background\n"
	"# glyphs: auto                       # braille, block, ascii\n"
	"# color: auto                        # always, never, 16, 256, truecolor\n"
	"# mouse: on                          # off: clicks and the wheel stay the terminal's\n"
	"\n"
	"# For one command:\n"
	"# train:\n"
	"#   envs: 16\n"
	"#   learning-rate: 3e-4\n"
	"# run:\n"
	"#   max-replicas: 15\n"
	"#   interval: 15s\n"
	"\n"
	"# Deployments of `maestro`, `run` and `targets`, where --deployment names none (limits in ms):\n"
	"# targets:\n"
	"# - {target: shop/web, min: 2, max: 15, interval: 15s, policy: hpa, limits: {soft: 250, hard: 500}}\n";

static bool is_name(const char *key)
{
	for (const char *c = key; *c; c++)
		if (!(islower((unsigned char) *c) || isdigit((unsigned char) *c) || *c == '-'))
			return false;
	return *key != '\0';
}

static int set(const char *path, const char *key, const Json *value, Error *err)
{
	char name[96] = "MAESTRO_", room[64];
	if (!is_name(key) || strlen(key) + 9 > sizeof name)
		return error_set(err, ERR_INVALID, "%s: \"%.40s\" is no option's name", path, key);
	for (size_t i = 0; i <= strlen(key); i++)
		name[8 + i] = (char) (key[i] == '-' ? '_' : toupper((unsigned char) key[i]));
	if (json_is_null(value))
		return 0;
	const char *text = config_value(value, room, sizeof room);
	if (!text)
		return error_set(err, ERR_INVALID, "%s: %.40s: a value is wanted, not a list or a map", path, key);
	return setenv(name, text, 0) ? ERR_NOMEM : 0;
}

/* The section of the command first, since what is set stays. */
static int apply(const char *path, const Json *root, const char *command, Error *err)
{
	int code = json_is_object(root) || json_is_null(root) ? 0
		: error_set(err, ERR_INVALID, "%s: write names and values, such as db: FILE", path);
	const Json *section = json_is_object(root) ? json_get(root, command) : NULL; /* `targets` has a list of its name, which is no section */
	for (const Json *m = json_is_object(section) ? json_first(section) : NULL; m && !code; m = json_next(m))
		code = set(path, json_key(m), m, err);
	for (const Json *m = json_first(root); m && !code; m = json_next(m))
		if (!json_is_object(m) && strcmp(json_key(m), "targets")) /* these are run_target.c's */
			code = set(path, json_key(m), m, err);
	return code;
}

/* --config FILE or --config=FILE, taken out of argv; NULL: not there. */
static const char *take_option(int *argc, char **argv)
{
	for (int i = 1; i < *argc; i++) {
		bool is_apart = !strcmp(argv[i], "--config") && i + 1 < *argc, is_joined = !strncmp(argv[i], "--config=", 9);
		if (!is_apart && !is_joined)
			continue;
		const char *path = is_apart ? argv[i + 1] : argv[i] + 9;
		int n = is_apart ? 2 : 1;
		memmove(argv + i, argv + i + n, (size_t) (*argc - i - n + 1) * sizeof *argv);
		*argc -= n;
		return path;
	}
	return NULL;
}

int config_apply(const char *(*command_of)(int argc, char **argv, const Json *file), int *argc, char **argv, const char **ret_command,
                 Error *err)
{
	char room[4096];
	const char *given = take_option(argc, argv);
	if (given && setenv("MAESTRO_CONFIG", given, 1)) /* for those who read more of the file */
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	const char *path = config_path(given ? given : getenv("MAESTRO_CONFIG"), room, sizeof room);
	StrBuf text = { 0 };
	Json *root = NULL;
	int code = path ? config_read(path, &text, &root, err) : 0;
	*ret_command = command_of(*argc, argv, root);
	if (path && !code)
		code = apply(path, root, *ret_command, err);
	json_free(root);
	strbuf_done(&text);
	return code;
}

typedef struct ConfigOptions {
	const char *check;
	bool is_default;
} ConfigOptions;

static const Opt OPTIONS[] = {
	{ "default", 0, OPT_FLAG, offsetof(ConfigOptions, is_default), 0, 0, NULL, "print a commented file (also without options)", false },
	{ "check", 0, OPT_STRING, offsetof(ConfigOptions, check), 0, 0, "FILE", "test a file", false },
	{ 0 },
};

const OptCommand CONFIG_COMMAND = {
	"config [--check FILE]",
	"Prints a commented configuration file, for $XDG_CONFIG_HOME/maestro/config.yaml, or tests one.",
	OPTIONS, 0,
};

int cmd_config(int argc, char **argv)
{
	ConfigOptions options = { 0 };
	Error err = { 0 };
	int words, code = opts_parse(&CONFIG_COMMAND, argc, argv, &options, &words);
	if (code)
		return code == OPTS_HELPED ? 0 : err_exit_status(code);
	if (!options.check) {
		(void) fputs(DEFAULT, stdout);
		return 0;
	}
	code = config_check(options.check, &err);
	return code ? cmd_fail(code, &err) : 0;
}
