#!/bin/bash
# Whole runs of the program with known secrets, against a world that says back what it refuses: none of them is in what it prints, in the
# argv of a process, in the store, in what it serves, or in the Events that it writes. And no shell is ever started: it cannot be.
set -u
maestro=$(cd "$MAESTRO_TEST_BUILD" && pwd)/maestro tests=$(cd "$MAESTRO_TEST_BUILD" && pwd)/tests
here=$PWD dir=$(mktemp -d) status=0 pids=
export MAESTRO_DB=$dir/store.db XDG_CACHE_HOME=$dir/cache HOME=$dir TMPDIR=$dir
trap 'kill $pids 2>/dev/null; rm -rf "$dir"' EXIT
check() { # NAME COMMAND...
	name=$1; shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; status=1; fi
}
soon() { # COMMAND...: until it holds, a minute at the most
	for _ in $(seq 600); do if "$@"; then return 0; fi; sleep .1; done
	return 1
}

# ---- the secrets ----
mkdir "$dir/in" "$dir/out" "$dir/in/plugin"
cd "$dir/in" || exit 1
key=$here/tests/fixtures/tls/server.key cert=$here/tests/fixtures/tls/server.crt
secret() { printf '%s' "$2" >"$1"; echo "$2" >>"$dir/secrets"; }
secret prometheus.token promT0kenOfThisTest1
secret prometheus.password passw0rdOfThisTest2
secret suggestion.token suggestT0kenOfThisTest3
secret serve.token serveT0kenOfThisTest4
secret kube.token kubeT0kenOfThisTest5
secret plugin.token pluginT0kenOfThisTest6
secret api.key headerKeyOfThisTest7
secret url.password urlPassw0rdOfThisTest8
printf 'watcher:%s' "$(cat prometheus.password)" | base64 >>"$dir/secrets"
sed -n 2,4p "$key" >>"$dir/secrets"
base64 -w0 "$key" | cut -c 100-140 >>"$dir/secrets"
export MAESTRO_PROMETHEUS_HEADER="X-Api-Key: $(cat api.key)"

"$maestro" runs list >/dev/null 2>&1
"$tests/fake_api" "$dir/in" "$MAESTRO_DB" &
pids=$!
soon [ -s url ] || exit 1
url=$(cat url) as_url=$(sed "s,//,//someone:$(cat url.password)@," url)
account() { # FILE SERVER USER: a kubeconfig
	printf 'apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c, user: u, namespace: shop}}]\n' >"$1"
	printf 'clusters: [{name: c, cluster: {server: "%s", insecure-skip-tls-verify: true}}]\nusers: [{name: u, user: {%s}}]\n' "$2" "$3" >>"$1"
}
printf '#!/bin/sh\necho "{\\"kind\\":\\"ExecCredential\\",\\"status\\":{\\"token\\":\\"%s\\"}}"\n' "$(cat plugin.token)" >plugin/plugin
chmod +x plugin/plugin
pair="client-certificate-data: $(base64 -w0 "$cert"), client-key-data: $(base64 -w0 "$key")"
account by_token "$url" "token: $(cat kube.token), $pair"
account by_plugin "$url" 'exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin/plugin, interactiveMode: Never}'

# ---- what they do ----
echo 403 >refuse
refused() { mv refuse echo 2>/dev/null; }
healthy() { mv echo refuse 2>/dev/null; }
n=0
start() { n=$((n + 1)); timeout "${limit:-60}" "$maestro" "$@" >"$dir/out/$n.stdout" 2>"$dir/out/$n.stderr" </dev/null & last=$! log=$dir/out/$n.stderr; pids="$pids $last"; }
finish() { start "$@"; wait "$last"; }
port() { sed -n 's/.*listening on 127.0.0.1:\([0-9]*\).*/\1/p' "$log"; }
listens() { [ -n "$(port)" ]; }
get() { # PORT PATH [TOKEN]
	exec 3<>"/dev/tcp/127.0.0.1/$1" || return
	printf 'GET %s HTTP/1.0\r\n%s\r\n' "$2" "${3:+Authorization: Bearer $3$'\r\n'}" >&3
	timeout 10 cat <&3
	exec 3>&-
}
argvs() { for p in /proc/[0-9]*; do tr '\0' ' ' <"$p/cmdline"; done 2>/dev/null | grep -a maestro | grep -aE 'maestro (run|autoscaler|suggestion|model)-?' >>"$dir/argv"; }
target="--deployment shop/web --kubeconfig by_token" asks="--prometheus $url --prometheus-user watcher --prometheus-password-file prometheus.password"
soon_says() { soon grep -q --  "$1" "$dir/out/$n.stdout" "$dir/out/$n.stderr"; }
look() { # PATH...: at what the one that listens serves
	for path in "$@"; do get "$(port)" "$path" "$(cat serve.token)" >>"$dir/out/served" 2>&1; done
}
# The two that stay, in both worlds: what they serve is looked at in each.
serves() { # WORDS-OF-THE-HEALTHY WORDS-OF-THE-REFUSED PATHS -- OPTIONS...
	good=$1 bad=$2 paths=$3
	shift 4
	healthy
	start "$@" --listen 127.0.0.1:0 --token-file serve.token
	served=$last
	soon listens
	look $paths
	soon_says "$good"
	argvs
	refused
	soon_says "$bad"
	sleep 1.2
	look $paths
}
decides="$target $asks --interval 1s --max-replicas 9 --headless --json --log-format logfmt"
serves '"state":"Active"' '"state":"Hold"' '/status /metrics /v1/decisions /v1/snapshot' -- run $decides --policy hpa
at=$(port); finish --attach "http://127.0.0.1:$at" --attach-token-file serve.token --screen live --json
kill "$served"; wait "$served"
serves '"state"' '"state":"Hold"' '/status /metrics' -- autoscaler $decides --suggestion-url "$url" --suggestion-token-file suggestion.token
kill "$served"; wait "$served"
serves listening listening '/suggestion?deployment=web&namespace=shop /metrics' -- suggestion-server --kubeconfig by_token $asks --model-url "$url" \
	--model-token-file suggestion.token
