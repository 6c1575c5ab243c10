/* What a replayer (control/replayer.h) plays: the policies of stored trainings in the world of the first of them. */
#ifndef MAESTRO_CMD_REPLAY_H
#define MAESTRO_CMD_REPLAY_H

#include "base/clock.h"
#include "control/replayer.h"

typedef struct ReplayWorld ReplayWorld;

/* db and clock are lent. ERR_NOMEM. */
int replay_world_new(const char *db, Clock *clock, ReplayWorld **ret_world);
void replay_world_free(ReplayWorld *world); /* accepts NULL; after its replayer */
/* A ReplayPlay; arg is the ReplayWorld. */
int replay_play(void *arg, const ReplayQuery *query, int32_t i, ReplayView *view, Error *err);

#endif
