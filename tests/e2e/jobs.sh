#!/bin/bash
# `maestro train --seeds 4 --on kubernetes` with real pods of our image: an Indexed Job that loses a pod ends with four imported runs, and
# the same command again changes nothing; then `maestro tune --on kubernetes`, a Job a round.
#   jobs.sh BUILD
#   JOBS_PORT      first of 20 ports on loopback (24040)
#   KEEP=1         leaves the working folder and says where
set -u
cd "$(dirname "$0")/../.."
build=$(realpath "${1:-build}")
maestro=$build/maestro
port=${JOBS_PORT:-24040} prometheus_url= suite=jobs
export KUBE_PORT=$port ETCD_PORT=$((port + 1)) KCM_PORT=$((port + 4)) SCHED_PORT=$((port + 5)) KUBELET_PORT=$((port + 6)) FAKE_NODES=0
. tests/e2e/harness.sh
[ "$(id -u)" = 0 ] || skip "real pods need root"
need_tools containerd ctr runc openssl curl jq
[ -x /usr/lib/cni/ptp ] || skip "containernetworking-plugins is not installed"
need_programs etcd kube-apiserver kube-controller-manager kube-scheduler kubectl kubelet
[ -s "$build/maestro-image.tar" ] || skip "no image; run make image"
trainer=
finish() { [ -z "$trainer" ] || kill "$trainer" 2>/dev/null; }

# ---- a node that anybody's pod may use, with a network for them ----

"$here/cluster/up.sh" >"$work/up.log" 2>&1 || { cat "$work/up.log"; bad cluster_starts "see above"; exit 1; }
mkdir -p "$KUBE_WORK/node/cni"
echo '{"cniVersion":"0.4.0","name":"pods","plugins":[{"type":"ptp","ipam":{"type":"host-local","subnet":"10.253.7.0/24","dataDir":"'"$work/ipam"'"}}]}' \
	>"$KUBE_WORK/node/cni/05-ptp.conflist"
"$here/cluster/real-node.sh" "$build/maestro-image.tar" >"$work/node.log" 2>&1 || { tail -n 5 "$work/node.log"; bad node_is_ready "see above"; exit 1; }
k taint node localhost real- >/dev/null
k label namespace default pod-security.kubernetes.io/enforce=restricted >/dev/null # the Job has to pass as restricted
k apply -f manifests/rbac-jobs.yaml >/dev/null
account=$work/account.kubeconfig
account "$account" "$(k create token maestro-jobs --duration=1h)"

# ---- four seeds, one of whose pods is killed ----

train() {
	# Ctrl-C, whether or not who started this script ignores it
	exec env --default-signal=INT "$maestro" train --on kubernetes --kubeconfig "$account" --preset seed --steps 3000000 --eval-every 1000000 --eval-episodes 2 --seeds 4 --seed 11 \
		--name e2e --pod-cpu 250m --pod-memory 256Mi --db "$work/maestro.db" "$@"
}
pods() { k get pods -l app.kubernetes.io/component=training -o json; }
of_index() { pods | jq -r --arg i "$1" '.items[] | select(.metadata.annotations["batch.kubernetes.io/job-completion-index"] == $i) | .metadata.name'; }
are_running() { [ "$(pods | jq '[.items[] | select(.status.phase == "Running")] | length')" -ge "$1" ]; }
train --pod-memory lots >"$work/bad.out" 2>"$work/bad.err" & wait $!
check api_says_what_is_wrong_with_a_quantity "exit $?: $(cat "$work/bad.err")" grep -q 'maestro: job default/maestro-train-.*: 4[0-9]* .*quantit' "$work/bad.err"
train >"$work/first.out" 2>"$work/first.err" &
trainer=$!
check pods_are_running "$(cat "$work/first.err"; k describe pods | tail -n 12)" wait_for 60 are_running 3
kill -INT "$trainer"
wait "$trainer"
check ctrl_c_leaves_the_job "exit $?" [ $? = 130 ]
check it_says_how_to_follow_again "$(cat "$work/first.err")" grep -q 'goes on by itself; the same command follows it again' "$work/first.err"
train >"$work/second.out" 2>"$work/second.err" &
trainer=$!
killed=$(of_index 2)
check index_2_is_at_work "$(pods | jq -c '[.items[] | [.metadata.name, .status.phase]]')" \
	[ "$(k get pod "$killed" -o 'jsonpath={.status.phase}')" = Running ]
