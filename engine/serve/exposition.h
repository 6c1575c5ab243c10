/* Prometheus's text format: heads, samples, escaped labels, histograms. */
#ifndef MAESTRO_SERVE_EXPOSITION_H
#define MAESTRO_SERVE_EXPOSITION_H

#include "base/histogram.h"
#include "base/mem.h"
#include "base/telemetry.h"

/* # HELP and # TYPE; once a name, before its samples. */
void exposition_head(StrBuf *to, const char *name, const char *type, const char *help);
/* name="value", escaped; with a comma before it where labels has something already. */
void exposition_label(StrBuf *labels, const char *name, const char *value);
/* name{labels} value; labels NULL or empty: none. */
void exposition_sample(StrBuf *to, const char *name, const char *labels, double value);
/* The buckets, sum and count of name{labels}. */
void exposition_histogram(StrBuf *to, const char *name, const char *labels, const Histogram *histogram);
/* Everything that a Telemetry holds; NULL: nothing. */
void exposition_telemetry(StrBuf *to, Telemetry *telemetry);
/* The gauge maestro_build_info. */
void exposition_build(StrBuf *to);

#endif
