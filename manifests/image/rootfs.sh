#!/bin/bash
# The image's files: the binary (the shipped model is in it), the libraries that it is linked with or loads, the CA bundle, an account,
# and the list of all that (SPDX).
#   rootfs.sh BUILD FOLDER
set -euo pipefail
build=$(realpath "$1") root=$2
rm -rf "$root"
mkdir -p "$root"/{usr/bin,etc/ssl/certs,var/lib/maestro,tmp}
cp "$build/maestro" "$root/usr/bin/maestro"
strip "$root/usr/bin/maestro"
libraries() { # FILE: what it is linked with
	ldd "$1" | grep -o '/[^ ]*'
}
{
	libraries "$build/maestro"
	for name in $(grep -aoE 'lib[a-z0-9]+\.so\.[0-9]+' "$build/maestro" | sort -u); do # what it loads when it needs it
		lib=$(ldconfig -p | awk -v n="$name" '$1 == n && !at { at = $NF } END { print at }') # read to its end: ldconfig would die of a closed pipe
		[ -z "$lib" ] || { echo "$lib"; libraries "$lib"; }
	done
} | sort -u | while read -r lib; do
	mkdir -p "$root$(dirname "$lib")"
	cp -L "$lib" "$root$lib"
done
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/" 2>/dev/null || echo "no CA bundle here: the image trusts no public authority" >&2
echo 'maestro:x:65532:65532:maestro:/var/lib/maestro:/sbin/nologin' >"$root/etc/passwd"
echo 'maestro:x:65532:' >"$root/etc/group"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
chmod 1777 "$root/tmp"
sbom=$root/usr/share/doc/maestro/sbom.spdx.json
mkdir -p "$(dirname "$sbom")"
bom=$("$(dirname "$0")/sbom.sh" "$root" "$("$build/maestro" --version | cut -d' ' -f2)")
echo "$bom" >"$sbom"
