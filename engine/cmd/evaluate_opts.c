/* See evaluate_opts.h. */
#include "cmd/evaluate_opts.h"

#include "sim/service_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SETTING(name, kind, field, lo, hi, arg, help) { name, 0, kind, offsetof(EvaluateOptions, field), lo, hi, arg, help, true }
#define OPTION(name, kind, field, lo, hi, arg, help) { name, 0, kind, offsetof(EvaluateOptions, field), lo, hi, arg, help, false }

static const Opt OPTIONS[] = {
	OPTION("policy", OPT_LIST, policy, 0, 0, "P", "hpa[:cpu=70], hpa-calibrated, hpa-predictive, model-based, static[:N], clairvoyant, default, model:FILE[,FILE...], run:ID, choice; "
	       "else default, hpa and hpa-calibrated"),
	OPTION("trace", OPT_LIST, trace, 0, 0, "FILE", "request rates to replay: CSV t_s,rps, or the name of a compiled-in trace; repeatable"),
	SETTING("traffic", OPT_LIST, traffic, 0, 0, "NAME", "made-up traffic, as train's, of a draw that no training has; repeatable"),
	SETTING("seeds", OPT_INT, seeds, 1, 1000, "N", "replays of each trace; the same traffic for every policy"),
	SETTING("seed", OPT_INT64, seed, 0, 9e15, "N", "same seed, same numbers"),
	SETTING("engine", OPT_STRING, engine, 0, 0, "WHAT", "fluid (fast); des: every request an event, for a verdict; auto: fluid where it can do as the service file says, else des"),
	SETTING("service", OPT_STRING, service, 0, 0, "FILE", "the service's parameters, as fit writes them; else the built-in one"),
	SETTING("corner", OPT_INT, corner, 1, 256, "K", "instead of the service the K-th of those about it that no --randomise trains on: slower and more erratic than most"),
	SETTING("latency-soft", OPT_DOUBLE, latency_soft_ms, 1, 1e7, "MS", "soft limit of p95"),
	SETTING("latency-hard", OPT_DOUBLE, latency_hard_ms, 1, 1e7, "MS", "hard limit of p95"),
	SETTING("min-replicas", OPT_INT, min_replicas, 1, 10000, "N", "least replicas"),
	SETTING("max-replicas", OPT_INT, max_replicas, 1, 10000, "N", "most replicas"),
	SETTING("interval", OPT_DURATION, interval_s, 1, 3600, "TIME", "between decisions of rules; a model has its own"),
	SETTING("startup", OPT_DURATION, startup_s, 0, 3600, "TIME", "median from a pod's creation to ready; 0: the service's own"),
	SETTING("peak-rps", OPT_DOUBLE, peak_rps, 0, 1e9, "R", "rate at each trace's peak; 0: the demand there is .8 x max"),
	SETTING("pod-price", OPT_DOUBLE, pod_price, 0, 1e6, "A", "of models that take one; 0: tuned as every family's knob is"),
	SETTING("lambda", OPT_DOUBLE, lambda, 0, 1e6, "L", "weight of an hour of violation in pod-hours, for which settings are chosen"),
	SETTING("report-from", OPT_DOUBLE, report_from, .01, .99, "FRACTION", "of each trace: reported from there, tuned on the half before"),
	SETTING("span", OPT_DURATION, span_s, 0, 1e9, "TIME", "most of a part that a replay plays; 0: all of it"),
	SETTING("compression", OPT_DOUBLE, compression, 1, 1000, "X", "trace seconds a simulated second"),
	OPTION("fault", OPT_LIST, fault, 0, 0, "KIND", "in every replay: pod-kill, cpu-stress:at=10m,every=15m,for=270s, ...; repeatable"),
	OPTION("format", OPT_STRING, format, 0, 0, "KIND", "table, json (as --json), markdown (a page), png (the fronts; needs --out)"),
	OPTION("out", OPT_STRING, out, 0, 0, "FILE", "of the page or the picture; a page FILE.md has its picture beside it, FILE.png"),
	OPTION("fail-if", OPT_STRING, fail_if, 0, 0, "EXPR", "exit 6 where it holds: v_change(default,hpa-calibrated).hi > 0 || v_pct > 2"),
	OPTION("rails", OPT_FLAG, with_rails, 0, 0, NULL, "measure what each guard rail does to each model (a page and --json show it)"),
	OPTION("stamp", OPT_FLAG, is_stamped, 0, 0, NULL, "write the finding into the files of the models that took part: run obeys it"),
	OPTION("threads", OPT_INT, threads, 0, 64, "N", "0: as many as cores; the result is the same"),
	SETTING("env", OPT_STRING, env, 0, 0, "WHAT", "sim, or live: replayed against --deployment for the policies in turn, forth and back; hpa is the cluster's own"),
	OPTION("deployment", OPT_LIST, run.deployment, 0, 0, "NS/NAME", "of --env live"),
	OPTION("load-url", OPT_LIST, load_url, 0, 0, "URL", "live: where the trace is sent"),
	SETTING("metric-window", OPT_DURATION, metric_window_s, 5, 3600, "TIME", "live: of the queries, and before a play counts (30s)"),
	OPTION("namespace", OPT_STRING, run.namespace_, 0, 0, "NS", "live: where --deployment has none; else the context's"),
	OPTION("kubeconfig", OPT_STRING, run.kubeconfig, 0, 0, "FILE", "live: else KUBECONFIG, ~/.kube/config, or the pod's account"),
	OPTION("context", OPT_STRING, run.context, 0, 0, "NAME", "of the kubeconfig"),
	PROM_OPTIONS_IN(EvaluateOptions, run.prom),
	SETTING("name", OPT_STRING, name, 0, 0, "S", "of the run in the store"),
	OPTION("db", OPT_STRING, db, 0, 0, "FILE", "the run store"),
	OPTION("json", OPT_FLAG, is_json, 0, 0, NULL, "one JSON object a line on stdout; with --format markdown or png and --out, the file as well"),
	OPTION("quiet", OPT_FLAG, is_quiet, 0, 0, NULL, "no progress on stderr"),
	{ 0 },
};

