"""Device arrays become pieces of their own memory, which kernels read as NumPy would."""

import numpy as np
import pytest

from fastgumbel._cuda.call import Call, Work
from fastgumbel._cuda.device import current
from fastgumbel._cuda.kernels.rows import note_fault, quad
from fastgumbel._cuda.seam import cuda, kernel
from fastgumbel._cuda.view import view_of
from fastgumbel._host.rows import fault_of, rows_of
from fastgumbel._request.request import Request
from tests.cuda.arrays import ForeignArray, aligned, host, on_device


@kernel(threads=32)
def gather(out, x, mask, first, begin):
    """Copy a piece a row a thread, in quads that begin before the row."""
    row = np.uint64(cuda.blockIdx.x) * np.uint64(32) + np.uint64(cuda.threadIdx.x)
    if row < np.uint64(x.shape[0]):
        column = begin
        while column < x.shape[1]:
            a, b, c, d = quad(x, mask, row, column)
            place = np.uint64(column - begin)
            line = row + np.uint64(first)
            out[line, place] = a
            out[line, place + np.uint64(1)] = b
            out[line, place + np.uint64(2)] = c
            out[line, place + np.uint64(3)] = d
            column += np.int64(4)


@kernel(threads=64)
def complain(flag, rows, codes):
    """Note a fault a thread."""
    i = np.uint64(cuda.threadIdx.x)
    note_fault(flag, rows[i], codes[i])


