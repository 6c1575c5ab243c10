/* The control loop: what it writes, and above all when it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/loop.h"

#include "base/rng.h"
#include "fakes/loop_bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void loop_writes_one_step_of_what_the_policy_asks(void **state)
{
	(void) state;
	Bench *b = bench_new(3, ACTION_UP);
	bench_open(b);
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 4);
	LiveView view = view_of(b);
	assert_int_equal(view.state, STATE_ACTIVE);
	assert_int_equal(view.last.decision.desired, 4);
	assert_true(view.last.decision.is_applied);
	const Record *row = fake_sink_last(&b->sink, RECORD_DECISION);
	assert_non_null(row);
	assert_int_equal(row->u.decision.decision.raw, 4);
	assert_string_equal(row->u.decision.resource_version, "2");
	bench_free(b);
}

static void loop_stays_within_the_bounds(void **state)
{
	(void) state;
	Bench *b = bench_new(5, ACTION_UP);
	bench_open(b);
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.n_writes, 0);
	b->policy.action = ACTION_DOWN;
	for (int i = 0; i < 32; i++) /* a down a minute */
		assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 1);
	assert_int_equal(b->actuator.n_writes, 4);
	bench_free(b);
}

static void dry_run_decides_and_records_and_never_writes(void **state)
{
	(void) state;
	Bench *b = bench_new(3, ACTION_UP);
	b->config.rails.is_dry_run = true;
	bench_open(b);
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.n_writes, 0);
	LiveView view = view_of(b);
	assert_int_equal(view.state, STATE_SHADOW);
	assert_int_equal(view.last.decision.desired, 4);
	assert_true(view.last.decision.guards & 1u << GUARD_DRY_RUN);
	assert_false(view.last.decision.is_applied);
	assert_non_null(fake_sink_last(&b->sink, RECORD_DECISION));
	bench_free(b);
}

typedef struct Fault {
	const char *name;
	int fetch_code, get_code, policy_code, set_code;
	uint32_t valid;
	int want_code;
	Reason want_reason;
} Fault;

static const Fault FAULTS[] = {
	{ "prometheus down", ERR_UNREACHABLE, 0, 0, 0, SAMPLE_ALL, ERR_UNREACHABLE, REASON_METRICS_MISSING },
	{ "prometheus slow", ERR_TIMEOUT, 0, 0, 0, SAMPLE_ALL, ERR_TIMEOUT, REASON_METRICS_MISSING },
	{ "prometheus 401", ERR_UNAUTHORIZED, 0, 0, 0, SAMPLE_ALL, ERR_UNAUTHORIZED, REASON_UNAUTHORIZED },
	{ "no cpu", 0, 0, 0, 0, SAMPLE_ALL & ~SAMPLE_CPU, ERR_NO_DATA, REASON_METRICS_MISSING },
	{ "no memory", 0, 0, 0, 0, SAMPLE_ALL & ~SAMPLE_MEM, ERR_NO_DATA, REASON_METRICS_MISSING },
	{ "no p95 under traffic", 0, 0, 0, 0, SAMPLE_ALL & ~SAMPLE_LATENCY, ERR_NO_DATA, REASON_METRICS_MISSING },
	{ "no rps", 0, 0, 0, 0, SAMPLE_ALL & ~SAMPLE_RPS, ERR_NO_DATA, REASON_METRICS_MISSING },
	{ "api down", 0, ERR_UNREACHABLE, 0, 0, SAMPLE_ALL, ERR_UNREACHABLE, REASON_API_ERROR },
	{ "api 403", 0, ERR_FORBIDDEN, 0, 0, SAMPLE_ALL, ERR_FORBIDDEN, REASON_FORBIDDEN },
	{ "deployment gone", 0, ERR_NOT_FOUND, 0, 0, SAMPLE_ALL, ERR_NOT_FOUND, REASON_API_ERROR },
	{ "model broken", 0, 0, ERR_NONFINITE, 0, SAMPLE_ALL, ERR_NONFINITE, REASON_MODEL_UNAVAILABLE },
	{ "write 403", 0, 0, 0, ERR_FORBIDDEN, SAMPLE_ALL, ERR_FORBIDDEN, REASON_FORBIDDEN },
	{ "write 422", 0, 0, 0, ERR_INVALID, SAMPLE_ALL, ERR_INVALID, REASON_INVALID },
};

