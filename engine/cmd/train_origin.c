/* See train_origin.h. */
#include "cmd/train_origin.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/version.h"

#include <stdlib.h>
#include <string.h>

enum { DIGITS = 12 };

static void add_trace(StrBuf *out, const Trace *trace)
{
	char hex[SHA256_HEX];
	StrBuf bytes = { 0 };
	strbuf_add(&bytes, (const char *) &trace->step_s, sizeof trace->step_s);
	strbuf_add(&bytes, (const char *) trace->rate, trace->n * sizeof *trace->rate);
	sha256_hex(bytes.data, bytes.len, hex);
	strbuf_addf(out, "%s%.*s", out->len ? " " : "", DIGITS, hex);
	out->failed |= bytes.failed;
	strbuf_done(&bytes);
}

char *train_origin_json(const TrainOptions *options, const SimConfig *sim)
{
	char *text = train_options_json(options);
	Json *root = NULL;
	StrBuf traces = { 0 };
	size_t n = sim->trace ? sim->n_traces ? sim->n_traces : 1 : 0;
	for (size_t i = 0; i < n; i++)
		add_trace(&traces, &sim->trace[i]);
	if (text && !traces.failed && !json_parse(text, strlen(text), &root, NULL)) {
		json_add_string(root, "code", MAESTRO_VERSION);
		json_add_string(root, "trace-sha256", n ? traces.data : NULL);
		free(text);
		text = json_print(root);
	}
	json_free(root);
	strbuf_done(&traces);
	return text;
}
