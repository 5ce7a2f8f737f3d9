"""The package's logarithms and bounds, against 40 digits and at the ends of their ranges."""

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import numba
import numpy as np
import pytest

from fastgumbel._law.ops import fma
from fastgumbel._law.real import exponential32, exponential64, exponential_floor, gumbel_bound, log32, log64
from tests.contract.parts import callable_part
from tests.oracle import reference

RNG = np.random.default_rng(40)
WORDS = [
    0,
    1,
    2**12,
    2**32,
    2**63 - 1,
    2**63,
    2**64 - 1,
    *(int(w) for w in RNG.integers(2**64, size=300, dtype=np.uint64)),
]
WORDS += [w >> shift for w in WORDS[7:] for shift in (8, 30, 45)]
WORDS += [2**64 - 1 - w for w in WORDS]


def ulps(value, exact, dtype):
    """Return the error in units in the last place of the type, at the exact value."""
    return float(abs(Decimal(float(value)) - exact) / Decimal(float(np.spacing(dtype(abs(float(exact)))))))


def arguments(dtype):
    """Return numbers of all magnitudes, many of them close to 1."""
    near = 1 + RNG.uniform(-1, 1, 400) * 10.0 ** RNG.uniform(-16, 0, 400)
    far = 2.0 ** RNG.uniform(-60, 7, 400)
    halves = math.sqrt(0.5) * (1 + RNG.uniform(-1e-6, 1e-6, 100))
    return np.concatenate([near, far, halves, 2.0 ** np.arange(-60, 7)]).astype(dtype)


@pytest.mark.parametrize(
    ("function", "dtype", "bound"), [(log64, np.float64, 0.8), (log32, np.float32, 1.0)], ids=["64", "32"]
)
def test_log_is_within_a_unit_in_the_last_place(function, dtype, bound):
    log = callable_part(function)
    with localcontext(prec=40):
        errors = [ulps(log(x), Decimal(float(x)).ln(), dtype) for x in arguments(dtype) if x > 0 and x != 1]
    assert max(errors) <= bound
    assert log(dtype(1)) == 0


def test_the_exponential_of_a_word():
    exponential = callable_part(exponential64)
    for word in WORDS:
        exact = reference.exponential(word)
        assert abs(exponential(np.uint64(word)) - exact) <= 2 * math.ulp(exact)


def test_the_float32_exponential_of_a_high_word():
    """Within 4 float32 units in the last place and half a step of the high word."""
    exponential = callable_part(exponential32)
    for word in WORDS:
        exact = reference.exponential(word)
        value = exponential(np.uint32(word >> 32))
        survival = math.exp(-exact)
        assert value > 0
        assert abs(float(value) - exact) <= 4 * float(np.spacing(np.float32(exact))) + 2.0**-32 / survival


def test_the_quick_bound_is_never_below_the_gumbel():
    bound = callable_part(gumbel_bound)
    for e in [*arguments(np.float64), 2.0**-59, 36.74 + 0.574]:
        if e > 0:
            assert -math.log(e) <= bound(np.float64(e)) <= -math.log(e) + 0.06
    assert bound(np.float64(0)) > 700


def test_the_quick_floor_is_never_above_the_exponential():
    quick_floor = callable_part(exponential_floor)
    for word in WORDS:
        floor = quick_floor(np.uint64(word >> 32))
        assert 0 <= floor <= reference.exponential((word >> 32) << 32)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_fma_rounds_once_compiled_and_in_python(dtype):
    compiled = numba.njit(lambda a, b, c: fma(a, b, c))
    bits = 53 if dtype is np.float64 else 24
    for _ in range(500):
        a, b = (dtype(x) for x in RNG.uniform(-2, 2, 2))
        c = dtype(-float(a) * float(b) * RNG.choice([1, 1 + 2.0**-bits, 0.3, 1e-9, -1e9]))
        exact = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
        value = compiled(a, b, c)
        assert value == fma(a, b, c)
        below, above = (Fraction(float(np.nextafter(value, dtype(s * np.inf)))) for s in (-1, 1))
        assert abs(Fraction(float(value)) - exact) <= min(abs(below - exact), abs(above - exact))
