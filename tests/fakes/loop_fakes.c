/* See loop_fakes.h. */
#include "loop_fakes.h"

#include <math.h>
#include <stdio.h>

static int metrics_fetch(Metrics *metrics, const Target *target, size_t n, int64_t now_ms, Sample *ret, Error *err)
{
	(void) target;
	FakeMetrics *fake = (FakeMetrics *) metrics;
	fake->fetches++;
	fake->targets += (int32_t) n;
	if (fake->code)
		return error_set(err, fake->code, "fake prometheus: %s", err_text(fake->code));
	for (size_t i = 0; i < n; i++) {
		ret[i] = fake->sample;
		ret[i].wall_ms = now_ms;
	}
	return 0;
}

static void no_free(Metrics *metrics)
{
	(void) metrics;
}

void fake_metrics_init(FakeMetrics *fake)
{
	static const MetricsOps ops = { "fake", metrics_fetch, no_free, NULL };
	*fake = (FakeMetrics) {
		.metrics = { &ops },
		.sample = {
			.valid = SAMPLE_ALL,
			.cpu_cores = .3,
			.mem_bytes = 2e8,
			.latency_ms = 120,
			.rps = 40,
			.replicas = 3,
			.ready = 3,
		},
	};
}

static int actuator_get(Actuator *actuator, const Target *target, Scale *ret, Error *err)
{
	(void) target;
	FakeActuator *fake = (FakeActuator *) actuator;
	if (fake->get_code)
		return error_set(err, fake->get_code, "fake api: scale: %s", err_text(fake->get_code));
	*ret = (Scale) { .replicas = fake->replicas, .status_replicas = fake->replicas, .floor = fake->floor };
	(void) snprintf(ret->resource_version, sizeof ret->resource_version, "%d", fake->version);
	return 0;
}

static int actuator_set(Actuator *actuator, const Target *target, const Scale *want, Scale *ret, Error *err)
{
	FakeActuator *fake = (FakeActuator *) actuator;
	if (fake->set_code)
		return error_set(err, fake->set_code, "fake api: scale: %s", err_text(fake->set_code));
	if (fake->conflicts > 0) {
		fake->conflicts--;
		fake->version++;
		if (fake->moves_to > 0)
			fake->replicas = fake->moves_to;
		return error_set(err, ERR_CONFLICT, "fake api: 409");
	}
	if (fake->n_writes < FAKE_WRITES) {
		fake->written[fake->n_writes] = want->replicas;
		fake->from[fake->n_writes++] = fake->replicas;
	}
	fake->records_before_write = fake->sink ? fake->sink->committed : 0;
	if (actuator->is_floor)
		fake->floor = want->replicas;
	else
		fake->replicas = want->replicas;
	fake->version++;
	if (fake->lost_code)
		return error_set(err, fake->lost_code, "fake api: the answer is lost");
	return ret ? actuator_get(actuator, target, ret, err) : 0;
}

static void actuator_end(Actuator *actuator)
{
	(void) actuator;
}

void fake_actuator_init(FakeActuator *fake, int32_t replicas)
{
	static const ActuatorOps ops = { "fake", actuator_get, actuator_set, actuator_end };
	*fake = (FakeActuator) { .actuator = { .ops = &ops }, .replicas = replicas, .version = 1 };
}

static int policy_decide(Policy *policy, const Observation *obs, size_t n, Decision *ret)
{
	FakePolicy *fake = (FakePolicy *) policy;
	fake->asked++;
	fake->seen += (int32_t) n;
	if (fake->code)
		return fake->code;
	for (size_t i = 0; i < n; i++)
		ret[i] = (Decision) {
			.action = fake->action,
			.n_actions = ACTION_COUNT,
			.probability = { .2f, .3f, .5f },
			.value = NAN,
			.raw = obs[i].sample->replicas + fake->action - 1,
			.hpa = -1,
			.reason = fake->action == ACTION_UP ? REASON_POLICY_UP
			        : fake->action == ACTION_DOWN ? REASON_POLICY_DOWN : REASON_POLICY_KEEP,
		};
	return 0;
}

static void policy_end(Policy *policy)
{
	(void) policy;
}

