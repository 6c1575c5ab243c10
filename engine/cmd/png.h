/* A picture of curves over training steps, as a PNG file. */
#ifndef MAESTRO_CMD_PNG_H
#define MAESTRO_CMD_PNG_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct PngCurve {
	const double *x, *y; /* [n]; y NAN: a gap */
	size_t n;
	uint32_t rgb;
	bool is_dots;
} PngCurve;

/* Writes 960 x 540 pixels, the axes labelled. ERR_IO, ERR_NOMEM. */
int png_curves(const PngCurve *curve, size_t n, const char *path, Error *err);

#endif
