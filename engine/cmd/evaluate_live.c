/* See evaluate_live.h. */
#include "cmd/evaluate_live.h"

#include "base/mem.h"
#include "cluster/hpa_object.h"
#include "cmd/live_home.h"
#include "cmd/live_load.h"
#include "cmd/runner.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STEPS_MAX = 16384, SLICE_MS = 200, READY_S = 120, GONE_S = 60, HPA_CPU_PCT = 80 };

typedef struct EvaluateLive {
	const EvaluateOptions *options;
	const ContestConfig *config;
	Session *session;
	const volatile sig_atomic_t *stop;
	RunOptions run;          /* of the policy that plays */
	KubeConfig kubeconfig;
	KubeClient *kube;        /* the main thread's */
	Shards *leases;          /* the target's, from before anything is written until all is put back */
	LiveHomes homes;
	Target target;           /* with the bounds and limits in force */
	bool has_hpa;            /* the cluster's own can play */
	LiveLoad *load;
	/* of the play under way; the loop's thread fills it */
	pthread_mutex_t lock;
	EvalStep *step;          /* [STEPS_MAX] */
	int32_t n;
	bool counts;
	int32_t first_replicas;
	int64_t last_ms;
	double pod_s;
	LoadReport begun, before, now, part; /* of the load: when it began to count, at the last cycle, now, in between */
} EvaluateLive;

/* Sleeps in slices. False: somebody wants it to end. */
static bool pause_for(const EvaluateLive *e, double seconds)
{
	for (int64_t left_ms = (int64_t) (seconds * 1000); left_ms > 0 && !*e->stop; left_ms -= SLICE_MS)
		(void) nanosleep(&(struct timespec) { 0, SLICE_MS * 1000000L }, NULL);
	return !*e->stop;
}

/* ---- measuring ---- */

/* What came between two reports. */
static void subtract(LoadReport *now, const LoadReport *before)
{
	for (size_t b = 0; b < LOAD_BUCKETS; b++)
		now->latency.count[b] -= before->latency.count[b];
	now->latency.n -= before->latency.n;
	now->bad_status -= before->bad_status;
	now->timeouts -= before->timeouts;
	now->unreachable -= before->unreachable;
}

/* The share of requests over a limit, those without a good answer included. */
static double slow_share(const LoadReport *r, double limit_ms)
{
	double lo = 0, hi = 1; /* the latency's distribution at the limit, by bisection of its inverse */
	for (int i = 0; i < 20 && r->latency.n; i++) {
		double q = .5 * (lo + hi);
		*(latency_quantile(&r->latency, q) > limit_ms ? &hi : &lo) = q;
	}
	double answered = (double) r->latency.n, bad = (double) (r->bad_status + r->unreachable);
	double all = answered + (double) r->unreachable;
	double slow = (1 - lo) * answered + bad;
	return all > 0 ? fmin(slow / all, 1) : 0;
}

/* RunnerConfig.on_cycle: an interval has passed. */
static void on_cycle(void *arg, const LiveView *view)
{
	EvaluateLive *e = arg;
	const Sample *sample = &view->last.sample;
	(void) pthread_mutex_lock(&e->lock);
	int64_t now_ms = clock_mono_ms(&e->session->clock);
	live_load_report(e->load, &e->now);
	if (e->counts && e->n < STEPS_MAX && sample->valid & SAMPLE_REPLICAS) {
		LoadReport *d = &e->part;
		*d = e->now;
		subtract(d, &e->before);
		double s = (double) (now_ms - e->last_ms) / 1000;
		e->step[e->n++] = (EvalStep) {
			.p95_ms = d->latency.n ? (float) latency_quantile(&d->latency, .95) : NAN,
			.rps = (float) ((double) d->latency.n / fmax(s, .001)),
			.slow_soft = (float) slow_share(d, (double) e->target.latency_soft_ms),
			.slow_hard = (float) slow_share(d, (double) e->target.latency_hard_ms),
			.pod_s = (float) (sample->replicas * s),
			.replicas = (int16_t) sample->replicas,
			.ready = (int16_t) sample->ready,
		};
	}
	e->before = e->now;
	e->last_ms = now_ms;
	(void) pthread_mutex_unlock(&e->lock);
}

