#!/bin/sh
# The HPA rule against what the reference's own code answered, and the reader's own strictness: a case that it cannot
# read, or a wanted number that is wrong, must not pass. MAESTRO_TEST_BUILD names the build folder.
set -u
cd "$(dirname "$0")/../.."
program=${MAESTRO_TEST_BUILD:-build}/tests/hpa_vectors
vectors=tests/fixtures/hpa_vectors.json
scratch=$(mktemp) && trap 'rm -f "$scratch"' EXIT
failed=0

# expect NAME EXIT [SED]: runs the vectors, edited by SED, and looks at the exit status
expect() {
	if [ $# -gt 2 ]; then sed "$3" "$vectors" >"$scratch"; else cat "$vectors" >"$scratch"; fi
	"$program" "$scratch" >"$scratch.out" 2>&1
	got=$?
	if [ "$got" = "$2" ]; then
		echo "ok $1"
	else
		echo "not ok $1: exit $got, want $2"
		head -n 20 "$scratch.out"
		failed=1
	fi
	rm -f "$scratch.out"
}

expect hpa_answers_every_vector_as_the_reference 0
expect hpa_vectors_fail_on_a_wrong_number 1 '/"id":"U05"/s/"replicas":12/"replicas":11/'
expect hpa_vectors_fail_on_a_wrong_reason 1 '/"id":"N1"/s/"scaling_limited":"ScaleUpLimit"/"scaling_limited":"TooManyReplicas"/'
expect hpa_vectors_fail_on_a_wrong_step 1 '/"id":"C01"/s/"replicas":2,"written":true/"replicas":3,"written":true/'
expect hpa_vectors_refuse_an_unknown_kind 5 '/"id":"U05"/s/"kind":"resource"/"kind":"resources"/'
expect hpa_vectors_refuse_an_unknown_field 5 '/"id":"U05"/s/"target_pct"/"surprise":1,"target_pct"/'
expect hpa_vectors_refuse_an_unknown_wanted_field 5 '/"id":"U05"/s/"replicas":12/"replicas":12,"surprise":1/'
expect hpa_vectors_refuse_a_missing_field 5 '/"id":"U05"/s/"target_pct":50,//'
expect hpa_vectors_refuse_a_broken_file 5 '$d'
exit $failed
