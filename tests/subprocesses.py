"""Run Python with this source tree in front, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def environment(root=ROOT, **variables):
    """Return the environment of this process with the package of ``root`` in front; None removes a variable."""
    changed = {**os.environ, "PYTHONPATH": str(root), **variables}
    return {name: value for name, value in changed.items() if value is not None}


def _run(command, root, timeout, variables):
    done = subprocess.run(
        [sys.executable, "-W", "error", *command],
        env=environment(root, **variables),
        cwd=root,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def python(code, root=ROOT, **variables):
    """Run code and return what it prints; its warnings are errors."""
    return _run(["-c", code], root, 300, variables)


def program(module, *arguments, **variables):
    """Run a module of the tests and return the lines that it prints; its warnings are errors."""
    return _run(["-m", f"tests.{module}", *arguments], ROOT, 900, variables).split("\n")
