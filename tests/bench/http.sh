#!/usr/bin/env bash
# POST /predict over loopback by wrk: maestro model-server, the Python reference (Flask, gunicorn with 2 workers, SB3's PPO), and
# a bare epoll responder as the ceiling; rounds in turn, so that a busy machine is busy for all. JSON lines on stdout, a verdict
# on stderr.
#   http.sh BUILD [OUT.json]   also into OUT
#   HTTP_PORT  first of three ports (23010)   ROUNDS (3)   SECONDS_A_ROUND (4)   FLASK=no: without the reference
set -eu
cd "$(dirname "$0")/../.."
build=$1 out=${2:-/dev/null} port=${HTTP_PORT:-23010} rounds=${ROUNDS:-3} seconds=${SECONDS_A_ROUND:-4}
venv=$build/interop/venv
dir=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; wait 2>/dev/null; rm -rf "$dir"' EXIT
command -v wrk >/dev/null || { echo "skip bench-http: wrk is not installed" >&2; exit 0; }

"$build/maestro" train --headless --preset seed --steps 4096 --seed 1 --db "$dir/db" --out "$dir/model.safetensors" >/dev/null 2>&1
"$build/maestro" model convert --model "$dir/model.safetensors" --out "$dir/model.zip" >/dev/null
cat >"$dir/post.lua" <<'LUA'
wrk.method = "POST"
wrk.body = '{"cpu_usage":30,"memory_usage":0.3,"replicas":3,"latency":200,"rps":100}'
wrk.headers["Content-Type"] = "application/json"
done = function(summary, latency, requests)
	io.write(string.format("%.1f %.3f %d\n", summary.requests / summary.duration * 1e6, latency:percentile(99) / 1e3,
		summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout))
end
LUA
names=(bare maestro)
"$build/tests/bare_responder" "$port" 2 & pids+=($!)
"$build/maestro" model-server --listen "127.0.0.1:$((port + 1))" --model "$dir/model.safetensors" 2>/dev/null & pids+=($!)
if [ "${FLASK:-}" != no ] && [ ! -x "$venv/bin/gunicorn" ] && command -v python3 >/dev/null; then
	{ [ -x "$venv/bin/pip" ] || python3 -m venv "$venv"; } >"$dir/setup" 2>&1 &&
		"$venv/bin/pip" install -q "stable-baselines3==2.9.2" flask gunicorn >>"$dir/setup" 2>&1 || true
fi
if [ "${FLASK:-}" = no ]; then
	echo "POST /predict without the Python reference; make bench-http has it" >&2
elif [ -x "$venv/bin/gunicorn" ]; then
	names+=(flask)
	(cd tests/bench && MODEL="$dir/model.zip" CUDA_VISIBLE_DEVICES='' PYTHONDONTWRITEBYTECODE=1 exec "$OLDPWD/$venv/bin/gunicorn" -w 2 \
		--keep-alive 30 --log-level error -b "127.0.0.1:$((port + 2))" flask_server:app) >"$dir/flask.log" 2>&1 & pids+=($!)
else
	echo "skip bench-http flask: no Python with Flask, gunicorn and SB3 can be had" >&2
fi
for i in "${!names[@]}"; do
	for _ in $(seq 240); do
		curl -fsS -m 5 -o /dev/null -d '{"cpu_usage":30,"memory_usage":0.3,"replicas":3,"latency":200,"rps":100}' \
			"http://127.0.0.1:$((port + i))/predict" 2>/dev/null && break
		sleep .25
	done
done
for round in $(seq "$rounds"); do
	for i in "${!names[@]}"; do
		read -r rps p99 errors < <(wrk -t2 -c32 -d"${seconds}s" -s "$dir/post.lua" "http://127.0.0.1:$((port + i))/predict" | tail -n 1)
		echo "{\"server\":\"${names[i]}\",\"round\":$round,\"requests_per_s\":$rps,\"p99_ms\":$p99,\"errors\":$errors}"
	done
done >"$dir/rounds"
jq -sc 'def median: sort | .[length / 2 | floor];
	group_by(.server) | map({key: .[0].server, value: {requests_per_s: (map(.requests_per_s) | median), p99_ms: (map(.p99_ms) | median),
		errors: (map(.errors) | add)}}) | from_entries |
	{bench: "predict", servers: ., percent_of_bare: (.maestro.requests_per_s / .bare.requests_per_s * 1000 | round / 10),
	 times_flask: (if .flask then .maestro.requests_per_s / .flask.requests_per_s * 10 | round / 10 else null end),
	 command: "make bench-http"}' "$dir/rounds" | tee "$out" "$dir/result"
jq -r '"POST /predict: \(.servers.maestro.requests_per_s | round) requests/s, p99 \(.servers.maestro.p99_ms) ms: " +
	"\(.percent_of_bare) % of a bare responder" + if .times_flask then ", \(.times_flask) x Flask " +
	"(\(.servers.flask.requests_per_s | round) requests/s, p99 \(.servers.flask.p99_ms) ms)" else "" end' "$dir/result" >&2
