/* Traffic as a file: rates that are numbers and no less than 0, or an error with the line. */
#include "fuzz.h"
#include "sim/trace.h"

#include <math.h>
#include <stdlib.h>

void fuzz_trace(const char *bytes, size_t len)
{
	char path[32];
	Trace trace = { 0 };
	Error err = { 0 };
	int fd = fuzz_file(bytes, len, path);
	int code = trace_load(path, &trace, &err);
	fuzz_check(code, &err);
	for (size_t i = 0; !code && i < trace.n; i++)
		if (!(trace.rate[i] >= 0.0) || !isfinite(trace.rate[i]))
			abort();
	if (!code)
		trace_done(&trace);
	fuzz_close(fd);
}

void seed_trace(StrBuf *to)
{
	strbuf_addf(to, "# name: fuzz\n# peak_rps: 50\nt_s,rps\n0,10\n60,20.5\n120,0\n180,5e1\n");
}
