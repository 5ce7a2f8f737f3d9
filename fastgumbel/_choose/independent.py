"""What simulations do without common noise: each run draws by inverting the distribution function at fresh uniforms."""

import numpy as np
from numpy.typing import NDArray

from .blocks import block_size, spans
from .flows import Flows
from .softmax import softmax_in_place


def independent_flows(base: NDArray[np.float64], scenario: NDArray[np.float64], *, draws: int, seed: int) -> Flows:
    """Count who changes between two tables of log-potentials, (rows, alternatives), if their draws are independent."""
    rows, alternatives = base.shape
    uniforms = np.random.default_rng(seed)
    bounds = [softmax_in_place(table.copy()).cumsum(axis=1) for table in (base, scenario)]
    flows = Flows(alternatives)
    for first, last in spans(draws, block_size(rows, alternatives, draws, rows_complete=False).draws):
        flows.count(*(_invert(bound, uniforms.random((last - first, rows))) for bound in bounds))
    return flows


def _invert(bounds: NDArray[np.float64], uniforms: NDArray[np.float64]) -> NDArray[np.intp]:
    passed = np.zeros(uniforms.shape, np.intp)
    for bound in bounds.T[:-1]:
        passed += uniforms >= bound
    return passed
