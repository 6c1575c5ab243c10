/*
 * `maestro runs list|show|export`: the run store as tables, JSON and CSV on stdout.
 *
 * Rows come from the store one at a time and are printed at once, so that a long run needs no memory. What is not
 * known is null in JSON, empty in CSV and "-" in a table.
 */
#include "cmd/cells.h"
#include "cmd/cmd.h"
#include "cmd/opts.h"
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

typedef struct RunsOptions {
	const char *db;
	const char *format;
	const char *out;
	bool json;
} RunsOptions;

typedef struct Request {
	const RunsOptions *options;
	struct sqlite3 *db;
	int64_t id;        /* of show and export */
	int64_t wall_ms;   /* now */
	Error *err;
} Request;

static const Opt OPTIONS[] = {
	{ "db", 0, OPT_STRING, offsetof(RunsOptions, db), 0, 0, "FILE",
	  "the store (default $XDG_DATA_HOME/maestro/maestro.db)", false },
	{ "json", 0, OPT_FLAG, offsetof(RunsOptions, json), 0, 0, NULL, "one JSON object a run", false },
	{ "format", 0, OPT_STRING, offsetof(RunsOptions, format), 0, 0, "FORM",
	  "export: csv (updates, of a control run decisions, as rows), json (the whole run), tensorboard (event files)", false },
	{ "out", 'o', OPT_STRING, offsetof(RunsOptions, out), 0, 0, "DIR", "export: folder of the event files", false },
	{ .name = NULL },
};

static const OptCommand COMMAND = {
	.usage = "runs list|show ID|export ID [options]",
	.summary = "The stored runs: all of them, one with everything recorded of it, or its figures for another program.",
	.opt = OPTIONS,
	.n_positional = 2,
};

static Json *run_object(const RunRow *row)
{
	Json *run = json_new_object();
	json_add_int(run, "id", row->id);
	json_add_string(run, "kind", row->kind == RUN_TRAIN ? "train" : "control");
	json_add_string(run, "name", row->name);
	json_add_string(run, "status", run_status_text(row->status));
	json_add_string(run, "policy", *row->policy ? row->policy : NULL);
	json_add_number(run, "seed", (double) row->seed);
	cells_add_time(run, "start", row->start_ms);
	if (row->end_ms)
		cells_add_time(run, "end", row->end_ms);
	else
		json_add_null(run, "end");
	json_add_int(run, "steps", row->steps);
	json_add_number(run, "ep_rew_mean", row->ep_rew_mean);
	json_add_number(run, "ep_len_mean", row->ep_len_mean);
	json_add_number(run, "best_mean_reward", row->eval_mean);
	json_add_number(run, "best_std_reward", row->eval_std);
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
	int code = runs_part(request->db, request->id, part, cells_print_json, (void *) &separator, request->err);
	(void) fputs(is_list ? "]" : *separator ? "" : "null", stdout);
	return code;
}

