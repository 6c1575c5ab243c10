#!/bin/bash
# The console over `maestro train --env live` on real pods: it counts down to the next step, and what it shows is what the store has.
#   live_console.sh BUILD      three minutes; ports and what is skipped as in live.sh
. "$(dirname "$0")/live_parts.sh"
need_tools tmux
export LC_ALL=C.UTF-8
tmux=(tmux -L "maestro-live-$$" -f /dev/null)
finish() { "${tmux[@]}" kill-server 2>/dev/null; kill $prometheus_pid 2>/dev/null; }
command=("$maestro" train --env live --deployment default/web --kubeconfig "$account" --prometheus "$prometheus_url" --from default --steps 24
	--interval 3s --metric-window 15s --n-steps 8 --batch-size 8 --load-url "$service_url" --trace "$work/bursts.csv" --name on-screen
	--db "$work/maestro.db" --max-hours 1)
"${tmux[@]}" new-session -d -x 200 -y 60 "exec env TERM=screen-256color ${command[*]@Q} 2>$work/console.err"
screen() { "${tmux[@]}" capture-pane -p; }
on_screen() { screen | grep -q -- "$1"; }
noted() { [ -n "$(k get deployment web -o 'jsonpath={.metadata.annotations.maestro\.io/training-replicas}')" ]; }

check console_shows_a_live_run "$(screen)" wait_for 60 on_screen 'on-screen *run [0-9]* .*step [0-9] of 8, next in [0-3] s.*on bursts'
run=$(screen | sed -n 's/.*on-screen *run \([0-9]*\) .*/\1/p')
counts_down() { # three unlike texts of it within an interval or two
	[ "$(for _ in 1 2 3 4 5 6 7 8; do screen | grep -o 'step [0-9] of 8, next in [0-9]* s'; sleep .5; done | sort -u | wc -l)" -ge 3 ]
}
check console_counts_to_the_next_step "$(screen | head -n 2)" wait_for 30 counts_down
check console_shows_the_end "$(screen)" wait_for 150 on_screen '100 % .*24 of 24 steps'
screen >"$work/screen"
figure() { grep -o "$1 *-\?[0-9.e+-]*" "$work/screen" | head -n 1 | awk '{print $NF}'; } # of the panel
last_of() { "$maestro" runs export "$run" --format csv --db "$work/maestro.db" 2>/dev/null | awk -F, -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i } END { print $c[name] }'; }
alike() { awk -v a="$(figure "$1")" -v b="$(last_of "$2")" 'BEGIN { d = a - b; m = b < 0 ? -b : b; exit !(a != "" && b != "" && d * d <= (.03 * m + 1e-6) ^ 2) }'; }
for pair in 'value loss:value_loss' 'approx KL:approx_kl' 'entropy:entropy_loss'; do
	check "console_and_store_agree_on_${pair#*:}" "$(figure "${pair%:*}"), stored $(last_of "${pair#*:}")" alike "${pair%:*}" "${pair#*:}"
done
"${tmux[@]}" send-keys q
gone() { ! "${tmux[@]}" has-session 2>/dev/null; }
sleep 2; gone || { screen | tail -n 15; "${tmux[@]}" send-keys Tab Enter; }
check console_ends_by_q "$(screen)" wait_for 30 gone
check its_replicas_are_back "$(replicas); $(tail -n 3 "$work/console.err")" wait_for 30 eval '[ "$(replicas)" = 2 ] && ! noted'

close
