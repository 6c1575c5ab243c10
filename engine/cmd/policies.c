/* See policies.h. */
#include "cmd/policies.h"

#include "base/mem.h"
#include "decide/hpa.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_hpa(const char *rest, const char *word, Policy **ret_policy, Error *err)
{
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
	*ret_info = info;
	return 0;
}

int policy_open(const char *word, Policy **ret_policy, ModelInfo *ret_info, Error *err)
{
	*ret_info = (ModelInfo) { .steps = -1 };
	if (!strncmp(word, "model:", 6))
		return open_model(word + 6, ret_policy, ret_info, err);
	if (!strcmp(word, "hpa") || !strncmp(word, "hpa:", 4))
		return open_hpa(word + 3, word, ret_policy, err);
	if (!strcmp(word, MODEL_DEFAULT) || !access(word, F_OK))
		return open_model(word, ret_policy, ret_info, err);
	return error_set(err, ERR_USAGE, "policy \"%.80s\" is not known and no such file; write default, hpa, hpa:cpu=N or model:FILE", word);
}

int policy_gate(const ModelInfo *info, const char *word, Error *err)
{
	(void) info; /* no header holds an evaluation yet */
	return error_set(err, ERR_REFUSED, "%s carries no evaluation against the HPA; watch it with --dry-run, or act with --force", word);
}