const OptCommand EVALUATE_COMMAND = {
	"evaluate [options]",
	"Policies on the same traffic, side by side: latency violations against pod-hours. Every policy with settings is tuned on the middle\n"
	"third of each trace; what is reported is the last third.",
	OPTIONS, 0,
};

int evaluate_options_parse(EvaluateOptions *o, int argc, char **argv)
{
	static const double REPORT_FROM = 2.0 / 3, PRICE = .3;
	int words;
	*o = (EvaluateOptions) { .env = "sim", .metric_window_s = 30, .engine = "auto", .format = "table", .name = "evaluate", .seed = 1, .seeds = 3, .min_replicas = 1, .max_replicas = 15, .latency_soft_ms = 250,
		.latency_hard_ms = 500, .interval_s = 15, .lambda = 30, .report_from = REPORT_FROM, .compression = 1 };
	run_options_default(&o->run);
	int code = opts_parse(&EVALUATE_COMMAND, argc, argv, o, &words);
	if (code || strcmp(o->env, "live"))
		return code;
	if (fabs(o->report_from - REPORT_FROM) < 1e-9)
		o->report_from = 0; /* nothing is tuned */
	if (o->pod_price <= 0)
		o->pod_price = PRICE;
	return 0;
}

/* The generalisation test: a world of the corner that training leaves out (sim.h). */
static int enter_corner(const EvaluateOptions *o, SimConfig *sim, Error *err)
{
	static const float SHORTEST_WINDOW_S = 35; /* of the models that play there: two scrapes must be in it */
	SimConfig about = *sim, world;
	about.vary = (SimVary) { .is_corner = true, .worlds_seed = (uint64_t) o->seed };
	about.latency_window_s = fminf(about.latency_window_s, SHORTEST_WINDOW_S);
	int code = sim_world_able(&about, o->corner - 1, o->latency_soft_ms, &world);
	if (code == ERR_NOMEM)
		return error_set(err, code, "%s", err_text(code));
	if (code)
		return error_set(err, code, "--corner: no service there has an idle p95 under %g ms; raise --latency-soft", o->latency_soft_ms);
	const Service *s = &world.service;
	(void) fprintf(stderr, "corner %d: service_mean %.3g, service_cv %.3g, cpu_limit %g, scrape_interval %g, warm_factor %.3g, retries %.2g, neighbour %.2g\n",
	               o->corner, s->service_mean, s->service_cv, s->cpu_limit, s->scrape_interval, s->warm_factor, s->retries, s->neighbour);
	world.latency_window_s = sim->latency_window_s;
	world.vary = sim->vary;
	*sim = world;
	return 0;
}