static void figure(EvaluateLive *e, double interval_s, double ret[FIGURE_COUNT])
{
	static const Figure unknown[] = { FIGURE_REWARD, FIGURE_THETA_U, FIGURE_THETA_O, FIGURE_TAU_U, FIGURE_TAU_O, FIGURE_INSTABILITY, FIGURE_UNDER,
		FIGURE_OVER, FIGURE_LEAD, FIGURE_LEAD_SHARE, FIGURE_RAMPS, FIGURE_REGRET,
		FIGURE_V_SHORT, FIGURE_V_DRAIN, FIGURE_V_ENOUGH };
	const FiguresInput in = {
		.step = e->step, .n = e->n, .interval_s = interval_s, .soft_ms = (double) e->target.latency_soft_ms,
		.hard_ms = (double) e->target.latency_hard_ms, .min_replicas = e->target.min_replicas, .max_replicas = e->target.max_replicas,
		.first_replicas = e->first_replicas, .lambda = e->config->lambda[0],
	};
	figures_of(&in, ret);
	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
		ret[unknown[i]] = NAN; /* what a live service's demand is nobody knows */
	live_load_report(e->load, &e->now);
	subtract(&e->now, &e->begun);
	ret[FIGURE_P95] = e->now.latency.n ? latency_quantile(&e->now.latency, .95) : NAN;
	ret[FIGURE_P99] = e->now.latency.n ? latency_quantile(&e->now.latency, .99) : NAN;
}

/* ---- a play ---- */

static bool is_ready(const EvaluateLive *e, int32_t replicas)
{
	KubeDeployment deployment;
	PodList pods = { 0 };
	Error err;
	bool ready = !kube_deployment_read(e->kube, &e->target, &deployment, &err) && deployment.replicas == replicas &&
	             !kube_pods_list(e->kube, &e->target, deployment.selector, clock_wall_ms(&e->session->clock), &pods, &err) &&
	             pods.ready == replicas && pods.n == (size_t) replicas;
	pod_list_done(&pods);
	return ready;
}

/* Every play begins at the replicas that were there first. */
static int go_home(EvaluateLive *e, Error *err)
{
	int32_t replicas = e->homes.home[0].replicas;
	int code = home_set(e->kube, &e->target, replicas, err);
	for (int i = 0; i < READY_S && !code && !is_ready(e, replicas); i++)
		if (!pause_for(e, 1))
			return error_set(err, ERR_CANCELLED, "%s", err_text(ERR_CANCELLED));
	return code;
}

static bool is_own_hpa(const EvaluateLive *e, const Family *family)
{
	return e->has_hpa && !strcmp(family->kind->word, "hpa");
}

static int open_contender(EvaluateLive *e, const Family *family, Runner **ret_runner, Error *err)
{
	bool is_hpa = is_own_hpa(e, family);
	e->run.policy = is_hpa ? "hpa" : family->word;
	e->run.is_dry_run = is_hpa; /* it looks on */
	int code = is_hpa ? hpa_object_create(e->kube, &e->target, family->number ? family->number : HPA_CPU_PCT, err) : 0;
	const RunnerConfig runner = { .options = &e->run, .command = "evaluate", .session = e->session, .on_cycle = on_cycle, .arg = e,
		.is_trainer = true, .leases = e->leases, .metric_window_s = e->options->metric_window_s };
	if (!code)
		code = runner_open(&runner, ret_runner, err);
	if (!code)
		code = runner_start(*ret_runner, err);
	return code > 0 ? ERR_CANCELLED : code;
}

