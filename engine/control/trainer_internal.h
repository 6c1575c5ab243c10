/* What the files of the trainer share. Not for others. */
#ifndef MAESTRO_CONTROL_TRAINER_INTERNAL_H
#define MAESTRO_CONTROL_TRAINER_INTERNAL_H

#include "base/mem.h"
#include "base/queue.h"
#include "control/evaluate.h"
#include "control/trainer.h"
#include "rl/model.h"

enum { RATE_SAMPLES = 24 };

typedef struct RateSample {
	int64_t mono_ms, steps;
} RateSample;

typedef struct BestSave { /* the best policy's file, on its way to the disk while training goes on */
	Net *net;               /* NULL: none is, and code is of the last */
	ModelInfo info;
	const char *path;
	pthread_t thread;
	bool is_beside;         /* by the thread; else it is done */
	int code;
	Error err;
} BestSave;

struct Trainer {
	TrainerConfig config;
	Queue commands;
	SnapBus views;
	pthread_t thread;
	bool is_started;
	Policy *follower;       /* lent; NULL: none */
	Env *env;
	Ppo *ppo;
	int64_t next_eval;      /* steps */
	double best_reward;
	bool has_best;
	BestSave best;
	int64_t updates;        /* done, over the whole run */
	int64_t start_steps;    /* of this process */
	int64_t busy_ms;        /* of this process, without pauses */
	int64_t last_publish_ms, last_checkpoint_ms;
	EvalEpisode *episode;   /* [eval_episodes] scratch */
	RecordEpisode row0;     /* the running episode of environment 0, filled in while it is stepped */
	int32_t row0_steps;
	double row0_reward;
	bool row0_is_partial;   /* after a resume: its first steps are not known */
	double *ended;          /* [n_envs] scratch */
	bool checkpoint_fails;
	bool is_collecting;     /* a live rollout is under way */
	bool is_cut;            /* and was stopped in the middle: the last checkpoint stands */
	bool is_stopping;       /* by a person or the owner */
	int32_t changes;        /* of parameters, over the whole run */
	RecordEpisode last_episode; /* of row 0; length 0: recorded already */
	int64_t last_episode_ms;
	RateSample rate[RATE_SAMPLES];
	int32_t n_rate;
	TrainView view;
};

/* trainer.c */
bool trainer_is_over(const Trainer *trainer);
int trainer_run_update(Trainer *trainer); /* 0, or what failed of it: the view says what follows */
void trainer_fail(Trainer *trainer, const Error *err);

/* trainer_commands.c */
/* False: stop. */
bool trainer_handle(Trainer *trainer, const Command *command);
/* Makes the changes of config.change[] whose time has come. */
void trainer_replay_due(Trainer *trainer);

/* trainer_live.c */
void trainer_live_begin(Trainer *trainer);
/* As evaluate_policies, of a greedy copy of the net on the live environment. ERR_CLOSED: stopped meanwhile. */
int trainer_live_evaluate(Trainer *trainer, Error *err);

/* trainer_save.c */
/* A checkpoint that stays beside the last one, ckpt-STEPS.ckpt. */
int trainer_keep_checkpoint(Trainer *trainer, Error *err);
int trainer_save_checkpoint(Trainer *trainer, Error *err);
int trainer_load_checkpoint(Trainer *trainer, const char *path, Error *err);
int trainer_save_model(const Trainer *trainer, const char *path, Error *err);

/* trainer_eval.c */
/* Leaves the best policy's file under way. */
int trainer_evaluate(Trainer *trainer, Error *err);
/* Waits for that file, where one is under way, and records it. What counts on it comes after: a checkpoint, the run's end. A file
 * that could not be written is told each time. */
int trainer_settle_best(Trainer *trainer, Error *err);

/* trainer_view.c */
void trainer_view_init(Trainer *trainer);
/* The plan after total_steps changed. */
void trainer_view_total(Trainer *trainer);
void trainer_view_update(Trainer *trainer, const RecordUpdate *update);
void trainer_view_eval(Trainer *trainer, const RecordEval *eval);
void trainer_tick(Trainer *trainer, const char *label);
void trainer_publish(Trainer *trainer);
Record trainer_record(const Trainer *trainer, RecordKind kind);
/* Keeps the last finished episode of environment 0, one a second at most. */
void trainer_record_episode(Trainer *trainer);
void trainer_on_step(void *arg, size_t row, const EnvBuf *buf);

#endif
