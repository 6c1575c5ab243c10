#!/usr/bin/env bash
# What things cost on this machine: BUILD/bench.json, and a table of it. Each figure stands beside the command that gives it.
#   [SB3_VENV=FOLDER] run.sh BUILD
# Everything that touches OpenBLAS is measured as its variables are set, and with them unset. A busy machine shows: the
# whole process is the median of 9 and its best.
# Stable-Baselines3 is measured in the same run, learn() alone and whole processes of ours in turn, where its virtual environment is
# (SB3_VENV, else the one that `make interop` sets up); else a line says that it is not. SB3_ROUNDS: 3 unless set.
set -eu
cd "$(dirname "$0")/../.."
build=$1 runs=9 sb3_rounds=${SB3_ROUNDS:-3}
venv=${SB3_VENV:-$build/interop/venv}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
blas=(OPENBLAS_CORETYPE OPENBLAS_L2_SIZE)

# Microseconds of one `maestro train --preset seed`, store and files included, into a fresh folder.
train_once() {
	rm -rf "$dir/run" && mkdir "$dir/run"
	local begin=${EPOCHREALTIME/./}
	"$build/maestro" train --preset seed --steps 20480 --seed 1 --headless --json --db "$dir/run/maestro.db" \
		>"$dir/out" 2>"$dir/err" || { cat "$dir/err" >&2; exit 1; }
	echo $((${EPOCHREALTIME/./} - begin))
}

measure() { # SETTING: lines of JSON
	local setting=$1 command="build/maestro train --preset seed --steps 20480 --seed 1 --headless --json"
	for _ in $(seq $runs); do train_once; done | sort -n | jq -sc --arg setting "$setting" --arg command "$command" '
		{bench: "process", steps: 20480, runs: length, seconds: (.[length / 2 | floor] / 1e6), best_s: (.[0] / 1e6),
		 steps_per_s: (20480e6 / .[length / 2 | floor] | round), blas: $setting, command: $command}'
	"$build/tests/bench_ppo" | jq -c --arg setting "$setting" '. + {blas: $setting, command: "build/tests/bench_ppo"}'
	if [ -e "$venv/ready" ]; then
		MAESTRO_SIM_LIB=$build/libmaestro_sim.so CUDA_VISIBLE_DEVICES='' PYTHONDONTWRITEBYTECODE=1 \
			"$venv/bin/python" -W ignore tests/bench/sb3_learn.py "$build" "$sb3_rounds" |
			jq -c --arg setting "$setting" '. + {blas: $setting, command: "tests/bench/sb3_learn.py"}'
	fi
}

set_as=$(for name in "${blas[@]}"; do echo "$name=${!name-}"; done | paste -sd ' ')
{
	[ "${OPENBLAS_CORETYPE-}${OPENBLAS_L2_SIZE-}" = "" ] || measure "$set_as"
	(unset "${blas[@]}"; measure unset)
	FLASK=no ROUNDS=3 SECONDS_A_ROUND=2 tests/bench/http.sh "$build"
	"$build/tests/bench_tui" | jq -c '. + {command: "build/tests/bench_tui"}'
	mkdir -p "$dir/home"
	console="$build/tests/bench_console"
	"$console" "$dir/home" 30 jk Live "$build/maestro" --db "$dir/home/live.db" | jq -c '. + {command: "build/tests/bench_console FOLDER 30 jk Live build/maestro"}'
	"$console" "$dir/home" 30 sS "Train" "$build/maestro" train --preset default --steps 900000000 --db "$dir/home/train.db" |
		jq -c '. + {command: "build/tests/bench_console FOLDER 30 sS Train build/maestro train --preset default --steps 900000000"}'
	"$build/tests/bench_fleet" "$build/maestro" 20 30 15s console | jq -c '. + {command: "build/tests/bench_fleet build/maestro 20 30 15s console"}'
	many=$build/many_runs.db # 800 MB, made once
	[ "$many" -nt tests/bench/many_runs.sql ] || rm -f "$many"*
	"$build/tests/bench_runs" "$many" tests/bench/many_runs.sql | jq -c '. + {command: "build/tests/bench_runs build/many_runs.db tests/bench/many_runs.sql"}'
	"$build/tests/bench_sim" | jq -c '. + {command: "build/tests/bench_sim"}'
} >"$dir/lines"

