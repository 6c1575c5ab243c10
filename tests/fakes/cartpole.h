/*
 * CartPole-v1 as Gymnasium defines it (Barto, Sutton and Anderson 1983): a known task to measure PPO against.
 */
#ifndef MAESTRO_TESTS_CARTPOLE_H
#define MAESTRO_TESTS_CARTPOLE_H

#include "base/env.h"

/* n rows; freed by env_free. NULL: out of memory. Supports snapshots. */
Env *cartpole_new(size_t n);

#endif
