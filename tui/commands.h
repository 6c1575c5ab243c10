/*
 * The palette's commands: one table of names, arguments, what each does, and the command line that does the same.
 *
 * A command that finds an argument wrong says which and why; the palette then stays open with it marked.
 */
#ifndef MAESTRO_TUI_COMMANDS_H
#define MAESTRO_TUI_COMMANDS_H

#include "tui/console.h"

enum { WORDS_MOST = 24, WORD_MOST = 64, ARGS_MOST = 3, CANDIDATES_MOST = 128 };

typedef struct Words { /* what stands behind a command's name */
	int n;
	char word[WORDS_MOST][WORD_MOST];
	int col[WORDS_MOST];   /* of each in the prompt */
	const char *rest;      /* all of it as typed */
} Words;

typedef struct Fault {
	char text[120]; /* "": none */
	int word;       /* counted from 0; -1: none of them */
} Fault;

typedef enum ArgKind { ARG_NONE, ARG_TARGET, ARG_TIME, ARG_PARAM, ARG_TRAFFIC, ARG_FAULT, ARG_TOPIC,
	ARG_COLUMNS, ARG_OPTIONS /* these two and all after it */ } ArgKind;

typedef struct CommandRow {
	const char *name, *arguments, *help;
	const char *shell;  /* command_shell's template */
	bool is_write;
	ArgKind arg[ARGS_MOST]; /* what Tab completes there */
	ConsoleResult (*run)(Console *console, const Words *words, Fault *fault);
} CommandRow;

const CommandRow *commands_table(size_t *ret_n);
/* Of ":set WHAT ...": the command that WHAT names and the words behind it; a number is replicas. NULL: there is none such. */
const CommandRow *command_of_set(const Words *words, Words *rest);
/* Splits at blanks; text is the prompt's, lent. */
void words_split(const char *text, Words *words);

/* A text with "{...}" of shell.c's parts, filled from what is shown; console may be NULL. What does not fit is "": a part of a command
 * does something else. */
void shell_fill(const Console *console, const char *template, char *text, size_t size);
/* The command line that does the same, with what was typed and what is shown in it; words NULL: names of the arguments in their
 * place. console may be NULL. "" where there is none. */
void command_shell(const Console *console, const CommandRow *row, const Words *words, char *text, size_t size);
/* The same of a key's action on a screen. */
void action_shell(const Console *console, ScreenId screen, UiAction action, char *text, size_t size);

typedef struct Candidates {
	int n;
	char text[CANDIDATES_MOST][WORD_MOST];
} Candidates;

/* What may stand in the place of word `at`, of those that begin with it. */
void command_candidates(const Console *console, const CommandRow *row, const Words *words, int at, Candidates *ret);

/* What a hold is about: its words in any order, but of two numbers the first is minutes. */
typedef struct TargetWords {
	int target;        /* in the feed's order; -1: the chosen one */
	const char *time;  /* as typed; NULL */
	const char *count; /* NULL */
} TargetWords;
/* False: fault says which word is none of these. */
bool target_words(const Console *console, const Words *words, TargetWords *ret, Fault *fault);

#endif
