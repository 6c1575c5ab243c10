/* The table of commands and what each does. See commands.h. */
#include "tui/commands.h"
#include "tui/columns.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void words_split(const char *text, Words *words)
{
	const char *at = text + strcspn(text, " ");
	words->n = 0;
	words->rest = at + strspn(at, " ");
	for (at = words->rest; *at && words->n < WORDS_MOST; at += strspn(at, " ")) {
		size_t len = strcspn(at, " ");
		words->col[words->n] = (int) (at - text);
		(void) snprintf(words->word[words->n++], WORD_MOST, "%.*s", (int) (len < WORD_MOST ? len : WORD_MOST - 1), at);
		at += len;
	}
}

__attribute__((format(printf, 3, 4)))
static ConsoleResult wrong(Fault *fault, int word, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void) vsnprintf(fault->text, sizeof fault->text, format, args);
	va_end(args);
	fault->word = word;
	return CONSOLE_STAYS;
}

/* ---- screens ---- */

static ConsoleResult begin(Console *console, const Words *words, Fault *fault);

/* :train with options, or where nothing trains, is :begin. */
static ConsoleResult go_to(Console *console, ScreenId screen, const Words *words, Fault *fault)
{
	bool is_begin = screen == SCREEN_TRAIN && (words->n || !console_has(console, screen)) && !console_is_readonly(console);
	if (is_begin)
		return begin(console, words, fault);
	console_go(console, screen);
	return CONSOLE_STAYS;
}

