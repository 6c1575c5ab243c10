/* What may stand in the place of a word that is being typed behind a command; see commands.h. */
#include "tui/columns.h"
#include "tui/commands.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static void offer(Candidates *list, const char *begin, const char *word)
{
	for (int i = 0; i < list->n; i++)
		if (!strcmp(list->text[i], word))
			return;
	if (list->n < CANDIDATES_MOST && !strncasecmp(word, begin, strlen(begin)))
		str_copy(list->text[list->n++], WORD_MOST, word);
}

/* Words parted by commas and blanks. */
static void offer_words(Candidates *list, const char *begin, const char *words)
{
	char word[WORD_MOST];
	for (const char *at = words; *at;) {
		size_t len = strcspn(at, ", ");
		if (len) {
			(void) snprintf(word, sizeof word, "%.*s", (int) (len < WORD_MOST ? len : WORD_MOST - 1), at);
			offer(list, begin, word);
		}
		at += len;
		at += strspn(at, ", ");
	}
}

static void offer_targets(const Console *console, Candidates *list, const char *begin)
{
	char full[NAMESPACE_MAX + NAME_MAX_K8S];
	for (int i = 0; i < console->frame.n_targets; i++) {
		target_full_name(&console->frame.target[i]->target, full, sizeof full);
		offer(list, begin, strchr(begin, '/') ? full : console->frame.target[i]->target.name);
	}
}

/* With the + or - that stands before it. */
static void offer_columns(const Console *console, Candidates *list, const char *begin)
{
	const ScreenOps *ops = screen_ops(console->screen);
	char word[WORD_MOST / 2], whole[WORD_MOST];
	bool has_sign = begin[0] == '+' || begin[0] == '-';
	for (int i = 0; i < ops->n_columns; i++) {
		if (!ops->columns[i].title[0])
			continue;
		(void) snprintf(whole, sizeof whole, "%.*s%s", has_sign, begin, columns_word(&ops->columns[i], word));
		offer(list, begin, whole);
	}
	offer(list, begin, "default");
}

/* Of a training that begins from here; none where the word before is one that takes a value. */
static void offer_options(const Console *console, Candidates *list, const Words *words, int at, const char *begin)
{
	const Opt *table = console->opts.next_options;
	const char *before = at > 0 ? words->word[at - 1] : "";
	const Opt *asks = table && !strncmp(before, "--", 2) ? opt_find(table, before + 2, strlen(before + 2)) : NULL;
	char word[WORD_MOST];
	for (const Opt *opt = asks && asks->kind != OPT_FLAG ? NULL : table; opt && opt->name; opt++) {
		(void) snprintf(word, sizeof word, "--%s", opt->name);
		offer(list, begin, word);
	}
}

static void offer_topics(Candidates *list, const char *begin)
{
	size_t n;
	const KeyRow *keys = keys_table(&n);
	for (size_t i = 0; i < n; i++)
		if (keys[i].id)
			offer(list, begin, keys[i].id);
}

void command_candidates(const Console *console, const CommandRow *row, const Words *words, int at, Candidates *ret)
{
	Words rest;
	const CommandRow *of_set = !strcmp(row->name, "set") && at > 0 ? command_of_set(words, &rest) : NULL;
	ret->n = 0;
	if (of_set) {
		command_candidates(console, of_set, &rest, at - 1, ret);
		return;
	}
	const char *begin = at < words->n ? words->word[at] : "";
	ArgKind kind = row->arg[0] >= ARG_COLUMNS ? row->arg[0] : at < ARGS_MOST ? row->arg[at] : ARG_NONE;
	switch (kind) {
	case ARG_TARGET: offer_targets(console, ret, begin); break;
	case ARG_TIME: offer_words(ret, begin, "10m 30m 1h"); break;
	case ARG_PARAM: offer_words(ret, begin, "replicas lr entropy clip steps traffic chaos"); break;
	case ARG_TRAFFIC: offer_words(ret, begin, console->frame.train ? console->frame.train->traces : ""); break;
	case ARG_FAULT: offer_words(ret, begin, dialog_faults()); break;
	case ARG_COLUMNS: offer_columns(console, ret, begin); break;
	case ARG_OPTIONS: offer_options(console, ret, words, at, begin); break;
	case ARG_TOPIC: offer_topics(ret, begin); break;
	default: break;
	}
}
