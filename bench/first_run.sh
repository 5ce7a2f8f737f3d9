#!/usr/bin/env bash
# All that only a GPU can tell, in less than ten minutes, on a machine where nothing can be installed: what is there,
# bits beside the CPU's, first calls, the host's time a call, equality, streams, other libraries, large arrays, and the
# benchmark.
#
# The machine has a driver, and a Python with NumPy, Numba, pytest and hypothesis; pytest-xdist makes equality quicker,
# and CuPy and PyTorch take part if they are there. What it lacks of numba-cuda is brought as wheels, made where there is
# a network, for the machine's Python, here 3.12:
#
#     python3 -m pip download --no-deps --only-binary=:all: --python-version 3.12 --implementation cp \
#         --platform manylinux_2_28_x86_64 --platform manylinux_2_24_x86_64 --platform manylinux2014_x86_64 \
#         --dest .wheels numba-cuda==0.30.4
#
# Name `cuda-bindings`, `cuda-core` and `cuda-pathfinder` as well where those are missing; and where there is no CUDA
# toolkit, `nvidia-nvvm`, `nvidia-nvjitlink` and `nvidia-cuda-nvrtc`, all of one version that is not newer than the
# driver's (`nvidia-smi` says which; for CUDA 13.0 that is 13.0.88).
#
#     bench/first_run.sh [folder of wheels, .wheels by default]
#
# It leaves `log.txt` with all output, as it comes, and `summary.txt` with a line a part, in $OUT, build/first_run by
# default. A part that fails or runs out of time does not stop the next; the status is 0 if all went well. Besides,
# PYTHON says which Python runs, and FIRST_RUN_SECONDS how many seconds all parts have together.
set -uo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
wheels=$(realpath -m "${1:-$root/.wheels}")
out=$(realpath -m "${OUT:-$root/build/first_run}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$out" "$scratch/site" && cd "$root" || exit 1
log=$out/log.txt summary=$out/summary.txt
: >"$log" && : >"$summary" || exit 1
python=${PYTHON:-python3}

# Seconds for all parts together: ten minutes, less what it takes to stop the last one.
total=${FIRST_RUN_SECONDS:-560}
failures=0

# By these signals a part is stopped: Python says where it was, pytest also what has failed till then.
stop=ABRT

# Run a command as a part: its name, its limit in seconds, the command.
part() {
    local name=$1 limit=$2 left=$((total - SECONDS)) begin=$SECONDS result
    shift 2
    [ "$left" -ge "$limit" ] || limit=$left
    printf '\n== %s ==\n' "$name" | tee -a "$log"
    status=124
    if [ "$limit" -gt 0 ]; then
        timeout --signal="$stop" --kill-after=10 "$limit" "$@" 2>&1 </dev/null | tee -a "$log"
        status=${PIPESTATUS[0]}
    fi
    case $status in
        0) result=ok ;;
        124 | 137) result='out of time' ;;
        *) result=failed ;;
    esac
    [ "$status" -eq 0 ] || failures=$((failures + 1))
    echo "$name: $result, $((SECONDS - begin)) s" >>"$summary"
}

finish() {
    printf '\n== summary ==\n' | tee -a "$log"
    tee -a "$log" <"$summary"
    [ "$failures" -eq 0 ]
    exit
}

export PYTHONUNBUFFERED=1 PYTHONFAULTHANDLER=1 NUMBA_CACHE_DIR=$scratch/cache
ulimit -c 0

if compgen -G "$wheels/*.whl" >/dev/null; then
    part wheels 40 "$python" -m pip install --quiet --no-index --no-deps --no-compile --no-cache-dir \
        --disable-pip-version-check --target "$scratch/site" "$wheels"/*.whl
else
    echo "no wheels in $wheels: what is installed is used" | tee -a "$log"
fi
cp bench/first_run_site.py "$scratch/site/sitecustomize.py"
export PYTHONPATH=$scratch/site:$root
# Numba-cuda looks for libraries where packages are installed and where the loader looks; for libdevice in CUDA_HOME.
if [ -d "$scratch/site/nvidia/cu13" ]; then
    export CUDA_HOME=$scratch/site/nvidia/cu13
    export LD_LIBRARY_PATH=$CUDA_HOME/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
elif [ -z "${CUDA_HOME:-}" ] && [ -d /usr/local/cuda ]; then
    export CUDA_HOME=/usr/local/cuda
fi

part machine 40 "$python" bench/device_machine.py
if [ "$status" -eq 3 ]; then
    echo 'the other parts: not run, they need a GPU' >>"$summary"
    finish
fi
part smoke 150 "$python" bench/device_smoke.py
part 'host time' 60 "$python" bench/device_host_time.py

# What is missing is a failure here. Other libraries warn of each other, which the suite is not about.
export FASTGUMBEL_REQUIRE_DEVICE=1
tests=("$python" -m pytest -p no:cacheprovider -p no:benchmark -o faulthandler_timeout=20 -W default -q
    --durations=5)
spread=()
if "$python" -c 'import xdist' >/dev/null 2>&1; then
    # Each process compiles for itself, and so takes tests that lie together, mostly of the same kernels.
    processes=$(nproc)
    spread=(-n "$((processes < 12 ? processes : 12))" --dist worksteal)
fi
stop=INT part equality 90 "${tests[@]}" "${spread[@]}" tests/device/test_equality.py
stop=INT part streams 30 "${tests[@]}" tests/device/test_streams.py
stop=INT part 'other libraries' 30 "${tests[@]}" tests/device/test_interop.py
stop=INT part 'large arrays' 40 "${tests[@]}" tests/device/test_large.py
# It takes what is left.
part benchmark "$total" "$python" bench/device.py --rounds 5
finish
