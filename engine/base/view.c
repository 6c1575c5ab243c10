/* See view.h. */
#include "base/view.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

void target_full_name(const Target *target, char *text, size_t size)
{
	(void) snprintf(text, size, "%s/%s", target->namespace_, target->name);
}

static const struct {
	const char *name, *label;
} PARAMS[PARAM_COUNT] = {
	[PARAM_LEARNING_RATE] = { "learning_rate", "lr" }, [PARAM_ENT_COEF] = { "ent_coef", "entropy" },
	[PARAM_CLIP_RANGE] = { "clip_range", "clip" }, [PARAM_STEPS] = { "steps", "steps" },
	[PARAM_TRAFFIC] = { "traffic", "traffic" }, [PARAM_CHAOS] = { "chaos", "chaos" },
};

const char *train_param_name(TrainParam param)
{
	return param < PARAM_COUNT ? PARAMS[param].name : "?";
}

const char *train_param_label(TrainParam param)
{
	return param < PARAM_COUNT ? PARAMS[param].label : "?";
}

TrainParam train_param_find(const char *name)
{
	TrainParam param = PARAM_LEARNING_RATE;
	while (param < PARAM_COUNT && strcmp(name, PARAMS[param].name) != 0)
		param++;
	return param;
}

void answers_add(CommandAnswers *answers, int64_t id, int code, const char *text)
{
	if (answers->n == VIEW_ANSWERS)
		memmove(answers->answer, answers->answer + 1, (VIEW_ANSWERS - 1) * sizeof *answers->answer);
	else
		answers->n++;
	CommandAnswer *answer = &answers->answer[answers->n - 1];
	*answer = (CommandAnswer) { .id = id, .code = code };
	str_copy(answer->text, sizeof answer->text, text);
}
