/* `maestro fit`: options, the progress bar, and what a person wants to know of sim/fit.h's result. */
#include "cmd/cmd.h"
#include "cmd/opts.h"
#include "cmd/prom_options.h"
#include "control/fit_source.h"

#include <math.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_TIMEOUT_MS = 600000 };

typedef struct FitCommandOptions {
	const char *deployment, *namespace_, *from_csv, *to_csv, *out, *trace;
	double window_s, step_s, held_out, effort;
	int64_t seed;
	bool is_json;
	PromOptions prom;
} FitCommandOptions;

#define OPTION(name, letter, kind, field, lo, hi, arg, help) \
	{ name, letter, kind, offsetof(FitCommandOptions, field), lo, hi, arg, help, false }
static const Opt OPTIONS[] = {
	OPTION("deployment", 'd', OPT_STRING, deployment, 0, 0, "NS/NAME", "the Deployment to learn from (TARGET_DEPLOYMENT)"),
	OPTION("namespace", 'n', OPT_STRING, namespace_, 0, 0, "NS", "where --deployment has none (TARGET_NAMESPACE, else default)"),
	PROM_OPTIONS(FitCommandOptions),
	OPTION("window", 'w', OPT_DURATION, window_s, 60, 1e8, "TIME", "how far back (7d)"),
	OPTION("step", 0, OPT_DURATION, step_s, 1, 3600, "TIME", "of an interval: four scrapes or more (1m)"),
	OPTION("from-csv", 0, OPT_STRING, from_csv, 0, 0, "FILE", "the same series from a file instead of Prometheus"),
	OPTION("to-csv", 0, OPT_STRING, to_csv, 0, 0, "FILE", "keep what was read, for --from-csv"),
	OPTION("out", 'o', OPT_STRING, out, 0, 0, "FILE", "the service file (service.yaml)"),
	OPTION("trace", 0, OPT_STRING, trace, 0, 0, "FILE", "the traffic as t_s,rps (the service file's name with .trace.csv)"),
	OPTION("held-out", 0, OPT_DOUBLE, held_out, .05, .9, "PART", "of the window, its end, not fitted but predicted (.25)"),
	OPTION("effort", 0, OPT_DOUBLE, effort, .02, 100, "X", "more or fewer simulated requests (1)"),
	OPTION("seed", 0, OPT_INT64, seed, 0, 9e15, "N", "same seed and data, same result (1)"),
	OPTION("json", 0, OPT_FLAG, is_json, 0, 0, NULL, "the result as one JSON object on stdout"),
	{ 0 },
};

const OptCommand FIT_COMMAND = {
	"fit [options]",
	"Estimates a service for the simulator from what Prometheus knows of a Deployment, with the error of each parameter, and\n"
	"names what the data cannot tell. The result is for train --service and evaluate --service.",
	OPTIONS, 0,
};

typedef struct FitCommand {
	FitCommandOptions options;
	FitSource source;
	FitData data;
	ServiceFile file;
	StrBuf notes;
	char trace_path[512];
} FitCommand;

static atomic_bool stop_now;
static atomic_int by_signal;

static void on_signal(int number)
{
	atomic_store(&by_signal, number);
	atomic_store(&stop_now, true);
}

/* ---- progress ---- */

/* "reading cpu    [#####     ]  52 %" over itself, on a terminal only. */
static bool show(double done, const char *what)
{
	enum { WIDTH = 30 };
	static const char full[] = "##############################";
	if (isatty(STDERR_FILENO)) {
		int n = (int) (done * WIDTH);
		(void) fprintf(stderr, "\r%-24s [%.*s%*s] %3.0f %%%s", what, n, full, WIDTH - n, "", 100.0 * done, done >= 1.0 ? "\n" : "");
		(void) fflush(stderr);
	}
	return !atomic_load(&stop_now);
}

static bool show_reading(void *context, double done, const char *what)
{
	char text[64];
	(void) context;
	(void) snprintf(text, sizeof text, "reading %.40s", what);
	return show(fmin(done, .999), text);
}

static bool show_fitting(void *context, double done)
{
	(void) context;
	return show(done, "fitting");
}

/* ---- reading ---- */

static int name_target(FitCommand *f, Error *err)
{
	Target *target = &f->source.target;
	const char *given = f->options.deployment, *slash = strchr(given, '/');
	int n = slash ? snprintf(target->namespace_, sizeof target->namespace_, "%.*s", (int) (slash - given), given)
	              : snprintf(target->namespace_, sizeof target->namespace_, "%s", f->options.namespace_ ? f->options.namespace_ : "default");
	int m = snprintf(target->name, sizeof target->name, "%s", slash ? slash + 1 : given);
	if (n <= 0 || m <= 0 || (size_t) n >= sizeof target->namespace_ || (size_t) m >= sizeof target->name)
		return error_set(err, ERR_USAGE, "--deployment %.80s: write NS/NAME", given);
	return 0;
}

