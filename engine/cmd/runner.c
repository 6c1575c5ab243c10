/* See runner.h. The API, the targets and life; runner_loops.c has the rest. */
#include "cmd/runner_inside.h"

#include "base/mem.h"
#include "cluster/scale.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RETRY_S = 5, LEASE_ONCE_MS = 5000, LEASE_FIRST_MS = 500, LEASE_LOOK_US = 20000, POLLED_MAX = 3, LIST_TRIES = 40, LIST_US = 250000 };

int runner_out_of_memory(Error *err)
{
	return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
}

int runner_usage(const Runner *r, const char *text)
{
	(void) fprintf(stderr, "maestro: %s: %s; see maestro %s --help\n", r->config.command, text, r->config.command);
	return ERR_USAGE;
}

/* ---- the API ---- */

static int open_api(Runner *r, Error *err)
{
	const RunOptions *o = r->config.options;
	Clock *clock = &r->config.session->clock;
	int code = kubeconfig_load(o->kubeconfig, o->context, &r->kubeconfig, err);
	if (code)
		return code;
	r->kubeconfig.is_readonly = o->is_readonly;
	if (r->kubeconfig.insecure)
		(void) fprintf(stderr, "maestro: the kubeconfig switches the check of the API server's certificate off\n");
	code = kube_budget_new(5, 10, clock, &r->budget, err);
	if (!code)
		code = kube_cache_new(&r->cache, err);
	if (!code)
		code = kube_client_new(&r->kubeconfig, clock, &r->kube, err);
	if (code)
		return code;
	kube_client_budget(r->kube, r->budget);
	kube_client_cache(r->kube, r->cache);
	kube_client_count(r->kube, r->config.telemetry);
	return 0;
}

static void say_leads(void *arg, bool is_held)
{
	(void) arg;
	(void) fprintf(stderr, "maestro: %s\n", is_held ? "this process leads" : "this process does not lead any more");
}

static int open_each(const Runner *r, const LeaseConfig *lease, Shards **ret_shards, Error *err)
{
	Target target[TARGET_LEASES_MAX] = { 0 };
	for (size_t i = 0; i < r->n && i < TARGET_LEASES_MAX; i++) {
		str_copy(target[i].namespace_, sizeof target[i].namespace_, r->target[i].given.namespace_);
		str_copy(target[i].name, sizeof target[i].name, r->target[i].given.name);
	}
	return shards_start_each(lease, target, r->n, r->config.is_trainer, r->config.options->lease_namespace != NULL, ret_shards, err);
}

/* Else one Lease for all: too many targets, or somebody asked for it by an option. With --lease-namespace they have both. */
static bool has_leases_of_targets(const Runner *r)
{
	const RunOptions *o = r->config.options;
	return !o->elects_leader && !o->shard && r->n <= TARGET_LEASES_MAX;
}

static bool wants_lease(const Runner *r)
{
	const RunOptions *o = r->config.options;
	return !r->config.leases && !o->is_dry_run && !o->is_readonly && (o->takes_lease || o->elects_leader || o->shard);
}

/* Without the right to a Lease, in the command's own options. */
static void say_instead(const Runner *r, char *text, size_t size)
{
	const RunOptions *o = r->config.options;
	(void) snprintf(text, size, "%sact without by --no-lease%s", r->config.is_trainer ? "or " : "watch with --dry-run, or ",
	                o->shard ? " in place of --shard" : o->elects_leader ? " in place of --leader-elect" : "");
}

/* Once the targets are known to be there: a Lease says what its holder acts on. */
static int open_lease(Runner *r, Error *err)
{
	const RunOptions *o = r->config.options;
	LeaseConfig lease;
	char instead[128];
	say_instead(r, instead, sizeof instead);
	lease_config_default(&lease);
	lease.instead = instead;
	lease.kube = &r->kubeconfig;
	lease.clock = &r->config.session->clock;
	lease.namespace_ = o->lease_namespace ? o->lease_namespace : r->kubeconfig.namespace_;
	lease.identity = r->identity;
	lease.telemetry = r->config.telemetry;
	lease.on_change = o->is_once ? NULL : say_leads; /* one line says why one cycle failed */
	lease.is_waived = !o->elects_leader && !o->shard && !o->lease_namespace; /* nobody asked for it by name */
	int own = 0, n = 0, code = o->shard ? shard_parse(o->shard, NULL, &own, &n, err) : 0;
	if (n > 0) { /* a shard whose replica died is decided for again within 20 s: 8, two looks, and a cycle */
		lease.duration_ms = 8000;
		lease.renew_ms = 5000;
		lease.retry_ms = 1500;
	}
	if (!code && has_leases_of_targets(r))
		code = open_each(r, &lease, &r->shards, err);
	else if (!code)
		code = shards_start(&lease, own, n, &r->shards, err);
	if (!code)
		kube_cluster_lead(r->cluster, r->shards);
	return code;
}

