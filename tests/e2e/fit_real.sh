#!/bin/bash
# `maestro fit` against the real thing: target-app processes under a CPU quota of the kernel (cgroup v1 or v2, by hand; where that
# is not to be had, their own), a real Prometheus that scrapes them, `maestro load` in rising and falling steps. The fit must find
# the work of a request and the quota within 10 %.
#   fit_real.sh BUILD
# Prints `ok NAME` and `not ok NAME: why`. Without Prometheus: `skip`, exit 0.
#   FIT_MINUTES=N   of load (5)
#   FIT_WORK_MS=W FIT_LIMIT=L   of the service (20, .3)
#   FIT_PORT        first of 10 ports on loopback (28000)
#   FIT_RECORD=FILE keep what was read: tests/fixtures/fit_real.csv is such a file
#   KEEP=1          leaves the working folder and says where
set -u
cd "$(dirname "$0")/../.."
build=$(realpath "${1:-build}") maestro=$(realpath "${1:-build}")/maestro
work_ms=${FIT_WORK_MS:-20} limit=${FIT_LIMIT:-.3} pods=2 minutes=${FIT_MINUTES:-5} port=${FIT_PORT:-28000}
service=$port prometheus=http://127.0.0.1:$((port + 9))

command -v prometheus >/dev/null 2>&1 || { echo "skip fit-real: prometheus is not installed"; exit 0; }
command -v jq >/dev/null 2>&1 || { echo "skip fit-real: jq is not installed"; exit 0; }
work=$(mktemp -d /tmp/maestro-fit-XXXXXX)
started=() groups=() n_bad=0
cleanup() {
	for pid in "${started[@]}"; do kill "$pid" 2>/dev/null; done
	wait 2>/dev/null
	for group in "${groups[@]}"; do rmdir "$group" 2>/dev/null; done
	if [ -n "${KEEP:-}" ]; then echo "kept: $work"; else rm -rf "$work"; fi
}
trap cleanup EXIT
trap 'exit 130' INT TERM
check() { # name what command...: the command's success is the claim
	local name=$1 what=$2
	shift 2
	if "$@"; then echo "ok $name"; else echo "not ok $name: $what"; n_bad=$((n_bad + 1)); fi
}

# A CPU group of its own with `limit` cores, before others where the machine is busy; prints its folder. False: this machine does not
# let us.
make_group() { # name
	local v1=/sys/fs/cgroup/cpu/$1 v2=/sys/fs/cgroup/$1 quota
	quota=$(awk -v l=$limit 'BEGIN { print l * 100000 }')
	if mkdir "$v1" 2>/dev/null && [ -e "$v1/cpu.cfs_quota_us" ]; then
		echo 100000 >"$v1/cpu.cfs_period_us" && echo "$quota" >"$v1/cpu.cfs_quota_us" && echo 65536 >"$v1/cpu.shares" &&
			echo "$v1" && return
	elif mkdir "$v2" 2>/dev/null && [ -e "$v2/cpu.max" ]; then
		echo "$quota 100000" >"$v2/cpu.max" && echo 10000 >"$v2/cpu.weight" && echo "$v2" && return
	fi
	rmdir "$v1" "$v2" 2>/dev/null
	return 1
}

targets=
for i in $(seq $pods); do
	group=$(make_group "maestro-fit-$$-$i") && groups+=("$group")
	(
		own=(--cpu-limit "$limit")
		[ -n "$group" ] && own=() && echo "$BASHPID" >"$group/cgroup.procs"
		exec "$maestro" target-app --listen "127.0.0.1:$service" --metrics-listen "127.0.0.1:$((port + i))" --work-ms $work_ms \
			--pod "web-7d9f8-abcd$i" --seed "$i" "${own[@]}"
	) 2>"$work/pod$i.log" &
	started+=($!)
	targets="$targets\"127.0.0.1:$((port + i))\","
done
[ ${#groups[@]} = $pods ] && echo "quota: ${groups[*]}" || echo "quota: target-app's own (no cgroup here)"
cat >"$work/prometheus.yml" <<END
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
- job_name: web
  honor_labels: true
  static_configs: [{targets: [${targets%,}]}]
END
prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" --web.listen-address="${prometheus#http://}" \
	>"$work/prometheus.log" 2>&1 &
started+=($!)
for _ in $(seq 100); do curl -fsS "$prometheus/-/ready" >/dev/null 2>&1 && break; sleep .2; done

# ---- load: from a tenth of what the pods can carry to nine tenths, and back ----

steps=(10 20 30 40 50 60 70 80 87 77 67 57 47 37 27 17) # percent
each=$(awk -v m="$minutes" 'BEGIN { print m * 60 / 16 }')
begin=$(date +%s)
for percent in "${steps[@]}"; do
	rps=$(awk -v p="$percent" -v n="$pods" -v l="$limit" -v w="$work_ms" 'BEGIN { print p / 100 * n * l / w * 1000 }')
	"$maestro" load --url "http://127.0.0.1:$service/" --rps "$rps" --duration "$each" --seed "$percent" --json >>"$work/load.ndjson"
done
window=$(($(date +%s) - begin))
sleep 2
keep=()
[ -n "${FIT_RECORD:-}" ] && keep=(--to-csv "$FIT_RECORD")
"$maestro" fit --prometheus "$prometheus" --deployment default/web --window "${window}s" --step 5s --out "$work/web.yaml" "${keep[@]}" \
	--json >"$work/fit.json" || { echo "not ok fit: exit $?"; exit 1; }
grep -v "NOT IDENTIFIED" "$work/web.yaml"

value() { jq -r ".$1" "$work/fit.json"; }
within() { # value of share
	awk -v v="$1" -v of="$2" -v s="$3" 'BEGIN { d = v / of - 1; exit !(d < s && d > -s) }'
}
total=$(jq -n "$(value parameters.service_mean) + $(value parameters.service_overhead)")
check work_is_found "$(value parameters.service_mean) s, not $work_ms ms" within "$(value parameters.service_mean)" "$(jq -n $work_ms/1000)" .1
check demand_is_found "$total s, not $work_ms ms" within "$total" "$(jq -n $work_ms/1000)" .1
check quota_is_found "$(value parameters.cpu_limit) cores, not $limit" within "$(value parameters.cpu_limit)" "$limit" .1
check quota_is_told "cpu_limit is not identified" [ "$(jq '.unidentified | index("cpu_limit")' "$work/fit.json")" = null ]
check few_workers_are_found "concurrency $(value parameters.concurrency), not 1 to 4" [ "$(value parameters.concurrency)" -le 4 ]
check trace_is_written "no trace" [ "$(grep -c '^[0-9]' "$work/web.trace.csv")" -ge 40 ]
train() {
	"$maestro" train --headless --steps 20000 --seed 1 --service "$work/web.yaml" --trace "$work/web.trace.csv" --eval-every 0 \
		--latency-soft "$((work_ms * 20))" --latency-hard "$((work_ms * 40))" \
		--db "$work/runs.db" --json >"$work/train.log" 2>&1
}
check a_policy_trains_on_it "$(tail -n 1 "$work/train.log" 2>/dev/null)" train
exit $((n_bad > 0))
