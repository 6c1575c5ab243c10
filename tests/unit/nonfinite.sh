#!/bin/sh
# A loss that is not finite: in the console the training pauses, says so and names the last checkpoint; without one it fails with
# exit 1. The net that makes it so has one weight near the largest number that there is.
set -eu
NAME=nonfinite
. tests/fakes/tmux.sh
options="--trace nasa95_jul_week --envs 4 --n-steps 16 --clone-steps 0 --eval-every 0 --threads 1 --seed 1"
"$maestro" train --headless $options --steps 64 --out "$dir/good.safetensors" >/dev/null 2>&1
# the last numbers of the file are of a layer near the output
perl -e 'open my $f, "+<", $ARGV[0] or die; binmode $f; seek $f, -256, 2; print $f pack("f<", 3e38) x 64' "$dir/good.safetensors"
code=0
"$maestro" train --headless $options --steps 6400 --from "$dir/good.safetensors" >"$dir/out" 2>&1 || code=$?
check "without a console it fails and says why" sh -c "[ $code = 1 ] && grep -q 'not finite' '$dir/out'" || cat "$dir/out"

tmux new-session -d -x 120 -y 30 "'$maestro' train $options --steps 1000000 --from $dir/good.safetensors 2>$dir/err; echo \$? >$dir/exit; sleep 60"
see 'Paused'
see 'paused: not finite; p goes on, checkpoint none yet'
run=$("$maestro" runs list --json | jq -r 'select(.status == "running" and .kind == "train") | .id')
check "the run is still there" [ -n "$run" ]
tmux send-keys n
see 'one update: paused: not finite'
tmux send-keys q
until_full "$dir/exit" "q ends the program"
check "q still leaves with a checkpoint" [ "$(show "$run" | jq -r '.status + " " + ([.checkpoints[].kind] | index("last") != null | tostring)')" = "stopped true" ]

code=0
"$maestro" train --replay "$run" >"$dir/out" 2>&1 || code=$?
check "its repeat goes past what is not finite, as the person did (exit $code)" grep -q "run $run, repeated: the same model, byte for byte" "$dir/out" || tail -n 5 "$dir/out"
check "and says so" [ "$(grep -c 'not finite, as in the run that is repeated' "$dir/out")" = 2 ]
exit $failed
