#!/bin/sh
# What `maestro train` makes of schedules, trunks, masks and their misspellings: by the figures that it prints.
set -u
cd "$(dirname "$0")/../.."
program=$MAESTRO_TEST_BUILD/maestro
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
status=0
train() { # OPTIONS...: two updates of 64 steps; the last one's line
	"$program" train --preset seed --n-steps 64 --steps 128 --eval-every 0 --json --db "$folder/db" "$@" 2>"$folder/err"
}
claim() { # NAME FILTER OPTIONS...
	name=$1 filter=$2
	shift 2
	if train "$@" | jq -se "$filter" >/dev/null; then echo "ok $name"; else echo "not ok $name"; status=1; fi
}
refuse() { # NAME WORDS OPTIONS...
	name=$1 words=$2
	shift 2
	train "$@" >/dev/null
	if [ $? = 2 ] && grep -q -- "$words" "$folder/err"; then echo "ok $name"; else echo "not ok $name"; status=1; fi
}
updates='[.[] | select(.event == "update")]'
claim constant_rates_stay "$updates | .[0].learning_rate == 3e-4 and .[1].learning_rate == 3e-4 and .[1].clip_range == 0.2"
claim linear_rates_fall_to_zero "$updates | .[0].learning_rate == 1e-3 and .[0].clip_range == 0.05 and .[1].learning_rate == 0" \
	--learning-rate lin_2e-3 --clip-range lin_.1
claim trunks_apart_and_shared_layers_train 'last.event == "end"' --net-arch shared=8:pi=8,4:vf= --activation relu
claim masks_value_clipping_and_target_kl_train 'last.event == "end"' --use-masking --clip-range-vf lin_.2 --target-kl .01 \
	--norm-reward --norm-obs --no-normalize-advantage
refuse misspelt_schedule_is_usage 'learning-rate linear_1' --learning-rate linear_1
refuse clip_range_out_of_range_is_usage 'clip-range -1' --clip-range=-1
refuse misspelt_trunk_is_usage 'net-arch policy=8' --net-arch policy=8
refuse too_wide_is_usage 'net-arch 64,9999' --net-arch 64,9999
exit $status
