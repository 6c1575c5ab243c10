/* A picture of coloured dots with lines, discs and small letters, and as a PNG file (W3C, second edition). */
#ifndef MAESTRO_CMD_RASTER_H
#define MAESTRO_CMD_RASTER_H

#include "base/err.h"

#include <stdint.h>

enum { RASTER_LETTER = 6, RASTER_LETTER_HEIGHT = 7 }; /* dots of a letter with its gap, at scale 1 */

typedef struct Raster {
	int width, height;
	uint8_t *pixel; /* [height][1 + 3 width]: a filter byte a row, then red, green, blue */
} Raster;

/* White. ERR_NOMEM. */
int raster_init(Raster *raster, int width, int height);
void raster_done(Raster *raster);

/* Outside the picture nothing is drawn. */
void raster_disc(Raster *raster, int x, int y, int radius, uint32_t rgb);
void raster_line(Raster *raster, int xa, int ya, int xb, int yb, int thickness, uint32_t rgb);
/* From its upper left corner; letters that the font lacks are left blank. */
void raster_text(Raster *raster, int x, int y, int scale, const char *text, uint32_t rgb);

/* ERR_IO, ERR_NOMEM. */
int raster_write_png(const Raster *raster, const char *path, Error *err);

#endif
