#!/bin/sh
# Who browses leaves no trace: the simulated target begins, and is a run of the store, where Live shows it. And :purge, on the screen.
set -eu
NAME=browse
. tests/fakes/tmux.sh

n_runs() { "$maestro" runs list --json --filter 'id>0 or is:trash' | wc -l; }
"$MAESTRO_TEST_BUILD/tests/store_fill" "$MAESTRO_DB"
before=$(n_runs)
for screen in live runs compare policy targets events; do
	"$maestro" --screen $screen >/dev/null 2>&1 </dev/null
done
check "printing screens leaves no run" [ "$(n_runs)" = "$before" ]

start() { tmux new-session -d -x 100 -y 30 "$maestro --glyphs ascii --speed 4 $*; sleep 600"; }
start --screen runs --traffic spike --fault pod-kill --seed 7
see 'Selected run'
tmux send-keys 7
see 'newest'
tmux send-keys 4
see 'nothing is marked'
tmux send-keys 5
see 'at the live point'
tmux send-keys 6
see 'default   sim'
check "browsing leaves no run" [ "$(n_runs)" = "$before" ]
tmux send-keys 1
see 'Last decisions'
see '^ *>[0-9:]* policy\|^| *>*[0-9:]* policy'
for _ in $(seq 50); do [ "$(n_runs)" = "$before" ] || break; sleep .1; done # the store's writer is another thread
check "Live is recorded" [ "$(n_runs)" = $((before + 1)) ]
tmux send-keys 3
see live-sim

# ---- a purge ----
tmux send-keys q
sleep .5
tmux kill-server
id=$("$maestro" runs list --json | jq -s 'map(select(.name == "live-sim"))[0].id')
check "the simulated target's run has its own settings" [ "$(show "$id" | jq -c '.config | [.policy, .traffic, .speed, .seed, ."interval-ms", .fault]')" = \
	'["hpa","spike",4,7,15000,["pod-kill"]]' ]
"$maestro" runs delete "$id"
start --screen runs
see 'Selected run'
tmux send-keys : 'purge all' Enter
see "$id live-sim"
see 'type trash'
tmux send-keys Tab Enter
see 'type trash'
check "a purge without its word does nothing" [ "$(n_runs)" = $((before + 1)) ]
tmux send-keys trash Tab Tab Enter
see '1 run purged'
check "a purge takes the run" [ "$(n_runs)" = "$before" ]
exit $failed
