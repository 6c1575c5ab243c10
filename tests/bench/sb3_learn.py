"""What Stable-Baselines3's PPO costs beside ours: each a process of its own, one after the other, never two at a time.

    sb3_learn.py BUILD ROUNDS     a line of JSON a number of environments (1 and 8)
    sb3_learn.py --learn ENVS     what a round starts: one training by SB3, which says its seconds and its versions

20,480 steps of the simulator at the figures of the preset `seed`, SB3 in one environment and in eight (a rollout is 1,024 steps in
both), torch with as many threads as it takes by itself. Of SB3 the seconds are learn() alone: starting Python, importing torch, making
the environment and the model are not counted. Of ours they are all of a process, from its start to its end, store and files in a fresh
folder included. A round is one training by SB3, whose process has ended (torch's threads spin on for a while), and then three of ours;
this process does nothing meanwhile. Medians and minima are over all rounds, `times` is the quotient of the medians, `best_times` that
of the minima.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

STEPS, ROLLOUT, BESIDE, ENVS = 20480, 1024, 3, (1, 8)
COMMAND = ["train", "--preset", "seed", "--steps", str(STEPS), "--seed", "1", "--headless", "--json"]


def learn(envs):
    import stable_baselines3
    import torch

    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))
    from maestro_gym import MaestroVecEnv

    env = MaestroVecEnv(envs, preset="seed")
    model = stable_baselines3.PPO("MlpPolicy", env, device="cpu", seed=1, n_steps=ROLLOUT // envs, batch_size=64, n_epochs=10, learning_rate=3e-4,
                                  gamma=.99, gae_lambda=.95, clip_range=.2, ent_coef=.01, vf_coef=.5, max_grad_norm=.5)
    begin = time.perf_counter()
    model.learn(STEPS)
    took = time.perf_counter() - begin
    env.close()
    assert model.num_timesteps == STEPS
    versions = f"Stable-Baselines3 {stable_baselines3.__version__}, torch {torch.__version__}, {torch.get_num_threads()} threads"
    print(json.dumps({"seconds": took, "versions": versions}))


def sb3_learn(envs):
    words = [sys.executable, "-W", "ignore", os.path.abspath(__file__), "--learn", str(envs)]
    return json.loads(subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout)


def our_seconds(build):
    """Of one whole process. It is spawned, not forked, so that the size of this one does not matter."""
    with tempfile.TemporaryDirectory() as folder:
        words = [os.path.join(build, "maestro"), *COMMAND, "--db", os.path.join(folder, "maestro.db")]
        quiet = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0) for fd in (1, 2)]
        begin = time.perf_counter()
        child = os.posix_spawn(words[0], words, os.environ, file_actions=quiet)
        status = os.waitpid(child, 0)[1]
        took = time.perf_counter() - begin
    assert status == 0, f"{' '.join(words)}: status {status}"
    return took


def beside(build, rounds):
    theirs, ours, versions = {envs: [] for envs in ENVS}, {envs: [] for envs in ENVS}, ""
    for _ in range(rounds):
        for envs in ENVS:
            one = sb3_learn(envs)
            versions = one["versions"]
            theirs[envs].append(one["seconds"])
            ours[envs] += [our_seconds(build) for _ in range(BESIDE)]
    for envs in ENVS:
        a, b = theirs[envs], ours[envs]
        print(json.dumps({
            "bench": "sb3", "envs": envs, "steps": STEPS, "rounds": rounds, "processes": len(b),
            "learn_s": round(statistics.median(a), 4), "learn_best_s": round(min(a), 4),
            "process_s": round(statistics.median(b), 4), "process_best_s": round(min(b), 4),
            "times": round(statistics.median(a) / statistics.median(b), 1), "best_times": round(min(a) / min(b), 1),
            "versions": versions,
        }), flush=True)


if sys.argv[1] == "--learn":
    learn(int(sys.argv[2]))
else:
    beside(sys.argv[1], int(sys.argv[2]))
