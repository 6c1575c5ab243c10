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

# started as nohup does it
(trap '' HUP; exec "$maestro" train --headless --json --n-steps 32 --steps 1000000000 --eval-every 0 --db "$dir/nohup.db" >"$dir/nohup" 2>&1) &
pid=$!
i=0
until grep -q '"update"' "$dir/nohup" || [ $i = 600 ]; do sleep .1; i=$((i + 1)); done
kill -s HUP $pid
lines=$(wc -l <"$dir/nohup")
sleep 2
more=$(wc -l <"$dir/nohup")
kill -s TERM $pid
wait $pid; status=$?
if [ "$status" = 143 ] && [ "$more" -gt "$lines" ]; then echo "ok an ignored hang-up stays ignored"
else echo "not ok an ignored hang-up stays ignored: exit $status, $lines lines, then $more"; failed=1; fi
exit $failed
