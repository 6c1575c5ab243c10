/* See family.h. A family is a row of KINDS and the functions that it names. */
#include "control/family.h"

#include "base/mem.h"
#include "control/clairvoyant.h"
#include "decide/fixed.h"
#include "decide/hpa.h"
#include "decide/model_based.h"
#include "rl/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LENGTH(array) ((int32_t) (sizeof(array) / sizeof *(array)))

/* ---- the HPA rule ---- */

enum { GRID_FROM = 15, GRID_TO = 120, GRID_STEP = 5, GRID = (GRID_TO - GRID_FROM) / GRID_STEP + 1 };
static const int32_t DOWN_WINDOWS_S[] = { 0, 60, 300 };

static int read_hpa(Family *family, const char *rest, Error *err)
{
	char *end = NULL;
	if (!*rest)
		return 0;
	long target = strncmp(rest, "cpu=", 4) ? 0 : strtol(rest + 4, &end, 10);
	if (target < 1 || target > 1000 || *end)
		return error_set(err, ERR_USAGE, "policy \"%.60s\": write hpa:cpu=N, N being 1..1000 percent of the request", family->word);
	family->number = (int32_t) target;
	return 0;
}

static int open_hpa(const Family *family, const Arena *arena, int32_t setting, int32_t seed, Policy **ret_policy, Error *err)
{
	(void) arena;
	(void) setting;
	(void) seed;
	HpaConfig config;
	hpa_config_default(&config);
	if (family->number)
		config.cpu_target_pct = family->number;
	int code = hpa_policy_new(&config, ret_policy);
	return code ? error_set(err, code, "policy %s: %s", family->word, err_text(code)) : 0;
}

static int32_t settings_of_grid(const Family *family, const Arena *arena)
{
	(void) family;
	(void) arena;
	return GRID * LENGTH(DOWN_WINDOWS_S);
}

static void describe_grid(const Family *family, const Arena *arena, int32_t setting, char *text, size_t size)
{
	(void) family;
	(void) arena;
	(void) snprintf(text, size, "cpu %d %%, down window %d s", GRID_FROM + setting % GRID * GRID_STEP, DOWN_WINDOWS_S[setting / GRID]);
}

static int open_grid(const Family *family, const Arena *arena, int32_t setting, int32_t seed, Policy **ret_policy, Error *err)
{
	(void) arena;
	(void) seed;
	HpaConfig config;
	hpa_config_default(&config);
	config.cpu_target_pct = GRID_FROM + setting % GRID * GRID_STEP;
	config.downscale_window_ms = 1000 * DOWN_WINDOWS_S[setting / GRID];
	int code = hpa_policy_new(&config, ret_policy);
	return code ? error_set(err, code, "policy %s: %s", family->word, err_text(code)) : 0;
}

/* ---- a fixed number ---- */

static int read_static(Family *family, const char *rest, Error *err)
{
	char *end;
	long n = strtol(rest, &end, 10);
	if (*rest && (n < 1 || n > 10000 || *end))
		return error_set(err, ERR_USAGE, "policy \"%.60s\": write static:N, N being 1..10000 replicas, or static to have it tuned",
		                 family->word);
	family->number = *rest ? (int32_t) n : 0;
	return 0;
}

static int32_t settings_of_static(const Family *family, const Arena *arena)
{
	return family->number ? 1 : arena->sim.max_replicas - arena->sim.min_replicas + 1;
}

static int32_t static_replicas(const Family *family, const Arena *arena, int32_t setting)
{
	return family->number ? family->number : arena->sim.min_replicas + setting;
}

static void describe_static(const Family *family, const Arena *arena, int32_t setting, char *text, size_t size)
{
	(void) snprintf(text, size, "%d replicas", static_replicas(family, arena, setting));
}

static int open_static(const Family *family, const Arena *arena, int32_t setting, int32_t seed, Policy **ret_policy, Error *err)
{
	(void) seed;
	int code = fixed_policy_new(static_replicas(family, arena, setting), ret_policy);
	return code ? error_set(err, code, "policy %s: %s", family->word, err_text(code)) : 0;
}

/* ---- predictive rules ---- */

/* Traffic before the first decision, as a range query would give it: mean rates, at most two weeks of them. */
static const double HISTORY_S = 14 * 86400.0;

