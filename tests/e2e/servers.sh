#!/bin/bash
# The three servers and the sample service as real pods, from the image of `make image` and the manifests of the overlay kind: a real
# control plane, a real kubelet and containerd, a real Prometheus with the kubelet's figures of pods, `maestro load` as the users.
#   servers.sh BUILD
# Prints `ok NAME`, `not ok NAME: why`, and a closing line; `skip` where containers cannot be run here (root, ip, containerd, runc).
#   KEEP=1         leaves the working folder and says where
#   SERVERS_PORT   first of 20 ports on loopback (23400)
# It runs in a network of its own, in which pods have an address that is not loopback: the API server's proxy goes to no other.
# Pods have the machine's network here (no CNI), so ports and addresses are patched; all else is as users apply it. The sample's memory limit
# is one of which it uses a fifth: the shipped model has seen no pods that use less than a sixteenth, and is put aside for the HPA rule then.
set -u
export NODE_IP=192.0.2.10
if [ -z "${SERVERS_NETWORK:-}" ]; then
	[ "$(id -u)" = 0 ] && command -v ip >/dev/null 2>&1 || { echo "skip servers: real pods need root and ip"; exit 0; }
	build=$(realpath "${1:-$(dirname "$0")/../../build}")
	SERVERS_NETWORK=1 exec unshare -n sh -c 'ip link set lo up && ip address add "$NODE_IP/32" dev lo && exec "$@"' - "$(realpath "$0")" "$build"
fi
cd "$(dirname "$0")/../.."
repo=$PWD build=$(realpath "${1:-build}")
maestro=$build/maestro
port=${SERVERS_PORT:-23400}
export KUBE_PORT=$port ETCD_PORT=$((port + 1)) KCM_PORT=$((port + 4)) SCHED_PORT=$((port + 5)) KUBELET_PORT=$((port + 6)) FAKE_NODES=0
prom_port=$((port + 7)) app_port=$((port + 8)) model_port=$((port + 10)) suggestion_port=$((port + 11)) autoscaler_port=$((port + 12))

prometheus_url=http://127.0.0.1:$prom_port suite=servers
. tests/e2e/harness.sh
need_tools containerd ctr runc prometheus promtool openssl curl jq tmux
need_programs etcd kube-apiserver kube-controller-manager kube-scheduler kubectl kubelet
replicas() { k get deployment target-app -o 'jsonpath={.spec.replicas}'; }

# ---- the cluster, and what users apply ----

"$here/cluster/up.sh" >"$work/up.log" 2>&1 || { cat "$work/up.log"; bad cluster_starts "see above"; exit 1; }
k apply -k manifests/overlays/kind --dry-run=server >"$work/dry" 2>&1
check overlay_kind_is_clean "$(cat "$work/dry")" [ "$? $(grep -vc '(server dry run)$' "$work/dry")" = "0 0" ]
k apply -f manifests/base/namespace.yaml >/dev/null
for what in base overlays/istio; do
	k apply -k manifests/$what --dry-run=server >"$work/dry" 2>&1
	check "$(basename $what)_is_admitted_as_restricted" "$(cat "$work/dry")" [ "$? $(grep -vc '(server dry run)$' "$work/dry")" = "0 0" ]
done
k delete namespace maestro --wait=false >/dev/null
for file in maestro/rl-model-server maestro/suggestion-server maestro/autoscaler-controller target-app/deployment tools/k6-traffic-generator; do
	k apply -f manifests/$file.yaml --dry-run=server >"$work/dry" 2>&1
	check "$(basename $file)_applies_alone" "$(cat "$work/dry")" [ "$? $(grep -vc '(server dry run)$' "$work/dry")" = "0 0" ]
done

# ---- the image as pods ----

