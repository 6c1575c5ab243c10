#!/bin/sh
# Headless training that is told to stop: it stops with a checkpoint and says so, and the exit status names the signal.
# A signal that was ignored when it started (nohup) stays ignored.
set -u
maestro=$MAESTRO_TEST_BUILD/maestro
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
# A shell's background job ignores INT, and what was ignored stays so: perl gives the signals their meaning back.
plainly() { exec perl -e '$SIG{INT} = $SIG{HUP} = "DEFAULT"; exec @ARGV' -- "$@"; }
started() { # FILE: an update is on its way; a signal before that would find nothing to stop
	i=0
	until grep -q '"update"' "$1" || [ $i = 600 ]; do sleep .1; i=$((i + 1)); done
}
for row in TERM:143 INT:130 HUP:129; do
	signal=${row%:*} want=${row#*:} db=$dir/${row%:*}.db
	plainly "$maestro" train --headless --json --n-steps 32 --steps 1000000000 --db "$db" >"$dir/$signal.out" 2>&1 &
	pid=$!
	started "$dir/$signal.out"
	kill -s "$signal" $pid
	wait $pid
	status=$?
	stored=$("$maestro" runs show 1 --db "$db" --json | jq -r '.status + " " + ([.checkpoints[].kind] | index("last") != null | tostring)')
	ended=$(grep -c '"event":"end"' "$dir/$signal.out")
	if [ "$status $stored $ended" = "$want stopped true 1" ]; then echo "ok $signal stops training with a checkpoint and exit $want"
	else echo "not ok $signal stops training with a checkpoint and exit $want: $status $stored $ended"; failed=1; fi
done

# as timeout(1) stops it: the process is told, and at once its group too
timeout -s TERM 5 "$maestro" train --headless --json --n-steps 32 --steps 1000000000 --db "$dir/twice.db" >"$dir/twice" 2>&1
stored=$("$maestro" runs show 1 --db "$dir/twice.db" --json | jq -r .status)
if [ "$stored" = stopped ]; then echo "ok the same signal twice at once is one"
else echo "not ok the same signal twice at once is one: $stored"; failed=1; fi

# started as nohup does it
(trap '' HUP; exec "$maestro" train --headless --json --n-steps 32 --steps 1000000000 --eval-every 0 --db "$dir/nohup.db" >"$dir/nohup" 2>&1) &
pid=$!
started "$dir/nohup"
kill -s HUP $pid
lines=$(wc -l <"$dir/nohup")
more=$lines i=0
until [ "$more" -gt "$lines" ] || [ $i = 600 ]; do sleep .1; i=$((i + 1)); more=$(wc -l <"$dir/nohup"); done
kill -s TERM $pid
wait $pid; status=$?
if [ "$status" = 143 ] && [ "$more" -gt "$lines" ]; then echo "ok an ignored hang-up stays ignored"
else echo "not ok an ignored hang-up stays ignored: exit $status, $lines lines, then $more"; failed=1; fi
exit $failed
