"""How many processors the control groups of this process pay for: Linux's way to limit a container."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath


def cpu_quota(root: Path = Path("/")) -> int | None:
    """Least CPU quota of this process's control groups and of all above them, in whole processors; None if unlimited.

    Both versions of control groups are read, as a system can have the two. `root` is where ``proc`` is found.
    """
    quotas = (_quota(group, version) for version, group in _groups(root))
    return min((quota for quota in quotas if quota is not None), default=None)


def _groups(root: Path) -> Iterator[tuple[int, Path]]:
    """Yield the version and the folder of each control group that can limit processors, from the process's own up."""
    own = _own_paths(_read(root / "proc/self/cgroup"))
    for version, top, mount in _mounts(_read(root / "proc/self/mountinfo")):
        path = own.get(version)
        if path is None:
            continue
        # What is mounted is the tree below `top`. A process outside it sees no more than the mount itself.
        below = path.relative_to(top) if path.is_relative_to(top) else PurePosixPath()
        folder = root / mount.relative_to("/")
        for part in (below, *below.parents):
            if ".." not in part.parts:
                yield version, folder / part


def _own_paths(text: str) -> dict[int, PurePosixPath]:
    """Read ``/proc/self/cgroup``, lines of "number:controllers:path", by the version of control groups.

    Examples
    --------
    >>> _own_paths("4:cpu,cpuacct:/a" + chr(10) + "0::/b")
    {1: PurePosixPath('/a'), 2: PurePosixPath('/b')}
    """
    paths = {}
    for line in text.splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if "cpu" in controllers.split(","):
            paths[1] = PurePosixPath(path)
        elif number == "0" and not controllers:
            paths[2] = PurePosixPath(path)
    return paths


def _mounts(text: str) -> Iterator[tuple[int, PurePosixPath, PurePosixPath]]:
    """Read ``/proc/self/mountinfo``: yield version, mounted part and place of each tree of control groups."""
    for line in text.splitlines():
        mount, _, kind = line.partition(" - ")
        places, what = mount.split(), kind.split()
        if len(places) < 5 or not what:
            continue
        if what[0] == "cgroup2":
            version = 2
        elif what[0] == "cgroup" and "cpu" in what[-1].split(","):
            version = 1
        else:
            continue
        yield version, PurePosixPath(places[3]), PurePosixPath(places[4])


def _quota(group: Path, version: int) -> int | None:
    """Quota of one group, rounded up to whole processors; None if it has none."""
    if version == 2:
        words = _read(group / "cpu.max").split()
    else:
        words = [_read(group / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period")]
    try:
        quota, period = map(int, words)
    except ValueError:
        return None  # "max", or not there
    return -(-quota // period) if quota > 0 and period > 0 else None


def _read(path: Path) -> str:
    """Text of a file, empty if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
