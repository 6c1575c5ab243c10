/* The metrics of targets (CONTROL B.8) from their views. */
#ifndef MAESTRO_SERVE_LOOP_METRICS_H
#define MAESTRO_SERVE_LOOP_METRICS_H

#include "base/histogram.h"
#include "base/mem.h"
#include "base/view.h"

typedef struct LoopMetrics { /* of one target, besides what its view counts; zeroed at first */
	Target target;  /* whose */
	char labels[2 * (NAMESPACE_MAX + NAME_MAX_K8S) + 32]; /* namespace="...",deployment="..." */
	Histogram cycle, inference, write;
	_Atomic int64_t newest_ms[4]; /* wall: of the newest sample of cpu, memory, p95, rps; 0: never seen */
} LoopMetrics;

/* After each cycle, on the loop's thread. */
void loop_metrics_note(LoopMetrics *metrics, const LiveView *view);
/* Everything of n targets; a view may be NULL, where nothing was published yet. */
void loop_metrics_write(StrBuf *to, const LiveView *const *view, const LoopMetrics *metrics, size_t n, int64_t now_wall_ms);

#endif
