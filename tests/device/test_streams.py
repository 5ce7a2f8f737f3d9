"""Work goes on the stream that an array names: after what the caller put there, before what comes next, unawaited."""

import numpy as np
import pytest
from numba import cuda

import fastgumbel
from tests.calls import assert_same_bits

SHAPE = (300, 1000)
NOISE = fastgumbel.NoiseField(1)
# Naps of up to a millisecond: long beside all that a host does between two launches.
NAPS = 500


@cuda.jit
def fill_after_naps(out, naps):
    """Write 7 everywhere, after a while."""
    for _ in range(naps):
        cuda.nanosleep(np.uint32(1_000_000))
    i = cuda.grid(1)
    if i < out.size:
        out[i] = np.float32(7)


def busy(out, stream, naps=NAPS):
    """Keep a stream busy with an array, and return an event that happens after it."""
    flat = out.reshape(out.size)
    fill_after_naps[-(-out.size // 256), 256, stream](flat, naps)
    event = cuda.event(timing=False)
    event.record(stream)
    return event


def on_host(array):
    """Return a copy that is complete."""
    values = array.copy_to_host(stream=array.stream)
    cuda.synchronize()
    return values


def expected():
    """Return what should be written."""
    return fastgumbel.gumbel(SHAPE, noise=NOISE, dtype=np.float32)


@pytest.fixture
def out():
    """Give a device array that names a stream of its own; all is compiled."""
    stream = cuda.stream()
    array = cuda.device_array(SHAPE, np.float32, stream=stream)
    busy(array, stream, naps=0)
    fastgumbel.gumbel(SHAPE, noise=NOISE, dtype=np.float32, out=array)
    stream.synchronize()
    return array


def test_a_call_waits_for_the_stream_and_the_caller_does_not_wait(out):
    """The array is overwritten by what came first on its stream, unless the call is ordered behind it."""
    before = busy(out, out.stream)
    fastgumbel.gumbel(SHAPE, noise=NOISE, dtype=np.float32, out=out)
    assert not before.query(), "the call waited for the stream"
    assert_same_bits(on_host(out), expected())
    assert before.query()


def test_nothing_is_awaited_where_invalid_rows_are_marked(out):
    index = cuda.device_array(SHAPE[0], np.intp, stream=out.stream)
    fastgumbel.gumbel_max(out, noise=NOISE, invalid="mark", out=index)
    before = busy(out, out.stream)
    fastgumbel.gumbel_max(out, noise=NOISE, invalid="mark", out=index)
    assert not before.query(), "the call waited for the stream"
    here = fastgumbel.gumbel_max(np.full(SHAPE, 7, np.float32), noise=NOISE)
    assert_same_bits(on_host(index), here)


def test_what_comes_next_on_the_stream_sees_the_result(out):
    copy = cuda.device_array_like(out, stream=out.stream)
    busy(out, out.stream)
    fastgumbel.gumbel(SHAPE, noise=NOISE, dtype=np.float32, out=out)
    copy.copy_to_device(out, stream=out.stream)
    assert_same_bits(on_host(copy), expected())


def test_other_streams_are_left_alone(out):
    other = cuda.stream()
    elsewhere = cuda.device_array(SHAPE, np.float32, stream=other)
    behind = busy(elsewhere, other)
    fastgumbel.gumbel(SHAPE, noise=NOISE, dtype=np.float32, out=out)
    out.stream.synchronize()
    assert not behind.query(), "the call waited for another stream"
    other.synchronize()


def test_without_a_stream_the_default_one_is_used():
    array = cuda.device_array(SHAPE, np.float32)
    assert array.__cuda_array_interface__["stream"] is None
    busy(array, cuda.default_stream())
    fastgumbel.gumbel(SHAPE, noise=NOISE, dtype=np.float32, out=array)
    assert_same_bits(on_host(array), expected())


def test_two_streams_are_ordered_both_ways(out):
    """Log-potentials on one stream, the result on another: each waits for the other's work."""
    other = cuda.stream()
    x = cuda.to_device(np.zeros(SHAPE, np.float32), stream=other)
    index = cuda.device_array(SHAPE[0], np.intp, stream=out.stream)
    busy(x, other)
    fastgumbel.gumbel_max(x, noise=NOISE, out=index)
    busy(x, other, naps=0)
    here = fastgumbel.gumbel_max(np.full(SHAPE, 7, np.float32), noise=NOISE)
    assert_same_bits(on_host(index), here)
