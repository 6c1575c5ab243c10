#!/bin/sh
# kill -9 in the middle of training: the store says crashed at once, and the resumed run ends on the bytes of one that was
# never interrupted.
set -eu
maestro=$MAESTRO_TEST_BUILD/maestro
dir=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null; rm -rf "$dir"' EXIT
trace=engine/sim/traces/nasa95_jul_week.csv
more=20000

check() { # NAME COMMAND...
	name=$1; shift
	if "$@"; then echo "ok $name"; else echo "not ok $name"; failed=1; fi
}
failed=0
# a learning rate that falls over --steps would be another one for each number of them
options="--headless --json --trace $trace --learning-rate 1e-3 --eval-every 100000 --eval-episodes 2 --seed 5"
train() { "$maestro" train $options "$@" 2>/dev/null; }

"$maestro" train $options --db "$dir/killed.db" --steps 1000000000 >"$dir/killed.ndjson" 2>/dev/null &
pid=$!
i=0
until ls "$dir"/killed.runs/1/last.ckpt >/dev/null 2>&1; do
	i=$((i + 1)); [ $i -lt 600 ] || { echo "not ok a checkpoint within a minute"; exit 1; }
	sleep .1
done
sleep .3
kill -9 "$pid"
wait "$pid" 2>/dev/null || true
pid=

status() { "$maestro" runs show "$1" --db "$2" --json | jq -r .status; }
check "a killed run is marked crashed at the next start" [ "$(status 1 "$dir/killed.db")" = crashed ]
last_line=$(grep '"update"' "$dir/killed.ndjson" | tail -n 1 | jq .steps 2>/dev/null || echo 0)
stored=$("$maestro" runs show 1 --db "$dir/killed.db" --json | jq '.last_update.steps')
in_file=$(head -n 1 "$dir/killed.runs/1/last.ckpt" | sed -n 's/.*"steps":\([0-9]*\).*/\1/p;q')
check "what was before the checkpoint is in the store (file at $in_file, stored $stored)" [ "$stored" -ge "$in_file" ]
rate=$(grep '"update"' "$dir/killed.ndjson" | tail -n 2 | head -n 1 | jq '.steps_per_s | floor')
check "at most the last second is lost (printed $last_line, stored $stored, $rate steps/s)" \
	[ $((last_line - stored)) -le "$rate" ]

checkpoint=$in_file
steps=$((checkpoint + more))
train --db "$dir/killed.db" --resume 1 --steps $steps --out "$dir/resumed.safetensors" >"$dir/resumed.ndjson" && code=0 || code=$?
check "a crashed run resumes from its checkpoint (exit $code)" [ $code = 0 ]
check "the resumed run is done" [ "$(status 1 "$dir/killed.db")" = done ]
check "no row is stored twice" [ "$("$maestro" runs export 1 --db "$dir/killed.db" --format csv | tail -n +2 | cut -d, -f1 | sort | uniq -d | wc -l)" = 0 ]

train --db "$dir/whole.db" --steps $steps --out "$dir/whole.safetensors" >"$dir/whole.ndjson"
check "the resumed run ends on the bytes of an uninterrupted one" cmp "$dir/resumed.safetensors" "$dir/whole.safetensors"

# the same command twice prints the same but for times and the run's number
timeless() { jq -c 'del(.steps_per_s, .wall_s, .run, .model, .best_model)' "$1"; }
train --db "$dir/again.db" --steps $steps --out "$dir/again.safetensors" >"$dir/again.ndjson"
check "the same seed gives the same lines" [ "$(timeless "$dir/whole.ndjson" | cksum)" = "$(timeless "$dir/again.ndjson" | cksum)" ]
check "the same seed gives the same model file" cmp "$dir/whole.safetensors" "$dir/again.safetensors"

# a checkpoint that is cut short or changed is refused by name, exit 5, and the run's row stays as it was
last=$("$maestro" runs show 1 --db "$dir/whole.db" --json | jq -r '.checkpoints[-1].path')
cp "$last" "$dir/good"
size=$(wc -c <"$dir/good")
refused() {
	train_err=$("$maestro" train $options --db "$dir/whole.db" --resume 1 --steps $((steps + more)) 2>&1 >/dev/null)
	[ $? = 5 ] && case $train_err in *"$last"*) true ;; *) echo "$train_err"; false ;; esac
}
: >"$last"; check "an empty checkpoint is refused" refused
head -c $((size / 2)) "$dir/good" >"$last"; check "a checkpoint cut in half is refused" refused
cp "$dir/good" "$last"; printf x | dd of="$last" bs=1 seek=$((size - 1000)) conv=notrunc 2>/dev/null; check "a changed one is refused" refused
cp "$dir/good" "$last"; truncate -s 3G "$last"; check "one too large is refused" refused
cp "$dir/good" "$last"
train --db "$dir/whole.db" --resume 1 --steps $((steps + more)) --out "$dir/on.safetensors" >"$dir/on.ndjson" && code=0 || code=$?
check "and the good one still goes on (exit $code)" [ $code = 0 ]
exit $failed
