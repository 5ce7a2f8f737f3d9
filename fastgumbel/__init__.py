"""Exact, reproducible sampling with the Gumbel-max trick, at about the price of reading the array."""

from fastgumbel import anneal
from fastgumbel._config import show_config
from fastgumbel._threads import get_num_threads, set_num_threads
from fastgumbel._version import __version__ as __version__
from fastgumbel.conditional import gumbel_given_choice
from fastgumbel.independent import categorical
from fastgumbel.noise import NoiseField
from fastgumbel.ranking import gumbel_top_k
from fastgumbel.relatives import LogPartition, log_partition, perturb
from fastgumbel.relaxed import gumbel_softmax, gumbel_softmax_jvp
from fastgumbel.reservoir import Reservoir
from fastgumbel.sampling import gumbel, gumbel_max

__all__ = [
    "LogPartition",
    "NoiseField",
    "Reservoir",
    "anneal",
    "categorical",
    "get_num_threads",
    "gumbel",
    "gumbel_given_choice",
    "gumbel_max",
    "gumbel_softmax",
    "gumbel_softmax_jvp",
    "gumbel_top_k",
    "log_partition",
    "perturb",
    "set_num_threads",
    "show_config",
]
