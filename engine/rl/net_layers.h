/*
 * The inside of a Net, for the room's own use: its layers, their packed form, and the flat parameters.
 *
 * A layer's weights stand twice: as SB3 has them, [out][in] in the flat buffer that Adam steps, where each layer begins a
 * cache line (and gaps are 0); and packed, transposed
 * under their bias as [in + 1][out_pad], which is what a forward pass streams. net_pack rewrites the second. The trunks lie
 * apart in both, since two threads learn side by side.
 */
#ifndef MAESTRO_RL_NET_LAYERS_H
#define MAESTRO_RL_NET_LAYERS_H

#include "rl/blas.h"
#include "rl/kernels.h"
#include "rl/net.h"

/* The two with a head first; the shared one may have no layers. */
typedef enum NetTrunk { TRUNK_POLICY, TRUNK_VALUE, TRUNK_SHARED, TRUNK_COUNT } NetTrunk;
enum { HEADS = TRUNK_SHARED };

typedef struct NetLayer {
	size_t in, out, in_pad, out_pad;
	size_t weight_at, bias_at; /* in the flat parameters, and so in gradients and Adam's moments */
	float *packed;             /* [in + 1][out_pad], bias first; of a narrow layer the bias alone */
	float *padded;             /* [out][in_pad]: the weights themselves where in is whole cache lines; NULL: nobody asks */
	KernelAct act;
	bool is_narrow;            /* a head of a few outputs: a row of its weights at a time, no packed form */
} NetLayer;

struct Net {
	NetConfig config;
	size_t n_params;
	float *params;                                    /* [n_params], trunk by trunk, gaps counted */
	int32_t depth[TRUNK_COUNT];                       /* hidden layers of each */
	NetLayer layer[TRUNK_COUNT][NET_DEPTH_MAX + 1];   /* hidden ones, then the head where there is one */
	bool is_normalised;
	double *mean, *var, *scale;                       /* [obs_dim]; scale: 1 / sqrt(var + 1e-8) */
	double count;
	bool has_range;
	double *min, *max;                                /* [obs_dim] of the inputs in training */
	const Kernels *kernels;
	Blas *blas;                                       /* NULL: no large layer, or not installed */
	size_t widest_pad;                                /* of any hidden layer or head */
};

/* Layers of a trunk, its head included. */
static inline int32_t net_layers(const Net *net, size_t trunk)
{
	return net->depth[trunk] + (trunk < HEADS);
}

/* True: by blas_gemm, where there are rows enough. */
static inline bool net_is_large(const Net *net, const NetLayer *layer)
{
	return net->blas && layer->in * layer->out >= BLAS_MIN;
}

/* As net_pack, of one layer. */
void net_pack_layer(const Net *net, const NetLayer *layer);

/* y = act(x w + b) over n rows of ldx floats; y [n][out_pad]. Picks OpenBLAS for large layers with enough rows when
 * is_batch; else each row has the bytes that it has alone. */
void net_layer_forward(const Net *net, const NetLayer *layer, size_t n, const float *x, size_t ldx, float *y,
		       bool is_batch);

/* n observations [n][obs_dim] as the trunks see them, into rows of ldx floats. */
void net_normalise(const Net *net, const float *obs, size_t n, float *ret_x, size_t ldx);

#endif
