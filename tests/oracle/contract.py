"""The contract to the bit, in plain Python: exact fractions, rounded once an operation, with the constants of its page.

It is as slow as it is obvious, and shares no code with the package; words are those of ``reference.py``. Numbers of
both types are Python floats. All log-potentials are finite.
"""

import bisect
import itertools
import math
import re
import struct
from fractions import Fraction
from pathlib import Path

from tests.oracle import reference

PAGE = (Path(__file__).parents[2] / "fastgumbel" / "_law" / "CONTRACT.md").read_text()
OTHER_WORDS, LAST_INDEX = 3, 2**30 - 1
SHORT = 96


class Real:
    """Arithmetic of float64 or float32."""

    def __init__(self, width):
        self.width = width
        self.mantissa, self.code, self.integer = {64: (52, "<d", "<Q"), 32: (23, "<f", "<I")}[width]
        self.largest = math.ldexp(2 - 2.0**-self.mantissa, 1023 if width == 64 else 127)
        self.sqrt_half = int(self._texts("SQRT_HALF")[0], 16)
        self.least = self.constants("LEAST")[0]
        self.ln2_high, self.ln2_low = self.constants("LN2_HIGH")[0], self.constants("LN2_LOW")[0]
        self.a, self.b = self.constants("A"), self.constants("B")
        last = 13 if width == 64 else 7
        self.even = [self.round(Fraction(1, math.factorial(k))) for k in range(2, last, 2)]
        self.odd = [self.round(Fraction(1, math.factorial(k))) for k in range(3, last + 1, 2)]

    def _texts(self, name):
        return re.search(rf"^{name}{self.width} = ((?:\S+\s+)+?)(?=\w+ = |```)", PAGE, re.MULTILINE)[1].split()

    def constants(self, name):
        """Return the numbers of a name on the page."""
        return [self.round(float.fromhex(t) if "0x" in t else float(t)) for t in self._texts(name)]

    def round(self, value):
        """Return the number next to an exact one, ties to even; of normal numbers only."""
        if self.width == 64:
            return float(value)
        step = Fraction(2) ** (math.frexp(float(value))[1] - 24)
        return float(round(Fraction(value) / step) * step)

    def bits(self, x):
        """Return the integer that stands for a number."""
        return struct.unpack(self.integer, struct.pack(self.code, x))[0]

    def of_bits(self, i):
        """Return the number that an integer stands for."""
        return struct.unpack(self.code, struct.pack(self.integer, i))[0]

    def fma(self, a, b, c):
        """Return a b + c, rounded once."""
        return self.round(Fraction(a) * Fraction(b) + Fraction(c))

    def add(self, a, b):
        """Return the rounded sum."""
        return self.round(Fraction(a) + Fraction(b))

    def multiply(self, a, b):
        """Return the rounded product."""
        return self.round(Fraction(a) * Fraction(b))

    def divide(self, a, b):
        """Return the rounded quotient."""
        return self.round(Fraction(a) / Fraction(b))

    def polynomial(self, coefficients, z):
        """Return a polynomial by Horner's rule."""
        value = coefficients[-1]
        for coefficient in reversed(coefficients[:-1]):
            value = self.fma(value, z, coefficient)
        return value

    def log_of_parts(self, k, f):
        """Return k ln 2 + log(1 + f)."""
        z = self.multiply(f, f)
        q = self.fma(self.fma(self.polynomial(self.b, z), f, self.polynomial(self.a, z)), f, -0.5)
        return self.fma(k, self.ln2_high, self.add(f, self.fma(k, self.ln2_low, self.multiply(z, q))))

    def log(self, x):
        """Return the logarithm of a positive normal number."""
        i = self.bits(x) + self.bits(1.0) - self.sqrt_half
        k = (i >> self.mantissa) - (self.bits(1.0) >> self.mantissa)
        return self.log_of_parts(k, self.of_bits(i % 2**self.mantissa + self.sqrt_half) - 1)

    def decay(self, d):
        """Return the exponential of a number of at most 0."""
        if not d > self.least:
            return 0.0
        shift = 1.5 * 2.0**self.mantissa
        k = self.add(self.fma(d, self.round(1.4426950408889634), shift), -shift)
        f = self.fma(-k, self.ln2_low, self.fma(-k, self.ln2_high, d))
        z = self.multiply(f, f)
        inner = self.fma(self.polynomial(self.odd, z), f, self.polynomial(self.even, z))
        return math.ldexp(self.add(self.fma(z, inner, f), 1.0), int(k))

    def exponential(self, word):
        """Return the exponential of a 64-bit word: of its high half in float32."""
        if self.width == 64:
            return -self.log(1 - ((word >> 12) + 0.5) * 2.0**-52)
        high = word >> 32
        if high < 0x4AFB0CC0:
            return -self.log_of_parts(0, -self.fma(self.round(high), 2.0**-32, 2.0**-33))
        return -self.log(self.fma(self.round(2**32 - 1 - high), 2.0**-32, 2.0**-33))

    def gumbel(self, key, row, draw, category):
        """Return the noise."""
        word = reference.block_word(key, row, draw, category // 64)
        e = self.round(DOUBLE.exponential(word) / 64)
        if category % 64 != word % 64:
            e = self.add(e, self.exponential(reference.lane_word(key, row, draw, category)))
        return -self.log(e)

    def sum64(self, p):
        """Return the sum of 64 numbers, by halves."""
        while len(p) > 1:
            half = len(p) // 2
            p = [self.add(a, b) for a, b in zip(p[:half], p[half:], strict=True)]
        return p[0]

    def total(self, p):
        """Return the sum of numbers as float64."""
        sum_, whole = 0.0, len(p) // 64 * 64
        for i in range(0, whole, 64):
            sum_ += self.sum64(p[i : i + 64])
        for value in p[whole:]:
            sum_ += value
        return sum_

    def sum(self, p):
        """Return the sum of numbers one by one."""
        sum_ = 0.0
        for value in p:
            sum_ = self.add(sum_, value)
        return sum_

    def relaxed(self, x, tau, noise, dx=None, dtau=0.0, log=False):
        """Return a relaxed sample or its logarithm, and its tangent where there are tangents."""
        v = [self.add(self.add(c, -max(x)), g) for g, c in zip(noise, x, strict=True)]
        rate = self.round(min(1 / tau, self.largest))
        t = [max(self.multiply(self.add(c, -max(v)), rate), -self.largest) for c in v]
        w = [self.decay(d) for d in t]
        few = len(x) <= SHORT
        s = self.sum(w) if few else self.total(w)
        y = [self.multiply(c, self.round(1 / s)) for c in w]
        log_s = self.log(s) if few else self.round(DOUBLE.log(s))
        sample = [self.add(c, -log_s) for c in t] if log else y
        if dx is None:
            return sample
        products = [[self.multiply(a, b) for a, b in zip(y, other, strict=True)] for other in (dx, t)]
        if few:
            mean_dx, mean_t = map(self.sum, products)
            mean = self.multiply(self.add(mean_dx, -self.multiply(dtau, mean_t)), rate)
        else:
            mean_dx, mean_t = map(self.total, products)
            mean = self.round((mean_dx - dtau * mean_t) * rate)
        slopes = [
            self.multiply(self.add(a, -self.multiply(b, dtau)) if dtau else a, rate) for a, b in zip(dx, t, strict=True)
        ]
        tangent = [self.add(slope, -mean) for slope in slopes]
        return sample, tangent if log else [self.multiply(a, b) for a, b in zip(tangent, y, strict=True)]

    def gradients(self, samples, w, tau, log=False, rao=1):
        """Return what cotangents of all draws' samples give for log-potentials and the temperature."""
        sums, slope = [0.0] * len(w[0]), 0.0
        for sample, cotangent in zip(samples, w, strict=True):
            p = [self.decay(t) for t in sample] if log else sample
            mean = self.round(
                self.total([self.multiply(a, 1.0 if log else b) for a, b in zip(cotangent, p, strict=True)])
            )
            if log:
                g = [self.add(a, -self.multiply(b, mean)) for a, b in zip(cotangent, p, strict=True)]
            else:
                g = [self.multiply(b, self.add(a, -mean)) for a, b in zip(cotangent, p, strict=True)]
            logs = sample if log else [self.log(y) for y in sample]
            sums = [a + b for a, b in zip(sums, g, strict=True)]
            slope -= self.total([self.multiply(a, b) for a, b in zip(g, logs, strict=True)])
        factor = min(1 / (tau * rao), DOUBLE.largest)
        return [self.round(value * factor) for value in sums], self.round(slope * factor)

    def fresh(self, key, row, draw, category):
        """Return the exponential that conditioned noise reads."""
        quad = 2 * (category // 4)
        high, low = (
            reference.philox(reference.counter(OTHER_WORDS, quad + half, row, draw), reference.key_words(key))
            for half in (0, 1)
        )
        return self.exponential(high[category % 4] << 32 | low[category % 4])

    def conditioned(self, x, choice, e, temperature=1.0):
        """Return noise given a choice, from fresh exponentials; of rows in which the choice wins without more ado.

        Temperatures are 0, or normal numbers.
        """
        if temperature == 0:
            noise = [-self.log(c) for c in e]
            noise[choice] = self.round(-DOUBLE.log(e[choice]))
            return noise
        by = Fraction(self.round(temperature))
        w = [self.decay(self.round(Fraction(self.add(c, -max(x))) / by)) for c in x]
        t = e[choice] / self.total(w)
        noise = [-self.log(self.add(self.multiply(a, self.round(t)), b)) for a, b in zip(w, e, strict=True)]
        noise[choice] = self.round(-DOUBLE.log(t) - (x[choice] - max(x)) / temperature)
        assert max(range(len(x)), key=lambda c: DOUBLE.fma(temperature, noise[c], x[c])) == choice
        return noise


DOUBLE, SINGLE = Real(64), Real(32)
KEY_INDEX = 2**30 - 2
PI_HIGH, PI_LOW, SINE = (DOUBLE.constants(name) for name in ("PI_HIGH", "PI_LOW", "SINE"))


def sine(x):
    """Return sin(pi x) of x from 0 to 1/2."""
    q = DOUBLE.polynomial(SINE, x * x)
    return DOUBLE.fma(x, PI_HIGH[0], x * DOUBLE.fma(q, x * x, PI_LOW[0]))


def nest(a, key, row, draw, number):
    """Return a log P of a nest of scale a below 1."""
    w = reference.philox(reference.counter(OTHER_WORDS, KEY_INDEX, 0, 0), reference.key_words(key))
    own = reference.key_words(w[1] << 32 | w[0])
    w = reference.philox(reference.counter(OTHER_WORDS, number, row, draw), own)
    u, e = ((w[1] << 32 | w[0]) // 2**12 + 0.5) * 2.0**-52, DOUBLE.exponential(w[3] << 32 | w[2])
    return stable(a, u, e)


def stable(a, u, e):
    """Return a log P of a uniform and an exponential."""
    b, v = 1 - a, 1 - u

    def part(c, d):
        return sine(c * u if c * u <= 0.5 else DOUBLE.fma(d, u, v))

    below = sine(min(u, v))
    return DOUBLE.fma(b, DOUBLE.log(part(b, a) / (e * below)), a * DOUBLE.log(part(a, b) / below))


def nested(n, nests, key, row, draw):
    """Return noise of a nested logit over n categories, of the row and draw of a field; nests are pairs and ints."""
    noise = [DOUBLE.gumbel(key, row, draw, c) for c in range(n)]
    numbers = itertools.count()

    def enter(pair, outer, shift):
        a, members = pair
        number = next(numbers)
        if a < 1:
            drawn = nest(a, key, row, draw, number)
            shift = outer * drawn if shift is None else DOUBLE.fma(outer, drawn, shift)
        for member in members:
            if isinstance(member, int):
                noise[member] = DOUBLE.fma(outer * a, noise[member], 0.0 if shift is None else shift)
        for member in members:
            if not isinstance(member, int):
                enter(member, outer * a, shift)

    for pair in nests:
        enter(pair, 1.0, None)
    return noise


def categorical(x, key, row, draws, temperature=1.0):
    """Return draws that read no field."""
    if temperature:
        e = [DOUBLE.decay((c - max(x)) / temperature) for c in x]
    else:
        e = [float(i == x.index(max(x))) for i in range(len(x))]
    mass = len(x) + sum(round(Fraction(c) * 2**30) for c in e)
    k = 92 - math.frexp(float(mass))[1]
    sums = list(itertools.accumulate(math.floor(Fraction(c) * 2**k + Fraction(1, 2)) for c in e))
    drawn = []
    for draw in draws:
        words = reference.philox(reference.counter(OTHER_WORDS, LAST_INDEX, row, draw // 2), reference.key_words(key))
        low, high = words[2:] if draw % 2 else words[:2]
        drawn.append(bisect.bisect_right(sums, (high << 32 | low) * sums[-1] >> 64))
    return drawn
