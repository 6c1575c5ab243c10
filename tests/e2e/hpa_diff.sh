#!/bin/sh
# Our HPA rule against the reference's own code on random cases: hpa_diff.sh [BUILD [CASES [SEED]]]
#
# Package podautoscaler of Kubernetes 1.34.4 is taken unmodified from the Go module cache into a scratch folder, so
# that hpa_diff/*_test.go can ask its unexported functions too; nothing of it is kept here. Go below 1.25, or the
# module out of reach: skip.
set -u
cd "$(dirname "$0")/../.."
build=${1:-build} cases=${2:-100000} seed=${3:-1}
name=hpa_agrees_with_the_reference_on_random_cases
skip() { echo "skip $name: $1"; exit 0; }

command -v go >/dev/null 2>&1 || skip "no Go here"
version=$(go env GOVERSION | sed 's/^go1\.\([0-9]*\).*/\1/')
[ "$version" -ge 25 ] 2>/dev/null || skip "Go 1.25 or later is needed, here is $(go env GOVERSION)"
scratch=$(mktemp -d) && trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
cp tests/e2e/hpa_diff/go.mod tests/e2e/hpa_diff/go.sum "$scratch"
reference=$(cd "$scratch" && go mod download k8s.io/kubernetes >/dev/null 2>&1; cd "$scratch" &&
	go list -m -f '{{.Dir}}' k8s.io/kubernetes 2>/dev/null)/pkg/controller/podautoscaler
[ -e "$reference/horizontal.go" ] || skip "k8s.io/kubernetes cannot be had"
mkdir "$scratch/podautoscaler"
for file in "$reference"/*.go; do
	case $file in *_test.go) ;; *) cp "$file" "$scratch/podautoscaler" ;; esac
done
cp tests/e2e/hpa_diff/*_test.go "$scratch/podautoscaler"

if ! (cd "$scratch" && HPA_DIFF_SEED=$seed HPA_DIFF_CASES=$cases HPA_DIFF_FILE=$scratch/cases.json \
	nice go test -p 2 -count=1 ./podautoscaler) >"$scratch/log" 2>&1; then
	tail -n 20 "$scratch/log"
	echo "not ok $name: the reference did not run"
	exit 1
fi
if "$build/tests/hpa_vectors" "$scratch/cases.json" >"$scratch/log" 2>&1; then
	echo "ok $name: seed $seed: $(tail -n 1 "$scratch/log")"
else
	head -n 20 "$scratch/log"
	echo "not ok $name: seed $seed: $(tail -n 1 "$scratch/log")"
	exit 1
fi
