"""What limits the number of threads where nobody has said it; control groups are files of a made-up tree."""

import os

import pytest

import fastgumbel as fg
from fastgumbel._host import limits, threads
from fastgumbel._host.quota import cpu_quota
from tests.subprocesses import python

V2 = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
OTHERS = (
    "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
    "34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\n"
    "35 31 0:32 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n"
    "\n- \n1 2 3\n"
)
VARIABLES = ("FASTGUMBEL_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "LOKY_MAX_CPU_COUNT")


@pytest.fixture
def tree(tmp_path):
    """Return a function that writes files of a made-up system and gives its CPU quota."""

    def quota(own, mounts, **files):
        files = {"proc/self/cgroup": own, "proc/self/mountinfo": OTHERS + mounts} | files
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return cpu_quota(tmp_path)

    return quota


def v2(**quotas):
    """Return files of version 2, by group; a double underscore is a slash."""
    return {f"sys/fs/cgroup/{group.replace('__', '/')}/cpu.max": text for group, text in quotas.items()}


def v1(group, quota, period="100000\n"):
    """Return the files of a group of version 1."""
    folder = f"sys/fs/cgroup/cpu,cpuacct/{group}"
    return {f"{folder}/cpu.cfs_quota_us": quota, f"{folder}/cpu.cfs_period_us": period}


@pytest.mark.parametrize(
    ("text", "processors"),
    [
        ("200000 100000\n", 2),
        ("150000 100000\n", 2),
        ("100001 100000\n", 2),
        ("100000 100000\n", 1),
        ("1000 100000\n", 1),
        ("50000 10000\n", 5),
        ("max 100000\n", None),
        ("", None),
        ("100000", None),
        ("100000 0\n", None),
        ("-1 100000\n", None),
        ("many 100000\n", None),
    ],
)
def test_a_quota_is_rounded_up(tree, text, processors):
    assert tree("0::/\n", V2, **{"sys/fs/cgroup/cpu.max": text}) == processors


@pytest.mark.parametrize(
    ("quotas", "processors"),
    [
        ({"a": "300000 100000", "a__b": "200000 100000", "a__b__c": "max 100000"}, 2),
        ({"a": "100000 100000", "a__b": "200000 100000", "a__b__c": "400000 100000"}, 1),
        ({"a__b__c": "400000 100000"}, 4),
        ({"a__b__c__d": "100000 100000", "z": "100000 100000"}, None),
        ({}, None),
    ],
)
def test_the_least_quota_up_to_the_root_wins(tree, quotas, processors):
    assert tree("0::/a/b/c\n", V2, **v2(**quotas)) == processors


def test_a_container_may_see_only_its_own_part_of_the_tree(tree):
    """Its path is the machine's, while what is mounted begins at its own group."""
    mount = V2.replace("0:26 / ", "0:26 /docker/1f ")
    assert tree("0::/docker/1f/app\n", mount, **v2(app="200000 100000", docker="100000 100000")) == 2


@pytest.mark.parametrize("own", ["/../other", "/..", "/elsewhere/b"])
def test_of_a_group_outside_what_is_mounted_the_top_counts(tree, own):
    mount = V2.replace("0:26 / ", "0:26 /docker/1f ") if own.startswith("/e") else V2
    files = {"sys/fs/cgroup/cpu.max": "300000 100000", "sys/fs/other/cpu.max": "100000 100000"}
    assert tree(f"0::{own}\n", mount, **files) == 3


@pytest.mark.parametrize(
    ("quota", "processors"), [("250000\n", 3), ("-1\n", None), ("0\n", None), ("", None), ("x\n", None)]
)
def test_version_1(tree, quota, processors):
    own = "12:cpuset:/\n4:cpu,cpuacct:/docker/1f\n1:name=systemd:/docker/1f\n"
    mount = V1.replace("0:30 / ", "0:30 /docker/1f ")
    assert tree(own, mount, **v1("", quota)) == processors
    assert tree(own, mount, **v1("", quota, "")) is None


def test_version_1_has_limits_above_too(tree):
    assert tree("4:cpu,cpuacct:/a/b\n", V1, **v1("a", "200000"), **v1("a/b", "-1")) == 2


def test_both_versions_at_once(tree):
    own = "4:cpu,cpuacct:/a\n0::/b\n"
    assert tree(own, V1 + V2.replace("/sys/fs/cgroup", "/sys/fs/cgroup/unified"), **v1("a", "300000")) == 3
    assert tree(own, V1 + V2, **v1("a", "300000"), **v2(b="200000 100000")) == 2


def test_a_system_without_control_groups(tmp_path):
    assert cpu_quota(tmp_path) is None


@pytest.fixture
def machine(monkeypatch):
    """Return a function that makes up the machine and gives the limit on threads of a process that starts on it."""
    monkeypatch.setattr(threads, "_chosen", None)

    def limit(processors=16, mask=16, quota=None, **variables):
        for name in VARIABLES:
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(os, "cpu_count", lambda: processors)
        monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(mask)), raising=False)
        monkeypatch.setattr(limits, "cpu_quota", lambda: quota)
        limits.usual_limit.cache_clear()
        found = threads.thread_limit()
        assert fg.get_num_threads() == found.threads
        return tuple(found)

    yield limit
    limits.usual_limit.cache_clear()


