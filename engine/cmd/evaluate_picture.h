/* Fronts of an evaluation as a picture: a panel a trace, violation against pod-hours, a curve a family. */
#ifndef MAESTRO_CMD_EVALUATE_PICTURE_H
#define MAESTRO_CMD_EVALUATE_PICTURE_H

#include "control/contest.h"

/* A PNG file. ERR_IO, ERR_NOMEM. */
int evaluate_picture(const Contest *contest, const char *path, Error *err);

#endif
