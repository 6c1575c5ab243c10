/* `maestro keys|colors|completion`: what the console's tables say, and the shell's completion, which asks --help. */
#include "cmd/cmd.h"
#include "cmd/opts.h"
#include "cmd/session.h"

#include "base/mem.h"
#include "tui/colors.h"
#include "tui/commands.h"
#include "tui/keys.h"
#include "tui/ui.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MOST = 1 << 20 };

typedef struct CheckOptions {
	const char *check;
	bool has_check, json, commands;
} CheckOptions;

static const Opt KEYS_OPTIONS[] = {
	{ "check", 0, OPT_STRING, offsetof(CheckOptions, check), 0, 0, "FILE", "tests a keys.yaml and names what is wrong in it", false },
	{ "commands", 0, OPT_FLAG, offsetof(CheckOptions, commands), 0, 0, NULL, "the palette's commands, each with the command line that does the same", false },
	{ "json", 0, OPT_FLAG, offsetof(CheckOptions, json), 0, 0, NULL, "one JSON object a row", false },
	{ 0 },
};

const OptCommand KEYS_COMMAND = {
	"keys [--commands | --check FILE]",
	"Prints the table of keys, with those of $XDG_CONFIG_HOME/maestro/keys.yaml marked *; its names are those of that file, such as\nlive.override: o",
	KEYS_OPTIONS, 0,
};

/* Frees it. */
static int print_row(Json *row)
{
	char *text = json_print(row);
	json_free(row);
	if (!text)
		return ERR_NOMEM;
	printf("%s\n", text);
	free(text);
	return 0;
}

/* As keys.yaml has them: what the console would take. */
static int print_keys(bool is_json)
{
	size_t n;
	const KeyRow *table = keys_table(&n);
	Keymap keymap;
	UiOptions ui;
	Error err = { 0 };
	char id[48], name[32], help[160], shell[160];
	int code = session_keys(&keymap, &ui, &err);
	if (code)
		return cmd_fail(code, &err);
	for (size_t i = 0; i < n; i++) {
		if (!table[i].id)
			continue;
		keys_full_id(&table[i], id, sizeof id);
		(void) keys_say(&keymap, table[i].help, help, sizeof help);
		if (!is_json) {
			printf("%-22s %-8s %s%s\n", id, keys_names(&keymap, i, name), keys_is_changed(&keymap, i) ? "* " : "", help);
			continue;
		}
		Json *row = json_new_object();
		json_add_string(row, "name", id);
		json_add_string(row, "key", keys_names(&keymap, i, name));
		json_add_bool(row, "writes", table[i].is_write);
		ScreenId screen = table[i].screens & ON_RUNS ? SCREEN_RUNS : SCREEN_LIVE;
		action_shell(NULL, screen, table[i].action, shell, sizeof shell);
		json_add_string(row, "shell", shell);
		json_add_bool(row, "changed", keys_is_changed(&keymap, i));
		json_add_string(row, "help", help);
		code = print_row(row);
		if (code)
			return err_exit_status(code);
	}
	return 0;
}

static int print_commands(bool is_json)
{
	size_t n;
	const CommandRow *table = commands_table(&n);
	char typed[64], shell[160];
	for (size_t i = 0; i < n; i++) {
		command_shell(NULL, &table[i], NULL, shell, sizeof shell);
		(void) snprintf(typed, sizeof typed, ":%s %s", table[i].name, table[i].arguments);
		if (!is_json) {
			printf("%-34s %-53s %s\n", typed, table[i].help, shell);
			continue;
		}
		Json *row = json_new_object();
		json_add_string(row, "name", table[i].name);
		json_add_string(row, "arguments", table[i].arguments);
		json_add_bool(row, "writes", table[i].is_write);
		json_add_string(row, "shell", shell);
		json_add_string(row, "help", table[i].help);
		int code = print_row(row);
		if (code)
			return err_exit_status(code);
	}
	return 0;
}

int cmd_keys(int argc, char **argv)
{
	CheckOptions options = { 0 };
	int words, code = opts_parse(&KEYS_COMMAND, argc, argv, &options, &words);
	if (code)
		return code == OPTS_HELPED ? 0 : err_exit_status(code);
	if (options.commands)
		return print_commands(options.json);
	if (!options.check)
		return print_keys(options.json);
	StrBuf text = { 0 }, problems = { 0 };
	Error err = { 0 };
	Keymap keymap;
	keys_default(&keymap);
	code = mem_read_file(options.check, FILE_MOST, &text, &err);
	int bad = code ? code : keys_load(text.data ? text.data : "", text.len, &keymap, &problems, &err);
	if (bad < 0) {
		char said[sizeof err.text];
		str_copy(said, sizeof said, err.text);
		(void) error_set(&err, bad, "%.60s: %.180s", options.check, said);
	} else if (bad) {
		(void) fprintf(stderr, "%s", problems.data);
		(void) error_set(&err, ERR_USAGE, "%s: %d of its lines are wrong", options.check, bad);
	}
	strbuf_done(&text);
	strbuf_done(&problems);
	return bad < 0 ? cmd_fail(bad == ERR_PARSE ? ERR_BAD_MODEL : bad, &err) : bad ? cmd_fail(ERR_BAD_MODEL, &err) : 0;
}

static const Opt COLORS_OPTIONS[] = {
	{ "check", 0, OPT_FLAG, offsetof(CheckOptions, has_check), 0, 0, NULL,
	  "fails where text is under 4.5:1, a mark under 3:1, or two series look alike to the colour-blind", false },
	{ 0 },
};