[ -s "$build/maestro-image.tar" ] || { bad image_is_there "run make image"; exit 1; }
"$here/cluster/real-node.sh" "$build/maestro-image.tar" >"$work/node.log" 2>&1 || { tail -n 5 "$work/node.log"; bad node_is_ready "see above"; exit 1; }
ok node_is_ready
server_patch() { # NAME PORT [ADDRESS]
	cat <<END
- target: {kind: Deployment, name: $1}
  patch: |
    - {op: replace, path: /spec/replicas, value: 1}
    - {op: remove, path: /spec/template/spec/containers/0/ports}
    - {op: replace, path: /spec/template/spec/containers/0/env/0/value, value: "${3:-127.0.0.1}:$2"}
    - {op: replace, path: /spec/template/spec/containers/0/readinessProbe, value: {httpGet: {host: 127.0.0.1, port: $2, path: /healthz}, periodSeconds: 1}}
    - {op: remove, path: /spec/template/spec/containers/0/livenessProbe}
    - {op: add, path: /spec/template/spec/containers/0/env/-, value: {name: KUBERNETES_SERVICE_HOST, value: 127.0.0.1}}
    - {op: add, path: /spec/template/spec/containers/0/env/-, value: {name: KUBERNETES_SERVICE_PORT, value: "$KUBE_PORT"}}
    - {op: add, path: /spec/template/spec/containers/0/env/-, value: {name: PROMETHEUS_URL, value: "http://127.0.0.1:$prom_port"}}
    - {op: add, path: /spec/template/spec/containers/0/env/-, value: {name: MODEL_SERVER_URL, value: "http://127.0.0.1:$model_port"}}
    - {op: add, path: /spec/template/spec/containers/0/env/-, value: {name: SUGGESTION_SERVER_URL, value: "http://127.0.0.1:$suggestion_port"}}
    - {op: add, path: /spec/template/spec/containers/0/env/-, value: {name: POLL_INTERVAL_SECONDS, value: "5"}}
    - {op: add, path: /spec/template/spec/containers/0/env/-, value: {name: MAESTRO_SCALE_DOWN_WINDOW, value: "20s"}}
END
}
mkdir -p "$work/overlay"
{
	cat <<END
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [$(realpath --relative-to="$work/overlay" "$repo/manifests/overlays/kind")]
patches:
- target: {kind: Job}
  patch: '{\$patch: delete, apiVersion: batch/v1, kind: Job, metadata: {name: k6-traffic-generator}}'
- target: {kind: Deployment}
  patch: |
    - {op: add, path: /spec/template/spec/hostNetwork, value: true}
    - {op: add, path: /spec/template/spec/nodeSelector, value: {type: real}}
    - {op: add, path: /spec/template/spec/terminationGracePeriodSeconds, value: 2}
    - {op: add, path: /spec/template/spec/tolerations, value: [{key: real, operator: Exists}]}
- target: {kind: Deployment, name: target-app}
  patch: |
    - {op: remove, path: /spec/template/spec/containers/0/ports}
    - {op: replace, path: /spec/template/spec/containers/0/env/0/value, value: "127.0.0.1:$app_port"}
    - {op: replace, path: /spec/template/spec/containers/0/args, value: [target-app, --work-ms, "10", --metrics-listen, "127.0.0.1:0"]}
    - {op: replace, path: /spec/template/spec/containers/0/readinessProbe, value: {httpGet: {host: 127.0.0.1, port: $app_port, path: /healthz}, periodSeconds: 1}}
    - {op: replace, path: /spec/template/spec/containers/0/resources, value: {requests: {cpu: 200m, memory: 32Mi}, limits: {cpu: 200m, memory: 40Mi}}}
    - {op: replace, path: /metadata/annotations/maestro.io~1max-replicas, value: "5"}
    - {op: replace, path: /metadata/annotations/latencySoftConstraint, value: "400"}
    - {op: replace, path: /metadata/annotations/latencyHardConstraint, value: "800"}
    - op: add # one minute of latency instead of five, so that the rush is forgotten while the test looks on
      path: /metadata/annotations/maestro.io~1queries
      value: "preset: istio\\np95: {query: 'histogram_quantile(.95, sum by (le)(rate(istio_request_duration_milliseconds_bucket{\$LABELS}[1m])))'}"
END
	server_patch rl-model-server $model_port
	server_patch suggestion-server $suggestion_port
	server_patch autoscaler-controller $autoscaler_port 0.0.0.0
} >"$work/overlay/kustomization.yaml"
# a variable that stands twice counts as its last; the API warns of it
k kustomize "$work/overlay" >"$work/all.yaml" && k apply -f "$work/all.yaml" >"$work/apply.log" 2>&1
check pods_are_applied "$(cat "$work/apply.log")" [ $? = 0 ]

