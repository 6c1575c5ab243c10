/* See view.h. */
#include "base/view.h"

#include "base/mem.h"

#include <string.h>

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
