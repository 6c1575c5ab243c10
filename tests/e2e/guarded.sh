#!/bin/bash
# The guarded loop on a real control plane: other autoscalers, people, two processes and a Lease, parts that go away.
#   guarded.sh BUILD      as run.sh; ports from E2E_PORT (27200)
export E2E_PORT=${E2E_PORT:-27200}
. "$(dirname "$0")/parts.sh"

load --rps 10 --duration 900 >"$work/load.json" &
started+=($!)
set_replicas 3
wait_for 60 has_rate

# A loop in the background, by the policy given, its decisions in $work/NAME.ndjson.
begin() { # name options...
	local name=$1
	shift
	: >"$work/$name.ndjson"
	"$maestro" run --deployment "default/${target:-web}" --kubeconfig "$work/account.kubeconfig" --prometheus "$prometheus_url" --max-replicas 8 \
		--db "$work/maestro.db" --json --headless --interval 2s --policy default --force "$@" \
		>"$work/$name.ndjson" 2>"$work/$name.err" & # the program itself, not a shell around it: signals are sent to it
	pids[$name]=$!
	started+=($!)
}
declare -A pids
end() { kill "${pids[$1]}" 2>/dev/null; wait "${pids[$1]}" 2>/dev/null; }
last() { tail -n 1 "$work/$1.ndjson" | jq -r "$2"; }
is_state() { [ "$(last "$1" .state)" = "$2" ]; }
comes_to() { wait_for "${3:-20}" is_state "$1" "$2"; }
hpa() { k autoscale deployment web --min="$1" --max="$2" --cpu=80% >/dev/null 2>&1; }
events() { k get events --field-selector involvedObject.name=web -o json | jq -r '.items[].reason'; }

# ---- another autoscaler ----

hpa 1 6
run --once --json >/dev/null 2>"$work/once.err"
check conflict_at_start_is_exit_3 "exit $?: $(cat "$work/once.err")" [ "$(run --once --json >/dev/null 2>&1; echo $?)" = 3 ]
check conflict_names_the_hpa "$(cat "$work/once.err")" grep -q 'HorizontalPodAutoscaler default/web' "$work/once.err"
line=$(run --once --json --policy default --dry-run 2>/dev/null)
check shadow_watches_beside_the_hpa "said: $line" [ "$(jq -r .state <<<"$line")" = Shadow ]
k delete hpa web >/dev/null

begin one
check loop_becomes_active "$(tail -n 1 "$work/one.ndjson")" comes_to one Active 30
hpa 1 6
check conflict_is_seen_within_a_cycle "$(tail -n 1 "$work/one.ndjson")" comes_to one Conflict 10
k delete hpa web >/dev/null
check conflict_ends_when_the_hpa_is_gone "$(tail -n 1 "$work/one.ndjson")" comes_to one Active 15
check conflict_is_an_event "$(events | sort | uniq -c)" wait_for 10 eval 'events | grep -q MaestroConflict'
check start_is_an_event "$(events | sort | uniq -c)" eval 'events | grep -q MaestroStarted'
status_of() { k get deployment web -o json | jq -r '.metadata.annotations["maestro.io/status"] // ""' | jq -r "$1"; }
check status_is_an_annotation "$(status_of .)" wait_for 30 eval '[ "$(status_of .state)" = Active ]'
check status_has_conditions "$(status_of .)" [ "$(status_of '[.conditions[].type] | length')" = 7 ]
check describe_reads_well "$(k describe deployment web | tail -n 8)" eval 'k describe deployment web | grep -q "Warning *MaestroConflict.*HorizontalPodAutoscaler default/web"'

# ---- people ----

k annotate deployment web maestro.io/paused=true >/dev/null
check annotation_pauses "$(tail -n 1 "$work/one.ndjson")" comes_to one Paused 10
k annotate deployment web maestro.io/paused=maybe --overwrite >/dev/null
check unreadable_annotation_holds "$(tail -n 1 "$work/one.ndjson")" wait_for 10 eval '[ "$(last one .reason)" = Invalid ]'
k annotate deployment web maestro.io/paused- >/dev/null
check pause_ends "$(tail -n 1 "$work/one.ndjson")" comes_to one Active 10

