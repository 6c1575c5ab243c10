/*
 * `maestro runs`: the run store as tables, JSON and CSV on stdout. What changes runs stands in runs_edit.c, comparison in
 * runs_compare.c, import in runs_import.c.
 *
 * Rows come from the store one at a time and are printed at once, so that a long run needs no memory. What is not
 * known is null in JSON, empty in CSV and "-" in a table.
 */
#include "cmd/cells.h"
#include "cmd/cmd.h"
#include "cmd/opts.h"
#include "cmd/runs.h"
#include "cmd/tensor_log.h"

#include "base/clock.h"
#include "storage/db.h"
#include "storage/runs.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_ROWS = 10, SHOWN_COLUMNS = 10 };

static const Opt OPTIONS[] = {
	{ "db", 0, OPT_STRING, offsetof(RunsOptions, db), 0, 0, "FILE",
	  "the store (default $XDG_DATA_HOME/maestro/maestro.db)", false },
	{ "json", 0, OPT_FLAG, offsetof(RunsOptions, json), 0, 0, NULL, "one JSON object a run", false },
	{ "format", 0, OPT_STRING, offsetof(RunsOptions, format), 0, 0, "FORM",
	  "export: csv (updates, of a control run decisions, as rows), json (the whole run), tensorboard (event files),"
	  " markdown (a table of the runs), png (its curves)", false },
	{ "out", 'o', OPT_STRING, offsetof(RunsOptions, out), 0, 0, "PATH", "export: folder of the event files, or the PNG", false },
	{ "filter", 'f', OPT_STRING, offsetof(RunsOptions, filter), 0, 0, "WORDS",
	  "list: runs that match, such as 'trace:wc98 eval>50 not tag:old'", false },
	{ "sort", 0, OPT_STRING, offsetof(RunsOptions, sort), 0, 0, "WHAT", "list: id, name, status, steps, reward, eval or start", false },
	{ "all", 0, OPT_FLAG, offsetof(RunsOptions, all), 0, 0, NULL, "purge: all of the trash, not only what lies there for " TRASH_DAYS_TEXT " days", false },
	{ "confirm", 0, OPT_STRING, offsetof(RunsOptions, confirm), 0, 0, "WORD", "purge: write trash; without it, it only lists what goes", false },
	{ .name = NULL },
};

const OptCommand RUNS_COMMAND = {
	.usage = "runs VERB [options]",
	.summary =
		"The stored runs.\n"
		"  list                     all of them, or those that --filter takes\n"
		"  show ID                  one with everything recorded of it\n"
		"  compare ID ID...         side by side: interquartile means, intervals, verdicts, options that differ\n"
		"  export ID...             figures for another program (--format)\n"
		"  import FILE              a run that export --format json wrote; once, however often it is said\n"
		"  tag NAME ID...           a word to find them by; -NAME takes it off\n"
		"  note ID TEXT             a remark\n"
		"  lock|unlock ID...        locked runs cannot be deleted\n"
		"  delete|restore ID...     into the trash, out of it\n"
		"  purge                    empties the trash",
	.opt = OPTIONS,
	.n_positional = RUNS_WORDS,
};

/* null where it has not come. */
static void add_time(Json *to, const char *key, int64_t wall_ms)
{
	if (wall_ms)
		cells_add_time(to, key, wall_ms);
	else
		json_add_null(to, key);
}

static Json *run_object(const RunRow *row)
{
	Json *run = json_new_object();
	json_add_int(run, "id", row->id);
	json_add_string(run, "kind", run_kind_text(row->kind));
	json_add_string(run, "name", row->name);
	json_add_string(run, "status", run_status_text(row->status));
	json_add_string(run, "policy", *row->policy ? row->policy : NULL);
	json_add_number(run, "seed", (double) row->seed);
	cells_add_time(run, "start", row->start_ms);
	add_time(run, "end", row->end_ms);
	json_add_int(run, "steps", row->steps);
	json_add_number(run, "ep_rew_mean", row->ep_rew_mean);
	json_add_number(run, "ep_len_mean", row->ep_len_mean);
	json_add_number(run, "best_mean_reward", row->eval_mean);
	json_add_number(run, "best_std_reward", row->eval_std);
	json_add_string(run, "tags", row->tags);
	json_add_string(run, "note", row->note);
	json_add_bool(run, "locked", row->is_locked);
	add_time(run, "deleted", row->deleted_ms);
	return run;
}

