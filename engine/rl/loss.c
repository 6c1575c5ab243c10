/*
 * See loss.h. Rows become columns, so that vectors run over the minibatch; sums over it are in double, in the order of its
 * rows. Compiled (Makefile) without floating point traps, so that the loops vectorise.
 */
#include "rl/loss.h"

#include "rl/carve.h"

#include <math.h>
#include <string.h>

static const float FORBIDDEN = -1e8f, TEACHER_SMOOTHING = .05f;

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

void mask_logits(size_t n, const uint8_t *mask, float *logits)
{
	for (size_t a = 0; mask && a < n; a++)
		if (!mask[a])
			logits[a] = FORBIDDEN;
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

size_t loss_scratch_floats(size_t n, size_t n_actions)
{
	return (2 * n_actions + 4) * pad16(n);
}

typedef struct Columns { /* in scratch; each of ld floats, log_p and prob one an action */
	size_t ld;
	float *log_p, *prob, *entropy, *log_ratio, *ratio, *pull;
} Columns;

static Columns columns_of(const LossPolicy *batch)
{
	Columns c = { .ld = pad16(batch->n), .log_p = batch->scratch };
	c.prob = c.log_p + batch->n_actions * c.ld;
	c.entropy = c.prob + batch->n_actions * c.ld;
	c.log_ratio = c.entropy + c.ld;
	c.ratio = c.log_ratio + c.ld;
	c.pull = c.ratio + c.ld;
	return c;
}

/* Logits by action, under the mask, then probabilities, and the ratio of the new policy's to the old's. */
static void policy_columns(const LossPolicy *batch, const Kernels *kernels, const Columns *c)
{
	size_t n = batch->n, n_actions = batch->n_actions;
	for (size_t a = 0; a < n_actions; a++) {
		for (size_t b = 0; b < n; b++)
			c->log_p[a * c->ld + b] = batch->logits[b * batch->ld_logits + a];
		for (size_t b = 0; batch->mask && b < n; b++)
			if (!batch->mask[b * n_actions + a])
				c->log_p[a * c->ld + b] = FORBIDDEN;
		for (size_t b = n; b < c->ld; b++)
			c->log_p[a * c->ld + b] = 0.0f;
	}
	kernels->softmax(c->ld, n_actions, c->log_p, c->prob, c->entropy);
	for (size_t b = 0; b < n; b++)
		c->ratio[b] = c->log_ratio[b] = c->log_p[(size_t) batch->action[b] * c->ld + b] - batch->log_prob[b];
	for (size_t b = n; b < c->ld; b++)
		c->ratio[b] = 0.0f;
	kernels->exp(c->ld, c->ratio);
}

/* pull: the derivative of the surrogate by log p(action). Where the clipped branch is the smaller, nothing pulls. A NaN takes
 * the branch of a comparison that fails, and so comes through. Leaves the smaller branch in ratio and the estimate of the KL
 * divergence in log_ratio; returns how many ratios are out of the range. Written so that it compiles without jumps: they go
 * either way, and a processor that guessed wrong took half of the loss's time. */
static int32_t clip_rows(size_t n, float clip, float *restrict ratio, const float *restrict advantage, float *restrict log_ratio,
			 float *restrict pull)
{
	float low = 1.0f - clip, high = 1.0f + clip, per_row = 1.0f / (float) n;
	int32_t clipped = 0;
	for (size_t b = 0; b < n; b++) {
		float r = ratio[b], least = r < low ? low : r, inside = least > high ? high : least;
		float plain = advantage[b] * r, held = advantage[b] * inside, full = -plain * per_row;
		pull[b] = plain > held ? 0.0f : full;
		ratio[b] = plain > held ? held : plain;
		log_ratio[b] = r - 1.0f - log_ratio[b];
		clipped += fabsf(r - 1.0f) > clip;
	}
	return clipped;
}

/* Figures, and pull; the ratios and their logarithms are used up. */
static void surrogate(const LossConfig *config, const LossPolicy *batch, const Columns *c, LossFigures *ret)
{
	size_t n = batch->n;
	double policy = 0.0, entropy = 0.0, kl = 0.0;
	double clipped = clip_rows(n, (float) config->clip_range, c->ratio, batch->advantage, c->log_ratio, c->pull);
	for (size_t b = 0; b < n; b++) {
		policy -= (double) c->ratio[b];
		entropy -= (double) c->entropy[b];
		kl += (double) c->log_ratio[b];
	}
	ret->policy_loss = policy / (double) n;
	ret->entropy_loss = entropy / (double) n;
	ret->approx_kl = kl / (double) n;
	ret->clip_fraction = clipped / (double) n;
}

/* -sum q log p a row, scaled: q the teacher's action but for what is spread over all allowed ones. Adds its derivative, returns it. */
static double cross_entropy(const LossPolicy *batch, const int32_t *teacher, float smoothing, float scale, const Columns *c,
			    float *dlogits)
{
	size_t n = batch->n, n_actions = batch->n_actions;
	double loss = 0.0;
	for (size_t b = 0; b < n; b++) {
		const uint8_t *mask = batch->mask ? batch->mask + b * n_actions : NULL;
		size_t allowed = 0;
		for (size_t a = 0; a < n_actions; a++)
			allowed += !mask || mask[a];
		for (size_t a = 0; a < n_actions; a++) {
			float q = teacher[b] == (int32_t) a ? 1.0f - smoothing : 0.0f;
			q += !mask || mask[a] ? smoothing / (float) allowed : 0.0f;
			dlogits[b * batch->ld_logits + a] += scale * (c->prob[a * c->ld + b] - q);
			loss -= q > 0.0f ? (double) (scale * q * c->log_p[a * c->ld + b]) : 0.0;
		}
	}
	return loss;
}

/* Where the actions are a teacher's, nothing but that. */
static void clone(const LossConfig *config, const LossPolicy *batch, const Columns *c, float *ret_dlogits, LossFigures *ret)
{
	size_t n = batch->n;
	float per_row = 1.0f / (float) n;
	*ret = (LossFigures) { 0 };
	for (size_t b = 0; b < n; b++) {
		memset(ret_dlogits + b * batch->ld_logits, 0, batch->n_actions * sizeof *ret_dlogits);
		ret->entropy_loss -= (double) (c->entropy[b] * per_row);
		ret->approx_kl += (double) ((c->ratio[b] - 1.0f - c->log_ratio[b]) * per_row);
	}
	ret->policy_loss = cross_entropy(batch, batch->action, (float) config->clone_smoothing, per_row, c, ret_dlogits);
}

void loss_policy(const LossConfig *config, const LossPolicy *batch, const Kernels *kernels, float *ret_dlogits,
		 LossFigures *ret_figures)
{
	size_t n = batch->n;
	Columns c = columns_of(batch);
	float ent_scale = (float) (config->ent_coef / (double) n);
	if (config->clone_smoothing > 0.0) {
		policy_columns(batch, kernels, &c);
		clone(config, batch, &c, ret_dlogits, ret_figures);
		return;
	}
	if (config->normalize_advantage && n > 1)
		normalise(n, batch->advantage);
	policy_columns(batch, kernels, &c);
	surrogate(config, batch, &c, ret_figures);
	for (size_t a = 0; a < batch->n_actions; a++)
		for (size_t b = 0; b < n; b++) {
			float prob = c.prob[a * c.ld + b], own = batch->action[b] == (int32_t) a ? 1.0f : 0.0f;
			float of_entropy = prob * (c.log_p[a * c.ld + b] + c.entropy[b]);
			ret_dlogits[b * batch->ld_logits + a] = c.pull[b] * (own - prob) + ent_scale * of_entropy;
		}
	if (batch->teacher && config->teacher_coef > 0.0)
		ret_figures->policy_loss += cross_entropy(batch, batch->teacher, TEACHER_SMOOTHING,
							  (float) (config->teacher_coef / (double) n), &c, ret_dlogits);
}

double loss_value(const LossConfig *config, const LossValue *batch, float *ret_dvalue)
{
	double n = (double) batch->n, squares = 0.0;
	float pull = (float) (2.0 * config->vf_coef / n), clip = (float) config->clip_range_vf;
	for (size_t b = 0; b < batch->n; b++) {
		float value = batch->value[b * batch->ld_value], moves = 1.0f;
		if (clip > 0.0f) {
			float move = value - batch->old[b], held = move < -clip ? -clip : move > clip ? clip : move;
			moves = move < -clip || move > clip ? 0.0f : 1.0f;
			value = batch->old[b] + held;
		}
		float error = value - batch->ret[b];
		squares += (double) error * (double) error;
		ret_dvalue[b * batch->ld_value] = moves * pull * error;
	}
	return squares / n;
}

void loss_total(const LossConfig *config, LossFigures *figures)
{
	figures->loss = figures->policy_loss + (config->clone_smoothing > 0.0 ? 0.0 : config->ent_coef) * figures->entropy_loss +
		config->vf_coef * figures->value_loss;
}
