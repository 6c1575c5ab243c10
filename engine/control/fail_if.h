/*
 * The gate of `evaluate --fail-if EXPR`: arithmetic and comparisons over what was measured.
 *
 *     EXPR     comparisons joined by && and ||, && first; parentheses
 *     compared sums and products of numbers and figures by < <= > >= == !=
 *     figure   KEY, of the first policy, or KEY(POLICY): the interquartile mean of a figure ("v_pct", "pod_hours", ...)
 *              v_change(POLICY,VERSUS), pod_hours_ratio(POLICY,VERSUS): at the first lambda
 *              each may end in .lo or .hi, the interval's ends over traces and seeds
 *
 * "v_change(default,hpa-calibrated).hi > 0 || pod_hours_ratio(default,hpa-calibrated) > 1.05". What is not known fails the gate.
 */
#ifndef MAESTRO_CONTROL_FAIL_IF_H
#define MAESTRO_CONTROL_FAIL_IF_H

#include "base/err.h"

#include <stdbool.h>

/* Value of a name with up to two words behind it ("" where there are none) and an end ("", "lo", "hi"). ERR_USAGE where there is no such
 * thing. */
typedef int FailIfLookup(void *arg, const char *name, const char *first, const char *second, const char *end, double *ret, Error *err);

/* ERR_USAGE says where the expression is wrong; ERR_* of lookup. */
int fail_if_eval(const char *text, FailIfLookup *lookup, void *arg, bool *ret_fails, Error *err);

#endif
