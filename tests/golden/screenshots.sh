#!/bin/sh
# PNGs of the console, from the real program in a real terminal (xterm under Xvfb), into screenshots/.
#   screenshots.sh BUILD
# Each size is one training run in tmux inside an xterm; keys go through tmux, pictures through ImageMagick.
set -eu
cd "$(dirname "$0")/../.."
build=$1
trace=engine/sim/traces/nasa95_jul_week.csv
scratch=$(mktemp -d)
socket=maestro-shot-$$
xvfb='' xterm=''
finish() {
	tmux -L "$socket" kill-server 2>/dev/null || true
	[ -z "$xterm" ] || kill "$xterm" 2>/dev/null || true
	[ -z "$xvfb" ] || kill "$xvfb" 2>/dev/null || true
	rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT TERM
export LC_ALL=C.UTF-8 TZ=UTC
mkdir -p screenshots

Xvfb -displayfd 3 -screen 0 2200x1400x24 3>"$scratch/display" >/dev/null 2>&1 &
xvfb=$!
for i in 1 2 3 4 5 6 7 8 9 10; do [ -s "$scratch/display" ] && break; sleep .3; done
DISPLAY=:$(cat "$scratch/display")
export DISPLAY

# keys KEY...: presses them, leaving time for a frame after each
keys() { for key in "$@"; do tmux -L "$socket" send-keys "$key"; sleep .4; done; }
# shot NAME: the xterm's window as screenshots/NAME.png
shot() {
	sleep 1
	window=$(xwininfo -root -children | awk '/\("xterm"|\("tmux"|XTerm/ { print $1; exit }')
	import -window "$window" "screenshots/$1.png"
	echo "screenshots/$1.png"
}

# a store with something in it
for seed in 1 2 3; do
	"$build/maestro" train --headless --db "$scratch/runs.db" --steps 163840 --eval-every 16384 --seed $seed --name "web-seed$seed" \
		--trace $trace >"$scratch/log" 2>&1 </dev/null || { tail -n 5 "$scratch/log" >&2; exit 1; }
done

for size in 80x24 100x30 200x60; do
	tmux -L "$socket" -f /dev/null set -g default-terminal tmux-256color \; set -g status off \; set -s escape-time 0 \; \
		new-session -d -x "${size%x*}" -y "${size#*x}" \
		"$build/maestro train --preset default --trace $trace --steps 1000000 --eval-every 81920 --name first-run --db $scratch/runs.db"
	xterm -tn xterm-256color -fa 'DejaVu Sans Mono' -fs 11 -bg '#101418' -fg '#d8dee9' -b 6 +sb -geometry "$size+0+0" \
		-e tmux -L "$socket" attach >/dev/null 2>&1 &
	xterm=$!
	i=0 # however fast the machine is: curves, and an evaluation
	until tmux -L "$socket" capture-pane -p | grep -q ' \([2-9][0-9]\|1[6-9]\) %  *[0-9.]* k of' || [ $i -ge 240 ]; do i=$((i + 1)); sleep .5; done
	keys 2; shot "train-$size"
	keys x; shot "chaos-$size"; keys Escape
	sleep 20
	keys 1; shot "live-$size"
	keys o 5; shot "override-$size"
	keys Escape 3; shot "runs-$size"
	keys / w e b Enter "*" =; sleep 1; shot "compare-$size" # the three seeds as one, beside the HPA rule
	keys r; sleep 4; shot "replay-$size"; keys Escape
	keys 5; sleep 2; shot "policy-$size"
	keys 6; shot "targets-$size"
	keys 7; shot "events-$size"
	keys q
	tmux -L "$socket" kill-server 2>/dev/null || true
	wait "$xterm" 2>/dev/null || true
	xterm=''
done