/* CONTROL C allows polling up to three targets. */
static int open_watch(Runner *r, Error *err)
{
	const char **name = calloc(r->n, sizeof *name);
	size_t n = 0;
	if (!name)
		return runner_out_of_memory(err);
	for (size_t i = 0; i < r->n; i++) {
		bool is_new = true;
		for (size_t k = 0; k < n && is_new; k++)
			is_new = strcmp(name[k], r->target[i].given.namespace_) != 0;
		if (is_new)
			name[n++] = r->target[i].given.namespace_;
	}
	const WatchConfig watch = { &r->kubeconfig, &r->config.session->clock, r->budget, r->config.telemetry, r->cache, name, n, 0 };
	kube_cache_watched(r->cache);
	int code = watch_start(&watch, &r->watch, err);
	free(name);
	return code;
}

static int open_cluster(Runner *r, Error *err)
{
	const RunOptions *o = r->config.options;
	Clock *clock = &r->config.session->clock;
	const HeraldConfig herald = { &r->kubeconfig, clock, r->budget, r->config.telemetry, r->identity };
	bool writes = !o->is_dry_run && !o->is_readonly;
	int code = writes ? herald_start(&herald, &r->herald, err) : 0;
	r->shards = r->config.leases;
	bool is_watched = r->n > POLLED_MAX && !o->is_once;
	if (!code && is_watched)
		code = open_watch(r, err);
	bool is_floor = !strcmp(o->actuate, "hpa-floor");
	const KubeClusterConfig cluster = { r->kube, clock, r->shards, r->herald, is_watched, is_floor,
		.looks_for_claims = writes && !r->config.leases && !(wants_lease(r) && has_leases_of_targets(r)) };
	if (!code)
		code = kube_cluster_new(&cluster, &r->cluster, err);
	if (!code)
		code = is_floor ? kube_floor_new(r->cluster, &r->actuator, err) : kube_actuator_new(r->kube, &r->actuator, err);
	return code;
}

/* ---- the targets ---- */

static int list_targets(Runner *r, Error *err)
{
	TargetList list = { 0 };
	int code = target_list_find(r->kube, r->config.options, r->kubeconfig.namespace_, &list, err);
	if (!code && !list.n)
		code = runner_usage(r, r->config.options->selector ? "no Deployment has these labels" : "--deployment NAMESPACE/NAME is missing");
	if (!code) {
		r->n = list.n;
		r->target = calloc(list.n, sizeof *r->target);
		r->loop = calloc(list.n, sizeof *r->loop);
		code = r->target && r->loop ? 0 : runner_out_of_memory(err);
	}
	for (size_t i = 0; i < list.n && !code; i++)
		r->target[i] = (RunTarget) { .runner = r, .given = list.target[i] };
	target_list_done(&list);
	return code;
}

static bool is_passing(int code)
{
	return code == ERR_UNREACHABLE || code == ERR_TIMEOUT || code == ERR_HTTP || code == ERR_UNAUTHORIZED || code == ERR_NO_DATA;
}

/* A look at all targets. Answers the worst code: what does not pass by itself before what does. */
static int look_once(Runner *r, Error *err)
{
	Target *target = calloc(r->n, sizeof *target);
	TargetFacts *facts = calloc(r->n, sizeof *facts);
	int code = target && facts ? 0 : runner_out_of_memory(err);
	for (size_t i = 0; i < r->n && !code; i++) {
		str_copy(target[i].namespace_, sizeof target[i].namespace_, r->target[i].given.namespace_);
		str_copy(target[i].name, sizeof target[i].name, r->target[i].given.name);
	}
	if (!code)
		r->cluster->ops->look(r->cluster, target, r->n, facts);
	for (size_t i = 0; i < r->n && facts; i++) {
		r->target[i].facts = facts[i];
		if (facts[i].code && (!code || (is_passing(code) && !is_passing(facts[i].code))))
			code = error_set(err, facts[i].code, "%s", facts[i].why);
	}
	free(target);
	free(facts);
	return code;
}

/* Without --once an API that is down is waited for: it never ends the process. > 0: the signal that ended the wait. */
static int look(Runner *r, Error *err)
{
	for (int tries = 0;;) {
		int code = look_once(r, err);
		if (code == ERR_NO_DATA && r->watch && tries++ < LIST_TRIES) { /* the watch is still listing */
			(void) usleep(LIST_US);
			continue;
		}
		if (!code || r->config.options->is_once || !is_passing(code))
			return code;
		(void) fprintf(stderr, "maestro: %s; trying again in %d s\n", err->text, RETRY_S);
		int signal_number = session_sleep(RETRY_S);
		if (signal_number > 0)
			return signal_number;
	}
}

