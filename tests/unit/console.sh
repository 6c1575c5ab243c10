#!/bin/sh
# The real console in tmux at a fixed seed: every number that it shows is in the store; p freezes steps; o moves the simulated
# replicas, the next observation and a row in interventions; q gives the terminal back.
set -eu
NAME=console
. tests/fakes/tmux.sh

after() { screen | sed -n "s/$1 *\(-\{0,1\}[0-9.][0-9.]*\).*/@@\1/; s/.*@@//p" | head -n 1; } # the number behind a word's first place

tmux new-session -d -x 100 -y 30 "stty -a >$dir/before; sh -c 'echo \$\$ >$dir/pid; exec \"\$@\"' - '$maestro' train --trace engine/sim/traces/nasa95_jul_week.csv \
	--steps 1000000000 --seed 3 --glyphs ascii --color never --speed 4 2>$dir/err; echo \$? >$dir/exit; stty -a >$dir/after; sleep 60"

see 'Training\|Evaluating'
see 'train -*[0-9]'
check "arrows are told apart from the first key on" [ "$(tmux display -p '#{keypad_cursor_flag}')" = 1 ]
tmux send-keys p
see Paused
sleep 1.5
screen >"$dir/first"
sleep 1.5
screen >"$dir/second"
row() { grep -o '[0-9.]* [kMG]* *of 1.00 G steps' "$1"; }
check "p freezes the steps" [ "$(row "$dir/first")" = "$(row "$dir/second")" ]

stored=$(show 1)
one_decimal() { awk '{ printf "%.1f", $1 }'; }
of() { echo "$stored" | jq -r "$1"; }
reward=$(after '[-#] train') # small numbers are shown with more decimals
decimals=$(echo "$reward" | awk '{ n = index($1, "."); print n ? length($1) - n : 0 }')
check "the shown ep_rew_mean is stored" [ "$reward" = "$(of .last_update.ep_rew_mean | awk -v n="$decimals" '{ printf "%.*f", n, $1 }')" ]
length=$(screen | sed -n 's/.*[-#] train *[-0-9.]*.*[-#] train *\([0-9.]*\).*/\1/p')
check "the shown ep_len_mean is stored" [ "$length" = "$(of .last_update.ep_len_mean | one_decimal)" ]
check "the shown update is stored" [ "$(after 'Last update [^0-9]*')" = "$(of .last_update.update)" ]
mega=$(screen | sed -n 's/.* \([0-9.]*\) \([kM]\) of 1.00 G steps.*/\1 \2/p')
check "the shown steps are stored" [ "$mega" = "$(of '.last_update.steps' | awk '{ if ($1 >= 999500) printf "%.3g M", $1 / 1e6; else printf "%.3g k", $1 / 1e3 }' |
	awk '{ split($1, p, "."); n = length($1) - (index($1, ".") > 0); while (n++ < 3) { if (index($1, ".") == 0) $1 = $1 "."; $1 = $1 "0" } print $1, $2 }')" ]
check "the pause is an intervention" [ "$(of '[.interventions[].what] | index("pause") != null')" = true ]

tmux set -s set-clipboard on
tmux send-keys y
see 'copied the pane'
check "y copies the focused pane" sh -c "tmux -L maestro-console-$$ show-buffer | grep -q '^. train '"

tmux send-keys c
see 'checkpoint at'
check "c writes a checkpoint" [ -s "$dir/c.runs/1/last.ckpt" ]

tmux send-keys 1
see 'Last decisions'
see 'ready [0-9]'
tmux send-keys o
see Override
now=$(after 'replicas')
want=$((now < 15 ? now + 1 : now - 1)) # a simulator has no more than its most
tmux send-keys -l $want
see "change .* $want replicas"
tmux send-keys Enter Enter # to Apply, and Apply
see Manual
sleep 3
live=$(show 2)
check "o is a row in interventions" [ "$(echo "$live" | jq -r '.interventions[] | select(.what == "override") | .to | split(" ")[0]' | tail -n 1)" = "$want" ]
check "it says for how long and until when" sh -c "echo '$live' | jq -r '.interventions[] | select(.what == \"override\") | .to' | grep -q ' for 10 min simulated until 20..-..-..T..:..:'"
check "o is audited, pending before applied" [ "$(echo "$live" | jq -c '[.audit[].result]')" = '["pending","applied"]' ]
check "o changes the replicas of the next observation" [ "$(echo "$live" | jq '.decisions[-1].replicas')" = "$want" ]
check "the shown replicas are the stored ones" [ "$(after 'd desired')" = "$want" ]

tmux send-keys o
see 'Override'
tmux send-keys Enter # on Cancel
tmux send-keys -l ':resume'
tmux send-keys Enter Tab Enter
sleep 2
tmux send-keys 7
see 'in real time, not simulated'
see "override .* -> $want for 10 min simulated until [0-2].:..:..$\|override .* -> $want for 10 min simulated until [0-2].:..:.. "

tmux send-keys q
until_full "$dir/exit" "q ends the program"
until_full "$dir/after" "the shell goes on"
check "q exits 0" [ "$(cat "$dir/exit")" = 0 ]
check "the terminal is as it was" cmp "$dir/before" "$dir/after"
check "nothing was said on stderr" [ ! -s "$dir/err" ]
check "the run was stopped with a checkpoint" [ "$(show 1 | jq -r .status)" = stopped ]
exit $failed
