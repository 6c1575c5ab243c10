/* See rows.h. */
#include "storage/rows.h"

#include <math.h>
#include <sqlite3.h>
#include <stdio.h>

typedef struct Binder { /* fills the parameters of a statement from left to right */
	sqlite3_stmt *stmt;
	StrBuf *json;
	int at;
	int code; /* of the first that failed */
} Binder;

static void note(Binder *b, int code)
{
	if (!b->code)
		b->code = code;
}

static void put_int(Binder *b, int64_t value)
{
	note(b, sqlite3_bind_int64(b->stmt, ++b->at, value));
}

/* SQLite stores NaN as NULL. */
static void put_real(Binder *b, double value)
{
	note(b, sqlite3_bind_double(b->stmt, ++b->at, value));
}

static void put_null(Binder *b)
{
	note(b, sqlite3_bind_null(b->stmt, ++b->at));
}

static void put_int_if(Binder *b, bool is_known, int64_t value)
{
	if (is_known)
		put_int(b, value);
	else
		put_null(b);
}

static void put_real_if(Binder *b, bool is_known, double value)
{
	put_real(b, is_known ? value : (double) NAN);
}

/* The record outlives the step: its strings are lent. */
static void put_text(Binder *b, const char *text)
{
	note(b, sqlite3_bind_text(b->stmt, ++b->at, text, -1, SQLITE_STATIC));
}

static void json_open(Binder *b)
{
	strbuf_clear(b->json);
	strbuf_add(b->json, "[", 1);
}

static void json_item(Binder *b, const char *text)
{
	strbuf_addf(b->json, "%s%s", b->json->len > 1 ? "," : "", text);
}

static void put_json(Binder *b)
{
	strbuf_add(b->json, "]", 1);
	if (b->json->failed)
		note(b, SQLITE_NOMEM);
	else
		note(b, sqlite3_bind_text(b->stmt, ++b->at, b->json->data, (int) b->json->len, SQLITE_TRANSIENT));
}

/* digits: 9 give every float back exactly, 6 do for a curve */
static void put_floats(Binder *b, const float *value, int32_t n, int digits)
{
	char text[32];
	json_open(b);
	for (int32_t i = 0; i < n; i++) {
		(void) snprintf(text, sizeof text, "%.*g", digits, (double) value[i]);
		json_item(b, isfinite(value[i]) ? text : "null");
	}
	put_json(b);
}

static int32_t within(int32_t n, int32_t max)
{
	return n < 0 ? 0 : n < max ? n : max;
}

static void bind_update(Binder *b, const Record *record)
{
	const RecordUpdate *u = &record->u.update;
	put_int(b, u->update);
	put_int(b, u->steps);
	put_int(b, record->wall_ms);
	for (int i = 0; i < TRAIN_METRIC_COUNT; i++)
		put_real(b, u->value[i]);
}

static void bind_eval(Binder *b, const Record *record)
{
	const RecordEval *e = &record->u.eval;
	put_int(b, e->steps);
	put_int(b, record->wall_ms);
	put_real(b, e->mean_reward);
	put_real(b, e->std_reward);
	put_real(b, e->mean_ep_length);
	put_int(b, e->n_episodes);
	put_int(b, e->is_best);
}

static void bind_episode(Binder *b, const Record *record)
{
	const RecordEpisode *e = &record->u.episode;
	int32_t n = within(e->length, EPISODE_STEPS_MAX);
	char text[16];
	put_int(b, e->steps);
	put_int(b, record->wall_ms);
	put_text(b, e->source);
	put_real(b, e->reward);
	put_int(b, e->length);
	json_open(b);
	for (int32_t i = 0; i < n; i++) {
		(void) snprintf(text, sizeof text, "%d", e->replicas[i]);
		json_item(b, text);
	}
	put_json(b);
	put_floats(b, e->latency_ms, n, 6);
	put_floats(b, e->rps, n, 6);
}

static void bind_checkpoint(Binder *b, const Record *record)
{
	put_int(b, record->u.checkpoint.steps);
	put_int(b, record->wall_ms);
	put_text(b, record->u.checkpoint.kind);
	put_text(b, record->u.checkpoint.path);
}