static int refuse_conflicts(const Runner *r, Error *err)
{
	const RunOptions *o = r->config.options;
	for (size_t i = 0; i < r->n && !o->is_dry_run && !o->is_readonly; i++) {
		const TargetFacts *facts = &r->target[i].facts;
		if (!facts->owner[0] || (facts->is_claimed && (r->shards || wants_lease(r)))) /* a Lease of its own waits for another's */
			continue;
		const char *floor = facts->is_claimed || r->config.is_trainer ? "" : ", write its floor with --actuate hpa-floor";
		return error_set(err, ERR_REFUSED, "%s/%s: %s has it; %s%s%s", r->target[i].given.namespace_, r->target[i].given.name, facts->owner,
		                 facts->is_claimed ? "end that, or leave --no-lease away" : "remove that", floor,
		                 r->config.is_trainer ? "" : ", or watch with --dry-run");
	}
	return 0;
}

/* ---- life ---- */

static int check_words(const Runner *r, Error *err)
{
	const RunOptions *o = r->config.options;
	int own, n;
	if (!o->prom.url)
		return runner_usage(r, "--prometheus URL is missing");
	if (strcmp(o->rails, "all") && strcmp(o->rails, "seed"))
		return runner_usage(r, "--rails is all or seed");
	if (strcmp(o->actuate, "scale") && strcmp(o->actuate, "hpa-floor"))
		return runner_usage(r, "--actuate is scale or hpa-floor");
	return o->shard ? shard_parse(o->shard, NULL, &own, &n, err) : 0;
}

int runner_open(const RunnerConfig *config, Runner **ret_runner, Error *err)
{
	Runner *r = calloc(1, sizeof *r);
	if (!r)
		return runner_out_of_memory(err);
	r->config = *config;
	lease_identity(r->identity, sizeof r->identity);
	int code = check_words(r, err);
	if (!code)
		code = open_api(r, err);
	if (!code)
		code = list_targets(r, err);
	if (!code)
		code = open_cluster(r, err);
	if (!code)
		code = look(r, err);
	if (!code)
		code = refuse_conflicts(r, err);
	if (!code && wants_lease(r))
		code = open_lease(r, err);
	if (!code)
		code = runner_build(r, err);
	if (code) {
		runner_note_end(r, RUN_FAILED);
		runner_close(r);
		return code;
	}
	*ret_runner = r;
	return 0;
}

static void close_targets(Runner *r)
{
	fleet_free(r->fleet);
	for (size_t i = 0; i < r->n && r->target; i++) {
		loop_free(r->target[i].loop);
		policy_free(r->target[i].hpa);
		if (r->target[i].owns_policy)
			policy_free(r->target[i].policy);
	}
	for (size_t i = 0; i < r->n_models; i++) {
		policy_free(r->model[i]->policy);
		free(r->model[i]);
	}
	for (size_t i = 0; i < r->n_sources; i++)
		metrics_free(r->source[i].metrics);
	free(r->model);
	free(r->source);
	free(r->target);
	free(r->loop);
}

void runner_close(Runner *r)
{
	if (!r)
		return;
	fleet_stop(r->fleet);
	if (!r->config.leases)
		shards_stop(r->shards);
	herald_stop(r->herald);
	watch_stop(r->watch);
	close_targets(r);
	actuator_free(r->actuator);
	cluster_free(r->cluster);
	kube_client_free(r->kube);
	kube_cache_free(r->cache);
	kube_budget_free(r->budget);
	kubeconfig_done(&r->kubeconfig);
	free(r);
}

void runner_note_end(Runner *r, RunStatus status)
{
	Session *session = r->config.session;
	for (size_t i = 0; i < r->n && r->target; i++) {
		Record record = { .kind = RECORD_RUN_END, .run_id = r->target[i].config.run_id, .u.run_end = status };
		record.wall_ms = clock_wall_ms(&session->clock);
		if (record.run_id)
			session->sink->ops->write(session->sink, &record);
	}
}

/* Under a lease the first attempt is waited for: a cycle right away would find nobody leading. A signal ends it. */
static void wait_for_lease(const Runner *r, int64_t wait_ms)
{
	Clock *clock = &r->config.session->clock;
	int64_t until = clock_mono_ms(clock) + wait_ms;
	while (!runner_leads(r) && clock_mono_ms(clock) < until && !session_sleep(0))
		(void) usleep(LEASE_LOOK_US);
}

int runner_once(Runner *r, Error *err)
{
	wait_for_lease(r, LEASE_ONCE_MS);
	return fleet_once(r->fleet, err);
}

int runner_start(Runner *r, Error *err)
{
	wait_for_lease(r, LEASE_FIRST_MS);
	return fleet_start(r->fleet, err);
}

/* The lease first: another may go on at once, and what the cycle under way still wants to write is refused. */
void runner_stop(Runner *r)
{
	if (r->shards && !r->config.leases)
		shards_release(r->shards);
	fleet_stop(r->fleet);
}

Loop *const *runner_loops(const Runner *r, size_t *ret_n)
{
	*ret_n = r->n;
	return r->loop;
}

const KubeConfig *runner_kubeconfig(const Runner *r)
{
	return &r->kubeconfig;
}

bool runner_leads(const Runner *r)
{
	return !r->shards || shards_hold_all(r->shards);
}
