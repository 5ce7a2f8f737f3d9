"""Temperature schedules: their values against the formulas, what they take, and what they refuse."""

import math
import pickle

import numpy as np
import pytest

from fastgumbel import anneal

STEPS = (0, 1, 2, 49, 50, 99, 100, 101, 500, 999, 1000, 10**6, 2**62)


def straight(step):
    return 2.0 + (0.25 - 2.0) * min(step, 100) / 100


def half_a_cosine(step):
    return 0.25 + (2.0 - 0.25) * (1 + math.cos(math.pi * min(step, 100) / 100)) / 2


def decay(step):
    return max(0.5, math.exp(-1e-3 * step))


def stepwise_decay(step):
    return max(0.1, 3.0 * math.exp(-1e-2 * (step // 50 * 50)))


SCHEDULES = {
    "constant": (anneal.constant(0.7), lambda step: 0.7),
    "linear": (anneal.linear(2.0, 0.25, 100), straight),
    "cosine": (anneal.cosine(2.0, 0.25, 100), half_a_cosine),
    "exponential": (anneal.exponential(1e-3), decay),
    "exponential, in steps": (anneal.exponential(1e-2, tau_min=0.1, start=3.0, every=50), stepwise_decay),
}
schedules = pytest.mark.parametrize(("schedule", "formula"), SCHEDULES.values(), ids=SCHEDULES)


@schedules
@pytest.mark.parametrize("step", STEPS)
def test_one_step(schedule, formula, step):
    tau = schedule(step)
    assert type(tau) is float
    assert tau == pytest.approx(formula(step), rel=1e-14)
    assert schedule(np.int64(step)) == tau


@schedules
@pytest.mark.parametrize("dtype", [np.int64, np.uint64, np.int32, np.uint8])
def test_an_array_of_steps(schedule, formula, dtype):
    steps = np.array([s for s in STEPS if s <= np.iinfo(dtype).max], dtype)
    tau = schedule(steps)
    assert tau.dtype == np.float64
    np.testing.assert_array_equal(tau, [schedule(int(s)) for s in steps])
    np.testing.assert_array_equal(schedule(steps[:4].reshape(2, 2)), tau[:4].reshape(2, 2))
    np.testing.assert_array_equal(schedule(list(map(int, steps))), tau)
    assert schedule(steps[:0]).shape == (0,)


@schedules
def test_the_temperature_never_rises(schedule, formula):
    assert (np.diff(schedule(np.arange(2000))) <= 0).all()


@schedules
def test_a_schedule_survives_pickling(schedule, formula):
    again = pickle.loads(pickle.dumps(schedule))
    np.testing.assert_array_equal(again(np.arange(200)), schedule(np.arange(200)))


@pytest.mark.parametrize("schedule", [anneal.linear, anneal.cosine])
@pytest.mark.parametrize(("start", "end"), [(2.0, 0.25), (0.1, 0.7), (1.0, 1.0), (1.0, 0.0), (1e300, 1e-300)])
def test_the_ends_are_exact_and_nothing_is_outside(schedule, start, end):
    between = schedule(start, end, 7)
    assert between(0) == start
    assert between(7) == between(8) == between(2**62) == end
    tau = between(np.arange(10))
    assert tau.min() == min(start, end)
    assert tau.max() == max(start, end)


def test_half_way():
    assert anneal.linear(1.0, 0.5, 100)(50) == 0.75
    assert anneal.cosine(1.0, 0.5, 100)(50) == pytest.approx(0.75, rel=1e-15)


def test_the_published_schedule():
    """Jang, Gu and Poole: a floor of 0.5, a rate of 1e-4, an update every 1,000 steps."""
    schedule = anneal.exponential(1e-4, every=1000)
    assert schedule(999) == 1.0
    assert schedule(1000) == schedule(1999) == pytest.approx(math.exp(-0.1), rel=1e-15)
    assert schedule(7000) == schedule(10**9) == 0.5


@pytest.mark.parametrize(
    ("make", "error", "name"),
    [
        (lambda: anneal.constant(-1), ValueError, "tau"),
        (lambda: anneal.constant(math.nan), ValueError, "tau"),
        (lambda: anneal.constant(math.inf), ValueError, "tau"),
        (lambda: anneal.constant("1"), TypeError, "tau"),
        (lambda: anneal.linear(-1, 0.5, 10), ValueError, "start"),
        (lambda: anneal.linear(1, math.inf, 10), ValueError, "end"),
        (lambda: anneal.linear(1, 0.5, 0), ValueError, "steps"),
        (lambda: anneal.linear(1, 0.5, 1.5), TypeError, "steps"),
        (lambda: anneal.cosine(math.nan, 0.5, 10), ValueError, "start"),
        (lambda: anneal.cosine(1, None, 10), TypeError, "end"),
        (lambda: anneal.cosine(1, 0.5, -3), ValueError, "steps"),
        (lambda: anneal.exponential(-1e-3), ValueError, "rate"),
        (lambda: anneal.exponential(1e-3, tau_min=-0.1), ValueError, "tau_min"),
        (lambda: anneal.exponential(1e-3, start=math.nan), ValueError, "start"),
        (lambda: anneal.exponential(1e-3, every=0), ValueError, "every"),
        (lambda: anneal.exponential(1e-3, every=2.0), TypeError, "every"),
        (lambda: anneal.exponential(1e-3, 0.5), TypeError, "positional"),
    ],
)
def test_bad_arguments(make, error, name):
    with pytest.raises(error, match=name):
        make()


@schedules
@pytest.mark.parametrize(
    ("step", "error"), [(-1, ValueError), ([3, -2], ValueError), (0.5, TypeError), ("1", TypeError)]
)
def test_bad_steps(schedule, formula, step, error):
    with pytest.raises(error, match="step"):
        schedule(step)
