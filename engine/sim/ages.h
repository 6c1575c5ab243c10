/*
 * Who is in a pod that lags behind its load, and how old they are: the fluid limit of processor sharing (Jean-Marie and
 * Robert 1994; Gromoll, Puha and Williams 2002). All requests in service get the same share of the CPU, so one that came at s
 * has had W(t) - W(s) CPU seconds by t, W' = cores/number in service, and is there still with the probability that it
 * needs more. With P(demand > w) = 1 - F(w) and e(s) the requests that began at s:
 *
 *   those in service at t:            int e(s) (1 - F(W(t) - W(s))) ds
 *   those done in dt, by their age:   e(s) f(W(t) - W(s)) ds dW
 *
 * W and e follow from what the history of the mean pod keeps: CPU used, accepted, and the number in the pod.
 */
#ifndef MAESTRO_SIM_AGES_H
#define MAESTRO_SIM_AGES_H

#include "sim/core.h"

/*
 * Completions a second of a pod with `age` sub-steps of past, in those that the settled state has at the same CPU: above 1
 * while a queue builds up (the short ones leave it first), below 1 while one drains (the long ones are left); always 1
 * where demands are exponential. 1 where nothing is known.
 */
float ages_pace(const SimModel *model, const SimRow *row, const SimView *view, int32_t age);

/* Hazards at the response's points, -ln P(sojourn > point), of what completes in a sub-step through `change`, from n
 * requests in the pod on. */
void ages_hazards(const SimModel *model, const SimRow *row, const SimView *view, int32_t age, float n, const Change *change,
                  float *ret_hazard);

#endif
