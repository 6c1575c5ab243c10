/* The program: finds the sub-command and hands over. */
#include "cmd/cmd.h"
#include "cmd/config.h"
#include "cmd/opts.h"
#include "cmd/subcommands.h"

#include "base/http.h"
#include "base/mem.h"
#include "base/version.h"
#include "tui/ui.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_help(void)
{
	printf("usage: maestro [command] [options]\n"
	       "An autoscaler for Kubernetes Deployments that learns. Without a command: the console over the embedded simulator,\n"
	       "or with --deployment, -l, --context or the configuration file's targets: over a cluster, as `maestro run`\n"
	       "(with --dry-run where only the file names them).\n\n"
	       "commands:\n");
	for (const Subcommand *s = subcommands(); s->name; s++)
		printf("  %-17s %s\n", s->name, s->help);
	printf("\n`maestro COMMAND --help` lists a command's options.\n"
	       "exit status: 0 done, 1 failed, 2 usage, 3 refused, 4 API or Prometheus unreachable, 5 bad model or data, 6 gate failed\n");
}

static int unknown(const char *word)
{
	const char *names[SUBCOMMANDS_MAX + 1] = { NULL };
	for (size_t i = 0; i < SUBCOMMANDS_MAX && subcommands()[i].name; i++)
		names[i] = subcommands()[i].name;
	const char *near = opts_nearest(word, names);
	(void) fprintf(stderr, "maestro: unknown command \"%s\"%s%s; see maestro --help\n", word,
	               near ? ", did you mean " : "", near ? near : "");
	return err_exit_status(ERR_USAGE);
}

/* The console over a cluster is `run`: where a word names a target, or the cluster. */
static bool is_of_cluster(int argc, char **argv)
{
	static const char *const names[] = { "--deployment", "--selector", "--context", "-d", "-l" };
	bool is = false;
	for (int i = 1; i < argc; i++) {
		bool is_letter = argv[i][0] == '-' && argv[i][1] != '-'; /* its value may follow at once: -lapp=web */
		size_t len = is_letter ? 2 : strcspn(argv[i], "=");
		if (len == strlen("--attach") && !strncmp(argv[i], "--attach", len))
			return false; /* over somebody else's, which may be there too */
		for (size_t k = 0; k < sizeof names / sizeof *names; k++)
			is |= strlen(names[k]) == len && !strncmp(argv[i], names[k], len);
	}
	return is;
}

static const Opt *option_of(const OptCommand *command, const char *name, size_t len)
{
	for (const Opt *o = command->opt; o->name; o++)
		if (strlen(o->name) == len && !strncmp(o->name, name, len))
			return o;
	return NULL;
}

/* Whether the first screen is one of the store alone. */
static bool begins_in_store(int argc, char **argv)
{
	const char *screen = opts_environment("screen");
	for (int i = 1; i < argc; i++)
		if (!strncmp(argv[i], "--screen=", 9))
			screen = argv[i] + 9;
		else if (!strcmp(argv[i], "--screen") && i + 1 < argc)
			screen = argv[i + 1];
	return screen && (!strcmp(screen, "runs") || !strcmp(screen, "compare"));
}

/* Whether each option is one of `run` too, and none asks for a picture or for the simulated target. */
static bool are_of_run(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *name = argv[i] + (argv[i][0] == '-') + (!strncmp(argv[i], "--", 2));
		if (name == argv[i])
			continue; /* a value */
		bool is_letter = argv[i][1] != '-', is_known = false;
		size_t len = strcspn(name, "=");
		bool is_no = !is_letter && len > 3 && !strncmp(name, "no-", 3);
		name += is_no ? 3 : 0;
		len -= is_no ? 3 : 0;
		for (const Opt *o = RUN_COMMAND.opt; is_letter && o->name && !is_known; o++)
			is_known = o->letter == *name;
		is_known |= !is_letter && option_of(&RUN_COMMAND, name, len);
		if (!is_known || (len == strlen("json") && !strncmp(name, "json", len))) /* `run` has another of that name */
			return false;
	}
	return true;
}

/* Whether a variable or the file's part of the console asks for what `run` has not: another's autoscaler, the simulated target. */
static bool is_set_elsewhere(const Json *file)
{
	for (const Opt *o = CONSOLE_COMMAND.opt; o->name; o++)
		if (!option_of(&RUN_COMMAND, o->name, strlen(o->name)) &&
		    (opts_environment(o->name) || json_get(file, o->name) || json_get(json_get(file, "console"), o->name)))
			return true;
	return false;
}

/* The command that the line is of, whose part of the configuration file it has. Targets of that file are for a screen: what is printed
 * off a terminal, or reads the store alone, watches nothing. */
static const char *command_of(int argc, char **argv, const Json *file)
{
	if (argc > 1 && argv[1][0] != '-')
		return argv[1];
	bool is_of_file = json_len(json_get(file, "targets")) > 0 && are_of_run(argc, argv) && !begins_in_store(argc, argv) &&
		!is_set_elsewhere(file) && ui_can_run();
	return is_of_cluster(argc, argv) || is_of_file ? "run" : "console";
}

/* The console over targets that only the file names: it watches. Who acts says so, by `run`, by naming one or by --no-dry-run. */
static int watch(int argc, char **argv)
{
	char **line = calloc((size_t) argc + 2, sizeof *line);
	if (!line)
		return err_exit_status(ERR_NOMEM);
	line[0] = argv[0];
	line[1] = (char[]) { "--dry-run" }; /* what the line itself says comes behind it */
	memcpy(line + 2, argv + 1, (size_t) (argc - 1) * sizeof *line);
	int status = cmd_run(argc + 1, line);
	free(line);
	return status;
}

static int dispatch(const char *command, int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "-";
	if (!strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help")) {
		print_help();
		return 0;
	}
	if (!strcmp(word, "--version") || !strcmp(word, "version")) {
		printf("maestro %s\n", MAESTRO_VERSION);
		return 0;
	}
	if (word[0] == '-' && !strcmp(command, "run"))
		return is_of_cluster(argc, argv) ? cmd_run(argc, argv) : watch(argc, argv);
	if (word[0] == '-')
		return cmd_console(argc, argv);
	for (const Subcommand *s = subcommands(); s->name; s++)
		if (!strcmp(s->name, word))
			return s->run(argc - 1, argv + 1);
	return unknown(word);
}

int cmd_fail(int code, const Error *err)
{
	(void) fprintf(stderr, "maestro: %s\n", err && err->text[0] ? err->text : err_text(code));
	return err_exit_status(code);
}

void cmd_db_path(const char *given, char *path, size_t size)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	if (given)
		str_copy(path, size, given);
	else if (data && *data)
		(void) snprintf(path, size, "%s/maestro/maestro.db", data);
	else
		(void) snprintf(path, size, "%s/.local/share/maestro/maestro.db", home && *home ? home : ".");
}

/* A descriptor 0 to 2 that was closed would be given to the next file or socket, and talk would go into it. */
static void keep_standard_streams(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void) close(fd);
}

int main(int argc, char **argv)
{
	keep_standard_streams();
	(void) signal(SIGPIPE, SIG_IGN); /* a closed pipe is a failed write, not the end of a run */
	Error err = { 0 };
	const char *command;
	int code = config_apply(command_of, &argc, argv, &command, &err);
	int status = code ? cmd_fail(code, &err) : dispatch(command, argc, argv);
	if ((fflush(stdout) || ferror(stdout)) && !status)
		status = err_exit_status(ERR_IO);
	http_global_done();
	return status;
}
