"""ONNX files: onnxruntime gives the logits and actions of `maestro model predict`, normalisation included."""
import os
import tempfile

import numpy as np
import onnx
import onnxruntime

from common import check, end, predict, run

rng = np.random.default_rng(2)

with tempfile.TemporaryDirectory() as folder:
    for name, options in [
        ("plain, tanh", ["--no-norm-obs"]),
        ("normalised, ReLU, three layers", ["--norm-obs", "--net-arch", "32,48,8", "--activation", "relu"]),
        ("no hidden layers", ["--norm-obs", "--net-arch", ""]),
    ]:
        model, path = os.path.join(folder, "model.safetensors"), os.path.join(folder, "model.onnx")
        run("train", "--headless", "--json", "--preset", "seed", "--steps", 2048, "--eval-every", 0, "--db",
            os.path.join(folder, "s.db"), "--out", model, *options)
        run("model", "convert", "--model", model, "--out", path)
        onnx.checker.check_model(onnx.load(path), full_check=True)
        session = onnxruntime.InferenceSession(path)
        # cpu, memory, replicas, latency, rps around and far beyond what was trained on, so that the clip shows
        obs = (np.abs(rng.normal(size=(500, 5))) * [100, .5, 4, 200, 50]).astype(np.float32)
        logits, actions = session.run(["logits", "action"], {"obs": obs})
        lines = predict(model, obs, folder)
        want = np.array([line["logits"] for line in lines])
        gap = np.sort(want, axis=1)
        is_clear = gap[:, -1] - gap[:, -2] > 1e-4
        scale = np.maximum(np.abs(want), 1)
        check(f"onnxruntime agrees: {name}", (np.abs(logits - want) / scale).max() < 1e-4
              and all(a == line["action"] for a, line, c in zip(actions, lines, is_clear) if c))
end()
