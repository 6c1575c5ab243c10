/* See sim_abi.h. */
#include "sim/sim_abi.h"

#include "sim/sim.h"

#include <stdlib.h>
#include <string.h>

struct MaestroSim {
	SimConfig config;
	Trace trace;
	Env *env; /* NULL until open */
	EnvSpec spec;
	EnvBuf buf;
	Error err;
};

typedef enum FieldKind { FIELD_DOUBLE, FIELD_FLOAT, FIELD_INT, FIELD_BOOL, FIELD_START, FIELD_OBSERVATION } FieldKind;

static const struct {
	const char *name;
	FieldKind kind;
	size_t offset;
} FIELDS[] = {
#define FIELD(name, kind) { #name, kind, offsetof(SimConfig, name) }
	FIELD(window_from, FIELD_DOUBLE),
	FIELD(window_to, FIELD_DOUBLE),
	FIELD(compression, FIELD_DOUBLE),
	FIELD(peak_rps, FIELD_DOUBLE),
	FIELD(think_s, FIELD_DOUBLE),
	FIELD(chaos_rate, FIELD_DOUBLE),
	FIELD(metric_noise, FIELD_DOUBLE),
	FIELD(metric_missing, FIELD_DOUBLE),
	FIELD(random_start, FIELD_BOOL),
	FIELD(interval_s, FIELD_FLOAT),
	FIELD(substep_s, FIELD_FLOAT),
	FIELD(episode_steps, FIELD_INT),
	FIELD(min_replicas, FIELD_INT),
	FIELD(max_replicas, FIELD_INT),
	FIELD(latency_soft_ms, FIELD_FLOAT),
	FIELD(latency_hard_ms, FIELD_FLOAT),
	FIELD(latency_window_s, FIELD_FLOAT),
	FIELD(terminate_at_bounds, FIELD_BOOL),
	FIELD(start, FIELD_START),
	FIELD(observation, FIELD_OBSERVATION),
#undef FIELD
};

MaestroSim *maestro_sim_new(void)
{
	MaestroSim *sim = calloc(1, sizeof *sim);
	if (sim)
		sim_config_default(&sim->config);
	return sim;
}

void maestro_sim_free(MaestroSim *sim)
{
	if (!sim)
		return;
	env_free(sim->env);
	env_buf_done(&sim->buf);
	trace_done(&sim->trace);
	free(sim);
}

const char *maestro_sim_error(const MaestroSim *sim)
{
	return sim->err.text;
}

/* The settings may change until open. */
static int check_closed(MaestroSim *sim)
{
	return sim->env ? error_set(&sim->err, ERR_INVALID, "the simulator is open already") : 0;
}

int maestro_sim_set(MaestroSim *sim, const char *name, double value)
{
	size_t i = 0, n = sizeof FIELDS / sizeof *FIELDS;
	int code = check_closed(sim);
	if (code)
		return code;
	while (i < n && strcmp(FIELDS[i].name, name) != 0)
		i++;
	if (i == n)
		return error_set(&sim->err, ERR_INVALID, "no setting \"%.64s\"", name);
	bool is_known = FIELDS[i].kind == FIELD_START ? value >= 0 && value <= SIM_START_RANDOM
		: FIELDS[i].kind == FIELD_OBSERVATION ? value >= 0 && observation_dim((ObsKind) (int) value) > 0 : true;
	if (!(value >= -1e9 && value <= 1e9) || !is_known)
		return error_set(&sim->err, ERR_INVALID, "%s: %g is out of range", name, value);
	void *at = (char *) &sim->config + FIELDS[i].offset;
	switch (FIELDS[i].kind) {
	case FIELD_DOUBLE:
		*(double *) at = value;
		break;
	case FIELD_FLOAT:
		*(float *) at = (float) value;
		break;
	case FIELD_INT:
		*(int32_t *) at = (int32_t) value;
		break;
	case FIELD_BOOL:
		*(bool *) at = value != 0;
		break;
	case FIELD_START:
		*(SimStart *) at = (SimStart) (int) value;
		break;
	case FIELD_OBSERVATION:
		*(ObsKind *) at = (ObsKind) (int) value;
		break;
	}
	return 0;
}

int maestro_sim_trace(MaestroSim *sim, const char *path)
{
	int code = check_closed(sim);
	if (code)
		return code;
	Trace trace;
	code = trace_load(path, &trace, &sim->err);
	if (code)
		return code;
	trace_done(&sim->trace);
	sim->trace = trace;
	sim->config.trace = &sim->trace;
	return 0;
}

int maestro_sim_open(MaestroSim *sim, size_t n)
{
	Env *env = NULL;
	int code = check_closed(sim);
	if (!code && n < 1)
		code = error_set(&sim->err, ERR_INVALID, "no environments");
	if (!code)
		code = sim_env_new(&sim->config, n, &env, &sim->err);
	if (code)
		return code;
	env->ops->spec(env, &sim->spec);
	code = env_buf_init(&sim->buf, n, &sim->spec);
	if (code) {
		env_free(env);
		return error_set(&sim->err, code, "%s", err_text(code));
	}
	sim->env = env;
	return 0;
}

static int check_open(MaestroSim *sim)
{
	return sim->env ? 0 : error_set(&sim->err, ERR_INVALID, "the simulator is not open");
}

static int told(MaestroSim *sim, int code)
{
	return code ? error_set(&sim->err, code, "%s", err_text(code)) : 0;
}

int maestro_sim_reset(MaestroSim *sim, uint64_t seed)
{
	int code = check_open(sim);
	return code ? code : told(sim, sim->env->ops->reset(sim->env, seed, &sim->buf));
}

int maestro_sim_step(MaestroSim *sim, const int32_t *action)
{
	int code = check_open(sim);
	if (code)
		return code;
	for (size_t i = 0; i < sim->env->n; i++)
		if (action[i] < 0 || action[i] >= sim->spec.n_actions)
			return error_set(&sim->err, ERR_INVALID, "action %d of row %zu", action[i], i);
	memcpy(sim->buf.action, action, sim->env->n * sizeof *action);
	return told(sim, sim->env->ops->step(sim->env, 0, sim->env->n, &sim->buf));
}

int32_t maestro_sim_obs_dim(const MaestroSim *sim)
{
	return sim->spec.obs_dim;
}

int32_t maestro_sim_n_actions(const MaestroSim *sim)
{
	return sim->spec.n_actions;
}

const float *maestro_sim_obs(const MaestroSim *sim)
{
	return sim->buf.obs;
}

const float *maestro_sim_final_obs(const MaestroSim *sim)
{
	return sim->buf.final_obs;
}

const float *maestro_sim_reward(const MaestroSim *sim)
{
	return sim->buf.reward;
}

const uint8_t *maestro_sim_terminated(const MaestroSim *sim)
{
	return sim->buf.terminated;
}

const uint8_t *maestro_sim_truncated(const MaestroSim *sim)
{
	return sim->buf.truncated;
}

const uint8_t *maestro_sim_mask(const MaestroSim *sim)
{
	return sim->buf.mask;
}
