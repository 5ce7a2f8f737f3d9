"""The samplers, to call inside your own `@numba.njit` code on the CPU, one row at a time.

They give the bits of the functions of the same name in `fastgumbel` and allocate nothing, but for `categorical_into`;
they may stand in loops of `numba.prange`, and code that calls them can be cached. They also run when called from
Python, and take every argument by its name too.

`key` is `NoiseField.key`. Integers of every type name coordinates, `key` and `row` modulo 2**64, `draw` and `category`
modulo 2**32, so that a negative one counts from the end. (From Python, an int of 2**63 or more must be a
`numpy.uint64`.) Types are checked while code is compiled. While it runs, nothing is checked but that arrays have the
length of the row, and rows without a sample are marked, as by `invalid="mark"`. What is not passed costs no time.

Numba has no float16 on the CPU: convert such rows to float32 before. Code of yours that is cached contains the samplers
of the version that it was compiled with; after an upgrade, this empties such caches below the directory that you are
in::

    python -c "import pathlib; [p.unlink() for p in pathlib.Path().rglob('*.nb[ic]')]"

For long rows, whole batches and many draws the functions in `fastgumbel` are faster.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fastgumbel._cpu.one.categorical import draw_of_row
from fastgumbel._cpu.one.draws import draws_of_row
from fastgumbel._cpu.one.inside import check_choices, check_potentials, check_relaxed, ids_of, mask_of, place, reals_of
from fastgumbel._cpu.one.max import best_of_row, index_of_row
from fastgumbel._cpu.one.nested import noise_in_nest, shift_of_nest
from fastgumbel._cpu.one.softmax import softmax_of_row
from fastgumbel._law import field as _field
from fastgumbel._numba.compile import inside, kernel, refuse_type
from fastgumbel._request.field import NoiseField

__all__ = [
    "categorical",
    "categorical_into",
    "gumbel",
    "gumbel_max",
    "gumbel_max_value",
    "gumbel_nested",
    "gumbel_softmax",
    "nest_shift",
]

refuse_type(NoiseField, "compiled code takes the key of a noise field: pass field.key, not the field")

Integer: TypeAlias = int | np.integer[Any]


@inside
def gumbel(key: Integer, row: Integer, draw: Integer, category: Integer) -> float:
    """One number of a noise field, G(key, row, draw, category).

    Parameters
    ----------
    key : int
        `NoiseField.key`, 64 bits.
    row : int
        Row id, modulo 2**64.
    draw : int
        Draw, modulo 2**32.
    category : int
        Category id, modulo 2**32: not one of the wide ids from 2**32 on, which `categories` of `gumbel_max` may have.

    Returns
    -------
    float
        float64, between -3.62 and 40.9.

    Raises
    ------
    numba.TypingError
        If an argument is not an integer; when the calling code is compiled.

    See Also
    --------
    fastgumbel.gumbel : the same numbers, as an array.

    Notes
    -----
    The law is P(G <= g) = exp(-exp(-g)). Numbers at different coordinates are independent.

    Examples
    --------
    >>> import fastgumbel as fg
    >>> import fastgumbel.jit as fgj
    >>> field = fg.NoiseField(1)
    >>> round(fgj.gumbel(field.key, 5, 0, 2), 4) == fg.gumbel(3, noise=field.at(rows=5)).round(4)[2]
    np.True_
    """
    k, r, d, c, _ = place(key, row, draw, category)
    return _field.gumbel(k, r, d, c)  # type: ignore[no-any-return]


@inside
def gumbel_max(
    x: NDArray[Any],
    key: Integer,
    row: Integer,
    draw: Integer,
    temperature: float = 1.0,
    start: Integer = 0,
    where: NDArray[np.bool_] | None = None,
    categories: NDArray[np.integer[Any]] | None = None,
) -> int:
    """Sample a category: the argmax of log-potentials plus Gumbel noise.

    Parameters
    ----------
    x : ndarray of float32, float64 or int
        Log-potentials of one row, one-dimensional, of any strides; -inf excludes a category.
    key, row, draw : int
        Where the noise field is read, as in `gumbel`.
    temperature : float, optional
        Factor of the noise, from 0 to 1e300, default 1; 0 gives the plain argmax.
    start : int, optional
        Category id of the first place, modulo 2**32, default 0; ids count up from it. For rows in shards.
    where : None or ndarray of bool, optional
        Of the length of `x`, of any strides; False excludes a category, whatever its log-potential. None excludes none.
    categories : None or ndarray of int, optional
        Category ids up to 2**63 - 1, of the length of `x`, of any type and strides, instead of `start`; a negative
        one marks an empty place. Where an id stands more than once, its places are one alternative, of which the first
        with the largest log-potential may be sampled.

    Returns
    -------
    int
        Place of the sample, from 0 on. -1 if a category that is not excluded is NaN or at least 2**46, if none is above
        -2**46, if `temperature` is none, or if an id is out of its range.

    Raises
    ------
    ValueError
        If `where` or `categories` are not of the length of `x`, or there are both `categories` and a `start`.
    numba.TypingError
        If an argument is of the wrong type; when the calling code is compiled.

    See Also
    --------
    fastgumbel.gumbel_max : the same samples, of many rows.

    Notes
    -----
    Defined as the first argmax over c of float64(x_c) + T G(key, row, draw, c) in float64, with one rounding, at the
    temperature T. Noise that cannot win is never computed: of a long row little more is done than to read it. With
    `categories`, each place reads noise of its own block, so that a row costs several times as much.

    References
    ----------
    .. [1] J. I. Yellott, "The relationship between Luce's choice axiom, Thurstone's theory of comparative judgment,
       and the double exponential distribution", Journal of Mathematical Psychology 15, 1977,
       https://doi.org/10.1016/0022-2496(77)90026-8
    .. [2] C. J. Maddison, D. Tarlow and T. Minka, "A* sampling", NeurIPS 2014, https://doi.org/10.48550/arXiv.1411.0030

    Examples
    --------
    >>> import numba
    >>> import numpy as np
    >>> import fastgumbel as fg
    >>> import fastgumbel.jit as fgj
    >>> @numba.njit
    ... def choose(utilities, key, draw):
    ...     choices = np.empty(len(utilities), np.int64)
    ...     for row in range(len(utilities)):
    ...         choices[row] = fgj.gumbel_max(utilities[row], key, row, draw)
    ...     return choices
    >>> utilities, field = np.array([[1.0, 2.0, 0.5], [0.0, -np.inf, 0.3]]), fg.NoiseField(42)
    >>> choose(utilities, field.key, 0)
    array([1, 2])
    >>> fg.gumbel_max(utilities, noise=field)
    array([1, 2])

    Some of the categories, by their ids:

    >>> ids, mask = np.array([2, 0]), np.array([True, True, False])
    >>> int(ids[fgj.gumbel_max(utilities[0, ids], field.key, 0, 0, categories=ids)])
    2
    >>> fgj.gumbel_max(utilities[0], field.key, 0, 0, where=mask)
    1
    """
    check_potentials(x)
    mask, ids = mask_of(where, x), ids_of(categories, x, start)
    return index_of_row(x, mask, ids, place(key, row, draw, start, temperature))  # type: ignore[no-any-return]


@inside
def gumbel_max_value(
    x: NDArray[Any],
    key: Integer,
    row: Integer,
    draw: Integer,
    temperature: float = 1.0,
    start: Integer = 0,
    where: NDArray[np.bool_] | None = None,
    categories: NDArray[np.integer[Any]] | None = None,
) -> tuple[int, float]:
    """Sample a category, and tell its perturbed value.

    Parameters
    ----------
    x, key, row, draw, temperature, start, where, categories
        As in `gumbel_max`.

    Returns
    -------
    index : int
        That of `gumbel_max`.
    value : float
        float64(x_index) + T G_index, the largest perturbed value; NaN where the index is -1.

    Raises
    ------
    ValueError, numba.TypingError
        As in `gumbel_max`.

    See Also
    --------
    fastgumbel.gumbel_max : the same pairs, of many rows, with `return_max=True`.

    Notes
    -----
    The value's law is T (logsumexp(x / T) + Gumbel) at the temperature T, whatever the sample. Of the shards of a row,
    the one with the largest value has the sample of the whole.

    Examples
    --------
    A row in two shards:

    >>> import numpy as np
    >>> import fastgumbel as fg
    >>> import fastgumbel.jit as fgj
    >>> x, field = np.random.default_rng(0).normal(size=1000), fg.NoiseField(1)
    >>> i, value = fgj.gumbel_max_value(x[:300], field.key, 0, 0)
    >>> j, other = fgj.gumbel_max_value(x[300:], field.key, 0, 0, start=300)
    >>> (i if value >= other else 300 + j) == fg.gumbel_max(x, noise=field)
    np.True_
    """
    check_potentials(x)
    mask, ids = mask_of(where, x), ids_of(categories, x, start)
    best, index = best_of_row(x, mask, ids, place(key, row, draw, start, temperature))
    return index, best


@inside
def gumbel_softmax(
    x: NDArray[Any],
    tau: float,
    key: Integer,
    row: Integer,
    draw: Integer,
    out: NDArray[np.floating[Any]],
    start: Integer = 0,
    where: NDArray[np.bool_] | None = None,
    categories: NDArray[np.integer[Any]] | None = None,
) -> None:
    """Write a relaxed sample to `out`: the softmax of (x + noise) / tau.

    Parameters
    ----------
    x : ndarray of float32, float64 or int
        Log-potentials of one row, one-dimensional, of any strides; -inf excludes a category.
    tau : float
        Temperature, finite and at least 0; 0 gives the one-hot of `gumbel_max`.
    key, row, draw : int
        Where the noise field is read, as in `gumbel`.
    out : ndarray of float32 where `x` is, else float64
        Of the length of `x`, of any strides; it may be `x` itself, but must not overlap it in another way. All NaN
        where `gumbel_max` would give -1, or `tau` is no temperature. Exactly 0 where a category is excluded, or
        another place stands for its id.
    start, where, categories : optional
        As in `gumbel_max`.

    Raises
    ------
    ValueError
        If an array is not of the length of `x`, or there are both `categories` and a `start`.
    numba.TypingError
        If an argument is of the wrong type; when the calling code is compiled.

    See Also
    --------
    fastgumbel.gumbel_softmax : the same samples, of many rows.

    Notes
    -----
    y_c = exp((x_c + G_c) / tau) / sum_j exp((x_j + G_j) / tau), the Concrete or Gumbel-softmax distribution (Maddison,
    Mnih and Teh 2017; Jang, Gu and Poole 2017). Of n `categories` that do not ascend, repeats are found by some n**2
    comparisons.

    References
    ----------
    .. [1] C. J. Maddison, A. Mnih and Y. W. Teh, "The Concrete distribution: a continuous relaxation of discrete random
       variables", ICLR 2017, https://doi.org/10.48550/arXiv.1611.00712
    .. [2] E. Jang, S. Gu and B. Poole, "Categorical reparameterization with Gumbel-softmax", ICLR 2017,
       https://doi.org/10.48550/arXiv.1611.01144

    Examples
    --------
    >>> import numpy as np
    >>> import fastgumbel as fg
    >>> import fastgumbel.jit as fgj
    >>> x, y, field = np.log([1.0, 2.0, 7.0]), np.empty(3), fg.NoiseField(1)
    >>> fgj.gumbel_softmax(x, 0.5, field.key, 0, 0, y)
    >>> bool((y == fg.gumbel_softmax(x, 0.5, noise=field)).all())
    True
    """
    check_relaxed(x, tau, out)
    mask, ids = mask_of(where, x), ids_of(categories, x, start)
    softmax_of_row(x, mask, ids, np.float64(tau), place(key, row, draw, start), out)


@inside
def nest_shift(
    key: Integer,
    row: Integer,
    draw: Integer,
    nest: Integer,
    scale: float,
    outer: float = 1.0,
    shift: float = -0.0,
) -> float:
    """What a nest of a nested logit shifts the noise of its members by.

    Parameters
    ----------
    key, row, draw : int
        Where the noise is read, as in `gumbel`.
    nest : int
        Number of the nest, modulo 2**30: depth first, and a nest before those in it.
    scale : float
        Scale of the nest, relative to the nest around it.
    outer : float, optional
        Product of the scales of all nests around it, default 1.
    shift : float, optional
        What the nest around it shifts its members by; by default there is none.

    Returns
    -------
    float
        float64. NaN if a scale is not above 0 and at most 1, or their product is below 2**-40.

    Raises
    ------
    numba.TypingError
        If an argument is of the wrong type; when the calling code is compiled.

    See Also
    --------
    gumbel_nested : noise of the members.

    References
    ----------
    .. [1] M. Kanter, "Stable densities under change of scale and total variation inequalities", Annals of Probability
       3, 1975, https://doi.org/10.1214/aop/1176996309

    Examples
    --------
    >>> import fastgumbel as fg
    >>> import fastgumbel.jit as fgj
    >>> key = fg.NoiseField(1).key
    >>> shift = fgj.nest_shift(key, 5, 0, 0, 0.7)  # of row 5, draw 0 and nest 0
    >>> noise = fg.gumbel_nested(4, [(0.7, [0, 3])], noise=fg.NoiseField(1).at(rows=5))
    >>> fgj.gumbel_nested(key, 5, 0, 3, 0.7, shift) == noise[3]
    np.True_
    """
    a, s, h = reals_of(scale, outer, shift)
    return shift_of_nest(place(key, row, draw, nest), a, s, h)  # type: ignore[no-any-return]


@inside
def gumbel_nested(
    key: Integer,
    row: Integer,
    draw: Integer,
    category: Integer,
    scale: float = 1.0,
    shift: float = -0.0,
) -> float:
    """Noise of a category in a nested logit, from what its nest shifts its members by.

    Parameters
    ----------
    key, row, draw, category : int
        Where the noise is read, as in `gumbel`.
    scale : float, optional
        Product of the scales of all nests around the category, default 1.
    shift : float, optional
        `nest_shift` of its nest; by default it is in none.

    Returns
    -------
    float
        float64. NaN if `scale` is not from 2**-40 to 1.

    Raises
    ------
    numba.TypingError
        If an argument is of the wrong type; when the calling code is compiled.

    See Also
    --------
    fastgumbel.gumbel_nested : the same numbers, of a whole tree and many rows.

    References
    ----------
    .. [1] A. Galichon, "On the representation of the nested logit model", 2019,
       https://doi.org/10.48550/arXiv.1907.08766

    Examples
    --------
    Of air, train, bus and car, the modes on the ground are alike, and of them train and bus more so.

    >>> import numba
    >>> import numpy as np
    >>> import fastgumbel as fg
    >>> import fastgumbel.jit as fgj
    >>> @numba.njit
    ... def noise(key, row, draw):
    ...     ground = fgj.nest_shift(key, row, draw, 0, 0.7)
    ...     public = fgj.nest_shift(key, row, draw, 1, 0.5, 0.7, ground)
    ...     air = fgj.gumbel_nested(key, row, draw, 0)
    ...     train = fgj.gumbel_nested(key, row, draw, 1, 0.7 * 0.5, public)
    ...     bus = fgj.gumbel_nested(key, row, draw, 2, 0.7 * 0.5, public)
    ...     car = fgj.gumbel_nested(key, row, draw, 3, 0.7, ground)
    ...     return np.array([air, train, bus, car])
    >>> tree, field = [(0.7, [3, (0.5, [1, 2])])], fg.NoiseField(1)
    >>> bool((noise(field.key, 5, 0) == fg.gumbel_nested(4, tree, noise=field.at(rows=5))).all())
    True
    """
    s, _, h = reals_of(scale, 1.0, shift)
    return noise_in_nest(place(key, row, draw, category), s, h)  # type: ignore[no-any-return]


@inside
def categorical(x: NDArray[Any], key: Integer, row: Integer, draw: Integer, temperature: float = 1.0) -> int:
    """Sample a category from log-potentials, without a noise field.

    Parameters
    ----------
    x : ndarray of float32, float64 or int
        Log-potentials of one row, one-dimensional, of any strides; -inf excludes a category.
    key, row, draw : int
        What names the draw, as in `gumbel`.
    temperature : float, optional
        What log-potentials are divided by, from 0 to 1e300, default 1; 0 gives the plain argmax.

    Returns
    -------
    int
        Index of the sample; -1 where `x` is empty, has NaN or a number of at least 2**46, or none above -2**46, and
        where `temperature` is none.

    Raises
    ------
    numba.TypingError
        If an argument is of the wrong type; when the calling code is compiled.

    See Also
    --------
    fastgumbel.categorical : the same samples, of many rows or draws.

    Notes
    -----
    P(c) = exp(x_c / T) / sum_j exp(x_j / T) at the temperature T, by inversion. One word of Philox a draw: several
    times as fast as `gumbel_max`, and of the same law, but it shares no noise with it: a change of `x` may change the
    choice to any category.

    References
    ----------
    .. [1] L. Devroye, "Non-uniform random variate generation", 1986, https://doi.org/10.1007/978-1-4613-8643-8

    Examples
    --------
    >>> import numpy as np
    >>> import fastgumbel as fg
    >>> import fastgumbel.jit as fgj
    >>> x, field = np.log([1.0, 2.0, 7.0]), fg.NoiseField(1)
    >>> [fgj.categorical(x, field.key, 0, draw) for draw in range(6)] == fg.categorical(x, 6, noise=field).tolist()
    True
    """
    check_potentials(x)
    return draw_of_row(x, place(key, row, draw, 0, temperature))  # type: ignore[no-any-return]


@kernel
def categorical_into(
    x: NDArray[Any],
    key: Integer,
    row: Integer,
    draw: Integer,
    out: NDArray[np.signedinteger[Any]],
    temperature: float = 1.0,
) -> None:
    """Write many draws of one row to `out`: draw s of it is that of `categorical` at `draw` + s.

    It allocates memory for the call, unlike the other functions here.

    Parameters
    ----------
    x : ndarray of float32, float64 or int
        Log-potentials of one row, one-dimensional, of any strides; -inf excludes a category.
    key, row, draw : int
        What names the first draw, as in `gumbel`; draws count modulo 2**32.
    out : ndarray of int32 or int64
        One-dimensional, of any length and strides. All -1 where `categorical` would give -1.
    temperature : float, optional
        What log-potentials are divided by, from 0 to 1e300, default 1; 0 gives the plain argmax.

    Raises
    ------
    numba.TypingError
        If an argument is of the wrong type; when the calling code is compiled.

    See Also
    --------
    fastgumbel.categorical : the same samples, of many rows and by many threads.

    Notes
    -----
    Running sums of the weights are made once, and a draw looks its category up in a guide table, at an expected cost
    that does not depend on the number of categories; if there are few draws, by bisection. Memory: 16 bytes a
    category, 16 to 32 more with the guide table, and some KiB.

    References
    ----------
    .. [1] H.-C. Chen and Y. Asau, "On generating random variates from an empirical distribution", AIIE Transactions 6,
       1974, https://doi.org/10.1080/05695557408974949

    Examples
    --------
    Particles are resampled in compiled code:

    >>> import numba
    >>> import numpy as np
    >>> import fastgumbel as fg
    >>> import fastgumbel.jit as fgj
    >>> @numba.njit
    ... def resample(log_weights, key, step):
    ...     ancestors = np.empty(len(log_weights), np.int64)
    ...     fgj.categorical_into(log_weights, key, step, 0, ancestors)
    ...     return ancestors
    >>> log_weights, field = np.random.default_rng(0).normal(size=3000), fg.NoiseField(1)
    >>> ancestors = resample(log_weights, field.key, 7)
    >>> bool((ancestors == fg.categorical(log_weights, 3000, noise=field.at(rows=7))).all())
    True
    """
    check_potentials(x)
    check_choices(out)
    draws_of_row(x, place(key, row, draw, 0, temperature), out)