#define GO(id, word, key, help, said, shell) \
	static ConsoleResult go_##word(Console *console, const Words *words, Fault *fault) \
	{ \
		return go_to(console, SCREEN_##id, words, fault); \
	}
SCREENS(GO)

static void show_runs(Console *console, const char *filter)
{
	str_copy(console->runs.filter, sizeof console->runs.filter, filter); /* before it is shown: the first question is of this list */
	console->runs.offset = console->runs.selected = 0;
	console_go(console, SCREEN_RUNS);
	console_refresh(console, console->now_ms);
}

static ConsoleResult filter(Console *console, const Words *words, Fault *fault)
{
	(void) fault;
	show_runs(console, words->rest);
	return CONSOLE_STAYS;
}

static ConsoleResult trash(Console *console, const Words *words, Fault *fault)
{
	(void) words;
	(void) fault;
	show_runs(console, "is:trash");
	return CONSOLE_STAYS;
}

/* What goes is asked of the store; the dialog names it once that has come. */
static ConsoleResult purge(Console *console, const Words *words, Fault *fault)
{
	bool is_all = words->n == 1 && !strcmp(words->word[0], "all");
	if (words->n && !is_all)
		return wrong(fault, 0, "only all may stand here: what is in the trash for less than " TRASH_DAYS_TEXT " days too");
	console->runs.purges = is_all ? PURGE_ALL : PURGE_DUE;
	console->runs.is_grouped = false;
	console->runs.is_asked_anew = true;
	show_runs(console, console->runs.purges);
	return CONSOLE_STAYS;
}

static ConsoleResult help(Console *console, const Words *words, Fault *fault)
{
	(void) fault;
	console->is_helping = true;
	console->help_top = 0;
	str_copy(console->help_search, sizeof console->help_search, words->rest);
	return CONSOLE_STAYS;
}

static ConsoleResult cols(Console *console, const Words *words, Fault *fault)
{
	const ScreenOps *ops = screen_ops(console->screen);
	const char *word[WORDS_MOST];
	int at = 0;
	if (!ops->n_columns)
		return wrong(fault, -1, "%s has no table with columns", ops->name);
	if (!words->n)
		return wrong(fault, -1, "write columns in their order, or +COLUMN, -COLUMN, default; Tab completes");
	for (int i = 0; i < words->n; i++)
		word[i] = words->word[i];
	int code = columns_choose(&console->columns.of[console->screen], ops->columns, ops->n_columns, word, words->n, &at);
	if (code)
		return wrong(fault, at, code == ERR_NOT_FOUND ? "%s has no column %.30s" : "%s must keep a column, not lose %.30s", ops->name, word[at]);
	console_keep_columns(console);
	return CONSOLE_STAYS;
}

/* ---- a training ---- */

static ConsoleResult set_param(Console *console, TrainParam param, const char *value, Fault *fault)
{
	if (!console->frame.train)
		return wrong(fault, -1, "nothing is training");
	dialog_open_param(&console->dialog, console->frame.train, param);
	str_copy(console->dialog.field[0].text, FIELD_TEXT_MAX, value);
	return CONSOLE_STAYS;
}

#define SET(name, param) \
	static ConsoleResult set_##name(Console *console, const Words *words, Fault *fault) \
	{ \
		return set_param(console, param, words->rest, fault); \
	}
SET(lr, PARAM_LEARNING_RATE)
SET(entropy, PARAM_ENT_COEF)
SET(clip, PARAM_CLIP_RANGE)
SET(steps, PARAM_STEPS)
SET(traffic, PARAM_TRAFFIC)
SET(chaos, PARAM_CHAOS)

/* A training in the place of this console. */
static ConsoleResult begin(Console *console, const Words *words, Fault *fault)
{
	(void) fault;
	if (words->n)
		console_train(console, words->rest);
	else
		console_begin(console);
	return console->is_leaving ? CONSOLE_TRAIN : CONSOLE_STAYS;
}

/* ---- a target ---- */

static int find_target(const Console *console, const char *word)
{
	char full[NAMESPACE_MAX + NAME_MAX_K8S];
	for (int i = 0; i < console->frame.n_targets; i++) {
		target_full_name(&console->frame.target[i]->target, full, sizeof full);
		if (!strcmp(full, word) || !strcmp(console->frame.target[i]->target.name, word))
			return i;
	}
	return -1;
}

static bool is_number(const char *word)
{
	return word[0] && word[strspn(word, "0123456789")] == '\0';
}

bool target_words(const Console *console, const Words *words, TargetWords *ret, Fault *fault)
{
	*ret = (TargetWords) { .target = -1 };
	for (int i = 0; i < words->n; i++) {
		const char *word = words->word[i];
		int target = find_target(console, word);
		if (is_number(word) && ret->count && !ret->time) { /* "30 8": minutes, then replicas */
			ret->time = ret->count;
			ret->count = word;
		} else if (is_number(word) && !ret->count) {
			ret->count = word;
		} else if (target >= 0 && ret->target < 0) {
			ret->target = target;
		} else if (dialog_parse_hold(word) > 0 && !ret->time) {
			ret->time = word;
		} else {
			bool may_be_target = ret->target < 0 && !isdigit((unsigned char) word[0]);
			(void) wrong(fault, i, may_be_target ? "there is no target %.40s" : "%.40s is neither a time such as 30m nor a number", word);
			return false;
		}
	}
	return true;
}

/* The target of the words on Live, and no frozen picture of it; NULL: there is none. */
static const LiveView *go_to_target(Console *console, const TargetWords *of, Fault *fault)
{
	console_unfreeze(console);
	if (!console->frame.live) {
		if (console->feed->can_begin)
			console_go(console, SCREEN_LIVE);
		(void) wrong(fault, -1, "%.90s", console->not_begun[0] ? console->not_begun : console->feed->can_begin
		             ? "the simulated target is starting: Enter once more" : console->frame.absent ? console->frame.absent : "there is no target");
		return NULL;
	}
	if (of->target >= 0 && of->target != console->target) {
		console->target = of->target;
		console->cursor_ms = 0;
		console->frame.live = console->frame.target[of->target];
	}
	console_go(console, SCREEN_LIVE);
	return console->frame.live;
}

/* Opens the override dialog with what was typed. */
static ConsoleResult hold(Console *console, const Words *words, Fault *fault)
{
	TargetWords of;
	const LiveView *live = target_words(console, words, &of, fault) ? go_to_target(console, &of, fault) : NULL;
	if (!live)
		return CONSOLE_STAYS;
	Field *field = console->dialog.field;
	dialog_open_override(&console->dialog, live);
	field[OVERRIDE_ACTION].at = CHOICE_SET;
	if (of.time)
		str_copy(field[OVERRIDE_HOLD].text, FIELD_TEXT_MAX, of.time);
	if (of.count)
		str_copy(field[OVERRIDE_REPLICAS].text, FIELD_TEXT_MAX, of.count);
	else if (live_replicas(live) >= 0) /* as they are */
		(void) snprintf(field[OVERRIDE_REPLICAS].text, FIELD_TEXT_MAX, "%d", live_replicas(live));
	return CONSOLE_STAYS;
}

static ConsoleResult resume(Console *console, const Words *words, Fault *fault)
{
	TargetWords of;
	const LiveView *live = target_words(console, words, &of, fault) ? go_to_target(console, &of, fault) : NULL;
	if (!live)
		return CONSOLE_STAYS;
	dialog_open_override(&console->dialog, live);
	console->dialog.field[OVERRIDE_ACTION].at = CHOICE_RESUME;
	return CONSOLE_STAYS;
}

/* The time of the target that "HH:MM[:SS]" (of the last day that has it) or "-30m" means; 0: neither. */
static int64_t moment_of(const LiveView *live, const char *word)
{
	int hour, minute, second = 0, used = 0;
	int64_t back_ms = word[0] == '-' ? dialog_parse_hold(word + 1) : -1;
	if (back_ms > 0)
		return live->wall_ms - back_ms;
	bool is_clock = sscanf(word, "%2d:%2d%n:%2d%n", &hour, &minute, &used, &second, &used) >= 2 && !word[used];
	if (!is_clock || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
		return 0;
	time_t now = (time_t) (live->wall_ms / 1000);
	struct tm local;
	(void) localtime_r(&now, &local);
	local.tm_hour = hour;
	local.tm_min = minute;
	local.tm_sec = second;
	local.tm_isdst = -1;
	time_t then = mktime(&local);
	return (int64_t) (then > now ? then - 86400 : then) * 1000;
}

static ConsoleResult history(Console *console, const Words *words, Fault *fault)
{
	TargetWords of = { .target = words->n > 1 ? find_target(console, words->word[0]) : -1 };
	if (words->n > 1 && of.target < 0)
		return wrong(fault, 0, "there is no target %.40s", words->word[0]);
	if (!words->n || words->n > 2)
		return wrong(fault, -1, "write a time such as 12:40 or -30m");
	const char *word = words->word[words->n - 1];
	const LiveView *live = console->frame.live ? of.target >= 0 ? console->frame.target[of.target] : console->frame.live : NULL;
	int64_t moment = live ? moment_of(live, word) : 0;
	if (live && !moment)
		return wrong(fault, words->n - 1, "%.30s is no time such as 12:40 or -30m", word);
	if (!go_to_target(console, &of, fault))
		return CONSOLE_STAYS;
	console->cursor_ms = moment;
	console_refresh(console, console->now_ms);
	return CONSOLE_STAYS;
}

/* ---- the rest ---- */

static ConsoleResult export(Console *console, const Words *words, Fault *fault)
{
	(void) fault;
	str_copy(console->export_path, sizeof console->export_path, words->rest);
	if (words->n)
		return CONSOLE_EXPORT;
	console_prompt(console, PROMPT_EXPORT, "export to", "maestro.txt");
	return CONSOLE_STAYS;
}

static ConsoleResult quit(Console *console, const Words *words, Fault *fault)
{
	(void) words;
	(void) fault;
	return console_act(console, ACT_QUIT);
}

static ConsoleResult set(Console *console, const Words *words, Fault *fault);

#define SCREEN_ROW(id, word, key, help, said, shell) { #word, "", said, shell, false, { 0 }, go_##word },
static const CommandRow TABLE[] = {
	SCREENS(SCREEN_ROW)
	{ "filter", "<words>", "runs that match", "maestro runs list --filter {rest|WORDS}{db}", false, { 0 }, filter },
	{ "trash", "", "runs in the trash", "maestro runs list --filter is:trash{db}", false, { 0 }, trash },
	{ "purge", "[all]", "purge what is " TRASH_DAYS_TEXT " days in the trash, or all", "maestro runs purge{all} --confirm trash{db}", true, { 0 }, purge },
	{ "cols", "<column>...", "columns of this table and their order; +x, -x, default", "maestro --screen {screen}{db}", false,
	  { ARG_COLUMNS }, cols },
	{ "hold", "<target> <time> <replicas>", "hold replicas, then resume", "maestro override {hold}{db}", true,
	  { ARG_TARGET, ARG_TIME }, hold },
	{ "set", "<what> <value>", "replicas, lr, entropy, clip, steps, traffic or chaos", "maestro override set TARGET N{db}", true,
	  { ARG_PARAM, ARG_TARGET, ARG_TIME }, set },
	{ "replicas", "<target> <replicas>", "set the replicas for a while", "maestro override {hold}{db}", true,
	  { ARG_TARGET, ARG_TIME }, hold },
	{ "resume", "<target>", "give back to the policy", "maestro override resume {target}{context}{db}", true, { ARG_TARGET }, resume },
	{ "lr", "<x>", "learning rate, from the next update on", "maestro train --from {train} --learning-rate {rest|X}{db}", true, { 0 }, set_lr },
	{ "entropy", "<x>", "entropy coefficient", "maestro train --from {train} --ent-coef {rest|X}{db}", true, { 0 }, set_entropy },
	{ "clip", "<x>", "clip range", "maestro train --from {train} --clip-range {rest|X}{db}", true, { 0 }, set_clip },
	{ "steps", "<n>", "of the training in all", "maestro train --from {train} --steps {rest|N}{db}", true, { 0 }, set_steps },
	{ "traffic", "<trace> x<scale>", "of the training's environments", "maestro train --trace {1|TRACE}{db}", true,
	  { ARG_TRAFFIC }, set_traffic },
	{ "chaos", "<fault>", "in every training environment, now; none ends all", "maestro --fault {rest|KIND}{db}", true,
	  { ARG_FAULT }, set_chaos },
	{ "begin", "<options>", "a new training, in the place of this console", "maestro train {words|OPTIONS}{db}", true, { ARG_OPTIONS }, begin },
	{ "history", "<target> <time>", "move the cursor to a moment: 12:40, -30m", "maestro runs export {live} --format csv{db}", false,
	  { ARG_TARGET, ARG_TIME }, history },
	{ "export", "<file>", "write what is shown: .txt .json .csv .md", "maestro {print}", false, { 0 }, export },
	{ "help", "<topic>", "open help, with what is about the topic", "maestro keys", false, { ARG_TOPIC }, help },
	{ "quit", "", "leave", "kill {pid}", false, { 0 }, quit },
};
enum { N_ROWS = sizeof TABLE / sizeof *TABLE };

const CommandRow *commands_table(size_t *ret_n)
{
	*ret_n = N_ROWS;
	return TABLE;
}

const CommandRow *command_of_set(const Words *words, Words *rest)
{
	static const char *const SETTABLE[] = { "replicas", "lr", "entropy", "clip", "steps", "traffic", "chaos" };
	*rest = *words;
	bool is_count = words->n && is_number(words->word[0]);
	for (size_t i = 0; words->n && i < sizeof SETTABLE / sizeof *SETTABLE; i++) {
		if (strcmp(is_count ? "replicas" : words->word[0], SETTABLE[i]) != 0)
			continue;
		if (!is_count) {
			rest->n--;
			rest->rest += strcspn(rest->rest, " ");
			rest->rest += strspn(rest->rest, " ");
			memmove(rest->word, rest->word + 1, (size_t) rest->n * sizeof *rest->word);
			memmove(rest->col, rest->col + 1, (size_t) rest->n * sizeof *rest->col);
		}
		for (size_t row = 0; row < N_ROWS; row++)
			if (!strcmp(TABLE[row].name, SETTABLE[i]))
				return &TABLE[row];
	}
	return NULL;
}

static ConsoleResult set(Console *console, const Words *words, Fault *fault)
{
	Words rest;
	const CommandRow *row = command_of_set(words, &rest);
	if (!row)
		return wrong(fault, words->n ? 0 : -1, words->n ? "there is no %.30s to set: replicas, lr, entropy, clip, steps, traffic, chaos"
		             : "write what and its value, such as lr 1e-4%s", words->n ? words->word[0] : "");
	ConsoleResult result = row->run(console, &rest, fault);
	fault->word += fault->text[0] && fault->word >= 0 && rest.n < words->n;
	return result;
}
