/* Whether a policy comes down where there is nothing to do: a busy third of an hour, then next to no traffic. */
#ifndef MAESTRO_CONTROL_IDLE_H
#define MAESTRO_CONTROL_IDLE_H

#include "control/family.h"

typedef struct IdleCheck {
	double rps;            /* of the quiet part */
	int32_t replicas;      /* the most that it had in the last ten minutes */
	int32_t min_replicas;
} IdleCheck;

/* Plays it with the family's first file at a setting. ERR_* as of evaluate_play. */
int idle_check(const Family *family, const Arena *arena, int32_t setting, IdleCheck *ret, Error *err);

#endif
