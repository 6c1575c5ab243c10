/*
 * Stable-Baselines3's .zip of a PPO with MlpPolicy and discrete actions, read and written without Python.
 *
 * Reading takes the weights and the figures of training; it refuses by name every other policy, algorithm, activation,
 * feature extractor, action space and dtype, and executes nothing. What is written, PPO.load of SB3 2.x loads and trains on,
 * with a fresh Adam.
 */
#ifndef MAESTRO_RL_IO_SB3_H
#define MAESTRO_RL_IO_SB3_H

#include "base/mem.h"
#include "rl/model.h"

/* By its first bytes. */
bool sb3_is(const char *bytes, size_t len);
/* ERR_BAD_MODEL says what is wrong; ERR_NOMEM. */
int sb3_read(const char *bytes, size_t len, Net **ret_net, ModelInfo *ret_info, Error *err);
/*
 * Appends a whole file. SB3 keeps normalisation apart from a policy, so it is folded into the first layers: the same logits
 * up to rounding wherever no normalised value is past the clip of 10. ERR_NOMEM.
 */
int sb3_write(const Net *net, const ModelInfo *info, StrBuf *ret_bytes);

#endif