/* It would go on scaling when all else is over: an API that is away is waited for, signal or not. */
static void remove_hpa(const EvaluateLive *e)
{
	Error err = { 0 };
	int code = hpa_object_delete(e->kube, &e->target, &err);
	for (int i = 0; live_passes(code) && i < GONE_S; i++) {
		(void) nanosleep(&(struct timespec) { 1, 0 }, NULL);
		code = hpa_object_delete(e->kube, &e->target, &err);
	}
	if (code)
		(void) fprintf(stderr, "maestro: %s; it stays: kubectl delete it, or the next evaluation does\n", err.text);
}

/* The policy is there, and its window is full of this play's traffic, before anything counts. */
static int measure(EvaluateLive *e, Runner *runner, double play_s, double ret[FIGURE_COUNT], Error *err)
{
	bool goes_on = pause_for(e, e->options->metric_window_s);
	size_t n;
	double interval_s = (double) loop_config(runner_loops(runner, &n)[0])->interval_ms / 1000;
	(void) pthread_mutex_lock(&e->lock);
	e->n = 0;
	e->counts = true;
	live_load_report(e->load, &e->begun);
	e->first_replicas = e->homes.home[0].replicas;
	(void) pthread_mutex_unlock(&e->lock);
	goes_on = goes_on && pause_for(e, play_s);
	(void) pthread_mutex_lock(&e->lock);
	e->counts = false;
	(void) pthread_mutex_unlock(&e->lock);
	if (!goes_on)
		return error_set(err, ERR_CANCELLED, "%s", err_text(ERR_CANCELLED));
	if (e->n < 2)
		return error_set(err, ERR_NO_DATA, "nothing was measured in %.0f s: the metrics or the API were away", play_s);
	figure(e, interval_s, ret);
	return 0;
}

static int play(void *arg, int32_t family, int32_t trace, int32_t seed, double ret[FIGURE_COUNT], Error *err)
{
	EvaluateLive *e = arg;
	const EvaluateOptions *o = e->options;
	const Family *of = &e->config->family[family];
	const Trace *on = &e->config->trace[trace];
	double length_s = (double) on->n * on->step_s / o->compression, from_s = o->report_from * length_s;
	double play_s = o->span_s > 0 && o->span_s < length_s - from_s ? o->span_s : length_s - from_s;
	const LiveLoadConfig load = { .url = &o->load_url, .trace = on, .n_traces = 1, .peak_rps = o->peak_rps, .compression = o->compression,
		.from_s = from_s + length_s - o->metric_window_s, .seed = (uint64_t) (o->seed + seed) };
	Runner *runner = NULL;
	(void) fprintf(stderr, "maestro: %s plays %s for %.0f s, seed %d%s\n", of->word, on->name, play_s, seed,
	               is_own_hpa(e, of) ? ", by the cluster's own HorizontalPodAutoscaler" : "");
	int code = go_home(e, err);
	if (!code)
		code = live_load_start(&load, &e->load, err);
	if (!code)
		code = open_contender(e, of, &runner, err);
	if (!code)
		code = measure(e, runner, play_s, ret, err);
	if (is_own_hpa(e, of))
		remove_hpa(e);
	if (runner) {
		runner_stop(runner);
		runner_note_end(runner, code ? RUN_FAILED : RUN_DONE);
	}
	runner_close(runner);
	live_load_stop(e->load);
	e->load = NULL;
	return code;
}

/* ---- life ---- */

/* The Deployment as its annotations and the options have it. */
static int read_target(EvaluateLive *e, Error *err)
{
	const EvaluateOptions *o = e->options;
	TargetList list = { 0 };
	KubeDeployment deployment;
	TargetSettings settings;
	int code = target_list_read(&e->run, e->run.namespace_ ? e->run.namespace_ : e->kubeconfig.namespace_, &list, err);
	if (!code && list.n != 1)
		code = error_set(err, ERR_USAGE, "--env live: --deployment NAMESPACE/NAME, one of them");
	if (!code) {
		str_copy(e->target.namespace_, sizeof e->target.namespace_, list.target[0].namespace_);
		str_copy(e->target.name, sizeof e->target.name, list.target[0].name);
		code = kube_deployment_read(e->kube, &e->target, &deployment, err);
	}
	if (!code)
		code = target_settle(&e->run, &list.target[0], &deployment.facts, NULL, &settings, err);
	target_list_done(&list);
	if (code)
		return code;
	e->target = settings.target;
	if (!e->target.max_replicas)
		e->target.max_replicas = e->run.max_replicas = o->max_replicas;
	if (e->target.latency_soft_ms <= 0 || e->target.latency_hard_ms <= 0)
		return error_set(err, ERR_USAGE, "%s/%s: no latency limits; annotate them or give --latency-soft and --latency-hard", e->target.namespace_,
		                 e->target.name);
	return 0;
}

