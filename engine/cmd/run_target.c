/* See run_target.h. */
#include "cmd/run_target.h"
#include "cmd/config_file.h"

#include "base/mem.h"
#include "base/yaml.h"
#include "cluster/kube_list.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void run_options_default(RunOptions *options)
{
	*options = (RunOptions) {
		.policy = NULL, .rails = "all", .actuate = "scale", .latency_soft_ms = -1, .latency_hard_ms = -1,
		.scale_down_window_s = -1, .manual_ttl_s = 600, .takes_lease = true, .adds_only_s = 86400, .fallback_after = 3, .changes_per_hour = 60,
	};
	const char *interval = getenv("POLL_INTERVAL_SECONDS"), *deployment = getenv("TARGET_DEPLOYMENT");
	if (interval)
		(void) opts_duration(interval, &options->interval_s);
	if (deployment && *deployment) {
		options->deployment.item[0] = deployment;
		options->deployment.n = 1;
	}
	options->prom.url = getenv("PROMETHEUS_URL");
	options->namespace_ = getenv("TARGET_NAMESPACE");
}

const char *origin_text(Origin origin)
{
	static const char *const words[ORIGIN_COUNT] = { "default", "model", "annotation", "targets:", "option" };
	return origin >= 0 && origin < ORIGIN_COUNT ? words[origin] : "?";
}

/* ---- the list ---- */

static GivenTarget *find(const TargetList *list, const char *namespace_, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (!strcmp(list->target[i].namespace_, namespace_) && !strcmp(list->target[i].name, name))
			return &list->target[i];
	return NULL;
}

static int add(TargetList *list, const GivenTarget *target)
{
	GivenTarget *longer = realloc(list->target, (list->n + 1) * sizeof *longer);
	if (!longer)
		return ERR_NOMEM;
	list->target = longer;
	longer[list->n++] = *target;
	return 0;
}

void target_list_done(TargetList *list)
{
	free(list->target);
	*list = (TargetList) { 0 };
}

/* "NS/NAME", or "NAME" in namespace_. */
static int read_name(const char *given, const char *namespace_, GivenTarget *ret, Error *err)
{
	const char *slash = strchr(given, '/'), *name = slash ? slash + 1 : given;
	size_t ns_len = slash ? (size_t) (slash - given) : strlen(namespace_);
	if (!ns_len || ns_len >= NAMESPACE_MAX || !*name || strchr(name, '/') || strlen(name) >= NAME_MAX_K8S)
		return error_set(err, ERR_USAGE, "\"%.80s\" is not a target; write NAMESPACE/NAME", given);
	(void) snprintf(ret->namespace_, sizeof ret->namespace_, "%.*s", (int) ns_len, slash ? given : namespace_);
	str_copy(ret->name, sizeof ret->name, name);
	return 0;
}

/* ---- targets: of a file ---- */

typedef struct Reader {
	const char *path, *text;
	size_t len;
	size_t item; /* 1, 2, ... */
	Error *err;
} Reader;

/* The line of a key in the item-th entry of targets:, or of the entry. A list's items are not among yaml_line_of's paths. */
static size_t line_of(const Reader *reader, const char *key)
{
	size_t line = yaml_line_of(reader->text, reader->len, "targets"), seen = 0, at_line = 0;
	size_t key_len = strlen(key);
	bool is_inside = false;
	for (const char *at = reader->text; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
		const char *word = at + strspn(at, " ");
		if (++at_line <= line)
			continue;
		if (*word == '-' && ++seen == reader->item) {
			is_inside = true;
			line = at_line;
		} else if (*word == '-' && seen > reader->item) {
			break;
		}
		word += strspn(word, "- ");
		if (is_inside && !strncmp(word, key, key_len) && word[key_len] == ':')
			return at_line;
	}
	return line;
}

static int bad(const Reader *reader, const char *key, const char *what)
{
	return error_set(reader->err, ERR_INVALID, "%s:%zu: targets: %s: %s", reader->path, line_of(reader, key), key, what);
}

static int take_count(const Reader *reader, const Json *value, const char *key, int32_t *ret)
{
	int64_t n;
	if (!json_int(value, &n) || n < 1 || n > 10000)
		return bad(reader, key, "a count of 1 to 10000 is wanted");
	*ret = (int32_t) n;
	return 0;
}

static int take_limits(const Reader *reader, const Json *value, GivenTarget *target)
{
	for (const Json *limit = json_first(value); limit; limit = json_next(limit)) {
		double ms;
		const char *key = json_key(limit);
		double *to = !strcmp(key, "soft") ? &target->latency_soft_ms : !strcmp(key, "hard") ? &target->latency_hard_ms : NULL;
		if (!to)
			return bad(reader, "limits", "only soft and hard are known");
		if (!json_number(limit, &ms) || !(ms > 0 && ms <= 1e7))
			return bad(reader, key, "milliseconds are wanted");
		*to = ms;
	}
	return 0;
}

