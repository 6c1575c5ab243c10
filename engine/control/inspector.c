/* See inspector.h. */
#include "control/inspector.h"

#include "base/mem.h"
#include "base/queue.h"
#include "decide/actions.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { QUESTIONS = 4, FLIP_STEPS = 64, PODS_MOST = 64, LONG_AFTER_MS = 3600000 };

typedef struct Question {
	int64_t id;
	PolicyQuery query;
} Question;

struct Inspector {
	Loop *const *loops;
	int n_loops;
	Queue questions;
	SnapBus views;
	pthread_t thread;
	int64_t next_id; /* of the asker's thread */
};

/* What a look needs at hand. */
typedef struct Look {
	Policy *policy, *rule;
	ObsSpec spec;
	const LiveView *live;
	PolicyView *view;
	float x[OBS_MAX];
	PodSample pod[PODS_MOST];
	Sample sample;
} Look;

/* ---- from inputs to a sample ---- */

enum { CPU, MEM, REPLICAS, LATENCY, RPS };

/* The thesis's five inputs name a sample; others do not, and the rule is not asked. */
static bool has_sample(const Look *look)
{
	return look->spec.kind == OBS_SEED;
}

/* Where replicas stand among the inputs; -1: nowhere. */
static int32_t replicas_of(const Look *look, const float *x)
{
	return has_sample(look) ? (int32_t) lrintf(x[REPLICAS]) : look->live->last.sample.replicas;
}

/* So many pods that share the load evenly, long ready, freshly measured. */
static void make_sample(Look *look, const float *x)
{
	const Sample *now = &look->live->last.sample;
	int32_t replicas = replicas_of(look, x);
	look->sample = *now;
	look->sample.replicas = look->sample.ready = replicas;
	look->sample.valid = SAMPLE_ALL;
	if (!has_sample(look))
		return;
	look->sample.cpu_cores = (double) x[CPU] / 100;
	look->sample.mem_bytes = (double) x[MEM] * 512 * 1048576 * (replicas > 0 ? replicas : 1);
	look->sample.latency_ms = (double) x[LATENCY];
	look->sample.rps = (double) x[RPS];
	double request_m = now->cpu_request_cores * 1000;
	size_t n = replicas > 0 && replicas <= PODS_MOST ? (size_t) replicas : 0;
	for (size_t i = 0; i < n; i++)
		look->pod[i] = (PodSample) { .phase = POD_RUNNING, .ready = READY_TRUE, .has_start_time = true,
			.has_request = request_m > 0, .has_usage = true, .start_age_ms = 3600000, .ready_age_ms = 3600000,
			.request_m = (int64_t) request_m, .usage_m = (int64_t) (look->sample.cpu_cores * 1000 / (double) n),
			.sample_age_ms = 1000, .window_ms = 30000 };
	look->sample.pods = look->pod;
	look->sample.n_pods = n;
}

static bool decide(Look *look, Policy *policy, const float *x, Decision *ret)
{
	Observation obs = { .dim = look->view->n_inputs, .target = &look->live->target, .sample = &look->sample };
	memcpy(obs.x, x, sizeof obs.x);
	make_sample(look, x);
	int32_t n = look->sample.replicas;
	obs.mask = actions_mask(policy->actions, n, look->live->target.min_replicas, look->live->target.max_replicas);
	*ret = (Decision) { .action = ACTION_NONE, .value = NAN };
	if (policy->ops->reset) { /* first sights count: the same moment again, long after, is what it settles on */
		policy->ops->reset(policy);
		(void) policy->ops->decide(policy, &obs, 1, ret);
		look->sample.wall_ms += LONG_AFTER_MS;
	}
	return !policy->ops->decide(policy, &obs, 1, ret) && ret->action != ACTION_NONE;
}

static void probabilities(const Decision *d, bool is_known, float p[ACTION_COUNT])
{
	for (int a = 0; a < ACTION_COUNT; a++)
		p[a] = !is_known ? NAN : d->n_actions == ACTION_COUNT ? d->probability[a] : d->action == a ? 1.0f : 0.0f;
}

static int16_t ask_rule(Look *look, const float *x)
{
	Decision d;
	if (!look->rule || !has_sample(look) || !decide(look, look->rule, x, &d))
		return -1;
	return (int16_t) d.raw;
}

/* ---- inputs ---- */

