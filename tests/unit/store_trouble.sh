#!/bin/sh
# The console over a store that takes nothing: locked by another process, on a full disk, or not to be made at all. Training goes on,
# keys are answered, what could not be stored is said, and what could wait is there afterwards.
set -eu
NAME=trouble
. tests/fakes/tmux.sh
tests=$(cd "$MAESTRO_TEST_BUILD" && pwd)/tests

console() { # COMMAND...: in a shell of its own
	NAME=$NAME+
	rm -f "$dir/exit"
	tmux new-session -d -x 120 -y 30 "$*; echo \$? >$dir/exit; sleep 60"
	see 'train -*[0-9]'
}
train() { # STORE: the words of a training
	echo "'$maestro' train --trace nasa95_jul_week --envs 8 --n-steps 256 --clone-steps 0 --eval-every 0 --threads 1 --steps 1000000000 --glyphs ascii --color never --db $1"
}
steps() { screen | grep -o '[0-9.]* [kMG]* *of 1.00 G steps'; }
goes_on() { # it trains, and a key is answered
	before=$(steps) i=0
	until [ -n "$(steps)" ] && [ "$(steps)" != "$before" ]; do i=$((i + 1)); [ $i -lt 100 ] || return 1; sleep .1; done
	tmux send-keys '?'
	see 'Help:'
	tmux send-keys Escape
	see 'of 1.00 G steps'
}
leave() {
	tmux send-keys q
	until_full "$dir/exit" "q ends the program"
	[ "$(cat "$dir/exit")" = 0 ]
}

# ---- another process holds the write lock ----
console "$(train "$MAESTRO_DB") 2>$dir/err"
"$tests/store_lock" "$MAESTRO_DB" >"$dir/locked" &
lock=$!
until_full "$dir/locked" "the store is locked"
check "a locked store stops neither training nor keys" goes_on
sleep 1
kill $lock
wait $lock 2>/dev/null || true
check "q leaves" leave
check "nothing that waited for the lock is lost" [ "$("$maestro" runs export 1 --format json | jq '(.updates | length) == .updates[-1].update')" = true ]

# ---- the disk is full ----
if unshare -Urm mount -t tmpfs none /mnt 2>/dev/null; then
	mkdir "$dir/disk"
	disk=$dir/disk
	console "unshare -Urm sh -c 'mount -t tmpfs -o size=3m none $disk; { while [ -d $dir ] && ! [ -e $dir/fill ]; do sleep .1; done; cat /dev/zero >$disk/ballast; } 2>/dev/null & exec \"\$@\"' - $(train "$disk/full.db") 2>$dir/err"
	touch "$dir/fill"
	see ' NOT STORED '
	check "a full disk stops neither training nor keys" goes_on
	tmux send-keys q
	until_full "$dir/exit" "q ends the program on a full disk"
	check "it ends" [ "$(cat "$dir/exit")" -lt 128 ]
else
	echo "skip a full disk: no file system of our own can be had"
fi

# ---- none can be made ----
: >"$dir/file"
NAME=$NAME+
rm -f "$dir/exit"
tmux new-session -d -x 120 -y 30 "'$maestro' --glyphs ascii --color never --speed 4 --db $dir/file/none.db 2>$dir/err; echo \$? >$dir/exit; sleep 60"
see 'Policy\(Keep\|Up\|Down\)'
tmux send-keys '?'
see 'Help:'
tmux send-keys Escape
check "q leaves a console without a store" leave
check "it had said that nothing is recorded" grep -q 'nothing is recorded' "$dir/err"
exit $failed