static int print_run_json(void *context, const RunRow *row)
{
	(void) context;
	int code = cells_print_object(run_object(row), false);
	(void) putchar('\n');
	return code;
}

static int print_part_json(const Request *request, RunPart part)
{
	const char *separator = "";
	bool is_list = part != PART_LAST_UPDATE;
	printf(",\"%s\":%s", run_part_name(part), is_list ? "[" : "");
	int code = runs_part(request->db, request->id[0], part, cells_print_json, (void *) &separator, request->err);
	(void) fputs(is_list ? "]" : *separator ? "" : "null", stdout);
	return code;
}

static int show_json(const Request *request, bool has_updates)
{
	RunRow row;
	StrBuf config = { 0 };
	int code = runs_get(request->db, request->id[0], &row, &config, request->err);
	if (!code) {
		Json *run = run_object(&row);
		cells_add_json(run, "config", config.data);
		code = cells_print_object(run, true);
	}
	strbuf_done(&config);
	for (int part = has_updates ? PART_UPDATES : PART_LAST_UPDATE; part < PART_COUNT && !code; part++)
		code = print_part_json(request, (RunPart) part);
	if (!code)
		(void) fputs("}\n", stdout);
	return code;
}

static void print_figure(double value, int width)
{
	if (isnan(value))
		printf("%*s", width, "-");
	else
		printf("%*.2f", width, value);
}

static void format_age(int64_t ms, char *text, size_t size)
{
	static const struct {
		int64_t seconds;
		char unit;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	int64_t seconds = ms > 0 ? ms / 1000 : 0;
	size_t u = 0;
	while (u < 3 && seconds < units[u].seconds)
		u++;
	(void) snprintf(text, size, "%lld%c", (long long) (seconds / units[u].seconds), units[u].unit);
}

static int widen(void *context, const RunRow *row)
{
	int *width = context, len = (int) strlen(row->name);
	if (len > *width)
		*width = len;
	return 0;
}

typedef struct Listing {
	int64_t wall_ms;
	int name_width;
} Listing;

static int print_run_line(void *context, const RunRow *row)
{
	const Listing *listing = context;
	char age[32];
	format_age(listing->wall_ms - row->start_ms, age, sizeof age);
	printf("%6lld  ", (long long) row->id);
	cells_print_padded(row->name, listing->name_width);
	printf("  %-8s %6llu %10lld ", run_status_text(row->status), (unsigned long long) row->seed, (long long) row->steps);
	print_figure(row->ep_rew_mean, 12);
	print_figure(row->eval_mean, 11);
	printf(" %5s\n", age);
	return cells_written();
}

static int list(const Request *request)
{
	Listing listing = { .wall_ms = request->wall_ms, .name_width = 4 };
	RunSelection selection = { request->options->filter, request->wall_ms, SORT_ID, false, 0, INT64_MAX };
	const char *sort = request->options->sort;
	while (sort && selection.sort < SORT_COUNT && strcmp(sort, run_sort_text(selection.sort)) != 0)
		selection.sort = (RunSort) (selection.sort + 1);
	if (selection.sort == SORT_COUNT)
		return error_set(request->err, ERR_USAGE, "runs: --sort is id, name, status, steps, reward, eval or start, not %.40s", sort);
	if (request->options->json)
		return runs_select(request->db, &selection, print_run_json, NULL, NULL, NULL, request->err);
	int code = runs_select(request->db, &selection, widen, &listing.name_width, NULL, NULL, request->err);
	if (code)
		return code == ERR_PARSE ? ERR_USAGE : code;
	printf("%6s  %-*s  %-8s %6s %10s %12s%11s %5s\n", "id", listing.name_width, "name", "status", "seed", "steps",
	       "ep_rew_mean", "best eval", "age");
	return runs_select(request->db, &selection, print_run_line, &listing, NULL, NULL, request->err);
}

/* What the human form shows of each part, newest rows only. */
static const struct {
	RunPart part;
	const char *columns[SHOWN_COLUMNS];
} SHOWN[] = {
	{ PART_EVALS, { "steps", "time", "mean_reward", "std_reward", "mean_ep_length", "best" } },
	{ PART_CHECKPOINTS, { "steps", "time", "kind", "path" } },
	{ PART_INTERVENTIONS, { "steps", "time", "what", "from", "to", "who" } },
	{ PART_EPISODES, { "steps", "time", "source", "reward", "length" } },
	{ PART_DECISIONS, { "time", "state", "replicas", "latency", "rps", "action", "desired", "hpa", "applied", "reason" } },
	{ PART_STATES, { "time", "from", "to", "reason", "detail" } },
	{ PART_RESULTS, { "policy", "settings", "trace", "seed", "lambda", "v_pct", "pod_hours", "slo_violation_soft_s", "slo_violation_s" } },
	{ PART_AUDIT, { "time", "who", "what", "from", "to", "result", "reason" } },
};

typedef struct Table { /* of the last rows of a part */
	const char *const *columns;
	int width[SHOWN_COLUMNS];
	int64_t total;
	int64_t skip;
} Table;

static const RunCell *find_cell(const RunCell *cell, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(cell[i].name, name))
			return &cell[i];
	return NULL;
}

