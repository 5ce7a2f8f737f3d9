"""Exact chances."""

import numpy as np
from numpy.typing import NDArray


def softmax_in_place(block: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn rows of log-potentials, all below +inf and one at least finite, into chances; the argument is used up."""
    with np.errstate(over="ignore"):  # a difference beyond float64 is a chance of zero all the same
        block -= block.max(axis=1, keepdims=True)
    np.exp(block, out=block)
    block /= block.sum(axis=1, keepdims=True)
    return block
