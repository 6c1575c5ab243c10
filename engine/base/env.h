/*
 * A batch of n like environments: simulator, trace replay, live cluster, and CartPole in the tests.
 *
 * The caller owns the arrays; an Env writes only the rows it is asked to step, so that several threads may step
 * disjoint ranges side by side. A row whose episode ends is reset by step itself: obs then holds the first
 * observation of the next episode and final_obs the last of the ended one.
 */
#ifndef MAESTRO_BASE_ENV_H
#define MAESTRO_BASE_ENV_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct EnvSpec {
	int32_t obs_dim;
	int32_t hint_dim;      /* of obs_dim, the last: what only an environment made for training knows, for a critic and no policy */
	int32_t n_actions;
	int32_t episode_steps; /* time limit; 0: none */
	float interval_s;      /* of one step */
} EnvSpec;

/* What a step did, for records and measures; never part of the observation. */
typedef struct EnvInfo {
	float p95_ms;            /* true p95 of the step, not the scraped one; NAN without traffic */
	float rps;               /* offered */
	float cpu_cores;
	float slow_soft;         /* share of the step's requests over the soft limit, dropped ones included */
	float slow_hard;
	uint32_t chaos;          /* faults that were on, bits by ChaosKind of sim/chaos.h */
	int32_t oom_kills;       /* containers killed over their memory limit */
	float pod_s;             /* pods existing (pending, ready, terminating) x seconds */
	int32_t replicas;        /* asked for */
	int32_t ready;
	bool is_refused;         /* the action's write was refused: by the API, by who else scales, by a lost lease */
	int32_t demand;          /* least replicas that keep p95 at the soft limit at this rate; 0: not known */
} EnvInfo;

typedef struct EnvBuf {
	float *obs;          /* [n][obs_dim] that the next action answers */
	float *final_obs;    /* [n][obs_dim] last observation of an ended episode; untouched elsewhere */
	uint8_t *mask;       /* [n][n_actions] 1 where the action is allowed; NULL: not asked for */
	int32_t *action;     /* [n] in */
	float *reward;       /* [n] */
	uint8_t *terminated; /* [n] the task ended: the next state's value is 0 */
	uint8_t *truncated;  /* [n] time limit: bootstrap from final_obs */
	EnvInfo *info;       /* [n]; NULL: not asked for */
} EnvBuf;

typedef struct Env Env;
typedef struct EnvOps {
	const char *name; /* "sim", "cartpole" */
	void (*spec)(const Env *env, EnvSpec *ret_spec);
	/* All rows to the start of their first episode under seed. */
	int (*reset)(Env *env, uint64_t seed, EnvBuf *buf);
	/* Rows first..first+count-1. Safe for disjoint ranges on several threads. No allocation. A kind that waits in real time
	 * takes all rows at once, and answers ERR_CLOSED where it was stopped meanwhile: then the step did not happen. */
	int (*step)(Env *env, size_t first, size_t count, EnvBuf *buf);
	/* Optional, both or none. state_size bytes hold all rows' state; after restore the same actions give the same
	 * bytes, so that a resumed training run equals an uninterrupted one. */
	size_t (*state_size)(const Env *env);
	void (*snapshot)(const Env *env, void *state);
	int (*restore)(Env *env, const void *state, size_t size); /* ERR_INVALID for another configuration's */
	/* Optional, of rows that go on by themselves: obs and mask of all rows as they are now. Asked before each rollout; waits and
	 * answers as step. */
	int (*look)(Env *env, EnvBuf *buf);
	void (*free)(Env *env);
} EnvOps;

struct Env { /* first member of each kind */
	const EnvOps *ops;
	size_t n;
};

/* Accepts NULL. */
void env_free(Env *env);

/* One block for a batch of n rows; every array set, mask and info included. Freed by env_buf_done. */
int env_buf_init(EnvBuf *buf, size_t n, const EnvSpec *spec);
void env_buf_done(EnvBuf *buf);

#endif
