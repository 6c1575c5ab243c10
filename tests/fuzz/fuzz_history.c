/* A history for the fit: what it says is in bounds and in order, or it is refused; and what
 * is made of it is a service. */
#include "fuzz.h"
#include "sim/fit_inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What an estimation does with every row, besides the search. */
static void use(const FitData *data)
{
	ServiceFile file;
	StrBuf trace = { 0 };
	Error err = { 0 };
	size_t bridged, left_out;
	service_file_default(&file);
	fit_memory(data, &file);
	fit_starts(data, &file);
	fit_told(data, &file);
	if (service_check(&file.service, &err) && file.service.start_sched_max >= file.service.start_sched_min)
		abort();
	if (fit_trace(data, "fuzz", 300.0, &trace, &bridged, &left_out, &err) && !err.text[0])
		abort();
	strbuf_done(&trace);
}

void fuzz_history(const char *bytes, size_t len)
{
	FitData data;
	Error err = { 0 };
	double demand, se, idle;
	char *text = calloc(len + 1, 1);
	if (!text)
		return;
	memcpy(text, bytes, len);
	fit_data_init(&data);
	int code = fit_data_parse(text, "fuzz.csv", &data, &err);
	fuzz_check(code, &err);
	free(text);
	for (size_t i = 1; !code && i < data.n; i++)
		if (!(data.row[i].t_s > data.row[i - 1].t_s) || data.row[i].rps < 0.0 || data.n_bounds > FIT_BOUNDS)
			abort();
	if (!code && fit_cpu(&data, 0, data.n, &demand, &se, &idle) && !(demand > 0.0 && se > 0.0))
		abort();
	if (!code)
		use(&data);
	fit_data_done(&data);
}

void seed_history(StrBuf *to)
{
	strbuf_addf(to, "# scrape_interval_s: 15\n# pod: 1,2,,4\nt_s,rps,cpu_cores,ready,le_5,le_25,le_inf\n");
	for (int i = 0; i < 40; i++)
		strbuf_addf(to, "%d,%d,%.3f,2,%d,%d,%d\n", 60 * i, i + 1, .02 * (i + 1), i / 3, i / 2, i + 1);
}
