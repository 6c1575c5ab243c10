# What the end-to-end scripts share; sourced with the build folder as $1: helpers, then the running parts. Leaves $maestro, $work, $port,
# $prometheus_url, the kubeconfigs account, wrong and stranger in $work, and functions.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=$(realpath "${1:-build}") here=$PWD/tests/e2e
maestro=$build/maestro
export KUBE_CACHE=${KUBE_CACHE:-$HOME/.cache/kube-test}
kubectl=$KUBE_CACHE/bin/kubectl
port=${E2E_PORT:-27000}
export KUBE_PORT=$port ETCD_PORT=$((port + 1)) KWOK_PORT=$((port + 3)) KCM_PORT=$((port + 4)) SCHED_PORT=$((port + 5))
prom_port=$((port + 6)) service_port=$((port + 7)) metrics_port=$((port + 100))
prometheus_url=http://127.0.0.1:$prom_port

skip() { echo "skip e2e: $1"; exit 0; }
for tool in prometheus tmux openssl curl jq; do
	command -v $tool >/dev/null 2>&1 || skip "$tool is not installed"
done
missing=
for program in etcd kube-apiserver kube-controller-manager kube-scheduler kubectl kwok; do
	[ -x "$KUBE_CACHE/bin/$program" ] || missing="$missing $program"
done
[ -z "$missing" ] || command -v go >/dev/null 2>&1 || skip "no$missing in $KUBE_CACHE/bin, and no Go to build them"
if [ -n "$missing" ] && ! "$here/cluster/build.sh" $missing >/tmp/maestro-e2e-build.$$ 2>&1; then
	tail -n 3 /tmp/maestro-e2e-build.$$ >&2
	rm -f /tmp/maestro-e2e-build.$$
	skip "cannot build$missing (the modules are out of reach, or the above)"
fi
rm -f /tmp/maestro-e2e-build.$$

work=$(mktemp -d /tmp/maestro-e2e-XXXXXX)
export KUBE_WORK=$work/kube
tmux=(tmux -L "maestro-e2e-$$" -f /dev/null)
started=() prometheus_pid='' pods_pid='' n_ok=0 n_bad=0

cleanup() {
	"${tmux[@]}" kill-server 2>/dev/null
	for pid in "${started[@]}" $prometheus_pid $pods_pid; do kill "$pid" 2>/dev/null; done
	wait 2>/dev/null
	"$here/cluster/down.sh" >/dev/null 2>&1
	if [ -n "${KEEP:-}" ]; then echo "kept: $work"; else rm -rf "$work"; fi
}
trap cleanup EXIT
trap 'exit 130' INT TERM

ok() { echo "ok $1"; n_ok=$((n_ok + 1)); }
bad() { echo "not ok $1: $2"; n_bad=$((n_bad + 1)); }
check() { # name what command...: the command's success is the claim
	local name=$1 what=$2
	shift 2
	if "$@"; then ok "$name"; else bad "$name" "$what"; fi
}
wait_for() { # seconds command...
	local until=$((SECONDS + $1))
	shift
	while ! "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $until ] || return 1
		sleep .2
	done
}
k() { "$kubectl" --kubeconfig="$KUBE_WORK/admin.kubeconfig" "$@"; }
replicas() { k get deployment web -o 'jsonpath={.spec.replicas}'; }
set_replicas() {
	k scale deployment web --replicas="$1" >/dev/null
	wait_for 30 all_served "$1"
}
all_served() { # as many processes up and scraped as pods wanted
	[ "$(k get deployment web -o 'jsonpath={.status.readyReplicas}')" = "$1" ] && [ "$(query 'sum(up)')" = "$1" ]
}
query() { curl -fsS --data-urlencode "query=$1" "$prometheus_url/api/v1/query" | jq -r '.data.result[0].value[1] // empty'; }
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
server=$(k config view --raw -o 'jsonpath={.clusters[0].cluster.server}')
account() { # file token: a kubeconfig as kubectl makes it
	local c=("$kubectl" config "--kubeconfig=$1")
	"${c[@]}" set-cluster e2e "--server=$server" "--certificate-authority=$KUBE_WORK/pki/ca.crt" --embed-certs >/dev/null
	"${c[@]}" set-credentials maestro "--token=$2" >/dev/null
	"${c[@]}" set-context e2e --cluster=e2e --user=maestro --namespace=default >/dev/null
	"${c[@]}" use-context e2e >/dev/null
}
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
