/* `maestro evaluate`: reads traces and policies, plays the contest, prints what came of it. */
#include "cmd/cmd.h"
#include "cmd/evaluate_live.h"
#include "cmd/evaluate_markdown.h"
#include "cmd/evaluate_opts.h"
#include "cmd/evaluate_picture.h"
#include "cmd/evaluate_report.h"
#include "cmd/evaluate_store.h"

#include "base/mem.h"
#include "control/fail_if.h"
#include "control/gate.h"
#include "sim/traffic.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct EvaluateCommand { /* what one call holds */
	EvaluateOptions options;
	Trace trace[CONTEST_TRACES];
	Family family[CONTEST_FAMILIES];
	ContestConfig config;
	Contest contest;
	Session session;
	int64_t run_id;
	int64_t shown_ms;
} EvaluateCommand;

static volatile sig_atomic_t stopped; /* a handler has nothing else to go by: the signal's number */

static void note_signal(int number)
{
	stopped = number;
}

/* On a terminal, a few times a second; a worker holds the contest's lock. */
static void show_progress(void *arg, const char *stage, size_t done, size_t total)
{
	enum { WIDTH = 30, EVERY_MS = 200 };
	EvaluateCommand *e = arg;
	int64_t now = clock_mono_ms(&e->session.clock);
	if (done < total && now - e->shown_ms < EVERY_MS)
		return;
	e->shown_ms = now;
	int full = (int) (WIDTH * done / total);
	(void) fprintf(stderr, "\r%-28s [%.*s%*s] %zu of %zu%s", stage, full, "##############################", WIDTH - full, "", done,
	               total, done == total ? "\n" : "");
}

/* Of a draw that neither a training nor its evaluation under the same seed has had. */
static int make_traffic(const char *spec, uint64_t seed, Trace *ret, Error *err)
{
	static const uint64_t HELD_OUT = UINT64_C(2) << 32;
	Traffic made;
	int code = traffic_make(spec, seed + HELD_OUT, &made, err);
	if (code)
		return code;
	*ret = made.trace;
	str_copy(ret->name, sizeof ret->name, spec); /* two of a kind are told apart */
	if (made.think_s <= 0)
		return 0;
	trace_done(ret);
	return error_set(err, ERR_USAGE, "--traffic %.60s: users who wait for answers send each policy other requests; add open=1", spec);
}

static int read_traces(EvaluateCommand *e, Error *err)
{
	const OptList *list = &e->options.trace, *made = &e->options.traffic;
	if (!list->n && !made->n)
		return error_set(err, ERR_USAGE, "evaluate: no traffic; write --trace FILE, a CSV of t_s,rps, or --traffic NAME");
	if (list->n + made->n > CONTEST_TRACES)
		return error_set(err, ERR_USAGE, "evaluate: %zu kinds of traffic, at most %d", list->n + made->n, CONTEST_TRACES);
	int code = 0;
	for (size_t i = 0; i < list->n + made->n && !code; i++) {
		Trace *trace = &e->trace[i];
		code = i < list->n ? trace_open(list->item[i], trace, err) : make_traffic(made->item[i - list->n], e->config.seed, trace, err);
		e->config.n_traces += !code;
	}
	e->config.trace = e->trace;
	return code;
}

static int read_policies(EvaluateCommand *e, Error *err)
{
	const OptList *list = &e->options.policy;
	static const OptList otherwise = { .item = { "default", "hpa", "hpa-calibrated" }, .n = 3 };
	if (!list->n)
		list = &otherwise;
	int code = 0;
	for (size_t i = 0; i < list->n && !code; i++)
		code = evaluate_read_policy(&e->session, list->item[i], &e->family[e->config.n_families++], err);
	e->config.family = e->family;
	return code;
}

static int begin_run(EvaluateCommand *e, Error *err)
{
	char *config = evaluate_options_json(&e->options);
	RunStart start = { .kind = RUN_EVALUATE, .seed = (uint64_t) e->options.seed, .config_json = config };
	str_copy(start.name, sizeof start.name, e->options.name);
	int code = config ? e->session.sink->ops->run_begin(e->session.sink, &start, &e->run_id, err) : ERR_NOMEM;
	free(config);
	return code;
}

static void end_run(EvaluateCommand *e, RunStatus status)
{
	Record record = { .kind = RECORD_RUN_END, .run_id = e->run_id, .wall_ms = clock_wall_ms(&e->session.clock), .u.run_end = status };
	if (e->run_id)
		e->session.sink->ops->write(e->session.sink, &record);
}

/* ---- showing ---- */

static int show_json(EvaluateCommand *e, Error *err)
{
	int code = evaluate_print_json(&e->contest);
	return code ? error_set(err, code, "%s", err_text(code)) : 0;
}

static int show_table(EvaluateCommand *e, Error *err)
{
	int code = evaluate_print_table(&e->contest);
	return code ? error_set(err, code, "%s", err_text(code)) : 0;
}

static int show_png(EvaluateCommand *e, Error *err)
{
	return evaluate_picture(&e->contest, e->options.out, err);
}

