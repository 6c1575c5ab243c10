/*
 * Which objects carry a label: a table of hashes of "namespace" and "key=value", so that a selector with an equality finds its few
 * candidates among thousands without reading their labels. And the selector itself.
 */
#ifndef MAESTRO_CLUSTER_LABEL_INDEX_H
#define MAESTRO_CLUSTER_LABEL_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct LabelPlace {
	uint64_t hash; /* of namespace, key and value */
	size_t at;     /* the object, as the caller counts */
} LabelPlace;

typedef struct LabelIndex { /* zeroed: empty */
	LabelPlace *place;     /* sorted by hash, then by object */
	size_t n, size;
} LabelIndex;

void label_index_done(LabelIndex *index);
void label_index_clear(LabelIndex *index);
/* An object's labels ("a=1\nb=2\n"), in a namespace of namespace_len bytes. ERR_NOMEM. */
int label_index_add(LabelIndex *index, const char *namespace_, size_t namespace_len, const char *labels, size_t at);
/* After the last add, before the first find. */
void label_index_sort(LabelIndex *index);
/* The fewest candidates that an equality of the selector gives, lent and in the order of objects; they may not all be selected; NULL where
 * there is none. False: the selector has no equality. */
bool label_index_find(const LabelIndex *index, const char *namespace_, const char *selector, const LabelPlace **ret, size_t *ret_n);

/* Whether labels are picked by a labelSelector ("a=1,b in (2,3),!c"). */
bool kube_selects(const char *selector, const char *labels);

#endif
