/* Another training in the place of this process, in the same terminal. */
#ifndef MAESTRO_CMD_NEXT_TRAIN_H
#define MAESTRO_CMD_NEXT_TRAIN_H

#include "base/err.h"

#include <stdbool.h>

typedef struct NextTrain {
	const char *options;             /* as in a shell */
	const char *db;                  /* NULL: the default one */
	const char *glyphs, *color, *theme; /* of the console */
	bool has_mouse;
} NextTrain;

/* Whether these would be taken, as far as their names and values tell: ERR_USAGE and why not, ERR_NOMEM. */
int next_train_check(const char *options, Error *err);
/* Becomes `maestro train`. Answers only where that fails: ERR_IO. */
int next_train(const NextTrain *next, Error *err);

#endif
