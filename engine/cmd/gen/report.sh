#!/bin/sh
# What the models do, measured by the program itself: pages with pictures and the lines of the bar.
#   report.sh MAESTRO OUT SEEDS [evaluate's options for all pages]
# SEEDS 0: the shipped model alone, and nothing is trained. Else so many trainings by the default command, and as many with faults, replayed
# side by side as one policy each. From the environment: PAGES="startup-30s unseen" makes those only, TRACES="nasa95_jul_week" plays those
# only; MODELS and CHAOS are folders of models that are there already, one .safetensors a seed.
set -eu
maestro=$1 out=$2 seeds=$3
shift 3
here=$(dirname "$0")
mkdir -p "$out"
export MAESTRO_DB="$out/runs.db" LC_ALL=C.UTF-8

joined() { # FOLDER: its models as one policy's word
	for file in "$1"/*.safetensors; do
		case $file in *.best.safetensors) ;; *) printf '%s,' "$file" ;; esac
	done | sed 's/,$//'
}
train() { # FOLDER OPTIONS: one training a seed, where there is none yet
	to=$1
	shift
	mkdir -p "$to"
	for seed in $(seq 1 "$seeds"); do
		[ -s "$to/$seed.safetensors" ] || "$maestro" train --headless --seed "$seed" --eval-every 0 --out "$to/$seed.safetensors" "$@" >/dev/null
	done
}

chaos_policy=
if [ "$seeds" -gt 0 ]; then
	models=${MODELS:-$out/models} chaos=${CHAOS:-$out/models-chaos}
	[ -n "${MODELS:-}" ] || train "$models"
	[ -n "${CHAOS:-}" ] || train "$chaos" --chaos .02
	policy=model:$(joined "$models") chaos_policy=model:$(joined "$chaos")
else
	policy=default seeds=2
fi

traces=
for trace in ${TRACES:-$(cd "$here/../../sim/traces" && ls -- *.csv)}; do
	traces="$traces --trace ${trace%.csv}"
done
unseen="--traffic step --traffic ramp --traffic spike --traffic diurnal:period=6h,length=2d --traffic flash --traffic onoff --traffic noise"

page() { # NAME TITLE OPTIONS
	name=$1 title=$2
	shift 2
	case " ${PAGES:-$name} " in *" $name "*) ;; *) return 0 ;; esac
	"$maestro" evaluate --seeds "$seeds" --name "report: $name" --json --format markdown --out "$out/$name.md" "$@" >"$out/$name.ndjson.new"
	mv "$out/$name.ndjson.new" "$out/$name.ndjson"
	printf '%s\n' "$title" >"$out/$name.title"
	echo "$out/$name.md"
}
few="--policy hpa-calibrated --policy model-based --policy $policy"
all="--policy hpa --policy hpa-calibrated --policy hpa-predictive --policy static --policy model-based --policy clairvoyant \
	--policy $policy --policy choice --policy model:$here/../../../tests/fixtures/sb3_ppo_seedlike.zip"

page startup-30s "Starts of 30 s" $traces --startup 30s --rails $all "$@"
page startup-90s "Starts of 90 s" $traces --startup 90s $all "$@"
page startup-10s "Starts of 10 s" $traces --startup 10s $few "$@"
page unseen "Made-up traffic that no model has seen, starts of 30 s" $unseen --startup 30s $few --policy clairvoyant --policy choice "$@"
if [ -n "$chaos_policy" ]; then
	for fault in none pod-kill cpu-stress network-delay metrics-outage neighbour; do
		given="--fault $fault:at=5m,every=20m"
		[ $fault != none ] || given=
		page "chaos-$fault" "Faults: $fault" $traces --startup 30s $given --policy hpa-calibrated --policy "$policy" --policy "$chaos_policy" "$@"
	done
fi
jq -rs --arg policy "$policy" --arg chaos "$chaos_policy" --arg version "$("$maestro" --version)" -f "$here/report.jq" $(for f in "$out"/*.ndjson; do
	jq -c --arg page "$(basename "$f" .ndjson)" '. + { page: $page }' "$f" >"$f.page"
	echo "$f.page"
done) >"$out/index.md"
rm -f "$out"/*.page
echo "$out/index.md"
