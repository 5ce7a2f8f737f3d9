"""`show_config`: what a report of a fault, or of a time, should say."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal, overload

from fastgumbel._host import threads as _threads
from fastgumbel._numba.compile import cache_directory
from fastgumbel._numba.machine import processor
from fastgumbel._request import device
from fastgumbel._request.checks import choice_of
from fastgumbel._version import __version__

_PACKAGES = ("numpy", "numba", "llvmlite")
_CUDA_PACKAGES = ("numba-cuda", "cuda-bindings", "nvidia-nvjitlink", "nvidia-nvvm")


@overload
def show_config(mode: Literal["stdout"] = "stdout", *, cuda: bool = False) -> None: ...


@overload
def show_config(mode: Literal["dicts"], *, cuda: bool = False) -> dict[str, dict[str, Any]]: ...


def show_config(mode: Literal["stdout", "dicts"] = "stdout", *, cuda: bool = False) -> dict[str, dict[str, Any]] | None:
    """Show versions, threads, processor, CUDA, and where machine code is kept.

    Parameters
    ----------
    mode : {"stdout", "dicts"}, optional
        Print it, or return it.
    cuda : bool, optional
        Also look for a device, which loads CUDA support if it is installed. Without it, CUDA is not touched.

    Returns
    -------
    dict of dicts, or None
        With ``"dicts"``, by heading:

        - ``"versions"``: of fastgumbel, Python, NumPy, Numba and llvmlite;
        - ``"cpu"``: the ``"target"`` and the ``"name"`` of the processor that kernels are compiled for (Numba's
          ``NUMBA_CPU_NAME``), the bits of its vector registers, ``"vector_bits"``, None where the name alone does not
          tell, ``"threads"``, as `get_num_threads` gives them, and ``"threads_from"``, what decided it:
          ``"set_num_threads"``, an environment variable by name, ``"processors"``, ``"affinity mask"`` or
          ``"CPU quota"``; or None, and what is wrong with ``FASTGUMBEL_NUM_THREADS``;
        - ``"cuda"``: versions of what the extra ``cuda`` installs, None for what is missing; with `cuda` also
          ``"device"``, True or why there is none;
        - ``"cache"``: the ``"directory"`` of machine code (Numba's ``NUMBA_CACHE_DIR``), None where none can be
          written, so that every process compiles anew.

    Raises
    ------
    ValueError
        If `mode` is neither of the two.

    Examples
    --------
    >>> import fastgumbel as fg
    >>> config = fg.show_config("dicts")
    >>> list(config)
    ['versions', 'cpu', 'cuda', 'cache']
    >>> config["versions"]["fastgumbel"] == fg.__version__
    True
    """
    choice_of(mode, "mode", ("stdout", "dicts"))
    config = _config(cuda)
    if mode == "dicts":
        return config
    for heading, entries in config.items():
        print(f"{heading}:")
        for name, value in entries.items():
            print(f"  {name}: {'-' if value is None else value}")
    return None


def _config(cuda: bool) -> dict[str, dict[str, Any]]:
    target, name, bits = processor()
    versions = {"fastgumbel": __version__, "python": platform.python_version(), **_versions(_PACKAGES)}
    threads: dict[str, Any] = {"threads": None}
    try:
        threads["threads"], threads["threads_from"] = _threads.thread_limit()
    except ValueError as error:
        threads["threads_from"] = str(error)
    cpu = {"target": target, "name": name, "vector_bits": bits, **threads}
    there: dict[str, Any] = _versions(_CUDA_PACKAGES)
    if cuda:
        there["device"] = _found_device()
    return {"versions": versions, "cpu": cpu, "cuda": there, "cache": {"directory": cache_directory()}}


def _versions(packages: tuple[str, ...]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def _found_device() -> bool | str:
    try:
        device.current()
    except (ImportError, RuntimeError) as missing:
        return str(missing)
    return True