override() { "$maestro" override "$@" --kubeconfig "$work/account.kubeconfig" --db "$work/maestro.db"; }
override set web 4 --for 60s --yes --reason "a test" >"$work/override.out" 2>&1
check override_is_done "exit $?: $(cat "$work/override.out")" grep -q 'the loop that has it writes the scale' "$work/override.out"
check override_is_manual "$(tail -n 1 "$work/one.ndjson")" comes_to one Manual 10
check override_moves_the_replicas "$(replicas)" wait_for 10 eval '[ "$(replicas)" = 4 ]'
override set web 40 --yes >"$work/override.out" 2>&1
check large_override_wants_the_name "exit $?: $(cat "$work/override.out")" grep -q -- '--confirm web' "$work/override.out"
override resume web --yes >/dev/null 2>&1
check resume_gives_back "$(tail -n 1 "$work/one.ndjson")" comes_to one Active 10
audit=$(sqlite3 "$work/maestro.db" "select what || ' ' || result from audit order by rowid" 2>/dev/null || true)
[ -z "$audit" ] || check override_is_audited "$audit" eval 'echo "$audit" | grep -q "^set applied"'
n=$(replicas) # another number than any that the loop might be about to write
k scale deployment web --replicas=$((n > 4 ? n - 2 : n + 2)) >/dev/null
check hand_is_seen "$(tail -n 3 "$work/one.ndjson")" wait_for 10 grep -q '"reason":"ReplicasChanged"' "$work/one.ndjson"
check manager_is_named "$(grep ReplicasChanged "$work/one.ndjson")" grep -q '"detail":"[0-9]* now, by kubectl' "$work/one.ndjson"

# ---- parts that go away ----

kill "$prometheus_pid" && wait "$prometheus_pid" 2>/dev/null
check prometheus_gone_is_a_hold "$(tail -n 1 "$work/one.ndjson")" wait_for 15 eval '[ "$(last one ".state + .reason")" = HoldMetricsMissing ]'
start_prometheus
check prometheus_back_is_active "$(tail -n 1 "$work/one.ndjson")" comes_to one Active 90
kill -STOP "$(cat "$KUBE_WORK/pid/kube-apiserver")"
check api_gone_is_a_hold "$(tail -n 1 "$work/one.ndjson")" wait_for 20 eval '[ "$(last one ".state + .reason")" = HoldApiError ]'
kill -CONT "$(cat "$KUBE_WORK/pid/kube-apiserver")"
check api_back_is_active "$(tail -n 1 "$work/one.ndjson")" comes_to one Active 40
check no_failure_lowered_anything "$(jq -c 'select(.state == "Hold" and .applied)' "$work/one.ndjson")" \
	[ "$(jq -s '[.[] | select(.state == "Hold" and .applied)] | length' "$work/one.ndjson")" = 0 ]
end one
override set default/web 4 --for 60s --yes >"$work/override.out" 2>&1
check override_without_a_loop_writes_itself "$(cat "$work/override.out"); $(replicas)" [ "$(grep -c 'no autoscaler has it' "$work/override.out")$(replicas)" = 14 ]
override resume web --yes >/dev/null 2>&1

# ---- two processes ----

begin first --leader-elect
comes_to first Active 30
begin second --leader-elect
check second_stands_by "$(tail -n 1 "$work/second.ndjson")" comes_to second Standby 20
check first_leads "$(tail -n 1 "$work/first.ndjson")" is_state first Active
kill -STOP "${pids[first]}"
halted=$SECONDS
check second_takes_over "$(tail -n 1 "$work/second.ndjson")" comes_to second Active 30
while [ $((SECONDS - halted)) -lt 22 ]; do sleep .5; done # longer than the lease
stopped_at=$(date -u +%Y-%m-%dT%H:%M:%S)
kill -CONT "${pids[first]}"
check first_wakes_as_standby "$(tail -n 3 "$work/first.ndjson")" comes_to first Standby 15
check first_writes_nothing_after_it "$(jq -c "select(.time > \"$stopped_at\")" "$work/first.ndjson")" \
	[ "$(jq -s "[.[] | select(.time > \"$stopped_at\" and .applied)] | length" "$work/first.ndjson")" = 0 ]
