"""SB3's PPO and ours, trained in the same environments under the same figures, land in the same band.

INTEROP_SEEDS (10) seeds a side. Each net is scored twice on the same held-out traffic under the masks: by its likeliest actions, and by
actions drawn as in training, which tell half-learnt nets apart. Both sides have their figures from the run's stored configuration. Of
the default preset both have fewer steps (INTEROP_STEPS), and go without what SB3 has not: the rule that is copied first (clone-steps)
and the division of advantages (even-advantage). Masks are MaskablePPO's of sb3-contrib, since SB3's own PPO has none.
"""
import os
import tempfile
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import onnxruntime
import torch
from sb3_contrib import MaskablePPO
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecNormalize

from common import check, end, run
from maestro_gym import MaestroVecEnv, settings_of

SEEDS, STEPS = int(os.environ.get("INTEROP_SEEDS", 10)), int(os.environ.get("INTEROP_STEPS", 500_000))
TRACE, EPISODES = "nasa95_jul_week", 64
HOW = "likeliest", "drawn"
torch.set_num_threads(1)


def play(config, logits_of, rng):
    """Mean return of episodes on held-out traffic: the first of each of the rows. With a generator actions are drawn."""
    env = MaestroVecEnv(EPISODES, **settings_of(config, part="held-out"))
    env.seed(12345)
    obs, total, is_running = env.reset(), np.zeros(EPISODES), np.ones(EPISODES, bool)
    while is_running.any():
        logits = np.where(env.action_masks(), logits_of(obs), -np.inf)
        obs, reward, done, _ = env.step((logits if rng is None else logits + rng.gumbel(size=logits.shape)).argmax(axis=1))
        total += reward * is_running
        is_running &= ~done
    return total.mean()


def score(config, logits_of):
    return play(config, logits_of, None), play(config, logits_of, np.random.default_rng(1))


def ours(options, seed):
    with tempfile.TemporaryDirectory() as folder:
        db, model, onnx = (os.path.join(folder, name) for name in ("s.db", "model.safetensors", "model.onnx"))
        lines = run("train", "--headless", "--json", "--seed", seed, "--eval-every", 0, "--db", db, "--out", model, *options)
        config = run("runs", "show", lines[-1]["run"], "--db", db, "--json")[0]["config"]
        run("model", "convert", "--model", model, "--out", onnx)
        session = onnxruntime.InferenceSession(onnx)
    return score(config, lambda obs: session.run(["logits"], {"obs": obs})[0]), config


def schedule(text):
    """3e-4, or lin_3e-4 that falls to 0, as SB3 has them."""
    return (lambda left, first=float(text[4:]): first * left) if text.startswith("lin_") else float(text)


def sb3(config, seed):
    """Scores before and after it has learnt."""
    env = MaestroVecEnv(config["envs"], **settings_of(config))
    if config["norm-obs"] or config["norm-reward"]:
        env = VecNormalize(env, norm_obs=config["norm-obs"], norm_reward=config["norm-reward"], gamma=config["gamma"])
    kind = MaskablePPO if config["use-masking"] else PPO
    model = kind("MlpPolicy", env, device="cpu", seed=1000 + seed, learning_rate=schedule(config["learning-rate"]),
                 n_steps=config["n-steps"], batch_size=config["batch-size"], n_epochs=config["n-epochs"], gamma=config["gamma"],
                 gae_lambda=config["gae-lambda"], clip_range=schedule(config["clip-range"]), ent_coef=config["ent-coef"],
                 vf_coef=config["vf-coef"], max_grad_norm=config["max-grad-norm"],
                 policy_kwargs=dict(net_arch=[int(w) for w in config["net-arch"].split(",")]))

    def logits(obs):
        seen = torch.as_tensor(env.normalize_obs(obs) if config["norm-obs"] else obs, dtype=torch.float32)
        with torch.no_grad():
            return model.policy.action_net(model.policy.mlp_extractor.forward_actor(seen)).numpy()
    before = score(config, logits)
    model.learn(config["steps"])
    return before, score(config, logits)


def both(job):
    options, seed = job
    mine, config = ours(options, seed)
    return (mine, *sb3(config, seed))


def same_band(name, options):
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        scores = np.array(list(pool.map(both, [(options, seed) for seed in range(1, SEEDS + 1)])))  # [seed][side][how]
    for i, how in enumerate(HOW):
        a, before, b = scores[:, :, i].T
        # means apart by no more than three standard errors of their difference, or 2 % where the seeds hardly differ
        apart, band = a.mean() - b.mean(), max(3 * np.sqrt((np.var(a) + np.var(b)) / (SEEDS - 1)), .02 * abs(b.mean()))
        for side, values in ("maestro", a), ("SB3", b), ("untrained", before):
            print(f"  {name}, {how}: {side} {values.mean():.2f} ({values.min():.2f} to {values.max():.2f}, {SEEDS} seeds)", flush=True)
        print(f"  {name}, {how}: apart by {apart:+.2f}, the band is {band:.2f}", flush=True)
        check(f"SB3's PPO and ours land in the same band: {name}, {how} actions", abs(apart) <= band)
    check(f"a net that has learnt nothing is outside it: {name}", before.mean() < min(a.mean(), b.mean()) - band)


same_band("preset seed", ["--preset", "seed", "--trace", TRACE])
same_band("preset seed, limits on", ["--preset", "seed", "--trace", TRACE, "--latency-soft", 250, "--latency-hard", 500])
same_band("preset default", ["--preset", "default", "--steps", STEPS, "--clone-steps", 0, "--even-advantage", 0, "--no-critic-ahead"])
end()
