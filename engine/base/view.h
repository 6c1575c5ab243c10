/*
 * What the workers show: plain structs, published as snapshots (snap.h), read by the console and by tests.
 *
 * Every figure here is also in the store; nothing is computed for the screen alone. Unknown is NAN (or -1 where a
 * count says so), and the screen prints it as "?".
 */
#ifndef MAESTRO_BASE_VIEW_H
#define MAESTRO_BASE_VIEW_H

#include "base/command.h"
#include "base/sink.h"
#include "base/types.h"

enum {
	VIEW_POINTS = 512,    /* of a curve; when full, every second one is dropped */
	VIEW_EVALS = 128,
	VIEW_TICKS = 16,
	VIEW_ROWS = 64,       /* last decisions */
	VIEW_HISTORY = 720,   /* of a target's signals, one a cycle */
	VIEW_ANSWERS = 8,
	VIEW_PODS = 24,
};

/* The answer to a command (command.h), newest last. */
typedef struct CommandAnswer {
	int64_t id;
	int code;       /* 0, or ERR_* */
	char text[120];
} CommandAnswer;

typedef struct CommandAnswers {
	int32_t n;
	CommandAnswer answer[VIEW_ANSWERS];
} CommandAnswers;

/* Appends an answer; the oldest goes when the ring is full. */
void answers_add(CommandAnswers *answers, int64_t id, int code, const char *text);

/* ---- training ---- */

typedef enum TrainPhase { TRAIN_STARTING, TRAIN_RUNNING, TRAIN_PAUSED, TRAIN_EVALUATING, TRAIN_DONE, TRAIN_STOPPED,
	TRAIN_FAILED } TrainPhase;

typedef struct TrainPoint { /* one update, or one in `stride` */
	int64_t steps;
	float value[TRAIN_METRIC_COUNT];
	float env_least, env_middle, env_most; /* over environments: reward of the last episode that each ended; NAN: none has */
} TrainPoint;

typedef struct EvalPoint {
	int64_t steps;
	float mean_reward, std_reward, mean_ep_length;
	bool is_best;
} EvalPoint;

typedef struct TrainTick { /* somebody changed something: a labelled mark on every curve */
	int64_t steps;
	char label[24];
} TrainTick;

typedef struct EpisodeView { /* replica history of one episode */
	int32_t n;        /* steps; 0: none yet */
	double reward;
	int16_t replicas[EPISODE_STEPS_MAX];
} EpisodeView;

typedef struct TrainView {
	int64_t run_id;
	char name[64];
	char traffic[64];            /* trace or generator */
	char setting[PARAM_COUNT][PARAM_TEXT]; /* what a person may change, in the words of COMMAND_TRAIN_SET; "": not known */
	char traces[200];            /* names that "traffic" takes */
	uint64_t seed;
	TrainPhase phase;
	char trouble[120];           /* in words; "" when there is none */
	bool is_live;                /* on a cluster: a step is an interval of real time */
	int32_t rollout_step, rollout_steps; /* live: of the rollout under way */
	int64_t next_step_wall_ms;   /* live: when the step under way ends; 0: none is */
	int64_t update, n_updates;   /* done, planned */
	int64_t steps, total_steps;
	double wall_s;               /* of this process, without pauses */
	double steps_per_s;          /* over the last 10 s; NAN before there is an update */
	double eta_s;                /* NAN: not known */
	double now[TRAIN_METRIC_COUNT]; /* of the last update */
	int32_t n_envs;              /* 0: not known */
	int32_t n_points;
	int64_t stride;              /* updates a point */
	TrainPoint point[VIEW_POINTS];
	int32_t n_evals;
	EvalPoint eval[VIEW_EVALS];
	int32_t n_ticks;
	TrainTick tick[VIEW_TICKS];
	EpisodeView last_eval, last_eval_hpa; /* the same traffic under the policy and under the HPA rule */
	double time_share[4];        /* env, infer, learn, other; sum 1 */
	int64_t checkpoint_steps;    /* -1: none yet */
	int64_t checkpoint_wall_ms;
	char checkpoint_path[256];
	char saved_path[256];        /* of a run that has ended: its policy's file, the best where one was kept; "": none */
	int64_t sink_dropped;
	CommandAnswers answers;
} TrainView;

