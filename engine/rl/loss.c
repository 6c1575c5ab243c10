/* See loss.h. Sums over the minibatch are in double, in the order of its rows. */
#include "rl/loss.h"

#include <math.h>

float softmax(size_t n, const float *logits, float *ret_prob)
{
	float most = logits[0], sum = 0.0f;
	for (size_t a = 1; a < n; a++)
		most = logits[a] > most ? logits[a] : most;
	for (size_t a = 0; a < n; a++) {
		ret_prob[a] = expf(logits[a] - most);
		sum += ret_prob[a];
	}
	for (size_t a = 0; a < n; a++)
		ret_prob[a] /= sum;
	return most + logf(sum);
}

/* To mean 0 and the unbiased deviation 1, as torch's std() is. */
static void normalise(size_t n, float *advantage)
{
	double mean = 0.0, squares = 0.0;
	for (size_t b = 0; b < n; b++)
		mean += (double) advantage[b];
	mean /= (double) n;
	for (size_t b = 0; b < n; b++)
		squares += ((double) advantage[b] - mean) * ((double) advantage[b] - mean);
	double scale = 1.0 / (sqrt(squares / (double) (n - 1)) + 1e-8);
	for (size_t b = 0; b < n; b++)
		advantage[b] = (float) (((double) advantage[b] - mean) * scale);
}

typedef struct Sums {
	double policy, value, entropy, kl, clipped;
} Sums;

static void policy_row(const LossConfig *config, const LossBatch *batch, size_t b, float *dlogits, Sums *sums)
{
	const float *logits = batch->logits + b * batch->ld_logits;
	size_t n_actions = batch->n_actions, action = (size_t) batch->action[b];
	float per_row = 1.0f / (float) batch->n, clip = (float) config->clip_range;
	float ent_scale = (float) config->ent_coef * per_row;
	float log_sum = softmax(n_actions, logits, dlogits), entropy = 0.0f; /* dlogits: probabilities, for now */
	float log_ratio = logits[action] - log_sum - batch->log_prob[b], ratio = expf(log_ratio);
	float advantage = batch->advantage[b];
	float low = 1.0f - clip, high = 1.0f + clip;
	float plain = advantage * ratio, held = advantage * (ratio < low ? low : ratio > high ? high : ratio);
	/* where the clipped branch is the smaller, nothing pulls */
	float pull = plain <= held ? -plain * per_row : 0.0f;
	for (size_t a = 0; a < n_actions; a++)
		entropy -= dlogits[a] * (logits[a] - log_sum);
	sums->policy -= (double) (plain < held ? plain : held);
	sums->entropy -= (double) entropy;
	sums->kl += (double) (ratio - 1.0f - log_ratio);
	sums->clipped += fabsf(ratio - 1.0f) > clip ? 1.0 : 0.0;
	if (isnan(plain)) { /* comparisons would hide it */
		pull = plain;
		sums->policy = (double) plain;
	}
	for (size_t a = 0; a < n_actions; a++) {
		float prob = dlogits[a], of_entropy = prob * (logits[a] - log_sum + entropy);
		dlogits[a] = pull * ((a == action ? 1.0f : 0.0f) - prob) + ent_scale * of_entropy;
	}
}

void loss_compute(const LossConfig *config, const LossBatch *batch, float *ret_dlogits, float *ret_dvalue,
		  LossFigures *ret_figures)
{
	Sums sums = { 0 };
	double n = (double) batch->n;
	float pull = (float) (2.0 * config->vf_coef / n);
	if (config->normalize_advantage && batch->n > 1)
		normalise(batch->n, batch->advantage);
	for (size_t b = 0; b < batch->n; b++) {
		float error = batch->value[b * batch->ld_value] - batch->ret[b];
		sums.value += (double) error * (double) error;
		ret_dvalue[b * batch->ld_value] = pull * error;
		policy_row(config, batch, b, ret_dlogits + b * batch->ld_logits, &sums);
	}
	*ret_figures = (LossFigures) {
		.policy_loss = sums.policy / n,
		.value_loss = sums.value / n,
		.entropy_loss = sums.entropy / n,
		.approx_kl = sums.kl / n,
		.clip_fraction = sums.clipped / n,
	};
	ret_figures->loss = ret_figures->policy_loss + config->ent_coef * ret_figures->entropy_loss +
		config->vf_coef * ret_figures->value_loss;
}
