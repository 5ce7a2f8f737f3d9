"""What calls allocate, and what they copy to the device and back."""

import numpy as np
import pytest

import fastgumbel
from fastgumbel import (
    NoiseField,
    categorical,
    gumbel_given_choice,
    gumbel_max,
    gumbel_softmax,
    gumbel_softmax_jvp,
    gumbel_softmax_vjp,
    gumbel_top_k,
)
from fastgumbel._cuda import seam
from tests.cuda.arrays import host, on_device
from tests.cuda.driver import Event, FakeDriver

NOISE = NoiseField(1)


def copied(device, call, rows, n):
    """Return the bytes that a call copies to the device, and the number of its copies to the host."""
    x = on_device(np.zeros((rows, n), np.float32))
    device.clear()
    call(x)
    return sum(event.what for event in device.of("to device")), device.reads


# Per row there is nothing but one temperature, and what already lies on the device.
ONE_OF_ALL = {
    "gumbel": lambda x: fastgumbel.gumbel(x.values.shape, noise=NOISE, dtype=np.float32, out=x),
    "gumbel_max": lambda x: gumbel_max(x, noise=NOISE, return_max=True),
    "gumbel_top_k": lambda x: gumbel_top_k(x, 2, noise=NOISE),
    "categorical": lambda x: categorical(x, 2, noise=NOISE),
    "gumbel_softmax": lambda x: gumbel_softmax(x, 0.5, noise=NOISE),
    "gumbel_softmax, an array of one": lambda x: gumbel_softmax(x, np.array(0.5), noise=NOISE),
    "gumbel_softmax, hard": lambda x: gumbel_softmax(x, 0.5, noise=NOISE, hard=True),
    "gumbel_softmax, tau = 0": lambda x: gumbel_softmax(x, 0, noise=NOISE),
    "tangents": lambda x: gumbel_softmax_jvp((x, 0.5), (x, 1.0), noise=NOISE),
    "tangents of tau": lambda x: gumbel_softmax_jvp((x, 0.5), (None, 1.0), noise=NOISE, log=True),
    "directions of tau": lambda x: gumbel_softmax_jvp((x, 0.5), (x, np.ones((3, 1))), noise=NOISE),
    "straight-through": lambda x: gumbel_softmax_jvp((x, 0.5), (x, None), noise=NOISE, hard=True),
    "Gumbel-Rao": lambda x: gumbel_softmax_jvp((x, 0.5), (x, 1.0), noise=NOISE, rao=2),
    "gradients": lambda x: gumbel_softmax_vjp((x, 0.5), x, noise=NOISE),
    "gradients, straight-through": lambda x: gumbel_softmax_vjp((x, 0.5), x, noise=NOISE, hard=True),
    "gradients, Gumbel-Rao": lambda x: gumbel_softmax_vjp((x, 0.5), x, noise=NOISE, rao=2),
    "gumbel_given_choice": lambda x: gumbel_given_choice(x, on_device(np.zeros(len(x.values), np.intp)), noise=NOISE),
}


@pytest.mark.parametrize("name", ONE_OF_ALL)
@pytest.mark.parametrize("n", [2, 130])
def test_copies_do_not_depend_on_the_number_of_rows(device, name, n):
    few, many = (copied(device, ONE_OF_ALL[name], rows, n) for rows in (3, 2000 if n == 2 else 40))
    assert few == many
    assert few[0] <= 64


def test_one_temperature_is_that_of_every_row(device):
    """Temperatures and their tangents give the same bits as one number, and as an array of one a row."""
    x, d_x = (np.random.default_rng(i).normal(size=(2, 40, 7)).astype(np.float32) for i in (1, 2))
    rows = np.ones((2, 40))
    for tau, d_tau in ((0.7, -1.5), (0.7 * rows, -1.5 * rows), (0.7 * rows[0], -1.5 * rows[:, :1])):
        got = gumbel_softmax_jvp((on_device(x), tau), (on_device(d_x), d_tau), noise=NOISE)
        want = gumbel_softmax_jvp((x, tau), (d_x, d_tau), noise=NOISE)
        for a, b in zip(got, want, strict=True):
            np.testing.assert_array_equal(host(a).view(np.uint32), b.view(np.uint32))


class Virtual:
    """A device array of which nobody reads an item."""

    def __init__(self, shape, dtype=np.float32):
        self.__cuda_array_interface__ = {
            "shape": shape,
            "typestr": np.dtype(dtype).str,
            "data": (2**45, False),
            "strides": None,
            "stream": 7,
            "version": 3,
        }


@pytest.fixture
def dry(monkeypatch):
    """Give a device on which memory is counted, but does not exist, and nothing runs."""
    with FakeDriver(multiprocessors=132, virtual=True).installed() as driver:
        monkeypatch.setattr(seam, "launch", lambda *arguments: driver.log.append(Event("launch")))
        yield driver


LONG, SHORT = (2048, 131_072), (20_000_000, 10)


@pytest.mark.parametrize(
    ("call", "shape", "most"),
    [
        (lambda x: gumbel_top_k(x, 3, noise=NOISE), SHORT, 8),
        (lambda x: gumbel_top_k(x, 64, noise=NOISE), LONG, 8),
        (lambda x: gumbel_top_k(x, 1000, noise=NOISE), LONG, 8),
        (lambda x: categorical(x, 10_000, noise=NOISE), LONG, 7),
        (lambda x: categorical(x, 1, noise=NOISE), SHORT, 7),
        (lambda x: gumbel_max(x, noise=NOISE, size=1000), (4, 10**7), 7),
        (lambda x: gumbel_max(x, noise=NOISE.at(categories=np.arange(10)), size=5), SHORT, 7),
        (lambda x: gumbel_softmax(x, 0.5, noise=NOISE), SHORT, 7),
        (lambda x: gumbel_softmax_jvp((x, 0.5), (Virtual(SHORT), None), noise=NOISE), SHORT, 8),
        (lambda x: gumbel_softmax_jvp((x, 0.5), (Virtual(LONG), 1.0), noise=NOISE, rao=10), LONG, 10),
        (lambda x: gumbel_softmax_vjp((x, 0.5), Virtual(SHORT), noise=NOISE), SHORT, 6),
        (lambda x: gumbel_softmax_vjp((x, 0.5), Virtual((3, *LONG)), size=3, noise=NOISE, hard=True), LONG, 8),
        (lambda x: gumbel_softmax_vjp((x, 0.5), Virtual(LONG), noise=NOISE, rao=10), LONG, 9),
    ],
)
def test_scratch_is_allocated_once_a_call(dry, call, shape, most):
    """At most `most` allocations, of which some are results."""
    call(Virtual(shape))
    assert dry.of("launch")
    assert len(dry.of("allocate")) <= most
    assert sum(event.what for event in dry.of("to device")) <= 4096
    assert not dry.of("free")