static int show_json(const Request *request, bool has_updates)
{
	RunRow row;
	StrBuf config = { 0 };
	int code = runs_get(request->db, request->id, &row, &config, request->err);
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
	if (request->options->json)
		return runs_list(request->db, 0, INT64_MAX, print_run_json, NULL, request->err);
	int code = runs_list(request->db, 0, INT64_MAX, widen, &listing.name_width, request->err);
	if (code)
		return code;
	printf("%6s  %-*s  %-8s %6s %10s %12s%11s %5s\n", "id", listing.name_width, "name", "status", "seed", "steps",
	       "ep_rew_mean", "best eval", "age");
	return runs_list(request->db, 0, INT64_MAX, print_run_line, &listing, request->err);
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
	int code = runs_part(request->db, request->id, part, measure_row, &table, request->err);
	if (code || !table.total)
		return code;
	table.skip = table.total - SHOWN_ROWS;
	printf(table.skip > 0 ? "\n%s: %lld, the last:\n" : "\n%s: %lld\n", run_part_name(part), (long long) table.total);
	for (int c = 0; c < SHOWN_COLUMNS && columns[c]; c++)
		print_column(&table, c, columns[c]);
	return runs_part(request->db, request->id, part, print_row_text, &table, request->err);
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
	int code = runs_get(request->db, request->id, &row, &config, request->err);
	if (!code) {
		clock_format(row.start_ms, start);
		if (row.end_ms)
			clock_format(row.end_ms, end);
		printf("run %lld  ", (long long) row.id);
		cells_print_padded(row.name, 0);
		printf("\n  %-8s%s\n  %-8s%s\n", "kind", row.kind == RUN_TRAIN ? "train" : "control", "status",
		       run_status_text(row.status));
		printf("  %-8s%llu\n  %-8s%lld\n", "seed", (unsigned long long) row.seed, "steps", (long long) row.steps);
		printf("  %-8s%s\n  %-8s%s\n  %-8s", "start", start, "end", end, "config");
		cells_print_padded(config.data, 0);
		(void) putchar('\n');
		code = runs_part(request->db, request->id, PART_LAST_UPDATE, print_figures, NULL, request->err);
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

static int export(const Request *request)
{
	RunRow row;
	bool is_first = true;
	if (request->options->json || !strcmp(request->options->format, "json"))
		return show_json(request, true);
	if (!strcmp(request->options->format, "tensorboard"))
		return tensor_log_export(request->db, request->id, request->options->out, request->err);
	int code = runs_get(request->db, request->id, &row, NULL, request->err);
	if (code)
		return code;
	RunPart part = row.kind == RUN_TRAIN ? PART_UPDATES : PART_DECISIONS;
	return runs_part(request->db, request->id, part, cells_print_csv, &is_first, request->err);
}

static const struct {
	const char *name;
	bool wants_id;
	int (*run)(const Request *request);
} VERBS[] = { { "list", false, list }, { "show", true, show }, { "export", true, export } };

static int usage(const char *what, const char *word)
{
	(void) fprintf(stderr, "maestro: runs: %s%s; see maestro runs --help\n", what, word);
	return err_exit_status(ERR_USAGE);
}

static int fail(int code, const Error *err)
{
	if (code == ERR_CLOSED && errno == EPIPE)
		return err_exit_status(code); /* the reader has had enough: no trouble of ours */
	Error io = { .code = code };
	(void) snprintf(io.text, sizeof io.text, "standard output: %s", strerror(errno));
	return cmd_fail(code, code == ERR_CLOSED ? &io : err);
}

static int execute(size_t verb, const RunsOptions *options, int64_t id)
{
	char path[4096];
	Clock clock;
	Error err = { 0 };
	Request request = { .options = options, .id = id, .err = &err };
	cmd_db_path(options->db, path, sizeof path);
	clock_init_system(&clock);
	request.wall_ms = clock_wall_ms(&clock);
	int code = db_open_existing(path, &clock, &request.db, &err);
	if (!code) {
		code = VERBS[verb].run(&request);
		if (!code && fflush(stdout))
			code = ERR_CLOSED;
		int saved = errno;
		db_close(request.db);
		errno = saved;
	}
	return code ? fail(code, &err) : 0;
}

int cmd_runs(int argc, char **argv)
{
	RunsOptions options = { .format = "csv" };
	int words = 0;
	int code = opts_parse(&COMMAND, argc, argv, &options, &words);
	if (code)
		return code == OPTS_HELPED ? 0 : err_exit_status(code);
	size_t verb = 0, n = sizeof VERBS / sizeof *VERBS;
	while (words && verb < n && strcmp(argv[1], VERBS[verb].name) != 0)
		verb++;
	if (!words || verb == n)
		return usage(words ? "list, show and export are known, not " : "list, show ID or export ID", words ? argv[1] : "");
	char *end = NULL;
	int64_t id = words > 1 ? strtoll(argv[2], &end, 10) : 0;
	if (VERBS[verb].wants_id != (words > 1) || (end && (*end || id <= 0)))
		return usage(argv[1], VERBS[verb].wants_id ? " wants the number of a run; maestro runs list shows them"
		                                           : " takes no run");
	bool is_tensorboard = !strcmp(options.format, "tensorboard");
	if (!is_tensorboard && strcmp(options.format, "csv") != 0 && strcmp(options.format, "json") != 0)
		return usage("--format is csv, json or tensorboard, not ", options.format);
	if (is_tensorboard && !options.out)
		return usage("--format tensorboard wants --out DIR", "");
	return execute(verb, &options, id);
}
