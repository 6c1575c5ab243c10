#!/bin/bash
# The image's files: the binary, what ldd names, the CA bundle, an account, a model to begin with.
#   rootfs.sh BUILD FOLDER [MODEL]   without MODEL one is trained here: seconds, and a better one is a mount away
set -euo pipefail
build=$(realpath "$1") root=$2 model=${3:-}
here=$(cd "$(dirname "$0")/../.." && pwd)
rm -rf "$root"
mkdir -p "$root"/{usr/bin,usr/share/maestro,etc/ssl/certs,var/lib/maestro,tmp}
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
if [ -n "$model" ]; then
	cp "$model" "$root/usr/share/maestro/model.safetensors"
else
	work=$(mktemp -d)
	(cd "$here" && "$build/maestro" train --headless --seed 1 --steps 300000 --trace engine/sim/traces/wc98_opening_week.csv \
		--db "$work/db" --out "$root/usr/share/maestro/model.safetensors") >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
	rm -rf "$work"
fi
chmod 1777 "$root/tmp"
