/*
 * ppo_fixture FILE...
 *
 * Replays PPO updates that Stable-Baselines3 made: its weights, rollout and minibatch order go through our advantage
 * and learning stages, and every figure, the final weights and Adam's moments are compared. A file is one case, or a
 * document with "cases". Prints the largest error, abs(a - b) / max(abs(b), .01). Exit: 0 within 1e-4, 1 not, 5 a file
 * that cannot be read as a case.
 */
#include "base/json.h"
#include "base/mem.h"
#include "fakes/numbers.h"
#include "rl/learner.h"
#include "rl/rollout.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double TOLERANCE = 1e-4;
enum { FILE_MAX = 256 << 20, UNREADABLE = 5, PLACE = 320 };

typedef struct Worst {
	double error;
	char place[PLACE]; /* where */
} Worst;

typedef struct Case {
	const Json *json;
	const Json **permutation; /* [n_epochs] */
	const Json *minibatch;    /* the next to compare; NULL after the last */
	size_t n_envs, n_steps;
	LearnConfig learn;
	double gamma, lambda, adam_eps;
	RolloutBuf rollout;
	Net *net, *behaviour; /* behaviour: what acted, and bootstraps */
	Learner *learner;
	Worst worst;
	bool is_bad;              /* something in the file is not what it should be */
} Case;

static void compare(Case *c, const char *what, double ours, double theirs)
{
	double error = fabs(ours - theirs) / fmax(fabs(theirs), 0.01);
	if (!(error <= c->worst.error)) { /* NaN is the worst of all */
		c->worst.error = isnan(error) ? INFINITY : error;
		(void) snprintf(c->worst.place, PLACE, "%s: %.9g, not %.9g", what, ours, theirs);
	}
}

/* Where the file has no such member there is nothing to compare: what must be there is read elsewhere. */
static void compare_member(Case *c, const Json *object, const char *key, double ours)
{
	double theirs;
	const Json *member = member_of(object, key);
	if (!member || (json_is_null(member) && isnan(ours)))
		return;
	if (json_number(member, &theirs))
		compare(c, key, ours, theirs);
	else
		c->is_bad = true;
}

static double number(Case *c, const Json *from, const char *key, double least, double most)
{
	double value = json_number_or(from, key, (double) NAN);
	if (!(value >= least && value <= most)) {
		c->is_bad = true;
		return least;
	}
	return value;
}

/* Null is off, which is 0 with us. */
static double number_or_off(Case *c, const Json *from, const char *key)
{
	const Json *member = json_get(from, key);
	return !member || json_is_null(member) ? 0.0 : number(c, from, key, 1e-9, 1e6);
}

static void read_hyper(Case *c)
{
	const Json *hyper = json_get(c->json, "hyper");
	bool normalize = true;
	c->n_envs = (size_t) number(c, hyper, "n_envs", 1, 4096);
	c->n_steps = (size_t) number(c, hyper, "n_steps", 1, 1 << 20);
	c->gamma = number(c, hyper, "gamma", 0, 1);
	c->lambda = number(c, hyper, "gae_lambda", 0, 1);
	c->adam_eps = number(c, hyper, "adam_eps", 0, 1);
	(void) json_bool(json_get(hyper, "normalize_advantage"), &normalize);
	c->learn = (LearnConfig) {
		.loss = {
			.clip_range = number(c, hyper, "clip_range", 0, 100),
			.ent_coef = number(c, hyper, "ent_coef", 0, 100),
			.vf_coef = number(c, hyper, "vf_coef", 0, 100),
			.clip_range_vf = number_or_off(c, hyper, "clip_range_vf"),
			.normalize_advantage = normalize,
		},
		.learning_rate = number(c, hyper, "learning_rate", 0, 1),
		.max_grad_norm = number(c, hyper, "max_grad_norm", 0, 1e9),
		.target_kl = number_or_off(c, hyper, "target_kl"),
		.batch_size = (size_t) number(c, hyper, "batch_size", 1, 1 << 20),
		.n_epochs = (size_t) number(c, hyper, "n_epochs", 1, 1000),
	};
	double betas[2] = { 0.9, 0.999 };
	const Json *given = json_get(hyper, "adam_betas");
	if (given && (!read_numbers(given, 2, betas) || betas[0] != 0.9 || betas[1] != 0.999))
		c->is_bad = true;
}