static int by_value(const void *a, const void *b)
{
	float x = *(const float *) a, y = *(const float *) b;
	return (x > y) - (x < y);
}

/* The median of what memory holds of one of the five; NAN for others, and without any. */
static float usual(const Look *look, int32_t i)
{
	float value[VIEW_HISTORY];
	size_t n = 0;
	for (int32_t k = 0; k < look->live->n_history && has_sample(look); k++) {
		const HistoryPoint *p = &look->live->history[k];
		float per = p->replicas > 0 ? (float) p->replicas : 1;
		const float of[] = { p->cpu_cores * 100, p->mem_bytes / (512 * 1048576.0f * per), (float) p->replicas, p->latency_ms, p->rps };
		if (!isnan(of[i]) && p->replicas >= 0)
			value[n++] = of[i];
	}
	qsort(value, n, sizeof *value, by_value);
	if (n)
		return value[n / 2];
	const PolicyInput *input = &look->view->input[i];
	return isnan(input->seen_lo) ? NAN : (input->seen_lo + input->seen_hi) / 2;
}

/* An axis reaches a little past what was seen in training; else from nothing to twice as much as now. */
static void set_axis(const Look *look, int32_t i)
{
	PolicyInput *input = &look->view->input[i];
	const Target *target = &look->live->target;
	if (has_sample(look) && i == REPLICAS) {
		input->lo = (float) target->min_replicas;
		input->hi = (float) target->max_replicas;
		return;
	}
	if (isnan(input->seen_lo)) {
		float most = isnan(input->now) ? 1 : fmaxf(2 * fabsf(input->now), 1);
		input->lo = input->now < 0 ? -most : 0;
		input->hi = most;
		return;
	}
	float room = (input->seen_hi - input->seen_lo) * .15f;
	input->lo = input->seen_lo >= 0 ? fmaxf(0, input->seen_lo - room) : input->seen_lo - room;
	input->hi = fmaxf(input->seen_hi + room, isnan(input->now) ? -INFINITY : input->now);
	if (!(input->hi > input->lo))
		input->hi = input->lo + 1;
}

static void list_inputs(Look *look, const PolicyQuery *query)
{
	PolicyView *view = look->view;
	view->n_inputs = has_sample(look) || look->live->obs_dim < 1 ? OBS_SEED_DIM : look->live->obs_dim;
	for (int32_t i = 0; i < view->n_inputs; i++) {
		PolicyInput *input = &view->input[i];
		*input = (PolicyInput) { .now = look->live->obs_dim > i ? look->live->obs[i] : NAN, .seen_lo = NAN, .seen_hi = NAN,
			                 .effect = NAN };
		str_copy(input->name, sizeof input->name, observer_feature(look->spec, i));
		str_copy(input->meaning, sizeof input->meaning, observer_meaning(look->spec, i));
		if (query->fixed >> i & 1)
			input->now = query->value[i];
		if (look->policy->ops->range)
			(void) look->policy->ops->range(look->policy, i, &input->seen_lo, &input->seen_hi);
		set_axis(look, i);
		look->x[i] = input->now;
	}
}

/* What a person asks first: rate over replicas; else the first two. */
static void choose_axes(Look *look, const PolicyQuery *query)
{
	PolicyView *view = look->view;
	view->x = has_sample(look) ? RPS : 0;
	view->y = has_sample(look) ? REPLICAS : 1;
	if (query->x >= 0 && query->x < view->n_inputs)
		view->x = query->x;
	if (query->y >= 0 && query->y < view->n_inputs && query->y != view->x)
		view->y = query->y;
	if (view->y == view->x)
		view->y = (view->x + 1) % view->n_inputs;
	view->nx = query->nx < 2 ? 2 : query->nx > POLICY_COLS ? POLICY_COLS : query->nx;
	view->ny = query->ny < 2 ? 2 : query->ny > POLICY_ROWS ? POLICY_ROWS : query->ny;
	const PolicyInput *y = &view->input[view->y];
	if (has_sample(look) && view->y == REPLICAS && y->hi - y->lo + 1 < (float) view->ny)
		view->ny = (int32_t) (y->hi - y->lo) + 1; /* a row a replica */
	view->ny = view->ny < 2 ? 2 : view->ny;
	view->n_cells = view->nx * view->ny;
}

/* ---- the grid ---- */

