#!/bin/bash
# `maestro train --env live` on real pods under its own load, unattended through what happens to clusters: 200 steps of 3 s that begin
# at the shipped model. Some fourteen minutes.
#   live.sh BUILD
# Prints `ok NAME`, `not ok NAME: why`, and a closing line; `skip` where containers cannot be run here.
. "$(dirname "$0")/live_parts.sh"

crds=yes
KUBECONFIG=$KUBE_WORK/admin.kubeconfig "$here/cluster/crds.sh" chaos-mesh >"$work/crds.log" 2>&1 || { crds=; echo "skip chaos_mesh: its CRDs are out of reach"; }
train() {
	exec "$maestro" train --env live --deployment default/web --kubeconfig "$account" --prometheus "$prometheus_url" --from default --steps 200 \
		--interval 3s --metric-window 15s --n-steps 8 --batch-size 8 --episode-steps 40 --load-url "$service_url" --trace "$work/bursts.csv" \
		--eval-every 100 --eval-episodes 1 --tensorboard "$work/tb" --db "$work/maestro.db" --json --max-hours 1 "$@"
}
shown() { "$maestro" runs show 1 --db "$work/maestro.db" --json; }
steps() { shown | jq -r '.steps // 0'; }
has_trained() { [ "$(steps)" -ge "$1" ]; }
chaos_objects() { [ -z "$crds" ] || k get stresschaos,podchaos,networkchaos -A --no-headers 2>/dev/null | grep -c . ; }
are_there() { [ "$(chaos_objects)" -ge 1 ]; }
are_gone() { [ "$(chaos_objects)" = 0 ]; }
start() { # log options...
	local log=$1
	shift
	train "$@" >>"$work/$log.ndjson" 2>>"$work/$log.err" &
	trainer_pid=$!
}
says() { grep -q -- "$2" "$work/$1.err"; }

# ---- the first process: Chaos Mesh's objects, then kill -9 ----

start first --chaos .3
if [ -n "$crds" ]; then
	check chaos_objects_are_made "$(tail -n 3 "$work/first.err")" wait_for 120 are_there
	k get stresschaos,podchaos,networkchaos -A -o json | jq -c '.items[] | [.kind, .metadata.labels, .metadata.annotations, .spec]'
fi
check it_trains "$(tail -n 3 "$work/first.err")" wait_for 120 has_trained 24
kill -9 "$trainer_pid"
wait "$trainer_pid" 2>/dev/null
noted() { [ -n "$(k get deployment web -o 'jsonpath={.metadata.annotations.maestro\.io/training-replicas}')" ]; }
check killed_it_leaves_a_note "no annotation" noted

# ---- the second: goes on, through all of it ----

at_kill=$(steps)
start second --resume 1 --chaos .05 --chaos-by builtin
check it_goes_on "at $(steps) of $at_kill; $(tail -n 3 "$work/second.err")" wait_for 90 has_trained $((at_kill + 8))
check faults_of_the_killed_one_are_gone "$(chaos_objects) are there" are_gone

kill "$prometheus_pid" && wait "$prometheus_pid" 2>/dev/null
check it_says_that_prometheus_is_away "$(tail -n 3 "$work/second.err")" wait_for 60 says second 'waits: web: MetricsMissing'
start_prometheus
before=$(steps)
check it_goes_on_after_prometheus "$(tail -n 3 "$work/second.err")" wait_for 120 has_trained $((before + 8))

kill -9 "$(cat "$KUBE_WORK/pid/kube-apiserver")"
sleep 8
"$here/cluster/up.sh" >"$work/up2.log" 2>&1
check it_says_that_the_api_is_away "$(tail -n 5 "$work/second.err")" wait_for 60 says second 'waits: web: \(ApiError\|Standby\)'
before=$(steps)
check it_goes_on_after_the_api "$(tail -n 3 "$work/second.err")" wait_for 120 has_trained $((before + 8))

k delete pod "$(k get pods -l app=web -o 'jsonpath={.items[0].metadata.name}')" --wait=false >/dev/null
before=$(steps)
check it_goes_on_after_a_pod_is_killed "$(tail -n 3 "$work/second.err")" wait_for 120 has_trained $((before + 8))

over() { ! kill -0 "$trainer_pid" 2>/dev/null; }
check it_comes_to_its_end "at $(steps)" wait_for 1500 over
wait "$trainer_pid"
status=$?
check it_ends_well "exit $status; $(tail -n 3 "$work/second.err")" [ $status = 0 ]
trainer_pid=
cat "$work/second.err"

# ---- what is left ----

check all_steps_are_done "$(shown | jq -c '[.steps, .status]')" [ "$(shown | jq -c '[.steps, .status]')" = '[200,"done"]' ]
check replicas_end_where_they_began "$(replicas)" [ "$(replicas)" = 2 ]
check the_note_is_gone "it is there" eval '! noted'
check chaos_objects_are_gone "$(chaos_objects) are there" are_gone
check service_is_whole "$(k get pods)" wait_for 60 ready 2
check it_was_evaluated "$(shown | jq -c .evals)" [ "$(shown | jq '.evals | length')" -ge 2 ]
check it_has_a_best_model "none" eval 'ls "$work"/runs/1/best.safetensors >/dev/null'
check its_replica_histories_are_stored "$(shown | jq -c '[.episodes[].source]')" eval '[ "$(shown | jq "[.episodes[] | select(.source == \"eval\")] | length")" -ge 2 ]'
"$maestro" runs export 1 --format csv --db "$work/maestro.db" >"$work/store.csv" 2>/dev/null
# the killed process's files may hold an update that the resumed one did again: the later file counts
"$build/tests/tb_scalars" $(ls -tr "$work"/tb/events*) | awk '$2 == "train/value_loss" { x[$1] = $3 } END { for (s in x) print s, x[s] }' | sort -n >"$work/tb.txt"
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next } { print $c["steps"], $c["value_loss"] }' "$work/store.csv" | sort -n >"$work/store.txt"
differ() { # rows of which the steps differ, or the losses by more than the digits that are printed
	paste -d' ' "$work/store.txt" "$work/tb.txt" | awk '{ d = $2 - $4; m = $2 < 0 ? -$2 : $2 } NF != 4 || $1 != $3 || d > 1e-5 * m || d < -1e-5 * m'
}
check store_and_tensorboard_agree "$(differ | head -n 5)" [ -z "$(differ)" ]
check there_is_a_row_an_update "$(wc -l <"$work/store.txt")" [ "$(wc -l <"$work/store.txt")" = 25 ]

close
