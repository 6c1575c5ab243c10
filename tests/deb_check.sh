#!/bin/sh
# The package $1: apt can install it on this release; dpkg puts it into a scratch root, where the program runs and trains; purged,
# nothing is left. lintian, where it is installed, has no error.
set -u
deb=$(realpath "$1") root=$(mktemp -d) status=0
trap 'rm -rf "$root"' EXIT
check() { # NAME COMMAND...
	name=$1; shift
	if "$@" >"$root.log" 2>&1; then echo "ok $name"; else echo "not ok $name"; tail -n 20 "$root.log"; status=1; fi
	rm -f "$root.log"
}
mkdir -p "$root/var/lib" "$root/tmp"
cp -r /var/lib/dpkg "$root/var/lib/dpkg"
rm -f "$root"/var/lib/dpkg/lock*
package() { dpkg --root="$root" --force-not-root --force-script-chrootless --log=/dev/null "$@"; }
contents() { (cd "$root" && find . ! -type d ! -path './var/*' ! -path './tmp/*'); }
trains() {
	XDG_DATA_HOME=$root/tmp "$root/usr/bin/maestro" train --preset seed --steps 2048 --headless --out "$root/tmp/m.safetensors" &&
		[ -s "$root/tmp/m.safetensors" ]
}
check apt_can_install_it apt-get --simulate --no-install-recommends install "$deb"
check dpkg_installs_it package --install "$deb"
check its_files_are_whole package --verify maestro
check it_trains_a_model trains
check dpkg_purges_it package --purge maestro
check nothing_is_left test -z "$(contents)"
if command -v lintian >/dev/null; then
	check lintian_has_no_error lintian --fail-on error "$deb"
else
	echo "skip lintian_has_no_error (not installed)"
fi
exit $status
