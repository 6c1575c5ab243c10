/* See policies.h. */
#include "cmd/policies.h"

#include "base/mem.h"
#include "control/gate.h"
#include "decide/hpa.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* rest: what follows the kind's word, with its colon; "" where nothing does. */
static int open_hpa(const char *rest, const char *word, Policy **ret_policy, ModelInfo *ret_info, Error *err)
{
	(void) ret_info;
	HpaConfig config;
	hpa_config_default(&config);
	if (*rest) {
		char *end = NULL;
		long target = strncmp(rest, ":cpu=", 5) ? 0 : strtol(rest + 5, &end, 10);
		if (target < 1 || target > 1000 || *end)
			return error_set(err, ERR_USAGE, "policy \"%.60s\": write hpa:cpu=N, N being 1..1000 percent of the request", word);
		config.cpu_target_pct = (int32_t) target;
	}
	int code = hpa_policy_new(&config, ret_policy);
	if (code)
		return error_set(err, code, "policy %s: %s", word, err_text(code));
	str_copy((*ret_policy)->label, sizeof (*ret_policy)->label, word); /* as the person wrote it */
	return 0;
}

static int open_model(const char *path, Policy **ret_policy, ModelInfo *ret_info, Error *err)
{
	Net *net = NULL;
	ModelInfo info;
	int code = model_load(path, &net, &info, err);
	if (code) /* a file that is not there is a bad model too */
		return code == ERR_IO ? ERR_BAD_MODEL : code;
	const char *slash = strrchr(path, '/');
	code = model_policy_new(net, &info, slash ? slash + 1 : path, ret_policy);
	if (code)
		return error_set(err, code, "%s", err_text(code));
	model_sha256(path, (*ret_policy)->sha256);
	*ret_info = info;
	return 0;
}

static int open_model_word(const char *rest, const char *word, Policy **ret_policy, ModelInfo *ret_info, Error *err)
{
	if (*rest != ':')
		return error_set(err, ERR_USAGE, "policy \"%.80s\": write model:FILE", word);
	return open_model(rest + 1, ret_policy, ret_info, err);
}

/* Those that can act; what they are compared with besides is control/family.c's. */
static const struct {
	const char *word, *form;
	int (*open)(const char *rest, const char *word, Policy **ret_policy, ModelInfo *ret_info, Error *err);
} KINDS[] = { { "hpa", "hpa, hpa:cpu=N", open_hpa }, { "model", "model:FILE", open_model_word } };
enum { N_KINDS = sizeof KINDS / sizeof *KINDS };

int policy_open(const char *word, Policy **ret_policy, ModelInfo *ret_info, Error *err)
{
	char forms[160] = MODEL_DEFAULT;
	size_t len = strcspn(word, ":");
	*ret_info = (ModelInfo) { .steps = -1 };
	for (size_t i = 0; i < N_KINDS; i++) {
		if (strlen(KINDS[i].word) == len && !strncmp(KINDS[i].word, word, len))
			return KINDS[i].open(word + len, word, ret_policy, ret_info, err);
		size_t at = strlen(forms);
		(void) snprintf(forms + at, sizeof forms - at, "%s%s", i + 1 < N_KINDS ? ", " : " or ", KINDS[i].form);
	}
	if (!strcmp(word, MODEL_DEFAULT) || !access(word, F_OK))
		return open_model(word, ret_policy, ret_info, err);
	return error_set(err, ERR_USAGE, "policy \"%.80s\" is not known and no such file; write %s", word, forms);
}

static int open_rule_of(const Gate *gate, Policy **ret_policy, Error *err)
{
	HpaConfig config;
	hpa_config_default(&config);
	config.cpu_target_pct = gate->hpa_cpu_pct;
	config.downscale_window_ms = (int64_t) (1e3 * gate->hpa_down_window_s);
	int code = hpa_policy_new(&config, ret_policy);
	return code ? error_set(err, code, "%s", err_text(code)) : 0;
}

int policy_gate(const ModelInfo *info, const char *word, Policy *model, Policy **ret_rule, char *said, size_t size, Error *err)
{
	Gate gate;
	int code = gate_read(info, &gate, err);
	*ret_rule = NULL;
	said[0] = '\0';
	if (code)
		return code;
	if (gate.verdict == GATE_MODEL && gate.pod_price > 0)
		model->pod_price = gate.pod_price; /* at which it was found good */
	if (gate.verdict == GATE_MODEL)
		return 0;
	if (gate.verdict == GATE_MISSING)
		return error_set(err, ERR_REFUSED, "%s %s; evaluate it with --stamp, watch it with --dry-run, or act with --force", word, gate.text);
	(void) snprintf(said, size, "%s takes %s: the HPA rule acts in its place, at cpu %d %% with a down window of %g s; --force has the model act",
	                word, gate.text, gate.hpa_cpu_pct, gate.hpa_down_window_s);
	return open_rule_of(&gate, ret_rule, err);
}