k delete pod "$killed" --grace-period=0 --force >/dev/null 2>&1
another() { [ -n "$(of_index 2)" ] && [ "$(of_index 2)" != "$killed" ]; }
check index_2_gets_another_pod "$(of_index 2)" wait_for 60 another
wait "$trainer"
status=$?
trainer=
check the_command_ends_well "exit $status; $(cat "$work/second.err")" [ $status = 0 ]
cat "$work/second.out" "$work/second.err"
runs() { "$maestro" runs list --db "$work/maestro.db" --json; }
check four_runs_are_there "$(runs)" [ "$(runs | jq -r 'select(.status == "done") | .seed' | sort | paste -sd ' ')" = "11 12 13 14" ]
check each_has_all_its_steps "$(runs | jq -c '[.name, .steps]')" [ "$(runs | jq -r 'select(.steps < 3000000) | .steps')" = "" ]
check models_came_along "$(ls -l "$work"/runs/*)" [ "$(ls "$work"/runs/*/model.safetensors "$work"/runs/*/best.safetensors | wc -l)" = 8 ]
"$maestro" train --preset seed --steps 3000000 --eval-every 1000000 --eval-episodes 2 --seed 13 --name local --headless --db "$work/local.db" >/dev/null 2>&1
check a_pods_model_is_this_machines "$(sha256sum "$work"/runs/*/model.safetensors)" \
	[ "$(sha256sum "$work"/runs/*/model.safetensors | grep -c "$(sha256sum <"$work/local.runs/$("$maestro" runs list --db "$work/local.db" --json | jq .id)/model.safetensors" | cut -d' ' -f1)")" -ge 1 ]

# ---- again ----

export_all() { for id in $(runs | jq -r .id); do "$maestro" runs export "$id" --format json --db "$work/maestro.db"; done | sha256sum; }
before=$(export_all) rows=$(runs | wc -l)
train >"$work/third.out" 2>"$work/third.err" & wait $!
check again_ends_well "exit $?; $(cat "$work/third.err")" [ "$(grep -c 'imported before' "$work/third.err")" = 4 ]
check again_changes_nothing "$(runs | jq -c '[.id, .name]')" [ "$(export_all) $(runs | wc -l)" = "$before $rows" ]
check account_may_no_more_than_its_role "it may" eval '! k auth can-i delete jobs --as=system:serviceaccount:default:maestro-jobs >/dev/null 2>&1 &&
	! k auth can-i get secrets --as=system:serviceaccount:default:maestro-jobs >/dev/null 2>&1'

# ---- a search: a Job a round, one of whose pods is killed ----

tune() {
	exec "$maestro" tune --on kubernetes --kubeconfig "$account" --preset seed --steps 900000 --eval-episodes 2 --seed 5 --name search --pod-cpu 200m \
		--pod-memory 128Mi --db "$work/tune.db" "$@"
}
searched() { "$maestro" runs list --db "$work/tune.db" --json; }
k delete jobs --all --wait >/dev/null 2>&1
tune >"$work/tune.out" 2>"$work/tune.err" &
trainer=$!
check searching_pods_are_running "$(cat "$work/tune.err"; k describe pods | tail -n 12)" wait_for 60 are_running 4
killed=$(pods | jq -r '[.items[] | select(.status.phase == "Running")][0].metadata.name')
k delete pod "$killed" --grace-period=0 --force >/dev/null 2>&1
wait "$trainer"
status=$?
trainer=
check the_search_ends_well "exit $status; $(cat "$work/tune.err")" [ $status = 0 ]
cat "$work/tune.out" "$work/tune.err"
check three_rounds_are_three_jobs "$(k get jobs)" [ "$(k get jobs --no-headers | wc -l)" = 3 ]
check all_its_runs_are_there "$(searched | jq -c '[.name, .status, .steps]')" [ "$(searched | jq -r 'select(.status == "done") | .id' | wc -l)" = 13 ]
best=$(sed -n 's/^best: run [0-9]* *//p' "$work/tune.out")
check the_best_has_a_model "$best" [ -s "$best" ]
check progress_is_shown "$(cat "$work/tune.err")" grep -q '9 running\|of 9 are here' "$work/tune.err"
tune >"$work/tune2.out" 2>"$work/tune2.err" & wait $!
check the_same_search_again_changes_nothing "exit $?; $(diff "$work/tune.out" "$work/tune2.out"; searched | wc -l)" \
	[ "$(diff "$work/tune.out" "$work/tune2.out")$(grep -c 'imported before' "$work/tune2.err") $(searched | wc -l)" = "13 13" ]

close
