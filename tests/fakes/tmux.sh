# Sourced by tests of the real console: a tmux of their own, what it shows, and the words that run.sh counts.
#   NAME=... . tests/fakes/tmux.sh      sets maestro, dir (removed at the end) and failed; the caller ends with `exit $failed`
maestro=$(cd "$MAESTRO_TEST_BUILD" && pwd)/maestro
dir=$(mktemp -d)
failed=0
export LC_ALL=C.UTF-8 MAESTRO_DB="$dir/c.db"
tmux() { command tmux -L "maestro-$NAME-$$" -f /dev/null "$@"; }
# a console that loses its terminal goes on headless: one that left its number in pid is ended by hand
trap '[ ! -s "$dir/pid" ] || kill -9 "$(cat "$dir/pid")" 2>/dev/null || true; tmux kill-server 2>/dev/null || true; rm -rf "$dir"' EXIT

check() { # NAME CONDITION...
	claim=$1; shift
	if "$@"; then echo "ok $claim"; else echo "not ok $claim"; echo "  $*"; failed=1; fi
}
screen() { tmux capture-pane -p; }
see() { # TEXT: waits until it is on the screen
	i=0
	until screen | grep -q -- "$1"; do
		i=$((i + 1))
		[ $i -lt 900 ] || { echo "not ok the screen shows \"$1\""; screen; exit 1; }
		sleep .1
	done
}
until_full() { # FILE WHAT: waits until there is something in it
	i=0
	until [ -s "$1" ]; do
		i=$((i + 1)); [ $i -lt 900 ] || { echo "not ok $2"; screen; exit 1; }
		sleep .1
	done
}
show() { "$maestro" runs show "$1" --json; }
