#!/bin/bash
# The faults that take their time: kills and signals at random moments, a sick network, and a soak under random faults.
#   run.sh BUILD
#   SOAK_S=600       seconds of the soak; 86400 is the long form
#   KILLS=200        lives
set -u
cd "$(dirname "$0")/../.."
build=$1 maestro=$1/maestro storm=$1/tests/fault_storm
work=$(mktemp -d /tmp/maestro-faults-XXXXXX)
started=()
is_mine() { grep -q "^PPid:[[:space:]]*$$\$" "/proc/$1/status" 2>/dev/null; } # the number of one that has ended may be somebody else's
trap 'for p in "${started[@]}"; do is_mine "$p" && kill "$p" 2>/dev/null; done; rm -rf "$work"' EXIT
n_ok=0 n_bad=0
check() { # name what command...
	local name=$1 what=$2
	shift 2
	if "$@"; then echo "ok $name"; n_ok=$((n_ok + 1)); else echo "not ok $name: $what"; n_bad=$((n_bad + 1)); fi
}
tally() { # runs a storm and counts its lines
	local out
	out=$("$storm" "$maestro" "$@")
	echo "$out"
	n_ok=$((n_ok + $(grep -c '^ok ' <<<"$out"))) n_bad=$((n_bad + $(grep -c '^not ok ' <<<"$out")))
}

tally kills "${KILLS:-200}"
tally stop 40
tally store
tally reload
"$build/tests/test_alloc_faults" >"$work/alloc" 2>&1
check any_allocation_may_fail "$(tail -n 3 "$work/alloc")" [ $? = 0 ]

# ---- the network (32) and certificates (33): doctor asks Prometheus as run does, and says what came of it ----

ask() { # URL options: doctor's line about Prometheus, in at most ten seconds
	timeout 10 "$maestro" doctor --prometheus "$@" --kubeconfig /nonexistent --json 2>/dev/null |
		jq -r 'select(.check == "prometheus") | .text' | head -1
}
says() { grep -qiE "$1" <<<"$2"; }
line=$(ask http://no.such.host.invalid:9090)
check dns_that_fails_is_named "$line" says 'resolve|host' "$line"
perl -MSocket -e 'socket(S,PF_INET,SOCK_STREAM,0); setsockopt(S,SOL_SOCKET,SO_REUSEADDR,1); bind(S,sockaddr_in(0,inet_aton("127.0.0.1"))); listen(S,8);
	my ($p)=sockaddr_in(getsockname(S)); $|=1; print "$p\n"; sleep 300' >"$work/deaf" &
started+=($!)
for i in $(seq 50); do [ -s "$work/deaf" ] && break; sleep .1; done
before=$SECONDS
line=$(ask "http://127.0.0.1:$(cat "$work/deaf")")
check a_peer_that_never_answers_is_a_timeout "$line" says 'timed out|timeout' "$line"
check and_costs_no_more_than_its_deadline "$((SECONDS - before)) s" [ $((SECONDS - before)) -le 9 ]
if [ -e /proc/net/if_inet6 ]; then
	"$maestro" target-app --listen '[::1]:0' >"$work/six" 2>&1 &
	started+=($!)
	for i in $(seq 50); do grep -q 'listening' "$work/six" && break; sleep .1; done
	address=$(grep -oE '\[::1\]:[0-9]+' "$work/six" | head -1)
	if [ -n "$address" ]; then
		line=$(ask "http://$address")
		check ipv6_alone_is_reached "$address: $line" says 'not an answer|HTTP|404|JSON|expected|parse' "$line"
	fi
fi
line=$(HTTP_PROXY=http://127.0.0.1:9 http_proxy=http://127.0.0.1:9 ask http://192.0.2.1:9090)
check a_proxy_that_is_down_is_named "$line" says 'proxy|127.0.0.1|connect|refused|reach' "$line"

cert() { # name host from until: signed by itself (`openssl ca` sets any dates, which `req` and `x509` of older ones do not)
	local d=$work/$1.ca
	mkdir -p "$d" && : >"$d/index" && echo 01 >"$d/serial"
	printf '[ca]\ndefault_ca=d\n[d]\ndatabase=%s/index\nserial=%s/serial\nnew_certs_dir=%s\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n' \
		"$d" "$d" "$d" >"$d/conf"
	printf 'subjectAltName=%s\nbasicConstraints=CA:TRUE\n' "$2" >"$d/ext"
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$work/$1.key" -out "$d/csr" -subj "/CN=$1" 2>/dev/null &&
		openssl ca -batch -selfsign -notext -config "$d/conf" -in "$d/csr" -keyfile "$work/$1.key" -out "$work/$1.crt" -extfile "$d/ext" \
			-startdate "$3" -enddate "$4" 2>/dev/null
}
tls() { # name port: a server with that certificate
	openssl s_server -accept "$2" -cert "$work/$1.crt" -key "$work/$1.key" -www -quiet >/dev/null 2>&1 &
	started+=($!)
	sleep .5
}
port=${FAULTS_PORT:-27900}
if cert expired IP:127.0.0.1 20200101000000Z 20200102000000Z && cert other DNS:other.example 20200101000000Z 20490101000000Z; then
	tls expired $port
	line=$(ask "https://127.0.0.1:$port" --prometheus-ca "$work/expired.crt")
	check an_expired_certificate_is_refused_and_named "$line" says expired "$line"
	tls other $((port + 1))
	line=$(ask "https://127.0.0.1:$((port + 1))" --prometheus-ca "$work/other.crt")
	check a_certificate_of_another_host_is_refused_and_named "$line" says 'match|name|host' "$line"
else
	bad_certs=1
	check certificates_are_made "openssl ca fails" [ $bad_certs = 0 ]
fi

tally soak $((${SOAK_S:-600} / 4)) 2 nostore
tally soak "${SOAK_S:-600}"
echo "$n_ok passed, $n_bad failed"
[ $n_bad = 0 ]
