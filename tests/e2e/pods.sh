#!/bin/bash
# Plays the kubelet of the Deployment `web`: one target-app process for each pod that the API lists as Ready, all behind
# one port (SO_REUSEPORT: the kernel spreads connections), each with a port of its own for /metrics. Rewrites the list
# of targets that Prometheus reads (file_sd) at every change.
#   pods.sh MAESTRO KUBECTL SERVICE_PORT FIRST_METRICS_PORT TARGETS_FILE [target-app's options]
# Runs until SIGTERM, then ends its processes.
set -u
maestro=$1 kubectl=$2 port=$3 first=$4 targets=$5
shift 5
declare -A pid metrics
next=$first

cleanup() {
	[ ${#pid[@]} = 0 ] || kill "${pid[@]}" 2>/dev/null
	wait
	exit 0
}
trap cleanup TERM INT

write_targets() {
	local name comma=
	{
		echo '['
		for name in "${!pid[@]}"; do
			printf '%s{"targets":["127.0.0.1:%s"],"labels":{"namespace":"default","pod":"%s"}}\n' "$comma" "${metrics[$name]}" "$name"
			comma=,
		done
		echo ']'
	} > "$targets.tmp" && mv "$targets.tmp" "$targets"
}

ready='{range .items[*]}{.metadata.name} {.metadata.deletionTimestamp} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}'
write_targets
while :; do
	if ! list=$("$kubectl" get pods -n default -l app=web -o "jsonpath=$ready"); then
		sleep 1
		continue # the kubelet keeps its pods while the API is away
	fi
	wanted=$(echo "$list" | awk 'NF == 2 && $2 == "True" {print $1}')
	changed=0
	for name in $wanted; do
		[ -z "${pid[$name]:-}" ] || continue
		"$maestro" target-app --listen "127.0.0.1:$port" --metrics-listen "127.0.0.1:$next" \
			--namespace default --deployment web --pod "$name" "$@" 2>/dev/null &
		pid[$name]=$! metrics[$name]=$next
		next=$((next + 1)) changed=1
	done
	for name in "${!pid[@]}"; do
		case " $(echo $wanted) " in *" $name "*) continue ;; esac
		kill "${pid[$name]}"
		unset "pid[$name]" "metrics[$name]"
		changed=1
	done
	[ $changed = 0 ] || write_targets
	sleep .5 &
	wait $!
done
