/*
 * The queries of the four values as a table that users change: presets (engine/cluster/presets/, compiled in), a YAML file of the
 * same form, or such a text in a Deployment's annotation maestro.io/queries.
 */
#ifndef MAESTRO_CLUSTER_PROM_PRESET_H
#define MAESTRO_CLUSTER_PROM_PRESET_H

#include "base/err.h"

enum { PROM_CPU, PROM_MEMORY, PROM_P95, PROM_RPS, PROM_VALUES };

typedef struct PromQueries {
	char *query[PROM_VALUES];   /* owned, with $NS and the like still in them */
	char *newest[PROM_VALUES];  /* of the time of the value's newest sample */
	char *scraped;
	double p95_to_ms;           /* 1, or 1000 where the histogram is in seconds */
} PromQueries;

/* "istio", "nginx-ingress", "linkerd", "generic", or a file's path. ERR_USAGE lists the presets; ERR_IO, ERR_PARSE and ERR_INVALID
 * name the file and key. */
int prom_queries_open(const char *word, PromQueries *ret, Error *err);
/* A preset's name or a YAML text; name is how errors call it. No file is read: the text may be another's. */
int prom_queries_read(const char *name, const char *text, PromQueries *ret, Error *err);
void prom_queries_done(PromQueries *queries); /* accepts a zeroed one */

#endif
