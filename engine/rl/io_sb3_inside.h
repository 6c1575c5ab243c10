/* What the reader and the writer of SB3's zips share. Not for others. */
#ifndef MAESTRO_RL_IO_SB3_INSIDE_H
#define MAESTRO_RL_IO_SB3_INSIDE_H

#include <stdbool.h>

typedef struct Sb3Figure { /* of training, in both kinds of file */
	const char *sb3;    /* its key in data */
	const char *option; /* its key in ModelInfo.train_json, an option of `maestro train` */
	bool is_whole;
	double otherwise;   /* SB3's default */
} Sb3Figure;

enum { SB3_FIGURES = 11 };
extern const Sb3Figure SB3_FIGURE[SB3_FIGURES]; /* the first is the learning rate */

#endif
