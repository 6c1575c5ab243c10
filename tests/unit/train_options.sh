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
refuse a_model_of_another_observation_is_named 'from default sees trend of [0-9]*, and this training seed of 1; --observation trend --stack' \
	--from default --observation seed
# more words than a child of --seeds takes are refused, not dropped
# shellcheck disable=SC2046
refuse more_words_than_fit_are_refused 'at most 1024 words' --seeds 2 $(printf -- '--norm-obs%.0s ' $(seq 1100))

# ---- tune: what a search cannot have, and what it leaves alone ----

tune() { "$program" tune --preset seed --latency-soft 250 --latency-hard 500 --steps 900 --eval-episodes 1 --n-steps 32 --batch-size 32 --db "$folder/tune.db" "$@" 2>"$folder/err"; }
refuse_tune() { # NAME WORDS OPTIONS...
	name=$1 words=$2
	shift 2
	tune "$@" >/dev/null
	if [ $? = 2 ] && grep -q -- "$words" "$folder/err"; then echo "ok $name"; else echo "not ok $name"; status=1; fi
}
refuse_tune tune_is_not_for_one_live_service 'tune: --env live: candidates side by side' --env live --deployment a/b
refuse_tune tune_goes_on_with_nothing 'tune: --resume and --replay' --resume 1
refuse_tune tune_names_its_best_itself 'tune: --out' --out "$folder/x"
refuse_tune tune_wants_something_to_choose 'nothing to choose from' --learning-rate 1e-3 --gamma .9 --ent-coef 0 --gae-lambda .9 --clip-range .2
if MAESTRO_GAMMA=.9 tune --clip-range=.1 --json | jq -se 'length == 13 and all(.[]; has("gamma") or has("clip-range") or has("n-steps") | not) and
	([.[]["learning-rate"]] | unique | length) > 1' >/dev/null && grep -q 'round 3 of 3, 900 steps: 1 of 1 done' "$folder/err"; then
	echo "ok tune_leaves_alone_what_is_given"
else
	echo "not ok tune_leaves_alone_what_is_given"; status=1
fi
refuse more_traces_than_there_is_room_for_are_usage 'trace is given 33 times' $(yes -- '--trace=nasa95_jul_week' | head -33)
exit $status
