#!/bin/sh
# Headless training that is told to stop: it stops with a checkpoint and says so, and the exit status names the signal.
# A signal that was ignored when it started (nohup) stays ignored.
set -u
maestro=$MAESTRO_TEST_BUILD/maestro
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
for row in TERM:143 INT:130 HUP:129; do
	signal=${row%:*} want=${row#*:} db=$dir/${row%:*}.db
	timeout --foreground -k 60 --preserve-status -s "$signal" 3 \
		"$maestro" train --headless --json --n-steps 32 --steps 1000000000 --db "$db" >"$dir/out" 2>&1
	status=$?
	stored=$("$maestro" runs show 1 --db "$db" --json | jq -r '.status + " " + ([.checkpoints[].kind] | index("last") != null | tostring)')
	ended=$(grep -c '"event":"end"' "$dir/out")
	if [ "$status $stored $ended" = "$want stopped true 1" ]; then echo "ok $signal stops training with a checkpoint and exit $want"
	else echo "not ok $signal stops training with a checkpoint and exit $want: $status $stored $ended"; failed=1; fi
done
(trap '' HUP; timeout --foreground -k 60 --preserve-status -s HUP 1 "$maestro" train --headless --json --n-steps 32 --steps 20000 --eval-every 0 --db "$dir/nohup.db" >"$dir/out" 2>&1)
status=$?
if [ "$status" = 0 ]; then echo "ok an ignored hang-up stays ignored"; else echo "not ok an ignored hang-up stays ignored: $status"; failed=1; fi
exit $failed
