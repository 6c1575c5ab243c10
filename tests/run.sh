#!/bin/sh
# Runs the unit tests of build folder $1, all side by side, quiet on success, and prints one closing line. A test that hangs is ended
# after a quarter of an hour: what trains under a sanitizer takes minutes on a busy machine.
#   run.sh BUILD [NAME]     only tests whose name contains NAME
#   SKIP=NAME               but not those whose name contains NAME
set -u
cd "$(dirname "$0")/.."
for name in $(env | sed -n 's/^\(MAESTRO_[A-Z0-9_]*\)=.*/\1/p'); do unset "$name"; done # the caller's settings are not the tests'
build=$1 pick=${2:-}
out=$build/tests/out
rm -rf "$out" && mkdir -p "$out"
export MAESTRO_TEST_BUILD=$build XDG_CACHE_HOME=$(realpath "$out")/cache
names=$(ls "$build"/tests/test_* 2>/dev/null | grep -v '\.d$' | xargs -n1 basename | grep -- "$pick")
scripts=$(ls tests/unit/*.sh tests/golden/run.sh 2>/dev/null | grep -- "$pick")
jobs=$(nproc 2>/dev/null || echo 2)
{ for n in $names; do echo "$build/tests/$n"; done; for s in $scripts; do echo "$s"; done; } | grep -v -- "${SKIP:-no-such-test}" |
	xargs -P "$jobs" -I{} sh -c 'n=$(basename {}); timeout 900 {} >'"$out"'/$n.txt 2>&1; echo $? >'"$out"'/$n.exit'
passed=0 failed=0 skipped=0
for exit_file in "$out"/*.exit; do
	[ -e "$exit_file" ] || break
	text=${exit_file%.exit}.txt
	p=$(grep -ac '^\[       OK \]\|^ok ' "$text") f=$(grep -ac '^\[  FAILED  \] [^0-9].*\|^not ok ' "$text")
	s=$(grep -ac '^\[  SKIPPED \] [^0-9]\|^skip ' "$text")
	# cmocka names a failed test twice: where it ran and in its summary
	f=$(grep -a '^\[  FAILED  \] [^0-9]\|^not ok ' "$text" | sed 's/^\[  FAILED  \] [^:]*: //' | sort -u | grep -c . )
	if [ "$(cat "$exit_file")" != 0 ]; then
		[ "$f" -gt 0 ] || f=1
		echo "---- $(basename "$exit_file" .exit) (exit $(cat "$exit_file"))"
		tail -n 60 "$text"
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
if [ "$skipped" -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"; else echo "$passed passed, $failed failed"; fi
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
