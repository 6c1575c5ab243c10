/*
 * The simulator for other languages: libmaestro_sim.so, a C interface of plain types that does not change when SimConfig does.
 * tests/interop/maestro_gym.py makes it a gymnasium.Env and a VecEnv of Stable-Baselines3.
 *
 * Options are those of `maestro train` that concern the environment, by name and text: what `maestro train OPTIONS` trains in is had to
 * the bit by the same options and the seed that it was given. Order of calls: new, set as wanted, open, then reset and step. Functions
 * that answer an int give 0, or a negative number after which maestro_sim_error tells why. One thread at a time.
 */
#ifndef MAESTRO_SIM_SIM_ABI_H
#define MAESTRO_SIM_SIM_ABI_H

#include <stddef.h>
#include <stdint.h>

#define MAESTRO_API __attribute__((visibility("default")))

typedef struct MaestroSim MaestroSim;

/* The preset `default`; NULL without memory. */
MAESTRO_API MaestroSim *maestro_sim_new(void);
MAESTRO_API void maestro_sim_free(MaestroSim *sim); /* accepts NULL */
/* Never NULL, lent until the next call. */
MAESTRO_API const char *maestro_sim_error(const MaestroSim *sim);
/* After open: what is otherwise than it might seem, for a warning; "" for nothing. Lent as the error. */
MAESTRO_API const char *maestro_sim_note(const MaestroSim *sim);

/* The i-th option's name ("pod-price"), what it wants ("A"; NULL: true or false) and what it is; NULL past the last. */
MAESTRO_API const char *maestro_sim_option(size_t i);
MAESTRO_API const char *maestro_sim_option_value(size_t i);
MAESTRO_API const char *maestro_sim_option_help(size_t i);
/* "15s" for interval, "trend" for observation: the text is copied. Underscores may stand for dashes. `preset` comes before all
 * others; `trace` may be given several times. */
MAESTRO_API int maestro_sim_set(MaestroSim *sim, const char *name, const char *text);
/* n environments side by side. */
MAESTRO_API int maestro_sim_open(MaestroSim *sim, size_t n);

/* All rows to the start of their first episode under seed. */
MAESTRO_API int maestro_sim_reset(MaestroSim *sim, uint64_t seed);
/* action [n]. One that the mask forbids leaves the replicas as they are. A row whose episode ends is reset by itself: obs is the next
 * one's first, final_obs the ended one's last. */
MAESTRO_API int maestro_sim_step(MaestroSim *sim, const int32_t *action);

/* After open. */
MAESTRO_API int32_t maestro_sim_obs_dim(const MaestroSim *sim);
/* The least that a feature can be, -INFINITY where there is no least; as a model's zip for Stable-Baselines3 has it. */
MAESTRO_API float maestro_sim_obs_low(const MaestroSim *sim);
MAESTRO_API int32_t maestro_sim_n_actions(const MaestroSim *sim);
MAESTRO_API int32_t maestro_sim_episode_steps(const MaestroSim *sim);
MAESTRO_API float maestro_sim_interval_s(const MaestroSim *sim);
MAESTRO_API uint64_t maestro_sim_seed(const MaestroSim *sim); /* the option */
MAESTRO_API const char *maestro_sim_feature(const MaestroSim *sim, int32_t i);      /* "cpu_usage"; "?" outside */
MAESTRO_API const char *maestro_sim_action(const MaestroSim *sim, int32_t action);  /* "+50%"; "?" outside */
/* Lent until free, rewritten by reset and step: [n][obs_dim], [n], [n][n_actions]. */
MAESTRO_API const float *maestro_sim_obs(const MaestroSim *sim);
MAESTRO_API const float *maestro_sim_final_obs(const MaestroSim *sim);
MAESTRO_API const float *maestro_sim_reward(const MaestroSim *sim);
MAESTRO_API const uint8_t *maestro_sim_terminated(const MaestroSim *sim);
MAESTRO_API const uint8_t *maestro_sim_truncated(const MaestroSim *sim);
MAESTRO_API const uint8_t *maestro_sim_mask(const MaestroSim *sim); /* 1: allowed now, by bounds and by the guard rails of serving */

/* What the last step really did, which no policy sees: the i-th figure's name ("p95_ms"; NULL past the last), and of all rows [n]. NAN
 * where there was none. */
MAESTRO_API const char *maestro_sim_figure(size_t i);
MAESTRO_API int maestro_sim_figures(const MaestroSim *sim, size_t i, double *ret_values);

#endif
