/* See yaml.h: libyaml's document tree, walked once. */
#include "base/yaml.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { DEPTH_MAX = 64, NODES_MAX = 100000, BYTES_MAX = 16 << 20 };

typedef struct Walk {
	yaml_document_t *document;
	int nodes;    /* made so far: aliases count each time */
	size_t bytes; /* of their text */
	Error *err;
} Walk;

static int convert(Walk *walk, int id, int depth, Json *to, const char *key);

static bool is_any(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(text, *words))
			return true;
	return false;
}

static bool is_number(const char *text, double *ret)
{
	/* strtod also takes hexadecimal, "nan" and "inf", which are strings here */
	if (!*text || text[strspn(text, "+-.0123456789eE")] || !strpbrk(text, "0123456789"))
		return false;
	char *end;
	errno = 0;
	double value = strtod(text, &end);
	if (*end || errno || !isfinite(value))
		return false;
	*ret = value;
	return true;
}

static void add_scalar(const yaml_node_t *node, Json *to, const char *key)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
	static const char *const trues[] = { "true", "True", "TRUE", NULL };
	static const char *const falses[] = { "false", "False", "FALSE", NULL };
	const char *text = (const char *) node->data.scalar.value;
	bool is_plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	double number;
	if (is_plain && is_any(text, nulls))
		json_add_null(to, key);
	else if (is_plain && (is_any(text, trues) || is_any(text, falses)))
		json_add_bool(to, key, is_any(text, trues));
	else if (is_plain && is_number(text, &number))
		json_add_number(to, key, number);
	else
		json_add_string(to, key, text);
}

static int add_mapping(Walk *walk, const yaml_node_t *node, int depth, Json *to, const char *key)
{
	Json *object = json_add_object(to, key);
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *name = yaml_document_get_node(walk->document, pair->key);
		if (!name || name->type != YAML_SCALAR_NODE)
			return error_set(walk->err, ERR_INVALID, "line %zu: a key that is not a word",
			                 name ? name->start_mark.line + 1 : 0);
		int code = convert(walk, pair->value, depth + 1, object, (const char *) name->data.scalar.value);
		if (code)
			return code;
	}
	return 0;
}

static int add_sequence(Walk *walk, const yaml_node_t *node, int depth, Json *to, const char *key)
{
	Json *array = json_add_array(to, key);
	for (const yaml_node_item_t *item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++) {
		int code = convert(walk, *item, depth + 1, array, NULL);
		if (code)
			return code;
	}
	return 0;
}

static int convert(Walk *walk, int id, int depth, Json *to, const char *key)
{
	const yaml_node_t *node = yaml_document_get_node(walk->document, id);
	if (!node || depth > DEPTH_MAX || ++walk->nodes > NODES_MAX)
		return error_set(walk->err, ERR_INVALID, "too deep or too large (at most %d levels, %d values)", DEPTH_MAX,
		                 NODES_MAX);
	switch (node->type) {
	case YAML_MAPPING_NODE:
		return add_mapping(walk, node, depth, to, key);
	case YAML_SEQUENCE_NODE:
		return add_sequence(walk, node, depth, to, key);
	default:
		walk->bytes += node->type == YAML_SCALAR_NODE ? node->data.scalar.length : 0; /* an alias copies what it names */
		if (walk->bytes > BYTES_MAX)
			return error_set(walk->err, ERR_INVALID, "too large: its aliases make more than %d MiB of text", BYTES_MAX >> 20);
		add_scalar(node, to, key);
		return 0;
	}
}

int yaml_parse(const char *text, size_t len, Json **ret_root, Error *err)
{
	yaml_parser_t parser;
	yaml_document_t document;
	if (!yaml_parser_initialize(&parser))
		return error_set(err, ERR_NOMEM, "out of memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *) text, len);
	if (!yaml_parser_load(&parser, &document)) {
		int code = parser.error == YAML_MEMORY_ERROR
			? error_set(err, ERR_NOMEM, "out of memory")
			: error_set(err, ERR_PARSE, "line %zu: %s", parser.problem_mark.line + 1,
			            parser.problem ? parser.problem : "not YAML");
		yaml_parser_delete(&parser);
		return code;
	}
	/* the tree's root is found as the only item of an array, so that every value has a parent to be added to */
	Json *root = json_new_array();
	Walk walk = { .document = &document, .err = err };
	int code = root ? 0 : error_set(err, ERR_NOMEM, "out of memory");
	if (!code && yaml_document_get_root_node(&document))
		code = convert(&walk, 1, 0, root, NULL);
	else if (!code)
		json_add_null(root, NULL);
	yaml_document_delete(&document);
	yaml_parser_delete(&parser);
	Json *first = code ? NULL : json_detach_first(root);
	json_free(root);
	if (!code && !first)
		code = error_set(err, ERR_NOMEM, "out of memory");
	if (!code)
		*ret_root = first;
	return code;
}

/* The last value under a key of a mapping, and the key's line. */
static const yaml_node_t *find_key(yaml_document_t *document, const yaml_node_t *node, const char *key, size_t len,
                                   size_t *ret_line)
{
	const yaml_node_t *found = NULL;
	if (!node || node->type != YAML_MAPPING_NODE)
		return NULL;
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *name = yaml_document_get_node(document, pair->key);
		if (!name || name->type != YAML_SCALAR_NODE || name->data.scalar.length != len ||
		    memcmp(name->data.scalar.value, key, len) != 0)
			continue;
		found = yaml_document_get_node(document, pair->value);
		*ret_line = name->start_mark.line + 1;
	}
	return found;
}

size_t yaml_line_of(const char *text, size_t len, const char *path)
{
	yaml_parser_t parser;
	yaml_document_t document;
	size_t line = 0;
	if (!yaml_parser_initialize(&parser))
		return 0;
	yaml_parser_set_input_string(&parser, (const unsigned char *) text, len);
	if (yaml_parser_load(&parser, &document)) {
		const yaml_node_t *node = yaml_document_get_root_node(&document);
		for (const char *key = path; key && node;) {
			size_t key_len = strcspn(key, ".");
			line = 0;
			node = find_key(&document, node, key, key_len, &line);
			key = key[key_len] ? key + key_len + 1 : NULL;
		}
		yaml_document_delete(&document);
	}
	yaml_parser_delete(&parser);
	return line;
}
