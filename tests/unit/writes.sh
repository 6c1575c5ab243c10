#!/bin/sh
# What the console sends to a cluster: with --readonly nothing but GET, whatever is pressed; else no write before its audit row is on
# disk, and what a killed console left pending is settled at the next start.
set -eu
NAME=writes
. tests/fakes/tmux.sh
tests=$(cd "$MAESTRO_TEST_BUILD" && pwd)/tests
commands=$(sed -n 's/^	{ "\([a-z-]*\)", .* \([a-z_]*\) },$/\1/p' tui/palette.c | grep -v '^quit$') # which would end it
"$maestro" runs list >/dev/null 2>&1 || true
"$tests/fake_api" "$dir" "$MAESTRO_DB" 2>"$dir/api" &
api=$!
trap 'kill $api 2>/dev/null || true; [ ! -s "$dir/pid" ] || kill -9 "$(cat "$dir/pid")" 2>/dev/null || true; tmux kill-server 2>/dev/null || true; rm -rf "$dir"' EXIT
until_full "$dir/url" "the fake API starts"

console() { # OPTIONS...: prompts for exports write into its folder
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
check "the console asked the API all the while" [ "$(wc -l <"$dir/requests")" -gt 20 ]
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

cat "$dir/pid" >"$dir/kill"
set_to 2
until_full "$dir/exit" "the fake API kills the console within its write"
check "it was killed between row and answer" [ "$(cat "$dir/exit")" = 137 ]
"$maestro" runs list >/dev/null
check "the next start settles what was pending" [ "$(audit | jq -c '.[-2:]')" = \
	'[["set",3,2,"Manual","pending"],["set",3,2,"Manual","unknown: the process ended before the answer"]]' ] || audit
"$maestro" runs list >/dev/null
check "once" [ "$(audit | jq length)" = 4 ]
exit $failed
