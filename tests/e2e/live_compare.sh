#!/bin/bash
# `maestro evaluate --env live` on real pods: the shipped model and the cluster's own HorizontalPodAutoscaler (metrics-server behind it) on
# the same replayed trace, in the order A B B A. It prints what was measured; the script fails only where nothing could be.
#   live_compare.sh BUILD [maestro evaluate's options]
#   SEEDS=N   plays of each (2)
#   SPAN=S    seconds of each (300: 24 minutes in all; 160: 14, up to the first fall)
# A request costs half of what it does elsewhere, and a pod has half the CPU: the load and six pods leave more than a core of two to the
# cluster itself. On a machine that does something else the pods starve, and the figures are of that.
export LIVE_WORK_MS=${LIVE_WORK_MS:-5} LIVE_CPU=${LIVE_CPU:-100m}
. "$(dirname "$0")/live_parts.sh"
shift

METRICS_SERVER_PORT=$metrics_server_port "$here/cluster/metrics-server.sh" >"$work/metrics-server.log" 2>&1 ||
	{ tail -n 5 "$work/metrics-server.log"; echo "without metrics-server hpa is our own rule"; }
[ $# -gt 0 ] || set -- --policy default --policy hpa:cpu=80
busy() { awk '/^cpu / {print $2 + $3 + $4 + $7 + $8, $5 + $6}' /proc/stat; } # jiffies of work, and idle ones
read -r work0 idle0 < <(busy)
"$maestro" evaluate --env live --deployment default/web --kubeconfig "$account" --prometheus "$prometheus_url" --load-url "$service_url" \
	--trace "$work/bursts.csv" --seeds "${SEEDS:-2}" --span "${SPAN:-300}s" --metric-window 15s --interval 15s --json --db "$work/maestro.db" "$@" >"$work/result.ndjson" \
	2>"$work/result.err"
status=$?
check it_measures "exit $status; $(tail -n 3 "$work/result.err")" [ $status = 0 ]
cat "$work/result.err" "$work/result.ndjson"
jq -r 'select(.seed != null and .trace != null) | [.policy, .seed, .v_pct, .pod_hours, .slo_violation_soft_s, .slo_violation_s, .slo_violation_frac, .p95_ms, .p99_ms, .scale_actions] | @tsv' \
	"$work/result.ndjson" | column -t -N policy,seed,v_pct,pod_hours,over_soft_s,over_hard_s,slow_share,p95_ms,p99_ms,changes
read -r work1 idle1 < <(busy)
awk -v w=$((work1 - work0)) -v i=$((idle1 - idle0)) 'BEGIN {printf "the machine was busy %.0f %% of the time\n", 100 * w / (w + i)}'
check replicas_end_where_they_began "$(replicas)" [ "$(replicas)" = 2 ]
check the_hpa_is_gone "$(k get hpa)" [ -z "$(k get hpa --no-headers 2>/dev/null)" ]
close
