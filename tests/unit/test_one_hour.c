/*
 * One hour of a target under faults and by hand, as each surface tells it: the NDJSON lines, the store's rows, /metrics and the Events.
 * The same words, and the same counts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "control/decision_line.h"
#include "fakes/loop_bench.h"
#include "fakes/store_room.h"
#include "serve/loop_metrics.h"
#include "storage/writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CYCLES = 240 /* of 15 s */ };

typedef struct Tally { /* of the NDJSON lines */
	int64_t reason[REASON_COUNT], state[STATE_COUNT], guard[GUARD_COUNT];
	int64_t decided[4][2];                /* by action + 1 and applied */
	int64_t held[REASON_COUNT], fell_back[REASON_COUNT];
	int64_t entered[STATE_COUNT];         /* changes of state */
	TargetState last;
} Tally;

typedef struct Hour {
	Bench *b;
	StoreRoom room;
	Clock store_clock;
	Sink *store;
	Tally tally;
	int64_t events[EVENT_COUNT];
} Hour;

static int find_word(const char *(*text)(int), int n, const char *word)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(text(i), word))
			return i;
	fail_msg("\"%s\" is no word of the vocabulary", word);
	return -1;
}

static const char *reason_at(int i) { return reason_text((Reason) i); }
static const char *state_at(int i) { return state_text((TargetState) i); }
static const char *guard_at(int i) { return guard_text((Guard) i); }

static void read_line(Hour *hour)
{
	Tally *tally = &hour->tally;
	LiveView view = view_of(hour->b);
	char *line = decision_line(&view);
	Json *root = NULL;
	Error err = { 0 };
	double action = -1;
	bool is_applied = false;
	assert_int_equal(json_parse(line, strlen(line), &root, &err), 0);
	int reason = find_word(reason_at, REASON_COUNT, json_string_or(root, "reason", "?"));
	int state = find_word(state_at, STATE_COUNT, json_string_or(root, "state", "?"));
	(void) json_number(json_get(root, "action"), &action);
	(void) json_bool(json_get(root, "applied"), &is_applied);
	tally->reason[reason]++;
	tally->state[state]++;
	tally->decided[(int) action + 1][is_applied]++;
	tally->held[reason] += state == STATE_HOLD;
	tally->fell_back[reason] += state == STATE_FALLBACK;
	tally->entered[state] += state != (int) tally->last;
	tally->last = (TargetState) state;
	for (const Json *guard = json_first(json_get(root, "guards")); guard; guard = json_next(guard))
		tally->guard[find_word(guard_at, GUARD_COUNT, json_string(guard))]++;
	json_free(root);
	free(line);
}

/* What happens in minute `minute`, by cycle within it. */
static void script(Bench *b, int i)
{
	int minute = i / 4;
	b->policy.action = minute % 10 < 4 ? ACTION_UP : minute % 10 < 7 ? ACTION_KEEP : ACTION_DOWN;
	b->metrics.code = minute >= 10 && minute < 12 ? ERR_TIMEOUT : 0;                         /* Prometheus away */
	b->metrics.sample.valid = minute == 15 ? SAMPLE_ALL & ~(uint32_t) SAMPLE_LATENCY : SAMPLE_ALL;
	b->metrics.sample.stale = minute == 15 ? SAMPLE_LATENCY : 0;                             /* old samples */
	b->policy.code = minute >= 20 && minute < 23 ? ERR_UNREACHABLE : 0;                      /* the model is dead */
	b->actuator.set_code = minute >= 30 && minute < 34 ? ERR_FORBIDDEN : 0;                  /* no right to write */
	b->cluster.facts.is_paused = minute >= 40 && minute < 43;                                /* by annotation */
	b->cluster.facts.held_replicas = minute >= 45 && minute < 48 ? 4 : -1;
	(void) snprintf(b->cluster.facts.owner, sizeof b->cluster.facts.owner, "%s", /* another autoscaler */
	                minute >= 50 && minute < 52 ? "HorizontalPodAutoscaler shop/web" : "");
	b->cluster.leads = minute != 55;
	b->metrics.sample.replicas = b->metrics.sample.ready = b->actuator.replicas;
}