def gathered(device, rows, begin=0):
    """Read all pieces back through a kernel."""
    width = -(-(rows.n - begin) // 4) * 4
    out = device.empty((rows.count, width), rows.dtype, None)
    for piece in rows.pieces(cuda.external_stream(1)):
        grid = -(-piece.x.shape[0] // 32)
        arguments = (out, piece.x, piece.mask, np.int64(piece.first_row), np.int64(begin))
        device.launch(gather, grid, 32, 1, arguments)
    return host(out)


def request(x, axis=-1, where=None):
    """Ask for a sample of each row."""
    return Request(x, axis, None, where, 0, None, "raise")


def there(values, axis=-1, where=None):
    """Return the rows of values as those of a device array."""
    return Call(request(ForeignArray(values), axis, where)).rows


def same(device, values, axis=-1, where=None, begin=0, pieces=1):
    """Compare what a kernel reads with what the CPU's rows are; ``values`` may be any view."""
    rows = there(values, axis, where)
    assert len(list(rows.pieces(cuda.external_stream(1)))) == pieces
    host_where = host(where) if isinstance(where, ForeignArray) else where
    here = rows_of(request(values, axis, host_where))
    assert (rows.batch, rows.n, rows.count, rows.dtype) == (here.batch, here.n, here.count, here.dtype)
    got = gathered(device, rows, begin)
    expected = np.full(got.shape, -np.inf, here.dtype)
    if rows.count and rows.n:
        expected[:, -begin : here.n - begin] = here.piece(0, here.count, 0, here.n)
    np.testing.assert_array_equal(got, expected)


def some(shape, dtype=np.float32, skip=0):
    """Return random numbers, with -inf among them where the type has it, at a distance from aligned memory."""
    values = aligned(shape, dtype, skip)
    values[...] = np.random.default_rng(1).integers(0, 100, size=shape)
    if values.dtype.kind == "f":
        values[values > 90] = -np.inf
    return values


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"])
def test_types(device, dtype):
    values = some((5, 9), dtype)
    values[0, 0], values[1, 0] = (np.finfo if dtype[0] == "f" else np.iinfo)(dtype).max, 65
    same(device, values, begin=-3)


@pytest.mark.parametrize("begin", [0, -1, -2, -3])
@pytest.mark.parametrize("shape", [(4,), (7,), (3, 8), (3, 9), (40, 5), (1, 1), (0, 5), (2, 3, 8)])
@pytest.mark.parametrize("skip", [0, 4, 8])
def test_layouts_and_alignments(device, shape, begin, skip):
    same(device, some(shape, skip=skip), begin=begin, pieces=0 if 0 in shape else 1)


def test_vectors_where_they_are_aligned(device):
    same(device, some((3, 8)))
    assert device.counts["ld.global.v4.f32"] == 6
    device.counts.clear()
    same(device, some((3, 8), skip=4))
    assert not device.counts["ld.global.v4.f32"]


@pytest.mark.parametrize(
    ("values", "axis", "pieces"),
    [
        (some((6, 5)), 0, 1),
        (some((2, 6, 5)), 0, 1),
        (some((2, 6, 5)), 1, 2),
        (some((3, 2, 6, 5)), 1, 3),
        (some((3, 2, 6, 5)), -2, 6),
        (some((3, 1, 7, 5))[:, :, ::3, ::-1], -1, 3),
        (some((4, 10))[::2, ::3], -1, 1),
        (some((4, 10))[::-1, ::-1], -1, 1),
        (np.broadcast_to(some(5), (3, 5)), -1, 1),
        (np.broadcast_to(some((3, 1)), (3, 5)), -1, 1),
        (some((2, 3, 4, 5)).transpose(1, 0, 2, 3), -1, 6),
    ],
)
def test_strides(device, values, axis, pieces):
    same(device, values, axis, pieces=pieces)


@pytest.mark.parametrize(
    ("shape", "axis", "pieces"), [((), -1, 1), ((7,), -1, 1), ((3, 7), -1, 2), ((3, 1), -1, 2), ((2, 1, 7), 1, 2)]
)
@pytest.mark.parametrize("home", [np.asarray, on_device])
def test_masks_are_broadcast(device, shape, axis, pieces, home):
    where = home(np.random.default_rng(2).random(shape) < 0.6)
    same(device, some((2, 3, 7)), axis, where, pieces=pieces, begin=-2 if axis == -1 else 0)


@pytest.mark.parametrize("rows", [[7, 5, 9], [2**40], []])
def test_the_first_fault_is_kept(device, rows):
    ids, codes = np.resize(np.array(rows, np.int64), 64), np.arange(64) % 2 + 1
    for flags in (True, False):
        work = Work(current(), cuda.external_stream(1), there(np.zeros(3)), flags)
        if rows:
            device.launch(complain, 1, 64, 1, (work.flag, on_device(ids), on_device(codes)))
        assert work.fault() == ((min(rows), 1) if rows and flags else None)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("step", [1, -1])
def test_faults_are_told_as_on_the_host(device, bad, step):
    values = np.zeros((2, 3, 9), np.float16)
    values[1, 2] = -np.inf
    values[1, 2, 6] = bad
    values = values[..., ::step]
    for where in (None, np.arange(9) != 4):
        here, call = request(values, where=where), Call(request(ForeignArray(values), where=where))
        work = Work(current(), cuda.external_stream(1), call.rows, True)
        assert call.fault_message(5, work) == fault_of(here, rows_of(here), 5)


def test_writing_over_inputs_is_noticed(device):
    values = aligned((4, 4), np.float64)
    (view,) = there(values[:, 1:3]).views
    assert view.overlaps(view_of(ForeignArray(values[1:2]), "out"))
    assert view.overlaps(view_of(ForeignArray(values[3:, 1:2]), "out"))
    assert not view.overlaps(view_of(ForeignArray(values[3:, 3:]), "out"))
    assert not view.overlaps(view_of(ForeignArray(values[:1, :1]), "out"))


@pytest.mark.parametrize(
    ("x", "where", "error", "message"),
    [
        (np.zeros(3, ">f4"), None, TypeError, "log_potentials must have the byte order of the device, not >f4"),
        (np.zeros(3, bool), None, TypeError, "log_potentials must be real numbers"),
        (aligned(3, np.float32, skip=2), None, ValueError, "log_potentials must be aligned"),
        (np.float32(1), None, ValueError, "log_potentials must have at least one axis"),
        (np.zeros(3), np.ones(3), TypeError, "where must be boolean.*, not float64"),
        (np.zeros(3), np.ones(4, bool), ValueError, "where of shape .* does not broadcast"),
        (np.zeros(3), np.ones((2, 3), bool), ValueError, "where of shape .* does not broadcast"),
    ],
)
@pytest.mark.parametrize("home", [np.asarray, on_device])
def test_what_does_not_fit_is_refused(device, x, where, error, message, home):
    with pytest.raises(error, match=message):
        there(np.asarray(x), where=None if where is None else home(where))
