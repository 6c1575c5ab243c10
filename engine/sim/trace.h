/* Request-rate traces: CSV `t_s,rps` with `# key: value` comments, peak scaled to 1 (traces/README.md). */
#ifndef MAESTRO_SIM_TRACE_H
#define MAESTRO_SIM_TRACE_H

#include "base/err.h"

#include <stddef.h>

typedef struct Trace {
	char name[64];   /* from "# name:", else the file's */
	double *rate;    /* [n] in parts of the peak, 0..1 */
	size_t n;
	double step_s;   /* rows are this far apart, throughout */
	double peak_rps; /* of the original; 0: not said */
} Trace;

/* ERR_IO, or ERR_INVALID naming file, line and what is wrong: not a number, negative, unsorted, a gap, no rows. */
int trace_load(const char *path, Trace *ret_trace, Error *err);
/* A file, or else a trace that is compiled in, by its name. ERR_IO lists the names. */
int trace_open(const char *word, Trace *ret_trace, Error *err);
enum { TRACES_BUILT_IN_MAX = 32 };
/* The i-th name; NULL past the last. */
const char *trace_builtin_name(size_t i);
void trace_done(Trace *trace);
/* Mean absolute change between neighbouring rows over the mean rate: below .05 a curve, above it noise and bursts (traces/README.md). */
double trace_roughness(const Trace *trace);
/* Linear between rows; time wraps around at the end. */
double trace_rate(const Trace *trace, double t_s);

#endif
