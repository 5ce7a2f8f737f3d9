"""Exact, reproducible sampling with the Gumbel-max trick, at about the price of reading the array."""

from fastgumbel import anneal
from fastgumbel._api.categorical import categorical
from fastgumbel._api.config import show_config
from fastgumbel._api.given import gumbel_given_choice
from fastgumbel._api.max import gumbel_max
from fastgumbel._api.noise import gumbel
from fastgumbel._api.perturb import LogPartition, log_partition, perturb
from fastgumbel._api.reservoir import Reservoir
from fastgumbel._api.softmax import gumbel_softmax, gumbel_softmax_jvp
from fastgumbel._api.top import gumbel_top_k
from fastgumbel._host.threads import get_num_threads, set_num_threads
from fastgumbel._request.field import NoiseField
from fastgumbel._version import __version__ as __version__

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