static void fill_history(Policy *policy, const SimTarget *sim, int64_t now_ms, double interval_s, double per_request,
                         void (*push)(Policy *policy, int64_t wall_ms, double value))
{
	for (double t = -floor(HISTORY_S / interval_s) * interval_s; t < 0; t += interval_s) {
		double rate = sim_target_rate(sim, t);
		if (rate >= 0) /* NAN: before the trace's beginning */
			push(policy, now_ms + (int64_t) (1e3 * t), per_request * rate);
	}
}

static const double MARGINS[] = { -.3, -.1, .1, .25, .4, .55, .7, .9, 1.15, 1.45, 1.8, 2.3 };
static const double QUANTILES[] = { .5, .8, .95 };
static const double HOLDS_S[] = { 60, 300 };

static int32_t settings_of_model_based(const Family *family, const Arena *arena)
{
	(void) family;
	(void) arena;
	return LENGTH(MARGINS) * LENGTH(QUANTILES) * LENGTH(HOLDS_S);
}

static void model_based_setting(const Arena *arena, int32_t setting, ModelBasedConfig *ret)
{
	model_based_config_default(ret);
	ret->margin = MARGINS[setting % LENGTH(MARGINS)];
	ret->quantile = QUANTILES[setting / LENGTH(MARGINS) % LENGTH(QUANTILES)];
	ret->down_window_s = HOLDS_S[setting / LENGTH(MARGINS) / LENGTH(QUANTILES)];
	ret->startup_s = arena->startup_s;
	ret->interval_s = (double) arena->sim.interval_s;
}

static void describe_model_based(const Family *family, const Arena *arena, int32_t setting, char *text, size_t size)
{
	(void) family;
	ModelBasedConfig config;
	model_based_setting(arena, setting, &config);
	(void) snprintf(text, size, "margin %g, quantile %g, down window %.0f s", config.margin, config.quantile,
	                config.down_window_s);
}

static int open_model_based(const Family *family, const Arena *arena, int32_t setting, int32_t seed, Policy **ret_policy, Error *err)
{
	(void) seed;
	ModelBasedConfig config;
	model_based_setting(arena, setting, &config);
	int code = model_based_policy_new(&config, ret_policy);
	return code ? error_set(err, code, "policy %s: %s", family->word, err_text(code)) : 0;
}

static int begin_model_based(Policy *policy, const SimTarget *sim, const Arena *arena, int64_t now_ms)
{
	fill_history(policy, sim, now_ms, (double) arena->sim.interval_s, 1, model_based_history);
	return 0;
}

static int open_predictive(const Family *family, const Arena *arena, int32_t setting, int32_t seed, Policy **ret_policy, Error *err)
{
	(void) seed;
	int code = predictive_policy_new(GRID_FROM + setting % GRID * GRID_STEP, DOWN_WINDOWS_S[setting / GRID], arena->startup_s,
	                                 (double) arena->sim.interval_s, ret_policy);
	return code ? error_set(err, code, "policy %s: %s", family->word, err_text(code)) : 0;
}

static int begin_predictive(Policy *policy, const SimTarget *sim, const Arena *arena, int64_t now_ms)
{
	const Service *service = &arena->sim.service;
	fill_history(policy, sim, now_ms, (double) arena->sim.interval_s, service->service_mean + service->service_overhead,
	             predictive_history);
	return 0;
}

/* ---- the clairvoyant ---- */

/* The definition is the first margin with the first look-ahead; starts that are longer than the median want a longer one. */
static const double SEER_MARGINS[] = { 0, -.6, -.45, -.3, -.2, -.1, .1, .2, .3, .45, .6, .8, 1, 1.3, 1.6, 2, 2.5 };
static const double LOOK_AHEAD[] = { 1, 2, 5 };

static int32_t settings_of_clairvoyant(const Family *family, const Arena *arena)
{
	(void) family;
	(void) arena;
	return LENGTH(SEER_MARGINS) * LENGTH(LOOK_AHEAD);
}

static double look_ahead_s(const Arena *arena, int32_t setting)
{
	return LOOK_AHEAD[setting / LENGTH(SEER_MARGINS)] * (arena->startup_s + (double) arena->sim.interval_s);
}

static void describe_clairvoyant(const Family *family, const Arena *arena, int32_t setting, char *text, size_t size)
{
	(void) family;
	(void) snprintf(text, size, "margin %g, %.0f s ahead", SEER_MARGINS[setting % LENGTH(SEER_MARGINS)],
	                look_ahead_s(arena, setting));
}

