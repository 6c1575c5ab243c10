/* What each guard rail does to the models of a contest: each switched off once, and how often it would have had its way. */
#include "control/contest_internal.h"

#include "decide/rails.h"

#include <stdlib.h>

typedef struct RailCell {
	double figures[FIGURE_COUNT], share[GUARD_COUNT];
} RailCell;

/* Which rail a row stands for; 0: all are on. */
static uint32_t rail_of(int row)
{
	return row ? RAILS_OFF_SEED & 1u << (row - 1) : 0;
}

/* Models of the thesis's observation run within their bounds alone. */
static bool passes_rails(const Family *family)
{
	return family->n_files && family->obs_version != OBS_SEED;
}

static int add_rail_cells(const Contest *contest, Batch *batch)
{
	const ContestConfig *c = &contest->config;
	int code = 0;
	for (int32_t f = 0; f < c->n_families; f++)
		for (int row = 0; row < 1 + GUARD_COUNT && passes_rails(&c->family[f]); row++)
			for (int32_t t = 0; t < c->n_traces && (!row || rail_of(row)); t++)
				for (int32_t i = 0; i < c->seeds && !code; i++) {
					const Path *path = contest_path(contest, f, t);
					code = contest_add_cell(batch, (Cell) { .family = f, .setting = path->setting[path->best[0]], .trace = t, .seed = i,
						.part = PART_REPORT, .level = c->arena.sim.level, .rails_off = rail_of(row) });
				}
	return code;
}

static int row_of(uint32_t rails_off)
{
	int row = 0;
	while (rail_of(row) != rails_off)
		row++;
	return row;
}

int contest_measure_rails(Contest *contest, const volatile sig_atomic_t *stop, Error *err)
{
	const ContestConfig *c = &contest->config;
	Batch batch = { .contest = contest, .stage = "without each rail", .stop = stop };
	contest->rail = calloc((size_t) c->n_families * (1 + GUARD_COUNT), sizeof *contest->rail);
	int code = contest->rail ? add_rail_cells(contest, &batch) : ERR_NOMEM;
	RailCell *cells = calloc(batch.n + 1, sizeof *cells);
	if (code || !cells)
		code = error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	for (size_t i = 0; i < batch.n && !code; i++) {
		batch.cell[i].out = cells[i].figures;
		batch.cell[i].share = batch.cell[i].rails_off ? NULL : cells[i].share;
	}
	if (!code)
		code = contest_play(&batch, err);
	double part = 1.0 / (c->n_traces * c->seeds);
	for (size_t i = 0; i < batch.n && !code; i++) {
		RailEffect *of = contest->rail + batch.cell[i].family * (1 + GUARD_COUNT), *rail = of + row_of(batch.cell[i].rails_off);
		rail->is_there = true;
		rail->v_pct += part * cells[i].figures[FIGURE_V_PCT];
		rail->pod_hours += part * cells[i].figures[FIGURE_POD_HOURS];
		for (int g = 0; g < GUARD_COUNT; g++)
			of[1 + g].share += part * cells[i].share[g];
	}
	free(cells);
	free(batch.cell);
	return code;
}
