"""The simulator of libmaestro_sim.so as a gymnasium.Env and as a VecEnv of Stable-Baselines3.

    env = MaestroEnv(preset="default", trace="nasa95_jul_week", pod_price=1)
    venv = MaestroVecEnv(128, preset="default")      # the environments that `maestro train` trains in, to the bit

Options are those of `maestro train` that concern the environment, with underscores: `python maestro_gym.py` lists them. The preset is
`default` unless said otherwise; a list stands for an option that is given several times. `settings_of` makes them from a run's
stored configuration. MAESTRO_SIM_LIB names the library; else build/libmaestro_sim.so from the working folder.

What an action may do at the moment is in info["mask"] and action_masks(), as MaskablePPO of sb3-contrib asks for it; a forbidden
action leaves the replicas as they are. What the last step really did (p95, pods, ...) is in figures(), and in the Env's info.
"""
import ctypes
import os
import warnings

import gymnasium
import numpy as np
from stable_baselines3.common.vec_env import VecEnv


def _library():
    lib = ctypes.CDLL(os.path.abspath(os.environ.get("MAESTRO_SIM_LIB", "build/libmaestro_sim.so")))
    p, text, size, i32 = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int32
    f32, u8, f64 = ctypes.POINTER(ctypes.c_float), ctypes.POINTER(ctypes.c_uint8), ctypes.POINTER(ctypes.c_double)
    for name, result, arguments in [
        ("new", p, []), ("free", None, [p]), ("error", text, [p]), ("note", text, [p]), ("option", text, [size]),
        ("option_value", text, [size]), ("option_help", text, [size]), ("set", ctypes.c_int, [p, text, text]),
        ("open", ctypes.c_int, [p, size]), ("reset", ctypes.c_int, [p, ctypes.c_uint64]),
        ("step", ctypes.c_int, [p, ctypes.POINTER(i32)]), ("obs_dim", i32, [p]), ("obs_low", ctypes.c_float, [p]), ("n_actions", i32, [p]),
        ("episode_steps", i32, [p]), ("interval_s", ctypes.c_float, [p]), ("seed", ctypes.c_uint64, [p]),
        ("feature", text, [p, i32]), ("action", text, [p, i32]), ("obs", f32, [p]), ("final_obs", f32, [p]),
        ("reward", f32, [p]), ("terminated", u8, [p]), ("truncated", u8, [p]), ("mask", u8, [p]),
        ("figure", text, [size]), ("figures", ctypes.c_int, [p, size, f64]),
    ]:
        function = getattr(lib, "maestro_sim_" + name)
        function.restype, function.argtypes = result, arguments
    return lib


def _texts(function):
    """What function gives for 0, 1, ... until it gives nothing."""
    found = []
    while (text := function(len(found))) is not None:
        found.append(text.decode())
    return found


def options():
    """(name, what it wants, what it is) of every option."""
    lib = _library()
    return [(name, (lib.maestro_sim_option_value(i) or b"true|false").decode(), lib.maestro_sim_option_help(i).decode())
            for i, name in enumerate(_texts(lib.maestro_sim_option))]


def settings_of(config, **more):
    """Options from what `maestro train` stored of a run (`runs show ID --json`, key config). part="held-out" makes them those that the
    run's evaluations are of."""
    if config.get("env", "sim") != "sim":
        raise ValueError("the run trained on a cluster, not in the simulator")
    apart = {"compression"}  # a live training's
    known = {name for name, _, _ in options()} - apart
    return {name.replace("-", "_"): value for name, value in config.items() if name in known and value is not None} | more


