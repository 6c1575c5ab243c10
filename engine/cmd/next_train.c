/* See next_train.h. What is said by a variable, the options may say otherwise. */
#include "cmd/next_train.h"

#include "base/mem.h"
#include "cmd/train_opts.h"
#include "tui/ui.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS_MAX = 64 };

/* Words parted by blanks; a quoted one may hold some. Cuts text up. */
static int split(char *text, char *word[WORDS_MAX])
{
	int n = 0;
	while (n < WORDS_MAX - 1) {
		text += strspn(text, " \t");
		char quote = *text == '\'' || *text == '"' ? *text++ : '\0';
		if (!*text && !quote)
			break;
		word[n++] = text;
		text += quote ? strcspn(text, quote == '"' ? "\"" : "'") : strcspn(text, " \t");
		if (!*text)
			break;
		*text++ = '\0';
	}
	word[n] = NULL;
	return n;
}

int next_train_check(const char *options, Error *err)
{
	static const char *const PRINTS[] = { "--help", "-h" };
	char text[UI_NEXT], program[] = "train", *word[WORDS_MAX + 1] = { program };
	str_copy(text, sizeof text, options);
	int n = split(text, word + 1);
	for (int i = 1; i <= n; i++)
		for (size_t k = 0; k < sizeof PRINTS / sizeof *PRINTS; k++)
			if (!strcmp(word[i], PRINTS[k]))
				return error_set(err, ERR_USAGE, "in another terminal: maestro train --help");
	TrainOptions *trial = calloc(1, sizeof *trial);
	int code = trial ? train_options_read(&TRAIN_COMMAND, trial, n + 1, word, err) : error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	free(trial);
	return code;
}

int next_train(const NextTrain *next, Error *err)
{
	static char maestro[] = "maestro", train[] = "train";
	char text[UI_NEXT], *word[WORDS_MAX + 2] = { maestro, train };
	str_copy(text, sizeof text, next->options);
	(void) split(text, word + 2);
	const char *const variables[][2] = { { "MAESTRO_DB", next->db }, { "MAESTRO_GLYPHS", next->glyphs }, { "MAESTRO_COLOR", next->color },
		{ "MAESTRO_THEME", next->theme }, { "MAESTRO_MOUSE", next->has_mouse ? "on" : "off" } };
	for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
		if (variables[i][1])
			(void) setenv(variables[i][0], variables[i][1], 1);
	(void) execv("/proc/self/exe", word);
	return error_set(err, ERR_IO, "maestro train %.100s: %s", next->options, strerror(errno));
}
