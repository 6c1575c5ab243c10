#!/bin/sh
# libFuzzer over every target of tests/fuzz: FUZZ_S seconds each, from BUILD/corpus, where what it finds stays.
#   run.sh BUILD
set -eu
cd "$(dirname "$0")/../.."
build=$1 seconds=${FUZZ_S:-30}
mkdir -p "$build/corpus"
names=$("$build/tests/test_fuzz" "$build/corpus")
for name in ${T:-$names}; do
	mkdir -p "$build/corpus/$name"
	mv "$build/corpus/$name.seed" "$build/corpus/$name/seed"
	"$build/fuzz/$name" -max_total_time="$seconds" -max_len=65536 -rss_limit_mb=512 -timeout=10 \
		-artifact_prefix="$build/fuzz/$name-" "$build/corpus/$name" 2>"$build/fuzz/$name.log" || { tail -40 "$build/fuzz/$name.log"; exit 1; }
	echo "$name: nothing in $seconds s, $(ls "$build/corpus/$name" | wc -l) inputs"
done
