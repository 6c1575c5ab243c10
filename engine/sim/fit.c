/* See fit.h: the order of the estimation, and the traffic trace. */
#include "sim/fit_inside.h"

#include <math.h>
#include <string.h>

/* ---- the latencies' parameters, into the file ---- */

static void set(ServiceFile *file, const char *name, double value, double se, bool is_told)
{
	fit_set(file, name, value, is_told ? se : NAN, is_told ? FIT_ESTIMATED : FIT_UNIDENTIFIED);
}

static void set_limit(ServiceFile *file, const FitFound *found, double told_limit)
{
	Service s = fit_service(&found->point);
	if (!isnan(told_limit))
		fit_set(file, "cpu_limit", told_limit, NAN, FIT_READ);
	else
		set(file, "cpu_limit", s.cpu_limit, s.cpu_limit > 0.0 ? s.cpu_limit * found->se[AXIS_LIMIT] : NAN,
		    found->has_axis[AXIS_LIMIT]);
}

static void set_found(ServiceFile *file, const FitFound *found, double told_limit)
{
	Service s = fit_service(&found->point);
	double demand = exp(found->point.x[AXIS_DEMAND]), demand_se = demand * found->se[AXIS_DEMAND];
	bool has_overhead = found->has_axis[AXIS_OVERHEAD];
	set(file, "service_mean", s.service_mean, has_overhead ? hypot(demand_se, found->se[AXIS_OVERHEAD]) : demand_se, true);
	set(file, "service_cv", s.service_cv, found->se[AXIS_CV], found->has_axis[AXIS_CV]);
	set(file, "service_overhead", s.service_overhead, found->se[AXIS_OVERHEAD], has_overhead);
	set(file, "net_delay", s.net_delay, found->se[AXIS_DELAY], found->has_axis[AXIS_DELAY]);
	set(file, "threads", s.threads, found->threads_se, found->has_threads);
	set(file, "concurrency", s.concurrency, found->concurrency_se, found->has_concurrency);
	set_limit(file, found, told_limit);
	file->balance = found->point.balance;
	file->fit.source[FIT_BALANCE] = found->has_balance ? FIT_ESTIMATED : FIT_UNIDENTIFIED;
}

/* Kubernetes takes no request above the limit, and the limit where no request is given. */
static void bound_request(ServiceFile *file)
{
	Service *s = &file->service;
	if (s->cpu_limit > 0.0 && s->cpu_request > s->cpu_limit)
		s->cpu_request = s->cpu_limit;
}

/* What nothing in the data tells of, however much there is of it; the window of rate() is the reader's own choice. */
static void name_rest(ServiceFile *file)
{
	for (int key = 0; key < SERVICE_PARAMETERS; key++)
		if (file->fit.source[key] == FIT_DEFAULT && key != service_find("rate_window"))
			file->fit.source[key] = FIT_UNIDENTIFIED;
}

/* ---- all of it ---- */

static void count_rows(const FitData *data, ServiceFit *fit)
{
	fit->is_there = true;
	fit->window_s = data->step_s * (double) data->n;
	fit->interval_s = data->step_s;
	fit->requests = fit->intervals = 0.0;
	for (size_t i = 0; i < data->n; i++) {
		fit->requests += isnan(data->row[i].rps) ? 0.0 : data->row[i].rps * data->step_s;
		fit->intervals += fit_row_is_steady(data, i, 0, data->n);
	}
}

