#!/bin/bash
# The whole product against running parts: etcd, kube-apiserver, controller-manager, scheduler and kwok (fake pods that
# become Ready), a real Prometheus, target-app processes for the pods, `maestro load` as the users.
#   run.sh BUILD
# Prints `ok NAME`, `not ok NAME: why`, and a closing line. Where Kubernetes can be neither found nor built: `skip`, exit 0.
#   KEEP=1         leaves the working folder (logs, decisions, database) and says where
#   E2E_PORT       first of 20 ports on loopback (27000)
#   KUBE_CACHE     built Kubernetes programs (default $HOME/.cache/kube-test)
. "$(dirname "$0")/parts.sh"
load --rps 10 --duration 90 >"$work/load_steady.json" &
started+=($!)
"$maestro" train --headless --seed 1 --steps 300000 --trace engine/sim/traces/wc98_opening_week.csv --db "$work/maestro.db" \
	--out "$work/model.safetensors" >"$work/train.log" 2>&1 || bad model_trains "see $work/train.log"
model=model:$work/model.safetensors

check pods_are_scraped "not two targets up after 30 s" wait_for 30 all_served 2
check metrics_of_the_thesis_are_there "no rates after 30 s" wait_for 30 has_rate

# ---- one cycle ----

# Runs one cycle with the options given; leaves the line in $line, the exit status in $status, spec.replicas in $before, $after.
once() {
	before=$(replicas)
	line=$(run --once --json "$@" 2>"$work/once.err")
	status=$?
	after=$(replicas)
}
once_agrees() { # exit 0, what it says it applied is what the API has
	[ $status = 0 ] && [ "$(jq -r .replicas <<<"$line")" = "$before" ] && [ "$(jq -r .desired <<<"$line")" = "$after" ] &&
		[ "$(jq -r .applied <<<"$line")" = "$([ "$before" = "$after" ] && echo false || echo true)" ]
}
set_replicas 2
once --policy "$model" --force
check once_with_a_model_does_what_it_says "exit $status, $before -> $after, said: $line" once_agrees

again=$("$maestro" model predict --model "$work/model.safetensors" --observations <(jq -s . <<<"$line") | jq .action)
check decision_is_made_again_from_its_line "said: $line; predicted: $again" [ "$again" = "$(jq .action <<<"$line")" ]

once --policy "$model" # its header carries no evaluation
check model_without_evaluation_is_refused "exit $status, $before -> $after" [ "$status $after" = "3 $before" ]

# too many pods: the policy's limits move it, whatever it thinks
k scale deployment web --replicas=10 >/dev/null
wait_for 20 all_served 10
once --policy "$model" --force --dry-run
check dry_run_moves_nothing "exit $status, $before -> $after, said: $line" [ "$status $before $after" = "0 10 10" ]
check dry_run_says_what_it_would_do "said: $line" [ "$(jq -r '"\(.desired < 10) \(.applied) \(.state)"' <<<"$line")" = "true false Shadow" ]
once --policy "$model" --force
check once_moves_the_replicas "exit $status, $before -> $after, said: $line" once_agrees
check once_moved "stayed at $after" [ "$after" -lt 10 ]

once --policy "$model" --force --dry-run --kubeconfig "$KUBE_WORK/admin.kubeconfig"
check client_certificate_is_taken "exit $status: $(cat "$work/once.err")" [ "$status" = 0 ]

# ---- bad input never writes ----

set_replicas 10
refuses() { # name exit-status options...: nothing is written, and one line says why
	local name=$1 want=$2
	shift 2
	once --policy "$model" --force "$@"
	check "$name" "exit $status, $before -> $after: $(cat "$work/once.err")" \
		[ "$status $after $(grep -c '^maestro: ' "$work/once.err")" = "$want $before 1" ]
}
refuses wrong_credentials_are_exit_4 4 --kubeconfig "$work/wrong.kubeconfig"
refuses wrong_authority_is_exit_4 4 --kubeconfig "$work/stranger.kubeconfig"
check wrong_authority_is_named "$(cat "$work/once.err")" grep -q certificate "$work/once.err"
refuses unknown_deployment_is_exit_1 1 --deployment default/nosuch
refuses forbidden_namespace_is_exit_3 3 --deployment kube-system/web
sed "s/:$KUBE_PORT/:$((port + 19))/" "$work/account.kubeconfig" >"$work/nowhere.kubeconfig"
refuses api_down_is_exit_4 4 --kubeconfig "$work/nowhere.kubeconfig"
refuses prometheus_elsewhere_is_exit_4 4 --prometheus "http://127.0.0.1:$((port + 19))"
refuses not_a_prometheus_is_exit_4 4 --prometheus "http://127.0.0.1:$service_port"
kill "$prometheus_pid" && wait "$prometheus_pid" 2>/dev/null
refuses prometheus_stopped_is_exit_4 4
start_prometheus
wait_for 60 has_rate

# ---- the screen ----