class Sim:
    """n simulated services; the arrays are views of the library's own, rewritten by reset and step."""

    _sim = None

    def __init__(self, n, **options):
        self._lib = _library()
        self._sim = self._lib.maestro_sim_new()
        if not self._sim:
            raise MemoryError
        for name in sorted(options, key=lambda name: name != "preset"):
            values = options[name] if isinstance(options[name], (list, tuple)) else [options[name]]
            for value in values:
                if value is not None:
                    text = str(value).lower() if isinstance(value, (bool, np.bool_)) else str(value)
                    self._check(self._lib.maestro_sim_set(self._sim, name.encode(), os.fsencode(text)))
        self._check(self._lib.maestro_sim_open(self._sim, n))
        note = self._lib.maestro_sim_note(self._sim).decode()
        if note:
            warnings.warn(note, stacklevel=3)
        ask = lambda name, *more: getattr(self._lib, "maestro_sim_" + name)(self._sim, *more)
        dim, actions = ask("obs_dim"), ask("n_actions")
        self.n, self.seed, self.interval_s, self.episode_steps = n, ask("seed"), ask("interval_s"), ask("episode_steps")
        self.features = [ask("feature", i).decode() for i in range(dim)]
        self.actions = [ask("action", i).decode() for i in range(actions)]
        self.observation_space = gymnasium.spaces.Box(ask("obs_low"), np.inf, (dim,), np.float32)
        self.action_space = gymnasium.spaces.Discrete(actions)
        view = lambda name, *shape: np.ctypeslib.as_array(ask(name), shape)
        self.obs, self.final_obs, self.reward = view("obs", n, dim), view("final_obs", n, dim), view("reward", n)
        self.terminated, self.truncated, self.mask = view("terminated", n), view("truncated", n), view("mask", n, actions)
        self._figures = _texts(self._lib.maestro_sim_figure)

    def _check(self, code):
        if code:
            raise ValueError(self._lib.maestro_sim_error(self._sim).decode())

    def reset(self, seed):
        self._check(self._lib.maestro_sim_reset(self._sim, int(seed)))

    def step(self, actions):
        actions = np.ascontiguousarray(actions, dtype=np.int32)
        if actions.shape != (self.n,):
            raise ValueError(f"actions of shape {actions.shape}: {self.n} are wanted")
        self._check(self._lib.maestro_sim_step(self._sim, actions.ctypes.data_as(ctypes.POINTER(ctypes.c_int32))))

    def figures(self):
        """What the last step really did, which no policy sees: name -> values of all rows."""
        found = {name: np.empty(self.n) for name in self._figures}
        for i, values in enumerate(found.values()):
            self._lib.maestro_sim_figures(self._sim, i, values.ctypes.data_as(ctypes.POINTER(ctypes.c_double)))
        return found

    def close(self):
        if self._sim:
            self._lib.maestro_sim_free(self._sim)
            self._sim = None

    __del__ = close


class MaestroEnv(gymnasium.Env):
    """One simulated service. reset(seed=N) begins as `maestro train --seed N` does in its first environment."""

    metadata = {"render_modes": []}

    def __init__(self, **options):
        self.sim = Sim(1, **options)
        self.observation_space, self.action_space = self.sim.observation_space, self.sim.action_space
        self._is_first = False  # the library stands at the first observation of an episode already

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed is not None or not self._is_first:
            self.sim.reset(self.np_random.integers(2**63) if seed is None else seed)
        self._is_first = False
        return self.sim.obs[0].copy(), {"mask": self.action_masks()}

    def step(self, action):
        self.sim.step([action])
        terminated, truncated = bool(self.sim.terminated[0]), bool(self.sim.truncated[0])
        self._is_first = terminated or truncated
        obs = self.sim.final_obs if self._is_first else self.sim.obs
        info = {"mask": self.action_masks()} | {name: values[0] for name, values in self.sim.figures().items()}
        return obs[0].copy(), float(self.sim.reward[0]), terminated, truncated, info

    def action_masks(self):
        return self.sim.mask[0].astype(bool)

    def close(self):
        self.sim.close()


class MaestroVecEnv(VecEnv):
    """n simulated services in one call a step, with the episode figures that SB3's Monitor would add. The first reset is under the
    option `seed`, or the one of seed(); each further one under the next number."""

    def __init__(self, n, **options):
        self.sim = Sim(n, **options)
        self.render_mode = None
        super().__init__(n, self.sim.observation_space, self.sim.action_space)
        self._next_seed = self.sim.seed

    def seed(self, seed=None):
        self._next_seed = self.sim.seed if seed is None else seed
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
        infos = [{"mask": mask} for mask in self.action_masks()]
        for i in np.flatnonzero(done):
            infos[i] |= {
                "terminal_observation": self.sim.final_obs[i].copy(),
                "TimeLimit.truncated": bool(self.sim.truncated[i]),
                "episode": {"r": self._returns[i], "l": int(self._lengths[i]), "t": 0.0},
            }
            self._returns[i], self._lengths[i] = 0, 0
        return self.sim.obs.copy(), self.sim.reward.copy(), done, infos

    def action_masks(self):
        return self.sim.mask.astype(bool)

    def close(self):
        self.sim.close()

    def get_attr(self, attr_name, indices=None):
        return [getattr(self, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name, value, indices=None):
        setattr(self, attr_name, value)

    def env_method(self, method_name, *args, indices=None, **kwargs):
        rows = list(self._get_indices(indices))
        if method_name == "action_masks":
            masks = self.action_masks()
            return [masks[i] for i in rows]
        return [getattr(self, method_name)(*args, **kwargs)] * len(rows)

    def env_is_wrapped(self, wrapper_class, indices=None):
        return [False] * len(list(self._get_indices(indices)))


if __name__ == "__main__":
    for row in options():
        print("{0:16} {1:12} {2}".format(*row))
