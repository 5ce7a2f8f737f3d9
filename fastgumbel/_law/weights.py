"""Integer weights of a row, and which category a word names: the definition of `categorical`, version 1.

With m the largest log-potential and e_c = exp((x_c - m) / temperature) in float64 (0 below -708), at temperature 0
e_c = 1 for the first largest log-potential and 0 for all others:

    A = n + the sum of the integers next to 2^30 e_c (ties to even)
    k = 92 - b, where 2^(b-1) <= float64(A) < 2^b
    w_c = floor(2^k e_c + 1/2), and T, the sum of all w_c

Draw d of a row reads the call of Philox with domain 3, the last index and counter word d // 2: words 0, 1 if d is even,
else 2, 3, low word first, are U of 64 bits. The category is the first c with w_0 + ... + w_c > floor(U T / 2^64). All
sums are of integers and exact, so no order of summing and no way of searching can change it.

T is below 2^62, as 2^30 times the sum of all e_c is at most A - n / 2. It is at least 2^60 for up to 2^30 categories,
where w_c is off by 1/2 at most.
"""

import numpy as np

from fastgumbel._law.field import OTHER_WORDS, words
from fastgumbel._law.ops import bits, fma, wide
from fastgumbel._law.philox import LOW
from fastgumbel._law.real import decay64
from fastgumbel._numba.compile import scalar, stage

# The index that conditioned noise leaves free.
DRAW_WORDS = OTHER_WORDS | np.uint64(2**30 - 1)

_1 = np.uint64(1)
_32 = np.uint64(32)
_TWO30 = np.float64(2.0**30)
_TWO52 = np.float64(2.0**52)
_EXPONENT = np.uint64(52)
_LEADING = np.uint64(2**52)
_MANTISSA = np.uint64(2**52 - 1)
_TO_TOP = np.uint64(10)
_MOST = np.uint64(63)


@scalar
def bit_length(v):
    """B with 2^(b-1) <= float64(v) < 2^b, for a positive uint64."""
    return (bits(np.float64(v)) >> _EXPONENT) - np.uint64(1022)


@scalar
def grains(e):
    """The integer next to 2^30 e, ties to even, of e from 0 to 1."""
    return bits(fma(e, _TWO30, _TWO52)) - bits(_TWO52)


@scalar
def last_shift(mass):
    """How far the weight of an e of 2^-1023 would be shifted, for a mass A: 1084 - k."""
    return np.uint64(992) + bit_length(mass)


@scalar
def weight(e, last):
    """Integer weight of the bits of e."""
    # An e of 2^(E - 1023) (1 + f) has 2^62 (1 + f) under its shift, of which nothing is left after 63 places. One place
    # remains, for rounding.
    shift = last - (e >> _EXPONENT)
    doubled = ((e & _MANTISSA | _LEADING) << _TO_TOP) >> (shift if shift < _MOST else _MOST)
    return (doubled + _1) >> _1


@stage
def decays(weights, x, at, n, largest, temperature):
    """Bits of e_c of the row x[at : at + n] to weights[c]; A, of which that of a row in parts is the sum."""
    sum_ = np.uint64(n)
    if temperature == 1:
        for i in range(n):
            e = decay64(np.float64(x[np.uint64(at) + np.uint64(i)]) - largest)
            weights[i] = bits(e)
            sum_ += grains(e)
    elif temperature > 0:
        for i in range(n):
            e = decay64((np.float64(x[np.uint64(at) + np.uint64(i)]) - largest) / temperature)
            weights[i] = bits(e)
            sum_ += grains(e)
    else:
        found = False
        for i in range(n):
            first = not found and np.float64(x[np.uint64(at) + np.uint64(i)]) == largest
            e = np.float64(1 if first else 0)
            weights[i] = bits(e)
            sum_ += grains(e)
            found |= first
    return sum_


@stage
def _integers(weights, n, last):
    """Bits of e_c to w_c."""
    for i in range(n):
        weights[i] = weight(weights[i], last)


@stage
def running(weights, n, a):
    """Bits of e_c to the sums of w_c that run along n categories of a row; the last of them. `a` is A of the row."""
    _integers(weights, n, last_shift(a))
    sum_ = np.uint64(0)
    for i in range(n):
        sum_ += weights[i]
        weights[i] = sum_
    return sum_


@stage
def cumulate(weights, x, at, n, largest, temperature):
    """w_0 + ... + w_c of the row x[at : at + n], whose largest log-potential is finite, to weights[c]; T."""
    return running(weights, n, decays(weights, x, at, n, largest, temperature))


@scalar
def halves(key, row, draw):
    """Low and high half of U."""
    w0, w1, w2, w3 = words(key, row, draw >> _1, DRAW_WORDS)
    odd = draw & _1 != np.uint64(0)
    return (w2 if odd else w0), (w3 if odd else w1)


@scalar
def target(low, high, total):
    """floor(U T / 2^64) of the halves of U and of T; all are uint64."""
    t_low, t_high = total & LOW, total >> _32
    middle = wide(high, t_low) + (wide(low, t_low) >> _32)
    other = wide(low, t_high) + (middle & LOW)
    return wide(high, t_high) + (middle >> _32) + (other >> _32)


@stage
def bisect(sums, n, t):
    """First c with sums[c] > t; the last sum is."""
    low, high = 0, n - 1
    while low < high:
        middle = (low + high) // 2
        if sums[middle] > t:
            high = middle
        else:
            low = middle + 1
    return low