static void take_events(Hour *hour)
{
	FakeSide *side = &hour->b->cluster;
	assert_true(side->n_events <= FAKE_EVENTS);
	for (int i = 0; i < side->n_events; i++)
		hour->events[side->event[i]]++;
	side->n_events = 0;
}

static int live_an_hour(void **state)
{
	Hour *hour = calloc(1, sizeof *hour);
	Error err = { 0 };
	if (!hour)
		return -1;
	*state = hour;
	store_room_init(&hour->room);
	clock_init_system(&hour->store_clock);
	assert_int_equal(store_sink_new(hour->room.path, &hour->store_clock, 4096, &hour->store, &err), 0);
	Bench *b = hour->b = bench_new_whole(2, ACTION_KEEP);
	b->cluster.facts.held_replicas = -1;
	b->config.target.max_replicas = 40;
	b->config.target.latency_soft_ms = 100;
	b->config.target.latency_hard_ms = 500;
	b->config.sink = hour->store;
	b->config.run_id = store_begin(hour->store);
	bench_open(b);
	hour->tally.last = STATE_COUNT;
	for (int i = 0; i < CYCLES; i++) {
		script(b, i);
		(void) cycle(b);
		read_line(hour);
		take_events(hour);
	}
	sink_free(hour->store); /* all of it is on disk */
	hour->store = NULL;
	return 0;
}

static int end_hour(void **state)
{
	Hour *hour = *state;
	bench_free(hour->b);
	store_room_done(&hour->room);
	free(hour);
	return 0;
}

/* ---- surfaces ---- */

static int64_t in_store(const Hour *hour, const char *format, const char *word)
{
	char sql[256], text[64];
	(void) snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM decisions WHERE %s'%s'", format, word);
	return atoll(store_sql(hour->room.path, sql, text, sizeof text));
}

static void the_hour_saw_enough(void **state)
{
	const Hour *hour = *state;
	static const TargetState STATES[] = { STATE_ACTIVE, STATE_HOLD, STATE_FALLBACK, STATE_PAUSED, STATE_MANUAL, STATE_CONFLICT,
		STATE_STANDBY };
	static const Reason REASONS[] = { REASON_POLICY_UP, REASON_POLICY_DOWN, REASON_POLICY_KEEP, REASON_METRICS_MISSING,
		REASON_METRICS_STALE, REASON_MODEL_UNAVAILABLE, REASON_FORBIDDEN, REASON_PAUSED, REASON_MANUAL, REASON_CONFLICT };
	for (size_t i = 0; i < sizeof STATES / sizeof *STATES; i++)
		if (!hour->tally.state[STATES[i]])
			fail_msg("the hour had no %s", state_text(STATES[i]));
	for (size_t i = 0; i < sizeof REASONS / sizeof *REASONS; i++)
		if (!hour->tally.reason[REASONS[i]])
			fail_msg("the hour had no %s", reason_text(REASONS[i]));
}

static void the_store_says_what_the_lines_say(void **state)
{
	const Hour *hour = *state;
	const Tally *tally = &hour->tally;
	char sql[160], text[64];
	for (int r = 0; r < REASON_COUNT; r++)
		assert_int_equal(in_store(hour, "reason = ", reason_text((Reason) r)), tally->reason[r]);
	for (int s = 0; s < STATE_COUNT; s++)
		assert_int_equal(in_store(hour, "state = ", state_text((TargetState) s)), tally->state[s]);
	for (int a = 0; a < 4; a++)
		for (int applied = 0; applied < 2; applied++) {
			char action[32];
			(void) snprintf(action, sizeof action, a ? "= %d" : "IS NULL", a - 1);
			(void) snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM decisions WHERE action %s AND applied = %d", action, applied);
			assert_int_equal(atoll(store_sql(hour->room.path, sql, text, sizeof text)), tally->decided[a][applied]);
		}
}

static void the_store_names_the_same_guards(void **state)
{
	const Hour *hour = *state;
	char sql[160], text[64];
	for (int g = 0; g < GUARD_COUNT; g++) {
		(void) snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM decisions, json_each(guards) AS g WHERE g.value = '%s'", guard_text((Guard) g));
		assert_int_equal(atoll(store_sql(hour->room.path, sql, text, sizeof text)), hour->tally.guard[g]);
	}
}