void fake_policy_init(FakePolicy *fake, int32_t action)
{
	static const PolicyOps ops = { .name = "fake", .decide = policy_decide, .free = policy_end };
	*fake = (FakePolicy) { .policy = { .ops = &ops, .label = "fake" }, .action = action };
}

static void cluster_look(Cluster *cluster, const Target *target, size_t n, TargetFacts *ret)
{
	(void) target;
	for (size_t i = 0; i < n; i++)
		ret[i] = ((FakeSide *) cluster)->facts;
}

static bool cluster_leads(Cluster *cluster, const Target *target)
{
	(void) target;
	return ((FakeSide *) cluster)->leads;
}

static bool cluster_is_cut_off(Cluster *cluster, const Target *target)
{
	(void) target;
	return ((FakeSide *) cluster)->is_cut_off;
}

static void cluster_tell(Cluster *cluster, const Target *target, EventWord word, const char *text)
{
	(void) target;
	FakeSide *fake = (FakeSide *) cluster;
	int32_t i = fake->n_events++ % FAKE_EVENTS;
	fake->event[i] = word;
	(void) snprintf(fake->text[i], sizeof fake->text[i], "%s", text);
}

static void cluster_show(Cluster *cluster, const Target *target, const char *status_json)
{
	(void) target;
	FakeSide *fake = (FakeSide *) cluster;
	fake->n_shown++;
	(void) snprintf(fake->status, sizeof fake->status, "%s", status_json);
}

static void cluster_end(Cluster *cluster)
{
	(void) cluster;
}

void fake_side_init(FakeSide *fake)
{
	static const ClusterOps ops = { "fake", cluster_look, cluster_leads, cluster_is_cut_off, cluster_tell, cluster_show, cluster_end };
	*fake = (FakeSide) { .cluster = { &ops }, .facts = { .held_replicas = -1 }, .leads = true };
}

int32_t fake_side_count(const FakeSide *fake, EventWord word)
{
	int32_t count = 0;
	for (int32_t i = 0; i < fake->n_events && i < FAKE_EVENTS; i++)
		count += fake->event[i] == word;
	return count;
}

static int sink_begin(Sink *sink, const RunStart *start, int64_t *ret, Error *err)
{
	(void) sink, (void) start, (void) err;
	*ret = 1;
	return 0;
}

static void sink_write(Sink *sink, const Record *record)
{
	FakeSink *fake = (FakeSink *) sink;
	fake->record[fake->n++ % FAKE_RECORDS] = *record;
}

static int sink_commit(Sink *sink, int64_t wait_ms, Error *err)
{
	(void) wait_ms;
	FakeSink *fake = (FakeSink *) sink;
	if (fake->commit_code)
		return error_set(err, fake->commit_code, "fake store: %s", err_text(fake->commit_code));
	fake->committed = fake->n;
	return 0;
}

static int64_t sink_dropped(Sink *sink)
{
	(void) sink;
	return 0;
}

static void sink_end(Sink *sink)
{
	(void) sink;
}

void fake_sink_init(FakeSink *fake)
{
	static const SinkOps ops = { "fake", sink_begin, sink_write, sink_commit, sink_dropped, sink_end };
	*fake = (FakeSink) { .sink = { &ops } };
}

const Record *fake_sink_last(const FakeSink *fake, RecordKind kind)
{
	for (int64_t i = fake->n - 1; i >= 0 && i >= fake->n - FAKE_RECORDS; i--)
		if (fake->record[i % FAKE_RECORDS].kind == kind)
			return &fake->record[i % FAKE_RECORDS];
	return NULL;
}

int fake_sink_count(const FakeSink *fake, RecordKind kind)
{
	int count = 0;
	for (int64_t i = 0; i < fake->n && i < FAKE_RECORDS; i++)
		count += fake->record[i].kind == kind;
	return count;
}

int fake_cycle(Loop *loop, Error *err)
{
	Fleet *fleet = NULL;
	int code = fleet_new(&loop, 1, &fleet, err);
	if (!code)
		code = fleet_once(fleet, err);
	fleet_free(fleet);
	return code;
}
