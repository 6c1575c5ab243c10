#!/bin/sh
# `maestro evaluate`: the contract's NDJSON, the same bytes for any number of threads, the same traffic for every policy, exit codes.
set -u
cd "$(dirname "$0")/../.."
maestro=${MAESTRO_TEST_BUILD:-build}/maestro
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export MAESTRO_DB=$dir/runs.db
check() { if eval "$2"; then echo "ok $1"; else echo "not ok $1"; fi; }

trace=engine/sim/traces/nasa95_jul_week.csv
play() { "$maestro" evaluate --trace $trace --span 2h --seeds 2 --startup 30s --json "$@" 2>>"$dir/err"; }
play --policy hpa --policy hpa-calibrated --policy static:4 --policy clairvoyant --threads 1 >"$dir/1"
play --policy hpa --policy hpa-calibrated --policy static:4 --policy clairvoyant --threads 3 >"$dir/3"
check "any number of threads gives the same bytes" 'cmp -s "$dir/1" "$dir/3"'
check "a line a policy, trace and seed with the contract's keys" \
	'[ "$(jq -c "select(.trace and (.versus|not)) | [.policy,.trace,.seed,.v_pct,.slo_violation_s,.slo_violation_soft_s,.slo_violation_frac,.pod_hours,.p95_ms_max,.scale_actions,.reversals,.reward,.steps] | select(all(. != null))" "$dir/1" | wc -l)" = 8 ]'
check "a summary a policy with interquartile mean and interval" \
	'[ "$(jq -c "select(.summary and .lambda==30) | .v_pct | select(.iqm >= .lo and .iqm <= .hi)" "$dir/1" | wc -l)" = 4 ]'
check "a paired line for each pair" \
	'[ "$(jq -c "select(.paired and .lambda==30) | [.versus,.policy,.v_change_at_equal_pod_hours.iqm,.pod_hours_ratio_at_equal_v.hi]" "$dir/1" | grep -vc null)" = 12 ]'
check "the clairvoyant halves the calibrated rule's violation at least" \
	'jq -es "map(select(.paired and .versus==\"hpa-calibrated\" and .policy==\"clairvoyant\")) | length == 2 and all(.v_change_at_equal_pod_hours.iqm < -.5)" "$dir/1" >/dev/null'
check "the calibrated rule says what tuning found" 'jq -re "select(.policy==\"hpa-calibrated\" and .seed==0) | .settings" "$dir/1" | grep -q "^cpu [0-9]* %, down window"'
check "a fixed number never changes after the first step" 'jq -es "map(select(.policy==\"static:4\" and .seed!=null)) | length == 2 and all(.scale_actions <= 1)" "$dir/1" >/dev/null'
check "nothing is said on stderr" '[ ! -s "$dir/err" ]'

play --policy static:4 --engine des >"$dir/des"
check "the request level agrees on pod-hours" \
	'jq -es "map(select(.policy==\"static:4\" and .seed==0).pod_hours) | (.[0]-.[1])|fabs < .01" "$dir/1" "$dir/des" >/dev/null'

play --policy static:8 --corner 1 >"$dir/corner"; cp "$dir/err" "$dir/corner.err"; : >"$dir/err"
check "a service of the corner that no training draws from is played, and named" \
	'[ "$(jq -c "select(.policy==\"static:8\" and .trace) | .v_pct" "$dir/corner" | wc -l)" = 2 ] && awk "/^corner 1: service_mean/ { exit !(\$4 + 0 >= .028 && \$6 + 0 >= 1.3) }" "$dir/corner.err"'
"$maestro" evaluate --corner 1 --stamp --trace $trace >/dev/null 2>"$dir/err"; status=$?
check "the corner is stamped into no model" '[ $status = 2 ] && grep -q -- "--corner" "$dir/err"'

"$maestro" evaluate --policy nobody --trace $trace >"$dir/out" 2>"$dir/err"; status=$?
check "an unknown policy is a usage error that names the known ones" '[ $status = 2 ] && grep -q hpa-calibrated "$dir/err" && [ ! -s "$dir/out" ]'
"$maestro" evaluate --policy hpa >/dev/null 2>"$dir/err"; status=$?
check "no traffic is a usage error" '[ $status = 2 ] && grep -q -- "--trace FILE" "$dir/err"'
"$maestro" evaluate --policy model:"$dir/none" --trace $trace >/dev/null 2>"$dir/err"; status=$?
check "a model that is not there is a bad model" '[ $status = 5 ]'

"$maestro" model convert --model tests/fixtures/sb3_ppo_seedlike.zip --out "$dir/m.safetensors" >/dev/null
play --policy hpa-calibrated --policy model:"$dir/m.safetensors" --stamp >"$dir/out"
check "a model of Stable-Baselines3 stands in the same table" '[ "$(jq -r "select(.seed==0 and .trace) | .policy" "$dir/out" | grep -c ^model)" = 1 ]'
check "the finding is written into the model's file" \
	'"$maestro" model inspect --model "$dir/m.safetensors" --json | jq -e ".evaluation | .chosen==\"hpa\" and .seeds==2 and (.traces|has(\"nasa95_jul_week\")) and (.table|length)==2" >/dev/null'
cp tests/fixtures/sb3_ppo_seedlike.zip "$dir/m.zip"
play --policy hpa-calibrated --policy model:"$dir/m.zip" --stamp >/dev/null; status=$?
check "a zip is not stamped and stays as it was" '[ $status = 2 ] && cmp -s "$dir/m.zip" tests/fixtures/sb3_ppo_seedlike.zip'

