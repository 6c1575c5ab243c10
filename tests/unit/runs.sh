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
claim unknown_run_is_named "maestro: run 99: there is no such run; maestro runs list --db $(realpath "$db") shows them" "$(runs show 99; cat "$folder/talk")"
claim missing_id_is_wrong_usage 2 "$(status show)"
claim word_for_an_id_is_wrong_usage 2 "$(status show first)"
claim unknown_verb_is_wrong_usage 2 "$(status lst)"
claim no_verb_is_wrong_usage 2 "$(status)"
claim unknown_format_is_wrong_usage 2 "$(status export 1 --format png)"
claim sort_by_nothing_known_is_wrong_usage 2 "$(status list --sort size)"
claim filter_picks 1 "$(json .id list --json --filter 'eval>40' | xargs)"
claim bad_filter_is_told_where "maestro: filter, column 6: a number is wanted" "$(runs list --filter 'kind:train eval>x'; sed 's/column 1[0-9]*/column 6/' "$folder/talk")"
claim tag_is_added '"web"' "$(runs tag web 1; json 'select(.id == 1).tags | tojson' list --json | head -n 1)"
claim tag_is_taken_off '""' "$(runs tag /web 1; json 'select(.id == 1).tags | tojson' list --json)"
claim note_is_written "a note" "$(runs note 1 'a note'; json 'select(.id == 1).note' list --json)"
claim locked_run_is_not_deleted 3 "$(runs lock 1; status delete 1)"
claim deleted_run_leaves_the_list "3 2" "$(runs unlock 1; runs delete 1; json .id list --json | xargs)"
claim restored_run_is_back "3 2 1" "$(runs restore 1; json .id list --json | xargs)"
claim purge_lists_and_asks 3 "$(runs delete 3; status purge --all)"
claim purge_takes_what_it_said "2 1" "$(runs purge --all --confirm trash >/dev/null; json .id list --json --filter 'id>0 or is:trash' | xargs)"
claim young_trash_stays "1" "$(runs delete 1; runs purge --confirm trash; json .id list --json --filter is:trash; runs restore 1)"
"$build/tests/store_fill" "$folder/old.db" && db=$folder/old.db
age() { "$build/tests/store_fill" "$db" "$1" "$2"; }
purge_default() { runs purge --confirm trash >/dev/null; json .id list --json --filter 'id>0 or is:trash' | xargs; }
claim trash_of_less_than_30_days_stays "3 2 1" "$(runs delete 1 2; age 1 719; purge_default)"
claim trash_of_30_days_is_purged_alone "3 2" "$(age 1 1; purge_default)"
claim purge_says_what_it_gave_back 1 "$(runs delete 3; runs purge --all --confirm trash >/dev/null; grep -c 'MB given back' "$folder/talk")"
db=$folder/maestro.db
claim compare_says_what_it_cannot_show 1 "$(runs compare 1 2 | grep -c '^A  first')"
claim compare_of_one_is_wrong_usage 2 "$(status compare 1)"
claim compare_json_has_an_object_an_entry "A B" "$(json .entry compare 1 2 --json | xargs)"
claim markdown_is_a_table "| 1 | first" "$(runs export 1 2 --format markdown | sed -n 3p | cut -c1-11)"
claim png_is_one "89504e47" "$(runs export 1 --format png --out "$folder/curve.png"; head -c 4 "$folder/curve.png" | od -An -tx1 | tr -d ' ')"
runs export 1 --format json >"$folder/run.json"
claim import_makes_a_run_like_it same "$(new=$(json .run import "$folder/run.json" --json); json 'del(.id, .config.seed)' export "$new" --format json >"$folder/again"; json 'del(.id, .config.seed)' export 1 --format json | cmp - "$folder/again" && echo same)"
claim import_again_is_the_same_run "1 $(json .id list --json | wc -l)" "$(json .run import "$folder/run.json" --json | uniq | wc -l) $(runs import "$folder/run.json"; json .id list --json | wc -l)"
claim import_of_something_else_is_bad_data 5 "$(echo '{"a":1}' >"$folder/other.json"; status import "$folder/other.json")"
sqlite3_is_there=$(command -v sqlite3 || true)
[ -z "$sqlite3_is_there" ] || claim hostile_times_do_no_harm 0 "$(sqlite3 "$db" 'UPDATE runs SET start = -9223372036854775808, ended = 9223372036854775807 WHERE id = 2'; status list; runs show 2 >/dev/null)"
runs list --json | true
claim closed_pipe_leaves_no_trace "" "$(cat "$folder/talk")"
claim full_disk_is_told "1 maestro: standard output: No space left on device" "$(runs list >/dev/full; echo $? "$(cat "$folder/talk")")"
exit $bad
