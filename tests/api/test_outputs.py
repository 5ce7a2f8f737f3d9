"""Arrays of the caller for results: those in which a result would be lost are refused."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided, sliding_window_view

import fastgumbel as fg

X = np.zeros((2, 3))
NESTS = [(0.5, [0, 1])]
CALLS = {
    "gumbel": lambda out: fg.gumbel((2, 3), rng=1, out=out),
    "nested": lambda out: fg.gumbel_nested((2, 3), NESTS, rng=1, out=out),
    "given": lambda out: fg.gumbel_given_choice(X, [0, 1], rng=1, out=out),
    "perturb": lambda out: fg.perturb(X, rng=1, out=out),
    "softmax": lambda out: fg.gumbel_softmax(X, rng=1, out=out),
    "vjp": lambda out: fg.gumbel_softmax_vjp((X, 1.0), X, rng=1, out=(out, np.empty((2, 3))))[0],
    "top": lambda out: fg.gumbel_top_k(X, 3, rng=1, out=(np.empty((2, 3), np.intp), out))[1],
}
APART = {
    "steps": lambda buffer: buffer[::2, ::-3][:2, :3],
    "turned": lambda buffer: buffer[:3, :2].T,
    "woven": lambda buffer: as_strided(buffer, (2, 3), (24, 16)),  # items 0, 2, 4 and 3, 5, 7
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_an_item_stands_in_one_place(call):
    for out in (as_strided(np.zeros(3), (2, 3), (0, 8)), sliding_window_view(np.zeros(4), 3, writeable=True)):
        with pytest.raises(ValueError, match=r"^out(\[.\])? must not have an item in several places"):
            call(out)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("layout", APART.values(), ids=APART)
def test_items_apart_may_lie_anywhere(call, layout):
    out = layout(np.zeros((10, 10)))
    assert out.shape == (2, 3)
    expected = call(np.empty((2, 3)))
    assert call(out) is out
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_mask_would_hide_results(call):
    with pytest.raises(TypeError, match=r"^out(\[.\])? must not be a masked array: pass its data"):
        call(np.ma.array(X, mask=True))