def test_the_lowest_limit_decides(machine):
    assert machine() == (16, "processors")
    assert machine(processors=None, mask=1) == (1, "processors")
    assert machine(mask=8) == (8, "affinity mask")
    assert machine(mask=8, quota=3) == (3, "CPU quota")
    assert machine(mask=8, quota=12) == (8, "affinity mask")
    assert machine(mask=8, quota=3, NUMBA_NUM_THREADS="2") == (2, "NUMBA_NUM_THREADS")
    assert machine(quota=3, NUMBA_NUM_THREADS="4", OMP_NUM_THREADS="2") == (2, "OMP_NUM_THREADS")
    assert machine(OMP_NUM_THREADS=" 4 , 2") == (4, "OMP_NUM_THREADS")
    assert machine(OMP_NUM_THREADS="8", LOKY_MAX_CPU_COUNT="5") == (5, "LOKY_MAX_CPU_COUNT")
    assert machine(NUMBA_NUM_THREADS="64", OMP_NUM_THREADS="64", LOKY_MAX_CPU_COUNT="64") == (16, "processors")


def test_a_system_without_affinity(machine, monkeypatch):
    machine()
    monkeypatch.delattr(os, "sched_getaffinity")
    limits.usual_limit.cache_clear()
    assert threads.thread_limit() == (16, "processors")


@pytest.mark.parametrize("value", ["", " ", "0", "00", "-1", "two", "1.5", "1_0", "\u0662", ",2", "9" * 5000])
def test_what_is_no_number_in_variables_of_others_is_ignored(machine, value):
    assert machine(NUMBA_NUM_THREADS=value, OMP_NUM_THREADS=value, LOKY_MAX_CPU_COUNT=value) == (16, "processors")


def test_what_is_said_to_the_package_wins_over_all(machine):
    others = {"NUMBA_NUM_THREADS": "2", "OMP_NUM_THREADS": "2", "LOKY_MAX_CPU_COUNT": "2"}
    assert machine(quota=1, FASTGUMBEL_NUM_THREADS="20", **others) == (20, "FASTGUMBEL_NUM_THREADS")
    fg.set_num_threads(30)
    assert threads.thread_limit() == (30, "set_num_threads")


def test_show_config_says_what_decided(machine):
    machine(quota=3)
    cpu = fg.show_config("dicts")["cpu"]
    assert (cpu["threads"], cpu["threads_from"]) == (3, "CPU quota")


def test_show_config_shows_a_bad_variable(machine, monkeypatch):
    monkeypatch.setenv("FASTGUMBEL_NUM_THREADS", "many")
    cpu = fg.show_config("dicts")["cpu"]
    assert cpu["threads"] is None
    assert cpu["threads_from"] == "FASTGUMBEL_NUM_THREADS must be a whole number of at least 1, not 'many'"


def test_limits_are_looked_for_once(machine, monkeypatch):
    machine(quota=3)
    monkeypatch.setattr(limits, "cpu_quota", lambda: pytest.fail("looked again"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert fg.get_num_threads() == 3


CHILD = """
import multiprocessing, os
import fastgumbel

def child(i):
    os.environ["OMP_NUM_THREADS"] = "1"
    return fastgumbel.get_num_threads()

if __name__ == "__main__":
    from fastgumbel._host import limits
    limits.cpu_quota = lambda: 7
    os.cpu_count = lambda: 8
    os.sched_getaffinity = lambda process: set(range(8))
    print(fastgumbel.get_num_threads())
    with multiprocessing.get_context("fork").Pool(1) as pool:
        print(pool.map(child, [0])[0])
    print(fastgumbel.get_num_threads())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_looks_for_its_own_limits():
    assert python(CHILD, **dict.fromkeys(VARIABLES)).split() == ["7", "1", "7"]