static int apply_sim(const EvaluateOptions *o, SimConfig *sim, Error *err)
{
	bool is_request = !strcmp(o->engine, "des"), is_auto = !strcmp(o->engine, "auto");
	if (!is_request && !is_auto && strcmp(o->engine, "fluid"))
		return error_set(err, ERR_USAGE, "--engine %.40s: write fluid, des or auto", o->engine);
	if (strcmp(o->env, "sim") && strcmp(o->env, "live"))
		return error_set(err, ERR_USAGE, "--env %.40s: write sim or live", o->env);
	if (o->min_replicas > o->max_replicas)
		return error_set(err, ERR_USAGE, "--min-replicas %d is above --max-replicas %d", o->min_replicas, o->max_replicas);
	if (o->latency_hard_ms <= o->latency_soft_ms)
		return error_set(err, ERR_USAGE, "--latency-hard %g must be above --latency-soft %g", o->latency_hard_ms, o->latency_soft_ms);
	sim->level = is_request ? SIM_REQUEST : SIM_FLUID;
	sim->peak_rps = o->peak_rps;
	sim->compression = o->compression;
	sim->interval_s = (float) o->interval_s;
	sim->min_replicas = o->min_replicas;
	sim->max_replicas = o->max_replicas;
	sim->latency_soft_ms = (float) o->latency_soft_ms;
	sim->latency_hard_ms = (float) o->latency_hard_ms;
	ServiceFile service;
	int code = o->service ? service_file_read(o->service, &service, err) : 0;
	if (code)
		return code;
	if (o->service && is_auto && !service_file_apply(&service, sim)) {
		sim->level = SIM_REQUEST;
		(void) fprintf(stderr, "maestro: %s: lb is %s: played request by request (--engine des), which takes longer\n", o->service,
		               SIM_BALANCE_NAME[service.balance]);
	}
	if (o->service && !service_file_apply(&service, sim))
		return error_set(err, ERR_USAGE, "%s: lb is %s; the fluid level balances at random, --engine des does as the file says", o->service,
		                 SIM_BALANCE_NAME[service.balance]);
	if (o->corner && o->is_stamped)
		return error_set(err, ERR_USAGE, "--corner: what is measured there is of no service that run knows; leave --stamp out");
	if (o->corner && (code = enter_corner(o, sim, err)))
		return code;
	if (o->startup_s > 0)
		service_set_startup(&sim->service, o->startup_s);
	if (o->fault.n > CHAOS_PLANS)
		return error_set(err, ERR_USAGE, "--fault: at most %d", CHAOS_PLANS);
	for (size_t i = 0; i < o->fault.n && !code; i++, sim->n_plans++)
		code = chaos_parse(o->fault.item[i], &sim->plan[i], err);
	return code;
}

int evaluate_options_apply(const EvaluateOptions *o, ContestConfig *ret, Error *err)
{
	static const double OTHER_LAMBDA = 10; /* the loose one of the yardstick stands beside whatever is asked for */
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	*ret = (ContestConfig) { .seeds = o->seeds, .seed = (uint64_t) o->seed, .report_from = o->report_from, .span_s = o->span_s,
		.lambda = { o->lambda }, .n_lambdas = 1, .threads = o->threads ? o->threads : (int32_t) (cores < 1 ? 1 : cores) };
	if (fabs(o->lambda - OTHER_LAMBDA) > 0)
		ret->lambda[ret->n_lambdas++] = OTHER_LAMBDA;
	ret->with_rails = o->with_rails;
	Arena *arena = &ret->arena;
	sim_config_default(&arena->sim);
	int code = apply_sim(o, &arena->sim, err);
	if (code)
		return code;
	arena->pod_price = o->pod_price;
	arena->startup_s = service_startup_median_s(&arena->sim.service);
	arena->pod_capacity_rps = sim_capacity_rps(&arena->sim.service, 1, o->latency_soft_ms);
	return isnan(arena->pod_capacity_rps) ? error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM)) : 0;
}

char *evaluate_options_json(const EvaluateOptions *options)
{
	return opts_save(OPTIONS, options);
}
