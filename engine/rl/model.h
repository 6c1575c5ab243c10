/*
 * A trained policy as a file: safetensors, with what serving needs in its header (interval, feature version, limits,
 * normalisation, hyper-parameters), and as a Policy.
 *
 * The file holds nothing that differs between two like trainings: no run id, time, host or path.
 */
#ifndef MAESTRO_RL_MODEL_H
#define MAESTRO_RL_MODEL_H

#include "base/err.h"
#include "base/mem.h"
#include "base/policy.h"
#include "rl/net.h"

typedef struct ModelInfo {
	int32_t obs_version;   /* ObsKind */
	int32_t obs_stack;     /* of trend; 0 and 1: none */
	float pod_price;       /* that it is asked at where nobody says another; 0: it has no such input */
	ActionSet actions;     /* of its outputs */
	float interval_s;
	float rate_window_s, latency_window_s; /* of the queries behind its inputs */
	float latency_soft_ms, latency_hard_ms; /* it was trained for */
	int32_t max_replicas;
	int64_t steps;         /* of training */
	char train_json[2048]; /* hyper-parameters and traffic, a JSON object; "" where not known */
	char evaluation_json[6144]; /* beside which policies it was measured, and what follows (control/gate.h); "" where it was not */
} ModelInfo;

/* A kind of file that a policy may be in: a file io_NAME.c and a row of model.c's table. */
typedef struct ModelFormat {
	const char *name, *extension;
	bool (*is)(const char *bytes, size_t len); /* by its first bytes; NULL: as which everything else is read */
	/* ERR_BAD_MODEL says what is wrong; NULL: is only written. */
	int (*read)(const char *bytes, size_t len, Net **ret_net, ModelInfo *ret_info, Error *err);
	int (*write)(const Net *net, const ModelInfo *info, StrBuf *ret_bytes); /* appends a whole file; ERR_NOMEM */
	const char *loses; /* what it cannot keep of a normalised policy; NULL: nothing */
} ModelFormat;

/* The i-th; NULL after the last. */
const ModelFormat *model_format(int i);
/* As which bytes are read. */
const ModelFormat *model_format_of(const char *bytes, size_t len);

/* In the format of the product. Atomic: temporary file, fsync, rename. */
int model_save(const char *path, const Net *net, const ModelInfo *info, Error *err);
#define MODEL_DEFAULT "default"
/* In any format that is read. ERR_BAD_MODEL says what is wrong with the file; bounded memory for any file. What a format does not tell
 * of is 0 in *ret_info: limits off, any interval. "default" names the shipped model, which is compiled in, where no file has that name. */
int model_load(const char *path, Net **ret_net, ModelInfo *ret_info, Error *err);
/* What is read, for naming it by its content; bytes is cleared first, strbuf_done() it. ERR_IO, ERR_INVALID (too large), ERR_NOMEM. */
int model_bytes(const char *path, StrBuf *bytes, Error *err);
/* SHA-256 of what model_load reads, 64 digits; "" where it cannot be read. */
void model_sha256(const char *path, char ret_hex[65]);

/*
 * The greedy policy (actions_choose: with three actions argmax under the mask, as SB3's predict(deterministic=True)) of a net:
 * probability is the softmax by direction, raw what the action asks for. Takes ownership of net, on failure too. ERR_NOMEM; ERR_BAD_MODEL: other actions than info says, or a longer
 * observation than OBS_MAX.
 */
int model_policy_new(Net *net, const ModelInfo *info, const char *label, Policy **ret_policy);
/* Another net of the same shape from the next decide on; takes ownership. For a policy in training, from another thread:
 * the old one is freed when no decide uses it. steps: of training; sha256: of its file, "" where there is none. */
void model_policy_swap(Policy *policy, Net *net, int64_t steps, const char *sha256);
/* What its inputs were in training; dim 0: the net does not say. */
void model_stats(const Net *net, ObsStats *ret);
int64_t model_policy_steps(const Policy *policy);
/* How long its observations are. Before it decides, or on the deciding thread. */
int32_t model_policy_obs_dim(const Policy *policy);

#endif
