"""Device arrays are told from others, and what is missing is said once and clearly; no CUDA is needed for this."""

import importlib

import numpy as np
import pytest

import fastgumbel
from fastgumbel import _device


class Array:
    """Stands for a device array of the address 256."""

    __cuda_array_interface__ = {"shape": (4,), "typestr": "<f8", "data": (256, False), "version": 3}  # noqa: RUF012


def test_device_arrays_have_the_interface():
    assert _device.is_device(Array())
    assert not _device.is_device(np.zeros(3))
    assert not _device.is_device([1.0])
    assert not _device.is_device(None)


def test_without_the_extra_an_error_says_what_to_install(monkeypatch):
    def missing(name):
        raise OSError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ImportError, match=r"pip install 'fastgumbel\[cuda\]'"):
        fastgumbel.gumbel(4, rng=1, out=Array())


def test_without_a_driver_an_error_says_so(monkeypatch):
    class Seam:
        class cuda:
            is_available = staticmethod(lambda: False)

    monkeypatch.setattr(importlib, "import_module", lambda name: Seam)
    with pytest.raises(RuntimeError, match=r"NVIDIA driver and device.*pip install 'fastgumbel\[cuda\]'"):
        fastgumbel.gumbel(4, rng=1, out=Array())


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("categories", lambda x: fastgumbel.NoiseField(1).at(categories=x)),
        ("rows", lambda x: fastgumbel.NoiseField(1).at(rows=x)),
        ("step", fastgumbel.anneal.constant(1.0)),
        ("log_potentials", lambda x: fastgumbel.perturb(x, rng=1)),
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


class FakeStream:
    """A stream that records what it waits for."""

    def __init__(self, log, handle):
        self.log, self.handle = log, handle


class FakeCuda:
    """The few names of CUDA by which streams are ordered."""

    def __init__(self):
        self.log = []
        self.cuda = self

    def external_stream(self, handle):
        """Give the stream of a handle."""
        return FakeStream(self.log, handle)

    def event(self, timing):
        """Give an event."""
        assert not timing
        log = self.log

        class Event:
            def record(self, stream):
                self.at = stream.handle

            def wait(self, stream):
                log.append(f"{stream.handle} after {self.at}")

        return Event()


def array(stream):
    """Return a device array that names a stream."""
    result = Array()
    result.__cuda_array_interface__ = Array.__cuda_array_interface__ | {"stream": stream}
    return result


def test_work_goes_on_the_first_stream_that_is_named():
    cuda = FakeCuda()
    with _device.Device(cuda).stream(array(None), array(7), array(7)) as stream:
        assert stream.handle == 7
    assert cuda.log == []
    with _device.Device(cuda).stream(Array()) as stream:
        assert stream.handle == 1


def test_other_streams_are_ordered_before_and_after():
    cuda = FakeCuda()
    with _device.Device(cuda).stream(array(7), array(None), array(9)) as stream:
        assert (stream.handle, cuda.log) == (7, ["7 after 9"])
    assert cuda.log == ["7 after 9", "9 after 7"]