kill "$served"; wait "$served"

for state in healthy refused; do
	$state
	for account in by_token by_plugin; do
		with="--kubeconfig $account --prometheus $as_url --prometheus-token-file prometheus.token"
		finish run --deployment shop/web $with --policy hpa --max-replicas 9 --once
		finish doctor --deployment shop/web $with --max-replicas 9
		finish targets --deployment shop/web --kubeconfig $account -o json
		finish override set shop/web 3 --kubeconfig $account --yes
		finish override resume shop/web --kubeconfig $account --yes
		finish fit --deployment shop/web --prometheus "$as_url" --prometheus-token-file prometheus.token --window 1h --out "$dir/out/service.yaml"
		limit=2 finish train --env live --deployment shop/web $with --max-replicas 9 --n-steps 2 --steps 2 --interval 1s --headless
	done
done
# the client's key, in a handshake with a server of TLS
start model-server --listen 127.0.0.1:0 --model default --tls-cert "$cert" --tls-key "$key" --token-file serve.token
soon listens
account by_key "https://127.0.0.1:$(port)" "$pair"
finish doctor --deployment shop/web --kubeconfig by_key --prometheus "https://127.0.0.1:$(port)" --prometheus-ca "$cert" --prometheus-cert "$cert" --prometheus-key "$key"
account by_wrong_key "$url" "client-certificate-data: $(base64 -w0 "$cert"), client-key-data: $(base64 -w0 "$key" | rev)"
finish doctor --deployment shop/web --kubeconfig by_wrong_key --prometheus "$url"

# ---- where they are ----
sent() { for word in $(grep -v '^serve\|^url\|^[A-Za-z0-9+/=]\{40,\}$\|^passw0rd' "$dir/secrets"); do grep -qF "$word" headers || { echo "  $word was never sent"; return 1; }; done; }
shows_none() { # FILES...
	if grep -aFl -f "$dir/secrets" "$@" 2>/dev/null; then grep -aoFh -f "$dir/secrets" "$@" | sort | uniq -c; return 1; fi
}
for run in $("$maestro" runs list --json | sed -n 's/.*"id":\([0-9]*\).*/\1/p'); do "$maestro" runs export "$run" --format json; done >"$dir/out/exported" 2>&1
check the_world_was_asked_with_each_of_them sent
check a_healthy_world_was_scaled_for grep -q '"state":"Active"' "$dir/out/1.stdout"
check what_it_refused_is_quoted sh -c "cat $dir/out/* | grep -q 'you sent .*\*\*\*\*\*'"
check nothing_printed_or_served_shows_one shows_none "$dir"/out/*
check no_argv_shows_one sh -c "[ -s '$dir/argv' ] && ! grep -aF -f '$dir/secrets' '$dir/argv'"
check the_store_shows_none shows_none "$dir"/store.db*
check there_are_runs_in_it [ "$("$maestro" runs list --json | wc -l)" -gt 3 ]
check no_event_or_annotation_shows_one sh -c "grep -q Event bodies && ! grep -aF -f '$dir/secrets' bodies"
check nothing_else_was_left_of_them sh -c "! grep -raFl -f '$dir/secrets' '$dir' --exclude-dir=in --exclude=secrets"

# ---- no shell ----
cd "$here" || exit 1
imports=$(nm -D --undefined-only "$maestro" | sed 's/.* //; s/@.*//')
check the_program_is_looked_into sh -c "echo '$imports' | grep -qx posix_spawn"
check no_function_that_starts_a_shell_is_linked sh -c "! echo '$imports' | grep -xE 'system|popen|wordexp|execlp?|execle|execvp|execvpe'"
check no_shell_is_named_in_the_sources sh -c "! grep -rnE '\"(/usr)?/bin/(ba|da)?sh\"|[^_a-z](system|popen|wordexp|execlp?|execvpe?) ?\(' engine tui storage --include='*.[ch]'"
exit $status