/* ---- a target's loop ---- */

typedef struct DecisionRow {
	int64_t wall_ms;
	char who[24];        /* "policy", "guard", or the person's name */
	Sample sample;       /* pods is NULL */
	Decision decision;
	int64_t write_us;    /* -1: nothing was written */
} DecisionRow;

typedef struct HistoryPoint { /* NAN and -1: not known, drawn as a gap */
	int64_t wall_ms;
	float latency_ms, rps, cpu_cores, mem_bytes;
	int16_t replicas, ready, hpa;
} HistoryPoint;

typedef struct SourceHealth {
	bool is_known;       /* asked at least once */
	bool is_ok;
	float duration_ms;   /* of the last good answer; NAN */
	int64_t good_wall_ms; /* when it last answered well; 0: never */
	char text[96];       /* what is wrong, or a version */
} SourceHealth;

typedef struct PodView { /* of the newest sample; NAN and -1: not known */
	char name[24];       /* its end, which tells it from the others of its Deployment; "": the source names none */
	bool is_ready, is_going;
	float cpu_cores, cpu_request_cores;
	int64_t age_ms;
} PodView;

typedef struct Condition { /* CONTROL B.7 */
	int32_t status;      /* 1 true, 0 false, -1 unknown */
	char reason[40];
	char message[120];
	int64_t since_wall_ms; /* of the last change of status */
} Condition;

/* Since the start, for /metrics and the console. */
typedef struct LoopCounters {
	int64_t decisions[4][2];    /* by action + 1, by applied */
	int64_t scales[2][2];       /* by up, by failed */
	int64_t guards[GUARD_COUNT];
	int64_t holds[REASON_COUNT], fallbacks[REASON_COUNT]; /* cycles */
	int64_t reversals;
	double soft_s, hard_s;      /* with p95 over the limit */
} LoopCounters;

/* A target's state but for its past. A loop works on this alone: its past, nine tenths of a view, lies in the newest snapshot. */
#define LIVE_HEAD \
	int64_t run_id;                                                                                                   \
	char context[64];            /* "simulator", or the kubeconfig's context */                                       \
	Target target;                                                                                                    \
	TargetState state;                                                                                                \
	Reason state_reason;                                                                                              \
	char state_detail[192];                                                                                           \
	char policy[64];                                                                                                  \
	int64_t policy_steps;        /* training steps of a policy in training; -1: a file's */                           \
	bool is_simulated;                                                                                                \
	bool is_readonly;                                                                                                 \
	int64_t wall_ms;             /* of the target, when this was published */                                         \
	double speed;                /* target seconds a real second: 1 when live */                                      \
	float interval_s;                                                                                                 \
	int64_t next_decision_wall_ms;                                                                                    \
	int64_t cycles;                                                                                                   \
	DecisionRow last;            /* the newest decision */                                                            \
	int32_t manual_replicas;     /* -1: no override */                                                                \
	int64_t manual_until_wall_ms; /* of the target's time */                                                          \
	char manual_who[64];                                                                                              \
	SourceHealth metrics, api, model;                                                                                 \
	double pod_hours;            /* since the start */                                                                \
	double slo_total_s, slo_good_s; /* seconds with a known p95, and those at or under the soft limit */              \
	int64_t sink_dropped;                                                                                             \
	CommandAnswers answers;                                                                                           \
	char owner[160];             /* another autoscaler that has the target; "": none */                               \
	Condition condition[CONDITION_COUNT];                                                                             \
	LoopCounters counters;                                                                                            \
	int64_t duration_us[4];      /* of the last cycle: query, inference, write, all; -1: not done */                  \
	char model_sha256[65];       /* SHA-256 of the policy's file; "": none */                                         \
	int32_t obs_version;         /* of the policy; 0: none */                                                         \
	ActionSet mask_of;           /* what the mask's bits are */                                                       \
	uint32_t mask;               /* of the last decision: bit a set, action a was allowed; 0: nothing was observed */ \
	char written_version[64];    /* resourceVersion that the last decision wrote; "" */                               \
	int32_t n_pods;              /* here, the first of those listed; 0: the source lists none */                             \
	PodView pod[VIEW_PODS];                                                                                           \
	int32_t obs_dim;             /* the newest observation; 0: none yet */                                            \
	float obs[OBS_MAX];