const OptCommand COLORS_COMMAND = {
	"colors [--check]",
	"Prints the palettes with their contrast on black and on white, and how far the series are apart for three kinds of\n"
	"colour blindness.",
	COLORS_OPTIONS, 0,
};

int cmd_colors(int argc, char **argv)
{
	CheckOptions options = { 0 };
	StrBuf report = { 0 };
	int words, code = opts_parse(&COLORS_COMMAND, argc, argv, &options, &words);
	if (code)
		return code == OPTS_HELPED ? 0 : err_exit_status(code);
	int bad = colors_check(&report);
	code = report.failed ? ERR_NOMEM : 0;
	if (!code)
		(void) fputs(report.data, stdout);
	strbuf_done(&report);
	if (code)
		return cmd_fail(code, NULL);
	return bad && options.has_check ? cmd_fail(ERR_FAILED, &(Error) { .text = "the palette fails its check" }) : 0;
}

/* ---- completion ---- */

static const char BASH[] =
	"# bash completion for maestro: source it, or put it into ~/.local/share/bash-completion/completions/maestro\n"
	"_maestro() {\n"
	"    local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]}\n"
	"    if [ \"$COMP_CWORD\" = 1 ] && [[ $word != -* ]]; then\n"
	"        COMPREPLY=($(compgen -W \"$(maestro --help | sed -n 's/^  \\([a-z][a-z-]*\\)  .*/\\1/p')\" -- \"$word\"))\n"
	"    elif [[ $word == -* ]]; then\n"
	"        [[ $command == -* ]] && command=\n"
	"        COMPREPLY=($(compgen -W \"$(maestro $command --help 2>/dev/null | grep -o -- '--[a-z][a-z-]*' | sort -u)\" -- \"$word\"))\n"
	"    else\n"
	"        COMPREPLY=($(compgen -f -- \"$word\"))\n"
	"    fi\n"
	"}\n"
	"complete -o filenames -F _maestro maestro\n";

static const char ZSH[] =
	"#compdef maestro\n"
	"# zsh completion for maestro: put it into a folder of $fpath as _maestro\n"
	"_maestro() {\n"
	"    local command=${words[2]}\n"
	"    if (( CURRENT == 2 )) && [[ $PREFIX != -* ]]; then\n"
	"        compadd -- ${(f)\"$(maestro --help | sed -n 's/^  \\([a-z][a-z-]*\\)  .*/\\1/p')\"}\n"
	"    elif [[ $PREFIX == -* ]]; then\n"
	"        [[ $command == -* ]] && command=\n"
	"        compadd -- ${(f)\"$(maestro $command --help 2>/dev/null | grep -o -- '--[a-z][a-z-]*' | sort -u)\"}\n"
	"    else\n"
	"        _files\n"
	"    fi\n"
	"}\n"
	"_maestro \"$@\"\n";

static const char FISH[] =
	"# fish completion for maestro: put it into ~/.config/fish/completions/maestro.fish\n"
	"complete -c maestro -n __fish_use_subcommand -f -a \"(maestro --help | sed -n 's/^  \\([a-z][a-z-]*\\)  \\(.*\\)/\\1\\t\\2/p')\"\n"
	"complete -c maestro -n 'string match -q -- \"-*\" (commandline -ct)' -f "
	"-a \"(maestro (commandline -opc)[2] --help 2>/dev/null | grep -o -- '--[a-z][a-z-]*' | sort -u)\"\n";

static const char KUBECTL[] =
	"#!/bin/sh\n"
	"# completion of `kubectl maestro`: put it into a folder of $PATH as kubectl_complete-maestro, executable\n"
	"for word; do :; done # the last one is being written\n"
	"case $word in\n"
	"-*) [ $# -gt 1 ] && command=$1\n"
	"    maestro $command --help 2>/dev/null | grep -o -- '--[a-z][a-z-]*' | sort -u | grep -- \"^$word\"; echo :4 ;;\n"
	"*)  [ $# -gt 1 ] || maestro --help | sed -n \"s/^  \\($word[a-z-]*\\)  *\\(.*\\)/\\1\\t\\2/p\"\n"
	"    [ $# -gt 1 ] && echo :0 || echo :4 ;; # files, or nothing else\n"
	"esac\n";

static const Opt COMPLETION_OPTIONS[] = { { 0 } };
const OptCommand COMPLETION_COMMAND = {
	"completion bash|zsh|fish|kubectl",
	"Prints a shell's completion script, or kubectl's for `kubectl maestro`. It asks --help, and so knows what this very program knows.",
	COMPLETION_OPTIONS, 1,
};

int cmd_completion(int argc, char **argv)
{
	static const struct {
		const char *shell, *script;
	} SCRIPTS[] = { { "bash", BASH }, { "zsh", ZSH }, { "fish", FISH }, { "kubectl", KUBECTL } };
	CheckOptions options = { 0 };
	int words, code = opts_parse(&COMPLETION_COMMAND, argc, argv, &options, &words);
	if (code)
		return code == OPTS_HELPED ? 0 : err_exit_status(code);
	for (size_t i = 0; words && i < sizeof SCRIPTS / sizeof *SCRIPTS; i++) {
		if (strcmp(SCRIPTS[i].shell, argv[1]) != 0)
			continue;
		(void) fputs(SCRIPTS[i].script, stdout);
		return 0;
	}
	return cmd_fail(ERR_USAGE, &(Error) { .text = "completion: write bash, zsh, fish or kubectl" });
}
