"""Work goes on the stream that an array names, behind what others do with it; what cannot be done is refused first."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from fastgumbel import NoiseField, gumbel, gumbel_max, gumbel_softmax
from tests.cuda.arrays import ForeignArray, aligned, on_device

NOISE = NoiseField(1)
X = np.zeros((3, 5), np.float32)


def orders(device):
    """Return what follows what: pairs of (stream that waits, stream that is waited for)."""
    found, recorded = [], None
    for event in device.log:
        if event.kind == "record":
            recorded = event.stream
        elif event.kind == "follow":
            found.append((event.stream, recorded))
        elif event.kind == "launch":
            found.append("launch")
    return found


def stream_of(array):
    """Return the stream that an array names."""
    return array.__cuda_array_interface__["stream"]


def test_without_a_stream_the_default_one_is_used(device):
    result = gumbel_max(on_device(X), noise=NOISE, invalid="mark")
    assert stream_of(result) == 1
    assert {event.stream for event in device.log if event.kind in ("launch", "to device")} == {1}


def test_the_first_stream_that_is_named_is_used(device):
    where = ForeignArray(np.ones(5, bool), None)
    out = ForeignArray(np.zeros(3, np.intp), 7)
    gumbel_max(on_device(X, 7), where=where, noise=NOISE, out=out)
    assert orders(device) == ["launch"]
    assert {event.stream for event in device.log if event.stream is not None} == {7}


def test_other_streams_are_ordered_before_and_after(device):
    gumbel_max(on_device(X, 7), noise=NOISE, out=ForeignArray(np.zeros(3, np.intp), 9))
    assert orders(device) == [(7, 9), "launch", (9, 7)]


def test_a_chain_of_calls_stays_on_its_stream(device):
    y = gumbel_softmax(on_device(X, 77), 0.5, axis=0, noise=NOISE)
    assert stream_of(y) == 77
    assert stream_of(gumbel_max(y, axis=0, noise=NOISE)) == 77
    assert {event.stream for event in device.log if event.stream is not None} == {77}


def test_a_stream_of_numpys_type_is_taken(device):
    assert stream_of(gumbel_max(on_device(X, np.int64(77)), noise=NOISE)) == 77


def test_nothing_that_could_be_kept_is_made_again(device):
    """Streams, events and launch configurations are those of the first call; nothing empty is allocated."""
    x, out = on_device(X, 7), ForeignArray(np.zeros(3, np.intp), 9)
    gumbel_max(x, noise=NOISE, invalid="mark", out=out)
    from fastgumbel._cuda.kernels.max_short import max_short

    made, log = type(max_short).configure.cache_info().misses, len(device.log)
    gumbel_max(x, noise=NOISE, invalid="mark", out=out)
    assert type(max_short).configure.cache_info().misses == made
    again = [event.kind for event in device.log[log:]]
    assert again == ["record", "follow", "launch", "record", "follow"]


class Tensor(ForeignArray):
    """Stands for a tensor of PyTorch: it names no stream, and lies on a device."""

    device = "cuda:0"

    @property
    def __cuda_array_interface__(self):
        interface = super().__cuda_array_interface__
        del interface["stream"]
        return interface


@pytest.mark.parametrize(("current", "used"), [(0x99, 0x99), (0, 1)])
def test_tensors_follow_the_current_stream_of_pytorch(device, monkeypatch, current, used):
    asked = []
    stream = SimpleNamespace(cuda_stream=current)
    cuda = SimpleNamespace(current_stream=lambda device: asked.append(device) or stream)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(Tensor=Tensor, cuda=cuda))
    result = gumbel_max(Tensor(on_device(X).values), noise=NOISE)
    assert stream_of(result) == used
    assert set(asked) == {"cuda:0"}
    assert {event.stream for event in device.log if event.stream is not None} == {used}


def test_memory_of_another_device_is_refused(device):
    x = on_device(X)
    device.elsewhere[x.values.ctypes.data] = 1
    with pytest.raises(ValueError, match=r"^log_potentials lies on device 1, but the current one is device 0: make"):
        gumbel_max(x, noise=NOISE)
    assert not device.launches
    device.managed.add(x.values.ctypes.data)
    gumbel_max(x, noise=NOISE)


@pytest.mark.parametrize("array", ["x", "out"])
def test_a_capture_into_a_graph_is_refused_before_it_is_spoilt(device, array):
    streams = {"x": 5, "out": 6}
    device.capturing.add(streams[array])
    out = ForeignArray(aligned((3, 5), np.float32), streams["out"])
    with pytest.raises(RuntimeError, match="captured into a CUDA graph, which cannot hold this call"):
        gumbel_softmax(on_device(X, streams["x"]), noise=NOISE, out=out)
    with pytest.raises(RuntimeError, match="captured into a CUDA graph"):
        gumbel(X.shape, noise=NOISE, dtype=np.float32, out=ForeignArray(aligned((3, 5), np.float32), streams[array]))
    assert not device.log
