#!/bin/bash
# The three servers under load while what they need is away: the model server, Prometheus and the API server, in turn and all together.
# No replica may go, the state and reason must be those of the fault (CONTROL D 1, 9, 17), and all must come back without help.
#   outage.sh BUILD      as run.sh; ports from E2E_PORT (27400)
#   OUTAGE_S=N           seconds of each outage (120)
export E2E_PORT=${E2E_PORT:-27400}
. "$(dirname "$0")/parts.sh"
outage_s=${OUTAGE_S:-120}
model_port=$((port + 8)) suggestion_port=$((port + 9)) autoscaler_port=$((port + 10))
export KUBECONFIG=$work/account.kubeconfig
status() { curl -fsS -m 5 "http://127.0.0.1:$autoscaler_port/status" | jq -r ".targets[0] | $1"; }
comes_to() { wait_for "$2" eval "[ \"\$(status .state)\" = $1 ]"; }
serve() { # name command...: a server in the background, ready
	local name=$1 at=${1}_port
	shift
	"$maestro" "$@" --listen "127.0.0.1:${!at}" >"$work/$name.out" 2>"$work/$name.err" &
	server[$name]=$!
	started+=($!)
}
declare -A server
start_model_server() {
	serve model model-server --model default
	wait_for 10 curl -fsS "http://127.0.0.1:$model_port/readyz"
}

load --rps 12 --duration $((outage_s * 8 + 900)) >"$work/load.json" 2>"$work/load.err" &
started+=($!)
set_replicas 4
start_model_server
serve suggestion suggestion-server --model-url "http://127.0.0.1:$model_port" --prometheus "$prometheus_url"
wait_for 10 curl -fsS "http://127.0.0.1:$suggestion_port/readyz"
wait_for 60 has_rate
serve autoscaler autoscaler --suggestion-url "http://127.0.0.1:$suggestion_port" --prometheus "$prometheus_url" --deployment default/web \
	--max-replicas 6 --interval 5s --db "$work/maestro.db" --json --policy default
check autoscaler_becomes_active "$(status .)" comes_to Active 60

stop_model() { kill -KILL "${server[model]}"; }
start_model() { start_model_server; }
stop_prometheus() { kill -KILL "$prometheus_pid"; }
start_prometheus_again() { start_prometheus; }
stop_api() { kill -STOP "$(cat "$KUBE_WORK/pid/kube-apiserver")"; }
start_api() { kill -CONT "$(cat "$KUBE_WORK/pid/kube-apiserver")"; }
stop_all() { stop_model; stop_prometheus; stop_api; }
start_all() { start_api; start_prometheus; start_model; }
lines() { wc -l <"$work/autoscaler.out"; }
# Decisions of the outage: what was written, and in which states under which reasons.
during() { sed -n "$1,\$p" "$work/autoscaler.out" | jq -rs "$2"; }
downs='[.[] | select(.applied and .desired < .replicas)] | length'
outage() { # name stop start states-and-reasons (a regular expression)
	local name=$1 expected=$4 from before after seen
	wait_for 120 eval '[ "$(status .state)" = Active ]'
	before=$(replicas) from=$(($(lines) + 2)) # the cycle under way may have seen all
	"$2"
	sleep "$outage_s"
	seen=$(during "$from" '[.[] | .state + " " + .reason] | unique | join(", ")')
	"$3"
	after=$(wait_for 30 replicas && replicas)
	echo "$name: $before -> $after; $(during "$from" length) decisions: $seen"
	check "${name}_away_lowers_nothing" "$before -> $after; $seen" [ "$after" -ge "$before" ]
	check "${name}_away_writes_no_down" "$(during "$from" "$downs")" [ "$(during "$from" "$downs")" = 0 ]
	check "${name}_away_is_said" "$seen" eval '[ -n "$seen" ] && ! echo "$seen" | tr "," "\n" | sed "s/^ //" | grep -qvE "^($expected)$"'
	check "${name}_back_is_active_without_help" "$(status .)" comes_to Active 180
}
outage model_server stop_model start_model 'Active .*|Hold ModelUnavailable|Fallback ModelUnavailable'
outage prometheus stop_prometheus start_prometheus_again 'Hold (MetricsMissing|ModelUnavailable)'
outage api_server stop_api start_api '(Hold|Warming|Standby) ApiError'
outage everything stop_all start_all '(Hold|Warming|Standby) (ApiError|MetricsMissing|ModelUnavailable)'
check no_down_but_by_the_policy "$(during 1 '[.[] | select(.state == "Hold" and .applied)]')" \
	[ "$(during 1 '[.[] | select(.applied and .desired < .replicas and .state != "Active")] | length')" = 0 ]
close
