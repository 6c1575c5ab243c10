#!/bin/bash
# The image's files: the binary (the shipped model is in it), what ldd names, the CA bundle, an account.
#   rootfs.sh BUILD FOLDER
set -euo pipefail
build=$(realpath "$1") root=$2
rm -rf "$root"
mkdir -p "$root"/{usr/bin,etc/ssl/certs,var/lib/maestro,tmp}
cp "$build/maestro" "$root/usr/bin/maestro"
strip "$root/usr/bin/maestro"
ldd "$build/maestro" | grep -o '/[^ ]*' | while read -r lib; do
	mkdir -p "$root$(dirname "$lib")"
	cp -L "$lib" "$root$lib"
done
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/" 2>/dev/null || echo "no CA bundle here: the image trusts no public authority" >&2
echo 'maestro:x:65532:65532:maestro:/var/lib/maestro:/sbin/nologin' >"$root/etc/passwd"
echo 'maestro:x:65532:' >"$root/etc/group"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
chmod 1777 "$root/tmp"