typedef struct LiveHead { LIVE_HEAD } LiveHead;

typedef struct LiveView {
	union {
		LiveHead head;
		struct { LIVE_HEAD };
	};
	int32_t n_rows;
	DecisionRow row[VIEW_ROWS];         /* newest first */
	int32_t n_history;
	HistoryPoint history[VIEW_HISTORY]; /* oldest first */
} LiveView;

/* ---- the policies of runs, side by side on one trace ---- */

enum { REPLAY_RUNS = 8, REPLAY_STEPS = 480 };

typedef struct ReplayQuery {
	int32_t n;
	int64_t run[REPLAY_RUNS]; /* trainings; the first one's world is everybody's */
	int32_t trace;            /* counted around those of that world */
} ReplayQuery;

typedef struct ReplayEntry { /* one episode; unknown is NAN */
	char why[120];            /* it could not be played; "" */
	double reward, v_pct, pod_hours, flips, p95_ms; /* as of EpisodeFigures */
	int32_t n;                /* steps */
	int16_t replicas[REPLAY_STEPS];
	float latency_ms[REPLAY_STEPS];
} ReplayEntry;

typedef struct ReplayView { /* the answer, published again with each entry */
	int64_t query_id;
	char trace[64];
	char why[120];            /* nothing can be played; "" */
	float soft_ms, interval_s;
	int32_t n, n_done;        /* n runs and, last, the HPA rule */
	ReplayEntry entry[REPLAY_RUNS + 1];
} ReplayView;

/* ---- a policy, looked at from all sides ---- */

enum { POLICY_COLS = 60, POLICY_ROWS = 40, POLICY_CELLS = POLICY_COLS * POLICY_ROWS, INPUT_NAME = 32 };

typedef struct PolicyQuery {
	char target[NAMESPACE_MAX + NAME_MAX_K8S]; /* "namespace/name" whose policy and moment it is; "": the first */
	int32_t x, y;              /* inputs on the axes; -1: its own choice */
	int32_t nx, ny;            /* cells wanted; bounded by POLICY_COLS and POLICY_ROWS */
	uint64_t fixed;            /* bit i: input i is value[i], not what it is now */
	float value[OBS_MAX];
} PolicyQuery;

typedef struct PolicyInput {
	char name[INPUT_NAME];
	char meaning[64];          /* in a few words; "": not known */
	float now;                 /* at the cursor: live, or as fixed; NAN: not known */
	float lo, hi;              /* of an axis */
	float seen_lo, seen_hi;    /* in training; NAN: not known */
	float effect;              /* on P(up), of the value against what is usual for it, the rest kept; NAN: not known */
} PolicyInput;

enum { CELL_OUTSIDE = 1 /* unlike anything in training */, CELL_ODD = 2 /* more load, less up than in the cell before */ };

typedef struct PolicyView { /* the answer to a PolicyQuery */
	int64_t query_id;
	int32_t code;              /* 0, or ERR_* with text */
	char text[120];
	char policy[64];
	int64_t steps;             /* of training; -1: a rule */
	bool is_rule;              /* no probabilities: the choice is 1 */
	int32_t n_inputs;
	PolicyInput input[OBS_MAX];
	int32_t x, y, nx, ny, n_cells;
	float up[POLICY_CELLS], keep[POLICY_CELLS], down[POLICY_CELLS]; /* row by row, y upwards from lo */
	float value[POLICY_CELLS]; /* the critic's; NAN: none */
	int16_t hpa[POLICY_CELLS]; /* replicas that the HPA would set; -1: not known */
	int16_t here[POLICY_CELLS]; /* replicas there; -1: not known */
	int32_t flag[POLICY_CELLS]; /* CELL_* */
	float p_now[3];            /* at the cursor: down, keep, up */
	int32_t hpa_now;           /* -1: not known */
	int32_t flip_input;        /* the nearest change of one input, of those that training varied, that changes the choice; -1: none */
	float flip_value;
} PolicyView;

#endif
