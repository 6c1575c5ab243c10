#!/bin/sh
# The suites given as make targets, one after the other, all of them whatever becomes of one; a line each, and the output in BUILD/check.
#   check_all.sh BUILD MAKE SUITE...
# A suite's line: ok or FAILED, minutes and seconds, and how many of its tests were passed over for want of something on this machine.
set -u
cd "$(dirname "$0")/.."
build=$1 make=$2 out=$1/check
shift 2
mkdir -p "$out"
clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }
whole=$(date +%s) failed=
for suite in "$@"; do
	begin=$(date +%s) word=ok log=$out/$suite.log
	"$make" --no-print-directory "$suite" >"$log" 2>&1 || { word=FAILED; failed="$failed $suite"; }
	passed_over=$(grep -c '^skip \|^\[  SKIPPED \] [^0-9]' "$log")
	printf '%-7s %-12s %7s' "$word" "$suite" "$(clock $(($(date +%s) - begin)))"
	if [ "$passed_over" -gt 0 ]; then printf '  %s skipped (grep ^skip %s)' "$passed_over" "$log"; fi
	echo
	[ $word = ok ] || { tail -n 40 "$log" | sed 's/^/    /'; echo "    the whole of it: $log"; }
done
echo "$# suites in $(clock $(($(date +%s) - whole)))${failed:+; failed:$failed}"
[ -z "$failed" ]
