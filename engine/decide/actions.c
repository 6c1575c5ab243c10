/* See actions.h. A set is a table. */
#include "decide/actions.h"

#include "base/err.h"

#include <math.h>
#include <string.h>

typedef struct Action {
	const char *name;
	int32_t pods, percent; /* of the present number, one of both */
} Action;

static const Action THREE[] = { { "down", -1, 0 }, { "keep", 0, 0 }, { "up", 1, 0 } };
static const Action WIDE[] = {
	{ "-25%", 0, -25 }, { "-1", -1, 0 }, { "0", 0, 0 }, { "+1", 1, 0 }, { "+25%", 0, 25 }, { "+50%", 0, 50 }, { "+100%", 0, 100 },
};
static const struct {
	const char *word;
	const Action *action;
	int32_t n;
} SETS[ACTION_SETS] = {
	[ACTIONS_THREE] = { "three", THREE, sizeof THREE / sizeof *THREE },
	[ACTIONS_WIDE] = { "wide", WIDE, sizeof WIDE / sizeof *WIDE },
};
_Static_assert(sizeof WIDE / sizeof *WIDE <= ACTIONS_MAX, "more actions than a decision has room for");

int32_t actions_count(ActionSet set)
{
	return SETS[set].n;
}

const char *actions_name(ActionSet set, int32_t action)
{
	return action >= 0 && action < SETS[set].n ? SETS[set].action[action].name : "?";
}

const char *actions_word(ActionSet set)
{
	return SETS[set].word;
}

bool actions_read(const char *word, ActionSet *ret_set)
{
	for (int set = 0; set < ACTION_SETS; set++)
		if (!strcmp(word, SETS[set].word)) {
			*ret_set = (ActionSet) set;
			return true;
		}
	return false;
}

int32_t actions_direction(ActionSet set, int32_t action)
{
	const Action *a = &SETS[set].action[action];
	int32_t sign = a->pods + a->percent;
	return sign > 0 ? ACTION_UP : sign < 0 ? ACTION_DOWN : ACTION_KEEP;
}

int32_t actions_wish(ActionSet set, int32_t action, int32_t replicas)
{
	const Action *a = &SETS[set].action[action];
	if (!a->percent)
		return replicas < INT32_MAX || a->pods <= 0 ? replicas + a->pods : INT32_MAX;
	int64_t hundredths = (int64_t) a->percent * replicas;
	int64_t pods = (hundredths > 0 ? hundredths + 99 : hundredths - 99) / 100; /* 0 stays 0: -99 / 100 */
	int64_t wish = replicas + a->pods + pods;
	return wish > INT32_MAX ? INT32_MAX : (int32_t) wish;
}

uint32_t actions_mask(ActionSet set, int32_t replicas, int32_t min_replicas, int32_t max_replicas)
{
	uint32_t mask = 0;
	int32_t wish[ACTIONS_MAX];
	for (int32_t a = 0; a < SETS[set].n; a++) {
		wish[a] = actions_wish(set, a, replicas);
		bool is_new = wish[a] != replicas && wish[a] >= min_replicas && wish[a] <= max_replicas;
		for (int32_t b = 0; b < a && is_new; b++)
			is_new = wish[b] != wish[a];
		if (is_new || actions_direction(set, a) == ACTION_KEEP)
			mask |= 1u << a;
	}
	return mask;
}

int actions_choose(ActionSet set, const float *logits, uint32_t mask, float share[ACTION_COUNT], int32_t *ret_action)
{
	int32_t n = SETS[set].n, best[ACTION_COUNT] = { ACTION_NONE, ACTION_NONE, ACTION_NONE }, top = ACTION_NONE, direction = ACTION_NONE;
	float sum = 0.0f;
	for (int32_t a = 0; a < n; a++) {
		if (!isfinite(logits[a]))
			return ERR_NONFINITE;
		int32_t *in = &best[actions_direction(set, a)];
		if (!(mask >> a & 1))
			continue;
		if (*in == ACTION_NONE || logits[a] > logits[*in])
			*in = a;
		if (top == ACTION_NONE || logits[a] > logits[top])
			top = a;
	}
	if (top == ACTION_NONE)
		return ERR_NO_DATA;
	share[ACTION_DOWN] = share[ACTION_KEEP] = share[ACTION_UP] = 0.0f;
	for (int32_t a = 0; a < n; a++)
		share[actions_direction(set, a)] += mask >> a & 1 ? expf(logits[a] - logits[top]) : 0.0f;
	for (int32_t d = 0; d < ACTION_COUNT; d++) {
		sum += share[d];
		if (best[d] != ACTION_NONE && (direction == ACTION_NONE || share[d] > share[direction]))
			direction = d;
	}
	for (int32_t d = 0; d < ACTION_COUNT; d++)
		share[d] /= sum;
	*ret_action = best[direction];
	return 0;
}
