/* See view.h. */
#include "base/view.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

void target_full_name(const Target *target, char *text, size_t size)
{
	(void) snprintf(text, size, "%s/%s", target->namespace_, target->name);
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
