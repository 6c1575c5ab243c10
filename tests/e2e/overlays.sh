#!/bin/bash
# Every manifest on a real API server that has the others' real CRDs: the overlays applied dry, under PodSecurity's restricted level; and a
# KEDA ScaledObject, which is a conflict; and the faults of a live training, as the real CRDs of Chaos Mesh take them.
#   overlays.sh BUILD      ports from OVERLAYS_PORT (27600); KEEP=1 leaves the working folder
set -u
cd "$(dirname "$0")/../.."
build=$(realpath "${1:-build}")
port=${OVERLAYS_PORT:-27600}
export KUBE_PORT=$port ETCD_PORT=$((port + 1)) KCM_PORT=$((port + 4)) SCHED_PORT=$((port + 5)) FAKE_NODES=0
suite=overlays prometheus_url=http://127.0.0.1:9
. tests/e2e/harness.sh
need_tools openssl curl jq go
[ -x "$build/tests/chaos_objects" ] || skip "no test programs; run make programs"
need_programs etcd kube-apiserver kube-controller-manager kube-scheduler kubectl
"$here/cluster/up.sh" >"$work/up.log" 2>&1 || { cat "$work/up.log"; bad cluster_starts "see above"; exit 1; }
export KUBECONFIG=$KUBE_WORK/admin.kubeconfig
"$here/cluster/crds.sh" >"$work/crds.log" 2>&1 || { tail -n 3 "$work/crds.log"; skip "the CRDs cannot be had"; }
established() { [ "$(k get crd -o json | jq '[.items[] | select(any(.status.conditions[]?; .type == "Established" and .status == "True") | not)] | length')" = 0 ]; }
wait_for 30 established

k apply -f manifests/base/namespace.yaml >/dev/null
for folder in manifests/base manifests/overlays/*/; do
	k apply -k "$folder" --dry-run=server >"$work/dry" 2>&1
	check "$(basename "$folder")_is_clean" "$(cat "$work/dry")" [ "$? $(grep -vc '(server dry run)$' "$work/dry")" = "0 0" ]
done
kinds=$(for folder in manifests/overlays/*/; do k kustomize "$folder" | sed -n 's/^kind: //p'; done | sort -u | paste -sd ' ')
for kind in Schedule ServiceMonitor PrometheusRule; do # what no API server takes without its CRD
	check "${kind}_is_among_them" "$kinds" grep -qw "$kind" <<<"$kinds"
done

# ---- KEDA ----

k apply -f "$here/cluster/web.yaml" >/dev/null
k apply -f - >/dev/null <<END
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: web, namespace: default}
spec: {scaleTargetRef: {name: web}, triggers: [{type: cpu, metricType: Utilization, metadata: {value: "50"}}]}
END
"$build/maestro" run --once --deployment default/web --prometheus "$prometheus_url" --max-replicas 5 --policy hpa --db "$work/m.db" \
	>"$work/keda" 2>&1
status=$?
check keda_is_a_conflict "exit $status: $(cat "$work/keda")" [ "$status $(grep -c "ScaledObject default/web has it" "$work/keda")" = "3 1" ]

# ---- the faults of a live training ----

k apply -f manifests/rbac.yaml -f manifests/rbac-training.yaml >/dev/null
account=$work/account.kubeconfig
account "$account" "$(k create token maestro --duration=1h)"
faults() { "$build/tests/chaos_objects" "$account" default web "$1" >"$work/faults" 2>"$work/faults.err"; }
chaos_objects() { k get stresschaos,podchaos,networkchaos -A -o json | jq -c "$1"; }
faults leave
check every_fault_is_as_the_crds_have_it "exit $?: $(cat "$work/faults.err")" [ "$(paste -sd ' ' "$work/faults")" = "cpu-stress-50 cpu-stress-100 pod-kill network-delay network-loss" ]
check they_are_objects_with_owner_target_and_deadline "$(chaos_objects '.items[] | [.kind, .metadata.annotations]')" \
	[ "$(chaos_objects '[.items[] | select(.metadata.annotations | (.["maestro.io/owner"] != null and .["maestro.io/target"] == "default/web" and .["maestro.io/deadline"] != null)) | .kind] | sort | join(" ")')" \
	= '"NetworkChaos NetworkChaos PodChaos StressChaos StressChaos"' ]
check each_ends_by_itself "$(chaos_objects '[.items[].spec.duration]')" [ "$(chaos_objects '[.items[].spec.duration] | sort')" = '["10s","120s","120s","270s","270s"]' ]
faults end
check what_was_left_and_what_was_begun_is_gone "exit $?: $(cat "$work/faults.err"); $(chaos_objects '[.items[].metadata.name]')" \
	[ "$(wc -l <"$work/faults") $(chaos_objects '.items | length')" = "5 0" ]

close
