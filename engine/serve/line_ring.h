/* The last lines that fit into a fixed memory, all of it touched at the start, so that a process does not grow while it fills. */
#ifndef MAESTRO_SERVE_LINE_RING_H
#define MAESTRO_SERVE_LINE_RING_H

#include <stddef.h>
#include <stdint.h>

enum { RING_LINES = 4096, RING_BYTES = 2 << 20 };

typedef struct RingLine {
	int64_t wall_ms;
	size_t at, len; /* in text; len with its NUL */
} RingLine;

typedef struct LineRing { /* one thread at a time */
	char *text;       /* [RING_BYTES] */
	RingLine line[RING_LINES];
	size_t first, n;  /* of line: the oldest, how many */
	size_t end;       /* behind the newest in text */
} LineRing;

int line_ring_init(LineRing *ring); /* ERR_NOMEM */
void line_ring_done(LineRing *ring);
/* In place of the oldest. A line longer than all of it is dropped. */
void line_ring_add(LineRing *ring, int64_t wall_ms, const char *text);
/* The i-th, 0 being the oldest; i < ring->n. Lent until the next add. */
const char *line_ring_at(const LineRing *ring, size_t i, int64_t *ret_wall_ms);

#endif
