/* Zip archives that are small and mean to be large. */
#ifndef TESTS_FAKES_DEFLATED_H
#define TESTS_FAKES_DEFLATED_H

#include "base/mem.h"

#include <stdint.h>

/* One deflated member, "data", of len zeros with a data descriptor behind it, as a streaming writer leaves it: sizes and checksum stand
 * in the directory alone. told: the size that the directory names. */
StrBuf deflated_zeros(size_t len, uint32_t told);

#endif
