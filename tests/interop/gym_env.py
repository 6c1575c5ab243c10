"""The simulator under Gymnasium and SB3: check_env passes, and SB3's PPO and ours land in the same band on both presets.

INTEROP_SEEDS (3) seeds a preset and side, INTEROP_STEPS (200000) steps of the default preset.
"""
import os
import tempfile

import numpy as np
import onnxruntime
import torch
from gymnasium.utils.env_checker import check_env as gymnasium_check_env
from stable_baselines3 import PPO
from stable_baselines3.common.env_checker import check_env
from stable_baselines3.common.vec_env import VecNormalize

from common import check, end, run
from maestro_gym import MaestroEnv, MaestroVecEnv, settings_of

SEEDS, STEPS = int(os.environ.get("INTEROP_SEEDS", 3)), int(os.environ.get("INTEROP_STEPS", 200_000))
TRACE, EPISODES = "engine/sim/traces/nasa95_jul_week.csv", 32
torch.set_num_threads(1)


def raises(function, *args):
    try:
        function(*args)
    except Exception as error:
        print(f"  {type(error).__name__}: {error}")
        return True
    return False


check("SB3's check_env passes", not raises(check_env, MaestroEnv(episode_steps=50)))
check("Gymnasium's check_env passes", not raises(gymnasium_check_env, MaestroEnv(episode_steps=50)))
check("a wrong setting is named", raises(lambda: MaestroEnv(interval=3)))


def score(config, decide):
    """Mean return of greedy episodes on held-out traffic: the first episode of each of 32 rows."""
    env = MaestroVecEnv(EPISODES, **settings_of(config, is_eval=True))
    env.seed(12345)
    obs, total, is_running = env.reset(), np.zeros(EPISODES), np.ones(EPISODES, bool)
    while is_running.any():
        obs, reward, done, _ = env.step(decide(obs))
        total += reward * is_running
        is_running &= ~done
    return total.mean()


def ours(options, seed, folder):
    db, model, onnx = (os.path.join(folder, name) for name in ("s.db", "model.safetensors", "model.onnx"))
    lines = run("train", "--headless", "--json", "--seed", seed, "--eval-every", 0, "--db", db, "--out", model, *options)
    config = run("runs", "show", lines[-1]["run"], "--db", db, "--json")[0]["config"]
    run("model", "convert", "--model", model, "--out", onnx)
    session = onnxruntime.InferenceSession(onnx)
    return score(config, lambda obs: session.run(["action"], {"obs": obs})[0]), config


def schedule(text):
    """3e-4, or lin_3e-4 that falls to 0, as SB3 has them."""
    return (lambda left, first=float(text[4:]): first * left) if text.startswith("lin_") else float(text)


def sb3(config, seed):
    env = MaestroVecEnv(config["envs"], **settings_of(config))
    if config["norm-obs"]:
        env = VecNormalize(env, norm_obs=True, norm_reward=False)
    env.seed(1000 + seed)
    model = PPO("MlpPolicy", env, device="cpu", seed=seed, learning_rate=schedule(config["learning-rate"]), n_steps=config["n-steps"],
                batch_size=config["batch-size"], n_epochs=config["n-epochs"], gamma=config["gamma"],
                gae_lambda=config["gae-lambda"], clip_range=schedule(config["clip-range"]), ent_coef=config["ent-coef"],
                vf_coef=config["vf-coef"], max_grad_norm=config["max-grad-norm"],
                policy_kwargs=dict(net_arch=[int(w) for w in config["net-arch"].split(",")]))
    model.learn(config["steps"])
    normalise = env.normalize_obs if config["norm-obs"] else lambda obs: obs
    return score(config, lambda obs: model.predict(normalise(obs), deterministic=True)[0])


def same_band(name, options):
    with tempfile.TemporaryDirectory() as folder:
        a, b = [], []
        for seed in range(1, SEEDS + 1):
            value, config = ours(options, seed, folder)
            a.append(value)
            b.append(sb3(config, seed))
    print(f"  {name}: maestro {np.mean(a):.2f} ({min(a):.2f} to {max(a):.2f}), SB3 {np.mean(b):.2f} ({min(b):.2f} to {max(b):.2f}), "
          f"{SEEDS} seeds", flush=True)
    # means apart by no more than three standard errors of their difference, or 2 % where the seeds hardly differ
    error = np.sqrt((np.var(a) + np.var(b)) / max(1, SEEDS - 1))
    check(f"SB3's PPO and ours land in the same band: {name}",
          abs(np.mean(a) - np.mean(b)) <= max(3 * error, .02 * abs(np.mean(b))))


same_band("preset seed", ["--preset", "seed", "--trace", TRACE])
same_band("preset seed, limits on", ["--preset", "seed", "--trace", TRACE, "--latency-soft", 250, "--latency-hard", 500])
same_band("preset default", ["--preset", "default", "--trace", TRACE, "--steps", STEPS])
end()
