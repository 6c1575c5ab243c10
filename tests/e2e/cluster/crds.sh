#!/bin/bash
# Applies other projects' CRDs, taken from their Go modules, to the cluster of up.sh.
#   crds.sh chaos-mesh
set -euo pipefail
KUBE_CACHE=${KUBE_CACHE:-$HOME/.cache/kube-test}
kubeconfig=${KUBE_WORK:-$KUBE_CACHE/run}/admin.kubeconfig
for name in "$@"; do
	case $name in
	chaos-mesh) module=github.com/chaos-mesh/chaos-mesh@v0.9.1-0.20260902003049-47411975a8cb folder=config/crd/bases ;;
	*) echo "crds.sh: $name is not known" >&2; exit 2 ;;
	esac
	# outside of any module
	dir=$(cd / && go mod download -json "$module" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
	# server-side: some are larger than the annotation that client-side apply writes
	"$KUBE_CACHE/bin/kubectl" --kubeconfig="$kubeconfig" apply --server-side -f "$dir/$folder" >/dev/null
done
