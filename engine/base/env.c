/* See env.h. */
#include "base/env.h"

#include <stdlib.h>

void env_free(Env *env)
{
	if (env)
		env->ops->free(env);
}

int env_buf_init(EnvBuf *buf, size_t n, const EnvSpec *spec)
{
	size_t dim = (size_t) spec->obs_dim;
	*buf = (EnvBuf) {
		.obs = calloc(n * dim, sizeof *buf->obs),
		.final_obs = calloc(n * dim, sizeof *buf->final_obs),
		.mask = calloc(n * (size_t) spec->n_actions, sizeof *buf->mask),
		.action = calloc(n, sizeof *buf->action),
		.reward = calloc(n, sizeof *buf->reward),
		.terminated = calloc(n, sizeof *buf->terminated),
		.truncated = calloc(n, sizeof *buf->truncated),
		.info = calloc(n, sizeof *buf->info),
	};
	if (buf->obs && buf->final_obs && buf->mask && buf->action && buf->reward && buf->terminated &&
	    buf->truncated && buf->info)
		return 0;
	env_buf_done(buf);
	return ERR_NOMEM;
}

void env_buf_done(EnvBuf *buf)
{
	free(buf->obs);
	free(buf->final_obs);
	free(buf->mask);
	free(buf->action);
	free(buf->reward);
	free(buf->terminated);
	free(buf->truncated);
	free(buf->info);
	*buf = (EnvBuf) { 0 };
}