static bool is_outside(const PolicyView *view, const float *x)
{
	for (int32_t i = 0; i < view->n_inputs; i++) {
		const PolicyInput *input = &view->input[i];
		bool is_axis = i == view->x || i == view->y;
		if (is_axis && !isnan(input->seen_lo) && (x[i] < input->seen_lo || x[i] > input->seen_hi))
			return true;
	}
	return false;
}

/* Whether more of the x input is more load. */
static bool is_load(const PolicyInput *input)
{
	static const char *const LOADS[] = { "rps", "latency", "cpu", "rho", "slope" };
	for (size_t i = 0; i < sizeof LOADS / sizeof *LOADS; i++)
		if (strstr(input->name, LOADS[i]))
			return true;
	return false;
}

static void fill_cell(Look *look, int32_t cx, int32_t cy)
{
	PolicyView *view = look->view;
	const PolicyInput *x = &view->input[view->x], *y = &view->input[view->y];
	int32_t at = cy * view->nx + cx;
	float in[OBS_MAX], p[ACTION_COUNT];
	Decision d;
	memcpy(in, look->x, sizeof in);
	in[view->x] = x->lo + (x->hi - x->lo) * (float) cx / (float) (view->nx - 1);
	in[view->y] = y->lo + (y->hi - y->lo) * (float) cy / (float) (view->ny - 1);
	if (has_sample(look))
		in[REPLICAS] = rintf(in[REPLICAS]);
	bool is_known = decide(look, look->policy, in, &d);
	probabilities(&d, is_known, p);
	view->up[at] = p[ACTION_UP];
	view->keep[at] = p[ACTION_KEEP];
	view->down[at] = p[ACTION_DOWN];
	view->value[at] = d.value;
	view->here[at] = (int16_t) replicas_of(look, in);
	view->hpa[at] = ask_rule(look, in);
	bool is_odd = cx > 0 && is_load(x) && p[ACTION_UP] < view->up[at - 1] - .02f;
	view->flag[at] = (is_outside(view, in) ? CELL_OUTSIDE : 0) | (is_odd ? CELL_ODD : 0);
}

/* ---- at the cursor ---- */

static void find_flip(Look *look, int32_t choice)
{
	PolicyView *view = look->view;
	double nearest = INFINITY;
	view->flip_input = -1;
	for (int32_t i = 0; i < view->n_inputs; i++) {
		const PolicyInput *input = &view->input[i];
		float in[OBS_MAX], span = input->hi - input->lo;
		if (input->seen_lo >= input->seen_hi) /* never another value in training: what the model makes of one is chance */
			continue;
		memcpy(in, look->x, sizeof in);
		for (int k = 0; k <= FLIP_STEPS && span > 0; k++) {
			Decision d;
			in[i] = input->lo + span * (float) k / FLIP_STEPS;
			if (has_sample(look) && i == REPLICAS)
				in[i] = rintf(in[i]);
			double far = fabs((double) (in[i] - look->x[i]) / (double) span);
			if (far >= nearest || !decide(look, look->policy, in, &d) || d.action == choice)
				continue;
			nearest = far;
			view->flip_input = i;
			view->flip_value = in[i];
		}
	}
}

static void look_here(Look *look, bool has_fixed)
{
	PolicyView *view = look->view;
	Decision d;
	view->flip_input = -1;
	bool is_known = decide(look, look->policy, look->x, &d);
	int32_t choice = d.action;
	probabilities(&d, is_known, view->p_now);
	view->is_rule = is_known && d.n_actions != ACTION_COUNT;
	view->hpa_now = ask_rule(look, look->x);
	if (view->hpa_now < 0 && !has_sample(look) && !has_fixed && look->live->n_history) /* of such inputs no sample can be made: what it said */
		view->hpa_now = look->live->history[look->live->n_history - 1].hpa;
	if (!is_known)
		return;
	for (int32_t i = 0; i < view->n_inputs; i++) {
		float in[OBS_MAX], p[ACTION_COUNT];
		memcpy(in, look->x, sizeof in);
		in[i] = usual(look, i);
		if (isnan(in[i]) || !decide(look, look->policy, in, &d))
			continue;
		probabilities(&d, true, p);
		view->input[i].effect = view->p_now[ACTION_UP] - p[ACTION_UP];
	}
	find_flip(look, choice);
}

