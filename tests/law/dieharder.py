"""Runs Robert G. Brown's dieharder on streams of 32-bit words."""

import contextlib
import re
import shutil
import subprocess

COMMAND = shutil.which("dieharder")
MISSING = "dieharder is not installed: `apt-get install dieharder` on Debian and Ubuntu"

# Numbers and tuple lengths: those that dieharder calls good and that end within a minute.
TESTS = (*((n, None) for n in (0, 3, 4, 8, 10, 11, 12, 13, 15, 100, 102, 202, 204, 205, 206, 207, 208)), (200, 8))


def p_values(read, number, length=None):
    """Return the p-values of one test, by name; ``read(first, n)`` gives words from the n positions after ``first``."""
    command = [COMMAND, "-g", "200", "-d", str(number), *(["-n", str(length)] if length else [])]
    command += ["-c", ",", "-D", "test_name", "-D", "ntuple", "-D", "pvalues"]
    first, chunk = 0, 2**16
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        with contextlib.suppress(BrokenPipeError):
            while process.poll() is None:
                process.stdin.write(read(first, chunk).tobytes())
                first += chunk
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        output = process.stdout.read().decode()
    lines = re.findall(r"^\s*(\w+),\s*(\d+),\s*([\d.]+)\s*$", output, re.MULTILINE)
    if not lines:
        raise RuntimeError(f"`{' '.join(command)}` gave no p-values, but {output!r}")
    return {f"{name} {ntuple}, {k}": float(p) for k, (name, ntuple, p) in enumerate(lines)}


def version():
    """Return the version that is installed."""
    listing = subprocess.run([COMMAND, "-l"], capture_output=True, text=True).stdout
    return re.search(r"version ([\d.]+)", listing)[1]