static int read_prometheus(FitCommand *f, Error *err)
{
	Clock clock;
	const FitCommandOptions *o = &f->options;
	if (!o->prom.url)
		return error_set(err, ERR_USAGE, "--prometheus URL is missing; or --from-csv FILE");
	if (!o->deployment)
		return error_set(err, ERR_USAGE, "--deployment NS/NAME is missing; or --from-csv FILE");
	int code = name_target(f, err);
	if (code)
		return code;
	clock_init_system(&clock);
	f->source.endpoint = prom_options_config(&o->prom).access;
	f->source.endpoint.url = o->prom.url;
	f->source.end_ms = clock_wall_ms(&clock) / 1000 * 1000;
	f->source.window_s = o->window_s;
	f->source.step_s = o->step_s;
	f->source.clock = &clock;
	f->source.timeout_ms = READ_TIMEOUT_MS;
	f->source.progress = show_reading;
	(void) snprintf(f->file.name, sizeof f->file.name, "%.60s/%.253s", f->source.target.namespace_, f->source.target.name);
	return fit_source_read(&f->source, &f->data, &f->notes, err);
}

static int read_data(FitCommand *f, Error *err)
{
	int code;
	if (f->options.from_csv) {
		const char *slash = strrchr(f->options.from_csv, '/');
		str_copy(f->file.name, sizeof f->file.name, slash ? slash + 1 : f->options.from_csv);
		code = fit_data_read(f->options.from_csv, &f->data, err);
	} else {
		code = read_prometheus(f, err);
	}
	if (!code && f->options.to_csv)
		code = fit_data_write(&f->data, f->options.to_csv, err);
	return code;
}

/* ---- writing ---- */

/* web.yaml -> web.trace.csv */
static void name_trace(FitCommand *f)
{
	const char *out = f->options.out, *slash = strrchr(out, '/'), *dot = strrchr(out, '.');
	size_t stem = dot && (!slash || dot > slash + 1) ? (size_t) (dot - out) : strlen(out);
	if (f->options.trace)
		str_copy(f->trace_path, sizeof f->trace_path, f->options.trace);
	else
		(void) snprintf(f->trace_path, sizeof f->trace_path, "%.*s.trace.csv", (int) (stem < 480 ? stem : 480), out);
}

static int write_trace(FitCommand *f, Error *err)
{
	enum { FILL_S = 300 };
	StrBuf text = { 0 };
	size_t bridged = 0, left_out = 0;
	int code = fit_trace(&f->data, f->file.name, FILL_S, &text, &bridged, &left_out, err);
	if (!code)
		code = mem_write_file(f->trace_path, text.data, text.len, err);
	if (!code && bridged)
		strbuf_addf(&f->notes, "trace: %zu intervals without a request rate, in holes of %d s at most, are bridged by lines\n", bridged,
		            (int) FILL_S);
	if (!code && left_out)
		strbuf_addf(&f->notes, "trace: the longest stretch without a longer hole is taken; %zu intervals are left out\n", left_out);
	strbuf_done(&text);
	return code;
}

static void print_json(const FitCommand *f)
{
	Json *root = json_new_object();
	json_add_string(root, "service", f->options.out);
	json_add_string(root, "trace", f->trace_path);
	Json *parameters = json_add_object(root, "parameters"), *errors = json_add_object(root, "standard_error");
	Json *unidentified = json_add_array(root, "unidentified");
	for (int i = 0; i < SERVICE_PARAMETERS; i++) {
		ServiceFile file = f->file;
		json_add_number(parameters, SERVICE_PARAMETER[i].name, *service_at(&file.service, i));
		json_add_number(errors, SERVICE_PARAMETER[i].name, f->file.fit.standard_error[i]);
		if (f->file.fit.source[i] == FIT_UNIDENTIFIED)
			json_add_string(unidentified, NULL, SERVICE_PARAMETER[i].name);
	}
	json_add_string(root, "lb", SIM_BALANCE_NAME[f->file.balance]);
	if (f->file.fit.source[FIT_BALANCE] == FIT_UNIDENTIFIED)
		json_add_string(unidentified, NULL, "lb");
	json_add_number(root, "intervals", f->file.fit.intervals);
	json_add_number(root, "dispersion", f->file.fit.dispersion);
	json_add_number(root, "p50_error", f->file.fit.p50_error);
	json_add_number(root, "p95_error", f->file.fit.p95_error);
	json_add_number(root, "cpu_error", f->file.fit.cpu_error);
	json_add_number(root, "p50_chance", f->file.fit.p50_chance);
	json_add_number(root, "p95_chance", f->file.fit.p95_chance);
	json_add_number(root, "cpu_chance", f->file.fit.cpu_chance);
	char *text = json_print(root);
	if (text)
		printf("%s\n", text);
	free(text);
	json_free(root);
}