static void bind_sample(Binder *b, const Sample *s)
{
	char text[32];
	put_int_if(b, s->wall_ms > 0, s->wall_ms);
	put_real_if(b, s->valid & SAMPLE_CPU, s->cpu_cores);
	put_real_if(b, s->valid & SAMPLE_MEM, s->mem_bytes);
	put_int_if(b, s->valid & SAMPLE_REPLICAS, s->replicas);
	put_real_if(b, s->valid & SAMPLE_LATENCY, s->latency_ms);
	put_real_if(b, s->valid & SAMPLE_RPS, s->rps);
	json_open(b);
	for (int i = 0; i < SAMPLE_FIELDS; i++) {
		(void) snprintf(text, sizeof text, "%lld", (long long) s->age_ms[i]);
		json_item(b, s->valid >> i & 1 ? text : "null");
	}
	put_json(b);
	put_int_if(b, s->ready >= 0, s->ready);
	put_real_if(b, s->cpu_request_cores > 0, s->cpu_request_cores);
	put_real_if(b, s->mem_limit_bytes > 0, s->mem_limit_bytes);
	put_text(b, s->missing);
}

static void put_guards(Binder *b, uint32_t guards)
{
	char text[32];
	json_open(b);
	for (int g = 0; g < GUARD_COUNT; g++)
		if (guards >> g & 1) {
			(void) snprintf(text, sizeof text, "\"%s\"", guard_text((Guard) g));
			json_item(b, text);
		}
	put_json(b);
}

/* As /predict takes it: 1 for an action that was allowed. */
static void put_mask(Binder *b, ActionSet actions, uint32_t mask)
{
	static const int length[ACTION_SETS] = { [ACTIONS_THREE] = ACTION_COUNT, [ACTIONS_WIDE] = 7 };
	json_open(b);
	for (int a = 0; mask && a < length[actions]; a++)
		json_item(b, mask >> a & 1 ? "1" : "0");
	put_json(b);
}

static void bind_decision(Binder *b, const Record *record)
{
	const RecordDecision *r = &record->u.decision;
	const Decision *d = &r->decision;
	put_int(b, r->time_ms);
	put_int(b, record->wall_ms);
	put_text(b, r->namespace_);
	put_text(b, r->deployment);
	put_text(b, r->policy);
	put_text(b, state_text(d->state));
	bind_sample(b, &r->sample);
	put_floats(b, r->obs, within(r->obs_dim, OBS_MAX), 9);
	put_int_if(b, d->action != ACTION_NONE, d->action);
	put_floats(b, d->probability, within(d->n_actions, ACTIONS_MAX), 9);
	put_real(b, (double) d->value);
	put_int_if(b, d->action != ACTION_NONE, d->raw);
	put_int_if(b, d->desired >= 0, d->desired);
	put_int_if(b, d->hpa >= 0, d->hpa);
	put_guards(b, d->guards);
	put_int(b, d->is_applied);
	put_text(b, reason_text(d->reason));
	put_text(b, d->detail);
	for (int i = 0; i < 3; i++)
		put_int_if(b, r->duration_us[i] >= 0, r->duration_us[i]);
	put_text(b, r->resource_version);
	put_text(b, r->model);
	put_mask(b, r->mask_of, r->mask);
}

static void bind_intervention(Binder *b, const Record *record)
{
	const RecordIntervention *i = &record->u.intervention;
	put_int(b, i->steps);
	put_int(b, record->wall_ms);
	put_text(b, i->what);
	put_text(b, i->from);
	put_text(b, i->to);
	put_text(b, i->who);
}

static void bind_audit(Binder *b, const Record *record)
{
	const RecordAudit *a = &record->u.audit;
	put_int(b, record->wall_ms);
	put_text(b, a->who);
	put_text(b, a->host);
	put_text(b, a->context);
	put_text(b, a->namespace_);
	put_text(b, a->deployment);
	put_text(b, a->what);
	put_int(b, a->from);
	put_int(b, a->to);
	put_text(b, a->state_before);
	put_text(b, a->reason);
	put_text(b, a->result);
	put_int(b, a->command_id);
}

static void bind_state(Binder *b, const Record *record)
{
	const RecordState *s = &record->u.state;
	put_int(b, record->wall_ms);
	put_text(b, s->namespace_);
	put_text(b, s->deployment);
	put_text(b, state_text(s->from));
	put_text(b, state_text(s->to));
	put_text(b, reason_text(s->reason));
	put_text(b, s->detail);
}

