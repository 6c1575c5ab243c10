#!/bin/sh
# Ctrl-Z gives the shell its prompt back, started directly and under make; fg draws the same screen again.
set -eu
build=$(cd "$MAESTRO_TEST_BUILD" && pwd)
dir=$(mktemp -d)
export LC_ALL=C.UTF-8
tmux() { command tmux -L "maestro-suspend-$$-${name:-}" -f /dev/null "$@"; }
trap 'tmux kill-server 2>/dev/null || true; rm -rf "$dir"' EXIT
failed=0

body() { tmux capture-pane -p | sed 1d; } # row 0 has the clock
wait_for() { # TEXT
	i=0
	until tmux capture-pane -p | grep -q -- "$1"; do
		i=$((i + 1))
		[ $i -lt 300 ] || { echo "not ok the screen shows \"$1\""; tmux capture-pane -p; exit 1; }
		sleep .1
	done
}
same() { # waits for the screen of $1; a redraw may be under way
	i=0
	until body | cmp -s - "$1"; do i=$((i + 1)); [ $i -lt 50 ] || return 1; sleep .1; done
}

run="$build/maestro train --steps 1000000000 --glyphs ascii --color never --db $dir"
printf 'run:\n\t@%s/made.db\n' "$run" >"$dir/Makefile"
for start in "$run/direct.db" "make -f $dir/Makefile run"; do
	name=${start%% *} name=${name##*/}
	tmux new-session -d -x 100 -y 30 "PS1='prompt# ' bash --norc --noprofile -i"
	wait_for prompt#
	tmux send-keys "$start" Enter
	wait_for 'train [0-9]'
	tmux send-keys p
	wait_for Paused
	wait_for "pause training: paused" # its answer; the next key clears it
	tmux send-keys f
	wait_for FROZEN
	body >"$dir/before"
	tmux send-keys C-z
	wait_for Stopped
	tmux send-keys "echo alive-\$((40 + 2))" Enter
	wait_for alive-42
	tmux send-keys fg Enter
	wait_for FROZEN
	if same "$dir/before"; then echo "ok fg draws the screen again ($name)"
	else echo "not ok fg draws the screen again ($name)"; body | diff - "$dir/before" || true; failed=1; fi
	tmux send-keys q
	wait_for prompt#
	tmux kill-server
done
exit $failed
