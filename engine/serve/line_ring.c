/* See line_ring.h. Lines lie one behind the other; one that does not fit before the end begins at 0 again. */
#include "serve/line_ring.h"

#include "base/err.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int line_ring_init(LineRing *ring)
{
	*ring = (LineRing) { .text = malloc(RING_BYTES) };
	if (!ring->text)
		return ERR_NOMEM;
	memset(ring->text, ' ', RING_BYTES);
	return 0;
}

void line_ring_done(LineRing *ring)
{
	free(ring->text);
	ring->text = NULL;
}

void line_ring_add(LineRing *ring, int64_t wall_ms, const char *text)
{
	size_t len = strlen(text) + 1;
	if (!ring->text || len > RING_BYTES)
		return;
	bool is_wrapped = ring->end + len > RING_BYTES;
	size_t at = is_wrapped ? 0 : ring->end;
	while (ring->n) { /* what is older than the place that it takes, or lies in it, goes */
		const RingLine *oldest = &ring->line[ring->first];
		bool is_passed = is_wrapped && oldest->at >= ring->end;
		bool is_under = oldest->at < at + len && at < oldest->at + oldest->len;
		if (!is_passed && !is_under && ring->n < RING_LINES)
			break;
		ring->first = (ring->first + 1) % RING_LINES;
		ring->n--;
	}
	memcpy(ring->text + at, text, len);
	ring->line[(ring->first + ring->n++) % RING_LINES] = (RingLine) { wall_ms, at, len };
	ring->end = at + len;
}

const char *line_ring_at(const LineRing *ring, size_t i, int64_t *ret_wall_ms)
{
	const RingLine *line = &ring->line[(ring->first + i) % RING_LINES];
	*ret_wall_ms = line->wall_ms;
	return ring->text + line->at;
}