static void print_text(const FitCommand *f)
{
	const ServiceFit *fit = &f->file.fit;
	printf("%s: %.0f intervals of %g s, %.0f requests\n", f->file.name, fit->intervals, fit->interval_s, fit->requests);
	for (int i = 0; i < SERVICE_PARAMETERS; i++) {
		ServiceFile file = f->file;
		if (fit->source[i] != FIT_ESTIMATED && fit->source[i] != FIT_READ)
			continue;
		printf("  %-20s %12.6g", SERVICE_PARAMETER[i].name, *service_at(&file.service, i));
		if (isnan(fit->standard_error[i]))
			printf("  %-12s", fit->source[i] == FIT_READ ? "told" : "");
		else
			printf("  +- %-9.2g", fit->standard_error[i]);
		printf(" %s\n", SERVICE_PARAMETER[i].unit);
	}
	if (fit->source[FIT_BALANCE] == FIT_ESTIMATED)
		printf("  %-20s %12s\n", "lb", SIM_BALANCE_NAME[f->file.balance]);
	printf("not told by the data, left at the default:");
	for (int i = 0; i < FIT_KEYS; i++)
		if (fit->source[i] == FIT_UNIDENTIFIED)
			printf(" %s", i == FIT_BALANCE ? "lb" : SERVICE_PARAMETER[i].name);
	printf("\nof the %.0f intervals held out, half are predicted within: median latency %.0f %%, p95 %.0f %%, cpu %.1f %%\n", fit->held_out,
	       100.0 * fit->p50_error, 100.0 * fit->p95_error, 100.0 * fit->cpu_error);
	printf("of that, chance alone makes: %.0f %%, %.0f %%, %.1f %% (what intervals of the fitted service itself, at the same rates, are off by)\n",
	       100.0 * fit->p50_chance, 100.0 * fit->p95_chance, 100.0 * fit->cpu_chance);
	printf("%s and %s written\n", f->options.out, f->trace_path);
}

static int run(FitCommand *f, Error *err)
{
	FitOptions options = { .held_out = f->options.held_out, .effort = f->options.effort, .seed = (uint64_t) f->options.seed,
		.progress = show_fitting };
	int code = read_data(f, err);
	name_trace(f);
	if (!code)
		code = fit_estimate(&f->data, &options, &f->file, err);
	if (code == ERR_NO_DATA && f->options.from_csv)
		code = ERR_INVALID; /* there is nobody to ask again */
	if (!code)
		code = service_file_write(&f->file, f->options.out, err);
	if (!code)
		code = write_trace(f, err);
	if (isatty(STDERR_FILENO) && code)
		(void) fprintf(stderr, "\n");
	if (f->notes.data && f->notes.len)
		(void) fprintf(stderr, "%s", f->notes.data);
	if (!code && f->options.is_json)
		print_json(f);
	else if (!code)
		print_text(f);
	return code;
}

int cmd_fit(int argc, char **argv)
{
	FitCommand f = {
		.options = {
			.deployment = getenv("TARGET_DEPLOYMENT"), .namespace_ = getenv("TARGET_NAMESPACE"), .out = "service.yaml",
			.window_s = 7 * 86400.0, .step_s = 60.0, .held_out = .25, .effort = 1.0, .seed = 1,
			.prom = { .url = getenv("PROMETHEUS_URL") },
		},
	};
	int words = 0, code = opts_parse(&FIT_COMMAND, argc, argv, &f.options, &words);
	Error err = { 0 };
	if (code)
		return code == OPTS_HELPED ? 0 : err_exit_status(code);
	(void) signal(SIGINT, on_signal);
	(void) signal(SIGTERM, on_signal);
	fit_data_init(&f.data);
	code = run(&f, &err);
	fit_data_done(&f.data);
	strbuf_done(&f.notes);
	int number = atomic_load(&by_signal);
	return !code ? 0 : number ? 128 + number : cmd_fail(code, &err);
}
