/*
 * Evaluation while training: greedy episodes on held-out traffic, and the best policy so far as a file, whose way to the disk
 * training does not wait for. The HPA rule plays the first of them once, for the picture beside ours.
 */
#include "control/trainer_internal.h"

#include "control/measures.h"
#include "decide/hpa.h"

#include <string.h>

static int greedy_policy(const Trainer *trainer, Policy **ret, Error *err)
{
	Net *net = net_clone(ppo_net(trainer->ppo));
	if (!net)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	int code = model_policy_new(net, &trainer->config.info, "model", ret);
	return code ? error_set(err, code, "%s", err_text(code)) : 0;
}

static void show_episode(EpisodeView *view, const EvalEpisode *episode)
{
	view->n = episode->steps < EPISODE_STEPS_MAX ? episode->steps : EPISODE_STEPS_MAX;
	view->reward = episode->reward;
	memcpy(view->replicas, episode->replicas, sizeof view->replicas);
}

static void record_episode(Trainer *trainer, const char *source, const EvalEpisode *episode)
{
	Record record = trainer_record(trainer, RECORD_EPISODE);
	RecordEpisode *row = &record.u.episode;
	row->steps = ppo_steps(trainer->ppo);
	str_copy(row->source, sizeof row->source, source);
	row->reward = episode->reward;
	row->length = episode->steps < EPISODE_STEPS_MAX ? episode->steps : EPISODE_STEPS_MAX;
	memcpy(row->replicas, episode->replicas, sizeof row->replicas);
	memcpy(row->latency_ms, episode->latency_ms, sizeof row->latency_ms);
	memcpy(row->rps, episode->rps, sizeof row->rps);
	trainer->config.sink->ops->write(trainer->config.sink, &record);
}

/* The HPA rule on the first evaluation episode. */
static int show_hpa(Trainer *trainer, Error *err)
{
	if (trainer->view.last_eval_hpa.n)
		return 0;
	HpaConfig config;
	hpa_config_default(&config);
	Policy *hpa = NULL;
	if (hpa_policy_new(&config, &hpa))
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	EvalEpisode *episode = &trainer->episode[trainer->config.eval_episodes]; /* the spare one */
	int code = evaluate_episode(&trainer->config.eval_sim, evaluate_seed(trainer->config.ppo.seed, 0), hpa, episode, err);
	policy_free(hpa);
	if (code)
		return code;
	show_episode(&trainer->view.last_eval_hpa, episode);
	record_episode(trainer, "hpa", episode);
	return 0;
}

static RecordEval summarise(const Trainer *trainer)
{
	int32_t n = trainer->config.eval_episodes;
	double reward[EVAL_EPISODES_MAX], length[EVAL_EPISODES_MAX];
	for (int32_t i = 0; i < n; i++) {
		reward[i] = trainer->episode[i].reward;
		length[i] = trainer->episode[i].length;
	}
	double mean = mean_of(reward, (size_t) n);
	return (RecordEval) {
		.steps = ppo_steps(trainer->ppo),
		.mean_reward = mean,
		.std_reward = std_of(reward, (size_t) n),
		.mean_ep_length = mean_of(length, (size_t) n),
		.n_episodes = n,
		.is_best = !trainer->has_best || mean > trainer->best_reward,
	};
}

static void *save_best(void *arg)
{
	BestSave *best = arg;
	best->code = model_save(best->path, best->net, &best->info, &best->err);
	return NULL;
}

static void record_best(Trainer *trainer)
{
	const BestSave *best = &trainer->best;
	Record record = trainer_record(trainer, RECORD_CHECKPOINT);
	RecordCheckpoint *row = &record.u.checkpoint;
	row->steps = best->info.steps;
	str_copy(row->path, sizeof row->path, best->path);
	str_copy(row->kind, sizeof row->kind, "best");
	trainer->config.sink->ops->write(trainer->config.sink, &record);
}

int trainer_settle_best(Trainer *trainer, Error *err)
{
	BestSave *best = &trainer->best;
	if (best->net) {
		if (best->is_beside)
			(void) pthread_join(best->thread, NULL);
		net_free(best->net);
		best->net = NULL;
		if (!best->code)
			record_best(trainer);
	}
	if (best->code)
		*err = best->err;
	return best->code;
}

static int keep_best(Trainer *trainer, const RecordEval *eval, Error *err)
{
	if (!eval->is_best)
		return 0;
	int code = trainer_settle_best(trainer, err);
	if (code)
		return code;
	BestSave *best = &trainer->best;
	*best = (BestSave) { .net = net_clone(ppo_net(trainer->ppo)), .info = trainer->config.info, .path = trainer->config.best_path };
	if (!best->net)
		return error_set(err, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	best->info.steps = eval->steps;
	best->is_beside = !pthread_create(&best->thread, NULL, save_best, best);
	if (!best->is_beside)
		(void) save_best(best);
	trainer->has_best = true;
	trainer->best_reward = eval->mean_reward;
	return 0;
}

static int evaluate_simulated(Trainer *trainer, Error *err)
{
	const TrainerConfig *config = &trainer->config;
	Policy *policy[2] = { NULL, NULL };
	int code = greedy_policy(trainer, &policy[0], err);
	if (!code)
		code = greedy_policy(trainer, &policy[1], err);
	if (!code)
		code = evaluate_policies(&config->eval_sim, config->ppo.seed, config->eval_episodes, policy, trainer->episode, err);
	policy_free(policy[0]);
	policy_free(policy[1]);
	return code ? code : show_hpa(trainer, err);
}

int trainer_evaluate(Trainer *trainer, Error *err)
{
	const TrainerConfig *config = &trainer->config;
	while (trainer->next_eval <= ppo_steps(trainer->ppo))
		trainer->next_eval += config->eval_every;
	TrainPhase phase = trainer->view.phase;
	trainer->view.phase = TRAIN_EVALUATING;
	trainer_publish(trainer);
	int code = config->live ? trainer_live_evaluate(trainer, err) : evaluate_simulated(trainer, err);
	trainer->view.phase = phase;
	if (code)
		return code;
	RecordEval eval = summarise(trainer);
	code = keep_best(trainer, &eval, err);
	if (code)
		return code;
	Record record = trainer_record(trainer, RECORD_EVAL);
	record.u.eval = eval;
	config->sink->ops->write(config->sink, &record);
	record_episode(trainer, "eval", &trainer->episode[0]);
	show_episode(&trainer->view.last_eval, &trainer->episode[0]);
	trainer_view_eval(trainer, &eval);
	if (config->on_event)
		config->on_event(config->arg, &(TrainEvent) { .kind = TRAIN_EVENT_EVAL, .eval = &eval, .net = ppo_net(trainer->ppo) });
	return 0;
}
