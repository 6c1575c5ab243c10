/* Policies by their words on the command line. */
#ifndef MAESTRO_CMD_POLICIES_H
#define MAESTRO_CMD_POLICIES_H

#include "base/err.h"
#include "base/policy.h"
#include "rl/model.h"

#include <stdbool.h>

/*
 * "default" (the shipped model), "hpa", "hpa:cpu=70", "model:FILE", or an existing path. *ret_info is filled for a model (steps -1 otherwise). ERR_USAGE lists
 * the known words; ERR_BAD_MODEL, ERR_IO.
 */
int policy_open(const char *word, Policy **ret_policy, ModelInfo *ret_info, Error *err);

/* Whether a model may act: its header has an evaluation, and by it the model is no worse than the calibrated HPA. Else ERR_REFUSED,
 * with what to do about it. */
int policy_gate(const ModelInfo *info, const char *word, Error *err);

/*
 * The same for `run`: a model acts by the finding of its evaluation (control/gate.h). Where that is for the calibrated HPA rule, the rule
 * is what opens, with its tuned settings, and *ret_info is a rule's; said tells so ("": nothing to say). ERR_REFUSED for a model without
 * an evaluation. is_forced: as policy_open.
 */
int policy_open_gated(const char *word, bool is_forced, Policy **ret_policy, ModelInfo *ret_info, char *said, size_t size, Error *err);

#endif