/* To stdout without a picture; into FILE.md with FILE.png beside it. */
static int show_markdown(EvaluateCommand *e, Error *err)
{
	char picture[512];
	StrBuf page = { 0 };
	int code = 0;
	const char *out = e->options.out, *slash = out ? strrchr(out, '/') : NULL;
	size_t stem = out ? strlen(out) : 0;
	if (stem > 3 && !strcmp(out + stem - 3, ".md"))
		stem -= 3;
	if (out) {
		(void) snprintf(picture, sizeof picture, "%.*s.png", (int) stem, out);
		code = evaluate_picture(&e->contest, picture, err);
	}
	if (!code)
		code = evaluate_markdown(&e->contest, !out ? NULL : slash ? picture + (slash + 1 - out) : picture, &page);
	if (!code && out)
		code = mem_write_file(out, page.data, page.len, err);
	else if (!code)
		(void) fwrite(page.data, 1, page.len, stdout);
	strbuf_done(&page);
	return code && !err->text[0] ? error_set(err, code, "%s", err_text(code)) : code;
}

static const struct {
	const char *name;
	int (*show)(EvaluateCommand *e, Error *err);
} FORMATS[] = { { "table", show_table }, { "json", show_json }, { "markdown", show_markdown }, { "png", show_png } };
enum { N_FORMATS = sizeof FORMATS / sizeof *FORMATS };

/* The row of --format; N_FORMATS: none. */
static int format_of(const EvaluateOptions *options)
{
	int i = 0;
	while (i < N_FORMATS && strcmp(FORMATS[i].name, options->format) != 0)
		i++;
	return i;
}

static int check_format(const EvaluateOptions *options, Error *err)
{
	int i = format_of(options);
	if (i == N_FORMATS)
		return error_set(err, ERR_USAGE, "--format %.40s: write table, json, markdown or png", options->format);
	return FORMATS[i].show == show_png && !options->out ? error_set(err, ERR_USAGE, "--format png needs --out FILE") : 0;
}

/* Lines and a file are not in each other's way; lines and a table would be. */
static int show(EvaluateCommand *e, Error *err)
{
	int (*other)(EvaluateCommand *e, Error *err) = FORMATS[format_of(&e->options)].show;
	bool has_file = e->options.out && (other == show_markdown || other == show_png);
	int code = e->options.is_json ? show_json(e, err) : 0;
	return code || (e->options.is_json && !has_file) ? code : other(e, err);
}

static int play(EvaluateCommand *e, Error *err)
{
	if (!e->options.is_quiet && isatty(STDERR_FILENO)) {
		e->config.progress = show_progress;
		e->config.arg = e;
	}
	int code = begin_run(e, err);
	bool is_live = !strcmp(e->options.env, "live");
	if (!code)
		code = is_live ? evaluate_live(&e->options, &e->config, &e->session, &stopped, &e->contest, err)
		               : contest_run(&e->config, &stopped, &e->contest, err);
	if (code) {
		end_run(e, stopped ? RUN_STOPPED : RUN_FAILED);
		return code;
	}
	evaluate_store_results(&e->session, e->run_id, &e->contest);
	end_run(e, RUN_DONE);
	return show(e, err);
}

static int evaluate(EvaluateCommand *e, Error *err)
{
	int code = check_format(&e->options, err);
	if (!code)
		code = evaluate_options_apply(&e->options, &e->config, err);
	if (!code)
		code = read_traces(e, err);
	if (!code)
		code = read_policies(e, err);
	if (!code)
		code = play(e, err);
	for (int32_t f = 0; f < e->config.n_families && e->options.is_stamped && !code; f++)
		if (e->family[f].n_files)
			code = gate_write(&e->contest, f, err);
	bool fails = false;
	if (!code && e->options.fail_if)
		code = fail_if_eval(e->options.fail_if, summary_lookup, &e->contest, &fails, err);
	return fails ? error_set(err, ERR_GATE, "the gate failed: %.200s", e->options.fail_if) : code;
}

int cmd_evaluate(int argc, char **argv)
{
	EvaluateCommand *e = calloc(1, sizeof *e);
	if (!e)
		return cmd_fail(ERR_NOMEM, NULL);
	Error err = { 0 };
	int code = evaluate_options_parse(&e->options, argc, argv), status;
	if (code) {
		free(e);
		return code == OPTS_HELPED ? 0 : err_exit_status(code);
	}
	struct sigaction action = { .sa_handler = note_signal, .sa_flags = SA_RESTART | (int) SA_RESETHAND };
	(void) sigaction(SIGINT, &action, NULL);
	(void) sigaction(SIGTERM, &action, NULL);
	code = session_open(&e->session, e->options.db, false, &err);
	if (!code)
		code = evaluate(e, &err);
	status = stopped ? 128 + stopped : code ? cmd_fail(code, &err) : 0;
	contest_done(&e->contest);
	session_close(&e->session);
	for (int32_t t = 0; t < e->config.n_traces; t++)
		trace_done(&e->trace[t]);
	free(e);
	return status;
}
