"""Event files: TensorBoard's own reader finds scalars under SB3's tags, histograms and hyper-parameters."""
import os
import tempfile

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from common import check, end, run

SB3_TAGS = {"rollout/ep_rew_mean", "rollout/ep_len_mean", "time/fps", "train/approx_kl", "train/clip_fraction",
            "train/clip_range", "train/entropy_loss", "train/explained_variance", "train/learning_rate", "train/loss",
            "train/policy_gradient_loss", "train/value_loss", "eval/mean_reward", "eval/mean_ep_length"}


def read(folder):
    events = EventAccumulator(folder, size_guidance={"scalars": 0, "histograms": 0})
    events.Reload()
    return events


def scalars(events, tag):
    return [(e.step, e.value) for e in events.Scalars(tag)]


def near(events, tag, want):
    got = scalars(events, tag)
    return len(got) == len(want) and all(s == w and abs(v - x) <= 1e-6 * max(1, abs(x)) for (s, v), (w, x) in zip(got, want))


with tempfile.TemporaryDirectory() as folder:
    db, live, stored = (os.path.join(folder, name) for name in ("s.db", "logs/live", "stored"))
    lines = run("train", "--headless", "--json", "--preset", "seed", "--steps", 8192, "--eval-every", 4096, "--eval-episodes", 2,
                "--learning-rate", "0.001", "--db", db, "--tensorboard", live)
    updates = [line for line in lines if line["event"] == "update"]
    evals = [line for line in lines if line["event"] == "eval"]
    events = read(live)
    tags = events.Tags()
    check("every tag of SB3's logger is there", SB3_TAGS <= set(tags["scalars"]))
    check("scalars are those of the NDJSON", all(
        near(events, f"train/{name}", [(u["steps"], u[name]) for u in updates if u[name] is not None])
        for name in ("approx_kl", "value_loss", "loss", "entropy_loss", "learning_rate"))
        and near(events, "eval/mean_reward", [(e["steps"], e["mean_reward"]) for e in evals]))
    weights = events.Histograms("action_net.weight")
    check("weights are histograms at each evaluation and at the end", [w.step for w in weights] == [4096, 8192, 8192]
          and all(w.histogram_value.num == 3 * 64 and sum(w.histogram_value.bucket) == 3 * 64 for w in weights))
    content = events.PluginTagToContent("hparams")["_hparams_/session_start_info"]
    hparams = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info.hparams
    check("settings are hyper-parameters", hparams["learning-rate"].number_value == .001
          and hparams["activation"].string_value == "tanh" and hparams["norm-obs"].bool_value is False)
    run("runs", "export", 1, "--db", db, "--format", "tensorboard", "--out", stored)
    again = read(stored)
    check("runs export writes the same scalars", set(again.Tags()["scalars"]) == set(tags["scalars"]) and all(
        [s for s, _ in scalars(again, tag)] == [s for s, _ in scalars(events, tag)] for tag in tags["scalars"])
        and scalars(again, "train/loss") == scalars(events, "train/loss"))
end()
