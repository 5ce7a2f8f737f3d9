"""The sine of pi times a number, by operations that have the same bits on every machine, as in `real`."""

import numpy as np

from fastgumbel._law.ops import fma
from fastgumbel._numba.compile import scalar

# sin(pi x) / x = pi + z Q(z) with z = x^2, and Q the polynomial that interpolates at the Chebyshev nodes of [0, 1/4]:
# off by 2^-55 of the sine. pi is split, so that its rounding does not count. The result is within 1.5 ulp.
_PI_HIGH = np.float64(3.141592653589793)
_PI_LOW = np.float64(1.2246467991473532e-16)
_Q0, _Q1, _Q2, _Q3, _Q4, _Q5, _Q6, _Q7 = map(np.float64, (
    -5.16771278004997, 2.55016403987734, -0.599264529320343, 0.08214588659675232,
    -0.007370430719634586, 0.00046630087411496363, -2.1906201655131958e-05, 7.725743030789876e-07,
))  # fmt: skip


@scalar
def sine(x):
    """sin(pi x) of a float64 x from 0 to 1/2."""
    z = x * x
    q = fma(_Q7, z, _Q6)
    q = fma(q, z, _Q5)
    q = fma(q, z, _Q4)
    q = fma(q, z, _Q3)
    q = fma(q, z, _Q2)
    q = fma(q, z, _Q1)
    q = fma(q, z, _Q0)
    return fma(x, _PI_HIGH, x * fma(q, z, _PI_LOW))
