#!/bin/sh
# libFuzzer over every target of tests/fuzz, as many at once as there are processors: FUZZ_S seconds each, from BUILD/corpus, where
# what it finds stays. A target that fails stops no other.
#   run.sh BUILD
set -eu
cd "$(dirname "$0")/../.."
export build="$1" seconds="${FUZZ_S:-30}"
mkdir -p "$build/corpus"
names=$("$build/tests/test_fuzz" "$build/corpus")
# shellcheck disable=SC2016  # the variables are the inner shell's
printf '%s\n' ${T:-$names} | xargs -P "$(nproc 2>/dev/null || echo 2)" -I{} sh -c '
	name=$1 corpus=$build/corpus/$1 log=$build/fuzz/$1.log
	mkdir -p "$corpus"
	mv "$corpus.seed" "$corpus/seed"
	if "$build/fuzz/$name" -max_total_time="$seconds" -max_len=65536 -rss_limit_mb=512 -timeout=10 \
		-artifact_prefix="$build/fuzz/$name-" "$corpus" >"$log" 2>&1; then
		echo "$name: nothing in $seconds s, $(ls "$corpus" | wc -l) inputs"
	else
		echo "$name: failed; $log ends:" && tail -40 "$log"
		exit 1
	fi' sh {} 2>&1