jq -s --arg cpu "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)" --arg cores "$(nproc)" \
	--arg load "$(cut -d' ' -f1 /proc/loadavg 2>/dev/null || echo '?')" \
	'{machine: {cpu: $cpu, cores: ($cores | tonumber), load_1m: ($load | tonumber?)}, results: .}' "$dir/lines" >"$build/bench.json"

jq -r '
	def row: [.bench + (if .name then " " + .name else "" end) + (if .size then " " + .size else "" end) + (if .envs then ", \(.envs) env" else "" end)
	          + (if .threads then ", \(.threads) thread" + (if .threads > 1 then "s" else "" end) else "" end), (.blas // ""),
	          if .bench == "sb3" then "SB3 learn() alone \(.learn_s) s (best of \(.rounds): \(.learn_best_s)), our whole process \(.process_s) s (best of \(.processes): \(.process_best_s)): \(.times) x by medians, \(.best_times) x by bests"
	          elif .bench == "process" then "\(.seconds) s (best \(.best_s)), \(.steps_per_s) steps/s"
	          elif .servers then "\(.servers.maestro.requests_per_s | round) requests/s, p99 \(.servers.maestro.p99_ms) ms, \(.percent_of_bare) % of a bare responder"
	          elif .steps_per_s then "\(.seconds) s, \(.steps_per_s) steps/s" + (if .bytes_per_env then ", \(.bytes_per_env) bytes" else "" end)
	          elif .bytes_per_s then "\(.bytes_per_s) bytes/s, \(.cpu_percent_of_core) % of a core" + (if .drawing_percent_of_core then " (drawing \(.drawing_percent_of_core) %)" else "" end) + (if .rss_mib then ", \(.rss_mib) MiB" else "" end)
	          elif .p99_ms then "\(.ms) ms, p99 \(.p99_ms) ms"
	          elif .cpu_ms then "\(.ms) ms, \(.cpu_ms) ms of CPU"
	          elif .ns then "\(.ns) ns" elif .ms then "\(.ms) ms"
	          else "\(.gflops) GFLOP/s" + (if .percent_of_peak then ", \(.percent_of_peak) % of peak" else "" end) end];
	(["what", "OpenBLAS", "figure"], (.results[] | row)) | @tsv' "$build/bench.json" |
	awk -F'\t' '{ printf "%-34s %-44s %s\n", $1, $2, $3 }'
[ -e "$venv/ready" ] || echo "SB3: not measured, no $venv (make interop sets it up; SB3_VENV names another)"
jq -r '
	(.results | map(select(.bench == "process")) | last) as $process | (.results | map(select(.bench == "train_seed" and .threads == 2)) | last) as $t |
	def row($name; $s): "  \($name)\t\($s * 1e3 * 10 | round / 10) ms\t\($s / $process.seconds * 100 | round) %";
	"where the time of a process goes (\($process.blas)):", row("learning, policy and value on two cores"; $t.learn_s),
	row("rollouts: the simulator"; $t.env_s), row("rollouts: inference"; $t.inference_s),
	row("start, store, files, evaluation, the rest"; $process.seconds - $t.learn_s - $t.env_s - $t.inference_s)' "$build/bench.json" |
	awk -F'\t' '{ printf "%-48s %10s %6s\n", $1, $2, $3 }'
cat <<'END'
bars: Live and Train 600 bytes/s, Live 0.15 % of a core over 20 targets, a key's p99 10 ms while training, first screen 25 ms, Runs' first page 200 ms
for comparison: 20,480 steps at these figures, on the two cores that they were taken on
  the thesis on its live cluster                                              169464 s
  SB3 2.9 and torch, 1 environment / 8                                        6.5 / 3.8 s
  rl_tools and OpenBLAS (Pendulum, near-identical work), unset / Haswell      .086 / .165 s
  11.28 GFLOP at the peak of one core, and tanh                               .050 s
END
echo "written to $build/bench.json"
