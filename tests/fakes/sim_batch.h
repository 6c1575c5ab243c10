/* A few rows of a simulated Env with their buffer, begun. For cmocka tests. */
#ifndef MAESTRO_TESTS_FAKES_SIM_BATCH_H
#define MAESTRO_TESTS_FAKES_SIM_BATCH_H

#include "sim/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef struct Batch {
	Env *env;
	EnvBuf buf;
} Batch;

static inline Batch batch_new(const SimConfig *config, size_t n)
{
	Batch batch;
	EnvSpec spec;
	Error err;
	if (sim_env_new(config, n, &batch.env, &err))
		fail_msg("%s", err.text);
	batch.env->ops->spec(batch.env, &spec);
	assert_int_equal(env_buf_init(&batch.buf, n, &spec), 0);
	assert_int_equal(batch.env->ops->reset(batch.env, 9, &batch.buf), 0);
	return batch;
}

static inline void batch_free(Batch *batch)
{
	env_buf_done(&batch->buf);
	env_free(batch->env);
}

#endif
