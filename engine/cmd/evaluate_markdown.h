/* An evaluation as a page: protocol, figures with intervals, comparisons along the fronts, and where it loses. */
#ifndef MAESTRO_CMD_EVALUATE_MARKDOWN_H
#define MAESTRO_CMD_EVALUATE_MARKDOWN_H

#include "base/mem.h"
#include "control/summary.h"

/* picture: the name of an image of the fronts beside the page; NULL: none. Appends to the text. ERR_NOMEM. */
int evaluate_markdown(const Contest *contest, const char *picture, StrBuf *to);

#endif
