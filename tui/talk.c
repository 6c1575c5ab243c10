/* See talk.h. */
#include "tui/talk.h"

#include "base/mem.h"

#include <stdlib.h>

enum { PATIENCE_MS = 10000 };

void talk_init(Talk *talk, Feed *feed)
{
	int64_t id = 0;
	*talk = (Talk) { .asked_slot = SLOT_RUNS };
	talk->is_offered = feed->ops->ask(feed, &talk->asked, &id) != ERR_NOT_FOUND;
	talk->asked_id = id;
}

void talk_done(Talk *talk)
{
	for (int i = 0; i < SLOT_COUNT; i++)
		free(talk->slot[i].answer);
}

int talk_take(Talk *talk, const ArchiveAnswer *answer, int64_t now_ms)
{
	if (!answer || !talk->asked_id || answer->query_id != talk->asked_id)
		return -1;
	Slot *slot = &talk->slot[talk->asked_slot];
	talk->asked_id = 0;
	if (!slot->answer)
		slot->answer = calloc(1, sizeof *slot->answer);
	if (!slot->answer)
		return -1;
	if (answer->code == ERR_PARSE && slot->query.ask == answer->ask) { /* a filter that cannot be read: the old rows stay */
		slot->answer->code = answer->code;
		slot->answer->fault_col = answer->fault_col;
		str_copy(slot->answer->text, sizeof slot->answer->text, answer->text);
	} else {
		*slot->answer = *answer;
	}
	slot->query = talk->asked;
	slot->at_ms = now_ms;
	return (int) talk->asked_slot;
}

bool talk_ask(Talk *talk, Feed *feed, SlotId slot, const ArchiveQuery *query, int64_t now_ms)
{
	int64_t id = 0;
	if (!talk->is_offered || (talk->asked_id && now_ms - talk->asked_at_ms < PATIENCE_MS) || feed->ops->ask(feed, query, &id))
		return false;
	talk->asked_id = id;
	talk->asked_slot = slot;
	talk->asked_at_ms = now_ms;
	talk->asked = *query;
	return true;
}

const ArchiveAnswer *talk_answer(const Talk *talk, SlotId slot)
{
	return talk->slot[slot].answer;
}
