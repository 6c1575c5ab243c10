/* `maestro sim check`: the simulator's acceptance table as measured now. */
#include "cmd/cmd.h"
#include "cmd/opts.h"

#include "base/json.h"
#include "sim/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct SimOptions {
	OptList only;
	const char *fixtures;
	double effort;
	bool is_fast, is_json;
} SimOptions;

#define OPTION(name, kind, field, lo, hi, arg, help) { name, 0, kind, offsetof(SimOptions, field), lo, hi, arg, help, false }
static const Opt OPTIONS[] = {
	OPTION("only", OPT_LIST, only, 0, 0, "NAME", "rows whose name begins so; several times: any of them"),
	OPTION("fast", OPT_FLAG, is_fast, 0, 0, NULL, "only what takes less than a second"),
	OPTION("effort", OPT_DOUBLE, effort, .001, 100, "X", "fewer or more requests and runs than the tolerances are meant for"),
	OPTION("fixtures", OPT_STRING, fixtures, 0, 0, "DIR", "recorded answers of a real Prometheus (tests/fixtures)"),
	OPTION("json", OPT_FLAG, is_json, 0, 0, NULL, "one JSON object a row"),
	{ 0 },
};

const OptCommand SIM_COMMAND = {
	"sim check [options]",
	"Measures the simulator against queueing theory, against single requests, and against recorded answers of a real\n"
	"Prometheus: a row a claim, with the error that is allowed. Exit status 6 where a row does not hold.",
	OPTIONS, 1,
};

static bool is_asked_for(const SimOptions *options, const CheckRow *row)
{
	bool is_named = !options->only.n;
	for (size_t i = 0; i < options->only.n; i++)
		is_named |= !strncmp(row->name, options->only.item[i], strlen(options->only.item[i]));
	return is_named && (row->is_fast || !options->is_fast);
}

static void print_json(const CheckRow *row, const CheckResult *result)
{
	Json *object = json_new_object();
	bool is_skipped = result->skipped[0];
	json_add_string(object, "row", row->name);
	json_add_string(object, "what", row->what);
	json_add_number(object, "error", is_skipped ? NAN : result->error);
	json_add_number(object, "tolerance", row->tolerance);
	if (is_skipped)
		json_add_null(object, "ok");
	else
		json_add_bool(object, "ok", check_holds(row, result));
	json_add_string(object, "note", is_skipped ? result->skipped : result->note);
	char *text = json_print(object);
	json_free(object);
	if (text)
		printf("%s\n", text);
	free(text);
}

static void print_row(const CheckRow *row, const CheckResult *result)
{
	if (result->skipped[0]) {
		printf("%-21s %9s %8.3g%%  skip  %s: %s\n", row->name, "-", 100.0 * row->tolerance, row->what, result->skipped);
		return;
	}
	printf("%-21s %8.3g%% %8.3g%%  %-4s  %s%s%s%s\n", row->name, 100.0 * result->error, 100.0 * row->tolerance,
	       check_holds(row, result) ? "ok" : "NOT", row->what, result->note[0] ? " (" : "", result->note,
	       result->note[0] ? ")" : "");
}

static int check(const SimOptions *options, int *ret_failed, Error *err)
{
	const CheckOptions how = { .fixtures = options->fixtures, .effort = options->effort };
	if (!options->is_json)
		printf("%-21s %9s %9s\n", "row", "error", "allowed");
	for (const CheckRow *row = SIM_CHECK; row->name; row++) {
		CheckResult result;
		if (!is_asked_for(options, row))
			continue;
		int code = check_measure(row, &how, &result, err);
		if (code)
			return code;
		*ret_failed += !result.skipped[0] && !check_holds(row, &result);
		if (options->is_json)
			print_json(row, &result);
		else
			print_row(row, &result);
		(void) fflush(stdout);
	}
	return 0;
}

int cmd_sim(int argc, char **argv)
{
	SimOptions options = { .fixtures = "tests/fixtures", .effort = 1.0 };
	int words = 0, failed = 0;
	Error err = { 0 };
	int code = opts_parse(&SIM_COMMAND, argc, argv, &options, &words);
	if (code)
		return code == OPTS_HELPED ? 0 : err_exit_status(code);
	if (words != 1 || strcmp(argv[1], "check") != 0)
		return cmd_fail(ERR_USAGE, &(Error) { .text = "sim: what? write maestro sim check" });
	code = check(&options, &failed, &err);
	return code ? cmd_fail(code, &err) : failed ? err_exit_status(ERR_GATE) : 0;
}
