/*
 * Seams for tests of the loop: a scripted source of samples, an actuator that records writes, a scripted policy, and a sink that
 * keeps records in memory and notes what was committed when.
 */
#ifndef MAESTRO_TESTS_LOOP_FAKES_H
#define MAESTRO_TESTS_LOOP_FAKES_H

#include "base/actuator.h"
#include "base/cluster.h"
#include "base/metrics.h"
#include "base/policy.h"
#include "base/sink.h"
#include "control/loop.h"

enum { FAKE_WRITES = 4096, FAKE_RECORDS = 256 };

typedef struct FakeMetrics {
	Metrics metrics;
	Sample sample; /* the next answer; wall_ms is set by fetch */
	int code;      /* != 0: the next fetch fails with it */
	int32_t fetches, targets; /* how often, and for how many in all */
} FakeMetrics;

typedef struct FakeActuator {
	Actuator actuator;
	int32_t replicas;       /* of the "cluster" */
	int32_t version;
	int get_code, set_code; /* != 0: fails with it */
	int lost_code;          /* != 0: the write is done, and answers this */
	int32_t floor;          /* of a floor actuator */
	int32_t conflicts;      /* so many writes answer 409 first */
	int32_t moves_to;       /* > 0: with a conflict, somebody sets this number */
	int32_t n_writes;
	int32_t written[FAKE_WRITES];
	int32_t from[FAKE_WRITES];     /* replicas before each write */
	int64_t records_before_write;  /* how many records of the sink were committed before the last write */
	const struct FakeSink *sink;   /* whose commits to look at; may be NULL */
} FakeActuator;

typedef struct FakePolicy {
	Policy policy;
	int32_t action;
	int code;
	int32_t asked; /* how often */
	int32_t seen;  /* observations in all */
} FakePolicy;

enum { FAKE_EVENTS = 64 };

typedef struct FakeSide {
	Cluster cluster;
	TargetFacts facts;      /* of every target */
	bool leads, is_cut_off;
	int32_t n_events, n_shown;
	EventWord event[FAKE_EVENTS];
	char text[FAKE_EVENTS][200];
	char status[2048];      /* as last shown */
} FakeSide;

typedef struct FakeSink {
	Sink sink;
	int64_t n, committed;
	int commit_code;
	Record record[FAKE_RECORDS]; /* the newest, in a ring */
} FakeSink;

void fake_metrics_init(FakeMetrics *fake);
void fake_actuator_init(FakeActuator *fake, int32_t replicas);
void fake_policy_init(FakePolicy *fake, int32_t action);
/* Leads, and knows of nothing. */
void fake_side_init(FakeSide *fake);
/* How many Events of a word it was told. */
int32_t fake_side_count(const FakeSide *fake, EventWord word);
void fake_sink_init(FakeSink *fake);
/* The last record of a kind; NULL: none kept. */
const Record *fake_sink_last(const FakeSink *fake, RecordKind kind);
/* How many records of a kind are kept. */
int fake_sink_count(const FakeSink *fake, RecordKind kind);

/* A cycle of this loop alone: fleet_once. */
int fake_cycle(Loop *loop, Error *err);

#endif
