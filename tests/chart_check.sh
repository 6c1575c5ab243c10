#!/bin/bash
# The Helm chart $1: with its own values it is what `kubectl apply -k manifests/base` applies; each value is where it belongs.
# helm and kubectl from the PATH or $KUBE_CACHE/bin; helm is built there by Go where there is none; `skip` where neither can be had.
set -u
chart=$1 cache=${KUBE_CACHE:-$HOME/.cache/kube-test}/bin status=0
cd "$(dirname "$0")/.."
PATH=$PATH:$cache
skip() { echo "skip chart: $1"; exit 0; }
command -v kubectl >/dev/null || skip "no kubectl (tests/e2e/cluster/build.sh kubectl builds one)"
command -v helm >/dev/null || GOBIN=$cache go install helm.sh/helm/v3/cmd/helm@v3.19.0 >/dev/null 2>&1 || skip "no helm, and no Go to build one"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
check() { # NAME COMMAND...
	local name=$1; shift
	if "$@" >"$work/log" 2>&1; then echo "ok $name"; else echo "not ok $name"; head -n 30 "$work/log"; status=1; fi
}
rendered() { helm template maestro "$chart" --namespace maestro --kube-version 1.34.0 "$@"; }
same_as_kustomize() { # one writer of YAML for both
	mkdir -p "$work/k"
	rendered >"$work/k/rendered.yaml" || return 1
	cp manifests/base/namespace.yaml "$work/k/"
	echo '{namespace: maestro, resources: [namespace.yaml, rendered.yaml]}' >"$work/k/kustomization.yaml"
	diff <(kubectl kustomize manifests/base) <(kubectl kustomize "$work/k")
}
has() { # TEXT ARGS...: as often as base has it to replace
	local text=$1 times=$2; shift 2
	[ "$(rendered "$@" | grep -cF -- "$text")" = "$times" ]
}
check lint helm lint --strict "$chart"
check same_as_kustomize same_as_kustomize
check value_image has 'image: "there/maestro:9"' 3 --set image=there/maestro:9
check value_pull_policy has 'imagePullPolicy: Never' 3 --set imagePullPolicy=Never
check value_replicas has 'replicas: 3' 1 --set replicas=3
check value_prometheus_url has '"http://p:1"' 2 --set prometheusUrl=http://p:1
check value_prometheus_namespace has 'metadata.name: watch}' 3 --set prometheusNamespace=watch
check value_target has '{name: TARGET_DEPLOYMENT, value: "web"}' 1 --set targetDeployment=web
check value_interval has '{name: POLL_INTERVAL_SECONDS, value: "30"}' 1 --set pollIntervalSeconds=30
check value_window has '{name: MAESTRO_SCALE_DOWN_WINDOW, value: "0s"}' 1 --set scaleDownWindow=0s
check value_env has '{name: MAESTRO_DRY_RUN, value: "true"}' 1 --set-string env.MAESTRO_DRY_RUN=true
check no_value_is_left_over test -z "$(sed -n 's/^\([a-zA-Z]*\):.*/\1/p' "$chart/values.yaml" | while read -r v; do grep -rqF ".Values.$v" "$chart/templates" || echo "$v"; done)"
exit $status
