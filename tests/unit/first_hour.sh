#!/bin/sh
# The first hour of somebody who has never seen it: trains, compares two runs, holds a Deployment at 8 for 30 minutes. Each key is
# first looked up in `?` by a word that such a person would type.
set -eu
NAME=hour
. tests/fakes/tmux.sh

look_up() { # WORD KEY: help finds the key by the word
	tmux send-keys '?'
	see 'type to search'
	tmux send-keys -l -- "$1"
	see "with \"$1\""
	check "? finds $2 by \"$1\"" sh -c 'echo "$1" | grep -q "^.*| $2  "' - "$(screen)" "$2"
	tmux send-keys Escape
	until ! screen | grep -q 'Help:'; do sleep .1; done
}

readme=$(cat README.md)
check "the README names the first command" sh -c 'echo "$1" | grep -q "maestro train --trace"' - "$readme"
tmux new-session -d -x 80 -y 24 "'$maestro' train --trace nasa95_jul_week --envs 16 --n-steps 32 --clone-steps 5000 --steps 20000 \
	--eval-every 10000 --eval-episodes 2 --name first --glyphs ascii --color never --threads 1 2>$dir/err; sleep 60"
see ' Done '
see 'b new training'

look_up compare 4
look_up 'new training' F
tmux send-keys 3
see 'first .*done'
tmux send-keys F
see 'maestro train --from 1 --name first-fork'
tmux send-keys -l -- '--steps 30000 --learning-rate 5e-4'
tmux send-keys Enter
see 'first-fork'
see ' Done '

look_up 'mark the row' Space
look_up 'mark all' '*'
look_up 'side by side' =
tmux send-keys 3
see 'first-fork .*done'
tmux send-keys '*' # the simulated targets' runs too: they are left out
see '4 marked'
tmux send-keys =
see 'Compare   A first-fork'
see 'A better than'
see 'learning-rate .*5e-4 .*lin_'
check "what differs is shown" sh -c 'echo "$1" | grep -q "^| from  *1@"' - "$(screen)"

look_up 'on one trace' r
tmux send-keys r
see 'Replay in figures'
see '^| A - H  viol'
tmux send-keys Escape
see 'A better than'

look_up hold o
tmux send-keys 1
see 'Last decisions'
see 'PolicyKeep\|PolicyUp\|PolicyDown'
tmux send-keys o
see '0..9 replicas'
tmux send-keys 8 Tab
see 'hold for   10m<'
tmux send-keys 30m
see 'hold for   30m<'
tmux send-keys Enter Enter
see '\[ Apply \]'
tmux send-keys Enter
see '8, held for 30 min'
see 'Manual'
see '8 by .*, \(30\|29\) m'
run=$("$maestro" runs list --json | jq -r 'select(.kind == "control" and .status == "running") | .id')
audit() { "$maestro" runs show "$run" --json | jq -c '[.audit[] | .to, .result]'; }
i=0
until [ "$(audit)" = '[8,"pending",8,"applied"]' ] || [ $i -gt 50 ]; do i=$((i + 1)); sleep .1; done # the store takes a moment
check "the simulated target's run has its own settings, not the training's" \
	[ "$(show "$run" | jq -c '.config | [.policy, ."scale-down-window", has("steps"), has("learning-rate")]')" = '["in training",0,false,false]' ]
check "the hold is audited" [ "$(audit)" = '[8,"pending",8,"applied"]' ]
tmux send-keys q
see 'maestro runs show'
check "what is printed at the end names the store" sh -c 'echo "$1" | grep -q "maestro runs show 3 --db $2 prints it"' - "$(tmux capture-pane -p -J)" "$MAESTRO_DB"
exit $failed