static int measure_row(void *context, const RunCell *cell, size_t n)
{
	Table *table = context;
	char text[CLOCK_TEXT];
	table->total++;
	for (int c = 0; c < SHOWN_COLUMNS && table->columns[c]; c++) {
		const RunCell *found = find_cell(cell, n, table->columns[c]);
		int len = found ? (int) strlen(cells_text(found, false, text, sizeof text)) : 0;
		if (len > table->width[c])
			table->width[c] = len;
	}
	return 0;
}

static void print_column(const Table *table, int c, const char *text)
{
	bool is_last = c + 1 == SHOWN_COLUMNS || !table->columns[c + 1];
	(void) fputs("  ", stdout);
	cells_print_padded(text, is_last ? 0 : table->width[c]);
	if (is_last)
		(void) putchar('\n');
}

static int print_row_text(void *context, const RunCell *cell, size_t n)
{
	Table *table = context;
	char text[CLOCK_TEXT];
	if (table->skip-- > 0)
		return 0;
	for (int c = 0; c < SHOWN_COLUMNS && table->columns[c]; c++) {
		const RunCell *found = find_cell(cell, n, table->columns[c]);
		print_column(table, c, found ? cells_text(found, false, text, sizeof text) : "-");
	}
	return cells_written();
}

static int print_part_text(const Request *request, RunPart part, const char *const *columns)
{
	Table table = { .columns = columns };
	for (int c = 0; c < SHOWN_COLUMNS && columns[c]; c++)
		table.width[c] = (int) strlen(columns[c]);
	int code = runs_part(request->db, request->id[0], part, measure_row, &table, request->err);
	if (code || !table.total)
		return code;
	table.skip = table.total - SHOWN_ROWS;
	printf(table.skip > 0 ? "\n%s: %lld, the last:\n" : "\n%s: %lld\n", run_part_name(part), (long long) table.total);
	for (int c = 0; c < SHOWN_COLUMNS && columns[c]; c++)
		print_column(&table, c, columns[c]);
	return runs_part(request->db, request->id[0], part, print_row_text, &table, request->err);
}

static int print_figures(void *context, const RunCell *cell, size_t n)
{
	(void) context;
	char text[CLOCK_TEXT];
	printf("\nlast update:\n");
	for (size_t i = 0; i < n; i++)
		printf("  %-22s%s\n", cell[i].name, cells_text(&cell[i], false, text, sizeof text));
	return cells_written();
}

