#!/bin/sh
# A training that is changed by hand in the console (learning rate, entropy, clip range, traffic, chaos, undo, stop), resumed and changed
# again, is repeated by `train --replay` to the same model, byte for byte, and the same curves.
set -eu
NAME=replay
. tests/fakes/tmux.sh

change() { # KEY TITLE VALUE
	tmux send-keys "$1"
	see "$2 ─"
	tmux send-keys "$3" Enter Enter
	see "$2 .*from the next update on"
}
one() {
	tmux send-keys n
	see "one update: one update done"
}
console() { # OPTIONS...
	rm -f "$dir/exit"
	tmux new-session -d -x 100 -y 30 "'$maestro' train $* 2>$dir/err; echo \$? >$dir/exit"
	see 'train -*[0-9]'
	tmux send-keys p
	see Paused
}
leave() {
	tmux send-keys q
	until_full "$dir/exit" "q ends the program"
}
curves() { "$maestro" runs export "$1" --format json | jq -c '[.updates[] | del(.time, .steps_per_s)]'; }
changes() { show "$1" | jq -c '[.interventions[] | select(.what != "pause" and .what != "resume") | [.steps, .what, .from, .to]]'; }

console --trace nasa95_jul_week --trace wc98_group_week --envs 8 --n-steps 32 --clone-steps 2000 --steps 1000000000 --eval-every 0 --threads 1
change l 'Learning rate' 7e-4
change h 'Entropy coefficient' 0.0123456789
change g 'Clip range' .15
one
change t Traffic 'nasa95_jul_week x1.5'
change x Chaos cpu-stress:for=600,size=.5
tmux send-keys u
see 'Chaos back to none'
see 'Chaos back to none: from the next'
change x Chaos pod-kill
tmux send-keys t
see 'Traffic ─'
tmux send-keys 'no_such_trace' Enter Enter
see 'no such trace; write all, nasa95'
one
tmux send-keys Q
see Stopped
check "Q stops with a checkpoint" [ "$(show 1 | jq -r .status)" = stopped ]
leave
first=$(changes 1)
check "each change is a row with what it was and became" [ "$(echo "$first" | jq -c 'map(.[1:])')" = \
	'[["learning_rate","0.001","7e-4"],["ent_coef","0.005","0.0123456789"],["clip_range","0.2",".15"],["traffic","all x1","nasa95_jul_week x1.5"],["chaos","none","cpu-stress:for=600,size=0.5"],["chaos","none","none"],["chaos","none","pod-kill:size=1"]]' ] ||
	echo "$first"

console --resume 1 --steps 2000000000 --threads 1
change l 'Learning rate' 9e-4
change t Traffic x.7
one
tmux send-keys Q
see Stopped
leave
check "the resumed run has the changes of before and after" [ "$(changes 1 | jq -c '[.[7:][] | .[1:]]')" = \
	'[["steps","1000000000","2000000000"],["learning_rate","7e-4","9e-4"],["traffic","nasa95_jul_week x1.5","all x0.7"]]' ] || changes 1

repeat() { # RUN OPTIONS...: sets code and new
	code=0 run=$1
	shift
	"$maestro" train --replay "$run" --json "$@" >"$dir/out" 2>"$dir/talk" || code=$?
	new=$(jq -r 'select(.event == "start") | .run' "$dir/out")
}
same() { [ "$(echo "$1" | cksum)" = "$(echo "$2" | cksum)" ]; }

repeat 1
check "a repeat says that it is one and exits 0 (exit $code)" grep -q 'run 1, repeated: the same model, byte for byte' "$dir/talk"
check "the repeat ends where the run did" same "$(show 1 | jq -c '[.status, .steps]')" "$(show "$new" | jq -c '[.status, .steps]')"
check "the model is the same, byte for byte" cmp "$dir/c.runs/1/model.safetensors" "$dir/c.runs/$new/model.safetensors"
check "the curves are the same" same "$(curves 1)" "$(curves "$new")"
check "the repeat has the same changes" same "$(changes 1)" "$(changes "$new")"
repeat "$new"
check "a repeat can be repeated" grep -q 'the same model, byte for byte' "$dir/talk"
repeat 1 --gamma .9
check "a repeat under another setting is refused (exit $code)" [ "$code" = 2 ]
exit $failed
