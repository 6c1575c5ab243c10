#!/bin/sh
# The unit tests given under valgrind's memcheck, a few at a time: quiet on success, and one closing line.
#   T=NAME valgrind.sh BUILD TEST...     only those whose name contains NAME
# A byte that is read before it was written, past its block or after its end, or that is lost at the end, fails the test. OpenBLAS and
# libcurl keep what they have until the process ends: only what is certainly lost counts.
set -u
cd "$(dirname "$0")/.."
build=$1
shift
out=$build/valgrind
rm -rf "$out" && mkdir -p "$out"
export MAESTRO_TEST_BUILD=$build XDG_CACHE_HOME=$(realpath "$out")/cache OPENBLAS_NUM_THREADS=1
printf '%s\n' "$@" | grep -- "${T:-}" | xargs -P "$(nproc 2>/dev/null || echo 2)" -I{} sh -c \
	'timeout 600 valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite '"$build"'/tests/{} >'"$out"'/{}.txt 2>&1; echo $? >'"$out"'/{}.exit'
failed=0 n=0
for exit_file in "$out"/*.exit; do
	[ -e "$exit_file" ] || break
	n=$((n + 1))
	[ "$(cat "$exit_file")" = 0 ] && continue
	failed=$((failed + 1))
	echo "---- $(basename "$exit_file" .exit) (exit $(cat "$exit_file"))"
	tail -n 60 "${exit_file%.exit}.txt"
done
echo "$n programs under valgrind, $failed failed"
[ "$failed" = 0 ] && [ "$n" -gt 0 ]
