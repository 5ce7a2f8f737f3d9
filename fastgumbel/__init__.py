"""Exact, reproducible sampling with the Gumbel-max trick, at about the price of reading the array."""

from fastgumbel._threads import get_num_threads, set_num_threads
from fastgumbel.noise import NoiseField
from fastgumbel.sampling import gumbel, gumbel_max

__all__ = ["NoiseField", "get_num_threads", "gumbel", "gumbel_max", "set_num_threads"]

__version__ = "0.1.0"
