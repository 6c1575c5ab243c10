/*
 * A net out of a file's tensors, whatever the format: their shapes say how wide and deep it is.
 */
#ifndef MAESTRO_RL_NET_READ_H
#define MAESTRO_RL_NET_READ_H

#include "base/err.h"
#include "rl/net.h"

typedef struct TensorSource {
	const void *file;
	size_t count; /* of tensors */
	const char *(*name)(const void *file, size_t i);
	void (*shape)(const void *file, size_t i, int32_t *ret_rows, int32_t *ret_cols); /* cols 0: one dimension */
	void (*copy)(const void *file, size_t i, float *ret);                            /* row by row */
} TensorSource;

/* ERR_BAD_MODEL names the tensor that is missing, unknown, of a wrong shape or not finite; ERR_NOMEM. */
int net_read(const TensorSource *source, Activation activation, Net **ret_net, Error *err);

#endif
