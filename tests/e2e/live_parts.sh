# A live service as real pods, for the scripts that train on it and compare on it; sourced with the build folder as $1. Leaves $maestro,
# $work, $service_url, $prometheus_url, the kubeconfig $account of the least role, the Deployment `web` with two ready pods, and functions.
#   LIVE_PORT      first of 20 ports on loopback (23000)
#   LIVE_WORK_MS, LIVE_CPU   CPU time of a request and a pod's limit (10, 200m: twenty requests a second and pod)
#   KEEP=1         leaves the working folder and says where
# Pods have the machine's network (no CNI): they share one port by SO_REUSEPORT, and the kernel spreads the connections.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=$(realpath "${1:-build}")
maestro=$build/maestro
port=${LIVE_PORT:-23000} suite=$(basename "$0" .sh)
export KUBE_PORT=$port ETCD_PORT=$((port + 1)) KCM_PORT=$((port + 4)) SCHED_PORT=$((port + 5)) KUBELET_PORT=$((port + 6)) FAKE_NODES=0
prom_port=$((port + 7)) service_port=$((port + 8)) metrics_server_port=$((port + 9))
prometheus_url=http://127.0.0.1:$prom_port service_url=http://127.0.0.1:$service_port/
. tests/e2e/harness.sh
[ "$(id -u)" = 0 ] || skip "real pods need root"
need_tools containerd ctr runc prometheus openssl curl jq
need_programs etcd kube-apiserver kube-controller-manager kube-scheduler kubectl kubelet
[ -s "$build/maestro-image.tar" ] || skip "no image; run make image"
prometheus_pid= trainer_pid=
finish() { kill $trainer_pid $prometheus_pid 2>/dev/null; }
replicas() { k get deployment web -o 'jsonpath={.spec.replicas}'; }
ready() { [ "$(k get deployment web -o 'jsonpath={.status.readyReplicas}')" = "$1" ]; }
start_prometheus() { # what it has stored stays
	prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" --web.listen-address="127.0.0.1:$prom_port" \
		>>"$work/prometheus.log" 2>&1 &
	prometheus_pid=$!
	wait_for 30 curl -fsS "$prometheus_url/-/ready"
}
discover() { # plays Prometheus's pod discovery: each pod at the port that its log names
	local pod at comma
	while :; do
		{
			echo '['
			comma=
			for pod in $(k get pods -l app=web --field-selector=status.phase=Running -o 'jsonpath={.items[*].metadata.name}' 2>/dev/null); do
				at=$(k logs "$pod" 2>/dev/null | sed -n 's/.*metrics at port \([0-9]*\),.*/\1/p' | head -n 1)
				[ -z "$at" ] || { printf '%s{"targets":["127.0.0.1:%s"],"labels":{"namespace":"default","pod":"%s"}}\n' "$comma" "$at" "$pod"; comma=,; }
			done
			echo ']'
		} >"$work/targets.tmp"
		# while the API is away, what was there stays
		k get --raw /readyz >/dev/null 2>&1 && mv "$work/targets.tmp" "$work/targets.json"
		sleep 1
	done
}

# ---- the parts ----

"$here/cluster/up.sh" >"$work/up.log" 2>&1 || { cat "$work/up.log"; bad cluster_starts "see above"; exit 1; }
"$here/cluster/real-node.sh" "$build/maestro-image.tar" >"$work/node.log" 2>&1 || { tail -n 5 "$work/node.log"; bad node_is_ready "see above"; exit 1; }
k apply -f manifests/rbac.yaml -f manifests/rbac-training.yaml >/dev/null
k create role maestro-builtin-chaos --verb=delete --resource=pods >/dev/null
k create rolebinding maestro-builtin-chaos --role=maestro-builtin-chaos --serviceaccount=default:maestro >/dev/null
account=$work/account.kubeconfig
account "$account" "$(k create token maestro --duration=2h)"
k apply -f - >/dev/null <<END
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations: {latencySoftConstraint: "250", latencyHardConstraint: "500", maestro.io/min-replicas: "1", maestro.io/max-replicas: "6"}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      hostNetwork: true
      nodeSelector: {type: real}
      tolerations: [{key: real, operator: Exists}]
      terminationGracePeriodSeconds: 2
      automountServiceAccountToken: false
      containers:
      - name: app
        image: localhost/maestro:0.1
        imagePullPolicy: Never
        args: [target-app, --work-ms, "${LIVE_WORK_MS:-10}", --metrics-listen, "127.0.0.1:0", --stress]
        env:
        - {name: MAESTRO_LISTEN, value: "127.0.0.1:$service_port"}
        - {name: TARGET_DEPLOYMENT, value: web}
        - {name: TARGET_NAMESPACE, value: default}
        - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
        readinessProbe: {httpGet: {host: 127.0.0.1, port: $service_port, path: /healthz}, periodSeconds: 1}
        resources: {requests: {cpu: ${LIVE_CPU:-200m}, memory: 32Mi}, limits: {cpu: ${LIVE_CPU:-200m}, memory: 128Mi}}
END
cat >"$work/prometheus.yml" <<END
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
- job_name: kubelet
  scheme: https
  metrics_path: /metrics/resource
  tls_config: {ca_file: "$KUBE_WORK/pki/ca.crt", cert_file: "$KUBE_WORK/pki/apiserver-kubelet.crt", key_file: "$KUBE_WORK/pki/apiserver-kubelet.key"}
  static_configs: [{targets: ["localhost:$KUBELET_PORT"]}]
- job_name: web
  honor_labels: true
  file_sd_configs: [{files: ["$work/targets.json"], refresh_interval: 1s}]
  metric_relabel_configs: [{source_labels: [__name__], regex: "container_.*", action: drop}]
END
echo '[]' >"$work/targets.json"
start_prometheus || { bad prometheus_starts "see $work/prometheus.log"; exit 1; }
discover & started+=($!)
check two_real_pods_are_ready "$(k get pods -o wide)" wait_for 60 ready 2
# quiet, a rise that one pod cannot carry (20 requests/s at most: 10 ms of CPU each, a fifth of a core), quiet, and a burst
awk 'BEGIN { print "# name: bursts\n# peak_rps: 45\nt_s,rps"
	for (t = 0; t <= 300; t += 5) print t "," (t < 60 ? 8 : t < 90 ? 8 + 30 * (t - 60) / 30 : t < 150 ? 38 : t < 210 ? 10 : t < 240 ? 45 : 6) }' >"$work/bursts.csv"