void inspector_look(const PolicyQuery *query, Policy *policy, Policy *rule, ObsSpec spec, const LiveView *live, PolicyView *view)
{
	Look look = { .policy = policy, .rule = rule, .spec = spec, .live = live, .view = view };
	if (!spec.kind || !policy->obs_version)
		look.spec.kind = OBS_SEED; /* a rule reads the sample, which the five inputs name */
	str_copy(view->policy, sizeof view->policy, live->policy);
	view->steps = live->policy_steps;
	if (!live->obs_dim && policy->obs_version) {
		view->code = ERR_NO_DATA;
		str_copy(view->text, sizeof view->text, "no observation yet");
		return;
	}
	list_inputs(&look, query);
	choose_axes(&look, query);
	look_here(&look, query->fixed != 0);
	for (int32_t cy = 0; cy < view->ny; cy++)
		for (int32_t cx = 0; cx < view->nx; cx++)
			fill_cell(&look, cx, cy);
}

/* ---- the thread ---- */

static Loop *loop_of(const Inspector *inspector, const char *target)
{
	for (int i = 0; i < inspector->n_loops; i++) {
		char name[NAMESPACE_MAX + NAME_MAX_K8S];
		target_full_name(&loop_config(inspector->loops[i])->target, name, sizeof name);
		if (!*target || !strcmp(name, target))
			return inspector->loops[i];
	}
	return NULL;
}

static void answer(const Inspector *inspector, const Question *question, PolicyView *view)
{
	Loop *loop = loop_of(inspector, question->query.target);
	const LoopConfig *config = loop ? loop_config(loop) : NULL;
	const LiveView *live = loop ? snap_acquire(loop_views(loop)) : NULL;
	Policy *policy = config && config->policy->ops->copy ? config->policy->ops->copy(config->policy) : NULL;
	Policy *rule = config && config->hpa && config->hpa->ops->copy ? config->hpa->ops->copy(config->hpa) : NULL;
	view->query_id = question->id;
	view->hpa_now = view->flip_input = -1;
	if (live && policy) {
		inspector_look(&question->query, policy, rule, config->observation, live, view);
	} else {
		view->code = ERR_NOT_FOUND;
		str_copy(view->text, sizeof view->text, live && config->policy->ops->copy ? "out of memory"
		         : live ? "this policy decides elsewhere and cannot be asked here" : "no such target");
	}
	policy_free(policy);
	policy_free(rule);
	snap_release(live);
}

static void *inspector_main(void *arg)
{
	Inspector *inspector = arg;
	Question question;
	while (!queue_pop(&inspector->questions, &question, -1)) {
		PolicyView *view = snap_new(sizeof *view);
		if (!view)
			continue; /* the asker asks again */
		answer(inspector, &question, view);
		snap_publish(&inspector->views, view);
	}
	return NULL;
}

int inspector_new(Loop *const *loops, int n_loops, Wake *wake, Inspector **ret_inspector)
{
	Inspector *inspector = calloc(1, sizeof *inspector);
	if (!inspector)
		return ERR_NOMEM;
	*inspector = (Inspector) { .loops = loops, .n_loops = n_loops, .next_id = 1 };
	snap_bus_init(&inspector->views, wake);
	int code = queue_init(&inspector->questions, sizeof(Question), QUESTIONS);
	if (!code && pthread_create(&inspector->thread, NULL, inspector_main, inspector)) {
		queue_done(&inspector->questions);
		code = ERR_NOMEM;
	}
	if (code) {
		snap_bus_done(&inspector->views);
		free(inspector);
		return code;
	}
	*ret_inspector = inspector;
	return 0;
}

void inspector_free(Inspector *inspector)
{
	if (!inspector)
		return;
	queue_close(&inspector->questions);
	(void) pthread_join(inspector->thread, NULL);
	queue_done(&inspector->questions);
	snap_bus_done(&inspector->views);
	free(inspector);
}

int inspector_ask(Inspector *inspector, const PolicyQuery *query, int64_t *ret_query_id)
{
	Question question = { .id = inspector->next_id, .query = *query };
	int code = queue_push(&inspector->questions, &question);
	if (!code)
		*ret_query_id = inspector->next_id++;
	return code;
}

SnapBus *inspector_views(Inspector *inspector)
{
	return &inspector->views;
}
