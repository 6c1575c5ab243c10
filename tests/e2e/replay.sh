#!/bin/bash
# The request level against a real process: target-app under a CPU quota of the kernel (cgroup v1 or v2, by hand; `skip` where this
# machine does not let us), loaded and replayed request by request. Prints a line a run and the median error of the p95, which
# SIM allows 15 % on an idle machine; then the same on a core that a neighbour takes part of.
#   replay.sh BUILD
set -u
cd "$(dirname "$0")/../.."
build=${1:-build}
port=${PORT:-19421}
seconds=${SECONDS_A_RUN:-20}
work_ms=20
groups=() started=()

cleanup() {
	for p in ${started[@]+"${started[@]}"}; do kill "$p" 2>/dev/null; wait "$p" 2>/dev/null; done
	sleep .2
	for g in ${groups[@]+"${groups[@]}"}; do rmdir "$g" 2>/dev/null; done
}
trap cleanup EXIT

# Its own group with a quota in percent of a core (0: none), before others where the machine is busy; its folder in $group.
make_group() { # name percent
	local v1=/sys/fs/cgroup/cpu/$1 v2=/sys/fs/cgroup/$1 quota=$(($2 * 1000))
	[ "$2" = 0 ] && quota=-1
	if mkdir "$v1" 2>/dev/null && [ -e "$v1/cpu.cfs_quota_us" ]; then
		echo 100000 >"$v1/cpu.cfs_period_us" && echo $quota >"$v1/cpu.cfs_quota_us" && echo 65536 >"$v1/cpu.shares" && group=$v1
	elif mkdir "$v2" 2>/dev/null && [ -e "$v2/cpu.max" ]; then
		[ $quota = -1 ] && quota=max
		echo "$quota 100000" >"$v2/cpu.max" && echo 10000 >"$v2/cpu.weight" && group=$v2
	else
		rmdir "$v1" "$v2" 2>/dev/null
		return 1
	fi
	groups+=("$group")
}

start_in() { # group command...
	local into=$1
	shift
	(echo "$BASHPID" >"$into/cgroup.procs" && exec "$@") 2>/dev/null &
	started+=($!)
}

# One run: a fresh process on its own port, killed afterwards.
run() { # name percent rps speed core-list
	local seed=$RANDOM
	port=$((port + 1))
	make_group "maestro-replay-$$-$port" "$2" || return 1
	start_in "$group" taskset -c "$5" "$build/maestro" target-app --listen "127.0.0.1:$port" --work-ms $work_ms --seed $seed
	local pid=${started[-1]} limit answer
	for _ in $(seq 50); do curl -s -o /dev/null "127.0.0.1:$port/healthz" && break; sleep .1; done
	limit=$(awk -v p="$2" 'BEGIN { print p / 100 }')
	answer=$("$build/tests/replay" "http://127.0.0.1:$port/" "$3" "$seconds" $((seed + 7)) $seed $work_ms "$limit" "$4")
	[ -n "$answer" ] || { echo "not ok real-process: no answer"; exit 1; }
	kill "$pid"; wait "$pid" 2>/dev/null
	echo "$1: limit $limit, $3 requests/s: $answer"
	errors="$errors $(echo "$answer" | sed 's/.*"error":\(-\{0,1\}[0-9.]*\).*/\1/')"
}

median() { tr ' ' '\n' | grep . | sed 's/^-//' | sort -g | awk '{ x[NR] = $1 } END { print NR % 2 ? x[(NR + 1) / 2] : (x[NR / 2] + x[NR / 2 + 1]) / 2 }'; }

group=
make_group "maestro-replay-$$-try" 50 || { echo "skip real-process: no CPU group can be made here (needs root and a writable cgroup)"; exit 0; }
all=0-$(($(nproc) - 1))
errors=
for percent in 0 50; do
	for load in 4 6 8; do
		rps=$(awk -v p=$percent -v l=$load -v w=$work_ms 'BEGIN { print l / 10 * (p ? p / 100 : 1) / (w / 1000) }')
		run "alone at .$load" $percent "$rps" 1 "$all"
	done
done
middle=$(echo "$errors" | median)
awk -v e="$middle" 'BEGIN { exit !(e <= .15) }' && verdict=ok || verdict="not ok"
echo "$verdict real-process: median error of the p95 over 6 runs $middle, allowed 0.15"

# A neighbour with three tenths of the one core that both are pinned to: the model's speed is what it leaves.
make_group "maestro-replay-$$-neighbour" 30
start_in "$group" taskset -c 0 sh -c 'while :; do :; done'
errors=
for load in 3 5; do
	rps=$(awk -v l=$load -v w=$work_ms 'BEGIN { print l / 10 / (w / 1000) }')
	run "beside .3 of a neighbour, at .$load" 0 "$rps" .7 0
done
echo "measured neighbour: median error of the p95 $(echo "$errors" | median), with speed 1 - .3"
[ "$verdict" = ok ]
