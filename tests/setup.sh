#!/bin/sh
# Installs the Debian packages given as arguments that are not there yet, after saying which.
# Where apt or the right to use it is missing, prints the command to run and exits 1. Several at once take turns: make runs them side by side.
set -eu
find_missing() { # of the packages given
	missing=
	for package in "$@"; do
		status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
		[ "$status" = "install ok installed" ] || missing="$missing $package"
	done
}
find_missing "$@"
[ -n "$missing" ] || exit 0
if command -v flock >/dev/null 2>&1; then # the lock is this folder's own, so that no file is needed
	exec 9<"$(dirname "$0")"
	flock 9
	find_missing "$@" # the one before may have brought them
	[ -n "$missing" ] || exit 0
fi
command="apt-get install -y --no-install-recommends$missing"
if ! command -v apt-get >/dev/null 2>&1; then
	echo "maestro: these packages (Debian's names) are missing:$missing; install them, then run make again" >&2
	exit 1
fi
if [ "$(id -u)" = 0 ]; then
	as_root=env
elif command -v sudo >/dev/null 2>&1 && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
	as_root=sudo
else
	echo "maestro: packages are missing; run this as root, then run make again:" >&2
	echo "  apt-get update && $command" >&2
	exit 1
fi
echo "maestro: installing$missing" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
update() { # dpkg's lock can be waited for (DPkg::Lock::Timeout), that of the lists cannot
	tries=60
	until $as_root apt-get update -q >"$log" 2>&1; do
		tries=$((tries - 1))
		{ [ $tries -gt 0 ] && grep -q 'Could not get lock' "$log"; } || return 1
		sleep 5
	done
}
if ! { update && $as_root env DEBIAN_FRONTEND=noninteractive $command -o DPkg::Lock::Timeout=300; } >>"$log" 2>&1 </dev/null 9<&-; then
	tail -n 20 "$log" >&2
	echo "maestro: apt failed (above); to try by hand: $command" >&2
	exit 1
fi
