#!/bin/bash
# Three replicas that share 1,000 targets by `--shard`, on a real API server: one of them is killed, and every target has to be decided
# for again within 20 s, by its decision rows, and never by two. Prometheus is real too; what it
# has are constants by recording rules, since the Deployments are paused ones whose pods kwok plays.
#   shard.sh BUILD
#   SHARD_PORT     first of 20 ports on loopback (24000)
#   TARGETS        how many (1000)
#   KEEP=1         leaves the working folder and says where
set -u
cd "$(dirname "$0")/../.."
build=$(realpath "${1:-build}")
maestro=$build/maestro
port=${SHARD_PORT:-24000} n=${TARGETS:-1000} suite=shard
export KUBE_PORT=$port ETCD_PORT=$((port + 1)) KWOK_PORT=$((port + 3)) KCM_PORT=$((port + 4)) SCHED_PORT=$((port + 5))
prometheus_url=http://127.0.0.1:$((port + 6))
. tests/e2e/harness.sh
need_tools prometheus openssl curl jq
need_programs etcd kube-apiserver kube-controller-manager kube-scheduler kubectl kwok
pids=() # of the replicas
finish() { kill "${pids[@]}" 2>/dev/null; }

# ---- the cluster, the targets ----

"$here/cluster/up.sh" >"$work/up.log" 2>&1 || { cat "$work/up.log"; bad cluster_starts "see above"; exit 1; }
k apply -f manifests/rbac.yaml >/dev/null
for ((i = 0; i < n; i++)); do
	cat <<END
{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"t$i","namespace":"default","labels":{"shard":"yes"},"annotations":{"maestro.io/max-replicas":"4"}},"spec":{"paused":true,"replicas":2,"selector":{"matchLabels":{"app":"t$i"}},"template":{"metadata":{"labels":{"app":"t$i"}},"spec":{"containers":[{"name":"a","image":"a","resources":{"requests":{"cpu":"100m"}}}]}}}}
{"apiVersion":"v1","kind":"Pod","metadata":{"name":"t$i-a","namespace":"default","labels":{"app":"t$i"}},"spec":{"nodeName":"fake-$((i % 3))","tolerations":[{"operator":"Exists"}],"automountServiceAccountToken":false,"containers":[{"name":"a","image":"a","resources":{"requests":{"cpu":"100m"}}}]}}
END
done >"$work/targets.json"
split -n r/8 "$work/targets.json" "$work/part."
made=() # several at once: one kubectl makes some fifty a second
for part in "$work"/part.*; do k create -f "$part" >/dev/null 2>>"$work/create.log" & made+=($!); done
wait "${made[@]}"
count() { k get deployments -l shard=yes --no-headers 2>/dev/null | wc -l; }
check targets_are_there "$(count) of $n; $(tail -n 3 "$work/create.log")" [ "$(count)" = "$n" ]

