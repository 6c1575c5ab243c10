#!/bin/sh
# The terminal in the real console's hands: as it was before after each signal; right after two hundred resizes; no colour where NO_COLOR
# asks for none, no byte over 127 in ASCII, and no more colours than were asked for; a reader that goes away ends it.
set -eu
NAME=terminal
. tests/fakes/tmux.sh

console="$maestro --glyphs ascii --speed 4"
modes() { tmux display -p '#{alternate_on}#{cursor_flag}#{mouse_standard_flag}#{keypad_cursor_flag}'; }
wait_for() { i=0; until "$@"; do i=$((i + 1)); [ $i -lt 100 ] || return 1; sleep .1; done; }

# ---- each signal ----
tmux new-session -d -x 100 -y 30 "PS1='prompt# ' bash --norc --noprofile -i"
see prompt#
tmux send-keys "stty -a >$dir/before; echo what stood there" Enter
see '^what stood there'
plain=$(modes)
for signal in SEGV BUS FPE ILL ABRT QUIT TERM INT HUP; do
	tmux send-keys clear Enter
	tmux send-keys "echo before-$signal" Enter
	see "^before-$signal"
	rm -f "$dir/after" "$dir/pid"
	tmux send-keys "sh -c 'ulimit -c 0; echo \$\$ >$dir/pid; exec $console' 2>$dir/err; stty -a >$dir/after; echo over-$signal" Enter
	see 'Last decisions'
	kill -s $signal "$(cat "$dir/pid")"
	see "^over-$signal"
	check "$signal: the line discipline is as it was" cmp -s "$dir/before" "$dir/after"
	check "$signal: screen, cursor, mouse and keypad too" [ "$(modes)" = "$plain" ]
	check "$signal: what stood there stands there" sh -c "tmux -L maestro-$NAME-$$ capture-pane -p | grep -q '^before-$signal'"
	: >"$dir/pid"
done

# ---- resizes ----
tmux send-keys clear Enter
tmux send-keys "$console --color never" Enter
see 'Last decisions'
tmux send-keys f
see FROZEN
i=0
while [ $i -lt 100 ]; do
	tmux resize-window -x $((40 + i)) -y $((10 + i % 30))
	tmux resize-window -x $((200 - i)) -y $((60 - i % 40))
	i=$((i + 1))
done
tmux resize-window -x 100 -y 30
body() { screen | sed 1d; } # row 0 has the clock
quiet() { body >"$dir/one"; sleep .3; body | cmp -s - "$dir/one"; }
see FROZEN
wait_for quiet
body >"$dir/stormed"
tmux send-keys C-l
sleep .5
check "after 200 resizes the screen is what a redraw makes of it" sh -c "tmux -L maestro-$NAME-$$ capture-pane -p | sed 1d | cmp -s - $dir/stormed"
check "and is whole" grep -q 'q quit' "$dir/stormed"
tmux send-keys q
see 'prompt#$'

# ---- colour ----
looks() { # VARIABLES OPTIONS: what the console looks like, escapes and all
	tmux send-keys clear Enter
	tmux send-keys "env $1 $maestro --speed 4 $2" Enter
	see 'Last decisions'
	tmux capture-pane -p -e >"$dir/looks"
	tmux send-keys q
	see 'prompt#$'
}
coloured() { grep -q "$(printf '\033')\[[0-9;]*\(3[0-7]\|38\|48\|4[0-7]\|9[0-7]\)[;m]" "$dir/looks"; }
looks NO_COLOR=1 ''
check "NO_COLOR has no colour" sh -c "! grep -q '$(printf '\033')\[[0-9;]*[349][0-8][;m]' '$dir/looks'"
check "and looks all the same" grep -q "$(printf '\033')\[[0-9;]*[17][;m]" "$dir/looks"
looks TERM=screen-256color '--color 256'
check "256 colours have numbers" grep -q '38;5;\(74\|36\|246\)' "$dir/looks"
looks TERM=screen-256color '--color 16'
check "16 colours have none of 256" sh -c "! grep -q '38;5;' '$dir/looks'"
check "and are colours" coloured
looks TERM=screen-256color '--glyphs ascii'
check "ASCII has no byte over 127" sh -c "! LC_ALL=C grep -q '[^ -~$(printf '\033')]' '$dir/looks'"

# ---- a reader that goes away ----
"$maestro" --screen live --json 2>"$dir/err" </dev/null | head -c 1 >/dev/null
check "a closed pipe says no more than that" [ "$(wc -l <"$dir/err")" -le 1 ]
exit $failed
