#!/bin/bash
# An OCI archive of one layer out of a folder, without a registry or a container engine. The same files give the same bytes.
#   oci.sh FOLDER NAME:TAG OUT.tar
# Imported by `ctr -n k8s.io images import`, `docker load`, `podman load`, `kind load image-archive`, `minikube image load`.
set -euo pipefail
root=$1 name=$2 out=$(realpath -m "$3")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
blobs=$work/oci/blobs/sha256
mkdir -p "$blobs"
plain=(--sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=ustar)
add() { # FILE: its name by content, in $sum and $size
	sum=$(sha256sum "$1" | cut -d' ' -f1) size=$(stat -c %s "$1")
	mv "$1" "$blobs/$sum"
}
tar "${plain[@]}" -C "$root" -cf "$work/rest" --exclude=./var/lib/maestro .
tar "${plain[@]}" --owner=65532 --group=65532 -C "$root" -cf "$work/own" ./var/lib/maestro
tar --concatenate -f "$work/rest" "$work/own"
add "$work/rest"
layer=$sum layer_size=$size
jq -cn --arg arch "$(dpkg --print-architecture 2>/dev/null || echo amd64)" --arg layer "sha256:$layer" '{architecture: $arch, os: "linux",
	config: {User: "65532:65532", Env: ["PATH=/usr/bin", "HOME=/var/lib/maestro", "XDG_DATA_HOME=/var/lib"],
		Entrypoint: ["/usr/bin/maestro"], WorkingDir: "/"},
	rootfs: {type: "layers", diff_ids: [$layer]}}' >"$work/config"
add "$work/config"
config=$sum config_size=$size
jq -cn --arg c "sha256:$config" --argjson cs "$config_size" --arg l "sha256:$layer" --argjson ls "$layer_size" '{schemaVersion: 2,
	mediaType: "application/vnd.oci.image.manifest.v1+json",
	config: {mediaType: "application/vnd.oci.image.config.v1+json", digest: $c, size: $cs},
	layers: [{mediaType: "application/vnd.oci.image.layer.v1.tar", digest: $l, size: $ls}]}' >"$work/manifest"
add "$work/manifest"
jq -cn --arg d "sha256:$sum" --argjson s "$size" --arg name "$name" '{schemaVersion: 2, manifests: [
	{mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $d, size: $s,
	 annotations: {"io.containerd.image.name": $name, "org.opencontainers.image.ref.name": ($name | split(":")[-1])}}]}' >"$work/oci/index.json"
echo '{"imageLayoutVersion":"1.0.0"}' >"$work/oci/oci-layout"
tar "${plain[@]}" -C "$work/oci" -cf "$out" oci-layout index.json blobs
