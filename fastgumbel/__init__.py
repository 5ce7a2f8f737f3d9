"""Exact, reproducible sampling with the Gumbel-max trick, at about the price of reading the array.

A key names a field of independent Gumbel noise, ``G(key, row, draw, category)``, and every function reads that field.
The README shows what each is for; this is the map of the package, for those who change it.

Where things are
----------------
An operation has one name from the public function to the kernel: ``noise``, ``max``, ``top``, ``above``, ``softmax``
(relaxed samples, their tangents and gradients), ``given``, ``nested``, ``categorical``, ``perturb`` (with
``log_partition``) and ``reservoir``. A public function makes a ``Request``, and the backend of the arrays serves it
(only `gumbel_max` of few short rows is quicker, by ``search_few``).

- ``_api``: the public functions, one operation a file: documentation and signatures. A new option of `gumbel_top_k`
  begins in ``_api/top.py``, is checked in ``_request/request.py``, and served by ``_host/top.py`` and ``_cuda/top.py``;
  for dask arrays it begins in ``dask.py``.
- ``_request``: what users pass, checked once: ``request`` (the `Request`), ``arrays`` and ``foreign`` (whose arrays
  they may be), ``field`` (with ``key`` and ``ids``) and ``coordinates``, ``faults`` (what users read when a row is
  wrong).
- ``_host``: NumPy arrays: ``rows`` (what ``where=`` does to NaN: ``Rows.piece`` overwrites what is excluded),
  ``threads`` (how many: ``limits`` and the container's ``quota``), ``result``, and a file for each operation. Work is
  cut by ``tiles`` (searches, which may cut a row), ``blocks`` (whole rows) and ``parts`` (one row on all threads).
  ``written`` is for rows whose ids are written out, ``repeats`` for category ids that stand twice in a row.
- ``_cuda``: the same for device arrays: ``device`` (streams, memory, launches), ``view``, ``rows``, ``call``,
  ``result``, the operations, and ``kernels``. It is loaded when the first device array comes.
- ``_dask``: the operations on the chunks of dask arrays, behind the public ``dask``.
- ``_cpu``: kernels for the CPU, with a folder for each operation that has several. Blocks are drawn by ``blocks`` (of
  a long row), ``slots`` and ``slot_words`` (short rows side by side), ``middle`` (several rows of some hundred
  categories), ``above/tile``, ``ids`` (by category id) and ``noise_row`` (noise written out). ``precomputed`` is
  for noise that users pass. ``stage`` tells how loops become vector code. ``one`` is for a single row inside compiled
  code of users, behind the public ``jit``.
- ``_law``: what never changes, as bits depend on it, stated by ``_law/CONTRACT.md``: ``philox`` (words), ``field``
  (which words are a block's and a lane's), ``real`` (logarithm and exponential), ``reduce`` (the tie rule), ...
- ``_numba``: all that knows the compiler: ``compile`` (with ``linked``), ``cache`` (machine code on disk), ``vector``,
  ``masks``, ``memory``.
- ``_cli``: ``python -m fastgumbel``.

Imports run downwards only: ``_cli``, ``dask``, ``_dask``, ``_api`` and ``anneal``, then ``_host``, ``_cuda`` and
``jit``, then ``_cpu``, ``_law``, ``_numba``; ``_request`` is used by all above ``_cpu``. A test holds the order.

Words
-----
log-potential
    A real number x_c for category c, never normalised; P(c) is proportional to exp(x_c).
row, batch
    The categories of one sample; the rows of an array in C order.
draw
    The number of a sample of one row.
block
    64 categories, which share one exponential, their minimum.
lane
    A category's place in its block. The winner lane has the block's minimum.
perturbed value
    Log-potential plus noise, which the row's temperature scales; a sample is the first largest one. (The temperature of
    a relaxed sample, tau, is another one: that of the softmax of perturbed values.)
nest
    Categories, and nests in it, whose noise has a part in common: their shift, which is drawn once for all of them.
id
    What a row or a category is called in the field, where it is not its place.
vector slot, warp lane, thread block, chunk
    A place in a vector register; a thread of the 32 of a GPU that go together; threads that share memory; part of a
    row, or of a dask array.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from fastgumbel._version import __version__ as __version__

__all__ = [
    "Fault",
    "LogPartition",
    "NoiseField",
    "Reservoir",
    "anneal",
    "categorical",
    "diagnose",
    "get_num_threads",
    "gumbel",
    "gumbel_above",
    "gumbel_given_choice",
    "gumbel_max",
    "gumbel_nested",
    "gumbel_softmax",
    "gumbel_softmax_jvp",
    "gumbel_softmax_vjp",
    "gumbel_top_k",
    "log_partition",
    "perturb",
    "set_num_threads",
    "show_config",
]

# A name is loaded when it is first used: importing the package takes no time, and the first call of a function loads
# its own kernels alone. Type checkers, and tools that collect the modules of an application, read the imports.
if TYPE_CHECKING:
    from fastgumbel import anneal
    from fastgumbel import jit as jit
    from fastgumbel._api.above import gumbel_above
    from fastgumbel._api.categorical import categorical
    from fastgumbel._api.config import show_config
    from fastgumbel._api.diagnose import diagnose
    from fastgumbel._api.given import gumbel_given_choice
    from fastgumbel._api.log_partition import LogPartition, log_partition
    from fastgumbel._api.max import gumbel_max
    from fastgumbel._api.nested import gumbel_nested
    from fastgumbel._api.noise import gumbel
    from fastgumbel._api.perturb import perturb
    from fastgumbel._api.reservoir import Reservoir
    from fastgumbel._api.softmax import gumbel_softmax, gumbel_softmax_jvp
    from fastgumbel._api.softmax_vjp import gumbel_softmax_vjp
    from fastgumbel._api.top import gumbel_top_k
    from fastgumbel._host.threads import get_num_threads, set_num_threads
    from fastgumbel._request.faults import Fault
    from fastgumbel._request.field import NoiseField
else:
    _MODULES = ("anneal", "jit")
    _HOMES = {
        "Fault": "_request.faults",
        "LogPartition": "_api.log_partition",
        "NoiseField": "_request.field",
        "Reservoir": "_api.reservoir",
        "categorical": "_api.categorical",
        "diagnose": "_api.diagnose",
        "get_num_threads": "_host.threads",
        "gumbel": "_api.noise",
        "gumbel_above": "_api.above",
        "gumbel_given_choice": "_api.given",
        "gumbel_max": "_api.max",
        "gumbel_nested": "_api.nested",
        "gumbel_softmax": "_api.softmax",
        "gumbel_softmax_jvp": "_api.softmax",
        "gumbel_softmax_vjp": "_api.softmax_vjp",
        "gumbel_top_k": "_api.top",
        "log_partition": "_api.log_partition",
        "perturb": "_api.perturb",
        "set_num_threads": "_host.threads",
        "show_config": "_api.config",
    }

    def __getattr__(name: str) -> object:
        if name in _MODULES:
            return import_module(f"fastgumbel.{name}")
        if name not in _HOMES:
            remedy = ": import fastgumbel.dask, which needs dask" if name == "dask" else ""
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}{remedy}")
        value = getattr(import_module(f"fastgumbel.{_HOMES[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__, *_MODULES})
