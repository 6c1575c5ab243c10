#!/bin/sh
# The manual, a page a command, from --help of program $1, into folder $2.
set -eu
program=$1 out=$2 awk=$(dirname "$0")/man.awk
export LC_ALL=C.UTF-8
mkdir -p "$out"
rm -f "$out"/maestro*.1
version=$("$program" --version | cut -d' ' -f2)
page() { # NAME BRIEF CONSOLE: from standard input
	awk -v name="$1" -v brief="$2" -v version="$version" -v console="$3" -f "$awk" >"$out/$1.1"
}
"$program" --plain --help >"$out/console.tmp"
"$program" --help | page maestro "an autoscaler for Kubernetes Deployments that learns" "$out/console.tmp"
rm "$out/console.tmp"
"$program" --help | sed -n 's/^  \([a-z][a-z-]*\)  *\(.*\)/\1 \2/p' | while read -r command brief; do
	"$program" "$command" --help | page "maestro-$command" "$brief" ""
done