# ---- Prometheus: the kubelet's figures of pods (cAdvisor's names; cAdvisor itself looks for containerd elsewhere), and each pod at the port that its log names ----

cat >"$work/prometheus.yml" <<END
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
- job_name: kubelet
  scheme: https
  metrics_path: /metrics/resource
  tls_config: {ca_file: "$KUBE_WORK/pki/ca.crt", cert_file: "$KUBE_WORK/pki/apiserver-kubelet.crt", key_file: "$KUBE_WORK/pki/apiserver-kubelet.key"}
  static_configs: [{targets: ["localhost:$KUBELET_PORT"]}]
- job_name: target-app
  honor_labels: true
  file_sd_configs: [{files: ["$work/targets.json"], refresh_interval: 1s}]
  metric_relabel_configs: [{source_labels: [__name__], regex: "container_.*", action: drop}]
- job_name: maestro
  honor_labels: true
  static_configs: [{targets: ["127.0.0.1:$model_port", "127.0.0.1:$suggestion_port", "127.0.0.1:$autoscaler_port"]}]
END
echo '[]' >"$work/targets.json"
prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" --web.listen-address="127.0.0.1:$prom_port" \
	>"$work/prometheus.log" 2>&1 &
started+=($!)
discover() { # plays Prometheus's pod discovery
	local pod at comma
	while :; do
		{
			echo '['
			comma=
			for pod in $(k get pods -l app=target-app --field-selector=status.phase=Running -o 'jsonpath={.items[*].metadata.name}' 2>/dev/null); do
				at=$(k logs "$pod" 2>/dev/null | sed -n 's/.*metrics at port \([0-9]*\),.*/\1/p' | head -n 1)
				[ -z "$at" ] || { printf '%s{"targets":["127.0.0.1:%s"],"labels":{"namespace":"default","pod":"%s"}}\n' "$comma" "$at" "$pod"; comma=,; }
			done
			echo ']'
		} >"$work/targets.tmp" && mv "$work/targets.tmp" "$work/targets.json"
		sleep 1
	done
}
discover & started+=($!)
ready() { [ "$(k get deployment "$1" -o 'jsonpath={.status.readyReplicas}')" = "${2:-1}" ]; }
for name in rl-model-server suggestion-server autoscaler-controller target-app; do
	check "${name}_is_a_ready_pod" "$(k get pods -o wide; k describe pods -l app.kubernetes.io/name=maestro | tail -n 20)" wait_for 60 ready $name
done
user=$(k get pod -l app.kubernetes.io/component=model-server -o 'jsonpath={.items[0].status.containerStatuses[0].user.linux.uid}')
pid=$(pgrep -f "^/usr/bin/maestro model-server" | head -n 1)
check it_does_not_run_as_root "uid ${user:-?}" [ "$(awk '/^Uid:/ {print $2}' "/proc/${pid:-0}/status" 2>/dev/null)" = 65532 ]

# ---- rights: what the Role names, and no more ----

extra_rights() { # ACCOUNT: lines of `can-i --list` that neither the Role nor Kubernetes' basics name
	k auth can-i --list --as="system:serviceaccount:default:$1" --no-headers 2>/dev/null | grep -v '^ *\[/' |
		grep -v '^selfsubject' | sed 's/  *\[\]  */ /' | awk '{print $1}' | sort -u
}
check autoscaler_may_no_more_than_its_role "$(extra_rights maestro-autoscaler | paste -sd ' ')" [ "$(extra_rights maestro-autoscaler | paste -sd ' ')" = \
	"deployments.apps deployments.apps/scale events horizontalpodautoscalers.autoscaling leases.coordination.k8s.io pods scaledobjects.keda.sh" ]
check suggestion_server_may_no_more_than_its_role "$(extra_rights maestro-suggestion | paste -sd ' ')" \
	[ "$(extra_rights maestro-suggestion | paste -sd ' ')" = "deployments.apps pods" ]
can() { k auth can-i "$@" --as=system:serviceaccount:default:maestro-autoscaler >/dev/null 2>&1; }
check autoscaler_reads_no_secret "it may" eval '! can get secrets && ! can delete deployments && ! can update deployments'

# ---- it follows the load ----

