"""Log-potentials worth testing: their types, lengths and shapes, in one table."""

import numpy as np

FLOATS = ("float64", "float32", "float16")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
# The largest number of float32 that a log-potential may be.
LAST = 2.0**46 - 2.0**22
BIG_ENDIAN = (">f8", ">f4", ">f2", ">i4", ">u8")
DTYPES = FLOATS + INTEGERS + BIG_ENDIAN

LENGTHS = (1, 2, 63, 64, 65, 127, 128, 129, 2047, 2048, 2049, 100_000)


def offset(amount):
    """Make a family of normals far from zero."""
    return lambda rng, noise: amount + rng.normal(size=noise.shape)


def one_of(*values):
    """Make a family of few distinct values."""
    return lambda rng, noise: rng.choice(np.array(values), size=noise.shape)


def far_below(*values):
    """Make a family of few distinct values, with one 0 in each row."""

    def make(rng, noise):
        x = one_of(*values)(rng, noise)
        np.put_along_axis(x, rng.integers(noise.shape[-1], size=(*noise.shape[:-1], 1)), 0.0, -1)
        return x

    return make


def ramp(slope):
    """Make a family that rises or falls along the categories."""
    return lambda rng, noise: np.broadcast_to(slope * np.arange(noise.shape[-1]), noise.shape)


def spike(rng, noise):
    """One category a little above the best noise of the others."""
    x = np.zeros(noise.shape)
    np.put_along_axis(x, rng.integers(noise.shape[-1], size=(*noise.shape[:-1], 1)), 9.0, -1)
    return x


def runs_of_minus_infinity(rng, noise):
    """Whole blocks and odd lanes without a chance, never all of them."""
    x = rng.normal(size=noise.shape)
    n = noise.shape[-1]
    dead = np.repeat(rng.random((*noise.shape[:-1], n // 64 + 1)) < 0.5, 64, axis=-1)[..., :n]
    dead |= rng.random(noise.shape) < 0.3
    np.put_along_axis(dead, rng.integers(n, size=(*noise.shape[:-1], 1)), False, -1)
    return np.where(dead, -np.inf, x)


def near_ties(offset):
    """All perturbed values within a hair of each other: a filter with too little slack loses the best."""

    def make(rng, noise):
        hair = 10.0 ** rng.uniform(-17, -3, size=(*noise.shape[:-1], 1))
        return offset - noise + hair * rng.normal(size=noise.shape)

    return make


FAMILIES = {
    "zeros": one_of(0.0),
    "normal": offset(0.0),
    "wide": lambda rng, noise: 5 * rng.normal(size=noise.shape),
    "duplicates": one_of(-1.0, 0.0, 1.0),
    "subnormal": one_of(0.0, -0.0, 5e-324, -5e-324, 1e-310, 1e-45, -1e-45, 1e-40, 6e-8),
    "million": offset(1e6),
    "far": offset(7e13),
    "limits": one_of(LAST, -LAST, 0.0),
    "beyond float32": far_below(-1e300, -1e39, 0.0, 1e-50),
    "float32 limits": far_below(-3.4028234663852886e38, -3.4e38, -(2.0**46), 0.0),
    "all huge": one_of(LAST),
    "all very low": one_of(-LAST),
    "ascending": ramp(0.01),
    "descending": ramp(-0.01),
    "steep": ramp(3.0),
    "spike": spike,
    "minus infinity": runs_of_minus_infinity,
    "near ties": near_ties(0.0),
    "near ties at a thousand": near_ties(1e3),
    "near ties at ten million": near_ties(-1e7),
}


def cast(x, dtype):
    """Convert to a type, its range clipped; minus infinity stays where the type has it."""
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        largest = np.finfo(dtype).max
        return np.where(x == -np.inf, -np.inf, np.clip(x, -largest, largest)).astype(dtype)
    info = np.iinfo(dtype)
    inside = np.rint(np.clip(x, info.min, np.nextafter(float(info.max), 0.0))).astype(dtype)
    return np.where(x >= info.max, np.array(info.max, dtype), inside)


def log_potentials(family, dtype, rng, noise):
    """Return an array of the family and type, one log-potential for each of ``noise``."""
    return cast(FAMILIES[family](rng, noise), dtype)
