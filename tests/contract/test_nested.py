"""Nested noise has the bits that the page of the contract states, and its parts are right to the last digits."""

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest

import fastgumbel as fg
from fastgumbel._cpu.nested import add_nests
from fastgumbel._host.rows import field_at
from fastgumbel._law.sine import sine
from fastgumbel._law.stable import quotients_of, stable, uniform_pair
from fastgumbel._request.coordinates import coordinates_of
from fastgumbel._request.nests import nests_of
from tests.contract import golden_nested as golden
from tests.contract.parts import callable_part
from tests.contract.test_real import WORDS, ulps
from tests.oracle import contract

RNG = np.random.default_rng(60)
SCALES = [2.0**-40, 1e-3, 0.1, 1 / 3, 0.5, 0.7, 0.9, 1 - 1e-6, 1 - 1e-12, 1 - 2.0**-53]
ENDS = [0, 1, 2**12, 2**30, 2**52, 2**63 - 1, 2**63, 2**64 - 2**52, 2**64 - 2**13, 2**64 - 1]
with localcontext(prec=60):
    # Machin's formula.
    PI = sum(
        factor * (-1) ** k / (Decimal(base) ** (2 * k + 1) * (2 * k + 1))
        for factor, base in ((16, 5), (-4, 239))
        for k in range(45)
    )


def decimal_sine(x):
    """Return sin(pi x) of an exact x from 0 to 1."""
    x = min(x, 1 - x)
    y = PI * Decimal(x.numerator) / Decimal(x.denominator)
    return sum((-1) ** k * y ** (2 * k + 1) / math.factorial(2 * k + 1) for k in range(24))


def test_the_frozen_values_are_those_of_the_contract():
    for where, values in golden.read():
        assert contract.nested(golden.N, golden.NESTS, *where) == values


@pytest.mark.parametrize(("lead", "count"), [(0, 1), (0, 130), (70, 140), (3, 4)])
def test_the_noise_has_the_frozen_bits(lead, count):
    lines = list(golden.read())
    assert [where for where, _ in lines] == list(golden.coordinates())
    for where, values in lines:
        assert golden.noise(*where, lead, count).tolist() == values


def test_a_random_tree_has_the_bits_of_the_contract():
    key, row, draw, n = 0x0123456789ABCDEF, 2**40 + 3, 7, 70
    order = RNG.permutation(n)
    nests = [
        (
            float(RNG.uniform(0.1, 1)),
            [*order[i : i + 3].tolist(), (float(RNG.uniform()), order[i + 3 : i + 7].tolist())],
        )
        for i in range(0, 63, 7)
    ]
    field = fg.NoiseField.from_key(key).at(rows=row, draw=draw)
    assert fg.gumbel_nested(n, nests, noise=field).tolist() == contract.nested(n, nests, key, row, draw)


def test_the_sine_is_within_two_units_in_the_last_place():
    compiled = callable_part(sine)
    points = [0.5, 0.25, 2.0**-104, *RNG.uniform(0, 0.5, 300), *(0.5 * 10.0 ** RNG.uniform(-17, 0, 100))]
    with localcontext(prec=60):
        errors = [ulps(compiled(x), decimal_sine(Fraction(float(x))), np.float64) for x in points]
    assert max(errors) <= 1.5
    assert compiled(0.5) == 1
    assert [compiled(x) for x in points] == [contract.sine(float(x)) for x in points]


def test_the_uniform_and_its_complement_are_exact():
    compiled = callable_part(uniform_pair)
    for word in WORDS:
        u, v = map(Fraction, map(float, compiled(np.uint64(word))))
        assert u == Fraction(2 * (word >> 12) + 1, 2**53)
        assert u + v == 1


@pytest.mark.parametrize("scale", SCALES)
def test_the_logarithm_of_a_stable_variable(scale):
    """Kanter's formula in 60 digits: a log P is off by no more than a few roundings of it, or of 1."""
    pair, quotients, combined = map(callable_part, (uniform_pair, quotients_of, stable))
    a = Fraction(scale)
    for word in ENDS + [int(w) for w in RNG.integers(2**64, size=20, dtype=np.uint64)]:
        for e in (2.0**-53, 0.01, 1.0, 36.7):
            u, v = pair(np.uint64(word))
            value = combined(scale, *quotients(scale, u, v, e))
            with localcontext(prec=60):
                part, rest = (Decimal(x.numerator) / Decimal(x.denominator) for x in (a, 1 - a))
                sines = [decimal_sine(c * Fraction(float(u))).ln() for c in (1 - a, a, Fraction(1))]
                exact = rest * (sines[0] - Decimal(e).ln()) + part * sines[1] - sines[2]
                error = float(abs(Decimal(float(value)) - exact))
            assert error <= 4e-16 * max(1.0, abs(float(exact)))


def test_zeros_of_the_field_keep_their_sign():
    """Outside of nests, and in nests of scale 1; no draw is known that gives one."""
    noise, out = np.array([[0.0, -0.0, 0.0, -0.0]]), np.empty((1, 4))
    place = coordinates_of(fg.NoiseField(1), (1,), (1, 4))
    add_nests(out, noise, field_at(place, 0, 1), tuple(nests_of([(1, [0, 1])], 4)))
    assert np.signbit(out).tolist() == [[False, True, False, True]]


def test_no_word_makes_it_infinite():
    pair, quotients, combined = map(callable_part, (uniform_pair, quotients_of, stable))
    for scale in (2.0**-40, 1e-3, 0.5, 1 - 2.0**-53):
        for word in WORDS:
            for e in (2.0**-53, 36.8):
                value = combined(scale, *quotients(scale, *pair(np.uint64(word)), e))
                assert abs(value) < 80