static int take_interval(const Reader *reader, const Json *value, GivenTarget *target)
{
	double seconds = 0;
	bool ok = json_string(value) ? opts_duration(json_string(value), &seconds) : json_number(value, &seconds);
	if (!ok || !(seconds >= 1 && seconds <= 3600))
		return bad(reader, "interval", "1s to 60m is wanted");
	target->interval_s = seconds;
	return 0;
}

static int take_text(const Reader *reader, const char *text, const char *key, const char *want, char *to, size_t size)
{
	if (!text || !*text || strlen(text) >= size)
		return bad(reader, key, want);
	str_copy(to, size, text);
	return 0;
}

static int take_key(const Reader *reader, const Json *value, const char *namespace_, GivenTarget *target)
{
	const char *key = json_key(value), *text = json_string(value);
	if (!strcmp(key, "target"))
		return !text ? bad(reader, key, "a name is wanted") : read_name(text, namespace_, target, reader->err) ?
		       bad(reader, key, "NAMESPACE/NAME is wanted") : 0;
	if (!strcmp(key, "min"))
		return take_count(reader, value, key, &target->min_replicas);
	if (!strcmp(key, "max"))
		return take_count(reader, value, key, &target->max_replicas);
	if (!strcmp(key, "interval"))
		return take_interval(reader, value, target);
	if (!strcmp(key, "limits"))
		return take_limits(reader, value, target);
	if (!strcmp(key, "policy"))
		return take_text(reader, text, key, "a policy's word is wanted", target->policy, sizeof target->policy);
	if (!strcmp(key, "queries"))
		return take_text(reader, text, key, "a preset or a file is wanted", target->queries, sizeof target->queries);
	return bad(reader, key, "not known; there are target, min, max, interval, limits, policy and queries");
}