static void set_fault(Bench *b, const Fault *fault)
{
	b->metrics.code = fault->fetch_code;
	b->metrics.sample.valid = fault->valid;
	b->actuator.get_code = fault->get_code;
	b->actuator.set_code = fault->set_code;
	b->policy.code = fault->policy_code;
}

static const Fault NO_FAULT = { "none", 0, 0, 0, 0, SAMPLE_ALL, 0, REASON_NONE };

static void no_failure_ever_writes(void **state)
{
	(void) state;
	for (size_t i = 0; i < sizeof FAULTS / sizeof *FAULTS; i++) {
		const Fault *fault = &FAULTS[i];
		Bench *b = bench_new(3, ACTION_DOWN);
		bench_open(b);
		set_fault(b, fault);
		for (int k = 0; k < 20; k++)
			assert_int_equal(cycle(b), fault->want_code);
		assert_int_equal(b->actuator.n_writes, 0);
		LiveView view = view_of(b);
		if (view.last.decision.reason != fault->want_reason)
			print_error("%s: reason %s\n", fault->name, reason_text(view.last.decision.reason));
		assert_int_equal(view.last.decision.reason, fault->want_reason);
		assert_true(view.state == STATE_WARMING || view.state == STATE_HOLD);
		assert_true(strlen(view.state_detail) > 0);
		set_fault(b, &NO_FAULT);
		assert_int_equal(cycle(b), 0);
		assert_int_equal(b->actuator.replicas, 2);
		bench_free(b);
	}
}

static void loop_holds_after_it_was_active_and_says_why(void **state)
{
	(void) state;
	Bench *b = bench_new(3, ACTION_KEEP);
	bench_open(b);
	assert_int_equal(cycle(b), 0);
	b->metrics.sample.valid &= ~(uint32_t) SAMPLE_CPU;
	assert_int_equal(cycle(b), ERR_NO_DATA);
	LiveView view = view_of(b);
	assert_int_equal(view.state, STATE_HOLD);
	assert_int_equal(view.last.decision.action, ACTION_NONE);
	assert_true(isnan(view.history[view.n_history - 1].cpu_cores));
	const Record *row = fake_sink_last(&b->sink, RECORD_STATE);
	assert_non_null(row);
	assert_int_equal(row->u.state.to, STATE_HOLD);
	bench_free(b);
}

static void no_traffic_is_no_missing_latency(void **state)
{
	(void) state;
	Bench *b = bench_new(3, ACTION_DOWN);
	bench_open(b);
	b->metrics.sample.valid &= ~(uint32_t) SAMPLE_LATENCY;
	b->metrics.sample.rps = 0;
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 2);
	bench_free(b);
}

static void conflict_is_retried_while_replicas_stand_still(void **state)
{
	(void) state;
	Bench *b = bench_new(3, ACTION_UP);
	bench_open(b);
	b->actuator.conflicts = 2;
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.replicas, 4);
	bench_free(b);
}

static void conflict_with_other_replicas_drops_the_decision(void **state)
{
	(void) state;
	Bench *b = bench_new(3, ACTION_UP);
	bench_open(b);
	assert_int_equal(cycle(b), 0);
	b->metrics.sample.ready = 4;
	b->actuator.conflicts = 1;
	b->actuator.moves_to = 2;
	assert_int_equal(cycle(b), ERR_CONFLICT);
	assert_int_equal(b->actuator.replicas, 2);
	LiveView view = view_of(b);
	assert_int_equal(view.state, STATE_HOLD);
	assert_int_equal(view.last.decision.reason, REASON_REPLICAS_CHANGED);
	bench_free(b);
}

static void scaled_to_zero_by_hand_stays_off(void **state)
{
	(void) state;
	Bench *b = bench_new(0, ACTION_UP);
	bench_open(b);
	assert_int_equal(cycle(b), 0);
	assert_int_equal(b->actuator.n_writes, 0);
	assert_int_equal(view_of(b).state, STATE_DISABLED);
	bench_free(b);
}

