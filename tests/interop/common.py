"""What the interop scripts share: checks that print a line each, and the program under test."""
import json
import os
import subprocess
import sys

BUILD = os.environ.get("MAESTRO_TEST_BUILD", "build")
MAESTRO = os.path.join(BUILD, "maestro")
failed = 0


def check(name, is_good):
    global failed
    print(("ok " if is_good else "not ok ") + name, flush=True)
    failed += not is_good


def end():
    sys.exit(failed > 0)


def run(*words):
    """A command of maestro; its lines of JSON."""
    result = subprocess.run([MAESTRO, *map(str, words)], capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(f"maestro {' '.join(map(str, words))}: exit {result.returncode}: {result.stderr}")
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


def refusal(*words):
    """Exit status and stderr of a command that fails."""
    result = subprocess.run([MAESTRO, *map(str, words)], capture_output=True, text=True)
    return result.returncode, result.stderr


def predict(model, observations, folder):
    path = os.path.join(folder, "observations.json")
    with open(path, "w") as file:
        json.dump([[float(x) for x in row] for row in observations], file)
    return run("model", "predict", "--model", model, "--observations", path)