static int32_t read_widths(Case *c, const Json *arch, int32_t ret_width[NET_DEPTH_MAX])
{
	double width[NET_DEPTH_MAX] = { 0 };
	size_t depth = json_len(arch);
	if (depth > NET_DEPTH_MAX || !read_numbers(arch, depth, width)) {
		c->is_bad = true;
		return 0;
	}
	for (size_t i = 0; i < depth; i++)
		ret_width[i] = (int32_t) width[i];
	return (int32_t) depth;
}

static Net *new_net(Case *c)
{
	NetConfig config = {
		.obs_dim = (int32_t) number(c, c->json, "obs_dim", 1, NET_WIDTH_MAX),
		.n_actions = (int32_t) number(c, c->json, "n_actions", 1, NET_WIDTH_MAX),
	};
	const char *activation = json_string_or(c->json, "activation", "");
	const Json *arch = json_get(c->json, "net_arch"), *policy = json_get(arch, "pi");
	Net *net = NULL;
	config.depth = read_widths(c, policy ? policy : arch, config.width);
	config.has_value_arch = policy != NULL;
	if (policy)
		config.value_depth = read_widths(c, json_get(arch, "vf"), config.value_width);
	if (json_get(c->json, "shared_arch"))
		config.shared_depth = read_widths(c, json_get(c->json, "shared_arch"), config.shared_width);
	if (!strcmp(activation, "relu"))
		config.activation = ACTIVATION_RELU;
	else if (strcmp(activation, "tanh") != 0)
		return NULL;
	return net_new(&config, &net, NULL) ? NULL : net;
}

static size_t tensor_values(const NetTensor *tensor)
{
	return (size_t) tensor->rows * (size_t) (tensor->cols ? tensor->cols : 1);
}

static void read_weights(Case *c, Net *net, const Json *weights)
{
	NetTensor tensor[NET_TENSORS_MAX];
	size_t count = net_tensors(net, tensor, NET_TENSORS_MAX);
	for (size_t t = 0; t < count; t++) {
		size_t n = tensor_values(&tensor[t]);
		double *value = calloc(n, sizeof *value);
		if (!value || !read_numbers(json_get(member_of(weights, tensor[t].name), "data"), n, value))
			c->is_bad = true;
		else
			for (size_t i = 0; i < n; i++)
				tensor[t].data[i] = (float) value[i];
		free(value);
	}
	net_pack(net);
}

/* gamma times the value of the observation that the time limit cut off; 0 elsewhere. */
static double bootstrap(Case *c, const Json *row, size_t env, float *scratch)
{
	size_t dim = c->rollout.obs_dim;
	const Json *final_obs = json_first(json_get(row, "terminal_obs"));
	for (size_t e = 0; e < env; e++)
		final_obs = json_next(final_obs);
	double wide[NET_WIDTH_MAX];
	float narrow[NET_WIDTH_MAX], value;
	if (!read_numbers(final_obs, dim, wide)) {
		c->is_bad = true;
		return 0.0;
	}
	for (size_t o = 0; o < dim; o++)
		narrow[o] = (float) wide[o];
	net_forward(c->behaviour, narrow, 1, NULL, &value, scratch);
	return c->gamma * (double) value;
}

static void read_masks(Case *c, const Json *row, size_t t)
{
	size_t n_actions = (size_t) net_config(c->net)->n_actions;
	double mask[NET_WIDTH_MAX];
	const Json *at = json_first(json_get(row, "mask"));
	for (size_t e = 0; e < c->n_envs; e++, at = json_next(at)) {
		if (!read_numbers(at, n_actions, mask)) {
			c->is_bad = true;
			return;
		}
		for (size_t a = 0; a < n_actions; a++)
			c->rollout.mask[(e * c->n_steps + t) * n_actions + a] = mask[a] != 0.0;
	}
}

