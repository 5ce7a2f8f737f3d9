"""Precomputed noise that is finite, and infinite times its temperature, is refused by every function that scales it."""

import numpy as np
import pytest

from fastgumbel import gumbel_above, gumbel_max, gumbel_top_k

MOST = np.finfo(np.float64).max
FUNCTIONS = {
    "max": gumbel_max,
    "max with value": lambda x, **options: gumbel_max(x, return_max=True, **options),
    "top": lambda x, **options: gumbel_top_k(x, 2, **options),
    "top of all": lambda x, **options: gumbel_top_k(x, x.shape[-1], **options),
    "above": gumbel_above,
}


@pytest.fixture(params=FUNCTIONS)
def function(request):
    return FUNCTIONS[request.param]


@pytest.mark.parametrize("value", [1e20, -1e20, MOST, -MOST])
@pytest.mark.parametrize("invalid", ["raise", "mark"])
def test_it_is_refused_by_row_and_category(function, value, invalid):
    x, noise = np.zeros((3, 5)), np.zeros((2, 3, 5))
    noise[:, 0, 0], noise[1, 2, 3] = -np.inf, value
    for temperature in (1e300, np.array([1.0, 1.0, 1e290])):
        with pytest.raises(
            ValueError, match=r"noise must be finite, also times its temp.*row \(1, 2\) has .* at category 3"
        ):
            function(x, size=2, noise=noise, temperature=temperature, invalid=invalid)


def test_it_is_looked_at_where_a_category_is_excluded(function):
    noise = np.array([0.0, 1e20, 0.0])
    with pytest.raises(ValueError, match="noise must be finite, also times"):
        function(np.array([0.0, -np.inf, 0.0]), noise=noise, temperature=1e300)


def test_only_the_temperature_of_its_row_counts(function):
    x, noise = np.zeros((2, 4)), np.zeros((2, 4))
    noise[0, 1], noise[1, 2] = 1e20, -np.inf
    for temperature in ([1.0, 1e300], [0.0, 1e300], [1e280, 1e300]):
        function(x, noise=noise, temperature=temperature, invalid="mark")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int64])
def test_other_types_of_noise(function, dtype):
    noise = np.zeros((1, 4), dtype)
    noise[0, 1] = 2**15
    function(np.zeros((1, 4)), noise=noise, temperature=1e300)
    if dtype != np.float16:
        noise[0, 1] = 2**30
        with pytest.raises(ValueError, match="noise must be finite, also times"):
            function(np.zeros((1, 4)), noise=noise, temperature=1e300)


def test_the_end_of_the_range(function):
    """The product is rounded; half an ulp beyond the largest number it is infinite."""
    x = np.zeros((1, 3))
    for temperature in (1.5, 2.0, 3.0, 1e100):
        most = MOST / temperature
        for noise in (most, np.nextafter(most, np.inf), np.nextafter(most, 0.0)):
            with np.errstate(over="ignore"):
                fits = np.isfinite(np.float64(noise) * temperature)
            options = {"noise": np.array([[0.0, noise, 0.0]]), "temperature": temperature}
            if fits:
                function(x, **options)
            else:
                with pytest.raises(ValueError, match="noise must be finite, also times"):
                    function(x, **options)


@pytest.mark.parametrize("name", ["max", "top", "above"])
def test_long_rows_on_another_axis(name):
    x, noise = np.zeros((70_000, 2), np.float32), np.zeros((70_000, 2))
    noise[66_000, 1] = -1e200
    with pytest.raises(ValueError, match=r"row 1 has -1e\+200 at category 66000"):
        FUNCTIONS[name](x, axis=0, noise=noise, temperature=1e200)