/* Whoever has the Lease is alone with the target: a note or a HorizontalPodAutoscaler that is there was left by one that is dead. */
static int wait_for_lease(EvaluateLive *e, Error *err)
{
	char identity[128];
	LeaseConfig lease;
	lease_identity(identity, sizeof identity);
	lease_config_default(&lease);
	lease.kube = &e->kubeconfig;
	lease.clock = &e->session->clock;
	lease.identity = identity;
	int code = shards_start_each(&lease, &e->target, 1, false, false, &e->leases, err);
	while (!code && !shards_hold_all(e->leases))
		if (!pause_for(e, .2))
			code = error_set(err, ERR_CANCELLED, "%s", err_text(ERR_CANCELLED));
	return code;
}

static int open_live(EvaluateLive *e, Error *err)
{
	const EvaluateOptions *o = e->options;
	if (!o->load_url.n)
		return error_set(err, ERR_USAGE, "--env live: --load-url URL is missing: the trace has to be sent somewhere");
	int code = kubeconfig_load(o->run.kubeconfig, o->run.context, &e->kubeconfig, err);
	if (!code)
		code = kube_client_new(&e->kubeconfig, &e->session->clock, &e->kube, err);
	if (!code)
		code = read_target(e, err);
	if (!code)
		code = wait_for_lease(e, err);
	if (!code)
		code = live_homes_note(e->kube, &e->target, 1, &e->homes, err);
	Error why = { 0 };
	if (!code)
		(void) hpa_object_delete(e->kube, &e->target, &why); /* of one that was killed; who may not has made none */
	bool wants_hpa = false;
	for (int32_t f = 0; f < e->config->n_families; f++)
		wants_hpa |= !strcmp(e->config->family[f].kind->word, "hpa");
	e->has_hpa = !code && wants_hpa && !hpa_object_check(e->kube, &why);
	if (!code && wants_hpa && !e->has_hpa)
		(void) fprintf(stderr, "maestro: hpa is our own rule here: the cluster's HorizontalPodAutoscaler has no metrics (%s)\n", why.text);
	return code;
}

int evaluate_live(const EvaluateOptions *options, const ContestConfig *config, Session *session, const volatile sig_atomic_t *stop,
                  Contest *ret_contest, Error *err)
{
	EvaluateLive *e = calloc(1, sizeof *e);
	if (!e || !(e->step = calloc(STEPS_MAX, sizeof *e->step))) {
		free(e);
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	}
	e->options = options;
	e->config = config;
	e->session = session;
	e->stop = stop;
	e->run = options->run;
	e->run.latency_soft_ms = options->latency_soft_ms;
	e->run.latency_hard_ms = options->latency_hard_ms;
	e->run.interval_s = options->interval_s;
	e->run.pod_price = options->pod_price;
	e->run.is_forced = true; /* its evaluation is what this is, */
	e->run.adds_only_s = 0;  /* and its first day */
	(void) pthread_mutex_init(&e->lock, NULL);
	int code = open_live(e, err);
	if (!code)
		code = contest_measure(config, play, e, stop, ret_contest, err);
	live_homes_return(e->kube, &e->homes);
	shards_stop(e->leases);
	kube_client_free(e->kube);
	kubeconfig_done(&e->kubeconfig);
	(void) pthread_mutex_destroy(&e->lock);
	free(e->step);
	free(e);
	return code;
}
