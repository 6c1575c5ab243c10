#!/bin/sh
# The suites given as make targets, all of them whatever becomes of one; a line each, and the output in BUILD/check. One after the other,
# but the first beside the rest, which go under nice: it waits on a cluster for most of its time.
#   check_all.sh BUILD MAKE FIRST SUITE...
# A suite's line: ok or FAILED, minutes and seconds, and how many of its tests were passed over for want of something on this machine.
set -u
cd "$(dirname "$0")/.."
make=$2 first=$3 out=$1/check
shift 3
rm -rf "$out"
mkdir -p "$out"
clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }
# run SUITE COMMAND...: its line at its end
run() {
	suite=$1 begin=$(date +%s) word=ok log=$out/$1.log
	shift
	"$@" --no-print-directory "$suite" >"$log" 2>&1 || { word=FAILED; echo "$suite" >>"$out/failed"; }
	passed_over=$(grep -c '^skip \|^\[  SKIPPED \] [^0-9]' "$log")
	[ "$passed_over" -gt 0 ] && passed_over="  $passed_over skipped (grep ^skip $log)" || passed_over=
	printf '%-7s %-12s %7s%s\n' "$word" "$suite" "$(clock $(($(date +%s) - begin)))" "$passed_over"
	[ $word = ok ] || { tail -n 40 "$log" | sed 's/^/    /'; echo "    the whole of it: $log"; }
}
whole=$(date +%s)
"$make" --no-print-directory -s all programs || exit 1 # what both build
run "$first" "$make" &
for suite in "$@"; do run "$suite" nice "$make"; done
wait
failed=$(tr "\n" " " 2>/dev/null <"$out/failed")
echo "$(($# + 1)) suites in $(clock $(($(date +%s) - whole)))${failed:+; failed: $failed}"
[ -z "$failed" ]