static void a_pause_holds_through_missing_metrics(void **state)
{
	(void) state;
	Bench *b = bench_new(3, ACTION_DOWN);
	bench_open(b);
	Command pause = { .id = 1, .kind = COMMAND_LIVE_PAUSE };
	assert_int_equal(loop_send(b->loop, &pause), 0);
	Error err = { 0 };
	assert_int_equal(loop_start(b->loop, &err), 0); /* the fake clock never waits: cycles follow each other */
	for (int i = 0; i < 2000 && view_of(b).state != STATE_PAUSED; i++)
		(void) usleep(1000);
	loop_stop(b->loop);
	b->metrics.code = ERR_UNREACHABLE;
	b->actuator.n_writes = 0;
	assert_int_equal(cycle(b), 0);
	assert_int_equal(view_of(b).state, STATE_PAUSED);
	assert_int_equal(b->actuator.n_writes, 0);
	bench_free(b);
}

/* A source that takes its time: what it says is too old to act on. */
static int slow_fetch(Metrics *metrics, const Target *target, size_t n, int64_t now_ms, Sample *ret, Error *err)
{
	Bench *b = (Bench *) (void *) ((char *) metrics - offsetof(Bench, metrics));
	(void) target, (void) n, (void) err;
	b->clock.now_ms += 11000;
	*ret = b->metrics.sample;
	ret->wall_ms = now_ms;
	return 0;
}

static void nothing_is_written_when_the_cycle_took_too_long(void **state)
{
	(void) state;
	static const MetricsOps slow = { "slow", slow_fetch, NULL, NULL };
	Bench *b = bench_new_whole(3, ACTION_UP);
	b->metrics.metrics.ops = &slow;
	bench_open(b);
	for (int i = 0; i < 6; i++) { /* however often: the model is not to blame, and the rule would be as late */
		assert_int_equal(cycle(b), ERR_TIMEOUT);
		LiveView view = view_of(b);
		assert_int_equal(view.state, STATE_HOLD);
		assert_non_null(strstr(view.state_detail, "took too long"));
		assert_true(view.model.is_ok);
	}
	assert_int_equal(b->actuator.n_writes, 0);
	bench_free(b);
}

/* ---- overrides, on the loop's own thread ---- */

static Command override_to(int32_t replicas, int32_t seen, int64_t id)
{
	Command command = { .id = id, .kind = COMMAND_LIVE_OVERRIDE, .who = "alice" };
	command.u.override_.replicas = replicas;
	command.u.override_.seen = seen;
	command.u.override_.hold_ms = 60000;
	return command;
}

/* Starts the loop on the machine's clock, sends one command, waits for its answer. */
static CommandAnswer send_and_wait(Bench *b, const Command *command)
{
	Error err = { 0 };
	clock_init_system(&b->clock);
	bench_open(b);
	assert_int_equal(loop_start(b->loop, &err), 0);
	assert_int_equal(loop_send(b->loop, command), 0);
	CommandAnswer answer = { 0 };
	for (int i = 0; i < 2000 && !answer.id; i++) {
		LiveView view = view_of(b);
		if (view.answers.n)
			answer = view.answers.answer[view.answers.n - 1];
		else
			(void) usleep(1000);
	}
	loop_stop(b->loop);
	assert_int_equal(answer.id, command->id);
	return answer;
}

static void override_commits_its_audit_row_before_it_writes(void **state)
{
	(void) state;
	Bench *b = bench_new(3, ACTION_KEEP);
	Command command = override_to(5, 3, 7);
	CommandAnswer answer = send_and_wait(b, &command);
	assert_int_equal(answer.code, 0);
	assert_int_equal(b->actuator.replicas, 5);
	assert_true(b->actuator.records_before_write > 0);
	const Record *row = fake_sink_last(&b->sink, RECORD_AUDIT);
	assert_string_equal(row->u.audit.result, "applied");
	assert_string_equal(row->u.audit.who, "alice");
	assert_int_equal(fake_sink_count(&b->sink, RECORD_AUDIT), 2);
	const RecordIntervention *told = &fake_sink_last(&b->sink, RECORD_INTERVENTION)->u.intervention;
	LiveView view = view_of(b);
	char wanted[64], until[CLOCK_TEXT];
	clock_format(view.manual_until_wall_ms, until);
	(void) snprintf(wanted, sizeof wanted, "5 for 60 s until %s", until);
	assert_string_equal(told->from, "3");
	assert_string_equal(told->to, wanted);
	assert_int_equal(view.manual_replicas, 5);
	bench_free(b);
}

