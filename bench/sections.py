"""Sections of the README and of the pages that scripts write, between two comments with the script's name."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "bench" / "pictures"


def replace_section(page: str, script: str, text: str) -> None:
    """Replace what a script wrote on a page; both are paths from the root of the repository."""
    path = ROOT / page
    begin, end = f"<!-- {script} -->", f"<!-- end of {script} -->"
    before, rest = path.read_text().split(begin)
    after = rest.split(end)[1]
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def machine(*packages: str) -> str:
    """Date, processor and versions, as a sentence."""
    found = []
    for name in packages:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"no {name}")
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        model = next((line.split(": ")[1] for line in cpuinfo.read_text().splitlines() if "model name" in line), model)
    date = datetime.date.today().isoformat()
    return f"{date}, {model}, {os.cpu_count()} processors, Python {platform.python_version()}, {', '.join(found)}."


def run_table(about: str | None, page: str, script: str, table: Callable[[int], str]) -> None:
    """The command line of a script with one table on a page, which takes a number of rounds."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--rounds", type=int, default=9, help="calls of each contender")
    parser.add_argument("--write", action="store_true", help="replace the table on the page")
    options = parser.parse_args()
    text = table(options.rounds)
    print(text)
    if options.write:
        replace_section(page, script, text)
