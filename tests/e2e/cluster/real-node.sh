#!/bin/bash
# Adds one real node, named localhost, to the cluster of up.sh: containerd, runc, kubelet. It is tainted
# real=true:NoSchedule, so that only pods which ask for it run there. Needs Debian's containerd, runc and
# containernetworking-plugins, and root. down.sh stops it and its pods.
#   real-node.sh [IMAGE.tar ...]    OCI archives to import besides the pause image
#   NODE_IP    the address of the node and of pods that have its network (the kubelet's choice)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
KUBE_CACHE=${KUBE_CACHE:-$HOME/.cache/kube-test}
W=${KUBE_WORK:-$KUBE_CACHE/run} P=${KUBE_WORK:-$KUBE_CACHE/run}/pki bin=$KUBE_CACHE/bin
PORT=${KUBE_PORT:-16443}
export KUBE_CACHE
"$here/build.sh" kubelet
umask 022
N=$W/node; mkdir -p "$N/cni" "$N/kubelet" "$N/img"
C=(ctr -a "$N/containerd.sock" -n k8s.io)
running() { [ -s "$W/pid/$1" ] && kill -0 "$(cat "$W/pid/$1")" 2>/dev/null; }
start() { local n=$1; shift; running "$n" && return; setsid "$@" >> "$W/log/$n.log" 2>&1 < /dev/null & echo $! > "$W/pid/$n"; }
if [ ! -s "$P/kubelet.crt" ]; then
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$P/kubelet.key" -out "$P/kubelet.csr" -subj /O=system:nodes/CN=system:node:localhost 2>/dev/null
	printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n' > "$P/kubelet.ext"
	openssl x509 -req -in "$P/kubelet.csr" -CA "$P/ca.crt" -CAkey "$P/ca.key" -CAcreateserial -days 365 -extfile "$P/kubelet.ext" -out "$P/kubelet.crt" 2>/dev/null
	k=("$bin/kubectl" config "--kubeconfig=$W/kubelet.kubeconfig")
	"${k[@]}" set-cluster test "--server=https://127.0.0.1:$PORT" "--certificate-authority=$P/ca.crt" --embed-certs >/dev/null
	"${k[@]}" set-credentials kubelet "--client-certificate=$P/kubelet.crt" "--client-key=$P/kubelet.key" --embed-certs >/dev/null
	"${k[@]}" set-context test --cluster=test --user=kubelet >/dev/null; "${k[@]}" use-context test >/dev/null
fi
cat > "$N/containerd.toml" <<Y
version = 2
root = "$N/root"
state = "$N/state"
[grpc]
  address = "$N/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true   # for a machine that forbids lower values of oom_score_adj
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = "runc"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$N/cni"
Y
# Pods of the host's network need no plugin, but the runtime wants one before it calls the network ready.
echo '{"cniVersion":"0.4.0","name":"none","plugins":[{"type":"loopback"}]}' > "$N/cni/10-none.conflist"
# A folder of its own in each hierarchy (cgroup v1): a kubelet ends what it finds beside its own pods, another cluster's too.
group=/
if [ -d /sys/fs/cgroup/cpu ]; then
	group=/maestro-$PORT
	for h in /sys/fs/cgroup/*/; do
		mkdir -p "$h$group"
		[ ! -e "$h/cpuset.cpus" ] || for f in cpuset.cpus cpuset.mems; do cat "$h/$f" > "$h$group/$f"; done
	done
	echo "$group" > "$N/cgroup"
fi
cat > "$N/kubelet.yaml" <<Y
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 127.0.0.1
port: ${KUBELET_PORT:-10250}
readOnlyPort: 0
healthzBindAddress: 127.0.0.1
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: "$P/ca.crt"}}
authorization: {mode: Webhook}
tlsCertFile: $P/kubelet.crt
tlsPrivateKeyFile: $P/kubelet.key
containerRuntimeEndpoint: unix://$N/containerd.sock
cgroupDriver: cgroupfs
cgroupRoot: $group
failSwapOn: false
failCgroupV1: false
enforceNodeAllocatable: []
resolvConf: ""
registerWithTaints: [{key: real, value: "true", effect: NoSchedule}]
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 100Mi}
podLogsDir: $N/podlogs
volumePluginDir: $N/volumeplugins
Y
if [ ! -s "$N/img/pause.tar" ]; then
	mkdir -p "$N/img/root/usr/bin" "$N/img/root/var/lib/maestro"
	gcc -O2 -static -s -o "$N/img/root/usr/bin/maestro" "$here/image/pause.c" # oci.sh's entry point
	"$here/../../../manifests/image/oci.sh" "$N/img/root" localhost/pause:1 "$N/img/pause.tar"
fi
start extra-containerd containerd -c "$N/containerd.toml"
for ((i = 0; i < 50; i++)); do "${C[@]}" version >/dev/null 2>&1 && break; sleep 0.2; done
for tar in "$N/img/pause.tar" "$@"; do "${C[@]}" images import "$tar" > /dev/null; done
start extra-kubelet "$bin/kubelet" --config="$N/kubelet.yaml" --kubeconfig="$W/kubelet.kubeconfig" --root-dir="$N/kubelet" \
	--cert-dir="$N/kubelet/pki" --hostname-override=localhost --node-labels=type=real ${NODE_IP:+--node-ip=$NODE_IP}
for ((i = 0; i < 150; i++)); do
	"$bin/kubectl" "--kubeconfig=$W/admin.kubeconfig" wait --for=condition=Ready node/localhost --timeout=1s >/dev/null 2>&1 && exit 0; sleep 0.2
done
echo "real-node.sh: the node is not Ready; see $W/log/extra-kubelet.log" >&2; exit 1
