#!/bin/sh
# `maestro runs` over a store that build/tests/store_fill makes, as scripts use it.
set -u
build=${MAESTRO_TEST_BUILD:-build}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
db=$folder/maestro.db
bad=0

# claim NAME WANTED FOUND
claim() {
	if [ "$2" = "$3" ]; then echo "ok $1"; else echo "not ok $1: wanted <$2>, found <$3>"; bad=1; fi
}
runs() { "$build/maestro" runs "$@" --db "$db" 2>"$folder/talk"; }
status() { runs "$@" >/dev/null; echo $?; }
# json FILTER ARGUMENT...: what jq finds in the objects, strings bare
json() { filter=$1; shift; runs "$@" | jq -rc "$filter"; }

claim store_that_is_not_there_exits_1 1 "$(status list)"
claim store_that_is_not_there_is_named 1 "$(grep -c "$db" "$folder/talk")"
"$build/tests/store_fill" "$db" || exit 1
claim list_has_a_line_a_run_and_a_heading 4 "$(runs list | wc -l)"
claim list_shows_last_reward_and_best_eval "3072 30.75 41.50" "$(runs list | awk '$1 == 1 { print $(NF-3), $(NF-2), $(NF-1) }')"
claim list_says_crashed_of_a_dead_process crashed "$(json 'select(.id == 3).status' list --json)"
claim list_json_is_newest_first "3 2 1" "$(json .id list --json | xargs)"
claim list_json_has_null_for_unknown '[null,null]' "$(json 'select(.id == 3) | [.ep_rew_mean, .best_mean_reward]' list --json)"
claim show_json_is_one_line 1 "$(runs show 1 --json | wc -l)"
claim show_json_has_config_as_values '[64,64]' "$(json .config.net_arch show 1 --json)"
claim show_json_has_the_last_update '[3,3072,30.75,3.1]' "$(json '.last_update | [.update, .steps, .ep_rew_mean, .ep_len_mean]' show 1 --json)"
claim show_json_has_replica_lists '[1,2,3]' "$(json '.episodes[0].replicas' show 1 --json)"
claim show_json_has_evals_checkpoints_interventions '[41.5,true,"/tmp/last.mst","learning_rate"]' \
	"$(json '[.evals[0].mean_reward, .evals[0].best, .checkpoints[0].path, .interventions[0].what]' show 1 --json)"
claim show_json_has_decisions_and_audit '["Hold",null,3,"applied"]' \
	"$(json '[.decisions[0].state, .decisions[0].latency, .decisions[0].replicas, .audit[0].result]' show 2 --json)"
claim show_json_without_updates_says_null null "$(json .last_update show 2 --json)"
claim show_names_what_is_there "evals: 2" "$(runs show 1 | grep evals:)"
claim export_csv_has_the_names_of_sb3 "update,steps,time,ep_rew_mean,ep_len_mean,approx_kl" "$(runs export 1 --format csv | head -n 1 | cut -d, -f1-6)"
claim export_csv_leaves_unknown_empty "1,1024,,1.1" "$(runs export 1 | sed -n 2p | cut -d, -f1,2,4,5)"
claim export_csv_of_a_control_run_is_its_decisions Hold "$(runs export 2 | sed -n 2p | cut -d, -f6)"
claim export_json_has_all_updates 3 "$(json '.updates | length' export 1 --format json)"
claim unknown_run_exits_1 1 "$(status show 99)"
claim unknown_run_is_named "maestro: run 99: there is no such run; maestro runs list shows them" "$(runs show 99; cat "$folder/talk")"
claim missing_id_is_wrong_usage 2 "$(status show)"
claim word_for_an_id_is_wrong_usage 2 "$(status show first)"
claim unknown_verb_is_wrong_usage 2 "$(status lst)"
claim no_verb_is_wrong_usage 2 "$(status)"
claim unknown_format_is_wrong_usage 2 "$(status export 1 --format png)"
runs list --json | true
claim closed_pipe_leaves_no_trace "" "$(cat "$folder/talk")"
claim full_disk_is_told "1 maestro: standard output: No space left on device" "$(runs list >/dev/full; echo $? "$(cat "$folder/talk")")"
exit $bad
