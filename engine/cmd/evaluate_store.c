/* See evaluate_store.h. */
#include "cmd/evaluate_store.h"

#include "base/json.h"
#include "base/mem.h"
#include "storage/db.h"
#include "storage/runs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMMIT_EVERY = 256, COMMIT_WAIT_MS = 10000 }; /* fewer than the writer's queue holds */

int evaluate_read_policy(Session *session, const char *word, Family *ret_family, Error *err)
{
	if (strncmp(word, "run:", 4) != 0)
		return family_read(word, ret_family, err);
	char *end, path[FAMILY_PATH], as_model[FAMILY_PATH + 8];
	long long id = strtoll(word + 4, &end, 10);
	struct sqlite3 *db = NULL;
	if (end == word + 4 || *end || id < 1)
		return error_set(err, ERR_USAGE, "policy \"%.60s\": write run:ID", word);
	int code = db_open_existing(session->db, &session->clock, &db, err);
	if (!code)
		code = runs_best_model(db, id, path, sizeof path, err);
	db_close(db);
	if (code)
		return code;
	(void) snprintf(as_model, sizeof as_model, "model:%s", path);
	code = family_read(as_model, ret_family, err);
	str_copy(ret_family->word, sizeof ret_family->word, word);
	str_copy(ret_family->name, sizeof ret_family->name, word);
	return code;
}

static char *figures_json(const double *cell)
{
	Json *object = json_new_object();
	for (int k = 0; k < FIGURE_COUNT; k++)
		json_add_number(object, figure_key((Figure) k), cell[k]);
	char *text = json_print(object);
	json_free(object);
	return text;
}

static void fill(const Contest *contest, int32_t f, int32_t t, int32_t seed, int32_t lambda, RecordResult *ret)
{
	const ContestConfig *c = &contest->config;
	const Path *path = contest_path(contest, f, t);
	const double *cell = contest_cell(contest, f, t, path->best[lambda], seed);
	char settings[SETTING_TEXT], *figures = figures_json(cell);
	family_describe(&c->family[f], &c->arena, path->setting[path->best[lambda]], settings);
	*ret = (RecordResult) { .seed = seed, .lambda = c->lambda[lambda], .v_pct = cell[FIGURE_V_PCT], .pod_hours = cell[FIGURE_POD_HOURS],
		.slo_violation_s = cell[FIGURE_SLO_S], .slo_violation_soft_s = cell[FIGURE_SLO_SOFT_S] };
	str_copy(ret->policy, sizeof ret->policy, c->family[f].word);
	str_copy(ret->settings, sizeof ret->settings, settings);
	str_copy(ret->trace, sizeof ret->trace, c->trace[t].name);
	bool fits = figures && strlen(figures) < sizeof ret->figures;
	str_copy(ret->figures, sizeof ret->figures, fits ? figures : "{}");
	free(figures);
}

void evaluate_store_results(Session *session, int64_t run_id, const Contest *contest)
{
	const ContestConfig *c = &contest->config;
	Sink *sink = session->sink;
	int32_t written = 0;
	for (int32_t l = 0; l < c->n_lambdas; l++)
		for (int32_t f = 0; f < c->n_families; f++)
			for (int32_t t = 0; t < c->n_traces; t++)
				for (int32_t i = 0; i < c->seeds; i++) {
					Record record = { .kind = RECORD_RESULT, .run_id = run_id, .wall_ms = clock_wall_ms(&session->clock) };
					fill(contest, f, t, i, l, &record.u.result);
					sink->ops->write(sink, &record);
					if (++written % COMMIT_EVERY == 0)
						(void) sink->ops->commit(sink, COMMIT_WAIT_MS, NULL); /* a store that fails is said by the writer */
				}
}