static void bind_result(Binder *b, const Record *record)
{
	const RecordResult *r = &record->u.result;
	put_int(b, record->wall_ms);
	put_text(b, r->policy);
	put_text(b, r->settings);
	put_text(b, r->trace);
	put_int(b, r->seed);
	put_real(b, r->lambda);
	put_real(b, r->v_pct);
	put_real(b, r->pod_hours);
	put_real(b, r->slo_violation_s);
	put_real(b, r->slo_violation_soft_s);
	put_text(b, r->figures);
}

static void bind_run_end(Binder *b, const Record *record)
{
	put_text(b, run_status_text(record->u.run_end));
	put_int(b, record->wall_ms);
}

#define COLUMN(name, text, section) ", " text
#define MARK(name, text, section) ", ?"
static const struct {
	const char *sql; /* the first parameter is the run */
	void (*bind)(Binder *b, const Record *record);
} KINDS[] = {
	[RECORD_UPDATE] = { "INSERT OR REPLACE INTO updates (run, \"update\", steps, time" TRAIN_TABLE(COLUMN)
	                    ") VALUES (?, ?, ?, ?" TRAIN_TABLE(MARK) ")", bind_update },
	[RECORD_EVAL] = { "INSERT INTO evals (run, steps, time, mean_reward, std_reward, mean_ep_length, n_episodes, best)"
	                  " VALUES (?, ?, ?, ?, ?, ?, ?, ?)", bind_eval },
	[RECORD_EPISODE] = { "INSERT INTO episodes (run, steps, time, source, reward, length, replicas, latency, rps)"
	                     " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", bind_episode },
	[RECORD_CHECKPOINT] = { "INSERT INTO checkpoints (run, steps, time, kind, path) VALUES (?, ?, ?, ?, ?)",
	                        bind_checkpoint },
	[RECORD_DECISION] = { "INSERT INTO decisions (run, time, recorded, namespace, deployment, policy, state, sampled,"
	                      " cpu_usage, memory_usage, replicas, latency, rps, age_ms, ready, cpu_request, memory_limit,"
	                      " missing, observation, action, probabilities, value, raw, desired, hpa, guards, applied,"
	                      " reason, detail, query_us, inference_us, write_us, resource_version, model, mask) VALUES (?, ?, ?, ?, ?, ?, ?,"
	                      " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	                      bind_decision },
	[RECORD_INTERVENTION] = { "INSERT INTO interventions (run, steps, time, what, \"from\", \"to\", who)"
	                          " VALUES (?, ?, ?, ?, ?, ?, ?)", bind_intervention },
	[RECORD_AUDIT] = { "INSERT INTO audit (run, time, who, host, context, namespace, deployment, what, \"from\","
	                   " \"to\", state_before, reason, result, command)"
	                   " VALUES (nullif(?, 0), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", bind_audit },
	[RECORD_STATE] = { "INSERT INTO states (run, time, namespace, deployment, \"from\", \"to\", reason, detail)"
	                   " VALUES (?, ?, ?, ?, ?, ?, ?, ?)", bind_state },
	[RECORD_RESULT] = { "INSERT INTO results (run, time, policy, settings, trace, seed, lambda, v_pct, pod_hours, slo_violation_s,"
	                    " slo_violation_soft_s, figures) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", bind_result },
	[RECORD_RUN_END] = { "UPDATE runs SET status = ?2, ended = ?3 WHERE id = ?1", bind_run_end },
};
_Static_assert(sizeof KINDS / sizeof *KINDS == RECORD_RUN_END + 1, "every kind of record has its row");

void rows_init(Rows *rows, struct sqlite3 *db)
{
	*rows = (Rows) { .db = db };
}

void rows_done(Rows *rows)
{
	for (size_t i = 0; i < sizeof rows->stmt / sizeof *rows->stmt; i++)
		(void) sqlite3_finalize(rows->stmt[i]);
	strbuf_done(&rows->json);
}

int rows_insert(Rows *rows, const Record *record)
{
	sqlite3_stmt **stmt = &rows->stmt[record->kind];
	int code = 0;
	if (!*stmt)
		code = sqlite3_prepare_v3(rows->db, KINDS[record->kind].sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL);
	if (code)
		return code;
	Binder b = { .stmt = *stmt, .json = &rows->json };
	put_int(&b, record->run_id);
	KINDS[record->kind].bind(&b, record);
	if (!b.code)
		(void) sqlite3_step(*stmt);
	code = sqlite3_reset(*stmt);
	(void) sqlite3_clear_bindings(*stmt);
	return b.code ? b.code : code;
}
