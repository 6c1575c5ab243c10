/* Policies by their words on the command line. */
#ifndef MAESTRO_CMD_POLICIES_H
#define MAESTRO_CMD_POLICIES_H

#include "base/err.h"
#include "base/policy.h"
#include "rl/model.h"

/*
 * "default" (the shipped model), "hpa", "hpa:cpu=70", "model:FILE", or an existing path. *ret_info is filled for a model (steps -1 otherwise). ERR_USAGE lists
 * the known words; ERR_BAD_MODEL, ERR_IO.
 */
int policy_open(const char *word, Policy **ret_policy, ModelInfo *ret_info, Error *err);

/* Whether a model may act: its header has an evaluation, and by it the model is no worse than the calibrated HPA. Else ERR_REFUSED,
 * with what to do about it. */
int policy_gate(const ModelInfo *info, const char *word, Error *err);

#endif