/* What the log says a person ended is what was there. */
static void a_pause_out_of_a_hold_says_so(void **state)
{
	(void) state;
	Bench *b = bench_new(3, ACTION_KEEP);
	Command hold = override_to(5, 3, 7), pause = { .id = 8, .kind = COMMAND_LIVE_PAUSE, .who = "bob" };
	Error err = { 0 };
	clock_init_system(&b->clock);
	bench_open(b);
	assert_int_equal(loop_start(b->loop, &err), 0);
	assert_int_equal(loop_send(b->loop, &hold), 0);
	assert_int_equal(loop_send(b->loop, &pause), 0);
	for (int i = 0; i < 2000 && view_of(b).state != STATE_PAUSED; i++)
		(void) usleep(1000);
	loop_stop(b->loop);
	const RecordIntervention *told = &fake_sink_last(&b->sink, RECORD_INTERVENTION)->u.intervention;
	assert_string_equal(told->what, "pause");
	assert_string_equal(told->from, "5 held by alice");
	assert_string_equal(told->to, "paused");
	bench_free(b);
}

/* CONTROL B.2: Manual ends by itself. */
static void override_ends_when_its_time_is_over(void **state)
{
	(void) state;
	Bench *b = bench_new(3, ACTION_KEEP);
	Command command = override_to(5, 3, 7);
	assert_int_equal(send_and_wait(b, &command).code, 0);
	int64_t now_ms = clock_mono_ms(&b->clock);
	clock_init_fake(&b->clock, now_ms + 59000); /* a second is left of its minute */
	b->clock.now_ms = now_ms + 50000;
	assert_int_equal(cycle(b), 0);
	assert_int_equal(view_of(b).state, STATE_MANUAL);
	assert_int_equal(fake_sink_count(&b->sink, RECORD_INTERVENTION), 1);
	assert_int_equal(cycle(b), 0);
	assert_int_equal(view_of(b).state, STATE_ACTIVE);
	assert_int_equal(fake_sink_count(&b->sink, RECORD_INTERVENTION), 2); /* once, not each cycle from then on */
	assert_int_equal(cycle(b), 0);
	assert_int_equal(fake_sink_count(&b->sink, RECORD_INTERVENTION), 2);
	const RecordIntervention *ended = &fake_sink_last(&b->sink, RECORD_INTERVENTION)->u.intervention;
	assert_string_equal(ended->from, "5 held by alice");
	assert_string_equal(ended->to, "its time is over");
	bench_free(b);
}

/* What events are sorted by is the machine's time, also where the target's runs ahead of it. */
static void records_are_of_the_machines_time(void **state)
{
	(void) state;
	Bench *b = bench_new(3, ACTION_KEEP);
	clock_init_scaled(&b->clock, 1000);
	b->clock.wall_start_ms += 86400000;
	bench_open(b);
	int64_t before_ms = clock_machine_ms(&b->clock);
	assert_true(clock_wall_ms(&b->clock) > before_ms + 80000000);
	assert_int_equal(cycle(b), 0);
	const Record *row = fake_sink_last(&b->sink, RECORD_DECISION);
	assert_in_range(row->wall_ms, before_ms, before_ms + 3600000);
	assert_true(row->u.decision.time_ms > before_ms + 80000000);
	bench_free(b);
}

/* Commands between cycles, in their order; what came of them is in the view and in the records. */
static void send_between(Bench *b, const Command *command, int32_t n)
{
	Fleet *fleet;
	Error err = { 0 };
	assert_int_equal(fleet_new(&b->loop, 1, &fleet, &err), 0);
	for (int32_t i = 0; i < n; i++)
		assert_int_equal(loop_send(b->loop, &command[i]), 0);
	fleet_serve(fleet);
	fleet_free(fleet);
}

/* Who ends a hold is told with what ends. */
static void resume_tells_what_it_ends(void **state)
{
	(void) state;
	Bench *b = bench_new(3, ACTION_KEEP);
	const Command commands[] = { override_to(5, 3, 7), { .kind = COMMAND_LIVE_RESUME, .id = 8, .who = "bob" } };
	bench_open(b);
	send_between(b, commands, 2);
	const RecordIntervention *ended = &fake_sink_last(&b->sink, RECORD_INTERVENTION)->u.intervention;
	assert_string_equal(ended->what, "resume");
	assert_string_equal(ended->from, "5 held by alice");
	assert_string_equal(ended->to, "the policy");
	assert_string_equal(ended->who, "bob");
	bench_free(b);
}