static int open_clairvoyant(const Family *family, const Arena *arena, int32_t setting, int32_t seed, Policy **ret_policy, Error *err)
{
	(void) seed;
	int code = clairvoyant_policy_new(SEER_MARGINS[setting % LENGTH(SEER_MARGINS)], look_ahead_s(arena, setting), (double) arena->sim.interval_s,
	                                  ret_policy);
	return code ? error_set(err, code, "policy %s: %s", family->word, err_text(code)) : 0;
}

static int begin_clairvoyant(Policy *policy, const SimTarget *sim, const Arena *arena, int64_t now_ms)
{
	(void) arena;
	clairvoyant_begin(policy, sim, now_ms);
	return 0;
}

/* ---- trained models ---- */

static int read_model(Family *family, const char *rest, Error *err)
{
	for (const char *at = rest; *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ',')) {
		size_t len = strcspn(at, ",");
		if (!len)
			continue;
		if (family->n_files == FAMILY_FILES || len >= FAMILY_PATH)
			return error_set(err, ERR_USAGE, "policy model: at most %d files of one policy, paths below %d bytes", FAMILY_FILES,
			                 FAMILY_PATH);
		char *file = family->file[family->n_files++];
		memcpy(file, at, len);
		file[len] = '\0';
		Net *net = NULL;
		ModelInfo info;
		int code = model_load(file, &net, &info, err);
		if (code)
			return code == ERR_IO ? ERR_BAD_MODEL : code;
		net_free(net);
		family->interval_s = info.interval_s;
		family->rate_window_s = info.rate_window_s;
		family->latency_window_s = info.latency_window_s;
		family->obs_version = info.obs_version;
	}
	return family->n_files ? 0 : error_set(err, ERR_USAGE, "policy \"%.60s\": write model:FILE", family->word);
}

/* The price of a pod is the knob of a model that takes it: one training gives the whole front (CONTROL F.4). */
static const double PRICES[] = { .05, .075, .11, .16, .23, .33, .48, .7, 1, 1.45, 2.1, 3 };

static bool has_knob(const Family *family, const Arena *arena)
{
	return family->obs_version == OBS_TREND && arena->pod_price <= 0;
}

static int32_t settings_of_model(const Family *family, const Arena *arena)
{
	return has_knob(family, arena) ? LENGTH(PRICES) : 1;
}

static double price_of(const Family *family, const Arena *arena, int32_t setting)
{
	return has_knob(family, arena) ? PRICES[setting] : arena->pod_price;
}

static void describe_model(const Family *family, const Arena *arena, int32_t setting, char *text, size_t size)
{
	if (family->obs_version == OBS_TREND)
		(void) snprintf(text, size, "pod price %g", price_of(family, arena, setting));
}

static void configure_model(const Family *family, const Arena *arena, int32_t setting, SimConfig *config)
{
	if (family->interval_s > 0)
		config->interval_s = family->interval_s;
	if (family->rate_window_s > 0)
		config->service.rate_window = (double) family->rate_window_s;
	if (family->latency_window_s > 0)
		config->latency_window_s = family->latency_window_s;
	config->pod_price = (float) price_of(family, arena, setting);
	config->has_rails = family->obs_version != OBS_SEED; /* the thesis's policies run as they did: within their bounds */
}

/* The shipped model, which is compiled in. */
static int read_default(Family *family, const char *rest, Error *err)
{
	return *rest ? error_set(err, ERR_USAGE, "policy \"%.60s\": write default", family->word) : read_model(family, MODEL_DEFAULT, err);
}

static int open_model(const Family *family, const Arena *arena, int32_t setting, int32_t seed, Policy **ret_policy, Error *err)
{
	(void) arena;
	(void) setting;
	Net *net = NULL;
	ModelInfo info;
	const char *file = family->file[seed % family->n_files];
	int code = model_load(file, &net, &info, err);
	if (code)
		return code;
	code = model_policy_new(net, &info, "model", ret_policy);
	return code ? error_set(err, code, "%s: %s", file, err_text(code)) : 0;
}

/* ---- the table ---- */