/* A series that is not there at all is named, rather than that nothing is left without it. */
static int check_series(const FitData *data, Error *err)
{
	static const struct {
		const char *name, *what;
		size_t offset;
	} series[] = {
		{ "rps", "the request rate", offsetof(FitRow, rps) }, { "cpu_cores", "the pods' cpu", offsetof(FitRow, cpu_cores) },
		{ "ready", "the number of ready pods", offsetof(FitRow, ready) }, { "le_inf", "the latency histogram's whole count", 0 },
	};
	for (size_t k = 0; k < sizeof series / sizeof *series; k++) {
		size_t known = 0;
		for (size_t i = 0; i < data->n; i++) {
			const FitRow *row = &data->row[i];
			const double *value = series[k].offset ? (const double *) (const void *) ((const char *) row + series[k].offset) : &row->within[data->n_bounds];
			known += isnan(*value) ? 0 : 1;
		}
		if (!known)
			return error_set(err, ERR_NO_DATA, "fit: %s (%s) is not known in any of %zu intervals: without it nothing can be fitted",
			                 series[k].name, series[k].what, data->n);
	}
	return data->n_bounds ? 0 : error_set(err, ERR_NO_DATA, "fit: no latency histogram: le_BOUND columns are needed");
}

int fit_estimate(const FitData *data, const FitOptions *options, ServiceFile *ret, Error *err)
{
	FitLoad load;
	FitFound found;
	ServiceFile file;
	size_t from = (size_t) ((double) data->n * (1.0 - options->held_out));
	service_file_default(&file);
	count_rows(data, &file.fit);
	int code = check_series(data, err);
	if (code)
		return code;
	code = fit_load_init(&load, data, 0, from, options, err);
	if (!code)
		code = fit_search(&load, data->cpu_limit, &found, err);
	if (!code && fit_check(&load, data, from, &found.point, &file.fit))
		code = error_set(err, ERR_NOMEM, "out of memory");
	if (!code) {
		file.fit.dispersion = found.dispersion;
		set_found(&file, &found, data->cpu_limit);
		fit_memory(data, &file);
		fit_starts(data, &file);
		fit_told(data, &file);
		bound_request(&file);
		name_rest(&file);
		memcpy(file.name, ret->name, sizeof file.name);
		*ret = file;
	}
	fit_load_done(&load);
	if (!code && options->progress)
		(void) options->progress(options->context, 1.0);
	return code;
}

/* ---- the trace ---- */

static bool has_rate(const FitData *data, size_t i)
{
	return !isnan(data->row[i].rps);
}

/* The end of the stretch from row i on whose holes are all of at most `fill` rows. */
static size_t end_of_stretch(const FitData *data, size_t i, size_t fill)
{
	size_t end = i;
	for (size_t k = i; k < data->n && k <= end + fill; k++)
		if (has_rate(data, k))
			end = k + 1;
	return end;
}

int fit_trace(const FitData *data, const char *name, double fill_s, StrBuf *to, size_t *ret_bridged, size_t *ret_left_out,
              Error *err)
{
	size_t best = 0, length = 0, fill = (size_t) (fill_s / data->step_s), bridged = 0;
	for (size_t i = 0; i < data->n;) {
		size_t end = has_rate(data, i) ? end_of_stretch(data, i, fill) : i + 1;
		if (has_rate(data, i) && end - i > length) {
			best = i;
			length = end - i;
		}
		i = end;
	}
	if (length < 2)
		return error_set(err, ERR_NO_DATA, "fit: no two known request rates in a row");
	double peak = 0.0;
	for (size_t i = best; i < best + length; i++)
		peak = has_rate(data, i) ? fmax(peak, data->row[i].rps) : peak;
	strbuf_addf(to, "# name: %.60s\n# peak_rps: %.9g\nt_s,rps\n", name, peak);
	size_t last = best;
	for (size_t i = best; i < best + length; i++) {
		double rate = data->row[i].rps;
		if (!has_rate(data, i)) {
			size_t next = i;
			while (!has_rate(data, next))
				next++;
			rate = data->row[last].rps + (data->row[next].rps - data->row[last].rps) * (double) (i - last) / (double) (next - last);
			bridged++;
		} else {
			last = i;
		}
		strbuf_addf(to, "%.3f,%.9g\n", (double) (i - best) * data->step_s, rate);
	}
	*ret_bridged = bridged;
	*ret_left_out = data->n - length;
	return to->failed ? error_set(err, ERR_NOMEM, "out of memory") : 0;
}
