"""Temperatures on a device.

What is decided in float32 is decided in units of the temperature: distances from the largest potential are divided by
it, and the noise stays as it is.
"""

import math

import numpy as np

from fastgumbel._cuda.seam import device
from fastgumbel._law.ops import times
from fastgumbel._law.reduce import NOTHING

# In this range float32 takes distances in units of the temperature without harm: what it loses of one far below
# float32's least number is still little, and what it makes infinite is far out of reach.
COLDEST, HOTTEST = np.float64(2.0**-100), np.float64(2.0**100)

_1 = np.float64(1)


@device
def temperature_of(temperatures, r):
    """Temperature of row r of a piece."""
    return temperatures.many[np.uint64(r)] if temperatures.many.size else temperatures.one


@device
def is_moderate(temperature):
    """Whether float32 takes distances in units of a temperature without harm."""
    return temperature >= COLDEST and temperature <= HOTTEST


@device
def moderated(temperature):
    """The nearest temperature that is moderate."""
    return min(max(temperature, COLDEST), HOTTEST)


@device
def rate32(temperature):
    """1 / T in float32, of the nearest T that is moderate."""
    return np.float32(_1 if temperature == _1 else _1 / moderated(temperature))


@device
def cooled(d, temperature):
    """A distance d <= 0 in units of the temperature; at 0, that is 0 or -inf."""
    return d if temperature == _1 or d == np.float64(0) else d / temperature


@device
def is_unfit(noise, temperature):
    """Whether precomputed noise is NaN or inf, or finite and its product with the temperature is not; -inf is fit."""
    g = np.float64(noise)
    return not g < math.inf or (g > NOTHING and not abs(times(temperature, g)) < math.inf)
