"""What the tests on CUDA need of a machine: where it is missing they are skipped, and a broken installation fails.

With ``FASTGUMBEL_REQUIRE_DEVICE=1`` what is missing fails as well: for a machine that should have it, where a run that
skipped everything must not look like one that passed.
"""

import contextlib
import importlib.util
import os

from fastgumbel._request import device

# What kernels are compiled with.
_TOOLKIT = ("nvvm", "nvrtc", "nvJitLink")


def missing_device():
    """Return why there is no GPU to run on, None if there is one; an installation that does not work is raised."""
    if not _is_installed():
        return "numba-cuda is not installed: pip install 'fastgumbel[cuda]'"
    try:
        device.current()
    except RuntimeError as missing:
        return str(missing)
    return None


def missing_toolkit():
    """Return why kernels cannot be compiled, None if they can, be there a GPU or not; raises like `missing_device`."""
    if not _is_installed():
        return "numba-cuda is not installed: pip install 'fastgumbel[cuda-test]'"
    from cuda import pathfinder

    for name in _TOOLKIT:
        try:
            pathfinder.load_nvidia_dynamic_lib(name)
        except pathfinder.DynamicLibNotFoundError:
            return f"numba-cuda is installed, but its toolkit has no {name}: pip install 'fastgumbel[cuda-test]'"
    with contextlib.suppress(RuntimeError):
        device.current()
    return None


def skip_if(missing):
    """Skip a test, or a module that is being imported, for a reason; None is no reason."""
    import pytest  # here, as scripts in bench/ use the rest without pytest

    if missing is not None:
        if os.environ.get("FASTGUMBEL_REQUIRE_DEVICE", "0") not in ("", "0"):
            pytest.fail(f"FASTGUMBEL_REQUIRE_DEVICE is set, but {missing}", pytrace=False)
        pytest.skip(missing, allow_module_level=True)


def _is_installed():
    # Numba has a `numba.cuda` of its own, so this package is what tells.
    return importlib.util.find_spec("numba_cuda") is not None
