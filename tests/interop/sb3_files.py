"""SB3's zips both ways: what SB3 saves, maestro reads as torch does; what maestro writes, PPO.load loads and trains on."""
import os
import tempfile

import gymnasium
import numpy as np
import torch
from stable_baselines3 import A2C, DQN, PPO

from common import check, end, predict, refusal, run

torch.set_num_threads(1)
rng = np.random.default_rng(1)


def torch_says(model, observations):
    """Logits of the action net, values, greedy actions."""
    with torch.no_grad():
        obs = torch.as_tensor(np.asarray(observations, np.float32))
        pi, vf = model.policy.mlp_extractor(obs)
        logits = model.policy.action_net(pi).numpy()
        return logits, model.policy.value_net(vf).numpy()[:, 0], model.predict(obs.numpy(), deterministic=True)[0]


def by_direction(logits):
    """Wide actions: the likeliest direction (two go down, one keeps, four go up), and in it the likeliest."""
    share = np.exp(logits - logits.max(axis=1, keepdims=True))
    parts = [slice(0, 2), slice(2, 3), slice(3, 7)]
    best = np.argmax([share[:, part].sum(axis=1) for part in parts], axis=0)
    return np.array([parts[b].start + row[parts[b]].argmax() for b, row in zip(best, share)])


def agrees(model, path, folder, tolerance=1e-4):
    observations = rng.normal(size=(200,) + model.observation_space.shape).astype(np.float32)
    logits, values, actions = torch_says(model, observations)
    lines = predict(path, observations, folder)
    if "choice" in lines[0]:
        actions, lines = by_direction(logits), [line | {"action": line["choice"]} for line in lines]
    gap = np.sort(logits, axis=1)
    is_clear = gap[:, -1] - gap[:, -2] > tolerance  # elsewhere two actions are equally good
    return (np.abs(logits - [l["logits"] for l in lines]).max() < tolerance
            and np.abs(values - [l["value"] for l in lines]).max() < tolerance
            and all(a == l["action"] for a, l, c in zip(actions, lines, is_clear) if c))


with tempfile.TemporaryDirectory() as folder:
    cartpole = gymnasium.make("CartPole-v1")
    for name, kwargs in [
        ("the default policy", {}),
        ("64, 32, 16 and ReLU", dict(net_arch=[64, 32, 16], activation_fn=torch.nn.ReLU)),
        ("trunks of their own", dict(net_arch=dict(pi=[20], vf=[70, 30]))),
        ("no hidden layers", dict(net_arch=[])),
        ("all harmless keywords", dict(net_arch=dict(pi=[8], vf=[]), ortho_init=False, share_features_extractor=False,
                                       optimizer_kwargs=dict(eps=1e-6), activation_fn=torch.nn.Tanh)),
    ]:
        model = PPO("MlpPolicy", cartpole, policy_kwargs=kwargs, n_steps=64, device="cpu", seed=3).learn(64)
        path = os.path.join(folder, "sb3.zip")
        model.save(path)
        check(f"SB3's zip is read as torch reads it: {name}", agrees(model, path, folder))
        ours = os.path.join(folder, "ours.zip")
        run("model", "convert", "--model", path, "--out", ours)
        loaded = PPO.load(ours, device="cpu")
        check(f"our zip loads with PPO.load: {name}", agrees(loaded, path, folder)
              and all(torch.equal(a, loaded.policy.state_dict()[k]) for k, a in model.policy.state_dict().items()))

    class FakeBox(gymnasium.Env):
        observation_space = gymnasium.spaces.Box(-1, 1, (4,))

        def __init__(self, action_space):
            self.action_space = action_space

        def reset(self, seed=None, options=None):
            return np.zeros(4, np.float32), {}

        def step(self, action):
            return np.zeros(4, np.float32), 0.0, False, True, {}

    class Pixels(FakeBox):
        observation_space = gymnasium.spaces.Box(0, 255, (3, 36, 36), np.uint8)

        def reset(self, seed=None, options=None):
            return np.zeros((3, 36, 36), np.uint8), {}

    for name, word, model in [
        ("a CNN policy", "CnnPolicy", lambda: PPO("CnnPolicy", Pixels(gymnasium.spaces.Discrete(2)), n_steps=8, batch_size=8)),
        ("continuous actions", "action space", lambda: PPO("MlpPolicy", FakeBox(gymnasium.spaces.Box(-1, 1, (2,))))),
        ("several discrete actions", "MultiDiscrete", lambda: PPO("MlpPolicy", FakeBox(gymnasium.spaces.MultiDiscrete([2, 3])))),
        ("another activation", "ELU", lambda: PPO("MlpPolicy", cartpole, policy_kwargs=dict(activation_fn=torch.nn.ELU))),
        ("doubles", "DoubleStorage", lambda: PPO("MlpPolicy", cartpole)),
        ("A2C", "not a PPO", lambda: A2C("MlpPolicy", cartpole)),
        ("DQN", "not a PPO", lambda: DQN("MlpPolicy", cartpole, buffer_size=10)),
    ]:
        other = model()
        if name == "doubles":
            other.policy.double()
        path = os.path.join(folder, "other.zip")
        other.save(path)
        status, text = refusal("model", "inspect", "--model", path)
        check(f"{name} is refused by name", status == 5 and word in text)

    # there and back: our own training goes on in Python, under our environment
    from maestro_gym import MaestroVecEnv
    for preset, words, n_envs, steps, n_steps, ent_coef in [("seed", ["--steps", 4096], 1, 4096, 1024, .01),
                                                            ("default", ["--steps", 1024, "--envs", 8, "--clone-steps", 0], 8, 1024, 128, .005)]:
        own = os.path.join(folder, f"{preset}.safetensors")
        run("train", "--headless", "--json", "--preset", preset, "--eval-every", 0, "--db", os.path.join(folder, "s.db"), "--out", own, *words)
        run("model", "convert", "--model", own, "--out", os.path.join(folder, "own.zip"))
        env = MaestroVecEnv(n_envs, preset=preset)
        loaded = PPO.load(os.path.join(folder, "own.zip"), env=env, device="cpu")
        before = {k: v.clone() for k, v in loaded.policy.state_dict().items()}
        check(f"a policy of maestro's loads with its figures: preset {preset}", loaded.n_steps == n_steps and loaded.num_timesteps == steps
              and loaded.ent_coef == ent_coef and agrees(loaded, os.path.join(folder, "own.zip"), folder))
        loaded.learn(2048, reset_num_timesteps=False)
        check(f"and goes on training in SB3: preset {preset}", loaded.num_timesteps == steps + 2048
              and any(not torch.equal(v, before[k]) for k, v in loaded.policy.state_dict().items()))
        loaded.save(os.path.join(folder, "further.zip"))
        check(f"and comes back: preset {preset}", agrees(loaded, os.path.join(folder, "further.zip"), folder))
end()
