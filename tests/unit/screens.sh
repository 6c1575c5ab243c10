#!/bin/sh
# The console without a terminal: each screen as text and as JSON, the plain form, and what NO escape or colour means there.
set -u
maestro=$MAESTRO_TEST_BUILD/maestro
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export MAESTRO_DB="$dir/s.db" LC_ALL=C.UTF-8
failed=0
check() { # NAME COMMAND...
	name=$1; shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; failed=1; fi
}
"$MAESTRO_TEST_BUILD/tests/store_fill" "$MAESTRO_DB" || exit 1
for screen in live runs compare policy targets events; do
	"$maestro" --screen $screen >"$dir/$screen" 2>"$dir/err" </dev/null
	check "$screen prints as text" grep -qi "^ *$screen\|Active" "$dir/$screen"
	check "$screen has no escape and no byte over 127" sh -c "! LC_ALL=C grep -q '[^ -~]' '$dir/$screen'"
	"$maestro" --screen $screen --json >"$dir/$screen.json" 2>"$dir/err" </dev/null
	check "$screen prints as JSON" sh -c "[ -s '$dir/$screen.json' ] && jq -e . '$dir/$screen.json' >/dev/null"
done
check "the JSON of live has the sample" sh -c "jq -es '.[0].live.last.sample.rps > 0' '$dir/live.json' >/dev/null"
check "the text of runs has the runs" grep -q 'first, "quoted"' "$dir/runs"
"$maestro" --screen runs --filter first --format csv >"$dir/csv" </dev/null
check "a table prints as CSV, of what the filter takes" sh -c "head -1 '$dir/csv' | grep -q '^mark,id,.*name' && [ \$(wc -l <'$dir/csv') = 3 ]"
"$maestro" --screen policy --format csv >/dev/null 2>"$dir/err" </dev/null; code=$?
check "a screen without a table says so" sh -c "[ $code != 0 ] && grep -q 'no table to write' '$dir/err'"
"$maestro" --format pdf >/dev/null 2>"$dir/err" </dev/null; code=$?
check "an unknown form names those there are" sh -c "[ $code = 2 ] && grep -q 'txt, json, csv, tsv or md' '$dir/err'"
said() { # TEXT: waits until --plain has said it
	i=0
	until grep -q -- "$1" "$dir/plain" || [ $i -ge 300 ]; do i=$((i + 1)); sleep .1; done
}
: >"$dir/plain"
{ said '^last Policy'; echo 3; said 'first, "quoted"'; echo q; } | "$maestro" --plain >>"$dir/plain" 2>&1
check "plain has a numbered menu" grep -q '^3 Runs' "$dir/plain"
check "plain says what the target does" grep -q '^last Policy' "$dir/plain"
check "plain lists the runs" grep -q 'first, "quoted"' "$dir/plain"
check "plain has no escape and no box" sh -c "! LC_ALL=C grep -q '[^ -~	]\|+--' '$dir/plain'"
printf 'live.override = O\nlive.nonsense = x\n' >"$dir/keys.yaml"
"$maestro" keys --check "$dir/keys.yaml" >"$dir/out" 2>"$dir/err"
check "keys --check names the line" grep -q '^line 2: live.nonsense' "$dir/err"
mkdir "$dir/maestro" && printf 'live.override: O\nall.undo: null\n' >"$dir/maestro/keys.yaml"
XDG_CONFIG_HOME=$dir "$maestro" keys >"$dir/out"
check "keys prints those of keys.yaml, marked" grep -q '^live.override  *O  *\* hold' "$dir/out"
check "and what it says of others follows" grep -q 'back out of it; :undo undoes' "$dir/out"
{ "$maestro" keys --commands --json; "$maestro" keys --json; } | jq -r '.shell | select(. != "")' | sort -u >"$dir/shell"
check "the palette's commands have command lines" [ "$(wc -l <"$dir/shell")" -gt 25 ]
while read -r program command rest; do # each names a command that there is, with options that it has
	[ "$program" = maestro ] || continue
	case $command in -*) rest="$command $rest" command=--plain ;; esac # the console's own
	for option in $(echo "$rest" | grep -o -- '--[a-z-]*'); do
		"$maestro" $command --help 2>/dev/null </dev/null | grep -q -- "$option " || check "$command has $option" false
	done
	"$maestro" $command --help >/dev/null 2>&1 </dev/null || check "there is $command" false