load() { "$maestro" load --url "http://127.0.0.1:$app_port/" --json "$@"; }
# a rush: 4 requests/s, up to 36, which one pod cannot carry (20 at most: 10 ms of CPU each, a fifth of a core), then next to none
awk 'BEGIN { print "# name: rush\n# peak_rps: 36\nt_s,rps"; for (t = 0; t <= 600; t += 10)
	print t "," (t < 20 ? 4 : t < 60 ? 4 + 32 * (t - 20) / 40 : t < 130 ? 36 : t < 160 ? 36 - 34 * (t - 130) / 30 : 2) }' >"$work/rush.csv"
load --trace "$work/rush.csv" --duration 600 >"$work/load.json" 2>"$work/load.err" & started+=($!)
peak=1
for _ in $(seq 140); do
	n=$(replicas); [ "${n:-0}" -le "$peak" ] || peak=$n
	sleep 1
done
check replicas_follow_the_load_up "peak $peak; $(k logs deployment/autoscaler-controller --tail=5)" [ "$peak" -ge 3 ]
k logs deployment/autoscaler-controller --tail=6
check log_has_a_line_a_decision "$(k logs deployment/autoscaler-controller --tail=3)" \
	[ "$(k logs deployment/autoscaler-controller | grep -c ' default/target-app Active .*wanted')" -ge 5 ]
k describe deployment target-app >"$work/describe"
check describe_tells_what_was_done "$(tail -n 12 "$work/describe")" grep -q 'MaestroScaled .*-> .*: suggestion \(up\|down\)' "$work/describe"
check describe_has_the_conditions "$(grep -A2 maestro.io/status "$work/describe")" grep -q '"type":"ScalingActive","status":"True"' "$work/describe"
for name in model suggestion autoscaler; do
	at=${name}_port
	curl -fsS "http://127.0.0.1:${!at}/metrics" | promtool check metrics >"$work/lint" 2>&1
	check "${name}_metrics_are_clean" "$(cat "$work/lint")" [ $? = 0 ]
done
check metrics_arrive_in_prometheus "no maestro_replicas" eval '[ -n "$(query "maestro_replicas{kind=\"spec\",deployment=\"target-app\"}")" ]'
doctor=$("$maestro" doctor --deployment default/target-app --kubeconfig "$KUBE_WORK/admin.kubeconfig" --prometheus "http://127.0.0.1:$prom_port" \
	--db "$work/doctor.db")
check doctor_finds_nothing_to_fix "$doctor" [ $? = 0 ]

# ---- a dead model never scales down ----

k scale deployment rl-model-server --replicas=0 >/dev/null
wait_for 30 eval '! curl -fsS -o /dev/null http://127.0.0.1:$model_port/healthz'
before=$(replicas) least=$before
sleep 45 # the load is low by now, and there is nothing that could say so
for _ in 1 2 3 4 5; do n=$(replicas); [ "$n" -ge "$least" ] || least=$n; sleep 1; done
check dead_model_scales_nothing_down "$before -> $least" [ "$least" -ge "$before" ]
state=$(curl -fsS "http://127.0.0.1:$autoscaler_port/status" | jq -r '.targets[0] | "\(.state) \(.reason) \(.message)"')
echo "with a dead model: $state"
check dead_model_is_said "$state" eval 'echo "$state" | grep -q "Hold\|Fallback"'
answer=$(curl -sS -w ' %{http_code}' "http://127.0.0.1:$suggestion_port/suggestion?deployment=target-app&namespace=default" | tr -d '\n')
check suggestion_is_503_without_a_model "$answer" eval 'echo "$answer" | grep -q "^{.error.:.* 503$"'
k scale deployment rl-model-server --replicas=1 >/dev/null
check recovers_by_itself "$(curl -fsS "http://127.0.0.1:$autoscaler_port/status")" wait_for 90 \
	eval '[ "$(curl -fsS "http://127.0.0.1:$autoscaler_port/status" | jq -r ".targets[0].state")" = Active ]'
check replicas_follow_the_load_down "still $(replicas) of $before" wait_for 120 eval '[ "$(replicas)" -lt "$before" ]'

# ---- a console through the API server's proxy, by the rights of rbac-attach.yaml ----