/* One step of all environments into the buffer. */
static void read_step(Case *c, const Json *row, size_t t, double *wide, float *scratch)
{
	static const char *const KEYS[] = { "action", "raw_reward", "terminated", "truncated", "value", "log_prob",
					    "reward" };
	enum { ACTION, REWARD, TERMINATED, TRUNCATED, VALUE, LOG_PROB, FINAL_REWARD, COUNT };
	size_t n_envs = c->n_envs, dim = c->rollout.obs_dim;
	double *column = wide + n_envs * dim;
	bool is_good = read_numbers(json_get(row, "obs"), n_envs * dim, wide);
	for (size_t k = 0; k < COUNT; k++)
		is_good = is_good && read_numbers(json_get(row, KEYS[k]), n_envs, column + k * n_envs);
	if (!is_good) {
		c->is_bad = true;
		return;
	}
	if (c->rollout.mask)
		read_masks(c, row, t);
	for (size_t e = 0; e < n_envs; e++) {
		size_t i = e * c->n_steps + t;
		bool terminated = column[TERMINATED * n_envs + e] != 0.0;
		bool truncated = column[TRUNCATED * n_envs + e] != 0.0;
		double reward = column[REWARD * n_envs + e];
		for (size_t o = 0; o < dim; o++)
			c->rollout.obs[i * dim + o] = (float) wide[e * dim + o];
		if (truncated && !terminated)
			reward += bootstrap(c, row, e, scratch);
		compare(c, "reward", reward, column[FINAL_REWARD * n_envs + e]);
		c->rollout.action[i] = (int32_t) column[ACTION * n_envs + e];
		if (c->rollout.action[i] < 0 || c->rollout.action[i] >= net_config(c->net)->n_actions)
			c->is_bad = true;
		c->rollout.reward[i] = (float) reward;
		c->rollout.done[i] = terminated || truncated;
		c->rollout.value[i] = (float) column[VALUE * n_envs + e];
		c->rollout.log_prob[i] = (float) column[LOG_PROB * n_envs + e];
	}
}

/* What the acting net says of the stored observations must be what SB3 stored. */
static void compare_behaviour(Case *c, float *scratch)
{
	float logits[NET_WIDTH_MAX], prob[NET_WIDTH_MAX], value;
	size_t n = c->n_envs * c->n_steps, n_actions = (size_t) net_config(c->behaviour)->n_actions;
	for (size_t i = 0; i < n && !c->is_bad; i++) {
		net_forward(c->behaviour, c->rollout.obs + i * c->rollout.obs_dim, 1, logits, &value, scratch);
		mask_logits(n_actions, c->rollout.mask ? c->rollout.mask + i * n_actions : NULL, logits);
		float log_sum = softmax(n_actions, logits, prob);
		compare(c, "value", (double) value, (double) c->rollout.value[i]);
		compare(c, "log_prob", (double) (logits[c->rollout.action[i]] - log_sum), (double) c->rollout.log_prob[i]);
	}
}

static void read_rollout(Case *c)
{
	const Json *row = json_first(json_get(c->json, "rollout"));
	size_t row_numbers = c->n_envs * (c->rollout.obs_dim + 8);
	double *wide = calloc(row_numbers, sizeof *wide);
	float *scratch = calloc(net_scratch_floats(c->net, 1), sizeof *scratch);
	if (!wide || !scratch) {
		c->is_bad = true;
	} else {
		for (size_t t = 0; t < c->n_steps && !c->is_bad; t++, row = json_next(row))
			read_step(c, row, t, wide, scratch);
		if (row || !read_numbers(json_get(c->json, "last_value"), c->n_envs, wide))
			c->is_bad = true;
		for (size_t e = 0; e < c->n_envs && !c->is_bad; e++)
			c->rollout.last_value[e] = (float) wide[e];
		compare_behaviour(c, scratch);
	}
	free(wide);
	free(scratch);
}

