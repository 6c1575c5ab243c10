#!/bin/sh
# Files and environments that others read, proved with the others' own code: Stable-Baselines3, onnxruntime, TensorBoard,
# Gymnasium, in a virtual environment under the build folder. Says skip where Python or the packages cannot be had.
#   run.sh BUILD [NAME]     only scripts whose name contains NAME
set -u
cd "$(dirname "$0")/../.."
build=$1 pick=${2:-}
venv=$build/interop/venv
packages="stable-baselines3==2.9.2 sb3-contrib==2.9.2 gymnasium onnx onnxruntime tensorboard"
mkdir -p "$build/interop"

skip() { echo "skip interop: $1"; echo "0 passed, 0 failed, 1 skipped"; exit 0; }
command -v python3 >/dev/null || skip "no python3"
if [ "$(cat "$venv/ready" 2>/dev/null)" != "$packages" ]; then
	echo "setting up $venv: $packages (once; some 5 GB, most of it torch's)" >&2
	python3 -m venv "$venv" >"$build/interop/setup.log" 2>&1 || skip "python3 -m venv failed, see $build/interop/setup.log"
	"$venv/bin/pip" install -q $packages >>"$build/interop/setup.log" 2>&1 ||
		skip "the packages cannot be installed, see $build/interop/setup.log"
	echo "$packages" >"$venv/ready"
fi
export MAESTRO_TEST_BUILD=$build MAESTRO_SIM_LIB=$build/libmaestro_sim.so CUDA_VISIBLE_DEVICES= PYTHONDONTWRITEBYTECODE=1
passed=0 failed=0
for script in tests/interop/*.py; do
	name=$(basename "$script" .py)
	case $name in common|maestro_gym) continue ;; esac
	case $name in *$pick*) ;; *) continue ;; esac
	out=$build/interop/$name.txt
	"$venv/bin/python" -W ignore "$script" >"$out" 2>"$build/interop/$name.err"
	status=$?
	cat "$out"
	p=$(grep -c '^ok ' "$out") f=$(grep -c '^not ok ' "$out")
	if [ $status != 0 ] && [ "$f" = 0 ]; then
		echo "not ok $name ends (exit $status)"
		tail -n 15 "$build/interop/$name.err"
		f=1
	fi
	passed=$((passed + p)) failed=$((failed + f))
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
