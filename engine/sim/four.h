/* Four floats at a time, by the vector types of gcc and clang: the same bits on every machine, on SSE2 or better. */
#ifndef MAESTRO_SIM_FOUR_H
#define MAESTRO_SIM_FOUR_H

#include <stdint.h>
#include <string.h>

typedef float Four __attribute__((vector_size(16)));
typedef int32_t FourInt __attribute__((vector_size(16)));

static inline Four four_load(const float *x)
{
	Four four;
	memcpy(&four, x, sizeof four);
	return four;
}

static inline void four_store(float *ret, Four four)
{
	memcpy(ret, &four, sizeof four);
}

/* e^x to 2e-6. |x| <= 80. */
static inline Four four_exp(Four x)
{
	const float round = 12582912.0f; /* 1.5 x 2^23: adding it leaves the nearest whole number in the low bits */
	Four whole = x * 1.44269504f + round, part = x * 1.44269504f - (whole - round);
	Four y = 1.0f + part * (.693147181f + part * (.240226507f + part * (.0555041087f + part * (.00961812911f +
	         part * .00133335581f))));
	FourInt power = (((FourInt) whole - 0x4B400000) << 23) + 0x3F800000;
	return y * (Four) power;
}

static inline float exp_of(float x)
{
	return four_exp((Four) { x, x, x, x })[0];
}

static inline Four four_at_most(Four x, float limit)
{
	FourInt is_less = x < limit;
	Four most = { limit, limit, limit, limit };
	return (Four) (((FourInt) x & is_less) | ((FourInt) most & ~is_less));
}

#endif
