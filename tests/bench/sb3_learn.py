"""What Stable-Baselines3's PPO costs beside ours, in turn: seconds of learn() alone against a whole process of `maestro train`.

    sb3_learn.py BUILD ROUNDS

20,480 steps of the simulator at the figures of the preset `seed`, SB3 in one environment and in eight (a rollout is 1,024 steps in
both), torch with as many threads as it takes by itself. One line of JSON a number of environments: medians, and the median of the
rounds' ratios. Each round runs the command once beside each learn(); a machine that is busy is so for both.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import stable_baselines3
import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "interop"))
from maestro_gym import MaestroVecEnv

STEPS, ROLLOUT, BESIDE = 20480, 1024, 3
BUILD, ROUNDS = sys.argv[1], int(sys.argv[2])
COMMAND = ["train", "--preset", "seed", "--steps", str(STEPS), "--seed", "1", "--headless", "--json"]


def sb3_seconds(envs):
    env = MaestroVecEnv(envs, preset="seed")
    model = stable_baselines3.PPO("MlpPolicy", env, device="cpu", seed=1, n_steps=ROLLOUT // envs, batch_size=64, n_epochs=10, learning_rate=3e-4,
                                  gamma=.99, gae_lambda=.95, clip_range=.2, ent_coef=.01, vf_coef=.5, max_grad_norm=.5)
    begin = time.perf_counter()
    model.learn(STEPS)
    took = time.perf_counter() - begin
    env.close()
    assert model.num_timesteps == STEPS
    return took


def our_seconds():
    """The median of a few whole processes, each with a store of its own."""
    took = []
    for _ in range(BESIDE):
        with tempfile.TemporaryDirectory() as folder:
            words = [os.path.join(BUILD, "maestro"), *COMMAND, "--db", os.path.join(folder, "maestro.db")]
            begin = time.perf_counter()
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            took.append(time.perf_counter() - begin)
    return statistics.median(took)


for envs in (1, 8):
    theirs, ours = [], []
    for _ in range(ROUNDS):
        theirs.append(sb3_seconds(envs))
        ours.append(our_seconds())
    print(json.dumps({
        "bench": "sb3", "envs": envs, "steps": STEPS, "rounds": ROUNDS, "seconds": round(statistics.median(theirs), 4),
        "process_s": round(statistics.median(ours), 4), "times": round(statistics.median(a / b for a, b in zip(theirs, ours)), 1),
        "least_times": round(min(a / b for a, b in zip(theirs, ours)), 1),
        "versions": f"Stable-Baselines3 {stable_baselines3.__version__}, torch {torch.__version__}, {torch.get_num_threads()} threads",
    }), flush=True)