static int show_text(const Request *request)
{
	RunRow row;
	StrBuf config = { 0 };
	char start[CLOCK_TEXT], end[CLOCK_TEXT] = "-";
	int code = runs_get(request->db, request->id[0], &row, &config, request->err);
	if (!code) {
		clock_format(row.start_ms, start);
		if (row.end_ms)
			clock_format(row.end_ms, end);
		printf("run %lld  ", (long long) row.id);
		cells_print_padded(row.name, 0);
		printf("\n  %-8s%s\n  %-8s%s\n", "kind", run_kind_text(row.kind), "status",
		       run_status_text(row.status));
		printf("  %-8s%llu\n  %-8s%lld\n", "seed", (unsigned long long) row.seed, "steps", (long long) row.steps);
		printf("  %-8s%s\n  %-8s%s\n  %-8s", "start", start, "end", end, "config");
		cells_print_padded(config.data, 0);
		(void) putchar('\n');
		code = runs_part(request->db, request->id[0], PART_LAST_UPDATE, print_figures, NULL, request->err);
	}
	strbuf_done(&config);
	for (size_t i = 0; i < sizeof SHOWN / sizeof *SHOWN && !code; i++)
		code = print_part_text(request, SHOWN[i].part, SHOWN[i].columns);
	return code;
}

static int show(const Request *request)
{
	return request->options->json ? show_json(request, false) : show_text(request);
}

static int export_markdown(const Request *request)
{
	printf("| id | name | status | seed | steps | ep_rew_mean | best eval | tags |\n|---:|---|---|---:|---:|---:|---:|---|\n");
	int code = 0;
	for (size_t i = 0; i < request->n_ids && !code; i++) {
		RunRow row;
		code = runs_get(request->db, request->id[i], &row, NULL, request->err);
		if (code)
			break;
		printf("| %lld | ", (long long) row.id);
		cells_print_padded(row.name, 0);
		printf(" | %s | %llu | %lld |", run_status_text(row.status), (unsigned long long) row.seed, (long long) row.steps);
		print_figure(row.ep_rew_mean, 1);
		printf(" |");
		print_figure(row.eval_mean, 1);
		printf(" | ");
		cells_print_padded(row.tags, 0);
		printf(" |\n");
		code = cells_written();
	}
	return code;
}

static int export_csv(const Request *request)
{
	RunRow row;
	bool is_first = true;
	int code = runs_get(request->db, request->id[0], &row, NULL, request->err);
	if (code)
		return code;
	RunPart part = row.kind == RUN_TRAIN ? PART_UPDATES : row.kind == RUN_EVALUATE ? PART_RESULTS : PART_DECISIONS;
	return runs_part(request->db, request->id[0], part, cells_print_csv, &is_first, request->err);
}

static int export_json(const Request *request)
{
	return show_json(request, true);
}

static int export_tensorboard(const Request *request)
{
	return tensor_log_export(request->db, request->id[0], request->options->out, request->err);
}

static const struct {
	const char *name;
	bool wants_out, takes_many;
	int (*run)(const Request *request);
} FORMATS[] = {
	{ "csv", false, false, export_csv }, { "json", false, false, export_json },
	{ "tensorboard", true, false, export_tensorboard }, { "markdown", false, true, export_markdown },
	{ "png", true, false, runs_export_png },
};

static int export(const Request *request)
{
	const char *format = request->options->json ? "json" : request->options->format;
	size_t f = 0, n = sizeof FORMATS / sizeof *FORMATS;
	while (f < n && strcmp(FORMATS[f].name, format) != 0)
		f++;
	if (f == n)
		return error_set(request->err, ERR_USAGE, "runs: --format is csv, json, tensorboard, markdown or png, not %.40s", format);
	if (FORMATS[f].wants_out && !request->options->out)
		return error_set(request->err, ERR_USAGE, "runs: --format %s wants --out PATH", format);
	if (request->n_ids > 1 && !FORMATS[f].takes_many)
		return error_set(request->err, ERR_USAGE, "runs: --format %s takes one run", format);
	return FORMATS[f].run(request);
}

/* What stands behind a verb: ids, or one word before or after them. */
typedef enum Words { NO_WORDS, ONE_ID, IDS, WORD_IDS, ID_TEXT, ONE_WORD } Words;

static const struct {
	const char *name;
	Words words;
	int (*run)(const Request *request);
} VERBS[] = {
	{ "list", NO_WORDS, list }, { "show", ONE_ID, show }, { "export", IDS, export }, { "compare", IDS, runs_compare },
	{ "tag", WORD_IDS, runs_tag }, { "note", ID_TEXT, runs_note }, { "lock", IDS, runs_lock }, { "unlock", IDS, runs_unlock },
	{ "delete", IDS, runs_delete }, { "restore", IDS, runs_restore }, { "purge", NO_WORDS, runs_purge },
	{ "import", ONE_WORD, runs_import },
};
enum { N_VERBS = sizeof VERBS / sizeof *VERBS };

