/*
 * The chance of a sub-step: two words of a Philox block that is counted by the sub-step's number, so that what is drawn
 * does not depend on what else was. Arrivals stay the same whatever the replicas do.
 */
#ifndef MAESTRO_SIM_CHANCE_H
#define MAESTRO_SIM_CHANCE_H

#include <stdint.h>

/* Mean 0, deviation 1: 24 tosses of a coin (de Moivre 1733), smoothed over the steps between their sums by 8 bits more.
 * Its fourth moment is 2.92, its ends are +-5. */
float chance_normal(uint32_t word);

/* A Poisson number: below 10 the quantile, else the normal one corrected for its skew (Cornish and Fisher 1938). */
float chance_poisson(uint32_t word, float mean);

#endif
