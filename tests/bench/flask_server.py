"""The thesis's kind of model server: Flask, an SB3 policy, POST /predict. For gunicorn: `flask_server:app`, model in MODEL."""
import os

import numpy
import torch
from flask import Flask, jsonify, request
from stable_baselines3 import PPO

torch.set_num_threads(1)
model = PPO.load(os.environ["MODEL"], device="cpu")
app = Flask(__name__)
KEYS = ("cpu_usage", "memory_usage", "replicas", "latency", "rps")


@app.post("/predict")
def predict():
    body = request.get_json(force=True, silent=True)
    try:
        observation = numpy.array([float(body[key]) for key in KEYS], dtype=numpy.float32)
    except (KeyError, TypeError, ValueError) as why:
        return jsonify(error=str(why)), 400
    action, _ = model.predict(observation, deterministic=True)
    return jsonify(action=int(action))
