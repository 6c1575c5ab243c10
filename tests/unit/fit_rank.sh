#!/bin/sh
# A service fitted to the recording of real processes: the file trains a policy, and that policy keeps its place among rules from the
# fluid level, where it trained, to the request level, and on the service as it was.
set -u
maestro=$MAESTRO_TEST_BUILD/maestro
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
trace=engine/sim/traces/nasa95_jul_week.csv

check() { # NAME COMMAND...
	name=$1; shift
	if "$@" >"$dir/out" 2>&1; then echo "ok $name"; else echo "not ok $name"; sed 's/^/# /' "$dir/out"; failed=1; fi
}
printf 'service_mean: .02\ncpu_limit: .3\ncpu_request: .3\nconcurrency: 1\nnet_delay: 0\n' >"$dir/true.yaml"
printf 'scrape_interval: 1\nmem_base_bytes: 12.4e6\nmem_inflight_bytes: 31400\n' >>"$dir/true.yaml"
check "fit reads a recording" "$maestro" fit --from-csv tests/fixtures/fit_real.csv --effort .1 --out "$dir/web.yaml"
check "train takes the fitted service" "$maestro" train --headless --seed 1 --steps 150000 --service "$dir/web.yaml" --trace $trace \
	--latency-soft 400 --latency-hard 800 --eval-every 0 --json --db "$dir/runs.db" --out "$dir/web.safetensors"
check "policies keep their rank on the request level, and on the true service" \
	"$MAESTRO_TEST_BUILD/tests/fit_rank" "$dir/web.yaml" "$dir/true.yaml" $trace "$dir/web.safetensors"
refused() { # STATUS WORD ARGUMENTS: that exit, the word on stderr, nothing on stdout
	status=$1 word=$2
	shift 2
	"$maestro" fit "$@" >"$dir/got" 2>"$dir/err"
	[ $? = "$status" ] && [ ! -s "$dir/got" ] && grep -q "^maestro: .*$word" "$dir/err" && [ ! -e "$dir/none.yaml" ]
}
printf 't_s,rps\n0,1\n60,x\n' >"$dir/bad.csv"
check "fit names file and line of a bad row" refused 5 "bad.csv:3: column 2 .rps. is not a number" --from-csv "$dir/bad.csv" --out "$dir/none.yaml"
check "fit without a source is a usage error" refused 2 "prometheus URL is missing" --deployment shop/web --out "$dir/none.yaml"
check "fit of a Prometheus that is away is exit 4" refused 4 "prometheus: " --prometheus http://127.0.0.1:9 --deployment shop/web --out "$dir/none.yaml"
exit $failed
