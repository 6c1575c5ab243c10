#!/bin/bash
# Applies other projects' CRDs, out of their Go modules, to the API server of $KUBECONFIG.
#   crds.sh [chaos-mesh|keda|prometheus-operator|istio ...]     all of them
# Fails where a module cannot be had.
set -euo pipefail
cd "$(mktemp -d)" # outside of any module
trap 'rm -rf "$PWD"' EXIT
PATH=${KUBE_CACHE:-$HOME/.cache/kube-test}/bin:$PATH
declare -A module=(
	[chaos-mesh]=github.com/chaos-mesh/chaos-mesh@v0.9.1-0.20260902003049-47411975a8cb
	[keda]=github.com/kedacore/keda/v2@v2.21.0
	[prometheus-operator]=github.com/prometheus-operator/prometheus-operator@v0.85.0
	[istio]=istio.io/api@v1.31.4
)
declare -A files=(
	[chaos-mesh]=config/crd/bases
	[keda]=config/crd/bases
	[prometheus-operator]=example/prometheus-operator-crd
	[istio]=kubernetes/customresourcedefinitions.gen.yaml
)
[ $# -gt 0 ] || set -- chaos-mesh keda prometheus-operator istio
for project in "$@"; do
	folder=$(go mod download -json "${module[$project]}" | jq -r '.Dir // empty')
	[ -n "$folder" ]
	kubectl apply --server-side -f "$folder/${files[$project]}" # some are larger than the annotation of client-side apply
done
