/* Options of `maestro train`: the table, the presets, and what they mean for the trainer. */
#ifndef MAESTRO_CMD_TRAIN_OPTS_H
#define MAESTRO_CMD_TRAIN_OPTS_H

#include "cmd/opts.h"
#include "cmd/run_target.h"
#include "control/trainer.h"
#include "sim/sim_options.h"

typedef struct TrainOptions {
	/* settings of the run */
	SimOptions sim;
	const char *name, *net_arch, *activation;
	int64_t eval_every, clone_steps;
	int32_t eval_episodes, n_steps, batch_size, n_epochs;
	const char *learning_rate, *clip_range, *clip_range_vf; /* schedules: X, or lin_X */
	double gamma, gae_lambda, ent_coef, vf_coef, max_grad_norm, target_kl;
	double violation_budget, even_advantage, teacher_coef;
	bool norm_obs, norm_reward, normalize_advantage, use_masking, critic_ahead;
	const char *env, *from, *chaos_by;
	double metric_window_s, max_hours, max_pod_hours, compression;
	OptList load_url;
	RunOptions run;      /* of --env live: targets, API, Prometheus; what training has too is filled in from above */
	/* of this process */
	const char *out, *tensorboard, *db, *screen, *glyphs, *color, *theme;
	bool has_mouse;
	int64_t resume, replay;
	double speed;
	int32_t seeds, threads;
	const char *on, *image, *pod_cpu, *pod_memory;
	bool is_headless, is_json;
} TrainOptions;

extern const OptCommand TRAIN_COMMAND, TUNE_COMMAND;

/* The preset's figures, then the environment's and the command line's. As opts_parse. */
int train_options_parse(const OptCommand *command, TrainOptions *options, int argc, char **argv);
/* The same as opts_read. */
int train_options_read(const OptCommand *command, TrainOptions *options, int argc, char **argv, Error *err);
/* For --resume, --replay and --from: the settings of that run alone, steps (> 0) in place of its own. Strings stay the object's. */
void train_options_load(TrainOptions *ret_options, const Json *config, int64_t steps);
/* Over them what the environment and the command line say again. As opts_parse. */
int train_options_again(TrainOptions *options, int argc, char **argv);

/* Fills what the options decide but for the traffic (sim_traffic_open): ppo, sim, eval_sim, info, totals, name. service NULL: the
 * default one. ERR_USAGE. */
int train_options_apply(const TrainOptions *options, const ServiceFile *service, TrainerConfig *ret_config, Error *err);
/* The model's header, once the traffic's name is in the config. ERR_NOMEM. */
int train_options_info(const TrainOptions *options, const ServiceFile *service, TrainerConfig *config, Error *err);

/* All settings, for the store; freed by free(). NULL: out of memory. */
char *train_options_json(const TrainOptions *options);

#endif
