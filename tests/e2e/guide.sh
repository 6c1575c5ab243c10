#!/bin/bash
# Runs every line of README.md and GUIDE.md in a fresh clone, as a new user would: the indented lines, in their order, on a real control
# plane and a real Prometheus with a service under load.
#   guide.sh BUILD [FILE...]
# Prints `ok N: LINE`, `not ok N: LINE`, `skip N: LINE (why)` and a closing line. What is not as a user types it is in `as_here` and
# `waits` below; training is shortened by MAESTRO_STEPS, which lines with --steps overrule.
#   GUIDE_PORT   first of 200 ports on loopback (26000)
export E2E_PORT=${GUIDE_PORT:-26000}
files=("${@:2}")
[ ${#files[@]} -gt 0 ] || files=(README.md GUIDE.md)
. "$(dirname "$0")/parts.sh"
clone=$work/clone
git clone -q . "$clone" && cd "$clone" || exit 1

# ---- the world of the reader ----

k label deployment web tier=web >/dev/null
set_replicas 2
"$maestro" load --url "http://127.0.0.1:$service_port/" --json --stages 2m:12,2m:4,30m:10 >"$work/load.log" 2>&1 &
started+=($!)
began=$SECONDS
export MAESTRO_DB=$work/guide.db MAESTRO_STEPS=400000 MAESTRO_YES=true
cp tests/fixtures/sb3_ppo_seedlike.zip sb3_ppo.zip
cp engine/sim/traces/nasa95_jul_week.csv your.csv
jq '.obs[:4]' tests/fixtures/sb3_ppo_seedlike.json >obs.json
make -s -j2 >"$work/make.log" 2>&1 || { tail -n 5 "$work/make.log"; bad clone_builds "see above"; exit 1; }
export MANPATH=$work/inst/usr/local/share/man PATH=$clone/build:$KUBE_CACHE/bin:$PATH
stopped_run() { # RUN STEPS of one that can be gone on with
	timeout --foreground -s INT 5 maestro train --preset seed --steps 100000000 --headless >/dev/null 2>&1
	maestro runs list --json | jq -sr 'max_by(.id) | "\(.id) \(.steps)"'
}
as_here() { # a line with the reader's names for what is here
	sed -e "s,http://prometheus:9090,$prometheus_url,g; s,shop/web,default/web,g; s,-n shop ,-n default ,g" \
		-e "s,http://web.shop/,http://127.0.0.1:$service_port/,g; s,web\.live\.safetensors,web.safetensors,g" \
		-e "s,--window 7d,--window $((SECONDS - began))s --step 5s," -e "s,--resume 3,--resume ${resumed% *} --steps $((${resumed#* } + 20480))," \
		-e "s,--from 3@81920,--from ${forked/ /@} --steps $((${forked#* } + 20480))," -e "s,^maestro train --replay,env -u MAESTRO_STEPS &," \
		-e "s,sudo make \([a-z]*\),make \1 DESTDIR=$work/inst," -e "s,&& kind load.*,," -e 's, *#.*,,' <<<"$1"
}
waits() { # how a line ends: by itself, by a person in the console, or when told
	case $1 in
	*'maestro --attach'* | *'maestro --trace'*) echo person ;;
	*'maestro model-server'* | *'maestro suggestion-server'* | *'maestro autoscaler'* | *'maestro target-app'* | *--listen*) echo stays ;;
	*'maestro run '* | *'maestro --deployment'* | *'--env live'*) echo told ;;
	*) echo itself ;;
	esac
}
is_well() { # LINE STATUS: what doctor finds wrong is what it is for
	[ "$2" = 0 ] || { [ "$2" = 1 ] && [[ $1 == 'maestro doctor'* ]]; }
}
why_not() { # what cannot be had on a machine with this control plane: its nodes run no containers
	case $1 in
	'kubectl logs'* | *'/proxy --attach-proxy-token-file'*) echo "no kubelet" ;;
	*'--on kubernetes'*--image*) echo "no registry, and no kubelet" ;;
	*'delete stresschaos'*) echo "no Chaos Mesh" ;;
	'make e2e'* | *'docker build'*) echo "not within itself" ;;
	esac
}

# ---- the lines ----

lines() { # FILE: each indented line, with those that it is continued by
	awk '/^    / { sub(/^ +/, ""); line = line $0; if (sub(/\\$/, "", line)) next; print line; line = "" }' "$1"
}
stay() { # LINE: in the background, its process in $!
	setsid bash -c "exec $1" </dev/null >"$work/line.$n" 2>&1 &
}
ended() { # PID: it was there until it was told to end, and then went as told
	kill -TERM "$1" || return 1
	wait "$1"
	[ $? = 143 ]
}
run_line() { # LINE HOW: its exit status; 0 when it is as it should be
	case $2 in
	itself) timeout 900 bash -c "$1" </dev/null >"$work/line.$n" 2>&1 ;;
	person) (sleep 6; printf q; sleep 1; printf y; sleep 2) | timeout 60 script -qec "stty rows 24 cols 80; $1" /dev/null >"$work/line.$n" 2>&1 ;;
	told)
		stay "$1"
		local pid=$!
		sleep 15
		ended "$pid"
		;;
	stays)
		stay "$1"
		servers+=($!)
		sleep 5
		kill -0 "$!"
		;;
	esac
}
n=0 n_skip=0 servers=()
sleep 150 # a little history for fit
resumed=$(stopped_run) forked=$(stopped_run)
for file in "${files[@]}"; do
	while IFS= read -r written; do
		n=$((n + 1))
		reason=$(why_not "$written")
		[ -z "$reason" ] || { echo "skip $n: $written ($reason)"; n_skip=$((n_skip + 1)); continue; }
		line=$(as_here "$written")
		run_line "$line" "$(waits "$line")"
		if is_well "$line" $?; then ok "$n: $written"; else bad "$n" "$written"; echo "as: $line"; tail -n 8 "$work/line.$n"; fi
	done < <(lines "$file")
	for pid in "${servers[@]}"; do
		ended "$pid" || bad "server" "$(tr '\0' ' ' </proc/"$pid"/cmdline 2>/dev/null) ended badly"
	done
	servers=()
	kubectl delete -k manifests/overlays/kind --ignore-not-found >/dev/null 2>&1
done
echo "$n_ok passed, $n_bad failed, $n_skip skipped"
[ $n_bad = 0 ]
