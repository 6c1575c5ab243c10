#!/bin/sh
# A run is forked from its last checkpoint, or from one that was kept: with the same settings it goes on to the bytes of the run that
# was never left; with others it is another run, which knows whence it came and can be repeated.
set -eu
maestro=$(cd "$MAESTRO_TEST_BUILD" && pwd)/maestro
dir=$(mktemp -d)
export MAESTRO_DB="$dir/c.db"
trap 'rm -rf "$dir"' EXIT

failed=0
check() { # NAME CONDITION...
	name=$1; shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; echo "  $*"; failed=1; fi
}
train() { # OPTIONS...: sets code and run
	code=0
	"$maestro" train --json --threads 1 "$@" >"$dir/out" 2>"$dir/talk" || code=$?
	run=$(jq -r 'select(.event == "start") | .run' "$dir/out")
}
show() { "$maestro" runs show "$1" --json; }

train --trace nasa95_jul_week --envs 8 --n-steps 32 --learning-rate 1e-3 --clone-steps 1000 --eval-every 0 --steps 4096 --out "$dir/short.safetensors"
check "a run to fork ($code)" [ "$code" = 0 ]
train --trace nasa95_jul_week --envs 8 --n-steps 32 --learning-rate 1e-3 --clone-steps 1000 --eval-every 0 --steps 8192 --out "$dir/long.safetensors"

train --from 1 --steps 8192 --out "$dir/forked.safetensors"
check "a fork goes on to the bytes of a run that was never left ($code)" cmp "$dir/forked.safetensors" "$dir/long.safetensors"
check "a fork is a run of its own" [ "$run $(show 1 | jq .steps) $(show 3 | jq .steps)" = "3 4096 8192" ]
check "it says whence it came and what differs" grep -q 'forks run 1 at 4096 steps; steps 4096 -> 8192$' "$dir/talk"
check "its parent is recorded" [ "$(show 3 | jq -r .config.from)" = 1@4096 ]
check "and which program made it, on which traffic" [ "$(show 3 | jq -r '.config | "\(.code) \(."trace-sha256" | length)"')" = "$("$maestro" version | grep -o '[0-9]*\.[0-9]*\.[0-9]*' | head -1) 12" ]
check "which is the same as its parent's" [ "$(show 3 | jq -r '.config."trace-sha256"')" = "$(show 1 | jq -r '.config."trace-sha256"')" ]

train --from 1@4096 --steps 8192 --learning-rate lin_5e-4 --ent-coef .1
check "another learning rate is another fork ($code)" grep -q 'ent-coef 0.005 -> 0.1; \|learning-rate "1e-3" -> "lin_5e-4"' "$dir/talk"
check "and is used from its first update on" [ "$(show 4 | jq -c '[.last_update.ent_coef, .last_update.learning_rate < 5e-4]')" = '[0.1,true]' ]
train --replay 4
check "a fork can be repeated ($code)" grep -q 'the same model, byte for byte' "$dir/talk"

train --from 1@77 --steps 8192
check "a checkpoint that is not there is said ($code)" grep -q 'run 1 has no checkpoint at 77 steps; maestro runs show 1 --db .* lists' "$dir/talk"
train --from 1 --steps 8192 --envs 16
check "what a state cannot take over is said ($code)" [ "$code $(grep -c 'a fork may differ in learning rate' "$dir/talk")" = "2 1" ]
train --from 1
check "a fork without steps to go is said ($code)" grep -q 'run 1 is at 4096 steps there' "$dir/talk"
train --from 99 --steps 8192
check "a run that is not there is said ($code)" grep -q 'run 99: there is no such run' "$dir/talk"
exit $failed
