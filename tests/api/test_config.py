"""What ``show_config`` says."""

import platform

import numpy as np
import pytest

import fastgumbel
from fastgumbel._request import device


def test_it_prints_what_it_returns(capsys, threads):
    threads(3)
    config = fastgumbel.show_config("dicts")
    assert fastgumbel.show_config() is None
    printed = capsys.readouterr().out.splitlines()
    assert [line for line in printed if not line.startswith(" ")] == ["versions:", "cpu:", "cuda:", "cache:"]
    entries = [
        f"  {name}: {'-' if value is None else value}" for part in config.values() for name, value in part.items()
    ]
    assert [line for line in printed if line.startswith(" ")] == entries
    assert config["versions"]["numpy"] == np.__version__
    assert config["versions"]["python"] == platform.python_version()
    assert config["cpu"]["threads"] == 3
    assert config["cpu"]["vector_bits"] in (None, 128, 256, 512)


def missing():
    raise RuntimeError("no device here")


def test_cuda_is_touched_only_when_asked(monkeypatch):
    monkeypatch.setattr(device, "current", missing)
    assert "device" not in fastgumbel.show_config("dicts")["cuda"]
    assert fastgumbel.show_config("dicts", cuda=True)["cuda"]["device"] == "no device here"
    monkeypatch.setattr(device, "current", lambda: object())
    assert fastgumbel.show_config("dicts", cuda=True)["cuda"]["device"] is True


def test_an_unknown_mode():
    with pytest.raises(ValueError, match="mode must be 'stdout' or 'dicts', not 'json'"):
        fastgumbel.show_config("json")
