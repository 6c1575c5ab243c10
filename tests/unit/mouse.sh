#!/bin/sh
# The mouse of the real console in tmux: clicks, wheel and right button as a terminal reports them; asked for at the start and
# given back at the end, at Ctrl-Z and at a crash; not asked for with --no-mouse.
set -eu
NAME=mouse
. tests/fakes/tmux.sh

ENDS='M m'
modes() { tmux display -p '#{mouse_standard_flag}#{mouse_sgr_flag}'; }
# press BUTTON COLUMN ROW, from 1 as terminals count: a press and its release
press() {
	for end in $ENDS; do
		tmux send-keys -H $(printf '\033[<%d;%d;%d%s' "$1" "$2" "$3" $end | od -An -tx1)
	done
}
column() { screen | sed -n "$(row "$1")p" | awk -v t="$1" '{ print index($0, t) }'; }
row() { screen | grep -n -- "$1" | head -n 1 | cut -d: -f1; }
click() { press 0 "$(column "$1")" "$(row "$1")"; } # on a text
is_off() { i=0; until [ "$(modes)" = 00 ]; do i=$((i + 1)); [ $i -lt 50 ] || return 1; sleep .1; done; }

"$MAESTRO_TEST_BUILD/tests/store_fill" "$MAESTRO_DB"
console="$maestro --glyphs ascii --color never --speed 10"
tmux new-session -d -x 100 -y 30 "PS1='prompt# ' bash --norc --noprofile -i"
see prompt#
tmux send-keys "$console" Enter
see 'Last decisions'
see ' of [1-9][0-9][0-9]* cycles' # enough of a past to look at
check "presses are asked for, in SGR form" [ "$(modes)" = 11 ]

press 2 30 5
see ' PAST '
check "the right button moves a graph's cursor into the past" true
tmux send-keys Escape
click '3 4 5' # in the row of keys
see ' Runs  '
check "a click on a screen's number shows it" true
click 'name  '
see 'sort name'
click 'name  '
see 'sort name up'
check "a click on a heading sorts, and again the other way round" true
first=$(screen | grep -n '^| > ' | cut -d: -f1)
press 0 20 $((first + 1))
see '2 of '
check "a click selects a row" [ "$(screen | grep -n '^| > ' | cut -d: -f1)" = $((first + 1)) ]
press 64 20 $first
see '1 of '
check "the wheel moves the selection" true
click 'note'
see '^note'
check "a click on a word of the row of keys presses it" true
tmux send-keys Escape
see '? help'
click '? help'
see 'type to search'
tmux send-keys Escape

tmux send-keys C-z
see Stopped
check "Ctrl-Z gives the mouse back" is_off
tmux send-keys fg Enter
see ' Runs  '
check "fg asks for it again" [ "$(modes)" = 11 ]
ENDS=M click 'q quit' # a terminal reports no release once it is not asked to
see 'prompt#$'
check "a click on quit quits, and gives the mouse back" is_off

tmux send-keys "sh -c 'echo \$\$ >$dir/pid; exec $console'" Enter
see 'Last decisions'
kill -SEGV "$(cat "$dir/pid")"
see 'maestro: crashed'
check "a crash gives the mouse back" is_off
: >"$dir/pid"
for off in "$console --no-mouse" "env MAESTRO_MOUSE=off $console"; do
	tmux send-keys clear Enter
	tmux send-keys "$off" Enter
	see 'Last decisions'
	check "not asked for with ${off##* -}" [ "$(modes)" = 00 ]
	tmux send-keys q
	see 'prompt#$'
done
exit $failed
