"""Subnormal numbers that another library flushes to zero change only what is as small as they are."""

import numpy as np
import pytest

import fastgumbel as fg

torch = pytest.importorskip("torch")
FIELD = fg.NoiseField(1)


@pytest.fixture
def flushed():
    """Flush subnormals in this thread, which does all the work."""
    threads = fg.get_num_threads()
    fg.set_num_threads(1)
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor cannot flush subnormal numbers")
    yield lambda: torch.set_flush_denormal(False)
    torch.set_flush_denormal(False)
    fg.set_num_threads(threads)


def results(x):
    """Return what every function gives for the same rows."""
    choice = np.zeros(len(x), int)
    yield True, fg.gumbel(x.shape, noise=FIELD, dtype=x.dtype)
    yield True, fg.gumbel_max(x, noise=FIELD, return_max=True)[1]
    yield True, fg.gumbel_top_k(x, 3, noise=FIELD)[1]
    yield True, fg.categorical(x, 5, noise=FIELD)
    yield True, fg.gumbel_given_choice(x, choice, noise=FIELD)
    yield False, fg.gumbel_softmax(x, 0.3, noise=FIELD)
    yield False, fg.gumbel_softmax_jvp((x, 0.3), (x, 1.0), noise=FIELD)[1]
    yield False, fg.gumbel_softmax_vjp((x, 0.3), x, noise=FIELD)[1][0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [30.0, None])
@pytest.mark.parametrize("n", [10, 300])
def test_nothing_else_changes(flushed, n, scale, dtype):
    tiny = np.finfo(dtype).tiny
    x = (np.random.default_rng(0).normal(size=(200, n)) * (tiny / 8 if scale is None else scale)).astype(dtype)
    changed = list(results(x))
    flushed()
    for (exact, expected), (_, actual) in zip(results(x), changed, strict=True):
        if exact:
            np.testing.assert_array_equal(actual, expected)
        else:
            np.testing.assert_allclose(actual, expected, rtol=0, atol=1e3 * tiny)
