/* Traces that are compiled in (the Makefile makes gen/traces.h of engine/sim/traces): training needs no file beside the program. */
#include "sim/trace.h"

#include "base/mem.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "traces.h"

typedef struct BuiltIn {
	const char *name;
	const uint16_t *rate; /* 65535: the peak */
	size_t n;
	double step_s, peak_rps;
} BuiltIn;

static const BuiltIn BUILT_IN[] = {
#define TRACE(i, name) { name, TRACE_##i, sizeof TRACE_##i / sizeof *TRACE_##i, 1e-3 * STEP_MILLI_##i, 1e-3 * PEAK_MILLI_##i },
	TRACES(TRACE)
#undef TRACE
};
enum { N = sizeof BUILT_IN / sizeof *BUILT_IN };
_Static_assert((int) N <= (int) TRACES_BUILT_IN_MAX, "more traces than callers have room for");

const char *trace_builtin_name(size_t i)
{
	return i < N ? BUILT_IN[i].name : NULL;
}

static int expand(const BuiltIn *from, Trace *ret, Error *err)
{
	*ret = (Trace) { .rate = calloc(from->n, sizeof *ret->rate), .n = from->n, .step_s = from->step_s, .peak_rps = from->peak_rps };
	if (!ret->rate)
		return error_set(err, ERR_NOMEM, "%s: out of memory", from->name);
	str_copy(ret->name, sizeof ret->name, from->name);
	for (size_t i = 0; i < from->n; i++)
		ret->rate[i] = from->rate[i] / 65535.0;
	return 0;
}

int trace_open(const char *word, Trace *ret_trace, Error *err)
{
	StrBuf names = { 0 };
	if (!access(word, F_OK))
		return trace_load(word, ret_trace, err);
	for (size_t i = 0; i < N; i++)
		if (!strcmp(word, BUILT_IN[i].name))
			return expand(&BUILT_IN[i], ret_trace, err);
	for (size_t i = 0; i < N; i++)
		strbuf_addf(&names, "%s%s", i ? ", " : "", BUILT_IN[i].name);
	int code = error_set(err, ERR_IO, "%.200s: no such file, and no trace of this program: %s", word, names.failed ? "" : names.data);
	strbuf_done(&names);
	return code;
}
