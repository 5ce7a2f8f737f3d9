"""Sections of the README and of the pages that scripts write, between two comments with the script's name."""

from __future__ import annotations

import datetime
import os
import platform
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