check one_writer_a_term "leases: $(k get lease maestro-autoscaler -o yaml)" \
	[ "$(k get lease maestro-autoscaler -o 'jsonpath={.spec.leaseTransitions}')" -ge 1 ]
took=$SECONDS
end second
check released_lease_is_taken_at_once "after $((SECONDS - took)) s: $(tail -n 1 "$work/first.ndjson")" comes_to first Active 12
end first

# ---- a Lease a target: an override is written by whoever has it, and by nobody else ----

holder() { k get lease "maestro-for-$1" -o 'jsonpath={.spec.holderIdentity}'; }
applied() { grep -c '"applied":true' "$work/$1.ndjson"; }
set_by_hand() { # TARGET N: another number than now, as an order to whoever acts
	override set "default/$1" "$2" --for 60s --yes --confirm "$1" >"$work/override.out" 2>&1
	wait_for 15 eval "[ \"\$(k get deployment $1 -o 'jsonpath={.spec.replicas}')\" = $2 ]"
}
sed "s/name: web/name: target-app/g; s/app: web/app: target-app/g" "$here/cluster/web.yaml" | k apply -f - >/dev/null
begin own
comes_to own Active 30
begin twin
check second_run_of_a_target_stands_by "$(tail -n 1 "$work/twin.ndjson"); $(cat "$work/twin.err")" comes_to twin Standby 20
target=target-app begin other
check each_target_has_a_lease "$(holder web), $(holder target-app)" wait_for 20 eval '[ "$(holder web)" ] && [ "$(holder target-app)" ] && [ "$(holder web)" != "$(holder target-app)" ]'
check run_on_another_target_does_not_wait "$(tail -n 1 "$work/other.ndjson")" wait_for 20 eval '[ "$(last other .state)" != Standby ]'
before=$(replicas)
check order_on_one_target_is_written "$(replicas); $(cat "$work/override.out")" set_by_hand web $((before > 3 ? before - 1 : before + 1))
check order_on_the_other_is_written "$(cat "$work/override.out"); $(tail -n 1 "$work/other.ndjson")" set_by_hand target-app 3
# a decision's row comes after its write
check two_runs_of_one_target_are_one_writer "own $(applied own), twin $(applied twin)" wait_for 10 eval '[ "$(applied own)" -ge 1 -a "$(applied twin)" = 0 ]'
check two_runs_of_two_targets_both_act "other $(applied other)" wait_for 10 eval '[ "$(applied other)" -ge 1 ]'
override resume web --yes >/dev/null 2>&1
end own
check twin_takes_over "$(tail -n 1 "$work/twin.ndjson")" comes_to twin Active 20
end twin
end other
begin auto --leader-elect
comes_to auto Active 30
begin hand
check run_takes_over_from_the_autoscaler "$(tail -n 1 "$work/hand.ndjson")" comes_to hand Active 30
check autoscaler_names_who_has_it "$(tail -n 1 "$work/auto.ndjson")" wait_for 10 eval '[ "$(last auto .state)" = Conflict ] && tail -n 1 "$work/auto.ndjson" | grep -q "maestro $(holder web)"'
before=$(replicas) was=$(applied auto)
set_by_hand web $((before > 3 ? before - 1 : before + 1))
check run_beside_an_autoscaler_is_one_writer "hand $(applied hand), autoscaler $was, then $(applied auto)" [ "$(applied hand)" -ge 1 -a "$(applied auto)" = "$was" ]
override resume web --yes >/dev/null 2>&1
end hand
check autoscaler_has_it_again "$(tail -n 1 "$work/auto.ndjson")" comes_to auto Active 20
end auto
k delete deployment target-app >/dev/null
k create serviceaccount poor >/dev/null # may do all but have the Lease
k create role poor --verb=get,list,watch,patch --resource=deployments.apps,pods,horizontalpodautoscalers.autoscaling >/dev/null
k create role poor-scale --verb=get,update --resource=deployments.apps/scale >/dev/null
for role in poor poor-scale; do k create rolebinding $role --role=$role --serviceaccount=default:poor >/dev/null; done
account "$work/poor.kubeconfig" "$(k create token poor --duration=1h)"
begin poor --kubeconfig "$work/poor.kubeconfig"
check without_the_right_nothing_is_written "$(tail -n 1 "$work/poor.ndjson"); $(cat "$work/poor.err")" comes_to poor Standby 20
check the_missing_right_is_named "$(cat "$work/poor.err")" grep -q 'allow the account to create leases in default, and to get and update the one named maestro-for-web' "$work/poor.err"
end poor
k delete serviceaccount/poor role/poor role/poor-scale rolebinding/poor rolebinding/poor-scale >/dev/null