/* A pause lies over the hold that it came into: it is what rules, and what ends. */
static void resume_out_of_a_paused_hold_ends_the_pause(void **state)
{
	(void) state;
	Bench *b = bench_new(3, ACTION_KEEP);
	const Command commands[] = { override_to(5, 3, 7), { .kind = COMMAND_LIVE_PAUSE, .id = 8, .who = "bob" },
		{ .kind = COMMAND_LIVE_RESUME, .id = 9, .who = "carol" } };
	bench_open(b);
	send_between(b, commands, 3);
	const RecordIntervention *ended = &fake_sink_last(&b->sink, RECORD_INTERVENTION)->u.intervention;
	assert_string_equal(ended->what, "resume");
	assert_string_equal(ended->from, "paused");
	assert_string_equal(ended->to, "the policy");
	assert_int_equal(view_of(b).manual_replicas, -1);
	bench_free(b);
}

/* A number in the object's annotations is not this process's to take away: it would hold again at the next cycle. */
static void resume_under_an_annotation_says_what_holds(void **state)
{
	(void) state;
	Bench *b = bench_new_whole(3, ACTION_KEEP);
	b->cluster.facts.held_replicas = 5;
	const Command resume = { .kind = COMMAND_LIVE_RESUME, .id = 8, .who = "bob" };
	bench_open(b);
	assert_int_equal(cycle(b), 0);
	send_between(b, &resume, 1);
	LiveView view = view_of(b);
	assert_int_equal(view.answers.answer[0].code, ERR_REFUSED);
	assert_non_null(strstr(view.answers.answer[0].text, "maestro override resume "));
	assert_int_equal(fake_sink_count(&b->sink, RECORD_INTERVENTION), 0);
	bench_free(b);
}

static int lazy_fetch(Metrics *metrics, const Target *target, size_t n, int64_t now_ms, Sample *ret, Error *err)
{
	Bench *b = (Bench *) (void *) ((char *) metrics - offsetof(Bench, metrics));
	(void) target, (void) n, (void) err;
	b->clock.now_ms += 40000; /* of a cycle of 15 s */
	*ret = b->metrics.sample;
	ret->wall_ms = now_ms;
	return 0;
}

/* CONTROL B.1: a late cycle is skipped, not queued: the next one is at a multiple of the interval. */
static void late_cycles_are_skipped(void **state)
{
	(void) state;
	static const MetricsOps ops = { "lazy", lazy_fetch, NULL, NULL };
	Bench *b = bench_new(3, ACTION_KEEP);
	Error err = { 0 };
	b->metrics.metrics.ops = &ops;
	bench_open(b);
	int64_t start_ms = b->clock.now_ms;
	assert_int_equal(loop_start(b->loop, &err), 0);
	while (view_of(b).cycles < 5)
		(void) usleep(1000);
	loop_stop(b->loop);
	LiveView view = view_of(b);
	assert_in_range(view.n_rows, 5, VIEW_ROWS);
	for (int32_t i = 0; i < view.n_rows; i++)
		assert_int_equal((view.row[i].wall_ms - start_ms) % 15000, 0);
	assert_int_equal(view.row[0].wall_ms - view.row[1].wall_ms, 45000); /* newest first */
	bench_free(b);
}

/* The rows that `maestro override resume` writes as well. */
static void resume_is_audited_too(void **state)
{
	(void) state;
	Bench *b = bench_new(3, ACTION_KEEP);
	Command command = { .kind = COMMAND_LIVE_RESUME, .id = 8, .who = "alice" };
	assert_int_equal(send_and_wait(b, &command).code, 0);
	assert_int_equal(fake_sink_count(&b->sink, RECORD_AUDIT), 2);
	const RecordAudit *row = &fake_sink_last(&b->sink, RECORD_AUDIT)->u.audit;
	assert_string_equal(row->what, "resume");
	assert_string_equal(row->result, "applied");
	assert_string_equal(row->who, "alice");
	assert_int_equal(row->from, row->to);
	assert_int_equal(b->actuator.n_writes, 0);
	bench_free(b);
}

