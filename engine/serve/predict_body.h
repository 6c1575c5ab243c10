/* The body of POST /predict as numbers: the thesis's five keys, or {"observation": [...], "mask": [...]}. */
#ifndef MAESTRO_SERVE_PREDICT_BODY_H
#define MAESTRO_SERVE_PREDICT_BODY_H

#include "base/err.h"
#include "base/types.h"

#include <stdbool.h>

typedef struct PredictInput { /* what the model takes */
	int32_t dim, n_actions;
	bool is_seed;          /* the five keys name its inputs */
} PredictInput;

typedef struct PredictBody {
	float x[OBS_MAX];      /* [dim] */
	uint32_t mask;         /* bit a set: action a is allowed; all where the body has none */
} PredictBody;

/* ERR_INVALID says, for a person, what is wrong with the body. Keys of other names are passed over. */
int predict_body_read(const PredictInput *input, const char *text, size_t len, PredictBody *ret, Error *err);

#endif
