# What end-to-end scripts share; sourced from the repository's root with $suite, $port and $prometheus_url set: need (or skip), a working
# folder, claims, kubectl and queries. Leaves $work and $kubectl; on exit ends what stands in `started` and runs `finish`.
here=$PWD/tests/e2e
export KUBE_CACHE=${KUBE_CACHE:-$HOME/.cache/kube-test}
kubectl=$KUBE_CACHE/bin/kubectl

skip() { echo "skip $suite: $1"; exit 0; }
need_tools() {
	local tool
	for tool in "$@"; do command -v "$tool" >/dev/null 2>&1 || skip "$tool is not installed"; done
}
need_programs() { # of Kubernetes: built where they are not there
	local program missing= log
	for program in "$@"; do
		[ -x "$KUBE_CACHE/bin/$program" ] || missing="$missing $program"
	done
	[ -n "$missing" ] || return 0
	command -v go >/dev/null 2>&1 || skip "no$missing in $KUBE_CACHE/bin, and no Go to build them"
	log=$(mktemp)
	"$here/cluster/build.sh" $missing >"$log" 2>&1 && rm -f "$log" && return
	tail -n 3 "$log" >&2
	rm -f "$log"
	skip "cannot build$missing (the modules are out of reach, or the above)"
}

work=$(mktemp -d "/tmp/maestro-$suite-XXXXXX")
export KUBE_WORK=$work/kube
started=() n_ok=0 n_bad=0
finish() { :; } # a script's own
cleanup() {
	finish
	for pid in "${started[@]}"; do # those that still run: the number of one that has ended may be somebody else's by now
		grep -q "^PPid:[[:space:]]*$$\$" "/proc/$pid/status" 2>/dev/null || continue
		pkill -P "$pid" 2>/dev/null
		kill "$pid" 2>/dev/null
	done
	wait 2>/dev/null
	"$here/cluster/down.sh" >/dev/null 2>&1
	if [ -n "${KEEP:-}" ]; then echo "kept: $work"; else rm -rf "$work"; fi
}
trap cleanup EXIT
trap 'exit 130' INT TERM

ok() { echo "ok $1"; n_ok=$((n_ok + 1)); }
bad() { echo "not ok $1: $2"; n_bad=$((n_bad + 1)); }
check() { # name what command...: the command's success is the claim
	local name=$1 what=$2
	shift 2
	if "$@"; then ok "$name"; else bad "$name" "$what"; fi
}
wait_for() { # seconds command...
	local until=$((SECONDS + $1))
	shift
	while ! "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $until ] || return 1
		sleep .2
	done
}
k() { "$kubectl" --kubeconfig="$KUBE_WORK/admin.kubeconfig" "$@"; }
account() { # FILE TOKEN: a kubeconfig as kubectl makes it, of whoever has the token
	local c=("$kubectl" config "--kubeconfig=$1")
	{
		"${c[@]}" set-cluster e2e "--server=https://127.0.0.1:$KUBE_PORT" "--certificate-authority=$KUBE_WORK/pki/ca.crt" --embed-certs
		"${c[@]}" set-credentials maestro "--token=$2"
		"${c[@]}" set-context e2e --cluster=e2e --user=maestro --namespace=default
		"${c[@]}" use-context e2e
	} >/dev/null
}
query() { curl -fsS --data-urlencode "query=$1" "$prometheus_url/api/v1/query" | jq -r '.data.result[0].value[1] // empty'; }
close() { # the closing line; its status is the script's
	echo "$n_ok passed, $n_bad failed"
	[ $n_bad = 0 ]
}