/* advantages and returns are [n_steps][n_envs]. */
static void compare_steps(Case *c, const char *key, const float *ours)
{
	size_t n = c->n_envs * c->n_steps;
	double *theirs = calloc(n, sizeof *theirs);
	if (!theirs || !read_numbers(json_get(c->json, key), n, theirs))
		c->is_bad = true;
	else
		for (size_t i = 0; i < n; i++)
			compare(c, key, (double) ours[i % c->n_envs * c->n_steps + i / c->n_envs], theirs[i]);
	free(theirs);
}

static void order(void *arg, size_t epoch, uint32_t *ret_index, size_t n)
{
	Case *c = arg;
	const Json *at = json_first(c->permutation[epoch]);
	if (!at) /* theirs stopped before */
		c->is_bad = true;
	for (size_t i = 0; i < n; i++, at = json_next(at)) {
		int64_t index = 0;
		if (!json_int(at, &index) || index < 0 || (size_t) index >= n) {
			c->is_bad = true;
			index = 0;
		}
		ret_index[i] = (uint32_t) index;
	}
	if (at)
		c->is_bad = true;
}

static void after_minibatch(void *arg, size_t i, const LearnFigures *figures)
{
	Case *c = arg;
	const Json *theirs = c->minibatch;
	(void) i;
	if (isnan(figures->grad_norm)) /* stopped here by target_kl */
		return;
	if (!theirs)
		c->is_bad = true;
	compare_member(c, theirs, "policy_loss", figures->loss.policy_loss);
	compare_member(c, theirs, "value_loss", figures->loss.value_loss);
	compare_member(c, theirs, "entropy_loss", figures->loss.entropy_loss);
	compare_member(c, theirs, "loss", figures->loss.loss);
	compare_member(c, theirs, "approx_kl", figures->loss.approx_kl);
	compare_member(c, theirs, "clip_fraction", figures->loss.clip_fraction);
	compare_member(c, theirs, "grad_norm_before_clip", figures->grad_norm);
	c->minibatch = json_next(theirs);
}

static void compare_logged(Case *c, const LearnFigures *figures)
{
	const Json *logged = json_get(c->json, "logged");
	compare_member(c, logged, "train/entropy_loss", figures->loss.entropy_loss);
	compare_member(c, logged, "train/policy_gradient_loss", figures->loss.policy_loss);
	compare_member(c, logged, "train/value_loss", figures->loss.value_loss);
	compare_member(c, logged, "train/approx_kl", figures->loss.approx_kl);
	compare_member(c, logged, "train/clip_fraction", figures->loss.clip_fraction);
	compare_member(c, logged, "train/loss", figures->loss.loss);
	compare_member(c, logged, "train/explained_variance", rollout_explained_variance(&c->rollout));
}

static void compare_tensor(Case *c, const char *name, const Json *theirs, const float *ours, size_t n)
{
	double *value = calloc(n, sizeof *value);
	if (!value || !read_numbers(theirs, n, value))
		c->is_bad = true;
	else
		for (size_t i = 0; i < n; i++)
			compare(c, name, (double) ours[i], value[i]);
	free(value);
}

static void compare_final(Case *c)
{
	NetTensor tensor[NET_TENSORS_MAX];
	size_t count = net_tensors(c->net, tensor, NET_TENSORS_MAX);
	const Adam *adam = learner_adam(c->learner);
	for (size_t t = 0; t < count; t++) {
		const char *name = tensor[t].name;
		size_t n = tensor_values(&tensor[t]), at = (size_t) (tensor[t].data - tensor[0].data);
		const Json *moments = member_of(json_get(c->json, "final_adam"), name);
		const Json *weights = member_of(json_get(c->json, "final_weights"), name);
		compare_tensor(c, name, json_get(weights, "data"), tensor[t].data, n);
		compare_tensor(c, name, json_get(moments, "exp_avg"), adam->m + at, n);
		compare_tensor(c, name, json_get(moments, "exp_avg_sq"), adam->v + at, n);
		compare_member(c, moments, "step", (double) adam->step);
	}
}

