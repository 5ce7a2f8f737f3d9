#!/usr/bin/env bash
# The frozen bits on 64-bit Arm, under Debian's emulator, on Debian 12 with Python 3.11; nothing but its packages is
# installed. Takes a folder to work in, of about 1 GB, and, as a second argument, `every` to run every function too.
#
#     apt-get install qemu-user-static debootstrap unzip
#     bench/arm64.sh /tmp/arm64 every
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
work=$1
mkdir -p "$work/wheels" "$work/site"
if [ ! -d "$work/debian" ]; then
    debootstrap --arch=arm64 --foreign --variant=minbase --include=python3,libstdc++6 bookworm "$work/debian"
    for package in "$work"/debian/var/cache/apt/archives/*.deb; do
        dpkg-deb -x "$package" "$work/debian"
    done
    python3 -m pip download --quiet --only-binary=:all: --python-version 3.11 --dest "$work/wheels" \
        --platform manylinux_2_27_aarch64 --platform manylinux_2_28_aarch64 --platform manylinux2014_aarch64 numba
    for wheel in "$work"/wheels/*.whl; do
        unzip -qo "$wheel" -d "$work/site"
    done
fi
cd "$root"
PYTHONPATH="$root:$work/site" PYTHONDONTWRITEBYTECODE=1 NUMBA_CACHE_DIR="$work/cache" \
    qemu-aarch64-static -L "$work/debian" "$work/debian/usr/bin/python3.11" -m tests.faults.frozen "${@:2}"
