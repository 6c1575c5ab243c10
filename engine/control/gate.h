/*
 * The evaluation that a model file carries (CONTROL F.8): what it was measured on, beside which policies, and what follows for `run`:
 * act with the model, or with the calibrated HPA rule where that is the better family for this service.
 */
#ifndef MAESTRO_CONTROL_GATE_H
#define MAESTRO_CONTROL_GATE_H

#include "control/summary.h"
#include "rl/model.h"

typedef enum GateVerdict {
	GATE_MISSING, /* no evaluation: act only when forced */
	GATE_MODEL,   /* at the calibrated rule's violation it costs no more pod-hours */
	GATE_HPA,     /* it does: the rule acts */
} GateVerdict;

typedef struct Gate {
	GateVerdict verdict;
	int32_t hpa_cpu_pct;        /* of the calibrated rule */
	double hpa_down_window_s;
	float pod_price;            /* at which the model was chosen; 0: it has no such input */
	char text[160];             /* the finding, for a person */
} Gate;

/* ERR_BAD_MODEL where the file's evaluation cannot be read. */
int gate_read(const ModelInfo *info, Gate *ret_gate, Error *err);
/* Writes what a contest found of a family of models into its files. The calibrated rule must have taken part. ERR_USAGE, ERR_NOMEM,
 * and those of reading and writing the files. The bytes depend on nothing but the models, the traces and the options. */
int gate_write(const Contest *contest, int32_t family, Error *err);

/*
 * The verdict by the measure of the report: the model acts where, along its front, the calibrated rule's violation costs no more than
 * the rule's pod-hours in the median over the traces, and no more than 15 % above them on any. (gate_write asks besides that it come
 * down to min without load: idle.h.)
 */
GateVerdict gate_judge(const VersusSummary *versus);

#endif
