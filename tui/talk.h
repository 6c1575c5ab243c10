/*
 * The console's talk with the store: one question at a time, answers copied into slots, never waited for.
 */
#ifndef MAESTRO_TUI_TALK_H
#define MAESTRO_TUI_TALK_H

#include "base/feed.h"

typedef enum SlotId { SLOT_RUNS, SLOT_RUN, SLOT_PAIR, SLOT_LOG, SLOT_PAST, SLOT_NEWS, SLOT_COUNT } SlotId;

typedef struct Slot {
	ArchiveAnswer *answer; /* owned; NULL before the first */
	ArchiveQuery query;    /* that it answers */
	int64_t at_ms;         /* when it came */
} Slot;

typedef struct Talk {
	bool is_offered;       /* there is a store */
	int64_t asked_id;      /* 0: nothing is awaited */
	int64_t asked_at_ms;
	SlotId asked_slot;
	ArchiveQuery asked;
	Slot slot[SLOT_COUNT];
} Talk;

/* Asks once whether there is a store. */
void talk_init(Talk *talk, Feed *feed);
void talk_done(Talk *talk);
/* Puts the answer that is awaited into its slot; answers which, or -1. */
int talk_take(Talk *talk, const ArchiveAnswer *answer, int64_t now_ms);
/* False: one is awaited already, the queue is full, or there is no store; try at the next tick. */
bool talk_ask(Talk *talk, Feed *feed, SlotId slot, const ArchiveQuery *query, int64_t now_ms);
/* The slot's answer; NULL before the first. */
const ArchiveAnswer *talk_answer(const Talk *talk, SlotId slot);

#endif
