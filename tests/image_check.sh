#!/bin/bash
# The image's files in folder $1: the list of them (SPDX) is whole and true, and the program trains in there as the image's account.
# The SPDX project's own reader accepts the list, where it can be had from PyPI; a change of root needs root. What cannot be had: `skip`.
set -u
root=$(realpath "$1") bom=$(realpath "$1")/usr/share/doc/maestro/sbom.spdx.json work=$(mktemp -d) status=0
trap 'rm -rf "$work"' EXIT
check() { # NAME COMMAND...
	local name=$1; shift
	if "$@" >"$work/log" 2>&1; then echo "ok $name"; else echo "not ok $name"; tail -n 20 "$work/log"; status=1; fi
}
sums() { jq -r '.files[] | "\(.checksums[] | select(.algorithm == "SHA256").checksumValue)  \(.fileName)"' "$bom"; }
lists_all() { diff <(cd "$root" && find . -type f ! -name sbom.spdx.json ! -path './var/*' ! -path './tmp/*' | sort) <(sums | cut -c67- | sort); }
sums_are_true() { (cd "$root" && sums | sha256sum --quiet -c -); }
libraries_have_packages() { ! jq -r '.relationships[] | select(.relatedSpdxElement == "SPDXRef-Package-maestro") | .spdxElementId' "$bom" | grep '\.so'; }
reader() { # the SPDX project's
	python3 -m venv "$work/venv" && "$work/venv/bin/pip" -q install spdx-tools==0.8.3
}
trains() {
	cp -r "$root" "$work/root" && chown -R 65532:65532 "$work/root/var/lib/maestro" &&
		env -i HOME=/var/lib/maestro XDG_DATA_HOME=/var/lib "$(command -v chroot)" --userspec=65532:65532 "$work/root" /usr/bin/maestro \
			train --preset seed --steps 2048 --headless --out /var/lib/maestro/m.safetensors && [ -s "$work/root/var/lib/maestro/m.safetensors" ]
}
check sbom_lists_every_file lists_all
check sbom_sums_are_true sums_are_true
check sbom_names_a_package_for_each_library libraries_have_packages
if reader >/dev/null 2>&1; then check sbom_is_spdx "$work/venv/bin/pyspdxtools" -i "$bom"; else echo "skip sbom_is_spdx (no Python venv or PyPI)"; fi
if [ "$(id -u)" = 0 ]; then check it_trains_in_there trains; else echo "skip it_trains_in_there (needs root)"; fi
check it_has_no_shell test -z "$(find "$root" -name sh -o -name bash -o -name busybox)"
exit $status
