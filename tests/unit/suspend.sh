#!/bin/sh
# Ctrl-Z gives the shell its prompt back, started directly and under make; fg draws the same screen again.
set -eu
NAME=suspend
. tests/fakes/tmux.sh

body() { screen | sed 1d; } # row 0 has the clock
same() { # waits for the screen of $1; a redraw may be under way
	i=0
	until body | cmp -s - "$1"; do i=$((i + 1)); [ $i -lt 50 ] || return 1; sleep .1; done
}

run="$maestro train --steps 1000000000 --glyphs ascii --color never --db $dir"
printf 'run:\n\t@%s/made.db\n' "$run" >"$dir/Makefile"
for start in "$run/direct.db" "make -f $dir/Makefile run"; do
	NAME=suspend-${start%% *} NAME=${NAME##*/}
	tmux new-session -d -x 100 -y 30 "PS1='prompt# ' bash --norc --noprofile -i"
	see prompt#
	tmux send-keys "$start" Enter
	see 'train [0-9]'
	tmux send-keys p
	see Paused
	see "pause training: paused" # its answer; the next key clears it
	tmux send-keys f
	see FROZEN
	body >"$dir/before"
	tmux send-keys C-z
	see Stopped
	tmux send-keys "echo alive-\$((40 + 2))" Enter
	see alive-42
	tmux send-keys fg Enter
	see FROZEN
	if same "$dir/before"; then echo "ok fg draws the screen again ($NAME)"
	else echo "not ok fg draws the screen again ($NAME)"; body | diff - "$dir/before" || true; failed=1; fi
	tmux send-keys q
	see prompt#
	tmux kill-server
done
exit $failed
