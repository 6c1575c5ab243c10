/* The command line that does what a command or key of the console does; see commands.h. */
#include "tui/commands.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What a template is filled from; console and words may be NULL. */
typedef struct Source {
	const Console *console;
	const Words *words;
} Source;

/* Words that a shell would take apart are quoted. */
static void add_quoted(StrBuf *out, const char *text)
{
	bool is_plain = *text != '\0';
	for (const char *c = text; *c; c++)
		is_plain &= isalnum((unsigned char) *c) || strchr("_-+=.,/:@%", *c) != NULL;
	if (is_plain) {
		strbuf_addf(out, "%s", text);
		return;
	}
	strbuf_add(out, "'", 1);
	for (const char *c = text; *c; c++)
		strbuf_addf(out, *c == '\'' ? "'\\%c'" : "%c", *c);
	strbuf_add(out, "'", 1);
}

/* Where the store is another than the default one, a command line that reads or writes it says which, unless it was typed. */
static void add_db(const Source *from, StrBuf *out)
{
	if (!from->console || !from->console->opts.db || (from->words && strstr(from->words->rest, "--db")))
		return;
	strbuf_addf(out, " --db ");
	add_quoted(out, from->console->opts.db);
}

static const LiveView *live_of(const Source *from, int target)
{
	const FeedFrame *frame = from->console ? &from->console->frame : NULL;
	return !frame ? NULL : target >= 0 ? frame->target[target] : frame->live;
}

/* False: what was typed cannot be read, or names none. */
static bool read_words(const Source *from, TargetWords *ret)
{
	Fault fault;
	*ret = (TargetWords) { .target = -1 };
	bool is_read = !from->console || !from->words || target_words(from->console, from->words, ret, &fault);
	if (!is_read)
		*ret = (TargetWords) { .target = -1 };
	return is_read;
}

static void add_target(const Source *from, StrBuf *out)
{
	char name[NAMESPACE_MAX + NAME_MAX_K8S] = "TARGET";
	TargetWords of;
	const LiveView *live = read_words(from, &of) ? live_of(from, of.target) : NULL;
	if (live)
		target_full_name(&live->target, name, sizeof name);
	add_quoted(out, name);
}

/* A simulated target has none. */
static void add_context(const Source *from, StrBuf *out)
{
	TargetWords of;
	const LiveView *live = read_words(from, &of) ? live_of(from, of.target) : NULL;
	if (!live || live->is_simulated || !live->context[0])
		return;
	strbuf_addf(out, " --context ");
	add_quoted(out, live->context);
}

static void add_hold(const Source *from, StrBuf *out)
{
	TargetWords of;
	bool is_named = !read_words(from, &of) || !from->words; /* the arguments' names */
	strbuf_addf(out, of.count || is_named ? "set " : "hold ");
	add_target(from, out);
	if (of.count || is_named)
		strbuf_addf(out, " %s", of.count ? of.count : "N");
	if (of.time || is_named)
		strbuf_addf(out, " --for %s%s", of.time ? of.time : "TIME", of.time && isdigit((unsigned char) of.time[strlen(of.time) - 1]) ? "m" : "");
	add_context(from, out);
}

static void add_run(StrBuf *out, int64_t run)
{
	if (run > 0)
		strbuf_addf(out, "%lld", (long long) run);
	else
		strbuf_addf(out, "RUN");
}

static void add_live_run(const Source *from, StrBuf *out)
{
	const LiveView *live = live_of(from, -1);
	add_run(out, live ? live->run_id : 0);
}

static void add_train_run(const Source *from, StrBuf *out)
{
	const TrainView *train = from->console ? from->console->frame.train : NULL;
	add_run(out, train ? train->run_id : 0);
}

/* The marked runs, or the selected one. */
static void add_runs(const Source *from, StrBuf *out)
{
	int64_t run[EDIT_RUNS];
	int n = from->console ? console_picked_runs(from->console, run, EDIT_RUNS) : 0;
	for (int i = 0; i < n; i++)
		strbuf_addf(out, "%s%lld", i ? " " : "", (long long) run[i]);
	if (!n)
		strbuf_addf(out, "RUN");
}

static const ArchiveAnswer *runs_list(const Source *from)
{
	return from->console ? talk_answer(&from->console->talk, SLOT_RUNS) : NULL;
}

/* The selected run alone, whatever is marked; on Train its own. */
static void add_selected(const Source *from, StrBuf *out)
{
	if (from->console && from->console->screen == SCREEN_TRAIN) {
		add_train_run(from, out);
		return;
	}
	const ArchiveAnswer *list = runs_list(from);
	int64_t at = list ? from->console->runs.selected - from->console->runs.offset : -1;
	add_run(out, at >= 0 && at < list->n_rows ? list->row[at].id : 0);
}

/* The first of the picked runs, by which all are locked or unlocked, deleted or restored; NULL: it is not on this page. */
static const RunRow *first_picked(const Source *from)
{
	const ArchiveAnswer *list = runs_list(from);
	int64_t run = 0;
	if (!list || !console_picked_runs(from->console, &run, 1))
		return NULL;
	for (int i = 0; i < list->n_rows; i++)
		if (list->row[i].id == run)
			return &list->row[i];
	return NULL;
}

