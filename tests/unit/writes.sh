#!/bin/sh
# What the console sends to a cluster: with --readonly nothing but GET, whatever is pressed; else no write before its audit row is on
# disk, and what a killed console left pending is settled at the next start.
set -eu
NAME=writes
. tests/fakes/tmux.sh
tests=$(cd "$MAESTRO_TEST_BUILD" && pwd)/tests
commands=$("$maestro" keys --commands --json | jq -r .name | grep -v '^quit$') # which would end it
[ "$(echo "$commands" | wc -l)" -gt 20 ] || exit 1
"$maestro" runs list >/dev/null 2>&1 || true
"$tests/fake_api" "$dir" "$MAESTRO_DB" 2>"$dir/api" &
api=$!
trap 'kill $api 2>/dev/null || true; [ ! -s "$dir/pid" ] || kill -9 "$(cat "$dir/pid")" 2>/dev/null || true; tmux kill-server 2>/dev/null || true; rm -rf "$dir"' EXIT
until_full "$dir/url" "the fake API starts"

console() { # OPTIONS...: prompts for exports write into its folder
	NAME=$NAME+ # a server that was told to end may still be there
	rm -f "$dir/exit"
	tmux new-session -d -x 100 -y 30 -c "$dir" "cd $dir; sh -c 'echo \$\$ >$dir/pid; exec \"\$@\"' - '$maestro' run --deployment shop/web \
		--kubeconfig $dir/kubeconfig --prometheus $(cat "$dir/url") --policy hpa --interval 1s --glyphs ascii --color never $* 2>$dir/err; echo \$? >$dir/exit; sleep 60"
	see 'Last decisions'
	see 'PolicyKeep\|DryRun\|Warming'
}
other_than_get() { grep -v '^GET ' "$dir/requests"; }
no_write() { ! other_than_get; }

# ---- read-only ----
console --readonly
see ' RO '
check "the palette's commands are known" [ "$(echo "$commands" | wc -l)" -gt 8 ]
keys=$(awk 'BEGIN { for (c = 33; c < 127; c++) if (c != 59) printf "%c ", c }' | tr -d q) # q leaves
for screen in 1 2 3 4 5 6 7; do
	tmux send-keys $screen
	for key in $keys Tab BTab Enter Space Up Down Left Right PPage NPage Home End BSpace C-a C-l C-r C-x; do
		# what opens is gone through, answered and left
		set -- "$@" "$key" 3 Tab Enter Tab Enter Escape Escape
	done
	tmux send-keys "$@"
	set --
done
for command in $commands; do
	set -- "$@" Escape : "$command" Space 8m Space 3 Enter Enter Tab Enter Enter Escape Escape
done
tmux send-keys "$@" Escape Escape 1
see 'Last decisions'
check "all keys and commands were taken" [ ! -e "$dir/exit" ]
check "read-only, only GET arrives" no_write
check "the console asked the API all the while" [ "$(wc -l <"$dir/requests")" -gt 5 ]
tmux send-keys o
see 'read-only\|Last decisions'
tmux send-keys q
until_full "$dir/exit" "q leaves"
tmux kill-server

# ---- audit before the write ----
run() { "$maestro" runs list --json | jq -r 'select(.kind == "control") | .id' | sort -n | tail -n 1; }
audit() { show "$(run)" | jq -c '[.audit[] | [.what, .from, .to, .state_before, .result]]'; }
set_to() { # REPLICAS
	tmux send-keys o
	see Override
	tmux send-keys -l "$1"
	see "change .* $1 replicas"
	tmux send-keys Enter Enter # to Apply, and Apply
}
console
see 'PolicyKeep'
set_to 3
see Manual
check "the write found its audit row on disk" [ "$(other_than_get | grep -c '^PUT .*/scale 1$')" = 1 ]
i=0
until [ "$(audit)" = '[["set",2,3,"Active","pending"],["set",2,3,"Active","applied"]]' ] || [ $i = 50 ]; do i=$((i + 1)); sleep .1; done
check "both rows say what, from where, to where and in which state" [ $i -lt 50 ] || audit

# ---- the shell writes the same rows ----
row() { # WHAT: its newest answered row, without when; waits until both sides have theirs
	i=0
	until [ "$(show "$(run)" | jq "[.audit[] | select(.what == \"$1\" and .result == \"applied\")] | length")" -ge "$2" ] || [ $i = 50 ]; do i=$((i + 1)); sleep .1; done
	show "$(run)" | jq -c "[.audit[] | select(.what == \"$1\" and .result == \"applied\") | del(.time, .command)][$2 - 1]"
}
override() { "$maestro" override "$@" --kubeconfig "$dir/kubeconfig" --yes >/dev/null; }
same_rows() { # WHAT: the first is the screen's, the second the shell's
	check "$1: the screen and the shell write the same row" [ "$(row "$1" 1)" = "$(row "$1" 2)" ] || { row "$1" 1; row "$1" 2; }
}
active() { see 'Policy\(Keep\|Up\|Down\)'; until screen | head -n 1 | grep -q '^ Active'; do sleep .1; done; sleep 2; } # the store has it too
resume() {
	tmux send-keys : resume Enter
	see '\[resume\]'
	tmux send-keys Tab Enter
	active
}
resume
set_to 3 # is what it is
see Manual
resume
override hold web
same_rows hold
tmux send-keys p
see '\[ Pause \]'
tmux send-keys Tab Enter
see ' Paused '
resume
override pause web
same_rows pause
override resume shop/web
check "resume: the screen and the shell write the same row but for the state" [ "$(row resume 1 | jq -c 'del(.state_before)')" = "$(row resume 4 | jq -c 'del(.state_before)')" ]

cat "$dir/pid" >"$dir/kill"
set_to 2
until_full "$dir/exit" "the fake API kills the console within its write"
check "it was killed between row and answer" [ "$(cat "$dir/exit")" = 137 ]
"$maestro" runs list >/dev/null
check "the next start settles what was pending" [ "$(audit | jq -c '.[-2:]')" = \
	'[["set",3,2,"Active","pending"],["set",3,2,"Active","unknown: the process ended before the answer"]]' ] || audit
"$maestro" runs list >/dev/null
check "once" [ "$(audit | grep -o 'unknown:' | wc -l)" = 1 ]
exit $failed