/* A counter's value by what must stand in its labels; 0: there is no such line. */
static int64_t metric(const char *text, const char *name, const char *labels)
{
	size_t len = strlen(name);
	for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		size_t end = strcspn(line, "\n");
		const char *found = strstr(line, labels);
		if (!strncmp(line, name, len) && line[len] == '{' && found && found < line + end)
			return atoll(strchr(line, '}') + 2);
	}
	return 0;
}

static void the_metrics_count_what_the_lines_say(void **state)
{
	const Hour *hour = *state;
	const Tally *tally = &hour->tally;
	static const char *const ACTIONS[] = { "none", "down", "keep", "up" };
	StrBuf text = { 0 };
	LiveView view = view_of(hour->b);
	const LiveView *views[] = { &view };
	LoopMetrics *metrics = calloc(1, sizeof *metrics);
	char labels[96];
	loop_metrics_note(metrics, &view);
	loop_metrics_write(&text, views, metrics, 1, view.wall_ms);
	for (int a = 0; a < 4; a++)
		for (int applied = 0; applied < 2; applied++) {
			(void) snprintf(labels, sizeof labels, "action=\"%s\",applied=\"%s\"", ACTIONS[a], applied ? "true" : "false");
			assert_int_equal(metric(text.data, "maestro_decisions_total", labels), tally->decided[a][applied]);
		}
	for (int g = 0; g < GUARD_COUNT; g++) {
		(void) snprintf(labels, sizeof labels, "guard=\"%s\"", guard_text((Guard) g));
		assert_int_equal(metric(text.data, "maestro_guard_total", labels), tally->guard[g]);
	}
	for (int r = 0; r < REASON_COUNT; r++) {
		(void) snprintf(labels, sizeof labels, "reason=\"%s\"", reason_text((Reason) r));
		assert_int_equal(metric(text.data, "maestro_hold_total", labels), tally->held[r]);
		assert_int_equal(metric(text.data, "maestro_fallback_total", labels), tally->fell_back[r]);
	}
	free(metrics);
	strbuf_done(&text);
}

static void the_events_tell_what_the_lines_say(void **state)
{
	const Hour *hour = *state;
	const Tally *tally = &hour->tally;
	int64_t applied = tally->decided[0][1] + tally->decided[1][1] + tally->decided[2][1] + tally->decided[3][1];
	assert_int_equal(hour->events[EVENT_SCALED], applied);
	assert_int_equal(hour->events[EVENT_MANUAL_OVERRIDE], tally->entered[STATE_MANUAL]);
	assert_int_equal(hour->events[EVENT_FALLBACK], tally->entered[STATE_FALLBACK]);
	assert_int_equal(hour->events[EVENT_CONFLICT], tally->entered[STATE_CONFLICT]);
	/* a hold is told under its reason, once */
	assert_int_equal(hour->events[EVENT_METRICS_MISSING] > 0, tally->held[REASON_METRICS_MISSING] > 0);
	assert_int_equal(hour->events[EVENT_METRICS_STALE] > 0, tally->held[REASON_METRICS_STALE] > 0);
	assert_int_equal(hour->events[EVENT_MODEL_UNAVAILABLE] > 0, tally->held[REASON_MODEL_UNAVAILABLE] > 0);
	assert_int_equal(hour->events[EVENT_SCALE_FAILED] > 0, tally->held[REASON_FORBIDDEN] > 0);
	int64_t holds = hour->events[EVENT_METRICS_MISSING] + hour->events[EVENT_METRICS_STALE] + hour->events[EVENT_MODEL_UNAVAILABLE] +
	                hour->events[EVENT_SCALE_FAILED] + hour->events[EVENT_HOLD];
	assert_true(holds >= tally->entered[STATE_HOLD]); /* one that goes on for another reason is told again */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hour_saw_enough),
		cmocka_unit_test(the_store_says_what_the_lines_say),
		cmocka_unit_test(the_store_names_the_same_guards),
		cmocka_unit_test(the_metrics_count_what_the_lines_say),
		cmocka_unit_test(the_events_tell_what_the_lines_say),
	};
	return cmocka_run_group_tests(tests, live_an_hour, end_hour);
}