# ---- the floor under an HPA ----

set_replicas 2
hpa 1 6
begin floor --actuate hpa-floor --kubeconfig "$KUBE_WORK/admin.kubeconfig"
floor() { k get hpa web -o 'jsonpath={.spec.minReplicas}'; }
check floor_follows_the_policy "floor $(floor): $(tail -n 1 "$work/floor.ndjson")" wait_for 30 eval '[ "$(floor)" -ge 2 ]'
check floor_is_no_conflict "$(tail -n 1 "$work/floor.ndjson")" is_state floor Active
kill -KILL "${pids[floor]}"
k patch hpa web --type merge -p '{"spec":{"minReplicas":3}}' >/dev/null
check hpa_acts_without_us "replicas $(replicas)" wait_for 60 eval '[ "$(replicas)" = 3 ]'
# backing out: two commands, and nothing is left behind that acts
begin floor --actuate hpa-floor --kubeconfig "$KUBE_WORK/admin.kubeconfig"
comes_to floor Active 30
k annotate deployment/web maestro.io/paused=true >/dev/null
check backing_out_pauses_first "$(tail -n 1 "$work/floor.ndjson")" comes_to floor Paused 10
lines=$(wc -l <"$work/floor.ndjson")
sleep 6
check paused_floor_stays "$(sed -n "$lines,\$p" "$work/floor.ndjson")" [ "$(sed -n "$lines,\$p" "$work/floor.ndjson" | jq -s '[.[] | select(.applied)] | length')" = 0 ]
kill -TERM "${pids[floor]}"
k patch hpa web --type merge -p '{"spec":{"minReplicas":4}}' >/dev/null
check hpa_acts_after_backing_out "replicas $(replicas)" wait_for 60 eval '[ "$(replicas)" = 4 ]'
k annotate deployment/web maestro.io/paused- >/dev/null
k delete hpa web >/dev/null

# ---- many targets ----

for name in a b c d; do
	sed "s/name: web/name: $name/g; s/app: web/app: $name/g; s/labels: {app/labels: {group: many, app/" "$here/cluster/web.yaml" | k apply -f - >/dev/null
done
k label deployment a b c d group=many --overwrite >/dev/null
k annotate deployment a maestro.io/max-replicas=9 maestro.io/interval=20s >/dev/null
targets() { "$maestro" targets -l group=many --kubeconfig "$work/account.kubeconfig" "$@"; }
check targets_are_listed "$(targets)" [ "$(targets -o json | jq -rs '[.[].deployment] | join(" ")')" = "a b c d" ]
check origins_are_told "$(targets -o json)" \
	[ "$(targets -o json --min-replicas 2 | jq -rs '.[0] | [.min_replicas.from, .max_replicas.from, .interval_s.from] | join(" ")')" = "option annotation annotation" ]
check wide_tells_origins "$(targets -o wide)" eval 'targets -o wide | grep -q "default/a .*9 (annotation)"'
begin many -l group=many
names() { jq -rs '[.[].deployment] | unique | join(" ")' "$work/many.ndjson"; }
check many_targets_run_in_one_process "$(names); $(cat "$work/many.err")" wait_for 40 eval '[ "$(names)" = "a b c d web" ]'
check what_has_no_metrics_holds_alone "$(tail -n 5 "$work/many.ndjson")" \
	wait_for 30 eval '[ "$(jq -rs "[.[] | select(.deployment == \"web\")][-1].state" "$work/many.ndjson")" = Active ]'
k scale deployment web --replicas=6 >/dev/null
check watch_sees_a_change "$(tail -n 5 "$work/many.ndjson")" wait_for 10 grep -q '"deployment":"web".*ReplicasChanged' "$work/many.ndjson"
end many

close
