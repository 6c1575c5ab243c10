/*
 * Training on a thread of its own: PPO on the simulator, evaluation with best-model checkpoint, checkpoints to resume from.
 *
 * The trainer owns the Ppo and its environments from start to stop. Others read its snapshots (TrainView) and send Commands,
 * which are served between updates, and while a live environment waits for its next step.
 */
#ifndef MAESTRO_CONTROL_TRAINER_H
#define MAESTRO_CONTROL_TRAINER_H

#include "base/clock.h"
#include "base/command.h"
#include "base/sink.h"
#include "base/snap.h"
#include "base/view.h"
#include "rl/model.h"
#include "rl/ppo.h"
#include "sim/sim.h"

enum { EVAL_EPISODES_MAX = 256 };

typedef enum TrainEventKind { TRAIN_EVENT_UPDATE, TRAIN_EVENT_EVAL, TRAIN_EVENT_TROUBLE, TRAIN_EVENT_END } TrainEventKind;

typedef struct TrainEvent { /* lent for the call */
	TrainEventKind kind;
	const RecordUpdate *update;
	const RecordEval *eval;
	const Net *net;        /* EVAL, END: as it is */
	int64_t steps;         /* END: */
	double wall_s, steps_per_s;
	RunStatus status;
	const char *model;     /* END: path of the last policy; NULL: none was written */
	const char *best_model; /* END: NULL without an evaluation */
	const char *trouble;   /* TROUBLE: what a person should know, training goes on; END: what failed, or "" */
} TrainEvent;

typedef struct TrainChange { /* a parameter that was changed while a run trained */
	int64_t steps;       /* of training, before the update that saw it first */
	TrainParam param;
	char from[PARAM_TEXT]; /* "": what it was is not known yet */
	char to[PARAM_TEXT], who[64];
	bool is_recorded;    /* the store has its row */
} TrainChange;

typedef struct TrainerConfig { /* pointers are lent for the life of the trainer */
	PpoConfig ppo;
	Env *live;                  /* to train on, of kind `live`, instead of a simulator made of sim; evaluation is on it too */
	const Net *from;            /* a trained net to start from; NULL: drawn weights. Not read when resuming */
	SimConfig sim, eval_sim;
	ModelInfo info;             /* for the header of the model files; steps is filled in */
	double violation_budget;    /* > 0: what a violation costs follows from this mean of them (reward slo-lagrange) */
	int64_t total_steps;
	int64_t eval_every;         /* steps; 0: off */
	int32_t eval_episodes;      /* 1..EVAL_EPISODES_MAX */
	char name[64], traffic[64];
	char model_path[512], best_path[512], checkpoint_path[512];
	const char *resume_path;    /* a checkpoint to go on from; NULL: a new run */
	bool is_fork;               /* of another run: rates, steps and changes by hand are this configuration's */
	const TrainChange *change;  /* [n_changes] to be made again, in this order, at their steps */
	int32_t n_changes;
	int64_t stop_steps;         /* ends there, as the run that is repeated did, past a loss that is not finite too; 0: at total_steps */
	Clock *clock;
	Sink *sink;
	Wake *wake;
	int64_t run_id;
	bool has_console;           /* a person watches: their thread goes first, and a loss that is not finite pauses instead of failing */
	void (*on_event)(void *arg, const TrainEvent *event); /* on the trainer's thread; may be NULL */
	void *arg;
} TrainerConfig;

typedef struct Trainer Trainer;

/* Builds environments and net, and reads the checkpoint where there is one. ERR_INVALID, ERR_NOMEM, ERR_BAD_MODEL. */
int trainer_new(const TrainerConfig *config, Trainer **ret_trainer, Error *err);
void trainer_free(Trainer *trainer); /* accepts NULL; after trainer_stop */
int trainer_start(Trainer *trainer, Error *err);
/* Stops after the update under way, with a checkpoint; returns when the thread has ended. Accepts NULL. */
void trainer_stop(Trainer *trainer);

/* Before trainer_start: a copy of the net as it is (NULL: out of memory), and the model policy, made of such a copy and lent,
 * that gets each update's net (model_policy_swap). */
Net *trainer_net(const Trainer *trainer);
void trainer_follow(Trainer *trainer, Policy *policy);
int trainer_send(Trainer *trainer, const Command *command);
/* Of TrainView. */
SnapBus *trainer_views(Trainer *trainer);
/* Steps in a checkpoint file, for the store's run_begin. ERR_BAD_MODEL. */
int trainer_checkpoint_steps(const char *path, int64_t *ret_steps, Error *err);

#endif