static int usage(const char *what, const char *word)
{
	(void) fprintf(stderr, "maestro: runs: %s%s; see maestro runs --help\n", what, word);
	return err_exit_status(ERR_USAGE);
}

static int numbers_wanted(const char *verb, const char *wrong, const char *db)
{
	char text[512];
	(void) snprintf(text, sizeof text, "%s; maestro runs list%s%.400s shows them", wrong, db ? " --db " : "", db ? db : "");
	return usage(verb, text);
}

static int fail(int code, const Error *err)
{
	if (code == ERR_CLOSED && errno == EPIPE)
		return err_exit_status(code); /* the reader has had enough: no trouble of ours */
	Error io = { .code = code };
	(void) snprintf(io.text, sizeof io.text, "standard output: %s", strerror(errno));
	return cmd_fail(code, code == ERR_CLOSED ? &io : err);
}

static int execute(size_t verb, Request *request)
{
	char path[4096];
	Clock clock;
	Error err = { 0 };
	request->err = &err;
	request->path = path;
	cmd_db_path(request->options->db, path, sizeof path);
	clock_init_system(&clock);
	request->wall_ms = clock_wall_ms(&clock);
	int code = VERBS[verb].run == runs_import ? db_open(path, &clock, &request->db, &err)
	                                          : db_open_existing(path, &clock, &request->db, &err);
	if (!code) {
		code = VERBS[verb].run(request);
		if (!code && fflush(stdout))
			code = ERR_CLOSED;
		int saved = errno;
		db_close(request->db);
		errno = saved;
	}
	return code ? fail(code, &err) : 0;
}

static bool parse_id(const char *word, int64_t *ret)
{
	char *end;
	errno = 0;
	*ret = strtoll(word, &end, 10);
	return !errno && !*end && *ret > 0;
}

/* What is wrong with the words behind the verb; NULL: nothing. */
static const char *take_words(Words form, char **word, int n, Request *request)
{
	int first = form == WORD_IDS ? 1 : 0, last = form == ID_TEXT ? 1 : n;
	if (form == NO_WORDS)
		return n ? " takes no run" : NULL;
	if (form == ONE_WORD) {
		request->word = n ? word[0] : NULL;
		return n == 1 ? NULL : " wants a file";
	}
	if (form == WORD_IDS || form == ID_TEXT)
		request->word = n ? word[form == WORD_IDS ? 0 : n - 1] : NULL;
	if (n <= first || (form == ID_TEXT && n != 2) || (form == ONE_ID && n != 1))
		return form == WORD_IDS ? " wants a word and the numbers of runs" : form == ID_TEXT ? " wants the number of a run and a text"
		     : " wants the number of a run";
	for (int i = first; i < last; i++)
		if (!parse_id(word[i], &request->id[request->n_ids++]))
			return " wants numbers of runs";
	return NULL;
}

int cmd_runs(int argc, char **argv)
{
	RunsOptions options = { .format = "csv" };
	int words = 0;
	int code = opts_parse(&RUNS_COMMAND, argc, argv, &options, &words);
	if (code)
		return code == OPTS_HELPED ? 0 : err_exit_status(code);
	size_t verb = 0;
	while (words && verb < N_VERBS && strcmp(argv[1], VERBS[verb].name) != 0)
		verb++;
	if (!words || verb == N_VERBS)
		return usage(words ? "there is no verb " : "a verb is missing: list, show, compare, ...", words ? argv[1] : "");
	Request *request = calloc(1, sizeof *request);
	if (!request)
		return cmd_fail(ERR_NOMEM, NULL);
	request->options = &options;
	Words form = VERBS[verb].words;
	const char *wrong = take_words(form, argv + 2, words - 1, request);
	int status = !wrong ? execute(verb, request)
	           : form == NO_WORDS || form == ONE_WORD ? usage(argv[1], wrong) : numbers_wanted(argv[1], wrong, options.db);
	free(request);
	return status;
}