set_replicas 4
"${tmux[@]}" new-session -d -x 120 -y 40 "exec env LC_ALL=C.UTF-8 TERM=screen-256color $maestro run --deployment default/web \
	--kubeconfig $work/account.kubeconfig --prometheus $prometheus_url --policy hpa --max-replicas 8 --db $work/live.db 2>$work/live.err"
screen() { "${tmux[@]}" capture-pane -p; }
on_screen() { screen | grep -q -- "$1"; }
check live_screen_shows_the_target "$(screen)" wait_for 20 on_screen 'default/web.*'
wait_for 20 on_screen 'ready 4'
"${tmux[@]}" send-keys o
wait_for 5 on_screen 'Override default/web'
"${tmux[@]}" send-keys 5
"${tmux[@]}" send-keys Enter # Apply has the focus now
check override_dialog_says_from_and_to "$(screen)" wait_for 5 on_screen '4 → 5 replicas'
"${tmux[@]}" send-keys Enter
check override_reaches_the_api "replicas $(replicas)" wait_for 10 [ "$(sleep 1; replicas)" = 5 ]
check override_shows_on_screen "$(screen)" wait_for 10 on_screen 'Manual.*5 by'
check override_reaches_the_pods "not 5 processes" wait_for 30 all_served 5
check override_desired_shows_on_screen "$(screen)" wait_for 20 on_screen 'ready 5.*desired 5'
stored() { "$maestro" runs show 1 --db "$work/live.db" --json; }
check override_is_an_intervention "$(stored | jq -c .interventions)" \
	[ "$(stored | jq -c '[.interventions[] | select(.what == "override") | [.from, (.to | split(" ")[0])]]')" = '[["4","5"]]' ]
check override_is_audited "$(stored | jq -c .audit)" \
	[ "$(stored | jq -c '[.audit[] | [.from, .to, .result]]')" = '[[4,5,"pending"],[4,5,"applied"]]' ]
"${tmux[@]}" send-keys q # a target held by hand: it asks, with the focus on Cancel
wait_for 5 on_screen 'Stop scaling and quit'
"${tmux[@]}" send-keys Tab Enter
gone() { ! "${tmux[@]}" has-session 2>/dev/null; }
check quit_asks_and_ends "$(screen)" wait_for 10 gone
check quit_is_recorded "$(stored | jq -c .status)" [ "$(stored | jq -r .status)" = stopped ]

# ---- the loop, closed ----

# By the shipped model: one that was trained for seconds on one smooth trace is put aside as out of its distribution by a rise from nothing.
# Load that one pod cannot carry: one serves 25 requests/s at most (10 ms of CPU each, a quarter core).
closed_loop() { # name seconds options...: decisions into $work/NAME.ndjson, and a line each to look at
	local name=$1 seconds=$2
	shift 2
	timeout "$seconds" "$maestro" run --deployment default/web --kubeconfig "$work/account.kubeconfig" --prometheus "$prometheus_url" \
		--max-replicas 5 --db "$work/maestro.db" --policy default --json "$@" >"$work/$name.ndjson" 2>"$work/$name.err"
	jq -r '[.time[11:19], .state, .replicas, (.rps // "?"), (.latency // "?"), .action, .desired, .applied, .reason] |
		map(if type == "number" then (. * 100 | round) / 100 else . end | tostring) | join("  ")' "$work/$name.ndjson"
}
rows() { jq -s "$2" "$work/$1.ndjson"; }
does_what_it_says() { # each write is what the next row finds
	[ "$(rows "$1" '[range(1; length) as $i | select(.[$i - 1].applied and .[$i - 1].desired != .[$i].replicas)] | length')" = 0 ]
}
set_replicas 1
load --rps 38 --duration 145 >"$work/load_high.json" &
started+=($!)
sleep 5
closed_loop up 140 --force --scale-down-window 0s
peak=$(rows up '[.[].replicas] | max') p95_worst=$(rows up '[.[].latency // 0] | max') p95_peak=$(rows up '[.[] | select(.rps > 20)][-1].latency')
check loop_scales_up_under_load "peak $peak" [ "$peak" -ge 3 ]
check loop_brings_p95_down "worst $p95_worst ms, at the end of the load $p95_peak ms" \
	[ "$(jq -n "$p95_peak < $p95_worst / 2")" = true ]
check loop_does_what_its_rows_say "see $work/up.ndjson" does_what_it_says up

# And as users get it, without --force: the shipped model's own evaluation says who acts on a service that nobody has fitted, the model or the
# calibrated rule. Whoever it is, without load the Deployment must come down to its minimum.
load --rps 3 --duration 240 >"$work/load_low.json" &
started+=($!)
closed_loop down 230
last=$(rows down '.[-1].replicas')
check loop_comes_down_to_its_minimum_without_load "from $peak to $last; $(tail -n 1 "$work/down.err")" [ "$last" = 1 ]
check loop_down_does_what_its_rows_say "see $work/down.ndjson" does_what_it_says down

close
