#!/bin/sh
# `make report`'s script: a page with its picture, and an index that holds each measured line against what was asked.
set -u
cd "$(dirname "$0")/../.."
maestro=$PWD/${MAESTRO_TEST_BUILD:-build}/maestro
case ${MAESTRO_TEST_BUILD:-} in /*) maestro=$MAESTRO_TEST_BUILD/maestro ;; esac
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
check() { if eval "$2"; then echo "ok $1"; else echo "not ok $1"; fi; }

PAGES=startup-10s TRACES="nasa95_jul_week nasa95_jul13_launch_5s" engine/cmd/gen/report.sh "$maestro" "$dir/r" 0 --engine fluid --span 10m >"$dir/out" 2>"$dir/err"; status=$?
check "a page, its picture and the index are written and named" \
	'[ $status = 0 ] && [ "$(xargs <"$dir/out")" = "$dir/r/startup-10s.md $dir/r/index.md" ] && [ -s "$dir/r/startup-10s.png" ] && [ ! -s "$dir/err" ]'
check "the index says what was asked, what was measured with its interval, and whether that is met" \
	'grep -Eq "^\| all traces, start 10s \| not worse \| [+-]?[0-9.]+ % \[.*over seeds, \[.*over traces too; worst trace .* \| (met|\*\*not met\*\*) \|$" "$dir/r/index.md"'
iqm=$(jq -r 'select(.paired and .versus=="hpa-calibrated" and .policy=="default" and .lambda==30) | .v_change_at_equal_pod_hours.iqm * 1000 | round / 10' \
	"$dir/r/startup-10s.ndjson")
check "the figure is the evaluation's own" 'grep -Fq -e "not worse | $iqm %" -e "not worse | +$iqm %" "$dir/r/index.md"'
check "nothing is said of pages that were not made" '! grep -q "never seen\|start 90s\|chaos-" "$dir/r/index.md"'