static int take_targets(Reader *reader, const Json *list, const char *namespace_, TargetList *ret)
{
	int code = 0;
	if (list && !json_is_array(list))
		return error_set(reader->err, ERR_INVALID, "%s:%zu: targets: a list is wanted", reader->path,
		                 yaml_line_of(reader->text, reader->len, "targets"));
	for (const Json *item = json_first(list); item && !code; item = json_next(item)) {
		GivenTarget target = { 0 };
		reader->item++;
		for (const Json *value = json_first(item); value && !code; value = json_next(value))
			code = *json_key(value) ? take_key(reader, value, namespace_, &target) : bad(reader, "target", "a mapping is wanted");
		if (!code && !target.name[0])
			code = bad(reader, "target", "is missing");
		if (!code && target.max_replicas && target.min_replicas > target.max_replicas)
			code = bad(reader, "min", "is over max");
		if (!code && find(ret, target.namespace_, target.name))
			code = bad(reader, "target", "is there twice");
		if (!code && add(ret, &target))
			code = error_set(reader->err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	}
	return code;
}

/* The file of --config, or the user's own where there is one. */
static int read_config(const RunOptions *options, const char *namespace_, TargetList *ret, Error *err)
{
	char room[4096];
	const char *path = config_path(options->config, room, sizeof room);
	if (!path)
		return 0;
	StrBuf text = { 0 };
	Json *root = NULL;
	int code = config_read(path, &text, &root, err);
	Reader reader = { .path = path, .text = text.data, .len = text.len, .err = err };
	if (!code)
		code = take_targets(&reader, json_get(root, "targets"), namespace_, ret);
	json_free(root);
	strbuf_done(&text);
	return code;
}

int target_list_read(const RunOptions *options, const char *namespace_, TargetList *ret_list, Error *err)
{
	TargetList configured = { 0 }, list = { 0 };
	int code = read_config(options, namespace_, &configured, err);
	for (size_t i = 0; i < options->deployment.n && !code; i++) {
		GivenTarget target = { 0 };
		code = read_name(options->deployment.item[i], namespace_, &target, err);
		const GivenTarget *entry = code ? NULL : find(&configured, target.namespace_, target.name);
		if (!code && !find(&list, target.namespace_, target.name) && add(&list, entry ? entry : &target))
			code = error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	}
	if (!code && !options->deployment.n && !options->selector) {
		list = configured;
		configured = (TargetList) { 0 };
	}
	target_list_done(&configured);
	if (code)
		target_list_done(&list);
	else
		*ret_list = list;
	return code;
}

typedef struct Found { /* Deployments that a selector picks, on their way into a list */
	TargetList *list;
	const char *namespace_;
} Found;

static int take_found(void *arg, const char *name)
{
	const Found *found = arg;
	GivenTarget target = { 0 };
	if (find(found->list, found->namespace_, name))
		return 0;
	str_copy(target.namespace_, sizeof target.namespace_, found->namespace_);
	str_copy(target.name, sizeof target.name, name);
	return add(found->list, &target);
}

int target_list_find(KubeClient *kube, const RunOptions *options, const char *namespace_, TargetList *ret_list, Error *err)
{
	TargetList list = { 0 };
	Found found = { &list, options->namespace_ ? options->namespace_ : namespace_ };
	int code = target_list_read(options, found.namespace_, &list, err);
	if (!code && options->selector)
		code = kube_deployments_list(kube, found.namespace_, options->selector, take_found, &found, err);
	if (code)
		target_list_done(&list);
	else
		*ret_list = list;
	return code;
}

/* ---- precedence ---- */

typedef struct Choice {
	double value;
	Origin origin;
} Choice;

/* The first that is there: a number above 0. */
static double choose(const Choice *choice, size_t n, Origin *ret_origin)
{
	for (size_t i = 0; i < n; i++)
		if (choice[i].value > 0) {
			*ret_origin = choice[i].origin;
			return choice[i].value;
		}
	*ret_origin = ORIGIN_DEFAULT;
	return 0;
}

#define CHOOSE(origin, ...) choose((const Choice[]) { __VA_ARGS__ }, sizeof (const Choice[]) { __VA_ARGS__ } / sizeof(Choice), origin)

int target_settle(const RunOptions *o, const GivenTarget *given, const TargetFacts *facts, const ModelInfo *info,
                  TargetSettings *ret, Error *err)
{
	static const TargetFacts nothing = { 0 };
	const TargetFacts *f = facts ? facts : &nothing;
	TargetSettings s = { 0 };
	Target *target = &s.target;
	double own_interval = info && info->steps >= 0 ? (double) info->interval_s : 0;
	str_copy(target->namespace_, sizeof target->namespace_, given->namespace_);
	str_copy(target->name, sizeof target->name, given->name);
	target->pod_price = (float) o->pod_price;
	target->min_replicas = (int32_t) CHOOSE(&s.min, { o->min_replicas, ORIGIN_OPTION }, { given->min_replicas, ORIGIN_CONFIG },
	                                        { f->min_replicas, ORIGIN_ANNOTATION }, { 1, ORIGIN_DEFAULT });
	target->max_replicas = (int32_t) CHOOSE(&s.max, { o->max_replicas, ORIGIN_OPTION }, { given->max_replicas, ORIGIN_CONFIG },
	                                        { f->max_replicas, ORIGIN_ANNOTATION });
	target->latency_soft_ms = (float) CHOOSE(&s.soft, { given->latency_soft_ms, ORIGIN_CONFIG },
	                                         { f->latency_soft_ms, ORIGIN_ANNOTATION }, { o->latency_soft_ms, ORIGIN_OPTION });
	target->latency_hard_ms = (float) CHOOSE(&s.hard, { given->latency_hard_ms, ORIGIN_CONFIG },
	                                         { f->latency_hard_ms, ORIGIN_ANNOTATION }, { o->latency_hard_ms, ORIGIN_OPTION });
	s.interval_s = CHOOSE(&s.interval, { o->interval_s, ORIGIN_OPTION }, { given->interval_s, ORIGIN_CONFIG },
	                      { f->interval_s, ORIGIN_ANNOTATION }, { own_interval, ORIGIN_MODEL }, { 15, ORIGIN_DEFAULT });
	s.policy_from = o->policy ? ORIGIN_OPTION : given->policy[0] ? ORIGIN_CONFIG : f->policy[0] ? ORIGIN_ANNOTATION : ORIGIN_DEFAULT;
	s.policy = o->policy ? o->policy : given->policy[0] ? given->policy : f->policy[0] ? f->policy : MODEL_DEFAULT;
	s.queries_from = given->queries[0] ? ORIGIN_CONFIG : f->has_queries ? ORIGIN_ANNOTATION : o->prom.queries ? ORIGIN_OPTION : ORIGIN_DEFAULT;
	s.queries = given->queries[0] ? given->queries : f->has_queries ? "annotated" : o->prom.queries ? o->prom.queries : "istio";
	if (target->latency_soft_ms <= 0)
		target->latency_soft_ms = -1;
	if (target->latency_hard_ms <= 0)
		target->latency_hard_ms = -1;
	*ret = s;
	if (target->max_replicas && target->min_replicas > target->max_replicas)
		return error_set(err, ERR_INVALID, "%s/%s: min %d (%s) is over max %d (%s)", target->namespace_, target->name,
		                 target->min_replicas, origin_text(s.min), target->max_replicas, origin_text(s.max));
	return 0;
}
