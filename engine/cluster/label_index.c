/* See label_index.h. */
#include "cluster/label_index.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- selectors ---- */

/* The value of a label, of *ret_len bytes; NULL: absent. */
static const char *label_value(const char *labels, const char *key, size_t key_len, size_t *ret_len)
{
	for (const char *at = labels; *at; at = strchr(at, '\n') + 1)
		if (!strncmp(at, key, key_len) && at[key_len] == '=') {
			*ret_len = strcspn(at + key_len + 1, "\n");
			return at + key_len + 1;
		}
	return NULL;
}

/* Whether value is one of "(a,b,c". */
static bool is_one_of(const char *value, size_t len, const char *set)
{
	for (const char *at = set; *at && *at != ')'; at += strcspn(at, ",)"), at += *at == ',') {
		size_t n = strcspn(at, ",)");
		if (n == len && !strncmp(at, value, n))
			return true;
	}
	return false;
}

/* One term: "k=v", "k in (a,b)", "k notin (a,b)", "k", "!k". */
static bool term_holds(const char *term, size_t len, const char *labels)
{
	bool is_not = *term == '!';
	const char *key = term + is_not;
	size_t key_len = strcspn(key, "=, ("), value_len = 0;
	if (key_len > len - is_not)
		key_len = len - is_not;
	const char *value = label_value(labels, key, key_len, &value_len), *rest = key + key_len;
	if (is_not)
		return !value;
	if (rest == term + len)
		return value != NULL;
	if (*rest == '=')
		return value && value_len == len - key_len - 1 && !strncmp(value, rest + 1, value_len);
	if (!strncmp(rest, " in (", 5))
		return value && is_one_of(value, value_len, rest + 5);
	return !strncmp(rest, " notin (", 8) && (!value || !is_one_of(value, value_len, rest + 8));
}

/* Bytes of the term at the start of a selector: up to a comma that is in no set's parentheses. */
static size_t term_length(const char *at)
{
	size_t len = 0;
	bool is_inside = false;
	for (; at[len] && (at[len] != ',' || is_inside); len++)
		is_inside = at[len] == '(' || (is_inside && at[len] != ')');
	return len;
}

bool kube_selects(const char *selector, const char *labels)
{
	for (const char *at = selector; *at;) {
		size_t len = term_length(at);
		if (!term_holds(at, len, labels))
			return false;
		at += len + (at[len] == ',');
	}
	return true;
}

/* ---- the index ---- */

void label_index_done(LabelIndex *index)
{
	free(index->place);
	*index = (LabelIndex) { 0 };
}

void label_index_clear(LabelIndex *index)
{
	index->n = 0;
}

/* FNV-1a, begun or gone on with. */
static uint64_t hash_on(uint64_t hash, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char) text[i]) * 1099511628211u;
	return hash;
}

static uint64_t hash_of(const char *namespace_, size_t namespace_len, const char *label, size_t label_len)
{
	uint64_t hash = hash_on(14695981039346656037u, namespace_, namespace_len);
	return hash_on(hash_on(hash, "/", 1), label, label_len);
}

static int add_place(LabelIndex *index, uint64_t hash, size_t at)
{
	LabelPlace *place = mem_room(index->place, index->n, &index->size, sizeof *place);
	if (!place)
		return ERR_NOMEM;
	index->place = place;
	index->place[index->n++] = (LabelPlace) { hash, at };
	return 0;
}

int label_index_add(LabelIndex *index, const char *namespace_, size_t namespace_len, const char *labels, size_t at)
{
	int code = 0;
	for (const char *label = labels; *label && !code; label = strchr(label, '\n') + 1)
		code = add_place(index, hash_of(namespace_, namespace_len, label, strcspn(label, "\n")), at);
	return code;
}

static int compare_places(const void *a, const void *b)
{
	const LabelPlace *x = a, *y = b;
	return x->hash != y->hash ? (x->hash < y->hash ? -1 : 1) : x->at < y->at ? -1 : x->at > y->at;
}

void label_index_sort(LabelIndex *index)
{
	if (index->n)
		qsort(index->place, index->n, sizeof *index->place, compare_places);
}

/* The first place whose hash is not below. */
static size_t lower_bound(const LabelIndex *index, uint64_t hash)
{
	size_t lo = 0, hi = index->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (index->place[mid].hash < hash)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* "k=v", and not "k in (a)" or "!k". */
static bool is_equality(const char *term, size_t len)
{
	size_t key_len = strcspn(term, "=, (");
	return *term != '!' && key_len > 0 && key_len < len && term[key_len] == '=';
}

bool label_index_find(const LabelIndex *index, const char *namespace_, const char *selector, const LabelPlace **ret, size_t *ret_n)
{
	bool is_found = false;
	for (const char *at = selector; *at;) {
		size_t len = term_length(at);
		if (is_equality(at, len)) {
			uint64_t hash = hash_of(namespace_, strlen(namespace_), at, len);
			size_t first = lower_bound(index, hash), n = 0;
			while (first + n < index->n && index->place[first + n].hash == hash && (!is_found || n < *ret_n))
				n++;
			if (!is_found || n < *ret_n) {
				*ret = n ? index->place + first : NULL;
				*ret_n = n;
			}
			is_found = true;
		}
		at += len + (at[len] == ',');
	}
	return is_found;
}