static const FamilyKind KINDS[] = {
	{ .word = "hpa", .help = "the HPA rule at 80 % cpu, or at hpa:cpu=N", .read = read_hpa, .open = open_hpa,
	  .can_run = true },
	{ .word = "hpa-calibrated", .help = "the HPA rule, its target and down window tuned", .n_settings = settings_of_grid,
	  .describe = describe_grid, .open = open_grid, .is_reference = true, .can_run = true },
	{ .word = "choice", .help = "of the other policies that `run` can act by, the one that the tuning part speaks for" },
	{ .word = "hpa-predictive", .help = "the HPA rule and a Holt-Winters forecast of cpu, tuned", .n_settings = settings_of_grid,
	  .describe = describe_grid, .open = open_predictive, .begin = begin_predictive },
	{ .word = "model-based", .help = "a queueing model of the service and the best of five forecasts, tuned",
	  .n_settings = settings_of_model_based, .describe = describe_model_based, .open = open_model_based, .begin = begin_model_based },
	{ .word = "static", .help = "a fixed number, tuned, or static:N", .read = read_static, .n_settings = settings_of_static,
	  .describe = describe_static, .open = open_static },
	{ .word = "clairvoyant", .help = "knows the traffic to come: the bound", .n_settings = settings_of_clairvoyant,
	  .describe = describe_clairvoyant, .open = open_clairvoyant, .begin = begin_clairvoyant, .is_bound = true },
	{ .word = "model", .help = "model:FILE, or model:FILE,FILE,... trained under several seeds", .read = read_model,
	  .n_settings = settings_of_model, .describe = describe_model, .configure = configure_model, .open = open_model,
	  .can_run = true },
	{ .word = "default", .help = "the shipped model", .read = read_default,
	  .n_settings = settings_of_model, .describe = describe_model, .configure = configure_model, .open = open_model,
	  .can_run = true },
};

static const FamilyKind *find(const char *word, size_t len)
{
	for (int32_t i = 0; i < LENGTH(KINDS); i++)
		if (strlen(KINDS[i].word) == len && !strncmp(KINDS[i].word, word, len))
			return &KINDS[i];
	return NULL;
}

static int unknown(const char *word, Error *err)
{
	char known[160] = "";
	for (int32_t i = 0; i < LENGTH(KINDS); i++) {
		size_t at = strlen(known);
		(void) snprintf(known + at, sizeof known - at, "%s%s", i ? ", " : "", KINDS[i].word);
	}
	return error_set(err, ERR_USAGE, "policy \"%.60s\" is not known and no such file; there are %s:FILE", word, known);
}

static void set_name(Family *family)
{
	const char *first = family->file[0], *end = strrchr(first, '/'), *start = end;
	while (start && start > first && start[-1] != '/')
		start--;
	if (family->n_files > 1)
		(void) snprintf(family->name, sizeof family->name, "%.*s (%d files)", start ? (int) (end - start) : 5, start ? start : "model",
		                family->n_files);
	else
		str_copy(family->name, sizeof family->name, end ? end + 1 : family->word);
}

int family_read(const char *word, Family *ret_family, Error *err)
{
	size_t len = strcspn(word, ":");
	const FamilyKind *kind = find(word, len);
	const char *rest = word[len] ? word + len + 1 : "";
	if (!kind && (!strcmp(word, MODEL_DEFAULT) || !access(word, F_OK))) {
		kind = find("model", 5);
		rest = word;
	}
	if (!kind || (*rest && !kind->read))
		return unknown(word, err);
	if (strlen(word) >= FAMILY_WORD)
		return error_set(err, ERR_USAGE, "policy \"%.60s...\": at most %d bytes", word, FAMILY_WORD - 1);
	*ret_family = (Family) { .kind = kind };
	str_copy(ret_family->word, sizeof ret_family->word, word);
	int code = kind->read ? kind->read(ret_family, rest, err) : 0;
	set_name(ret_family);
	return code;
}

void family_hpa_setting(int32_t setting, int32_t *ret_cpu_pct, int32_t *ret_down_window_s)
{
	*ret_cpu_pct = GRID_FROM + setting % GRID * GRID_STEP;
	*ret_down_window_s = DOWN_WINDOWS_S[setting / GRID];
}

double family_pod_price(const Family *family, const Arena *arena, int32_t setting)
{
	return family->obs_version == OBS_TREND ? price_of(family, arena, setting) : 0;
}

int32_t family_settings(const Family *family, const Arena *arena)
{
	return family->kind->n_settings ? family->kind->n_settings(family, arena) : 1;
}

void family_describe(const Family *family, const Arena *arena, int32_t setting, char text[SETTING_TEXT])
{
	text[0] = '\0';
	if (family->kind->describe)
		family->kind->describe(family, arena, setting, text, SETTING_TEXT);
}
