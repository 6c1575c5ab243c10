/*
 * See prom_preset.h. A text is laid over its preset, key by key, and that over its own; then `words` are put into the queries, so a
 * word that a user sets reaches the queries of the preset.
 */
#include "cluster/prom_preset.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/yaml.h"
#include "presets.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 256 << 10, DEPTH_MAX = 4, WORDS_MAX = 32, QUERY_MAX = 8192 };

static const char *const VALUES[PROM_VALUES] = { "cpu", "memory", "p95", "rps" };

typedef struct Layers { /* the text and the presets under it, the topmost first */
	Json *layer[DEPTH_MAX];
	size_t n;
	const char *name;
} Layers;

static const char *preset_text(const char *name)
{
	for (size_t i = 0; i < sizeof PRESETS / sizeof *PRESETS; i++)
		if (!strcmp(PRESETS[i].name, name))
			return PRESETS[i].text;
	return NULL;
}

static int no_preset(const char *name, const char *word, Error *err)
{
	StrBuf names = { 0 };
	for (size_t i = 0; i < sizeof PRESETS / sizeof *PRESETS; i++)
		strbuf_addf(&names, "%s%s", i ? ", " : "", PRESETS[i].name);
	int code = error_set(err, ERR_USAGE, "%s: no preset or file \"%.60s\"; presets are %s", name, word,
	                     names.failed ? "?" : names.data);
	strbuf_done(&names);
	return code;
}

/* ---- layers ---- */

static int check_keys(const Layers *layers, const Json *root, Error *err)
{
	static const char *const keys[] = { "preset", "words", "scraped", "cpu", "memory", "p95", "rps" };
	static const char *const inner[] = { "query", "newest", "unit" };
	for (const Json *key = json_first(root); key; key = json_next(key)) {
		size_t k = 0;
		while (k < sizeof keys / sizeof *keys && strcmp(keys[k], json_key(key)))
			k++;
		if (k == sizeof keys / sizeof *keys)
			return error_set(err, ERR_INVALID, "%s: unknown key \"%.40s\"", layers->name, json_key(key));
		bool is_text = k == 0 || k == 2;
		if (is_text ? !json_string(key) : !json_is_object(key))
			return error_set(err, ERR_INVALID, "%s: %s is not %s", layers->name, keys[k], is_text ? "a text" : "a mapping");
		for (const Json *item = k > 2 ? json_first(key) : NULL; item; item = json_next(item)) {
			size_t i = 0;
			while (i < sizeof inner / sizeof *inner && strcmp(inner[i], json_key(item)))
				i++;
			if (i == sizeof inner / sizeof *inner || (i == 2 && k != 5))
				return error_set(err, ERR_INVALID, "%s: %s: unknown key \"%.40s\"", layers->name, keys[k], json_key(item));
		}
	}
	return 0;
}

static int add_layers(Layers *layers, const char *text, Error *err)
{
	while (text) {
		Json *root = NULL;
		Error why = { 0 };
		if (layers->n == DEPTH_MAX)
			return error_set(err, ERR_INVALID, "%s: more than %d presets under one another", layers->name, DEPTH_MAX);
		int code = yaml_parse(text, strlen(text), &root, &why);
		if (code)
			return error_set(err, code, "%s: %s", layers->name, why.text);
		layers->layer[layers->n++] = root;
		if (!json_is_object(root))
			return error_set(err, ERR_INVALID, "%s: not a mapping", layers->name);
		code = check_keys(layers, root, err);
		if (code)
			return code;
		const char *below = json_string_or(root, "preset", NULL);
		text = below ? preset_text(below) : NULL;
		if (below && !text)
			return no_preset(layers->name, below, err);
	}
	return 0;
}

static const char *find(const Layers *layers, const char *path)
{
	for (size_t i = 0; i < layers->n; i++) {
		const char *text = json_string(json_get(layers->layer[i], path));
		if (text)
			return text;
	}
	return NULL;
}

/* ---- words ---- */

static bool is_filled_later(const char *word, size_t len)
{
	static const char *const known[] = { "NS", "NAME", "POD", "RATE", "LATENCY" };
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strlen(known[i]) == len && !strncmp(known[i], word, len))
			return true;
	return false;
}

