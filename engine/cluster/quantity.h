/*
 * Kubernetes quantities ("200m", "0.5", "1e3", "128Mi") and times, read from API objects.
 */
#ifndef MAESTRO_CLUSTER_QUANTITY_H
#define MAESTRO_CLUSTER_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

/* In milli-units of what it counts (a core, a byte), rounded up as the API's MilliValue() does. False when text is
 * not a quantity or does not fit. */
bool quantity_milli(const char *text, int64_t *ret_milli);

/* "2026-11-24T17:11:25Z", with or without a fraction or an offset, in milliseconds since 1970. */
bool time_parse(const char *text, int64_t *ret_ms);

#endif
