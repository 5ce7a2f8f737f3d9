"""Output files are whole or absent."""

import errno
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fastgumbel._cli import draws

SUFFIXES = pytest.mark.parametrize("suffix", [".npy", ".csv", ".parquet"])


def test_one_draw_has_no_axis_of_draws(choose, tmp_path, npy):
    choose(npy, "--out", tmp_path / "one.npy")
    choose(npy, "--draws", 2, "--out", tmp_path / "two.npy")
    one, two = np.load(tmp_path / "one.npy"), np.load(tmp_path / "two.npy")
    assert one.shape == (33,)
    assert two.shape == (2, 33)
    np.testing.assert_array_equal(one, two[0])


@pytest.mark.parametrize(("alternatives", "dtype"), [(1, "i1"), (128, "i1"), (129, "i2"), (32769, "i4")])
def test_smallest_type(choose, tmp_path, alternatives, dtype):
    table = np.zeros((1, alternatives), "f4")
    table[0, -1] = 1000
    np.save(tmp_path / "in.npy", table)
    choose(tmp_path / "in.npy", "--out", tmp_path / "out.npy")
    choices = np.load(tmp_path / "out.npy")
    assert choices.dtype == dtype
    assert choices.tolist() == [alternatives - 1]


@SUFFIXES
def test_existing_output_needs_force(choose, tmp_path, npy, suffix):
    out = tmp_path / f"out{suffix}"
    out.write_bytes(b"precious")
    refused = choose(npy, "--out", out)
    assert refused.code == 2
    assert refused.err == f"fastgumbel: error: {out}: exists already; --force replaces it\n"
    assert out.read_bytes() == b"precious"
    assert choose(npy, "--out", out, "--force").code == 0
    assert out.read_bytes() != b"precious"


def test_input_is_never_replaced(choose, tmp_path, npy):
    data = npy.read_bytes()
    os.link(npy, tmp_path / "alias.npy")
    assert "is the input" in choose(npy, "--out", tmp_path / "alias.npy", "--force").err
    assert npy.read_bytes() == data


def test_directory_is_never_replaced(choose, tmp_path, npy):
    (tmp_path / "out.npy").mkdir()
    assert "is a directory" in choose(npy, "--out", tmp_path / "out.npy", "--force").err


@SUFFIXES
def test_output_obeys_the_umask(choose, tmp_path, npy, suffix):
    before = os.umask(0o027)
    try:
        choose(npy, "--out", tmp_path / f"out{suffix}")
    finally:
        os.umask(before)
    assert (tmp_path / f"out{suffix}").stat().st_mode & 0o777 == 0o640


@SUFFIXES
@pytest.mark.parametrize("mode", [0o600, 0o664])
def test_a_file_that_is_replaced_keeps_its_mode(choose, tmp_path, npy, suffix, mode):
    out = tmp_path / f"out{suffix}"
    out.touch()
    out.chmod(mode)
    assert choose(npy, "--out", out, "--force").code == 0
    assert out.stat().st_size > 0
    assert out.stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("there", [False, True])
def test_a_link_is_followed(choose, tmp_path, npy, there):
    home, link = tmp_path / "elsewhere" / "choices.npy", tmp_path / "out.npy"
    home.parent.mkdir()
    if there:
        home.touch()
    link.symlink_to(home)
    assert choose(npy, "--out", link, "--force").code == 0
    assert link.is_symlink()
    assert np.load(home).shape == (33,)
    assert list(home.parent.iterdir()) == [home]


@SUFFIXES
def test_interrupt_leaves_nothing(choose, small_chunks, monkeypatch, tmp_path, npy, suffix):
    calls = []

    def interrupted(*arguments, **options):
        calls.append(len(list(tmp_path.glob(".*.part"))))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(*arguments, **options)

    original = draws.gumbel_max
    monkeypatch.setattr(draws, "gumbel_max", interrupted)
    outcome = choose(npy, "--out", tmp_path / f"out{suffix}")
    assert outcome == (130, "", "fastgumbel: interrupted\n")
    assert calls == [1, 1, 1]
    assert list(tmp_path.iterdir()) == [npy]


@SUFFIXES
def test_sigterm_leaves_nothing(choose, small_chunks, monkeypatch, tmp_path, npy, suffix):
    def terminated(*arguments, **options):
        assert len(list(tmp_path.glob(".*.part"))) == 2
        if callable(signal.getsignal(signal.SIGTERM)):  # as the signal would end the tests
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(draws, "gumbel_max", terminated)
    outs = tmp_path / f"out{suffix}", tmp_path / f"after{suffix}"
    with pytest.raises(SystemExit) as end:
        choose(npy, "--scenario", npy, "--out", outs[0], "--scenario-out", outs[1])
    assert end.value.code == 143
    assert list(tmp_path.iterdir()) == [npy]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_handlers_of_others_stay(choose, monkeypatch, tmp_path, npy):
    original, seen = draws.gumbel_max, []

    def look(*arguments, **options):
        seen.append(signal.getsignal(signal.SIGTERM))
        return original(*arguments, **options)

    monkeypatch.setattr(draws, "gumbel_max", look)
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        assert choose(npy, "--out", tmp_path / "out.npy").code == 0
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)
    assert set(seen) == {signal.SIG_IGN}


def test_another_thread_needs_no_signals(choose, tmp_path, npy):
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(choose, npy, "--out", tmp_path / "out.npy").result().code == 0


@SUFFIXES
@pytest.mark.parametrize("arm", ["--out", "--scenario-out"])
def test_full_disk_leaves_nothing(choose, tmp_path, npy, suffix, arm):
    resource = pytest.importorskip("resource")
    out = tmp_path / f"out{suffix}"
    run = [npy, "--scenario", npy, "--draws", 5000, arm, out]
    assert choose(*run).code == 0  # compiles, so that nothing else is written below
    out.unlink()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, hard))
    try:
        outcome = choose(*run)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert outcome == (2, "", f"fastgumbel: error: {out}: {os.strerror(errno.EFBIG)}\n")
    assert list(tmp_path.iterdir()) == [npy]


@SUFFIXES
def test_disk_that_is_found_full_at_the_end_leaves_nothing(choose, monkeypatch, tmp_path, npy, suffix):
    def full(number):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("fastgumbel._cli.output.os.fsync", full)
    out = tmp_path / f"out{suffix}"
    out.write_bytes(b"precious")
    outcome = choose(npy, "--out", out, "--force")
    assert outcome == (2, "", f"fastgumbel: error: {out}: {os.strerror(errno.ENOSPC)}\n")
    assert out.read_bytes() == b"precious"
    assert sorted(tmp_path.iterdir()) == [out, npy]


def test_full_temporary_directory(choose, monkeypatch, tmp_path):
    resource = pytest.importorskip("resource")
    text = tmp_path / "in.csv"
    text.write_text("a,b\n" + "1,2\n" * 10_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, hard))
    try:
        outcome = choose(text)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert outcome.code == 2
    assert outcome.err.startswith(f"fastgumbel: error: the temporary copy of {text} in ")
    assert outcome.err.endswith(f": {os.strerror(errno.EFBIG)}\n")