"$maestro" runs list --json | jq -s . >"$dir/runs"
id=$(jq -r "map(select(.kind==\"evaluate\" and .status==\"done\")) | last | .id" "$dir/runs")
check "an evaluation is a run of the store, with a row an episode and lambda" \
	'[ "$("$maestro" runs show $id --json | jq ".results | length")" = 16 ] && "$maestro" runs show $id | grep -q "hpa-calibrated"'
play --policy run:$id >/dev/null; status=$?
check "a run without a model is no policy" '[ $status = 1 ]'

play --policy static:4 --fail-if "pod_hours(static:4) > 1000" >/dev/null; status=$?
check "a gate that holds nothing passes" '[ $status = 0 ]'
play --policy static:4 --policy hpa --fail-if "pod_hours > pod_hours(hpa) * 1.01" >"$dir/out"; status=$?
check "a failed gate is exit 6, after the lines" '[ $status = 6 ] && grep -q summary "$dir/out"'
play --policy static:4 --fail-if "pods > 1" >/dev/null; status=$?
check "a gate on what is not measured is a usage error" '[ $status = 2 ]'

play_page() { "$maestro" evaluate --trace $trace --span 2h --seeds 2 --policy hpa-calibrated --policy hpa --policy default --policy choice "$@" 2>>"$dir/err"; }
play_page --rails --format markdown --out "$dir/page.md"; status=$?
check "a page has its picture beside it and says where it loses" \
	'[ $status = 0 ] && grep -q "(page.png)" "$dir/page.md" && grep -q "^## Where it loses" "$dir/page.md" && grep -q "\*\*hpa\*\*, lambda 30: more violation" "$dir/page.md" && [ "$(head -c 4 "$dir/page.png" | od -An -tx1 | tr -d " ")" = 89504e47 ]'
check "a page says how many settings each family had, what was chosen, and what rails do" \
	'grep -q "^| hpa-calibrated | 66 |" "$dir/page.md" && grep -q "^- nasa95_jul_week: " "$dir/page.md" && grep -q "| default | Cooldown |" "$dir/page.md"'
play_page --format png; status=$?
check "a picture needs a file" '[ $status = 2 ]'

play_page --json --format markdown --out "$dir/both.md" >"$dir/out"
check "lines on stdout and a page in a file, of one evaluation" \
	'[ "$(jq -r "select(.summary and .lambda==30) | .policy" "$dir/out" | wc -l)" = 4 ] && grep -q "^## Where it loses" "$dir/both.md"'

made() { "$maestro" evaluate --traffic onoff --traffic spike:every=20m --span 1h --seeds 1 --policy static:4 --policy hpa --json "$@" 2>>"$dir/err"; }
made >"$dir/1"
made --seed 2 >"$dir/2"
made >"$dir/3"
check "made-up traffic is a trace by its own words, the same for the same seed, another for another" \
	'cmp -s "$dir/1" "$dir/3" && ! cmp -s "$dir/1" "$dir/2" && [ "$(jq -r "select(.policy==\"hpa\" and .seed==0) | .trace" "$dir/1" | xargs)" = "onoff spike:every=20m" ]'
made --traffic stages >/dev/null; status=$?
check "users who wait are no traffic that two policies can share" '[ $status = 2 ] && tail -1 "$dir/err" | grep -q open=1'
made --traffic stages:open=1,5m:30,30m:30 >"$dir/out"; status=$?
check "stages of requests a second are" '[ $status = 0 ] && jq -es "map(select(.trace!=null and .seed==0)) | length == 6" "$dir/out" >/dev/null'
set --
while [ $# -lt 34 ]; do set -- "$@" --traffic noise; done
"$maestro" evaluate "$@" --policy hpa >/dev/null 2>"$dir/err"; status=$?
check "more kinds of traffic than there is room for are a usage error" '[ $status = 2 ] && grep -q "at most 16" "$dir/err"'
check "each trace of the folder is known by its name" \
	'for file in engine/sim/traces/*.csv; do
		"$maestro" evaluate --trace "$(basename "$file" .csv)" --policy static:3 --span 5m --seeds 1 --json 2>/dev/null | jq -es --arg name "$(basename "$file" .csv)" "any(.trace==\$name)" >/dev/null || echo "$file"
	done >"$dir/out"; [ ! -s "$dir/out" ]'

"$maestro" evaluate --traffic noise --span 1h --seeds 1 --policy hpa-calibrated --policy static --policy choice --json 2>"$dir/err" >"$dir/out"
check "a constant is not chosen, well as it suits the tuning part: run cannot act by it" \
	'[ "$(jq -c "select(.seed!=null and .policy==\"choice\") | .pod_hours" "$dir/out")" = "$(jq -c "select(.seed!=null and .policy==\"hpa-calibrated\") | .pod_hours" "$dir/out")" ]'

long=$dir/$(printf 'a%.0s' $(seq 100)).safetensors word=model:
cp engine/rl/default.safetensors "$long"
for i in 1 2 3 4 5 6 7 8 9 10; do word=$word$long,; done
"$maestro" evaluate --trace $trace --span 5m --seeds 1 --policy "$word" --json --format markdown --out "$dir/many.md" 2>"$dir/err" >"$dir/out"
check "a policy of many files is known by its whole word, and on a page by its folder and their number" \
	'grep -qF "| $(basename "$dir") (10 files) |" "$dir/many.md" && [ "$(jq -r "select(.summary and .lambda==30) | .policy" "$dir/out")" = "$word" ]'

play --policy hpa-calibrated --policy static:15 --policy choice >"$dir/out"
check "what cannot be had for the rule's pod-hours is not chosen, little as it violates" \
	'[ "$(jq -c "select(.seed!=null and .policy==\"choice\") | .pod_hours" "$dir/out")" = "$(jq -c "select(.seed!=null and .policy==\"hpa-calibrated\") | .pod_hours" "$dir/out")" ]'
