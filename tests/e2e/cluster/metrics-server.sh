#!/bin/bash
# metrics-server beside the cluster of up.sh, so that a HorizontalPodAutoscaler on cpu has its metrics. down.sh stops it.
#   METRICS_SERVER_PORT   (16445)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export KUBE_CACHE=${KUBE_CACHE:-$HOME/.cache/kube-test}
W=${KUBE_WORK:-$KUBE_CACHE/run} P=${KUBE_WORK:-$KUBE_CACHE/run}/pki bin=$KUBE_CACHE/bin port=${METRICS_SERVER_PORT:-16445}
"$here/build.sh" metrics-server
umask 077
if [ ! -s "$P/metrics.crt" ]; then
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$P/metrics.key" -out "$P/metrics.csr" -subj /CN=metrics 2>/dev/null
	echo "subjectAltName=DNS:metrics-server.kube-system.svc" > "$P/metrics.ext"
	openssl x509 -req -in "$P/metrics.csr" -CA "$P/ca.crt" -CAkey "$P/ca.key" -CAcreateserial -days 365 -extfile "$P/metrics.ext" -out "$P/metrics.crt" 2>/dev/null
fi
setsid "$bin/metrics-server" --kubeconfig="$W/admin.kubeconfig" --authentication-kubeconfig="$W/admin.kubeconfig" \
	--authorization-kubeconfig="$W/admin.kubeconfig" --bind-address=127.0.0.1 --secure-port="$port" --tls-cert-file="$P/metrics.crt" \
	--tls-private-key-file="$P/metrics.key" --kubelet-insecure-tls --kubelet-use-node-status-port \
	--kubelet-preferred-address-types=Hostname,InternalIP --metric-resolution=15s --kubelet-request-timeout=5s \
	>> "$W/log/metrics-server.log" 2>&1 < /dev/null &
echo $! > "$W/pid/extra-metrics-server"
# A Service of type ExternalName is what lets an APIService lead to the loopback address: endpoints in 127.0.0.0/8 are not valid.
k() { "$bin/kubectl" --kubeconfig="$W/admin.kubeconfig" "$@"; }
k apply -f - > /dev/null <<Y
apiVersion: v1
kind: Service
metadata: {name: metrics-server, namespace: kube-system}
spec: {type: ExternalName, externalName: localhost}
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.metrics.k8s.io}
spec:
  group: metrics.k8s.io
  version: v1beta1
  groupPriorityMinimum: 100
  versionPriority: 100
  service: {namespace: kube-system, name: metrics-server, port: $port}
  caBundle: $(base64 -w0 "$P/ca.crt")
Y
k wait --for=condition=Available apiservice v1beta1.metrics.k8s.io --timeout=90s > /dev/null
