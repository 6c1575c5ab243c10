"""The simulator of libmaestro_sim.so as a gymnasium.Env and as a VecEnv of Stable-Baselines3.

MAESTRO_SIM_LIB names the library; else build/libmaestro_sim.so from the working folder.
Settings are fields of SimConfig (engine/sim/sim.h) by name; `settings_of` makes them from a run's stored configuration, so that
Python trains on what `maestro train` trained on.
"""
import ctypes
import os

import gymnasium
import numpy as np
from stable_baselines3.common.vec_env import VecEnv

START = {"one": 0, "demand": 1, "random": 2}


def _library():
    lib = ctypes.CDLL(os.path.abspath(os.environ.get("MAESTRO_SIM_LIB", "build/libmaestro_sim.so")))
    p, f32, u8 = ctypes.c_void_p, ctypes.POINTER(ctypes.c_float), ctypes.POINTER(ctypes.c_uint8)
    for name, result, arguments in [
        ("new", p, []), ("free", None, [p]), ("error", ctypes.c_char_p, [p]),
        ("set", ctypes.c_int, [p, ctypes.c_char_p, ctypes.c_double]), ("trace", ctypes.c_int, [p, ctypes.c_char_p]),
        ("open", ctypes.c_int, [p, ctypes.c_size_t]), ("reset", ctypes.c_int, [p, ctypes.c_uint64]),
        ("step", ctypes.c_int, [p, ctypes.POINTER(ctypes.c_int32)]), ("obs_dim", ctypes.c_int32, [p]),
        ("n_actions", ctypes.c_int32, [p]), ("obs", f32, [p]), ("final_obs", f32, [p]), ("reward", f32, [p]),
        ("terminated", u8, [p]), ("truncated", u8, [p]), ("mask", u8, [p]),
    ]:
        function = getattr(lib, "maestro_sim_" + name)
        function.restype, function.argtypes = result, arguments
    return lib


class Sim:
    """n simulated services; the arrays are views of the library's own, rewritten by reset and step."""

    def __init__(self, n, trace=None, **settings):
        self._lib, self._sim = _library(), None
        self._sim = self._lib.maestro_sim_new()
        if not self._sim:
            raise MemoryError
        for name, value in settings.items():
            self._check(self._lib.maestro_sim_set(self._sim, name.encode(), float(value)))
        if trace:
            self._check(self._lib.maestro_sim_trace(self._sim, os.fsencode(trace)))
        self._check(self._lib.maestro_sim_open(self._sim, n))
        dim, actions = self._lib.maestro_sim_obs_dim(self._sim), self._lib.maestro_sim_n_actions(self._sim)
        self.n = n
        self.observation_space = gymnasium.spaces.Box(0, np.inf, (dim,), np.float32)  # the thesis's features
        self.action_space = gymnasium.spaces.Discrete(actions)
        view = lambda name, *shape: np.ctypeslib.as_array(getattr(self._lib, "maestro_sim_" + name)(self._sim), shape)
        self.obs, self.final_obs, self.reward = view("obs", n, dim), view("final_obs", n, dim), view("reward", n)
        self.terminated, self.truncated, self.mask = view("terminated", n), view("truncated", n), view("mask", n, actions)

    def _check(self, code):
        if code:
            raise ValueError(self._lib.maestro_sim_error(self._sim).decode())

    def reset(self, seed):
        self._check(self._lib.maestro_sim_reset(self._sim, int(seed)))

    def step(self, actions):
        actions = np.ascontiguousarray(actions, dtype=np.int32)
        self._check(self._lib.maestro_sim_step(self._sim, actions.ctypes.data_as(ctypes.POINTER(ctypes.c_int32))))

    def close(self):
        if self._sim:
            self._lib.maestro_sim_free(self._sim)
            self._sim = None

    __del__ = close


class MaestroEnv(gymnasium.Env):
    """One simulated service."""

    metadata = {"render_modes": []}

    def __init__(self, **settings):
        self.sim = Sim(1, **settings)
        self.observation_space, self.action_space = self.sim.observation_space, self.sim.action_space
        self._is_first = False  # the library stands at the first observation of an episode already

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed is not None or not self._is_first:
            self.sim.reset(self.np_random.integers(2**63))
        self._is_first = False
        return self.sim.obs[0].copy(), {"mask": self.sim.mask[0].copy()}

    def step(self, action):
        self.sim.step([action])
        terminated, truncated = bool(self.sim.terminated[0]), bool(self.sim.truncated[0])
        self._is_first = terminated or truncated
        obs = self.sim.final_obs if self._is_first else self.sim.obs
        return obs[0].copy(), float(self.sim.reward[0]), terminated, truncated, {"mask": self.sim.mask[0].copy()}

    def close(self):
        self.sim.close()


class MaestroVecEnv(VecEnv):
    """n simulated services in one call a step, with the episode figures that SB3's Monitor would add."""

    def __init__(self, n, **settings):
        self.sim = Sim(n, **settings)
        super().__init__(n, self.sim.observation_space, self.sim.action_space)
        self._next_seed = 0
        self.render_mode = None

    def seed(self, seed=None):
        self._next_seed = 0 if seed is None else seed
        return [self._next_seed] * self.num_envs

    def reset(self):
        self.sim.reset(self._next_seed)
        self._next_seed += 1
        self._returns, self._lengths = np.zeros(self.num_envs), np.zeros(self.num_envs, int)
        return self.sim.obs.copy()

    def step_async(self, actions):
        self._actions = actions

    def step_wait(self):
        self.sim.step(self._actions)
        self._returns += self.sim.reward
        self._lengths += 1
        done = (self.sim.terminated | self.sim.truncated).astype(bool)
        infos = [{} for _ in range(self.num_envs)]
        for i in np.flatnonzero(done):
            infos[i] = {
                "terminal_observation": self.sim.final_obs[i].copy(),
                "TimeLimit.truncated": bool(self.sim.truncated[i]),
                "episode": {"r": self._returns[i], "l": int(self._lengths[i]), "t": 0.0},
            }
            self._returns[i], self._lengths[i] = 0, 0
        return self.sim.obs.copy(), self.sim.reward.copy(), done, infos

    def close(self):
        self.sim.close()

    def get_attr(self, attr_name, indices=None):
        return [getattr(self, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name, value, indices=None):
        setattr(self, attr_name, value)

    def env_method(self, method_name, *args, indices=None, **kwargs):
        return [getattr(self, method_name)(*args, **kwargs)] * len(list(self._get_indices(indices)))

    def env_is_wrapped(self, wrapper_class, indices=None):
        return [False] * len(list(self._get_indices(indices)))


def settings_of(config, is_eval=False):
    """Settings from what `maestro train` stored of a run (`runs show ID --json`, key config)."""
    is_seed = config["preset"] == "seed"
    start = "one" if is_seed else "demand" if is_eval else "random"
    return {
        "trace": config.get("trace"),
        "window_from": 2 / 3 if is_eval else 0, "window_to": 1 if is_eval else 2 / 3, "random_start": True,
        "peak_rps": config["peak-rps"], "interval_s": config["interval"], "min_replicas": config["min-replicas"],
        "max_replicas": config["max-replicas"], "latency_soft_ms": config["latency-soft"],
        "latency_hard_ms": config["latency-hard"], "latency_window_s": 300 if is_seed else 60,
        "terminate_at_bounds": config["bounds"] == "terminate", "start": START[start],
    }