static void override_is_refused_without_its_audit_row(void **state)
{
	(void) state;
	Bench *b = bench_new(3, ACTION_KEEP);
	b->sink.commit_code = ERR_STORE;
	Command command = override_to(5, 3, 7);
	assert_int_equal(send_and_wait(b, &command).code, ERR_STORE);
	assert_int_equal(b->actuator.n_writes, 0);
	bench_free(b);
}

static void override_is_refused_when_replicas_moved_meanwhile(void **state)
{
	(void) state;
	Bench *b = bench_new(4, ACTION_KEEP);
	Command command = override_to(5, 3, 7);
	assert_int_equal(send_and_wait(b, &command).code, ERR_CONFLICT);
	assert_int_equal(b->actuator.n_writes, 0);
	assert_string_not_equal(fake_sink_last(&b->sink, RECORD_AUDIT)->u.audit.result, "applied");
	bench_free(b);
}

static void readonly_refuses_overrides(void **state)
{
	(void) state;
	Bench *b = bench_new(3, ACTION_KEEP);
	b->config.is_readonly = b->config.rails.is_dry_run = true;
	Command command = override_to(5, 3, 7);
	assert_int_equal(send_and_wait(b, &command).code, ERR_REFUSED);
	assert_int_equal(b->actuator.n_writes, 0);
	bench_free(b);
}

/* ---- the property at the heart ---- */

static void random_faults_never_break_the_rails(void **state)
{
	(void) state;
	Rng rng;
	rng_init(&rng, 1, 0, RNG_CHAOS);
	Bench *b = bench_new(3, ACTION_KEEP);
	bench_open(b);
	for (int i = 0; i < 3000; i++) {
		bool has_fault = rng_below(&rng, 3) == 0;
		set_fault(b, has_fault ? &FAULTS[rng_below(&rng, sizeof FAULTS / sizeof *FAULTS)] : &NO_FAULT);
		b->policy.action = (int32_t) rng_below(&rng, 3);
		b->actuator.conflicts = rng_below(&rng, 10) == 0 ? (int32_t) rng_below(&rng, 8) : 0;
		b->actuator.moves_to = rng_below(&rng, 2) ? (int32_t) rng_below(&rng, 8) : 0;
		int32_t before = b->actuator.n_writes;
		(void) cycle(b);
		if (b->actuator.n_writes == before)
			continue;
		assert_false(has_fault);
		int32_t n = b->actuator.written[before], from = b->actuator.from[before];
		assert_in_range(n, 1, 5);
		assert_true(abs(n - from) <= 1 || from > 5 || from < 1);
	}
	assert_true(b->actuator.n_writes > 100);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loop_writes_one_step_of_what_the_policy_asks),
		cmocka_unit_test(loop_stays_within_the_bounds),
		cmocka_unit_test(dry_run_decides_and_records_and_never_writes),
		cmocka_unit_test(no_failure_ever_writes),
		cmocka_unit_test(loop_holds_after_it_was_active_and_says_why),
		cmocka_unit_test(no_traffic_is_no_missing_latency),
		cmocka_unit_test(conflict_is_retried_while_replicas_stand_still),
		cmocka_unit_test(conflict_with_other_replicas_drops_the_decision),
		cmocka_unit_test(scaled_to_zero_by_hand_stays_off),
		cmocka_unit_test(a_pause_holds_through_missing_metrics),
		cmocka_unit_test(nothing_is_written_when_the_cycle_took_too_long),
		cmocka_unit_test(override_commits_its_audit_row_before_it_writes),
		cmocka_unit_test(a_pause_out_of_a_hold_says_so),
		cmocka_unit_test(override_ends_when_its_time_is_over),
		cmocka_unit_test(late_cycles_are_skipped),
		cmocka_unit_test(records_are_of_the_machines_time),
		cmocka_unit_test(resume_tells_what_it_ends),
		cmocka_unit_test(resume_out_of_a_paused_hold_ends_the_pause),
		cmocka_unit_test(resume_under_an_annotation_says_what_holds),
		cmocka_unit_test(resume_is_audited_too),
		cmocka_unit_test(override_is_refused_without_its_audit_row),
		cmocka_unit_test(override_is_refused_when_replicas_moved_meanwhile),
		cmocka_unit_test(readonly_refuses_overrides),
		cmocka_unit_test(random_faults_never_break_the_rails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
