#!/bin/sh
# `maestro model`: a real SB3 zip gives torch's numbers, formats convert into one another, bad input is exit 5 with a text.
set -u
maestro=$MAESTRO_TEST_BUILD/maestro
fixture=tests/fixtures/sb3_ppo_seedlike
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

check() { # NAME COMMAND...
	name=$1; shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; failed=1; fi
}
predict() { "$maestro" model predict --model "$1" --observations "$2"; }
refused() { # FILE WORD: exit 5, the file and the word on stderr
	"$maestro" model inspect --model "$1" >"$dir/out" 2>"$dir/err"
	[ $? = 5 ] && [ ! -s "$dir/out" ] && grep -q "^maestro: $1: .*$2" "$dir/err"
}

jq -c .obs "$fixture.json" >"$dir/rows.json"
jq -c '{observations: .obs}' "$fixture.json" >"$dir/object.json"
predict "$fixture.zip" "$dir/rows.json" >"$dir/zip.ndjson"
as_torch() {
	jq -en --slurpfile got "$1" --slurpfile want "$fixture.json" '
		$want[0] as $w | ($got | length) == 1000 and ([range(1000) | . as $i | $got[$i] |
			(.action == $w.action[$i]) and ([range(3) as $a | .logits[$a] - $w.logits[$i][$a] | fabs] | max < 1e-4)
			and ((.value - $w.value[$i]) / $w.value[$i] | fabs < 1e-4)] | all)' >/dev/null
}
check "predict answers every observation as torch did" as_torch "$dir/zip.ndjson"
predict "$fixture.zip" "$dir/object.json" >"$dir/object.ndjson"
check "an object with observations is the same" cmp "$dir/zip.ndjson" "$dir/object.ndjson"
predict "$fixture.zip" - <"$dir/rows.json" >"$dir/stdin.ndjson"
check "and so is stdin" cmp "$dir/zip.ndjson" "$dir/stdin.ndjson"
"$maestro" model predict --model "$fixture.zip" --observations "$dir/rows.json" --out "$dir/file.ndjson" >"$dir/stdout"
check "--out takes the lines" cmp "$dir/zip.ndjson" "$dir/file.ndjson"
check "and leaves stdout empty" [ ! -s "$dir/stdout" ]

for kind in zip safetensors; do
	"$maestro" model convert --model "$fixture.zip" --out "$dir/model.$kind"
	cp "$dir/model.$kind" "$dir/nameless"
	predict "$dir/nameless" "$dir/rows.json" >"$dir/$kind.ndjson"
	check "converted to $kind it decides the same, whatever its name" cmp "$dir/zip.ndjson" "$dir/$kind.ndjson"
done
"$maestro" model convert --model "$dir/model.safetensors" --out "$dir/again.zip"
"$maestro" model convert --model "$dir/model.zip" --out "$dir/third.zip"
check "a file converted twice over is the same" cmp "$dir/again.zip" "$dir/third.zip"
"$maestro" model convert --model "$fixture.zip" --out "$dir/model.onnx"
check "onnx is written" [ -s "$dir/model.onnx" ]
told() {
	"$maestro" model inspect --model "$1" --json | jq -e '.format == "sb3" and .net_arch == {"pi":[64,64],"vf":[64,64]} and
		.activation == "tanh" and .observations == 5 and .actions == 3 and .parameters == 9348 and .steps == 20480' >/dev/null
}
check "inspect tells the shape" told "$fixture.zip"

"$maestro" train --headless --json --steps 2048 --preset seed --db "$dir/t.db" --norm-obs --out "$dir/own.safetensors" >/dev/null 2>&1
"$maestro" model convert --model "$dir/own.safetensors" --out "$dir/own.zip" 2>"$dir/err"
check "a normalised policy says what a zip cannot hold" grep -q "folded into the first layers" "$dir/err"

"$maestro" train --headless --json --steps 1024 --preset seed --eval-every 0 --db "$dir/t.db" --net-arch shared=48:pi=32:vf=16,8 \
	--out "$dir/shared.safetensors" >/dev/null 2>&1
shared() { "$maestro" model inspect --model "$1" --json | jq -e '.net_arch == {"shared":[48],"pi":[32],"vf":[16,8]}' >/dev/null; }
check "inspect tells of a trunk that both share" shared "$dir/shared.safetensors"

size=$(wc -c <"$fixture.zip")
head -c $((size / 2)) "$fixture.zip" >"$dir/cut.zip"
check "a zip cut short is refused" refused "$dir/cut.zip" "cut short"
head -c 4096 /dev/urandom >"$dir/noise"
check "random bytes are refused" refused "$dir/noise" "safetensors"
: >"$dir/empty"
check "an empty file is refused" refused "$dir/empty" "too few"
check "an onnx file is refused" refused "$dir/model.onnx" ""

exits() { # STATUS WORD COMMAND...: its exit status, and the word on stderr
	want=$1 word=$2; shift 2
	"$@" >"$dir/out" 2>"$dir/err"
	[ $? = "$want" ] && grep -q "^maestro: .*$word" "$dir/err"
}
echo '[[1,2,3]]' >"$dir/short.json"
echo '[[1,2,null,4,5]]' >"$dir/null.json"
echo '{"obs":[]}' >"$dir/other.json"
echo '[[1' >"$dir/broken.json"
check "a short observation is refused" exits 5 "observation 0: not an array of 5" predict "$fixture.zip" "$dir/short.json"
check "a null in one is refused" exits 5 "observation 0: value 2" predict "$fixture.zip" "$dir/null.json"
check "another object is refused" exits 5 "observations" predict "$fixture.zip" "$dir/other.json"
check "broken JSON is refused" exits 5 "$dir/broken.json" predict "$fixture.zip" "$dir/broken.json"
check "an absent model is exit 5" exits 5 "/nonexistent" predict /nonexistent "$dir/rows.json"
check "an unknown extension is usage" exits 2 "onnx" "$maestro" model convert --model "$fixture.zip" --out "$dir/x.pkl"
check "a word that is none is usage" exits 2 "inspect, convert or predict" "$maestro" model train --model "$fixture.zip"
exit $failed
