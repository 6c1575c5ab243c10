/* Queries as an annotation on anybody's Deployment has them. */
#include "cluster/prom_preset.h"
#include "fuzz.h"

#include <stdlib.h>

void fuzz_preset(const char *bytes, size_t len)
{
	PromQueries queries = { 0 };
	Error err = { 0 };
	StrBuf text = { 0 };
	strbuf_add(&text, bytes, len); /* annotations are strings */
	int code = prom_queries_read("annotation", text.data, &queries, &err);
	if (code != ERR_USAGE) /* no such preset */
		fuzz_check(code, &err);
	for (int v = 0; v < PROM_VALUES && !code; v++)
		if (!queries.query[v] || !queries.newest[v])
			abort();
	prom_queries_done(&queries);
	strbuf_done(&text);
}

void seed_preset(StrBuf *to)
{
	fuzz_read("engine/cluster/presets/generic.yaml", to);
}