static void set_up(Case *c)
{
	const Json *permutations = json_get(c->json, "permutations"), *behaviour = json_get(c->json, "behaviour_weights");
	const Json *acting = behaviour && !json_is_null(behaviour) ? behaviour : json_get(c->json, "initial_weights");
	read_hyper(c);
	c->net = new_net(c);
	c->behaviour = new_net(c);
	c->permutation = calloc(c->learn.n_epochs, sizeof *c->permutation);
	size_t n_epochs = json_len(permutations); /* fewer where target_kl stopped */
	const Json *mask = json_get(json_first(json_get(c->json, "rollout")), "mask");
	if (c->is_bad || !c->net || !c->behaviour || !c->permutation || !json_get(c->json, "logged") ||
	    n_epochs > c->learn.n_epochs ||
	    (n_epochs < c->learn.n_epochs && c->learn.target_kl <= 0) ||
	    rollout_init(&c->rollout, c->n_envs, c->n_steps, (size_t) net_config(c->net)->obs_dim,
			 mask ? (size_t) net_config(c->net)->n_actions : 0) ||
	    learner_new(c->net, c->learn.batch_size, c->n_envs * c->n_steps, c->adam_eps, 2, &c->learner)) {
		c->is_bad = true;
		return;
	}
	size_t epoch = 0;
	for (const Json *at = json_first(permutations); at; at = json_next(at))
		c->permutation[epoch++] = at;
	c->minibatch = json_first(json_get(c->json, "minibatches"));
	read_weights(c, c->net, json_get(c->json, "initial_weights"));
	read_weights(c, c->behaviour, acting);
	read_rollout(c);
}

/* Exit status of one case. */
static int run_case(const char *path, const Json *json, double *worst)
{
	Case c = { .json = json };
	LearnFigures figures = { 0 };
	Error err = { 0 };
	set_up(&c);
	if (!c.is_bad) {
		rollout_advantage(&c.rollout, c.gamma, c.lambda);
		compare_steps(&c, "advantages", c.rollout.advantage);
		compare_steps(&c, "returns", c.rollout.ret);
		if (learner_update(c.learner, &c.rollout, &c.learn, order, after_minibatch, &c, &figures, &err))
			compare(&c, err.text, (double) NAN, 0.0);
		compare_logged(&c, &figures);
		compare_final(&c);
		c.is_bad = c.is_bad || c.minibatch;
	}
	if (c.is_bad)
		(void) fprintf(stderr, "ppo_fixture: %s: not a case of a PPO update\n", path);
	else
		printf("%s: %.3g (%s)\n", json_string_or(json, "name", path), c.worst.error, c.worst.place);
	*worst = fmax(*worst, c.worst.error);
	learner_free(c.learner);
	rollout_done(&c.rollout);
	net_free(c.net);
	net_free(c.behaviour);
	free(c.permutation);
	return c.is_bad ? UNREADABLE : c.worst.error <= TOLERANCE ? 0 : 1;
}

static int run_file(const char *path, double *worst)
{
	StrBuf text = { 0 };
	Json *root = NULL;
	Error err = { 0 };
	int status = 0;
	if (mem_read_file(path, FILE_MAX, &text, &err) || json_parse(text.data, text.len, &root, &err)) {
		(void) fprintf(stderr, "ppo_fixture: %s: %s\n", path, err.text);
		status = UNREADABLE;
	} else if (!json_get(root, "cases")) {
		status = run_case(path, root, worst);
	} else {
		const Json *first = json_first(json_get(root, "cases"));
		status = first ? 0 : UNREADABLE;
		for (const Json *at = first; at; at = json_next(at)) {
			int one = run_case(path, at, worst);
			status = one > status ? one : status;
		}
	}
	json_free(root);
	strbuf_done(&text);
	return status;
}

int main(int argc, char **argv)
{
	int status = argc > 1 ? 0 : 2;
	double worst = 0.0;
	if (argc < 2)
		(void) fprintf(stderr, "usage: ppo_fixture FILE...\n");
	for (int i = 1; i < argc; i++) {
		int one = run_file(argv[i], &worst);
		status = one > status ? one : status;
	}
	if (argc > 1)
		printf("largest error %.3g, tolerance %g\n", worst, TOLERANCE);
	return status;
}
