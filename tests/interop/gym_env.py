"""The simulator under Gymnasium and SB3: check_env passes, and the environments are those of `maestro train` to the bit."""
import os
import subprocess
import tempfile

import numpy as np
from gymnasium.utils.env_checker import check_env as gymnasium_check_env
from stable_baselines3.common.env_checker import check_env

from common import BUILD, check, end, run
from maestro_gym import MaestroEnv, MaestroVecEnv, options, settings_of

TRACE = "nasa95_jul_week"


def raises(function, *args, says=""):
    try:
        function(*args)
    except Exception as error:
        print(f"  {type(error).__name__}: {error}")
        return says in str(error)
    return False


# ---- the interfaces ----

for preset in "default", "seed":
    check(f"SB3's check_env passes: preset {preset}", not raises(check_env, MaestroEnv(preset=preset, episode_steps=50)))
    check(f"Gymnasium's check_env passes: preset {preset}", not raises(gymnasium_check_env, MaestroEnv(preset=preset, episode_steps=50)))
for name, value, says in [("intervall", 15, "did you mean interval"), ("interval", "soon", "interval wants TIME"),
                          ("observation", "all", "write seed or trend"), ("trace", "nowhere", "nowhere")]:
    check(f"a wrong option is named: {name}={value}", raises(lambda: MaestroEnv(**{name: value}), says=says))
check("options explain themselves", {"pod-price", "part"} <= {name for name, _, _ in options()}
      and all(text for _, _, text in options()))


# ---- the same bytes ----

def played(env, steps):
    """As tests/programs/env_bytes.c."""
    out, sim, n = [], env.sim, env.num_envs
    env.reset()
    for t in range(steps):
        out += [sim.obs.tobytes(), sim.mask.tobytes()]
        env.step((t // 3 + np.arange(n)) % len(sim.actions))
        out += [a.tobytes() for a in (sim.reward, sim.terminated, sim.truncated, sim.final_obs)]
    return b"".join(out)


def train_bytes(words, steps):
    """Without what only a critic is told."""
    return subprocess.run([os.path.join(BUILD, "tests", "env_bytes"), str(steps), *map(str, words), "--no-critic-ahead"], capture_output=True, check=True).stdout


def words_of(settings):
    """As options of `maestro train`."""
    return [f"--{name.replace('_', '-')}={v}" for name, value in settings.items() for v in (value if isinstance(value, list) else [value])]


for settings in [{"preset": "default", "envs": 5}, {"preset": "seed", "envs": 2, "trace": [TRACE, "nab_elb_requests"]},
                 {"preset": "default", "envs": 3, "actions": "three", "reward": "seed", "chaos": .3, "steps": 300, "randomise": 2,
                  "traffic": "onoff", "startup": "40s", "seed": 9}]:
    a, b = train_bytes(words_of(settings), 250), played(MaestroVecEnv(settings["envs"], **settings), 250)
    check(f"the environments of training, to the bit: {' '.join(words_of(settings))}", len(a) > 10_000 and a == b)
with tempfile.TemporaryDirectory() as folder:
    words = ["--preset", "default", "--steps", 512, "--envs", 8, "--pod-price", .7, "--interval", "30s", "--clone-steps", 0]
    run("train", "--headless", "--json", "--eval-every", 0, "--db", os.path.join(folder, "s.db"), *words)
    config = run("runs", "show", 1, "--db", os.path.join(folder, "s.db"), "--json")[0]["config"]
    check("a stored run's too", train_bytes(words, 250) == played(MaestroVecEnv(8, **settings_of(config)), 250))
one, many = MaestroEnv(preset="default", episode_steps=20), MaestroVecEnv(3, preset="default", episode_steps=20)
many.seed(7)
is_same = np.array_equal(one.reset(seed=7)[0], many.reset()[0])
for t in range(50):
    obs, reward, terminated, truncated, info = one.step(t % 7)
    rows, rewards, done, infos = many.step([t % 7, 1, 2])
    row = infos[0]["terminal_observation"] if done[0] else rows[0]
    is_same = (is_same and np.array_equal(obs, row) and reward == rewards[0] and (terminated or truncated) == done[0]
               and np.array_equal(info["mask"], infos[0]["mask"]) and info["replicas"] >= 1 and info["pod_s"] > 0)
    if done[0]:
        one.reset()
check("the Env is the first row of the VecEnv", is_same)
end()
