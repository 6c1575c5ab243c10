#!/bin/sh
# The Helm chart out of the plain manifests, so that both say the same: templates by chart.sed, the rest as it lies here.
#   make.sh FOLDER VERSION
set -eu
here=$(dirname "$0") out=$1 version=$2
rm -rf "$out"
mkdir -p "$out/templates"
cp "$here/values.yaml" "$out/"
sed "s/^version: .*/version: $version/; s/^appVersion: .*/appVersion: \"$version\"/" "$here/Chart.yaml" >"$out/Chart.yaml"
cp "$here/NOTES.txt" "$out/templates/"
for file in "$here"/../maestro/*-*.yaml "$here"/../base/network-policy.yaml "$here"/../base/disruption-budget.yaml; do
	sed -f "$here/chart.sed" "$file" >"$out/templates/$(basename "$file")"
done
