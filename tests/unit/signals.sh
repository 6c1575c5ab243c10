#!/bin/sh
# Headless training that is told to stop: it stops with a checkpoint and says so, and the exit status names the signal.
set -u
maestro=$MAESTRO_TEST_BUILD/maestro
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
for row in TERM:143 INT:130 HUP:129; do
	signal=${row%:*} want=${row#*:} db=$dir/${row%:*}.db
	"$maestro" train --headless --json --steps 1000000000 --db "$db" >"$dir/out" 2>&1 &
	pid=$!
	i=0
	until grep -q '"update"' "$dir/out" || [ $i = 300 ]; do sleep .1; i=$((i + 1)); done
	# an interactive shell's background jobs ignore INT; kill -s is delivered all the same once a handler is installed
	kill -s "$signal" $pid
	wait $pid; status=$?
	stored=$("$maestro" runs show 1 --db "$db" --json | jq -r '.status + " " + (.checkpoints[-1].kind // "none")')
	if [ "$status $stored" = "$want stopped last" ]; then echo "ok $signal stops training with a checkpoint and exit $want"
	else echo "not ok $signal stops training with a checkpoint and exit $want: $status $stored"; failed=1; fi
done
exit $failed
