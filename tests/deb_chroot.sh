#!/bin/sh
# The package $1 on a clean Debian: a base system of this release in a folder, `apt install ./maestro_*.deb`, a trained model, `apt purge`,
# and nothing of it is left. Needs root, debootstrap and Debian's mirror (that of this machine's apt); `skip` without.
set -u
deb=$(realpath "$1") status=0
skip() { echo "skip deb on a clean Debian: $1"; exit 0; }
[ "$(id -u)" = 0 ] || skip "needs root"
command -v debootstrap >/dev/null || skip "debootstrap is not installed"
release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
mirror=$(apt-cache policy | sed -n "s,.* \(http[^ ]*\) $release/main .*,\1,p" | head -n 1)
[ -n "$mirror" ] || skip "apt names no mirror of $release"
root=$(mktemp -d)
trap 'umount "$root/proc" 2>/dev/null; rm -rf "$root"' EXIT
check() { # NAME COMMAND...
	name=$1; shift
	if "$@" >"$root.log" 2>&1; then echo "ok $name"; else echo "not ok $name"; tail -n 20 "$root.log"; status=1; fi
	rm -f "$root.log"
}
inside() { DEBIAN_FRONTEND=noninteractive HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" "$@"; }
files() { (cd "$root" && find . -path ./proc -prune -o -path ./tmp -prune -o -path ./var -prune -o ! -type d -print | sort); }
trains() { inside maestro train --preset seed --steps 20480 --headless --db /tmp/m.db --out /tmp/m.safetensors && [ -s "$root/tmp/m.safetensors" ]; }
is_clean() { # what libraries came with it go by autoremove, as for any package
	inside apt-get -qq purge -y maestro && inside apt-get -qq autoremove --purge -y && files >"$root/tmp/after" && diff "$root/tmp/before" "$root/tmp/after"
}
debootstrap --variant=minbase "$release" "$root" "$mirror" >"$root.log" 2>&1 || { tail -n 3 "$root.log"; rm -f "$root.log"; skip "debootstrap cannot make a base system here"; }
mount -t proc proc "$root/proc" 2>/dev/null
cp "$deb" "$root/tmp/maestro.deb"
cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null
inside apt-get -qq update >/dev/null 2>&1
files >"$root/tmp/before"
check apt_installs_it inside apt-get -qq install -y --no-install-recommends /tmp/maestro.deb
check it_trains_a_model trains
check apt_purges_it_whole is_clean
exit $status