done <"$dir/shell"
check "colors --check passes" sh -c "'$maestro' colors --check >/dev/null"
check "the bash completion is bash" sh -c "'$maestro' completion bash | bash -n"
printf 'db: %s\nruns:\n  format: markdown\n' "$MAESTRO_DB" >"$dir/config.yaml"
check "a configuration sets an option" sh -c "env -u MAESTRO_DB '$maestro' --config '$dir/config.yaml' runs export 1 | grep -q '^| id'"
check "an option beats it" sh -c "env -u MAESTRO_DB '$maestro' --config '$dir/config.yaml' runs export 1 --format csv | grep -q '^update,'"
printf 'kubeconfig: %s/nowhere\ntargets:\n- {target: shop/web, max: 3}\n' "$dir" >"$dir/targets.yaml"
"$maestro" targets --config "$dir/targets.yaml" 2>"$dir/err"; code=$?
check "targets reads a file with targets, a list of its own name" sh -c "[ $code = 1 ] && grep -q '$dir/nowhere' '$dir/err'"
printf '\nprometheus: http://127.0.0.1:9\n' >>"$dir/targets.yaml"
on_terminal() { TERM=xterm timeout 60 script -qec "'$maestro' --config '$dir/targets.yaml' $*" /dev/null </dev/null >"$dir/out" 2>&1; }
on_terminal
check "on a terminal, targets of the file are what the console is over" grep -q "$dir/nowhere" "$dir/out"
on_terminal --screen targets --format txt
check "a picture is printed without them" sh -c "grep -q simulator '$dir/out' && ! grep -q nowhere '$dir/out'"
MAESTRO_ATTACH=http://127.0.0.1:9 on_terminal
check "another's autoscaler named by a variable is what the console is over" sh -c "grep -q '127.0.0.1:9' '$dir/out' && ! grep -q nowhere '$dir/out'"
cp "$dir/targets.yaml" "$dir/attach.yaml" && printf 'console: {attach: "http://127.0.0.1:9"}\n' >>"$dir/targets.yaml"
on_terminal
check "and one named by the file" sh -c "grep -q '127.0.0.1:9' '$dir/out' && ! grep -q nowhere '$dir/out'"
mv "$dir/attach.yaml" "$dir/targets.yaml"
TERM=xterm timeout 4 script -qec "'$maestro' --config '$dir/targets.yaml' --screen runs" /dev/null </dev/null >"$dir/out" 2>&1
check "to browse the store nothing runs" sh -c "grep -q Runs '$dir/out' && ! grep -q nowhere '$dir/out'"
"$maestro" --config "$dir/targets.yaml" --screen targets >"$dir/out" 2>"$dir/err" </dev/null
check "off a terminal nothing begins to scale" sh -c "grep -q simulator '$dir/out' && ! grep -q nowhere '$dir/err'"
printf 'db: [1,2]\n' >"$dir/bad.yaml"
"$maestro" config --check "$dir/bad.yaml" 2>"$dir/err"; code=$?
check "config --check says what is wrong" sh -c "[ $code = 5 ] && grep -q 'db: a value is wanted' '$dir/err'"
printf 'tran:\n  envs: 4\ntrain:\n  envs: 16\n  learnig-rate: 3e-4\n  gamma: lots\nglyphz: auto\n' >"$dir/bad.yaml"
"$maestro" config --check "$dir/bad.yaml" 2>"$dir/err"; code=$?
check "config --check finds misspelt names, with line and hint" sh -c "[ $code = 5 ] && grep -q 'bad.yaml:1: tran: is no command, did you mean train' '$dir/err' &&
	grep -q 'bad.yaml:5: train.learnig-rate: .*did you mean learning-rate; maestro train --help' '$dir/err' &&
	grep -q 'bad.yaml:6: train.gamma: gamma wants' '$dir/err' && grep -q 'bad.yaml:7: glyphz: .*did you mean glyphs' '$dir/err'"
printf 'db: /x\ntrain:\n  envs: 16\n  norm-obs: false\nconsole:\n  mouse: off\nrun:\n  lease: false\n  deployment: shop/web\n' >"$dir/good.yaml"
check "config --check takes what is right" "$maestro" config --check "$dir/good.yaml"
printf 'run:\n  interval: bogus\n' >"$dir/run.yaml"
for words in '--deployment shop/web' -dshop/web -lapp=web; do
	"$maestro" $words --config "$dir/run.yaml" >/dev/null 2>"$dir/err"; code=$?
	check "the console over a cluster, $words, has run's part of the file" sh -c "[ $code != 0 ] && grep -q 'interval' '$dir/err'"
done
check "config says which help lists the options" sh -c "'$maestro' config | grep -q '(maestro COMMAND --help lists them)'"
exit $failed