cat >"$work/queries.yaml" <<'END'
cpu: {query: 'max by (pod)(played_cpu{pod=~"$POD-.*"})', newest: 'max by (pod)(timestamp(played_cpu{pod=~"$POD-.*"}))'}
memory: {query: 'max by (pod)(played_cpu{pod=~"$POD-.*"}) * 1e8', newest: 'max by (pod)(timestamp(played_cpu{pod=~"$POD-.*"}))'}
p95: {unit: ms, query: vector(120), newest: vector(time())}
rps: {query: vector(5), newest: vector(time())}
scraped: 'max by (pod)(played_cpu{pod=~"$POD-.*"}) > bool 0'
END
{
	echo 'groups: [{name: played, interval: 5s, rules: ['
	for ((i = 0; i < n; i++)); do echo "{record: played_cpu, expr: vector(.08), labels: {pod: t$i-a}},"; done
	echo ']}]'
} >"$work/rules.yml"
echo "{global: {scrape_interval: 15s}, rule_files: [$work/rules.yml]}" >"$work/prometheus.yml"
prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" --web.listen-address="${prometheus_url#http://}" >"$work/prometheus.log" 2>&1 &
started+=($!)
wait_for 30 curl -fsS "$prometheus_url/-/ready"

account=$work/account.kubeconfig
account "$account" "$(k create token maestro --duration=1h)"

# ---- the replicas: the rows of replica r are in r.*.ndjson ----

replica() { # r incarnation
	"$maestro" run -l shard=yes --kubeconfig "$account" --prometheus "$prometheus_url" --queries "$work/queries.yaml" --policy hpa \
		--shard "$1/3" --interval 5s --json --headless --db "$work/$1.db" >"$work/$1.$2.ndjson" 2>>"$work/$1.err" &
	pids[$1]=$!
}
row='select(.state != "Standby" and .state != "Disabled") | [(.time | sub("\\.[0-9]+"; "") | fromdateiso8601) + (.time | capture("\\.(?<f>[0-9]+)") | ("0." + .f) | tonumber), .deployment, .state, .reason] | @tsv'
rows() { # r since: what replica r has decided since then, "time target state"
	cat "$work/$1".*.ndjson | jq -r "$row" 2>/dev/null | awk -v since="$2" '$1 >= since'
}
decided_by() { rows "$1" "$2" | cut -f 2 | sort -u; } # r since
covered() { [ "$(for r in 0 1 2; do decided_by $r "$1"; done | sort -u | wc -l)" = "$n" ]; }
for r in 0 1 2; do replica $r first; done
check refuses_a_shard_that_is_not "exit $?" [ "$("$maestro" autoscaler --suggestion-url http://127.0.0.1:1 --prometheus http://127.0.0.1:1 --kubeconfig "$account" \
	--deployment default/t0 --max-replicas 3 --shard 3/3 --db "$work/x.db" 2>"$work/x.err"; echo $?)" = 2 ]
check all_are_decided_for "$(for r in 0 1 2; do decided_by $r 0 | wc -l; tail -n 3 "$work/$r.err"; done)" wait_for 120 covered 0
holders() { for i in 0 1 2; do k get lease maestro-autoscaler-$i -o 'jsonpath={.spec.holderIdentity} {.spec.leaseTransitions}{"\n"}'; done; }
settled() { [ "$(holders | cut -d' ' -f1 | sort -u | grep -c _)" = 3 ]; }
check each_has_its_own_shard "$(holders)" wait_for 60 settled
# the HPA rule takes a pod's sample, as the reference does, once the pod has been ready for the sample's whole window: a minute here
all_act() { local now; now=$(date +%s.%N); sleep 7; [ "$(for r in 0 1 2; do rows $r "$now" | awk '$3 == "Active" {print $2}'; done | sort -u | wc -l)" = "$n" ]; }
check all_come_to_act "$(rows 0 "$(date -d '10 seconds ago' +%s)" | cut -f 3,4 | sort | uniq -c)" wait_for 150 all_act
since=$(date +%s.%N)
sleep 12
for r in 0 1 2; do decided_by $r "$since" >"$work/share.$r"; done
wc -l "$work"/share.? | sed "s,$work/,,"
check shares_do_not_overlap "$(sort "$work"/share.? | uniq -d | wc -l) by two" [ -z "$(sort "$work"/share.? | uniq -d)" ]
check shares_are_the_whole "$(cat "$work"/share.? | wc -l) of $n" [ "$(cat "$work"/share.? | wc -l)" = "$n" ]
check decisions_are_decisions "$(rows 0 "$since" | cut -f 3,4 | sort | uniq -c)" [ "$(rows 0 "$since" | cut -f 3 | sort -u)" = Active ]
rows 0 "$since" | cut -f 3,4 | sort | uniq -c

# ---- one dies ----

killed=$(date +%s.%N)
kill -9 "${pids[1]}"
wait "${pids[1]}" 2>/dev/null
sleep 35
# a target of the dead one: its last row there, its first one elsewhere; never a row of the old decider after the new one's first
for r in 0 1 2; do rows $r "$(awk -v t="$since" 'BEGIN {print t}')" | awk -v r=$r '{print $1 "\t" $2 "\t" r}'; done | sort -n >"$work/all.tsv"
awk -v killed="$killed" '
	{ if ($2 in last) { gap = $1 - last[$2]; if (gap > worst[$2]) worst[$2] = gap; if (who[$2] != $3) changes[$2]++ }
	  if ($1 > killed && !($2 in again)) again[$2] = $1 - killed
	  last[$2] = $1; who[$2] = $3 }
	END { for (t in last) printf "%s\t%.2f\t%.2f\t%d\n", t, worst[t], again[t] ? again[t] : 999, changes[t] }' "$work/all.tsv" >"$work/gaps.tsv"
gap() { # column of gaps.tsv, of the targets of the file
	sort -n -k "$1,$1" <(grep -wFf "$2" "$work/gaps.tsv" | cut -f "$1") | awk '{v[NR] = $1} END {printf "median %.2f s, greatest %.2f s, of %d\n", v[int((NR + 1) / 2)], v[NR], NR}'
}
echo "between two decisions for a target of the dead replica: $(gap 2 "$work/share.1")"
echo "from its death to the next decision:                    $(gap 3 "$work/share.1")"
check every_target_is_decided_for_again_within_20_s "$(awk '$2 > 20 || $3 > 20' "$work/gaps.tsv" | head -n 5)" \
	[ "$(awk '$2 <= 20 && $3 <= 20' "$work/gaps.tsv" | wc -l)" = "$n" ]
# whoever has a target has it alone: it changes hands once where its replica died, and nowhere else
grep -wFf "$work/share.1" "$work/gaps.tsv" >"$work/dead.tsv"
check the_dead_ones_targets_change_hands_once "$(awk '$4 != 1' "$work/dead.tsv" | wc -l) otherwise" \
	[ "$(awk '$4 == 1' "$work/dead.tsv" | wc -l)" = "$(wc -l <"$work/share.1")" ]
check the_others_targets_stay "$(awk '$4 > 0' "$work/gaps.tsv" | wc -l) changed hands" \
	[ "$(awk '$4 == 0' "$work/gaps.tsv" | wc -l)" = $((n - $(wc -l <"$work/share.1"))) ]

# ---- it comes back ----

back=$(date +%s.%N)
replica 1 second
mine() { [ "$(decided_by 1 "$back" | sort)" = "$(sort "$work/share.1")" ]; }
check its_own_come_back_to_it "$(decided_by 1 "$back" | wc -l) of $(wc -l <"$work/share.1"); $(tail -n 3 "$work/1.err")" wait_for 90 mine
sleep 6
for r in 0 1 2; do rows $r "$back" | awk -v r=$r '{print $1 "\t" $2 "\t" r}'; done | sort -n |
	awk '{ if (($2 in who) && who[$2] != $3) changes[$2]++; who[$2] = $3 } END { for (t in changes) if (changes[t] > 1) print t, changes[t] }' >"$work/back"
check none_is_decided_for_by_two_on_the_way_back "$(head -n 3 "$work/back")" [ ! -s "$work/back" ]
cat "$work"/?.err | sort | uniq -c | sort -rn | head -n 12
close
