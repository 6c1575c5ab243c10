/* See suggest_policy.h. The server looks at the target itself; what it cannot know (bounds and limits of our options) goes along. */
#include "cluster/suggest_policy.h"

#include "base/json.h"
#include "cluster/ask_model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ASK_MS = 8000, ANSWER_MAX = 64 << 10 }; /* it asks Prometheus, which has 5 s, and a model, which has 1 s */

typedef struct SuggestPolicy {
	Policy policy;
	SuggestPolicyConfig config;
	Endpoint *server;
	HttpResponse response;
	StrBuf path;
} SuggestPolicy;

static void add_number(StrBuf *path, const char *name, double value)
{
	if (value > 0)
		strbuf_addf(path, "&%s=%g", name, value);
}

/* Which model it was, and whether its inputs are those that it knows. */
static void read_more(SuggestPolicy *suggest)
{
	Json *root = NULL;
	Policy *policy = &suggest->policy;
	const char *sha256 = "", *outside = "";
	double interval_s = 0;
	if (!json_parse(suggest->response.body.data, suggest->response.body.len, &root, NULL)) {
		sha256 = json_string_or(root, "model", "");
		outside = json_string_or(root, "outside", "");
		(void) json_number(json_get(root, "interval_s"), &interval_s);
	}
	policy->interval_s = interval_s >= 1 && interval_s <= 3600 ? (float) interval_s : 0;
	str_copy(policy->sha256, sizeof policy->sha256, strspn(sha256, "0123456789abcdef") == 64 ? sha256 : "");
	str_copy(policy->outside, sizeof policy->outside, outside);
	json_free(root);
}

static int ask(SuggestPolicy *suggest, const Target *target, int32_t replicas, Decision *ret, Error *err)
{
	StrBuf *path = &suggest->path;
	strbuf_clear(path);
	strbuf_addf(path, "/suggestion?deployment=");
	http_escape(path, target->name);
	strbuf_addf(path, "&namespace=");
	http_escape(path, target->namespace_);
	add_number(path, "min", target->min_replicas);
	add_number(path, "max", target->max_replicas);
	add_number(path, "soft", (double) target->latency_soft_ms);
	add_number(path, "hard", (double) target->latency_hard_ms);
	add_number(path, "price", (double) target->pod_price);
	if (path->failed)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	const HttpRequest request = { .method = "GET", .timeout_ms = ASK_MS, .max_body = ANSWER_MAX };
	Error cause = { 0 };
	int code = endpoint_request(suggest->server, path->data, request, &suggest->response, &cause);
	if (code)
		return error_set(err, code, "suggestion server: %s", cause.text);
	code = remote_action_read(&suggest->response, "suggestion server", ACTIONS_THREE, replicas, ret, err);
	if (!code)
		read_more(suggest);
	return code;
}

/* One at a time: with many, the loop asks again for each, so that one target's failure is not the others'. */
static int decide(Policy *policy, const Observation *obs, size_t n, Decision *ret_decision)
{
	static const Reason reasons[ACTION_COUNT] = { REASON_POLICY_DOWN, REASON_POLICY_KEEP, REASON_POLICY_UP };
	SuggestPolicy *suggest = (SuggestPolicy *) policy;
	Clock *clock = suggest->config.clock;
	const Sample *sample = obs->sample;
	Decision decision = *ret_decision;
	Error err = { 0 };
	if (n != 1)
		return ERR_BUSY;
	if (!sample || !(sample->valid & SAMPLE_REPLICAS))
		return ERR_NO_DATA;
	int64_t start_ms = clock ? clock_mono_ms(clock) : 0;
	int code = ask(suggest, obs->target, sample->replicas, &decision, &err);
	telemetry_query(suggest->config.telemetry, BACKEND_SUGGESTION, code, clock ? (clock_mono_ms(clock) - start_ms) * 1000 : 0);
	str_copy(policy->trouble, sizeof policy->trouble, err.text);
	if (code)
		policy->outside[0] = '\0';
	if (code)
		return code;
	decision.n_actions = ACTION_COUNT; /* steps, whether it gave probabilities or not */
	decision.value = NAN;
	decision.reason = reasons[decision.action];
	*ret_decision = decision;
	return 0;
}

static void suggest_free(Policy *policy)
{
	SuggestPolicy *suggest = (SuggestPolicy *) policy;
	endpoint_close(suggest->server);
	http_response_done(&suggest->response);
	strbuf_done(&suggest->path);
	free(suggest);
}

int suggest_policy_new(const SuggestPolicyConfig *config, Policy **ret_policy, Error *err)
{
	static const PolicyOps ops = { .name = "suggestion", .decide = decide, .free = suggest_free };
	SuggestPolicy *suggest = calloc(1, sizeof *suggest);
	if (!suggest)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	suggest->policy.ops = &ops;
	suggest->config = *config;
	str_copy(suggest->policy.label, sizeof suggest->policy.label, "suggestion");
	int code = endpoint_open(&config->server, &suggest->server, err);
	if (code)
		suggest_free(&suggest->policy);
	else
		*ret_policy = &suggest->policy;
	return code;
}
