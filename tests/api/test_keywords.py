"""Every argument may be given by its documented name, as people from PyTorch, JAX and xarray write it."""

import functools
import inspect

import numpy as np
import pytest

import fastgumbel as fg

X = np.random.default_rng(0).normal(size=(4, 6))
CHOICE = np.array([1, 0, 5, 2])

CALLS = [
    (fg.gumbel, (3,), {"size": 3}),
    (fg.gumbel_nested, (3, [(0.5, [0, 2])]), {"size": 3, "nests": [(0.5, [0, 2])]}),
    (fg.gumbel_max, (X,), {"log_potentials": X}),
    (fg.gumbel_top_k, (X, 3), {"log_potentials": X, "k": 3}),
    (fg.gumbel_above, (X, 0.5), {"log_potentials": X, "threshold": 0.5}),
    (fg.gumbel_softmax, (X, 0.5), {"log_potentials": X, "tau": 0.5}),
    (fg.gumbel_softmax_jvp, ((X, 0.5), (X, 1.0)), {"primals": (X, 0.5), "tangents": (X, 1.0)}),
    (fg.gumbel_given_choice, (X, CHOICE), {"log_potentials": X, "choice": CHOICE}),
    (fg.categorical, (X, 7), {"log_potentials": X, "size": 7}),
    (fg.perturb, (X, "exponential"), {"log_potentials": X, "trick": "exponential"}),
    (fg.log_partition, (X, 10), {"log_potentials": X, "size": 10}),
]


def same(one, two):
    """Compare results, or tuples of them."""
    if isinstance(one, tuple):
        return len(one) == len(two) and all(map(same, one, two))
    return np.array_equal(one, two)


@pytest.mark.parametrize(("function", "arguments", "named"), CALLS, ids=[call[0].__name__ for call in CALLS])
def test_arguments_by_name(function, arguments, named):
    expected = function(*arguments, rng=1)
    assert same(function(**named, rng=1), expected)
    first, *rest = named
    bound = functools.partial(function, **{name: named[name] for name in rest}, rng=1)
    assert same(bound(named[first]), expected)


@pytest.mark.parametrize("name", [name for name in fg.__all__ if callable(getattr(fg, name))])
def test_no_argument_is_positional_only(name):
    parameters = inspect.signature(getattr(fg, name)).parameters.values()
    assert not [p.name for p in parameters if p.kind is p.POSITIONAL_ONLY]


def test_a_chunk_of_a_stream_by_name():
    one, two = fg.Reservoir(2, rng=0), fg.Reservoir(2, rng=0)
    one.update(X[0])
    two.update(log_potentials=X[0])
    assert (one.indices == two.indices).all()
