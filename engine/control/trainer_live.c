/*
 * The trainer as the host of a live environment (live_env.h): it waits for the next step on its own command queue, so that a person
 * is answered at once and a stop does not wait for an interval; and it evaluates on the same Deployments.
 */
#include "control/trainer_internal.h"

#include "control/live_env.h"
#include "decide/actions.h"
#include "rl/net.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SLICE_MS = 200 }; /* how long a command to a loop waits at most */

static void show_next(Trainer *trainer, int64_t until_ms)
{
	Clock *clock = trainer->config.clock;
	trainer->view.next_step_wall_ms = until_ms ? clock_wall_ms(clock) + until_ms - clock_mono_ms(clock) : 0;
	trainer_publish(trainer);
}

/* LiveHost.wait. Paused, a step lasts until the pause ends. */
static int wait_until(void *arg, int64_t until_ms)
{
	Trainer *trainer = arg;
	Clock *clock = trainer->config.clock;
	show_next(trainer, until_ms);
	for (int64_t now_ms; (now_ms = clock_mono_ms(clock)) < until_ms || trainer->view.phase == TRAIN_PAUSED;) {
		Command command;
		int64_t slice_ms = now_ms + SLICE_MS < until_ms || now_ms >= until_ms ? now_ms + SLICE_MS : until_ms;
		int code = queue_pop(&trainer->commands, &command, clock_wait_ms(clock, slice_ms));
		live_env_serve(trainer->config.live);
		if (code == ERR_TIMEOUT)
			continue;
		if (code || !trainer_handle(trainer, &command)) {
			trainer->is_stopping = true;
			return ERR_CLOSED;
		}
	}
	return 0;
}

/* LiveHost.say */
static void say(void *arg, const char *text)
{
	Trainer *trainer = arg;
	if (!strncmp(trainer->view.trouble, text, sizeof trainer->view.trouble - 1))
		return; /* said once */
	bool was_waiting = trainer->view.trouble[0] != '\0';
	str_copy(trainer->view.trouble, sizeof trainer->view.trouble, text);
	trainer_publish(trainer);
	if (trainer->config.on_event && (text[0] || was_waiting))
		trainer->config.on_event(trainer->config.arg, &(TrainEvent) {
			.kind = TRAIN_EVENT_TROUBLE, .trouble = text[0] ? text : "goes on" });
}

void trainer_live_begin(Trainer *trainer)
{
	live_env_host(trainer->config.live, &(LiveHost) { wait_until, say, trainer });
}

/* ---- evaluation ---- */

/* As a served policy chooses. mask: [n] of the set, or NULL: all are allowed. */
static int greedy(ActionSet set, const float *logits, const uint8_t *mask, int32_t *ret_action)
{
	float share[ACTION_COUNT];
	uint32_t allowed = mask ? 0 : ~0u;
	for (int32_t a = 0; mask && a < actions_count(set); a++)
		allowed |= (uint32_t) (mask[a] != 0) << a;
	return actions_choose(set, logits, allowed, share, ret_action);
}

/* Adds a step of a row to its episode. */
static void note_step(EvalEpisode *episode, const TrainerConfig *config, const EnvInfo *info, double reward, bool counts)
{
	double step_s = (double) config->sim.interval_s;
	int32_t t = episode->steps++;
	episode->reward += counts ? reward : 0.0;
	episode->length += counts;
	episode->pod_hours += (double) info->pod_s / 3600.0;
	episode->soft_s += (double) info->slow_soft * step_s;
	episode->hard_s += (double) info->slow_hard * step_s;
	if (t >= EPISODE_STEPS_MAX)
		return;
	episode->replicas[t] = (int16_t) info->replicas;
	episode->latency_ms[t] = info->p95_ms;
	episode->rps[t] = info->rps;
}

/* One greedy episode of all rows together; it goes on where an outage would cut one of training, so that all are of one length. */
static int play(Trainer *trainer, const Net *net, EnvBuf *buf, float *scratch, EvalEpisode *episode, size_t n)
{
	Env *env = trainer->config.live;
	EnvSpec spec;
	env->ops->spec(env, &spec);
	ActionSet set = trainer->config.info.actions;
	float logits[ACTIONS_MAX];
	bool is_over[EVAL_EPISODES_MAX] = { false }; /* by termination: what follows does not count */
	int code = env->ops->look(env, buf);
	for (int32_t t = 0; t < spec.episode_steps && !code; t++) {
		for (size_t i = 0; i < env->n && !code; i++) {
			net_forward(net, buf->obs + i * (size_t) spec.obs_dim, 1, logits, NULL, scratch);
			code = greedy(set, logits, trainer->config.ppo.use_masks ? buf->mask + i * (size_t) spec.n_actions : NULL, &buf->action[i]);
		}
		if (!code)
			code = env->ops->step(env, 0, env->n, buf);
		for (size_t i = 0; i < n && !code; i++) {
			note_step(&episode[i], &trainer->config, &buf->info[i], (double) buf->reward[i], !is_over[i]);
			is_over[i] |= buf->terminated[i];
		}
	}
	return code;
}

int trainer_live_evaluate(Trainer *trainer, Error *err)
{
	const TrainerConfig *config = &trainer->config;
	Env *env = config->live;
	size_t n = (size_t) config->eval_episodes;
	EnvSpec spec;
	EnvBuf buf = { 0 };
	env->ops->spec(env, &spec);
	const Net *net = ppo_net(trainer->ppo);
	float *scratch = calloc(net_scratch_floats(net, 1), sizeof *scratch);
	int code = !scratch || env_buf_init(&buf, env->n, &spec) ? ERR_NOMEM : 0;
	memset(trainer->episode, 0, (n + 1) * sizeof *trainer->episode);
	live_env_aside(env, true);
	trainer->is_collecting = true; /* of whatever is asked meanwhile, what needs the environments waits */
	for (size_t i = 0; i < n && !code; i += env->n)
		code = play(trainer, net, &buf, scratch, trainer->episode + i, n - i < env->n ? n - i : env->n);
	trainer->is_collecting = false;
	live_env_aside(env, false);
	env_buf_done(&buf);
	free(scratch);
	return code ? error_set(err, code, "evaluation: %s", err_text(code)) : 0;
}
