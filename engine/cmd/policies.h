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

/*
 * Whether a model acts, by the finding of the evaluation in its header (control/gate.h): 0 with *ret_rule NULL where it does, and the
 * model then has the price at which it was found good. Where the finding is for the calibrated HPA rule, *ret_rule is that rule with its
 * tuned settings, and said tells so ("": nothing to say). ERR_REFUSED for a model without an evaluation.
 */
int policy_gate(const ModelInfo *info, const char *word, Policy *model, Policy **ret_rule, char *said, size_t size, Error *err);

#endif
