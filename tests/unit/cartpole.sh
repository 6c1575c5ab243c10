#!/bin/sh
# A slice of CartPole-v1 at the tuned setting, against what Stable-Baselines3 does over many seeds (means of 20 greedy
# episodes): at 4,096 steps it has learnt something and not all (SB3: 40 to 440), from 61,440 on it balances (SB3: 500;
# Gymnasium calls 475 solved).
set -u
program=$MAESTRO_TEST_BUILD/tests/cartpole
lines=$(for seed in 0 1 2; do "$program" --preset tuned --seed $seed --steps 100000; done)
mean() { # LEAST MOST: over the lines at so many steps
	printf '%s\n' "$lines" | awk -F, -v least="$1" -v most="$2" '$1 >= least && $1 <= most { sum += $2; n++ } END { print n ? sum / n : "none" }'
}
status=0
claim() { # NAME MEAN LEAST MOST
	if awk -v x="$2" -v least="$3" -v most="$4" 'BEGIN { exit !(x + 0 >= least && x + 0 <= most) }'; then echo "ok $1"
	else echo "not ok $1 (mean $2)"; status=1; fi
}
claim early_return_is_in_the_band "$(mean 4096 4096)" 60 440
claim late_policy_balances "$(mean 61440 200000)" 475 500
exit $status