/* Puts words into text until only those are left that the target fills in. */
static int expand(const Layers *layers, const char *what, const char *text, int depth, StrBuf *to, Error *err)
{
	for (const char *dollar; (dollar = strchr(text, '$'));) {
		size_t len = strspn(dollar + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
		strbuf_add(to, text, (size_t) (dollar - text));
		text = dollar + 1 + len;
		if (is_filled_later(dollar + 1, len)) {
			strbuf_add(to, dollar, len + 1);
			continue;
		}
		char path[64];
		(void) snprintf(path, sizeof path, "words.%.*s", (int) len, dollar + 1);
		const char *word = len > 0 ? find(layers, path) : NULL;
		if (!word || depth == DEPTH_MAX || to->len > QUERY_MAX)
			return error_set(err, ERR_INVALID, "%s: %s: $%.*s %s", layers->name, what, (int) len, dollar + 1,
			                 word ? "goes round in circles" : "is not among `words`");
		int code = expand(layers, what, word, depth + 1, to, err);
		if (code)
			return code;
	}
	strbuf_addf(to, "%s", text);
	return 0;
}

static int read_text(const Layers *layers, const char *path, char **ret, Error *err)
{
	const char *text = find(layers, path);
	StrBuf buf = { 0 };
	if (!text)
		return error_set(err, ERR_INVALID, "%s: %s is missing; begin with `preset: istio` to keep the others' queries",
		                 layers->name, path);
	int code = expand(layers, path, text, 0, &buf, err);
	if (!code && buf.failed)
		code = error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	if (code)
		strbuf_done(&buf);
	else
		*ret = buf.data;
	return code;
}

static int read_all(const Layers *layers, PromQueries *ret, Error *err)
{
	int code = 0;
	for (int v = 0; v < PROM_VALUES && !code; v++) {
		char path[32];
		(void) snprintf(path, sizeof path, "%s.query", VALUES[v]);
		code = read_text(layers, path, &ret->query[v], err);
		(void) snprintf(path, sizeof path, "%s.newest", VALUES[v]);
		if (!code)
			code = read_text(layers, path, &ret->newest[v], err);
	}
	if (!code)
		code = read_text(layers, "scraped", &ret->scraped, err);
	const char *unit = find(layers, "p95.unit");
	if (!code && (!unit || (strcmp(unit, "ms") && strcmp(unit, "s"))))
		code = error_set(err, ERR_INVALID, "%s: p95.unit is ms or s, not \"%.20s\"", layers->name, unit ? unit : "");
	ret->p95_to_ms = unit && !strcmp(unit, "s") ? 1000.0 : 1.0;
	return code;
}

int prom_queries_read(const char *name, const char *text, PromQueries *ret, Error *err)
{
	const char *preset = preset_text(text);
	Layers layers = { .name = name };
	PromQueries queries = { 0 };
	if (!preset && !strpbrk(text, ":{\n"))
		return no_preset(name, text, err);
	int code = add_layers(&layers, preset ? preset : text, err);
	if (!code)
		code = read_all(&layers, &queries, err);
	for (size_t i = 0; i < layers.n; i++)
		json_free(layers.layer[i]);
	if (code)
		prom_queries_done(&queries);
	else
		*ret = queries;
	return code;
}

int prom_queries_open(const char *word, PromQueries *ret, Error *err)
{
	StrBuf text = { 0 };
	if (preset_text(word))
		return prom_queries_read(word, word, ret, err);
	if (!strpbrk(word, "./"))
		return no_preset("--queries", word, err);
	int code = mem_read_file(word, FILE_MAX, &text, err);
	if (!code)
		code = prom_queries_read(word, text.data, ret, err);
	strbuf_done(&text);
	return code;
}

void prom_queries_done(PromQueries *queries)
{
	for (int v = 0; v < PROM_VALUES; v++) {
		free(queries->query[v]);
		free(queries->newest[v]);
	}
	free(queries->scraped);
	*queries = (PromQueries) { 0 };
}
