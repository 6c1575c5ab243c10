#!/bin/sh
# Installs the Debian packages given as arguments that are not there yet, after saying which.
# Where apt or the right to use it is missing, prints the command to run and exits 1.
set -eu
missing=
for package in "$@"; do
	status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
	[ "$status" = "install ok installed" ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
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
if ! { $as_root apt-get update -q && $as_root env DEBIAN_FRONTEND=noninteractive $command; } >"$log" 2>&1 </dev/null; then
	tail -n 20 "$log" >&2
	echo "maestro: apt failed (above); to try by hand: $command" >&2
	exit 1
fi