k apply -f manifests/rbac-attach.yaml >/dev/null
k create token maestro-attach --duration=1h >"$work/api.token"
head -c 24 /dev/urandom | base64 >"$work/own.token"
proxy() { # the pod of now
	echo "https://127.0.0.1:$KUBE_PORT/api/v1/namespaces/default/pods/$(k get pods -l app.kubernetes.io/component=autoscaler \
		--field-selector=status.phase=Running -o 'jsonpath={.items[0].metadata.name}'):$autoscaler_port/proxy"
}
ask() { # PATH curl's options...: the answer and its status, as that account
	local path=$1
	shift
	curl -sS --cacert "$KUBE_WORK/pki/ca.crt" -H "Authorization: Bearer $(cat "$work/api.token")" -w ' %{http_code}' "$@" "$(proxy)$path" | tr -d '\n'
}
command='{"kind":"pause","namespace":"default","deployment":"target-app","who":"e2e"}'
check proxy_shows_the_snapshot "$(ask /v1/snapshot)" eval 'ask /v1/snapshot | grep -q "\"name\":\"target-app\".* 200$"'
check proxy_shows_decisions "$(ask '/v1/decisions?since=0' | tail -c 300)" eval "ask '/v1/decisions?since=0' | grep -q '\"deployment\":\"target-app\".* 200\$'"
check proxy_is_not_this_machine "$(ask /v1/command -d "$command")" eval 'ask /v1/command -d "$command" | grep -q "token-file.* 403$"'
k create secret generic autoscaler-token --from-file=token="$work/own.token" >/dev/null
k patch deployment autoscaler-controller --type=json -p '[
	{"op": "replace", "path": "/spec/strategy", "value": {"type": "Recreate"}},
	{"op": "add", "path": "/spec/template/spec/containers/0/env/-", "value": {"name": "MAESTRO_TOKEN_FILE", "value": "/run/maestro/token"}},
	{"op": "add", "path": "/spec/template/spec/volumes/-", "value": {"name": "token", "secret": {"secretName": "autoscaler-token", "defaultMode": 288}}},
	{"op": "add", "path": "/spec/template/spec/containers/0/volumeMounts/-", "value": {"name": "token", "mountPath": "/run/maestro"}}]' >/dev/null
k rollout status deployment autoscaler-controller --timeout=60s >/dev/null
check proxy_wants_the_autoscalers_token "$(ask /v1/snapshot)" wait_for 30 eval 'ask /v1/snapshot | grep -q " 401$"'
attach() { # the console with both tokens
	echo "$maestro --attach $(proxy) --attach-token-file $work/own.token --attach-proxy-token-file $work/api.token --attach-ca $KUBE_WORK/pki/ca.crt $*"
}
check console_attaches_through_the_proxy "$($(attach --screen live --format txt) 2>&1 | head -n 5)" \
	wait_for 60 eval '$(attach --screen live --format txt) 2>/dev/null | grep -q Active'
tmux=(tmux -L "maestro-servers-$$" -f /dev/null)
finish() { "${tmux[@]}" kill-server 2>/dev/null; }
"${tmux[@]}" new-session -d -x 120 -y 40 "exec env LC_ALL=C.UTF-8 TERM=screen-256color $(attach --db "$work/console.db") 2>$work/console.err"
screen() { "${tmux[@]}" capture-pane -p; }
on_screen() { screen | grep -q -- "$1"; }
wanted=$(($(replicas) + 1))
[ "$wanted" -le 5 ] || wanted=4
wait_for 20 on_screen 'default/target-app'
"${tmux[@]}" send-keys o
wait_for 5 on_screen 'Override default/target-app'
"${tmux[@]}" send-keys $wanted
"${tmux[@]}" send-keys Enter
wait_for 5 on_screen "$wanted replicas"
"${tmux[@]}" send-keys Enter
check override_goes_through_the_proxy "$(replicas), not $wanted; $(screen)" wait_for 15 eval '[ "$(replicas)" = $wanted ]'
check override_is_shown_by_the_pod "$(screen)" wait_for 15 on_screen "Manual.*$wanted by"
k patch role maestro-attach --type=json -p '[{"op": "remove", "path": "/rules/2"}]' >/dev/null
check who_may_only_look_overrides_nothing "$(ask /v1/command -H "X-Maestro-Token: $(cat "$work/own.token")" -d "$command")" \
	eval 'ask /v1/command -H "X-Maestro-Token: $(cat "$work/own.token")" -d "$command" | grep -q "forbidden.* 403$"'

close