static void add_lock(const Source *from, StrBuf *out)
{
	const RunRow *row = first_picked(from);
	strbuf_addf(out, row && row->is_locked ? "unlock" : "lock");
}

static void add_delete(const Source *from, StrBuf *out)
{
	const RunRow *row = first_picked(from);
	strbuf_addf(out, row && row->deleted_ms ? "restore" : "delete");
}

static void add_marked(const Source *from, StrBuf *out)
{
	const CompareView *view = from->console ? &from->console->compare : NULL;
	bool is_there = from->console && from->console->screen == SCREEN_COMPARE && view->n_ids;
	for (int i = 0; is_there && i < view->n_ids; i++)
		strbuf_addf(out, "%s%lld", i ? " " : "", (long long) view->id[i]);
	if (!is_there && from->console && from->console->runs.n_marked > 1)
		add_runs(from, out);
	else if (!is_there)
		strbuf_addf(out, "RUN RUN");
}

static void add_policies(const Source *from, StrBuf *out)
{
	const CompareView *view = from->console ? &from->console->compare : NULL;
	for (int i = 0; view && i < view->n_ids; i++)
		strbuf_addf(out, "--policy run:%lld ", (long long) view->id[i]);
	if (!view || !view->n_ids)
		strbuf_addf(out, "--policy run:RUN ");
}

static const char *screen_word(const Source *from, char *word, size_t size)
{
	str_copy(word, size, from->console ? screen_ops(from->console->screen)->name : "SCREEN");
	for (char *c = word; from->console && *c; c++)
		*c = (char) tolower((unsigned char) *c);
	return word;
}

static void add_screen(const Source *from, StrBuf *out)
{
	char word[32];
	strbuf_addf(out, "%s", screen_word(from, word, sizeof word));
}

/* What is looked at on it. */
static void add_wishes(const Source *from, StrBuf *out)
{
	const Console *console = from->console;
	ScreenId screen = console ? console->screen : SCREEN_COUNT;
	const char *filter = screen == SCREEN_RUNS ? console->runs.filter : screen == SCREEN_EVENTS ? console->log.filter :
	                     screen == SCREEN_TARGETS ? console->targets.filter : "";
	if (filter[0]) {
		strbuf_addf(out, " --filter ");
		add_quoted(out, filter);
	}
	for (int i = 0; console && console->screen == SCREEN_COMPARE && i < console->compare.n_ids; i++)
		strbuf_addf(out, "%s%lld", i ? "," : " --runs ", (long long) console->compare.id[i]);
}

/* Off a terminal a screen is printed; a training is in the store. */
static void add_print(const Source *from, StrBuf *out)
{
	char word[32];
	const char *file = from->words && from->words->n ? from->words->rest : "FILE", *dot = strrchr(file, '.');
	bool is_json = dot && !strcmp(dot, ".json"), is_train = from->console && from->console->screen == SCREEN_TRAIN;
	bool is_table = dot && (!strcmp(dot, ".csv") || !strcmp(dot, ".tsv") || !strcmp(dot, ".md"));
	if (is_train) {
		strbuf_addf(out, "runs export ");
		add_train_run(from, out);
		strbuf_addf(out, " --format %s", is_json ? "json" : "csv");
	} else {
		strbuf_addf(out, "--screen %s", screen_word(from, word, sizeof word));
		add_wishes(from, out);
		strbuf_addf(out, "%s%s", is_json ? " --json" : is_table ? " --format " : "", is_table ? dot + 1 : "");
	}
	add_db(from, out);
	strbuf_addf(out, " >");
	add_quoted(out, file);
}

/* What the key goes on to. */
static void add_sort(const Source *from, StrBuf *out)
{
	strbuf_addf(out, "%s", from->console ? run_sort_text((RunSort) ((from->console->runs.sort + 1) % SORT_COUNT)) : "WHAT");
}

static void add_pid(const Source *from, StrBuf *out)
{
	if (from->console)
		strbuf_addf(out, "%ld", (long) getpid());
	else
		strbuf_addf(out, "PID");
}

static void add_pause(const Source *from, StrBuf *out)
{
	const LiveView *live = live_of(from, -1);
	strbuf_addf(out, live && live->state == STATE_PAUSED ? "resume " : "pause ");
	add_target(from, out);
	add_context(from, out);
}

static void add_all(const Source *from, StrBuf *out)
{
	strbuf_addf(out, "%s", from->words && from->words->n ? " --all" : "");
}

static void add_options(const Source *from, StrBuf *out)
{
	if (from->words && from->words->n)
		strbuf_addf(out, " %s", from->words->rest);
}

