# What the end-to-end scripts share; sourced with the build folder as $1: helpers, then the running parts. Leaves $maestro, $work, $port,
# $prometheus_url, the kubeconfigs account, wrong and stranger in $work, and functions.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=$(realpath "${1:-build}")
maestro=$build/maestro
port=${E2E_PORT:-27000}
export KUBE_PORT=$port ETCD_PORT=$((port + 1)) KWOK_PORT=$((port + 3)) KCM_PORT=$((port + 4)) SCHED_PORT=$((port + 5))
prom_port=$((port + 6)) service_port=$((port + 7)) metrics_port=$((port + 100))
prometheus_url=http://127.0.0.1:$prom_port

suite=e2e
. tests/e2e/harness.sh
need_tools prometheus tmux openssl curl jq
need_programs etcd kube-apiserver kube-controller-manager kube-scheduler kubectl kwok
tmux=(tmux -L "maestro-e2e-$$" -f /dev/null)
prometheus_pid='' pods_pid=''
finish() {
	"${tmux[@]}" kill-server 2>/dev/null
	[ -z "$prometheus_pid$pods_pid" ] || kill $prometheus_pid $pods_pid 2>/dev/null
}

replicas() { k get deployment web -o 'jsonpath={.spec.replicas}'; }
set_replicas() {
	k scale deployment web --replicas="$1" >/dev/null
	wait_for 30 all_served "$1"
}
all_served() { # as many processes up and scraped as pods wanted
	[ "$(k get deployment web -o 'jsonpath={.status.readyReplicas}')" = "$1" ] && [ "$(query 'sum(up)')" = "$1" ]
}
has_rate() { [ -n "$(query 'sum(rate(istio_requests_total[1m]))')" ] && [ -n "$(query 'sum(rate(container_cpu_usage_seconds_total[1m]))')" ]; }
start_prometheus() { # with an empty store: what a stopped one had would count as present for five minutes more
	rm -rf "$work/tsdb"
	prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" \
		--web.listen-address="127.0.0.1:$prom_port" >"$work/prometheus.log" 2>&1 &
	prometheus_pid=$!
	wait_for 30 curl -fsS "$prometheus_url/-/ready"
}
run() { # maestro run as the service account, without a console
	"$maestro" run --deployment default/web --kubeconfig "$work/account.kubeconfig" --prometheus "$prometheus_url" \
		--max-replicas 8 --db "$work/maestro.db" "$@"
}

# ---- the parts ----

"$here/cluster/up.sh" >"$work/up.log" 2>&1 || { cat "$work/up.log"; bad cluster_starts "see above"; exit 1; }
k apply -f "$here/../../manifests/rbac.yaml" -f "$here/cluster/web.yaml" >/dev/null
token=$(k create token maestro --duration=1h)
account "$work/account.kubeconfig" "$token"
account "$work/wrong.kubeconfig" not-a-token
stranger=$(base64 -w0 "$KUBE_WORK/pki/front.crt") # an authority, but not the one that signed the server's certificate
sed "s,\(certificate-authority-data:\).*,\1 $stranger," "$work/account.kubeconfig" >"$work/stranger.kubeconfig"
cat >"$work/prometheus.yml" <<END
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
- job_name: web
  honor_labels: true
  file_sd_configs: [{files: ["$work/targets.json"], refresh_interval: 1s}]
END
export KUBECONFIG=$KUBE_WORK/admin.kubeconfig
"$here/pods.sh" "$maestro" "$kubectl" "$service_port" "$metrics_port" "$work/targets.json" --work-ms 10 --cpu-limit .25 \
	2>"$work/pods.log" &
pods_pid=$!
start_prometheus || { bad prometheus_starts "see $work/prometheus.log"; exit 1; }
load() { "$maestro" load --url "http://127.0.0.1:$service_port/" --json "$@"; }
