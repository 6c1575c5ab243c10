/* Integer arithmetic that stops at its type's end: where the HPA's own code wraps, ours must not (CONTROL A.3). */
#ifndef MAESTRO_DECIDE_SATURATE_H
#define MAESTRO_DECIDE_SATURATE_H

#include <stdint.h>

static inline int64_t sat_add(int64_t a, int64_t b)
{
	int64_t sum;
	return __builtin_add_overflow(a, b, &sum) ? (b > 0 ? INT64_MAX : INT64_MIN) : sum;
}

static inline int64_t sat_sub(int64_t a, int64_t b)
{
	int64_t difference;
	return __builtin_sub_overflow(a, b, &difference) ? (b < 0 ? INT64_MAX : INT64_MIN) : difference;
}

static inline int64_t sat_mul(int64_t a, int64_t b)
{
	int64_t product;
	return __builtin_mul_overflow(a, b, &product) ? ((a < 0) == (b < 0) ? INT64_MAX : INT64_MIN) : product;
}

/* Truncates towards 0; b is not 0. */
static inline int64_t sat_div(int64_t a, int64_t b)
{
	return a == INT64_MIN && b == -1 ? INT64_MAX : a / b;
}

static inline int32_t sat_i32(int64_t a)
{
	return a > INT32_MAX ? INT32_MAX : a < INT32_MIN ? INT32_MIN : (int32_t) a;
}

/* Truncates towards 0. NaN counts as too large: an unknown never lowers a number. */
static inline int32_t sat_i32_of(double x)
{
	return !(x < 2147483647.0) ? INT32_MAX : x < -2147483648.0 ? INT32_MIN : (int32_t) x;
}

static inline int64_t sat_i64_of(double x)
{
	return !(x < 9223372036854775807.0) ? INT64_MAX : x < -9223372036854775808.0 ? INT64_MIN : (int64_t) x;
}

#endif
