/*
 * The actor-critic net of SB3's MlpPolicy: two trunks (policy, value) apart from each other, an action head and a value
 * head; where asked for, layers before both that they share. Parameters are one flat buffer in SB3's order of tensors;
 * running normalisation of the observation stands beside it, since no net is whole without it.
 */
#ifndef MAESTRO_RL_NET_H
#define MAESTRO_RL_NET_H

#include "base/err.h"
#include "base/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NET_DEPTH_MAX = 8, NET_WIDTH_MAX = 1024 };

typedef enum Activation { ACTIVATION_TANH, ACTIVATION_RELU } Activation;

typedef struct NetConfig {
	int32_t obs_dim, n_actions;
	int32_t hint_dim;              /* of obs_dim, the last: inputs of the value's trunk alone, which only training has; not with shared layers */
	int32_t depth;                 /* hidden layers, 0..NET_DEPTH_MAX */
	int32_t width[NET_DEPTH_MAX];
	Activation activation;
	bool has_value_arch;           /* the value trunk's hidden layers are its own, below; else like the policy's */
	int32_t value_depth;
	int32_t value_width[NET_DEPTH_MAX];
	int32_t shared_depth;          /* hidden layers before both trunks, as a features extractor that SB3's share */
	int32_t shared_width[NET_DEPTH_MAX];
} NetConfig;

typedef struct Net Net;

/* Zeroed parameters, no normalisation. ERR_INVALID, ERR_NOMEM. */
int net_new(const NetConfig *config, Net **ret_net, Error *err);
void net_free(Net *net);
/* A copy with its own memory for use outside training (a frozen policy for another thread, a file): without inputs that only training
 * has, so that its value is that of hints at their mean. NULL: out of memory. */
Net *net_clone(const Net *net);
const NetConfig *net_config(const Net *net);

/* Orthogonal, gain sqrt 2 in the trunks, .01 for the action head, 1 for the value head, biases 0 (SB3's ortho_init). */
int net_init_orthogonal(Net *net, Rng *rng);

/* The tensors in SB3's order, under its names ("mlp_extractor.policy_net.0.weight"); shape [rows][cols], a bias has cols 0. */
typedef struct NetTensor {
	char name[64];
	int32_t rows, cols;
	float *data; /* into the net */
} NetTensor;
enum { NET_TENSORS_MAX = 6 * NET_DEPTH_MAX + 4 };
/* Fills the first max and returns how many there are. After writing through data: net_pack. */
size_t net_tensors(Net *net, NetTensor *ret_tensor, size_t max);
/* Brings the form that net_forward reads up to date with the parameters. */
void net_pack(Net *net);

/* Normalisation of observations: (x - mean) / sqrt(var + 1e-8) clipped to +-10, where on. Arrays [obs_dim], in the net. */
bool net_is_normalised(const Net *net);
void net_set_normalisation(Net *net, const double *mean, const double *var, double count);
const double *net_norm_mean(const Net *net);
const double *net_norm_var(const Net *net);
double net_norm_count(const Net *net);

/* What each input ranged over in training, for telling what it has never seen (CONTROL B.4). NULL: not known. Arrays [obs_dim], in
 * the net. */
void net_set_range(Net *net, const double *min, const double *max);
const double *net_range_min(const Net *net);
const double *net_range_max(const Net *net);

/*
 * n observations [n][obs_dim] as the environment gives them -> logits [n][n_actions] (the action head's output before any
 * mask) and value [n]; either may be NULL. scratch: net_scratch_floats(net, n) floats. No allocation. Any thread, as long
 * as nobody writes the net.
 */
void net_forward(const Net *net, const float *obs, size_t n, float *ret_logits, float *ret_value, float *scratch);
size_t net_scratch_floats(const Net *net, size_t n);

#endif