static const struct Part {
	const char *name;
	void (*add)(const Source *from, StrBuf *out);
} PARTS[] = {
	{ "hold", add_hold }, { "pause", add_pause }, { "target", add_target }, { "context", add_context }, { "live", add_live_run },
	{ "train", add_train_run }, { "runs", add_runs }, { "marked", add_marked }, { "policies", add_policies },
	{ "screen", add_screen }, { "print", add_print }, { "sort", add_sort }, { "pid", add_pid }, { "selected", add_selected },
	{ "options", add_options }, { "all", add_all }, { "lock", add_lock }, { "delete", add_delete }, { "db", add_db },
};

/* "{rest|X}" all that was typed as one word, "{words|X}" as it is, "{1|X}" its first word; X where nothing was. */
static void add_part(const Source *from, const char *part, size_t len, StrBuf *out)
{
	const char *bar = memchr(part, '|', len);
	for (size_t i = 0; !bar && i < sizeof PARTS / sizeof *PARTS; i++)
		if (strlen(PARTS[i].name) == len && !strncmp(PARTS[i].name, part, len))
			PARTS[i].add(from, out);
	if (!bar)
		return;
	if (!from->words || !from->words->n)
		strbuf_addf(out, "%.*s", (int) (len - 1 - (size_t) (bar - part)), bar + 1);
	else if (part[0] == 'w')
		strbuf_addf(out, "%s", from->words->rest);
	else
		add_quoted(out, part[0] == '1' ? from->words->word[0] : from->words->rest);
}

static void fill(const Source *from, const char *template, char *text, size_t size)
{
	StrBuf out = { 0 };
	for (const char *at = template; *at;) {
		size_t plain = strcspn(at, "{");
		strbuf_add(&out, at, plain);
		at += plain;
		if (*at == '{') {
			size_t len = strcspn(at, "}");
			add_part(from, at + 1, len - 1, &out);
			at += len + 1;
		}
	}
	str_copy(text, size, out.data && !out.failed && out.len < size ? out.data : "");
	strbuf_done(&out);
}

void shell_fill(const Console *console, const char *template, char *text, size_t size)
{
	fill(&(Source) { console, NULL }, template, text, size);
}

void command_shell(const Console *console, const CommandRow *row, const Words *words, char *text, size_t size)
{
	Words rest;
	const CommandRow *of_set = words && !strcmp(row->name, "set") ? command_of_set(words, &rest) : NULL;
	Source from = { console, of_set ? &rest : words };
	fill(&from, of_set ? of_set->shell : row->shell, text, size);
}

/* Of keys' actions that change or print something; where a pane looks is nothing to a shell. */
static const struct {
	UiAction action;
	const char *shell;
} ACTIONS[] = {
	{ ACT_LIVE_OVERRIDE, "maestro override {hold}{db}" }, { ACT_LIVE_PAUSE, "maestro override {pause}{db}" },
	{ ACT_LIVE_WHY, "maestro --screen policy{db}" }, { ACT_TRAIN_LR, "maestro train --from {train} --learning-rate X{db}" },
	{ ACT_TRAIN_ENT, "maestro train --from {train} --ent-coef X{db}" }, { ACT_TRAIN_CLIP, "maestro train --from {train} --clip-range X{db}" },
	{ ACT_TRAIN_TRAFFIC, "maestro train --trace TRACE{db}" }, { ACT_TRAIN_CHAOS, "maestro --fault KIND{db}" },
	{ ACT_TRAIN_EVALUATE, "maestro evaluate --policy run:{train} --policy hpa --traffic diurnal{db}" }, { ACT_TRAIN_STOP, "kill {pid}" },
	{ ACT_BEGIN, "maestro train OPTIONS{db}" },
	{ ACT_COMPARE, "maestro runs compare {marked}{db}" }, { ACT_TAG, "maestro runs tag NAME {runs}{db}" },
	{ ACT_NOTE, "maestro runs note {selected} TEXT{db}" }, { ACT_LOCK, "maestro runs {lock} {runs}{db}" },
	{ ACT_DELETE, "maestro runs {delete} {runs}{db}" }, { ACT_RESUME, "maestro train --resume {selected}{db}" },
	{ ACT_FORK, "maestro train --from {selected}{db}" }, { ACT_SORT, "maestro runs list --sort {sort}{db}" },
	{ ACT_FILTER, "maestro runs list --filter WORDS{db}" }, { ACT_OPEN, "maestro runs show {selected}{db}" },
	{ ACT_REPLAY, "maestro evaluate {policies}--policy hpa --traffic diurnal{db}" }, { ACT_EXPORT, "maestro {print}" }, { ACT_HELP, "maestro keys" },
	{ ACT_QUIT, "kill {pid}" },
};

void action_shell(const Console *console, ScreenId screen, UiAction action, char *text, size_t size)
{
	bool is_table = action == ACT_SORT || action == ACT_FILTER || action == ACT_OPEN; /* of other screens' rows */
	text[0] = '\0';
	for (size_t i = 0; i < sizeof ACTIONS / sizeof *ACTIONS; i++)
		if (ACTIONS[i].action == action && (screen == SCREEN_RUNS || !is_table))
			shell_fill(console, ACTIONS[i].shell, text, size);
}
