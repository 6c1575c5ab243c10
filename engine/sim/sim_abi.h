/*
 * The simulator for other languages: libmaestro_sim.so, a C interface of plain types that does not change when SimConfig does.
 * tests/interop/maestro_gym.py makes it a gymnasium.Env and a VecEnv of Stable-Baselines3.
 *
 * Order of calls: new, set and trace as wanted, open, then reset and step. Functions answer 0, or a negative number after which
 * maestro_sim_error tells why. One thread at a time.
 */
#ifndef MAESTRO_SIM_SIM_ABI_H
#define MAESTRO_SIM_SIM_ABI_H

#include <stddef.h>
#include <stdint.h>

#define MAESTRO_API __attribute__((visibility("default")))

typedef struct MaestroSim MaestroSim;

/* Default settings; NULL without memory. */
MAESTRO_API MaestroSim *maestro_sim_new(void);
MAESTRO_API void maestro_sim_free(MaestroSim *sim); /* accepts NULL */
/* Never NULL, lent until the next call. */
MAESTRO_API const char *maestro_sim_error(const MaestroSim *sim);

/* A field of SimConfig by its name, "interval_s"; flags are 0 or 1, enums their numbers. */
MAESTRO_API int maestro_sim_set(MaestroSim *sim, const char *name, double value);
/* Request rates to replay, CSV t_s,rps. */
MAESTRO_API int maestro_sim_trace(MaestroSim *sim, const char *path);
/* n environments side by side. */
MAESTRO_API int maestro_sim_open(MaestroSim *sim, size_t n);

/* All rows to the start of their first episode under seed. */
MAESTRO_API int maestro_sim_reset(MaestroSim *sim, uint64_t seed);
/* action [n]. A row whose episode ends is reset by itself: obs is the next one's first, final_obs the ended one's last. */
MAESTRO_API int maestro_sim_step(MaestroSim *sim, const int32_t *action);

MAESTRO_API int32_t maestro_sim_obs_dim(const MaestroSim *sim);
MAESTRO_API int32_t maestro_sim_n_actions(const MaestroSim *sim);
/* Lent until free, rewritten by reset and step: [n][obs_dim], [n], [n][n_actions]. */
MAESTRO_API const float *maestro_sim_obs(const MaestroSim *sim);
MAESTRO_API const float *maestro_sim_final_obs(const MaestroSim *sim);
MAESTRO_API const float *maestro_sim_reward(const MaestroSim *sim);
MAESTRO_API const uint8_t *maestro_sim_terminated(const MaestroSim *sim);
MAESTRO_API const uint8_t *maestro_sim_truncated(const MaestroSim *sim);
MAESTRO_API const uint8_t *maestro_sim_mask(const MaestroSim *sim);

#endif
