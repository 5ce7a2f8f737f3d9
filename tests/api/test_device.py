"""Device arrays are told from others, and what is missing is said once and clearly; no CUDA is needed for this."""

import importlib
import re
from importlib.metadata import version

import numpy as np
import pytest

import fastgumbel
from fastgumbel._request.device import interface_of, is_device
from tests.subprocesses import python


class Array:
    """Stands for a device array of the address 256."""

    __cuda_array_interface__ = {"shape": (4,), "typestr": "<f8", "data": (256, False), "version": 3}  # noqa: RUF012


def test_device_arrays_have_the_interface():
    assert is_device(Array())
    assert not is_device(np.zeros(3))
    assert not is_device([1.0])
    assert not is_device(None)


def test_without_the_extra_an_error_says_what_to_install(monkeypatch):
    def missing(name):
        raise OSError("libnvvm.so is missing")

    gumbel = fastgumbel.gumbel  # it is loaded by `import_module`, too
    monkeypatch.setattr(importlib, "import_module", missing)
    message = r"pip install 'fastgumbel\[cuda\]', or .*\), which does not load: OSError: libnvvm.so is missing"
    with pytest.raises(ImportError, match=message) as caught:
        gumbel(4, rng=1, out=Array())
    assert isinstance(caught.value.__cause__, OSError)


def test_without_a_driver_an_error_says_so(monkeypatch):
    device = pytest.importorskip("fastgumbel._cuda.device", reason="numba-cuda is not installed", exc_type=ImportError)
    monkeypatch.setattr(device.seam.cuda, "is_available", lambda: False)
    monkeypatch.setattr(device.seam, "why_missing", lambda: "no such library")
    with pytest.raises(RuntimeError, match=r"driver and device.*\(no such library\).*look at the driver"):
        fastgumbel.gumbel(4, rng=1, out=Array())


class Grad:
    """Stands for a tensor of PyTorch that requires grad, and refuses its interface for that."""

    requires_grad = True

    @property
    def __cuda_array_interface__(self):
        raise RuntimeError("Can't get __cuda_array_interface__ on Variable that requires grad.")


class Broken(Grad):
    """Stands for an array whose interface fails for another reason."""

    requires_grad = False


def test_arrays_that_refuse_their_interface_are_named():
    assert is_device(Grad())
    with pytest.raises(TypeError, match=r"^out must not require grad: pass out.detach\(\)$"):
        interface_of(Grad(), "out")
    with pytest.raises(TypeError, match=r"^out gives no CUDA array interface: Can't get"):
        interface_of(Broken(), "out")
    with pytest.raises(TypeError, match=r"^out must not require grad: pass out.detach\(\)$"):
        fastgumbel.gumbel(4, rng=1, out=Grad())


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("categories", lambda x: fastgumbel.NoiseField(1).at(categories=x)),
        ("rows", lambda x: fastgumbel.NoiseField(1).at(rows=x)),
        ("step", fastgumbel.anneal.constant(1.0)),
        ("log_potentials", lambda x: fastgumbel.perturb(x, rng=1)),
        ("log_potentials", lambda x: fastgumbel.gumbel_above(x, rng=1)),
        ("log_potentials", lambda x: fastgumbel.log_partition(x, 10, rng=1)),
        ("log_potentials", lambda x: fastgumbel.Reservoir(1, rng=1).update(x)),
    ],
)
def test_what_comes_from_the_host_alone(name, call):
    with pytest.raises(TypeError, match=f"^{name} must not be a device array here: copy it to the host$"):
        call(Array())


@pytest.mark.parametrize(
    ("name", "tau", "options"),
    [("where", 1.0, {"where": Array()}), ("noise", 1.0, {"noise": Array()}), ("tau", Array(), {})],
)
def test_what_goes_with_log_potentials_on_the_host(name, tau, options):
    with pytest.raises(
        TypeError, match=f"^{name} must not be .* copy it to the host, or put log_potentials beside it$"
    ):
        fastgumbel.gumbel_softmax(np.zeros(4), tau, **options)


def test_a_numpy_that_numba_cuda_cannot_use_is_named():
    """The oldest release that the extra takes asks NumPy for a name that NumPy 2.5 has no more."""
    pytest.importorskip("numba_cuda", reason="numba-cuda is not installed")
    if version("numba-cuda") != "0.30.4":
        pytest.skip("a later numba-cuda")
    code = """
import numpy, fastgumbel
vars(numpy).pop("row_stack", None)
class Array:
    __cuda_array_interface__ = {"shape": (4,), "typestr": "<f8", "data": (256, False), "version": 3}
try:
    fastgumbel.gumbel(4, rng=1, out=Array())
except ImportError as error:
    print(error)
"""
    assert re.search(r"numba-cuda 0\.30\.4 uses np.row_stack, which NumPy .*: pip install 'numpy<2\.5'", python(code))
