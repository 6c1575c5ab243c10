/*
 * Instant queries of a fetch: for many targets one a query of the table and namespace, instead of one a target (CONTROL NFR3); the
 * four values side by side (CONTROL B.1).
 *
 * A query by pod is asked with all names in place of $POD; any other is asked as it is for each target, joined by `or` under a label
 * that tells them apart. So every preset, file and annotation can be batched, and what Prometheus refuses to answer so is asked
 * target by target. A target that is alone in its group is asked plainly.
 */
#ifndef MAESTRO_CLUSTER_PROM_BATCH_H
#define MAESTRO_CLUSTER_PROM_BATCH_H

#include "cluster/prom_inside.h"

typedef enum PromKind { PROM_VALUE, PROM_NEWEST, PROM_SCRAPED, PROM_KINDS } PromKind;

/* What the batch asks of a set of queries: PROM_SCRAPED has v 0 alone. */
const char *prom_template(const PromQueries *queries, int v, PromKind kind);

typedef struct PromAnswer { /* to one query, of the targets in a group */
	PromRows rows;           /* sorted by target, then by pod */
	int code;                /* 0, or why it is to be asked target by target (ERR_INVALID, ERR_PARSE), or why nothing can be had */
	Error err;
} PromAnswer;

typedef struct PromGroup { /* targets of one namespace with the same queries */
	const Target *first;     /* lent for the fetch */
	const PromQueries *queries;
	size_t *member;          /* [n] places among the fetch's targets */
	size_t n, size;
	PromAnswer answer[PROM_VALUES][PROM_KINDS];
} PromGroup;

typedef struct PromBatch {
	PromGroup *group;
	size_t n, size;
} PromBatch;

/* Forgets the last fetch's. */
void prom_batch_clear(PromBatch *batch);
void prom_batch_done(PromBatch *batch);
/* Puts target i into a group; its number. -1: out of memory. */
int prom_batch_add(PromBatch *batch, const Target *target, size_t i, const PromQueries *queries);
/* Asks the queries of all groups, a thread a value, until deadline_ms (monotonic). */
void prom_batch_ask(PromBatch *batch, PromMetrics *prom, const Target *target, int64_t now_ms, int64_t deadline_ms);
/*
 * The rows of one target into rows. 0; ERR_NOT_FOUND: not asked, or refused for many, so to be asked alone; else the code and text of the batch's query.
 * pods is needed for queries by pod.
 */
int prom_batch_rows(const PromBatch *batch, int group, const Target *target, const PodList *pods, int v, PromKind kind, PromRows *rows,
                    Error *err);

#endif
