"""All that is above thresholds in rows of a few categories equals the definition: the perturbed values, written out."""

import numpy as np
import pytest

from fastgumbel import NoiseField, gumbel, gumbel_above
from fastgumbel._host.above import _SHORT, _SLOTS
from tests.cpu.test_middle import crafted
from tests.oracle import naive

DTYPES = (np.float16, np.float32, np.float64)
TEMPERATURES = (0.0, 1e-3, 0.3, 1.0, 7.0, 1e6)


def check(rng, rows, n, dtype):
    """One problem: coordinates, draws, temperatures and thresholds at random."""
    x = crafted(rng, rows, n, dtype)
    start = int(rng.choice([0, 1, 3, 62, 127, 2**31 - 1]))
    field = NoiseField(int(rng.integers(2**63))).at(draw=int(rng.integers(2**20)), start=start)
    if rng.random() < 0.5:
        field = field.at(rows=rng.integers(2**63, size=rows))
    draws = int(rng.choice([1, 1, 2, 5, 200]))
    temperature = 1.0 if rng.random() < 0.5 else rng.choice(TEMPERATURES, size=rows)
    own = naive.by_row(temperature, x.shape)
    wide = x.astype(np.float64)
    values = np.stack(
        [naive.perturbed(wide, gumbel(x.shape, noise=field.at(draw=field.draw + s)), own) for s in range(draws)]
    )
    values = np.where(wide > -naive.LIMIT, values, -np.inf)
    # Beside thresholds for all and for each row, some that are met exactly: what is equal is not above.
    threshold = rng.choice(
        np.array([-3.0, 0.0, 4.0, np.nan_to_num(values[0, 0, 0], neginf=1.0, posinf=1.0)]), size=(draws, rows)
    )
    threshold = threshold[0, 0] if rng.random() < 0.3 else threshold
    # Rows of more than one draw are invalid in all of them.
    valid = ((wide < naive.LIMIT) | (wide == -np.inf)).all(-1)
    wanted = (values > np.asarray(threshold)[..., None]) & valid[:, None]
    found, above = gumbel_above(x, threshold, size=draws, temperature=temperature, noise=field, invalid="mark")
    message = f"{rows=} {n=} {draws=} {start=}"
    for axis, places in zip(found, np.nonzero(wanted), strict=True):
        np.testing.assert_array_equal(axis, places, err_msg=message)
    np.testing.assert_array_equal(above, values[wanted], err_msg=message)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", range(1, _SHORT + 2))
def test_equals_the_definition(n, dtype):
    rng = np.random.default_rng((n, dtype().itemsize))
    # Vector slots are 128: a part of them, all, and some more; of few rows, several draws.
    for rows in (1, 2, _SLOTS - 1, _SLOTS, 33, 128, 129, 4000):
        for _ in range(2 if rows < 1000 else 1):
            check(rng, rows, n, dtype)
