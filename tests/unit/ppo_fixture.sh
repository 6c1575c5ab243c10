#!/bin/sh
# One PPO update a case of tests/fixtures/ppo_update.json, which Stable-Baselines3 made; and what is no case is refused.
set -u
cd "$(dirname "$0")/../.."
program=$MAESTRO_TEST_BUILD/tests/ppo_fixture
status=0
check() { # NAME WANTED-STATUS FILE
	"$program" "$3" >/dev/null 2>&1
	got=$?
	if [ $got = "$2" ]; then echo "ok $1"; else echo "not ok $1 (exit $got, not $2)"; status=1; fi
}
wrong=$(mktemp)
trap 'rm -f "$wrong"' EXIT
check ppo_update_agrees_with_stable_baselines 0 tests/fixtures/ppo_update.json
more=tests/fixtures/ppo_update_more.json
check ppo_update_agrees_for_other_sizes_masks_value_clipping_and_target_kl 0 $more
sed 's/"clip_range_vf":0.05/"clip_range_vf":null/' $more > "$wrong"
check ppo_fixture_sees_unclipped_values 1 "$wrong"
sed 's/"target_kl":0.01/"target_kl":0.5/' $more > "$wrong"
check ppo_fixture_sees_another_target_kl 5 "$wrong"
sed 's/"mask":\[\[false/"mask":[[true/' $more > "$wrong"
check ppo_fixture_sees_another_mask 1 "$wrong"
sed 's/"clip_range": *0.2,/"clip_range":0.25,/g' tests/fixtures/ppo_update.json > "$wrong"
check ppo_fixture_sees_another_clip_range 1 "$wrong"
head -c 5000 tests/fixtures/ppo_update.json > "$wrong"
check ppo_fixture_refuses_half_a_file 5 "$wrong"
echo '{"cases":[]}' > "$wrong"
check ppo_fixture_refuses_no_cases 5 "$wrong"
check ppo_fixture_refuses_no_file 5 "$wrong.none"
exit $status
